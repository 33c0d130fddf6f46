"""What is known of Latin-script terms before an abstract is read.

A word list of the whole language (SCOWL, wordfreq) would cost megabytes and a licence of its own,
and would hold most misspellings of names as words: `vocabulary.txt` has some 4,000 ordinary words
of the field, and endings are cut off before they are compared.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.latin import spell

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = Path(__file__).with_name("vocabulary.txt")
_ENDING = re.compile(
    r"(?<=[a-z]{3})(?:i[sz]ations?|i[sz]e[drs]*|i[sz]ing|at(?:ions?|ors?|ive|es?|ed|ing)|ions?"
    r"|ors?|ings?|edly|ed|e?r?s|er|est|ically|ally|al|ly|ical|ics?|iv(?:es?|ity)"
    r"|[ai]bilit(?:y|ies)|[ai]b(?:le|ly)|i?ness|less|ful|ment(?:s|al)?|[ae]n(?:ts?|cy|ces?)"
    r"|ancies|encies|ous|it(?:y|ies)|ist(?:s|i)?|ism|ish|ia[nl]|[yieao])$"
)
_SHORTEST = 4
_MOST_WORDS = 10_000  # that their stems are kept of
_PREFIXES = tuple(
    "anti auto bi co cross de dis down hyper im in inter intra meta micro mis multi non out over"
    " post pre re self semi sub super tri un under up".split()
)


class Vocabulary(NamedTuple):
    """The sections of `vocabulary.txt`; terms are there with their words in one.

    Attributes:
        general: Acronyms and names that any summary may use.
        names: Names that are known to exist.
        expansions: What acronyms stand for, as written.
        words: Stems of ordinary words.
    """

    general: frozenset[str]
    names: frozenset[str]
    expansions: Mapping[str, tuple[str, ...]]
    words: frozenset[str]


@lru_cache(maxsize=_MOST_WORDS)
def stem(word: str) -> str:
    """A word in lower case without its endings; at least three letters remain."""
    while len(word) > _SHORTEST:
        shorter = _ENDING.sub("", word)
        if shorter == word:
            break
        if len(shorter) > 3 and shorter[-1] == shorter[-2] and shorter[-1] not in "aeiou":
            shorter = shorter[:-1]
        word = shorter
    return word.removesuffix("s") if len(word) == _SHORTEST else word


@cache
def vocabulary() -> Vocabulary:
    """Read `vocabulary.txt`, once."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in _FILE.read_text("utf-8").splitlines():
        if line.startswith("["):
            lines = sections.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            lines.append(line)
    expansions = {
        _key(acronym): tuple(full.split("; "))
        for acronym, full in (line.split(" = ") for line in sections["expansions"])
    }
    return Vocabulary(
        general=frozenset(map(_key, " ".join(sections["general"]).split())),
        names=frozenset(map(_key, " ".join(sections["names"]).split())),
        expansions=expansions,
        words=frozenset(map(stem, " ".join(sections["words"]).split())),
    )


def _key(term: str) -> str:
    return spell(term).replace(" ", "")


def is_general(term: str) -> bool:
    """Whether a term (its words in one) is an acronym or a name that any summary may use."""
    general = vocabulary().general
    return term in general or (term[-1:] == "s" and term[:-1] in general)


def is_ordinary(word: str) -> bool:
    """Whether a word in lower case is one of the language or of the field, in whatever form."""
    words = vocabulary().words
    return stem(word) in words or any(
        word.startswith(prefix)
        and len(word) - len(prefix) > 3
        and stem(word[len(prefix) :]) in words
        for prefix in _PREFIXES
    )
