"""Quantities as English and Korean texts state them: value, unit and bound, in one pass.

Weighed and rejected: quantulum3, number-parser, text2num and pint. They need milliseconds for a
sentence, take digits of names (`GPT-4`) for numbers, or do not know 만 and 억.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from decimal import Decimal
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING

from summarizer.checks.quantities.bounds import read_bound
from summarizer.checks.quantities.digits import DIGITS, read_digits
from summarizer.checks.quantities.english import read_words as read_english
from summarizer.checks.quantities.korean import read_words as read_korean
from summarizer.checks.quantities.plain import plain
from summarizer.checks.quantities.quantity import Measure, Quantity, plain_measure
from summarizer.checks.quantities.units import LATIN_UNITS, MAGNITUDE, NO_UNIT, read_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from summarizer.checks.quantities.plain import Plain

__all__ = ["LARGEST", "Measure", "Quantity", "read_each", "read_quantities"]

_RANGE = re.compile(r"(?: ?(?:-{1,3}|~) ?| to |[가-힣]{0,3}(?:에서|부터) ?)[약~$]? ?")
_AND = re.compile(r" (?:and|or|및|또는|혹은|vs\.?) [~$]?|, (?:and |or |그리고 )?[~$]?|[/·]|[와과] ")
_OF = re.compile(r" (?:out )?of (?:the |its )?| in ")
_FARTHEST = 12
_BREAK = "\n\0\n"  # No number, unit or bound reaches over it.
LARGEST = Decimal(10) ** 24
"""No quantity is as large: what is, is left out, since `Decimal` calculates with 28 digits."""
_SMALLEST = -LARGEST


def read_quantities(text: str, words: Iterable[str] | None = None) -> tuple[Quantity, ...]:
    """Every quantity of a text in English, Korean or both, in order.

    What is no quantity but holds digits (names, list markers) is read too, and says so in `role`:
    it may support what another text says. The fractions that "14 of 16" states come last.

    Args:
        words: The English words, in lower case, among which number words are looked for; None
            stands for all.
    """
    written = plain(text)
    source = written.text
    found = _without_overlaps(read_digits(source), _words(source, words))
    if not found:
        return ()
    linked = _link(source, found)
    if "bsolute" in source:
        linked = [_absolute(source, quantity) for quantity in linked]
    bounded = [
        q if q.role or not (bound := read_bound(source, q)) else q._replace(bound=bound)
        for q in linked
        if _SMALLEST < q.measures[0].value < LARGEST
    ]
    return tuple([_placed(q, written) for q in bounded] if written.begins else bounded)


def _without_overlaps(numbers: list[Quantity], words: list[Quantity]) -> list[Quantity]:
    """Both in order; of two that overlap, the first: 3 million and its million."""
    if not words:
        return numbers
    found: list[Quantity] = []
    end = 0
    for quantity in sorted(numbers + words, key=itemgetter(0)):
        if quantity.span[0] >= end or quantity.role == "part":
            end = quantity.span[1]
            found.append(quantity)
    return found


def read_each(texts: Sequence[str], words: Iterable[str] | None = None) -> list[list[Quantity]]:
    """The quantities of each of several short texts, as `read_quantities` reads them.

    They are read as one text, which is quicker: most points of a summary hold none.
    """
    quantities = read_quantities(_BREAK.join(texts), words)
    read: list[list[Quantity]] = [[] for _ in texts]
    starts = [0, *accumulate([len(text) + len(_BREAK) for text in texts])] if quantities else []
    for quantity in quantities:
        start, end = quantity.span
        index = bisect_right(starts, start) - 1
        before = starts[index]
        number_end = quantity.number_end - before
        read[index].append(Quantity((start - before, end - before), number_end, *quantity[2:]))
    return read


def _words(text: str, words: Iterable[str] | None) -> list[Quantity]:
    """The numbers in letters."""
    found: list[Quantity] = []
    for start, number_end, readings, vague in read_english(text, words):
        end, unit, factor = read_unit(text, number_end) or (number_end, *NO_UNIT)
        measures = []
        for value, written in readings:
            dimension, scale = LATIN_UNITS[written] if written else (unit, factor)
            measures.append(Measure(value, dimension, value * scale))
        found.append(_word(text, (start, end), number_end, measures, vague=vague))
    for start, number_end, value, vague in () if text.isascii() else read_korean(text):
        end, unit, factor = read_unit(text, number_end) or (number_end, *NO_UNIT)
        measures = [Measure(value, unit, value * factor)]
        if value < _FARTHEST and (magnitude := MAGNITUDE.match(text, number_end)):
            end, power = magnitude.end(), Decimal(10) ** value
            measures.insert(0, Measure(power, "x", power))
        found.append(_word(text, (start, end), number_end, measures, vague=vague))
    return found


def _word(
    text: str, span: tuple[int, int], number_end: int, measures: list[Measure], *, vague: bool
) -> Quantity:
    return Quantity(span, number_end, text[slice(*span)], tuple(measures), word=True, vague=vague)


def _link(text: str, found: list[Quantity]) -> list[Quantity]:
    """Share units within ranges and lists, from the right; add the fractions that "of" states."""
    stated: list[Quantity] = []
    following: int | None = None
    for index in range(len(found) - 1, -1, -1):
        first = found[index]
        if first.role == "part":
            continue
        if first.role:
            following = None
            continue
        if following is not None and found[following].span[0] - first.span[1] <= _FARTHEST:
            second = found[following]
            gap = text[first.span[1] : second.span[0]]
            if _RANGE.fullmatch(gap) or (gap == " and " and _follows_between(text, first)):
                found[index] = first = _sharing(first, second, likeliest=True)
                if first.measures[0].base < second.measures[0].base:
                    found[index] = first._replace(edge="low")
                    found[following] = second._replace(edge="high")
            elif _AND.fullmatch(gap):
                found[index] = _sharing(first, second, likeliest=False)
            elif second.value and not first.unit and not second.unit and _OF.fullmatch(gap):
                part = plain_measure(first.value / second.value)
                share = (first.value, second.value)
                stated.append(
                    second._replace(measures=(part,), role="part", fraction=share, word=False)
                )
        following = index
    return found + stated


def _follows_between(text: str, quantity: Quantity) -> bool:
    return text.endswith(("between ", "Between "), 0, quantity.span[0])


def _sharing(first: Quantity, second: Quantity, *, likeliest: bool) -> Quantity:
    """Let `first` have the scale and the unit of `second` too, where it has none of its own."""
    measure, other = first.measures[0], second.measures[0]
    if measure.unit or not other.value:
        return first
    value = measure.value
    digits = DIGITS.match(second.text)
    if MAGNITUDE.search(second.text):
        value = Decimal(10) ** min(int(value), _FARTHEST)
    elif digits and not first.text.strip("0123456789.,"):
        written = Decimal(digits[0].replace(",", "").replace(" ", ""))
        value *= abs(other.value) / (written or 1)
    shared = Measure(value, other.unit, value * (other.base / other.value))
    if shared == measure:
        return first
    both = (shared, *first.measures) if likeliest else (*first.measures, shared)
    return first._replace(measures=both)


def _absolute(text: str, quantity: Quantity) -> Quantity:
    """Let "3.5% absolute" be percentage points too."""
    start, end = quantity.span
    if quantity.unit != "%" or "bsolute" not in text[max(0, start - 40) : end + 20]:
        return quantity
    points = tuple(measure._replace(unit="%p") for measure in quantity.measures)
    return quantity._replace(measures=quantity.measures + points)


def _placed(quantity: Quantity, written: Plain) -> Quantity:
    """With the places of the original."""
    start, end = quantity.span
    if end <= written.begins[0]:
        return quantity
    number_end = written.original(start, quantity.number_end)[1]
    return Quantity(written.original(start, end), number_end, *quantity[2:])
