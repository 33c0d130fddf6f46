"""Numbers in digits: 1,450억, 3.8B, 2-billion, 1/8, 8분의 1, 10^6, 1e-3, 16%, 27-fold."""

from __future__ import annotations

import re
import string
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from summarizer.checks.quantities.english import SCALES
from summarizer.checks.quantities.korean import may_mean_only, read_scaled
from summarizer.checks.quantities.quantity import Measure, Quantity, plain_measure
from summarizer.checks.quantities.units import MAGNITUDE, NO_UNIT, PREFIXES, read_prefix, read_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from summarizer.checks.quantities.quantity import Role

DIGITS = re.compile(r"[0-9][0-9]*(?:,[0-9]{3}(?![0-9])| 000(?![0-9]))*(?:\.[0-9]+)?")
_MARKED = bytes(ord("0") if chr(code) in string.digits else ord(" ") for code in range(256))
# Longer runs are hashes and identifiers; Python's int would refuse them from 4,300 digits on.
_LONGEST = 24
_MORE = re.compile(
    r" ?[×x*] ?10\^(?P<ten>[-+]?[0-9]{1,2})(?![0-9])"
    r"|\^(?P<power>[-+]?[0-9]{1,2})(?![0-9])"
    r"|[eE](?P<exponent>[-+]?[0-9]{1,2})(?![0-9A-Za-z])"
    r"|(?P<letter>[KkMBbT]|bn|mn)(?![A-Za-z0-9])|[ ](?P<apart>[KMBT])(?![\w.'-])"
    r"|[ -](?P<word>hundred|thousand|million|billion|trillion|dozen)s?(?![a-z])"
)
_SCALES = frozenset(("letter", "apart", "word"))
# Powers and scales begin so, apart from their number.
_AFTER_SPACE = frozenset("xX*KMBThtmbd")
_AMBIGUOUS = frozenset("sm")
_APOSTROPHES = frozenset("'’")
_MAGNITUDE_BEGINS = (" o", "-o", "자", " 자")
_LETTERS = {"K": 3, "k": 3, "M": 6, "mn": 6, "B": 9, "b": 9, "bn": 9, "T": 12}
_UNDER = re.compile(r"/([0-9]{1,9})(?![0-9/]|\.[0-9])")
_OF_PARTS = re.compile(r" ?분의 ?([0-9]{1,9})")
_ARXIV = re.compile(r"[0-3][0-9](?:0[1-9]|1[0-2])\.[0-9]{4,5}")
# Neither unit, power, scale nor fraction begins with these, which follow most numbers.
_NO_UNIT = frozenset(["", *").,"])
_NOTHING_MORE = _NO_UNIT | {"%"}
_AFTER_NAME = _NO_UNIT | {" "}
_PER = re.compile(r"[가-힣]{1,3}?(?:당|마다)(?![가-힣])")
_VERSION = re.compile(r"(?:\.[0-9]+)+")
_GLUE = frozenset(string.ascii_letters + "-_.@#/")
_NO_NAME = frozenset(
    "sub pre post mid over late sim approx top of stage step level phase rank order type".split()
)
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")
_BEFORE_MARKER = _OPENING.union(["", *" \n:*"])
_LAST_LETTERS = re.compile(r"[A-Za-z]{1,6}\Z")
_REFERENCES = frozenset(
    "section sec. sections figure fig. figures table tables appendix eq. eq equation chapter part"
    " theorem lemma 섹션 그림 표 식 부록 단원 정리".split()
)


# What digits may stand for, where they end, and the fraction that they write.
_Number: TypeAlias = "tuple[list[Decimal], int, tuple[Decimal, Decimal] | None]"


def _find_digits(text: str) -> Iterator[re.Match[str]]:
    """`DIGITS.finditer`, but for the time: among bytes, the next digit is found at once."""
    marked = text.encode("ascii", "replace").translate(_MARKED)
    start = marked.find(b"0")
    while start >= 0 and (match := DIGITS.match(text, start)):
        yield match
        start = marked.find(b"0", match.end())


def read_digits(text: str) -> list[Quantity]:
    """The numbers in digits of a text that `plain` has rewritten, in order."""
    found: list[Quantity] = []
    end = 0
    named = False
    for match in _find_digits(text):
        start, stop = match.span()
        if start < end or stop - start > _LONGEST:
            continue
        before = text[start - 1] if start else ""
        if stop - start < 3 and before in _BEFORE_MARKER and _is_marker(text, start, stop):
            marker = plain_measure(Decimal(match[0]))
            found.append(Quantity((start, stop), stop, match[0], (marker,), "marker"))
            continue
        named = before in _GLUE and (_in_name(text, start) or (named and end == start - 1))
        quantity = _quantity(text, start, stop, match[0], named=named)
        named = quantity.role == "name"
        end = quantity.span[1]
        found.append(quantity)
        if quantity.fraction:
            where = quantity[:3]
            found += [Quantity(*where, (plain_measure(n),), "part") for n in quantity.fraction]
    return found


def _quantity(text: str, start: int, end: int, written: str, *, named: bool) -> Quantity:
    value = Decimal(written if len(written) < 5 else written.replace(",", "").replace(" ", ""))
    before = text[start - 1] if start else ""
    following = text[end : end + 1]
    if following == "." and (version := _VERSION.match(text, end)):
        end = version.end()
        return Quantity((start, end), end, text[start:end], (plain_measure(value),), "name")
    if named and following in _AFTER_NAME:
        return Quantity((start, end), end, written, (plain_measure(value),), "name")
    values, fraction = [value], None
    if following not in _NOTHING_MORE:
        values, end, fraction = _number(text, start, end, value)
    if before == "-" and (start == 1 or text[start - 2] in " \n(,:=~["):
        values = [-value for value in values]
    unit_end, unit, factor = end, *NO_UNIT
    if following not in _NO_UNIT:
        if measured := read_unit(text, end):
            unit_end, unit, factor = measured
        else:
            named = True
    if not unit and before in PREFIXES:
        unit = read_prefix(text, start)
    measures = tuple([Measure(value, unit, value * factor) for value in values])
    letters = text[end:unit_end]
    if not unit and text.startswith(_MAGNITUDE_BEGINS, end):
        powers, unit_end = _magnitude(text, end, values)
        measures = (*powers, *measures)
    elif letters in _AMBIGUOUS or before in _APOSTROPHES:
        measures += tuple(_second_reading(values[0], text[start:end], letters, before))
    role = _role(text, end, written, letters, named=named)
    return Quantity((start, unit_end), end, text[start:unit_end], measures, role, "", fraction)


def _role(text: str, end: int, written: str, letters: str, *, named: bool) -> Role:
    if named or letters in ("D", "d") or (len(written) > 8 and _ARXIV.fullmatch(written)):
        return "name"
    return "per" if written == "1" and _PER.match(text, end) else ""


def _magnitude(text: str, end: int, values: list[Decimal]) -> tuple[list[Measure], int]:
    """Powers of ten, where orders of magnitude are counted, and where that ends."""
    found = MAGNITUDE.match(text, end)
    if found is None:
        return [], end
    powers = [_power_of_ten(int(value)) for value in values if 0 < value < _LONGEST]
    return [Measure(power, "x", power) for power in powers], found.end()


def _second_reading(value: Decimal, written: str, letters: str, before: str) -> Iterator[Measure]:
    """What else may be meant by the 90s, by 7m and by CVPR'24."""
    if letters == "s" and written[-1] == "0":
        yield plain_measure(value)
    elif letters == "m":
        yield plain_measure(value * 10**6)
    elif before in _APOSTROPHES and len(written) == 2:
        yield plain_measure(value + 2000)


@cache
def _power_of_ten(exponent: int) -> Decimal:
    return Decimal(10) ** exponent


def _number(text: str, start: int, end: int, value: Decimal) -> _Number:
    character, beyond = text[end], text[end + 1 : end + 2]
    if character >= "가" or (character == " " and beyond >= "가"):
        return _korean(text, start, end, value)
    if character == " " and beyond.isascii() and beyond not in _AFTER_SPACE:
        return [value], end, None
    if character == "/" and text[start - 1 : start] != "/" and "." not in text[start:end]:
        under = _UNDER.match(text, end)
        if under:
            return _fraction(value, Decimal(under[1]), under.end())
    more = _MORE.match(text, end)
    if more:
        read = _scaled if more.lastgroup in _SCALES else _powers
        return read(value, more), more.end(), None
    if beyond >= "가":
        return _korean(text, start, end, value)
    return [value], end, None


def _korean(text: str, start: int, end: int, value: Decimal) -> _Number:
    parts = _OF_PARTS.match(text, end)
    if parts:
        return _fraction(Decimal(parts[1]), value, parts.end())
    scaled = read_scaled(text, start)
    if scaled is None:
        return [value], end, None
    end, large = scaled
    return [large, value] if may_mean_only(text, end) else [large], end, None


def _fraction(over: Decimal, under: Decimal, end: int) -> _Number:
    return [over / under if under else over], end, (over, under)


def _powers(value: Decimal, power: re.Match[str]) -> list[Decimal]:
    if not power["power"]:
        return [value * _power_of_ten(int(power["ten"] or power["exponent"]))]
    if value == 10:
        return [_power_of_ten(int(power["power"]))]
    return [value ** int(power["power"]), value] if 0 < value < 10**4 else [value]


def _scaled(value: Decimal, scale: re.Match[str]) -> list[Decimal]:
    if scale["word"]:
        return [value * SCALES[scale["word"]]]
    letter = scale["letter"] or scale["apart"]
    scaled = value * _power_of_ten(_LETTERS[letter])
    # 4K is a resolution too, and 298 K a temperature.
    twofold = letter in "Kk" and (value < 20 or scale["apart"])
    return [scaled, value] if twofold else [scaled]


def _in_name(text: str, start: int) -> bool:
    """Whether letters are glued to the digits: GPT-4, COCO2017, @5; but 1024x1024, x4, sub-10ms."""
    before = text[start - 1]
    if before in "xX" and not text[start - 2 : start - 1].isalpha():
        return False
    if before in "@#":
        return True
    letters = _LAST_LETTERS.search(
        text, max(0, start - 7), start if before.isalpha() else start - 1
    )
    return letters is not None and letters[0] not in _NO_NAME


def _is_marker(text: str, start: int, end: int) -> bool:
    """Whether it marks an item of a list, or refers to a section, a table or a source."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if before in _OPENING:
        return after in _CLOSING and not text[start - 2 : start - 1].isalnum()
    if after == ")" and before != "*":
        near = max(0, start - 60)
        near = max(near, text.rfind("\n", near, start))
        list_start = max(0, start - 1000)
        list_start = max(list_start, text.rfind("\n", list_start, start))
        return (
            text.rfind("(", near, start) <= text.rfind(")", near, start)
            or text[start:end] == "1"
            or f"{int(text[start:end]) - 1}) " in text[list_start:start]
        )
    if after == "." and text[end + 1 : end + 2] == " ":
        return text[max(0, start - 8) : start].strip(" *")[-1:] in ("", "\n")
    if before != " ":
        return False
    words = text[max(0, start - 12) : start - 1].lower().rsplit(None, 1)
    return bool(words) and words[-1] in _REFERENCES
