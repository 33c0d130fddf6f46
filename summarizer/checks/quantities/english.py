"""English number words: eight, twenty-four, half a million, two-thirds, twice, a dozen."""

from __future__ import annotations

import re
import string
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.quantities.units import MAGNITUDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ONES = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
SCALES = {
    "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "dozen": 12,
}  # fmt: skip
_CARDINALS = _ONES | _TENS | SCALES
_VAGUE = {
    "tens": 10, "dozens": 10, "hundreds": 100, "thousands": 10**3, "millions": 10**6,
    "billions": 10**9, "trillions": 10**12,
}  # fmt: skip
_PARTS = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "twelfth": 12, "sixteenth": 16, "twentieth": 20,
    "hundredth": 100,
}  # fmt: skip
_HALVING = ("halve", "halves", "halved", "halving")
_MULTIPLES = {
    **dict.fromkeys(("double", "doubles", "doubled", "doubling", "twice", *_HALVING), 2),
    **dict.fromkeys(("thrice", "triple", "triples", "tripled", "tripling"), 3),
    **dict.fromkeys(("quadruple", "quadruples", "quadrupled", "quadrupling"), 4),
    **{f"{number}fold": value for number, value in _ONES.items()},
    "hundredfold": 100,
}
_COUNTS = {
    "zero": 0, "both": 2, "dual": 2, "twin": 2, "bilingual": 2, "triplet": 3, "triplets": 3,
    "trio": 3, "trilingual": 3, "quadruped": 4, "quadrupedal": 4,
}  # fmt: skip
_YEARS = {"decade": 10, "decades": 10, "century": 100, "centuries": 100}
_ORDERS = ("order", "orders")
_MONTHS = {
    "January": 1, "Jan": 1, "February": 2, "Feb": 2, "March": 3, "April": 4, "May": 5, "June": 6,
    "July": 7, "August": 8, "Aug": 8, "September": 9, "Sept": 9, "October": 10, "Oct": 10,
    "November": 11, "Nov": 11, "December": 12, "Dec": 12,
}  # fmt: skip
_FORMS = {
    word: (word, word.capitalize())
    for words in (_CARDINALS, _VAGUE, _PARTS, _MULTIPLES, _COUNTS, _YEARS, _ORDERS, ("second",))
    for word in words
} | {month.lower(): (month,) for month in _MONTHS}
_ANY = frozenset(_FORMS)

_ALONE = {word: ((Decimal(value), ""),) for word, value in _CARDINALS.items()}
# What goes on after a cardinal: "three hundred", "two-thirds", "two orders of magnitude".
_FOLLOWING = frozenset(_CARDINALS).union(
    (form for part in _PARTS for form in (part, f"{part}s")), _ORDERS
)

_MOST_WORDS = 8
_LETTERS = frozenset(string.ascii_letters)
_APART = bytes(code if chr(code).isascii() and chr(code).isalpha() else 32 for code in range(256))
_NEXT = re.compile(r"[ -](?:(?:and|a) )?([a-z]+)\b")
_OF = re.compile(r" of ([a-z]+)\b")
_OF_A = re.compile(rf" of an? ({'|'.join(SCALES)})\b")


class Word(NamedTuple):
    """Number words: their place, and the values and units that they may stand for.

    `vague` says only a power of ten: "tens of thousands".
    """

    start: int
    end: int
    readings: tuple[tuple[Decimal, str], ...]
    vague: bool = False


def read_words(text: str, words: Iterable[str] | None = None) -> list[Word]:
    """The number words of an English text, in order.

    Args:
        words: Those among which they are looked for, in lower case; None stands for all.
    """
    # Looking words up takes a tenth of the time of one long expression.
    if words is None:
        words = text.encode("ascii", "replace").lower().translate(_APART).decode().split()
    numbers = _ANY.intersection(words)
    found = []
    last = 0
    for start, end in sorted(_places(text, numbers)) if numbers else ():
        if start >= last:
            word = _read(text, start, end)
            if word is not None:
                last = word.end
                found.append(word)
    return found


def _places(text: str, words: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where one of the words stands, and not a part of a longer one."""
    for form in (form for word in words for form in _FORMS[word]):
        start = text.find(form)
        while start >= 0:
            end = start + len(form)
            if not (text[start - 1 : start].isalpha() or text[end : end + 1] in _LETTERS):
                yield start, end
            start = text.find(form, end)


def _read(text: str, start: int, end: int) -> Word | None:
    written = text[start:end]
    word = written.lower()
    if word in _CARDINALS:
        return _cardinal(text, start, end, word)
    if word in _VAGUE:
        of = _OF.match(text, end)
        if of and of[1] in _VAGUE:
            return Word(start, of.end(), ((Decimal(_VAGUE[word] * _VAGUE[of[1]]), ""),), vague=True)
        return Word(start, end, ((Decimal(_VAGUE[word]), ""),), vague=True)
    if word in _ORDERS:
        many = word == "orders"
        magnitude = MAGNITUDE.match(" " + text[start : end + 20])
        return Word(start, end, ((Decimal(10), "x"),), many) if magnitude else None
    if word in _PARTS:
        of_a = _OF_A.match(text, end) or (_NEXT.match(text, end) if word == "half" else None)
        if of_a and of_a[1] in SCALES:
            return Word(start, of_a.end(), ((Decimal(SCALES[of_a[1]]) / _PARTS[word], ""),))
        if not text.startswith(" of", end) and text[max(0, start - 2) : start] != "a ":
            return Word(start, end, tuple(reversed([*_readings(written, word)])))  # "Third, we"
    many = word in ("decades", "centuries")
    return Word(start, end, tuple(_readings(written, word)), many)


def _readings(written: str, word: str) -> Iterator[tuple[Decimal, str]]:
    """What a single word may say."""
    if word in _MULTIPLES:
        yield Decimal(_MULTIPLES[word]), "x"
    if word in _HALVING:
        yield Decimal("0.5"), ""
    if word in _PARTS:
        yield 1 / Decimal(_PARTS[word]), ""
        if word != "half":
            yield Decimal(_PARTS[word]), "th"
    if word in _COUNTS:
        yield Decimal(_COUNTS[word]), ""
    if word in _YEARS:
        yield Decimal(_YEARS[word]), "years"
    if word == "second":
        yield Decimal(2), "th"
    if written in _MONTHS:
        yield Decimal(_MONTHS[written]), "month of the year"


def _cardinal(text: str, start: int, end: int, word: str) -> Word:
    """A number of several words, and the fraction or the order of magnitude that it counts."""
    following = _NEXT.match(text, end)
    if following is None or following[1] not in _FOLLOWING:
        return Word(start, end, _ALONE[word])
    total, current = Decimal(0), Decimal(0)
    for _ in range(_MOST_WORDS):
        if word not in SCALES:
            current += _CARDINALS[word]
        elif word == "hundred":
            current = (current or Decimal(1)) * 100
        else:
            total, current = total + (current or Decimal(1)) * SCALES[word], Decimal(0)
        following = _NEXT.match(text, end)
        if following is None or not _continues(word, following[1]):
            break
        word, end = following[1], following.end()
    value = total + current
    if following:
        part = _PARTS.get(following[1]) or _PARTS.get(following[1].removesuffix("s"))
        if part:
            return Word(start, following.end(), ((value / part, ""),))
    magnitude = MAGNITUDE.match(text, end)
    if magnitude and value < 20:
        return Word(start, magnitude.end(), ((Decimal(10) ** value, "x"),))
    return Word(start, end, ((value, ""),))


def _continues(last: str, word: str) -> bool:
    """Whether both belong to one number: twenty-four, three hundred and two, two million."""
    if word in SCALES:
        return last not in SCALES or SCALES[word] > SCALES[last]
    if word in _ONES:
        return last in SCALES or (last in _TENS and _ONES[word] < 10)
    return word in _TENS and last in SCALES
