"""Whether a summary carries over what its paper found: the figures of the results, and the link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from summarizer.digest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from summarizer.checks.quantities import Quantity
    from summarizer.checks.reading import Readings

# Shares, ratios, scores and levels; sizes, counts, times and dates describe rather than find.
_RESULTS = frozenset(("%", "%p", "x", "point", "dB"))
_SMALL = 10
_SHOWN = 5


def results(readings: Readings) -> Iterator[Finding]:
    """Find a summary without any figure of the results, or without a link of the abstract."""
    if not (readings.paper.abstract or "").strip():
        yield Finding(
            check="results",
            severity="warning",
            message="whether the results are kept cannot be checked: the paper has no abstract",
        )
        return
    stated, kept = _figures(readings)
    if stated and not kept:
        count = (
            "a figure of its results"
            if len(stated) == 1
            else f"{len(stated)} figures of its results"
        )
        yield Finding(
            check="results",
            severity="warning",
            message=f"the abstract states {count}, and the summary none of them",
            evidence=", ".join(figure.text for figure in stated[:_SHOWN]),
        )
    links = {link.key: link.url for link in readings.source.links}
    said = {link.key for _, link in readings.links} if links else set()
    missing = [url for key, url in links.items() if key not in said]
    if missing and len(said) < len(links):  # a damaged link is found by the check of links
        yield Finding(
            check="results",
            severity="warning",
            message="the summary leaves out a link of the abstract",
            evidence=", ".join(missing[:_SHOWN]),
        )


def results_recall(readings: Readings) -> tuple[int, int]:
    """How many figures of results the abstract states, and how many of them the summary has."""
    stated, kept = _figures(readings)
    return len(stated), kept


def _figures(readings: Readings) -> tuple[list[Quantity], int]:
    stated = {
        (figure.unit, figure.value): figure
        for figure in readings.source.quantities
        if _is_result(figure)
    }
    if not stated:
        return [], 0
    said = {
        number
        for quantities in readings.said
        for quantity in quantities
        for measure in quantity.measures
        for number in (measure.value, measure.base)
    }
    kept = sum(not said.isdisjoint(_numbers(figure)) for figure in stated.values())
    return list(stated.values()), kept


def _is_result(quantity: Quantity) -> bool:
    """Whether it says how good, how much better or how often; `Gemini 1.5` and `7B` do not."""
    if quantity.role or quantity.vague or quantity.word:
        return False
    value, unit, _ = quantity.measures[0]
    if unit or not value % 1:
        return unit in _RESULTS
    decimals = -int(value.as_tuple().exponent)
    return decimals > 1 or (decimals == 1 and value >= _SMALL)


def _numbers(quantity: Quantity) -> set[Decimal]:
    return {number for measure in quantity.measures for number in (measure.value, measure.base)}
