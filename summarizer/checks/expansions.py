"""What a text says that its acronyms stand for: `Mixture of Experts (MoE)`."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.latin import LINKING
from summarizer.checks.vocabulary import stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BRACKET = re.compile(r"\(([^()\n]{2,150})\)")
_ACRONYM = re.compile(r"[A-Z][A-Za-z0-9]{0,4}[A-Z0-9]s?")
_IN_PHRASE = string.ascii_letters + string.digits + "' -"
_PHRASE = re.compile(r"[A-Za-z][A-Za-z'-]*(?:[ -][A-Za-z][A-Za-z'-]*)+")
_WORD = re.compile(r"[A-Za-z0-9]+")
_WRITTEN_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9'-]*")
_COMMA = re.compile("[;,]")
_MOST_WORDS = 10
_LONGEST = 10


class Expansion(NamedTuple):
    """An acronym and what a text says that it stands for.

    Attributes:
        acronym: As written, in the singular.
        full: The words, as written.
        start: Where they begin in the text.
    """

    acronym: str
    full: str
    start: int


def read_expansions(text: str) -> Iterator[Expansion]:
    """The expansions that stand in a bracket next to their acronym, or before its bracket."""
    for bracket in _BRACKET.finditer(text):
        opening = bracket.start()
        if not _ACRONYM.search(text, max(0, opening - _LONGEST), bracket.end()):
            continue
        parts = _split(bracket)
        acronyms = [part for part, _ in parts if _ACRONYM.fullmatch(part)]
        begin, words_before = opening, ""
        if opening and text[opening - 1] in _IN_PHRASE:  # and not 강화 학습(RL)
            before = text[max(0, opening - 100) : opening]
            words_before = before[len(before.rstrip(_IN_PHRASE)) :].lstrip("' -")
            begin = opening - len(words_before)
            words_before = words_before.rstrip()
            last = words_before.rpartition(" ")[2]
            if _ACRONYM.fullmatch(last):
                acronyms.append(last)
        if not acronyms:
            continue
        phrases = [(part, at) for part, at in parts if _PHRASE.fullmatch(part)]
        phrases = phrases or list(_endings(words_before, begin))
        for acronym in acronyms:
            singular = acronym.removesuffix("s")
            for phrase, at in phrases:
                if _fits(singular.lower(), words_of(phrase)):
                    yield Expansion(singular, phrase, at)
                    break


def _split(bracket: re.Match[str]) -> list[tuple[str, int]]:
    """What stands between commas and semicolons in a bracket, and where."""
    inside, parts, start = bracket[1], [], bracket.start(1)
    for part in _COMMA.split(inside) if "," in inside or ";" in inside else (inside,):
        parts.append((part.strip(), start + len(part) - len(part.lstrip())))
        start += len(part) + 1
    return parts


def _endings(phrase: str, start: int) -> Iterator[tuple[str, int]]:
    """The phrases that a phrase ends in, the shortest first."""
    for word in reversed(list(_WRITTEN_WORD.finditer(phrase))[-_MOST_WORDS:]):
        ending = phrase[word.start() :]
        if _PHRASE.fullmatch(ending):
            yield ending, start + word.start()


def words_of(phrase: str) -> list[str]:
    """The words of a phrase, in lower case; of a longer one than acronyms have, the first."""
    return [word.lower() for word in _WORD.findall(phrase)][: _MOST_WORDS + 1]


def _fits(acronym: str, words: Sequence[str]) -> bool:
    """Whether an acronym is made of the beginnings of the words, linking words left out or not."""
    if not acronym or not words:
        return not acronym and all(word in LINKING for word in words)
    first, rest = words[0], words[1:]
    if len(words) > _MOST_WORDS:
        return False
    taken = 0
    while taken < min(3, len(acronym), len(first)) and acronym[taken] == first[taken]:
        taken += 1
        if _fits(acronym[taken:], rest):
            return True
    return first in LINKING and _fits(acronym, rest)


def stems(words: Iterable[str]) -> str:
    """The words without their endings, linking words left out."""
    return " ".join(stem(word) for word in words if word not in LINKING)
