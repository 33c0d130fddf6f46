"""What of two runs can be compared: scorers that are the same, cases in both, and their systems."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from summarizer.errors import InputError
from summarizer.evals.baseline import identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from summarizer.evals.runs import Header, Run, System


def refuse_other_scorers(a: Header, b: Header) -> None:
    """Refuse runs whose scores do not mean the same.

    Raises:
        InputError: A scorer of the one has another signature than that of the other.
    """
    for name, told in b.scorers.items():
        if a.scorers.get(name, told) != told:
            raise InputError(
                f"the two runs were not scored alike, {name} by {a.scorers[name]} and by {told}",
                hint="Make the older one again with this version; what is recorded is not asked "
                "again",
            )


def shared_cases(a: Run, b: Run) -> list[str]:
    """Ids of the cases that both runs have with the same text, in the order of b."""
    known = {case.id: identity(case) for case in a.cases}
    return [case.id for case in b.cases if known.get(case.id) == identity(case)]


def match_systems(a: Iterable[System], b: Iterable[System]) -> list[tuple[System, System]]:
    """Systems that are the same; else the only ones of one model, of one prompt, of all."""
    keys: tuple[Callable[[System], object], ...] = (
        lambda system: system,
        lambda system: system.model,
        lambda system: system.prompt,
        lambda _: None,
    )
    for key in keys:
        count_a, count_b = Counter(map(key, a)), Counter(map(key, b))
        pairs = [(x, y) for y in b for x in a if key(x) == key(y)]
        if alone := [(x, y) for x, y in pairs if count_a[key(x)] == count_b[key(y)] == 1]:
            return alone
    return []
