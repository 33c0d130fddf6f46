"""Whether a summary is about its paper, and not about another one or about nothing.

No signal decides alone: a title's method may go unnamed, and a short summary renders few terms. On
published summaries two hardly ever come together; on exchanged ones they nearly always do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from summarizer.checks.latin import Words, read_terms
from summarizer.checks.vocabulary import is_general
from summarizer.digest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from summarizer.checks.latin import Term
    from summarizer.checks.reading import Readings

_SIZE = re.compile(r"[0-9.]+[A-Za-z]{0,3}")
_NAME = re.compile(r".+[A-Z0-9]")
_FEW_NAMES, _FEW_TERMS, _FEW_STATED, _FEW_NUMBERS = 2, 3, 4, 2
_MANY_NAMES, _MOST = 2, 0.8
_FEW_KNOWN = 2
_SMALL = 12
_MOST_WORDS = 2**14  # of which it is kept whether they tell anything


def topic(
    readings: Readings,
    *,
    min_names: float = 0.4,
    min_terms: float = 0.45,
    min_rendered: float = 0.3,
) -> Iterator[Finding]:
    """Find a summary of another paper: one signal warns, two are an error.

    Signals are the three shares below, a title's method that is not named, numbers of which the
    abstract has none (on basis `abstract`), and nothing at all in common.

    Args:
        min_names: Least share of the summary's terms in Latin script that the abstract has.
        min_terms: Least share of its technical terms in Korean that the abstract has in English.
        min_rendered: Least share of the abstract's technical terms that the summary has.
    """
    if not (readings.paper.abstract or "").strip():
        yield Finding(
            check="topic",
            severity="warning",
            message="whether the summary is about the paper cannot be checked: it has no abstract",
        )
        return
    if not any(text.strip() for _, text in readings.sound):
        return
    signals = [*_signals(readings, min_names, min_terms, min_rendered)]
    if signals:
        certain = len(signals) > 1
        yield Finding(
            check="topic",
            severity="error" if certain else "warning",
            message=f"the summary {'is' if certain else 'may be'} about another paper or about"
            f" nothing: {'; '.join(signals)}",
            evidence=readings.paper.title,
        )


def _signals(
    readings: Readings, min_names: float, min_terms: float, min_rendered: float
) -> Iterator[str]:
    names = _names(readings)
    known_names = len(names.difference(readings.unstated))
    if known_names >= _MANY_NAMES and known_names >= _MOST * len(names):
        return
    if len(names) >= _FEW_NAMES and known_names < min_names * len(names):
        yield f"the abstract has {known_names} of its {len(names)} terms in Latin script"
    said = _words(readings)
    methods = [*_methods(readings)]
    if methods and not any(said.state(method.words) for method in methods):
        yield f"it does not name {methods[0].text}"
    numbers, known_numbers = _numbers(readings)
    if readings.basis == "abstract" and numbers >= _FEW_NUMBERS and not known_numbers:
        yield f"the abstract has none of its {numbers} numbers"
    if readings.glossary is None:
        return
    stated = readings.senses.keys()
    text = "\n".join(text for _, text in readings.sound)
    rendered = [
        {sense.english for sense in senses}
        for senses in readings.glossary.renderings(text).values()
    ]
    known_terms = sum(not stated.isdisjoint(senses) for senses in rendered)
    if len(rendered) >= _FEW_TERMS and known_terms < min_terms * len(rendered):
        yield f"the abstract has {known_terms} of its {len(rendered)} technical terms"
    kept = stated & set().union(readings.glossary.stated(said), *rendered)
    if len(stated) >= _FEW_STATED and len(kept) < min_rendered * len(stated):
        yield f"it has {len(kept)} of the {len(stated)} technical terms of the abstract"
    if not known_names and known_terms < _FEW_KNOWN and not known_numbers:
        yield "it has nothing in common with the abstract"


def _words(readings: Readings) -> Words:
    """What the summary says in Latin script."""
    said = (term.words for number, _ in readings.sound for term in readings.terms[number])
    return Words(" ".join(said).split())


def _names(readings: Readings) -> set[str]:
    """The words of the terms in Latin script that say something about a paper."""
    return {
        words
        for number, _ in readings.sound
        for _, written, words in readings.terms[number]
        if _is_telling(written, words)
    }


@lru_cache(maxsize=_MOST_WORDS)
def _is_telling(written: str, words: str) -> bool:
    return not (len(words) < 2 or is_general(words.replace(" ", "")) or _SIZE.fullmatch(written))


def _methods(readings: Readings) -> Iterator[Term]:
    """The names before a title's colon, where the abstract has them too."""
    method, colon, _ = readings.paper.title.partition(":")
    abstract = readings.paper.abstract or ""
    for term in read_terms(method) if colon else ():
        if _NAME.match(term.text) and not is_general(term.key) and term.text in abstract:
            yield term


def _numbers(readings: Readings) -> tuple[int, int]:
    """How many numbers the summary has, small counts left out, and how many the abstract has."""
    stated = {
        number
        for quantity in readings.source.quantities
        for measure in quantity.measures
        for number in (measure.value, measure.base)
    }
    said = [
        any(measure.value in stated or measure.base in stated for measure in quantity.measures)
        for number, _ in readings.sound
        for quantity in readings.said[number]
        if not quantity.role
        and not quantity.vague
        and (abs(quantity.value) > _SMALL or quantity.value % 1)
    ]
    return len(said), sum(said)
