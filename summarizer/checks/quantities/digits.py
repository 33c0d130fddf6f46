"""Numbers in digits: 1,450억, 3.8B, 2-billion, 1/8, 8분의 1, 10^6, 1e-3, 16%, 27-fold."""

from __future__ import annotations

import re
import string
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.quantities.english import MAGNITUDE, SCALES
from summarizer.checks.quantities.korean import may_mean_only, read_scaled
from summarizer.checks.quantities.quantity import Measure, Quantity, plain_measure
from summarizer.checks.quantities.units import read_prefix, read_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from summarizer.checks.quantities.quantity import Role

DIGITS = re.compile(r"[0-9][0-9]*(?:,[0-9]{3}(?![0-9])| 000(?![0-9]))*(?:\.[0-9]+)?")
# Longer runs are hashes and identifiers; Python's int would refuse them from 4,300 digits on.
_LONGEST = 24
_POWER = re.compile(
    r" ?[×x*] ?10\^(?P<ten>[-+]?[0-9]{1,2})(?![0-9])"
    r"|\^(?P<power>[-+]?[0-9]{1,2})(?![0-9])"
    r"|[eE](?P<exponent>[-+]?[0-9]{1,2})(?![0-9A-Za-z])"
)
_SCALE = re.compile(
    r"(?P<letter>[KkMBbT]|bn|mn)(?![A-Za-z0-9])|[ ](?P<apart>[KMBT])(?![A-Za-z0-9.'-])"
    r"|[ -](?P<word>hundred|thousand|million|billion|trillion|dozen)s?(?![a-z])"
)
_LETTERS = {"K": 3, "k": 3, "M": 6, "mn": 6, "B": 9, "b": 9, "bn": 9, "T": 12}
_UNDER = re.compile(r"/([0-9]{1,9})(?![0-9/]|\.[0-9])")
_OF_PARTS = re.compile(r" ?분의 ?([0-9]{1,9})")
_ARXIV = re.compile(r"[0-3][0-9](?:0[1-9]|1[0-2])\.[0-9]{4,5}")
_VERSION = re.compile(r"(?:\.[0-9]+)+")
_GLUE = frozenset(string.ascii_letters + "-_.@#/")
_NO_NAME = frozenset(
    "sub pre post mid over late sim approx top of stage step level phase rank order type".split()
)
_LAST_LETTERS = re.compile(r"[A-Za-z]{1,6}\Z")
_REFERENCES = frozenset(
    "section sec. sections figure fig. figures table tables appendix eq. eq equation chapter part"
    " theorem lemma 섹션 그림 표 식 부록 단원 정리".split()
)


class _Number(NamedTuple):
    """What digits may stand for, where they end, and the fraction that they write."""

    values: list[Decimal]
    end: int
    fraction: tuple[Decimal, Decimal] | None = None


def read_digits(text: str) -> Iterator[Quantity]:
    """The numbers in digits of a text that `plain` has rewritten, in order."""
    end = 0
    named = False
    for match in DIGITS.finditer(text):
        start = match.start()
        if start < end or match.end() - start > _LONGEST:
            continue
        if match.end() - start < 3 and _is_marker(text, start, match.end()):
            marker = plain_measure(Decimal(match[0]))
            yield Quantity(match.span(), match.end(), match[0], (marker,), "marker")
            continue
        before = text[start - 1 : start]
        named = before in _GLUE and (_in_name(text, start) or (named and end == start - 1))
        quantity = _quantity(text, match, named=named)
        named = quantity.role == "name"
        end = quantity.span[1]
        yield quantity
        for part in quantity.fraction or ():
            yield Quantity(
                quantity.span, quantity.number_end, quantity.text, (plain_measure(part),), "part"
            )


def _quantity(text: str, match: re.Match[str], *, named: bool) -> Quantity:
    start, end = match.span()
    if text[end : end + 1] == "." and (version := _VERSION.match(text, end)):
        end = version.end()
        measure = plain_measure(Decimal(match[0].replace(",", "").replace(" ", "")))
        return Quantity((start, end), end, text[start:end], (measure,), "name")
    values, end, fraction = _number(text, match)
    if text[start - 1 : start] == "-" and (start == 1 or text[start - 2] in " \n(,:=~["):
        values = [-value for value in values]
    following = read_unit(text, end)
    unit_end, unit, factor = following or (end, "", 1)
    if start and not unit:
        unit = read_prefix(text, start)
    letters = text[end:unit_end]
    named = named or not following or letters in ("D", "d") or bool(_ARXIV.fullmatch(match[0]))
    measures = tuple([Measure(value, unit, value * factor) for value in values])
    if text[end : end + 2] in (" o", "-o") and (magnitude := MAGNITUDE.match(text, end)):
        unit_end = magnitude.end()
        powers = [_power_of_ten(int(value)) for value in values if 0 < value < _LONGEST]
        measures = (*[Measure(power, "x", power) for power in powers], *measures)
    elif letters == "s" and text[end - 1] == "0":
        measures += (plain_measure(values[0]),)  # the 90s
    elif letters == "m":
        measures += (plain_measure(values[0] * 10**6),)
    elif end - start == 2 and text[start - 1 : start] in ("'", "’"):
        measures += (plain_measure(values[0] + 2000),)  # CVPR'24
    role: Role = "name" if named else ""
    return Quantity((start, unit_end), end, text[start:unit_end], measures, role, fraction=fraction)


@cache
def _power_of_ten(exponent: int) -> Decimal:
    return Decimal(10) ** exponent


def _number(text: str, match: re.Match[str]) -> _Number:
    start, end = match.span()
    value = Decimal(match[0].replace(",", "").replace(" ", ""))
    character = text[end : end + 1]
    if not character or character in ").,%":  # most numbers, and nothing below is theirs
        return _Number([value], end)
    if character == "/" and text[start - 1 : start] != "/" and "." not in match[0]:
        under = _UNDER.match(text, end)
        if under:
            return _fraction(value, Decimal(under[1]), under.end())
    power = _POWER.match(text, end)
    if power:
        return _Number(_powers(value, power), power.end())
    scale = _SCALE.match(text, end)
    if scale:
        return _Number(_scaled(value, scale), scale.end())
    if character >= "가" or text[end + 1 : end + 2] >= "가":
        return _korean(text, start, end, value)
    return _Number([value], end)


def _korean(text: str, start: int, end: int, value: Decimal) -> _Number:
    parts = _OF_PARTS.match(text, end)
    if parts:
        return _fraction(Decimal(parts[1]), value, parts.end())
    scaled = read_scaled(text, start)
    if scaled is None:
        return _Number([value], end)
    end, large = scaled
    return _Number([large, value] if may_mean_only(text, end) else [large], end)


def _fraction(over: Decimal, under: Decimal, end: int) -> _Number:
    return _Number([over / under if under else over], end, (over, under))


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
    return [scaled, value] if letter in "Kk" and value < 20 else [scaled]  # 4K is a resolution too


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
    if before in ("(", "[") and after in (")", "]"):
        return not text[start - 2 : start - 1].isalnum()
    if after == ")" and before in ("", " ", "\n", ":"):
        opened = text.rfind("(", max(0, start - 60), start)
        return (
            opened <= text.rfind(")", max(0, start - 60), start)
            or text[start:end] == "1"
            or f"{int(text[start:end]) - 1}) " in text[max(0, start - 1000) : start]
        )
    if after == "." and start < 8 and text[end + 1 : end + 2] == " ":
        return not text[:start].strip(" *")
    if before != " ":
        return False
    words = text[max(0, start - 12) : start - 1].lower().rsplit(None, 1)
    return bool(words) and words[-1] in _REFERENCES
