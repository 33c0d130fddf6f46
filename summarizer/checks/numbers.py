"""Every quantity of a point is stated by the abstract or the title, at its scale, unit and bound.

Both sides are read into values and units, since comparing digits is useless across languages: 18B
is 180억, 240K is 24만 and "eight modalities" are 8가지.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.arithmetic import follows
from summarizer.checks.direction import contradict, direction_of, said_change, stated_change
from summarizer.checks.lazy import Lazy
from summarizer.checks.quantities import korean
from summarizer.checks.stated import SMALL_COUNT, Stated, digits, is_small_count
from summarizer.digest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from summarizer.checks.quantities import Quantity
    from summarizer.checks.reading import Readings
    from summarizer.digest import Basis, Severity

_SCALES = {10**12: "trillion", 10**9: "billion", 10**6: "million"}
_LETTERS = {10**12: "T", 10**9: "B", 10**6: "M", 10**3: "K"}
_LONGEST = 10**20
_WORDS = {"<=": "at most", ">=": "at least"}
_EDGES = {"low": ">=", "high": "<="}
_AROUND = 30
_SHOWN = 3
_NEAR = 4  # numbers before one that may be calculated from them
_COMPARING = re.compile(
    r"[^.,]{0,12}?(?:높|낮|앞|뒤|늘|줄|오르|올[라랐린]|내[려렸]|차이|격차|향상|개선|상승|하락|증가|감소|단축"
    r"|절감|더|덜|빠|느|짧|길|많|적|크|커|작|수준|불과|깎|떨어|안 [되된]|못|이 [된됐됨]|끌어)"
)
_MOST_UNKNOWN = 50  # of one point; of a point with more, the rest needs no reading
_NOTATION = re.compile(
    r"[0-9][0-9,.]*(?![0-9,.^/]| [a-z]| ?자[릿리])(?P<letter>[KMBT](?![A-Za-z]))?"
)
# The first characters are asked for before the patterns, which few pairs of numbers fit.
_COUNTERS = "개명편건장"
_COUNTER_BEGINS = frozenset(_COUNTERS)
_AMONG = re.compile(rf"(?P<counter>[{_COUNTERS}])[가-힣 ]{{0,12}} (?:중|가운데)(?:에서?)? ")
_FROM_BEGINS = ("에서", "부터", "p", "(")
_FROM = re.compile(r"p?(?:\([^()]{1,30}\))?(?:에서|부터) (?:약 |최대 )?[$~]?")
_BRACKETED = re.compile(r"[^()]{0,40}\(([^()]*)\)")


class _Verdict(NamedTuple):
    """What is wrong with a quantity.

    Attributes:
        stated: What the abstract says instead.
        fix: What belongs in the place of the quantity.
        certain: Whether the rest of the paper cannot bear the quantity out.
        bound_only: Whether the number itself is stated.
        unit: Whether it is stated in another unit.
    """

    severity: Severity
    message: str
    stated: tuple[Quantity, ...] = ()
    fix: str | None = None
    certain: bool = False
    bound_only: bool = False
    unit: bool = False


_UNKNOWN = _Verdict("warning", "the abstract does not state it")


def numbers(readings: Readings) -> Iterator[Finding]:
    """Hold every quantity of the points against the abstract and the title.

    Another scale, another unit and a bound turned round are errors. What the abstract does not
    state is an error only where the points were written from the abstract alone; where they were
    written from the paper, one warning a point names all of it, counts of few things left out.
    """
    if not (readings.paper.abstract or "").strip():
        yield Finding(
            check="numbers",
            severity="warning",
            message="the numbers cannot be checked: the paper has no abstract",
        )
        return
    said = [[q for q in quantities if not q.role] for quantities in readings.said]
    if not any(said):
        return
    judge = _Judge(Stated(readings.source), said, readings.basis)
    for index, (text, quantities) in enumerate(zip(readings.texts, said, strict=True)):
        unknown: list[Quantity] = []
        for quantity, verdict in judge.verdicts(quantities, text):
            if len(unknown) == _MOST_UNKNOWN or index in readings.broken:
                break
            if readings.basis == "paper" and not verdict.certain:
                if not (verdict.bound_only or is_small_count(quantity)):
                    unknown.append(quantity)
                continue
            yield Finding(
                check="numbers",
                severity=verdict.severity,
                point=index,
                span=quantity.span,
                message=verdict.message,
                evidence=judge.evidence(verdict.stated),
                fix=verdict.fix,
            )
        if unknown:
            named = ", ".join(_shown(quantity, text) for quantity in unknown)
            yield Finding(
                check="numbers",
                severity="warning",
                point=index,
                span=unknown[0].span,
                message=f"the abstract does not state {named}",
            )


class _Judge:
    """Holds the quantities of a summary against those of its source."""

    def __init__(self, stated: Stated, said: Sequence[Sequence[Quantity]], basis: Basis) -> None:
        self._stated = stated
        self._said = said
        self._basis = basis

    @Lazy
    def _times_said(self) -> Counter[Decimal]:
        return Counter(quantity.value for point in self._said for quantity in point)

    def verdicts(
        self, quantities: Sequence[Quantity], text: str
    ) -> Iterator[tuple[Quantity, _Verdict]]:
        """The quantities of a point's text that something is wrong with."""
        before: Quantity | None = None
        for quantity in quantities:
            verdict = self.verdict(quantity, text)
            if before and not verdict:
                pair = before, quantity, text
                verdict = self._share(*pair) or self._change(*pair)
            if verdict and verdict.severity == "error" and not (verdict.certain or verdict.unit):
                verdict = _calculated(quantity, quantities, text) or verdict
            if verdict:
                yield quantity, verdict
            before = quantity

    def _share(self, whole: Quantity, part: Quantity, text: str) -> _Verdict | None:
        """What is wrong with 16개 중 14개 although both numbers are stated."""
        end = whole.span[1]
        if text[end : end + 1] not in _COUNTER_BEGINS or whole.bound or whole.vague or part.vague:
            return None
        among = _AMONG.fullmatch(text, end, part.span[0])
        if among is None or not text.startswith(among["counter"], part.span[1]):
            return None
        if part.value > whole.value:
            message = f"{part.text} are more than the {whole.text} that they belong to"
            return _Verdict("error", message, certain=True)
        stated = tuple(self._stated.shares(part.value))
        if not stated or any(q.fraction and q.fraction[1] == whole.value for q in stated):
            return None
        message = f"{part.text} of {whole.text} is not what the abstract says"
        return _Verdict("error", message, stated, bound_only=True)

    def _change(self, first: Quantity, second: Quantity, text: str) -> _Verdict | None:
        """What is wrong with a rise 41%에서 36%로, and with what is stated the other way."""
        end = first.span[1]
        if not (text.startswith(_FROM_BEGINS, end) and _FROM.fullmatch(text, end, second.span[0])):
            return None
        said, way = said_change(text, second), direction_of(first.measures[0], second.measures[0])
        if said and way and said.direction != way:
            message = f"from {first.text} to {second.text} is no {said.direction}"
            return _Verdict("error", message, certain=True)
        stated = self._stated.changes(second, first)
        if stated and not self._stated.changes(first, second):
            message = f"the abstract says from {second.text} to {first.text}"
            return _Verdict("error", message, stated, certain=True)
        return None

    def _direction(
        self, quantity: Quantity, stated: tuple[Quantity, ...], text: str
    ) -> _Verdict | None:
        """What is wrong with a rise by 58% where the abstract says that it is a fall."""
        said = said_change(text, quantity)
        if said is None or not stated:
            return None
        given = [stated_change(self._stated.text, q) for q in stated]
        if not all(change and contradict(said, change) for change in given):
            return None
        told = "a fall" if said.direction == "rise" else "a rise"
        message = f"{quantity.text} is told as a {said.direction}; the abstract says {told}"
        certain = _is_telling(quantity)
        return _Verdict("error", message, stated, certain=certain, bound_only=True)

    def verdict(self, quantity: Quantity, text: str) -> _Verdict | None:
        """What is wrong with a quantity of a point's text; None if nothing is."""
        supports = self._stated.supports(quantity, text)
        if supports:
            stated = tuple([q for q in supports if not q.role])
            if len(stated) > 1:
                stated = tuple([q for q in stated if q.unit == quantity.unit]) or stated
            return _bound(quantity, stated) or self._direction(quantity, stated, text)
        if self._stated.implies(quantity, text):
            return None
        wrong = (
            self._unit(quantity, text)
            or self._inverse(quantity)
            or self._scale(quantity, text)
            or self._sign(quantity)
        )
        if wrong:
            return wrong
        if quantity.unit in ("ordinal", "month of the year") and quantity.value <= SMALL_COUNT + 3:
            return None
        if self._basis == "paper":
            return _UNKNOWN
        return self._derived(quantity) or self._unstated(quantity, text)

    def _unit(self, quantity: Quantity, text: str) -> _Verdict | None:
        for stated in self._stated.same_number(quantity.value):
            if {stated.unit, quantity.unit} == {"%", "%p"}:
                message = f"{quantity.text} is in another unit: the abstract says {stated.text}"
                fix = text[quantity.span[0] : quantity.number_end] + stated.unit
                certain = _is_telling(quantity)
                return _Verdict("error", message, (stated,), fix, certain, unit=True)
        return None

    def _inverse(self, quantity: Quantity) -> _Verdict | None:
        inverse = tuple(self._stated.inverse(quantity))
        if not inverse:
            return None
        right = inverse[0].fraction
        fix = f"{right[0]}/{right[1]}" if right and "/" in quantity.text else None
        message = f"{quantity.text} is the inverse of what the abstract says: {inverse[0].text}"
        return _Verdict("error", message, inverse, fix)

    def _scale(self, quantity: Quantity, text: str) -> _Verdict | None:
        stated = tuple(self._stated.rescaled(quantity))
        if not stated:
            return None
        measure, first = quantity.measures[0], stated[0]
        factor = measure.base / measure.value if measure.value else Decimal(1)
        values = {q.measures[0].base / (factor if q.unit else 1) for q in stated}
        clear = len(values) == 1 and not quantity.vague and not self._times_said[first.value]
        right = _written_like(quantity, values.pop()) if clear else None
        message = f"{quantity.text} is at another scale: the abstract says {first.text}"
        if right and right[-1] in korean.LARGE:
            said = _in_english(measure.value)
            message = f"{quantity.text} is {said}; the abstract says {first.text}, which is {right}"
        fix = right + text[quantity.number_end : quantity.span[1]] if right else None
        certain = _is_telling(quantity) and min(first.value, measure.value) >= 1000
        return _Verdict("error", message, stated, fix, certain)

    def _sign(self, quantity: Quantity) -> _Verdict | None:
        stated = tuple(q for q in self._stated.same_number(-quantity.value) if q.value)
        if not stated:
            return None
        message = f"{quantity.text} has another sign: the abstract says {stated[0].text}"
        return _Verdict("error", message, stated)

    def _derived(self, quantity: Quantity) -> _Verdict | None:
        rounded = tuple(self._stated.rounded(quantity))
        if rounded:
            message = f"{quantity.text} is rounded: the abstract says {rounded[0].text}"
            return _Verdict("warning", message, rounded)
        stated = self._stated.derived(quantity)
        if stated:
            given = " and ".join(q.text for q in stated)
            message = f"{quantity.text} is not stated, but follows from {given}"
            return _Verdict("warning", message, stated)
        return None

    def _unstated(self, quantity: Quantity, text: str) -> _Verdict | None:
        message = f"the abstract does not state {_shown(quantity, text)}"
        if is_small_count(quantity):
            return self._small_count(quantity, text, message)
        alike = tuple(q for q in self._stated.quantities if q.unit == quantity.unit)
        loose = quantity.vague or (quantity.word and quantity.value < 1)  # 수백 개, 절반
        return _Verdict("warning" if loose else "error", message, alike)

    def _small_count(self, quantity: Quantity, text: str, message: str) -> _Verdict | None:
        """A count that the writer may have made is wrong where one of the abstract is missing."""
        if quantity.unit:
            alike = tuple(q for q in self._stated.quantities if q.unit == quantity.unit == "D")
            return _Verdict("error", message, alike) if alike else None
        if not quantity.value:
            return None
        own_list = _BRACKETED.match(text, quantity.span[1])
        if own_list and own_list[1].count(",") + 1 == quantity.value:
            return None
        counts, times_stated = self._stated.small_counts
        missing = tuple(q for q in counts if times_stated[q.value] > self._times_said[q.value])
        marked = quantity.value <= self._stated.marked
        listed = marked or quantity.value in self._stated.listed
        if not missing:
            if listed or quantity.value <= 2:
                return None
            return _Verdict("warning" if quantity.word else "error", message)
        doubtful = listed if quantity.word else marked
        return _Verdict("warning" if doubtful else "error", message, missing)

    def evidence(self, stated: tuple[Quantity, ...]) -> str | None:
        """Where the abstract says it, in its own words."""
        return " … ".join(_excerpt(self._stated.text, q) for q in stated[:_SHOWN]) or None


def _calculated(quantity: Quantity, quantities: Sequence[Quantity], text: str) -> _Verdict | None:
    """What is said of a number that the point itself shows to follow from two others of its own."""
    if not _COMPARING.match(text, quantity.span[1]):
        return None
    place = quantities.index(quantity)
    for first, second in combinations(quantities[max(0, place - _NEAR) : place], 2):
        if follows(quantity, first, second):
            message = (
                f"{quantity.text} is not stated, but follows from {first.text} and {second.text}"
            )
            return _Verdict("warning", message)
    return None


def _bound(quantity: Quantity, stated: tuple[Quantity, ...]) -> _Verdict | None:
    """What is wrong with the bound of a quantity whose number is stated."""
    if quantity.bound == "~" or not (quantity.bound or any(q.bound for q in stated)):
        return None
    # More than halved is less than half.
    stated = tuple(q for q in stated if q.value == quantity.value or q.unit == quantity.unit)
    if not stated or quantity.vague or any(q.vague for q in stated):
        return None
    said, given = quantity.text, stated[0].text
    if not quantity.bound:
        if quantity.edge or not all(q.bound in _WORDS for q in stated):
            return None
        bound = _WORDS[stated[0].bound]
        message = f"{said} has lost its bound: the abstract says {bound} {given}"
        return _Verdict("warning", message, stated, bound_only=True)
    bounds = {q.bound or _EDGES.get(q.edge, "") for q in stated}
    if not bounds <= _WORDS.keys() - {quantity.bound}:
        return None
    right, wrong = _WORDS[bounds.pop()], _WORDS[quantity.bound]
    message = f"{said} is bounded the wrong way, {wrong}: the abstract says {right} {given}"
    return _Verdict("error", message, stated, certain=_is_telling(quantity), bound_only=True)


def _excerpt(text: str, quantity: Quantity) -> str:
    """The words around a quantity; the title and the abstract are lines of their own."""
    start, end = quantity.span
    line = text.find("\n") + 1
    begin = max(start - _AROUND, line if start >= line else 0)
    if begin and not text[begin - 1].isspace():
        begin = text.find(" ", begin, start) + 1 or start
    finish = end + _AROUND
    if finish < len(text):
        finish = max(text.rfind(" ", end, finish), end)
    return " ".join(text[begin:finish].split())


def _is_telling(quantity: Quantity) -> bool:
    """Whether its digits are no coincidence."""
    return len(digits(quantity.value)) > 1


def _shown(quantity: Quantity, text: str) -> str:
    """As written, with its counter where it is a word: 세 가지."""
    counter = korean.COUNTED.match(text, quantity.span[1])
    return quantity.text + counter[0] if quantity.word and counter else quantity.text


def _in_english(value: Decimal) -> str:
    for scale, name in _SCALES.items():
        if value >= scale:
            return f"{(value / scale).normalize():,f} {name}"
    return f"{value.normalize():,f}"


def _written_like(quantity: Quantity, value: Decimal) -> str | None:
    """A value in the notation of a quantity: 38억 for 3.8억, 3.8B for 3.8M, 24 for 2.4."""
    notation = _NOTATION.match(quantity.text)
    if notation is None or value >= _LONGEST:
        return None
    if any(scale in quantity.text for scale in korean.LARGE):
        return korean.write(value)
    if notation["letter"]:
        for scale, letter in _LETTERS.items():
            if value >= scale:
                return f"{(value / scale).normalize():f}{letter}"
    return f"{value.normalize():,f}" if value >= 1000 else f"{value.normalize():f}"
