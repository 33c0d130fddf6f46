"""What the title and the abstract of a paper state, looked up by value."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from summarizer.checks.lazy import Lazy
from summarizer.checks.quantities.digits import DIGITS
from summarizer.checks.quantities.korean import COUNTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from summarizer.checks.quantities import Measure, Quantity
    from summarizer.checks.reading import Reading

SMALL_COUNT = 9
"""Up to here a writer counts what an abstract only lists."""

# An abstract states some ten quantities. Of a text that states thousands, all are looked up, but
# only these are searched, so that the time stays linear.
_SEARCHED = 200
_SAME = 20
_LARGE = 1000
# Dimensions under which the same number may say the same.
_AKIN = frozenset(map(frozenset, (("%", "point"), ("%p", "point"), ("B", "bit"), ("x", "ordinal"))))
_RELATIVE = frozenset(("%", "%p", "point", "x"))
_BREAKS = "and|as|at|but|by|for|from|in|on|or|over|than|to|under|vs|when|while|with"
# A number of things: "5 tasks", "16 new datasets", "5-shot"; not "improves by 5 on two tasks".
_COUNTING = re.compile(rf"-[A-Za-z]|(?: (?!(?:{_BREAKS})\b)[A-Za-z-]+){{0,3}}?(?<=[^ius\W])s\b")
_FEWER = re.compile(
    r"reduc|decreas|drop|lower|fewer|less|declin|loss|degrad|wors|behind|below|down"
)
_LESS = re.compile(
    r"[가-힣 ,]{0,14}?(?:적|줄|감소|작|낮|절감|절약|축소|단축|압축|가벼|빠|저렴|덜|짧|떨어|하락|뒤"
    r"|깎|잃|악화|나빠)"
)
# One of eight is an eighth: 여덟 건 중 한 건, 8편 가운데 하나.
_ONE_OF = re.compile(
    r" ?[가-힣]{0,3} ?(?:중|가운데)(?:에서?)? (?:단 )?(?:하나|한 [가-힣]|1 ?[가-힣])"
)
_TO = re.compile(r"(?: \([^()]{1,30}\))? to (?:about |only |just |around |over )?[$~]?")
_SENTENCE_END = re.compile(r"[.:;?!](?:\s|$)")
_ITEM_END = re.compile(r"[,;] *(?:and |or |as well as )?|,? (?:and|or|as well as) ")
_LONGEST_ITEM = 8
_FACTOR = 20  # "by a factor of three to five"
_MARK = re.compile(r"(?<![\w(])\(?(i{1,3}|iv|vi{0,3}|[a-h])\) ")
_MARKS = {
    mark: place
    for marks in ("i ii iii iv v vi vii viii", "a b c d e f g h")
    for place, mark in enumerate(marks.split(), start=1)
}
_ORDINAL = re.compile(r"\b(?:[Ff]irst|[Ss]econd|[Tt]hird|[Ff]ourth|[Ff]ifth)(?:ly)?\b")
_SINGLE = re.compile(r"\b(?:one|single|sole)\b", re.IGNORECASE)


class Stated:
    """The quantities of a source by value."""

    def __init__(self, reading: Reading) -> None:
        self.text = reading.text
        self._all = reading.quantities
        searched: list[Quantity] = []
        self._by_value: dict[Decimal, list[tuple[Quantity, Measure]]] = {}
        self._measured: list[tuple[Quantity, Measure]] = []
        self._marks = 0
        for quantity in self._all:
            if quantity.role == "marker":
                self._marks = max(self._marks, int(quantity.value))
                continue
            if not quantity.role and len(searched) < _SEARCHED:
                searched.append(quantity)
            for measure in quantity.measures:
                same = self._by_value.setdefault(measure.value, [])
                if len(same) < _SAME:
                    same.append((quantity, measure))
                    self._measured.append((quantity, measure))
        self.quantities = tuple(searched)

    def same_number(self, value: Decimal) -> Iterator[Quantity]:
        """What has the number, whatever its unit; digits of names left out."""
        return (stated for stated, _ in self._by_value.get(value, ()) if not stated.role)

    def supports(self, quantity: Quantity, text: str) -> list[Quantity]:
        """The quantities that say the same as one of `text`."""
        found: list[Quantity] = []
        for measure in quantity.measures:
            for stated, other in self._by_value.get(measure.value, ()):
                if self._agree(quantity, measure, stated, other, text):
                    found.append(stated)
            if not found:
                found += self._by_base.get((measure.unit, measure.base), ())
        return found or list(self._of_magnitude(quantity))

    @Lazy
    def _by_base(self) -> dict[tuple[str, Decimal], list[Quantity]]:
        """What says the same in another unit."""
        found: dict[tuple[str, Decimal], list[Quantity]] = {}
        for quantity, measure in self._measured:
            if other := _other_base(measure):
                found.setdefault(other, []).append(quantity)
        return found

    @Lazy
    def _vague(self) -> tuple[Quantity, ...]:
        return tuple(q for q in self.quantities if q.vague)

    @Lazy
    def _parts(self) -> tuple[Quantity, ...]:
        return tuple(q for q in self.quantities if _is_part(q))

    @Lazy
    def _by_digits(self) -> dict[str, list[Quantity]]:
        """What is written with the same digits, whatever its scale."""
        found: dict[str, list[Quantity]] = {}
        for quantity in self.quantities:
            found.setdefault(digits(quantity.value), []).append(quantity)
        return found

    def _of_magnitude(self, quantity: Quantity) -> Iterator[Quantity]:
        """2 million for 수백만, and "millions" for 200만."""
        magnitude = quantity.value.adjusted()
        if quantity.vague:
            alike = self.quantities
        else:
            alike = self._vague if len(digits(quantity.value)) == 1 else ()
        for stated in alike:
            if stated.value.adjusted() == magnitude:
                yield stated

    def _agree(
        self, quantity: Quantity, measure: Measure, stated: Quantity, other: Measure, text: str
    ) -> bool:
        """Whether two equal numbers say the same."""
        if stated.role == "name":
            return _name_says(measure) or not (measure.unit or _is_counted(quantity, text))
        if quantity.fraction and not stated.fraction and is_whole(other.value):
            return False  # 8/1 is not the 8 of 1/8
        if measure.unit == other.unit:
            return measure.base == other.base
        if measure.unit and other.unit:
            return frozenset((measure.unit, other.unit)) in _AKIN
        if not is_whole(measure.value):
            return True
        # 5% is not said by "5 tasks", nor 5개 by "5%"; "by a factor of two" says 2배.
        if measure.unit in _RELATIVE:
            wordy = stated.role or (stated.word and measure.unit != "x")
            return not (wordy or _COUNTING.match(self.text, stated.span[1]))
        if other.unit == "point" and "점" in text[quantity.span[1] :][:8]:
            return True  # 68 points of a face are 68개 점
        return other.unit not in ("%", "%p", "point") or not _is_counted(quantity, text)

    def implies(self, quantity: Quantity, text: str) -> bool:
        """Whether other words say the same: about 26 million for 26.3, 1/8 for 8 times less."""
        if quantity.bound == "~" and next(self.rounded(quantity), None):
            return True
        less = bool(_LESS.match(text, quantity.span[1]))
        for stated in self.inverse(quantity):
            if (
                less
                or (_is_part(quantity) and (stated.unit == "x" or self._is_factor(stated)))
                or _ONE_OF.match(text, quantity.span[1])
            ):
                return True
        for stated in self.same_number(-quantity.value):
            start, end = stated.span
            if less or _FEWER.search(self.text[max(0, start - 50) : end + 30].lower()):
                return True
        return False

    def _is_factor(self, stated: Quantity) -> bool:
        start = stated.span[0]
        return "factor of" in self.text[max(0, start - _FACTOR) : start]

    def rounded(self, quantity: Quantity) -> Iterator[Quantity]:
        """What rounds to the quantity at the precision in which it is written."""
        measure, written = quantity.measures[0], _written_digits(quantity)
        if not measure.value or (len(written) < 2 and quantity.bound != "~"):
            return
        place = Decimal(1).scaleb(measure.base.adjusted() - len(written) + 1)
        most = min(place / 2, abs(measure.base) / 10)
        for stated in self.quantities:
            other = stated.measures[0]
            if (
                abs(other.base - measure.base) <= most
                and (other.unit == measure.unit or not other.unit or not measure.unit)
                and len(digits(other.value)) > len(written)
            ):
                yield stated

    def inverse(self, quantity: Quantity) -> Iterator[Quantity]:
        """What is 1/8 where the quantity is 8, or 8 where it is 1/8."""
        value = quantity.value
        if not value or quantity.unit not in ("", "x"):
            return
        for stated in self.quantities if _is_part(quantity) else self._parts:
            if stated.unit in ("", "x") and abs(stated.value * value - 1) < Decimal("1e-9"):
                yield stated

    def rescaled(self, quantity: Quantity) -> Iterator[Quantity]:
        """What has the same digits at another scale, where that is no chance."""
        if quantity.vague:
            yield from self._vague
            return
        written = digits(quantity.value)
        for stated in self._by_digits.get(written, ()):
            if not stated.vague and _is_of_kind(stated, quantity):
                low, high = sorted((stated.value, quantity.value))
                if len(written) > 1 or low >= _LARGE or high < 1 or low == high:
                    yield stated

    def derived(self, quantity: Quantity) -> tuple[Quantity, ...]:
        """What the quantity follows from: a difference or a ratio of two, or 50% for 1.5 times."""
        result = quantity.value
        if quantity.unit not in _RELATIVE and is_whole(result):
            return ()
        half = Decimal(1).scaleb(int(result.as_tuple().exponent)) / 2
        multiple = quantity.word and quantity.unit == "x"  # 두 배, told of 26.7 and 13.3
        if multiple:
            half = result / 20
        for index, first in enumerate(self.quantities):
            if result in _restated(first, quantity.unit):
                return (first,)
            for second in self.quantities[index + 1 : index + 4]:
                if first.unit != second.unit or (len(digits(result)) < 2 and not multiple):
                    continue
                if any(abs(v - result) <= half for v in _combined(first, second, quantity)):
                    between = self.text[first.span[1] : second.span[0]]
                    if ". " not in between:
                        return first, second
        return ()

    def changes(self, first: Quantity, second: Quantity) -> tuple[Quantity, ...]:
        """Where a change from one number to another is stated: from 41 to 36."""
        for one in self.same_number(first.value):
            for other in self.same_number(second.value):
                if _TO.fullmatch(self.text, one.span[1], other.span[0]):
                    return one, other
        return ()

    @Lazy
    def _shares(self) -> dict[Decimal, list[Quantity]]:
        found: dict[Decimal, list[Quantity]] = {}
        for quantity in self._all:
            if quantity.role == "part" and quantity.fraction:
                found.setdefault(quantity.fraction[0], []).append(quantity)
        return found

    def shares(self, part: Decimal) -> Sequence[Quantity]:
        """Where so many are stated out of a number: 14 of 16."""
        return self._shares.get(part, ())

    @Lazy
    def small_counts(self) -> tuple[tuple[Quantity, ...], Counter[Decimal]]:
        """The counts of few things, and how often each of them is stated."""
        counts = tuple(
            q for q in self.quantities if is_small_count(q) and (q.value > 1 or not q.word)
        )
        return counts, Counter(q.value for q in counts)

    @Lazy
    def marked(self) -> int:
        """How many things the source lists with marks or ordinals; 1 where it says "a single"."""
        marks = max((_MARKS[mark[1]] for mark in _MARK.finditer(self.text)), default=0)
        ordinals = len({found[0].lower()[:4] for found in _ORDINAL.finditer(self.text)})
        return max(marks, ordinals, self._marks, 1 if _SINGLE.search(self.text) else 0)

    @Lazy
    def listed(self) -> frozenset[int]:
        """How many things the sentences of the source may list."""
        return frozenset(_list_lengths(self.text))


def _other_base(measure: Measure) -> tuple[str, Decimal] | None:
    """Another unit and value that say the same."""
    value, unit, base = measure
    if base != value:
        return unit, base
    if unit == "%":
        return "", value / 100
    return ("%", value * 100) if not unit and value < 1 else None


def digits(value: Decimal) -> str:
    """The significant digits: 38 of 3.8 billion."""
    return "".join(map(str, value.as_tuple().digits)).strip("0") or "0"


def _written_digits(quantity: Quantity) -> str:
    """The digits that say how precise it is: 320 of 32.0, 26 of 2,600만."""
    found = DIGITS.match(quantity.text)
    if found and "." in found[0]:
        return found[0].replace(".", "").replace(",", "").lstrip("0") or "0"
    return digits(quantity.value)


def is_whole(value: Decimal) -> bool:
    """Whether it is an integer, of any size."""
    return value == value.to_integral_value()


def is_small_count(quantity: Quantity) -> bool:
    """Whether it is a number that a writer may have counted, or taken from "hour-long"."""
    value = quantity.value
    if value == 1:
        return quantity.unit in ("", "D", "s", "month")
    whole = 0 <= value <= SMALL_COUNT and is_whole(value)
    return whole and quantity.unit in ("", "D") and not quantity.fraction


def _is_part(quantity: Quantity) -> bool:
    return quantity.fraction is not None or (quantity.word and 0 < quantity.value < 1)


def _is_of_kind(stated: Quantity, quantity: Quantity) -> bool:
    """Whether one may be meant for the other, in spite of its scale."""
    units = {stated.unit, quantity.unit}
    alike = len(units) == 1 or ("" in units and not units & _RELATIVE)
    return alike and stated.value > 0 and not _is_part(stated)


def _name_says(measure: Measure) -> bool:
    """Whether the digits of a name may support it: INT4 says 4비트, GPT-4 says nothing of 4개."""
    return abs(measure.value) >= 10 or not is_whole(measure.value) or measure.unit in ("bit", "D")


def _is_counted(quantity: Quantity, text: str) -> bool:
    """Whether things are counted, as in 4개, and not versions, as in `LLaMA 2`."""
    return bool(COUNTED.match(text, quantity.span[1]))


def _restated(stated: Quantity, unit: str) -> Iterator[Decimal]:
    """One quantity as a change in percent or as a multiple."""
    value = stated.value
    if unit == "x" and stated.unit == "%":
        yield 1 + value / 100
    elif unit == "x" and not stated.unit and 0 < value < 1:
        yield 1 + value  # raised by half
    elif unit == "%" and stated.unit == "x" and value > 0:
        yield (value - 1) * 100
        yield (1 - 1 / value) * 100
    elif unit == "%" and not stated.unit and 0 < value < 1:
        yield Decimal(round(value * 100))


def _combined(first: Quantity, second: Quantity, result: Quantity) -> Iterator[Decimal]:
    """Differences and ratios; a ratio of few digits that only rounds to the result is chance."""
    high, low = max(first.value, second.value), min(first.value, second.value)
    shares = first.unit in ("%", "%p", "point") or not (first.unit or is_whole(result.value))
    if shares and result.unit in (first.unit, "%p", "point", "%"):
        yield high - low
    telling = second.edge or len(digits(result.value)) > 2 or result.word
    if low <= 0 or first.unit == "x" or not telling:
        return
    if result.unit == "x":
        yield high / low
    elif result.unit == "%" and (first.unit or second.edge):
        yield (high - low) / low * 100
        yield (high - low) / high * 100


def _list_lengths(text: str) -> Iterator[int]:
    """Lengths of the lists of a text; commas do not tell whether the first item is one."""
    for sentence in _SENTENCE_END.split(text):
        length = 1
        for item in [*_ITEM_END.split(sentence)[1:], None]:
            if item is not None and item.count(" ") < _LONGEST_ITEM:
                length += 1
                continue
            if length > 2:
                yield from (length - 1, length)
            length = 1
