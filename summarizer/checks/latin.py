"""Names, acronyms and words in Latin script, in texts of any language.

What is compared are words: runs of letters and digits in lower case, without diacritics, Greek
letters by their names. So `Text-to-Image` is `text to image`, and `D²NeRF` is `d2nerf`; when a text
is asked for a term, it makes no difference how its words are joined.
"""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.lazy import Lazy

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTERS = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u03ff"
_DIGITS = "0-9\u00b2\u00b3\u00b9\u2070-\u2089"
_RUN = f"[{_LETTERS}{_DIGITS}][{_LETTERS}{_DIGITS}\u0300-\u036f]*"
_TERM = re.compile(f"{_RUN}(?:[-‐‑–_.+&@'’*^]{_RUN})*")
_PIECE = re.compile(_RUN)
# Links, formulas, commands, tags and the bold label of a point hold no names of the prose.
# Each branch begins with a character, which lets the search pass over all others.
_NOT_PROSE = re.compile(
    r"\*(?<=\A\*)\*\*?(?=\S)[^*\n]+(?:\*{2,3} ?:|(?<=:)\*{2,3})"
    r"|https?:\s?[!-~]*|www\.\s?[!-~]*|github\.(?:com|co|io|org)/\s?[!-~]*"
    r"|huggingface\.(?:com|co|io|org)/\s?[!-~]*|arxiv\.(?:com|co|io|org)/\s?[!-~]*"
    r"|\$(?=\S)[^$\n]{1,300}(?<=\S)\$(?![0-9])|\\[A-Za-z]+|</?[a-z]{1,10}>"
)
_GREEK = str.maketrans(
    dict(
        zip(
            "αβγδεζηθικλμνξπρσςτυφχψω",
            (
                "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho"
                " sigma sigma tau upsilon phi chi psi omega"
            ).split(),
            strict=True,
        )
    )
)
# Letters and digits with diacritics or in another style, and Greek ones; Hangul is left alone.
_SPECIAL = re.compile(
    "[\u00aa-\u024f\u0300-\u03ff\u1e00-\u1fff\u2070-\u209f\ufb00-\ufb06\uff10-\uff5a"
    "\U0001d400-\U0001d7ff]+"
)
_VERSION = re.compile("[a-z]v?[0-9]")
_ALNUM = string.ascii_letters + string.digits
# Bytes are translated three times as fast as characters.
_TO_WORDS = bytes(ord(chr(c).lower()) if chr(c) in _ALNUM else ord(" ") for c in range(256))
# More places than any abstract has are not tried one by one.
_MOST_PLACES = 2000
_LONGEST_TERM = 200  # of characters; what is longer is debris
_MOST_TERMS = 2**14  # whose words are kept
LINKING = frozenset("a an and as at by for from in of on or the to via with".split())
"""Words that acronyms may leave out."""


def spell(text: str) -> str:
    """The words of a text, with single spaces between them."""
    if text.isalnum() and text.isascii():
        return text.lower()
    return " ".join(_split(text))


def _split(text: str) -> list[str]:
    if "\\var" in text:  # ε is \epsilon and \varepsilon
        text = text.replace("\\var", "\\")
    if not text.isascii():
        text = _SPECIAL.sub(_plain, text)
    return text.encode("ascii", "replace").translate(_TO_WORDS).decode("ascii").split()


def _plain(special: re.Match[str]) -> str:
    parts = unicodedata.normalize("NFKD", special[0])
    return "".join(c for c in parts if not unicodedata.combining(c)).lower().translate(_GREEK)


class Term(NamedTuple):
    """A run of Latin letters and digits, hyphens and the like within it included.

    Attributes:
        start: Where it begins in the text.
        text: As written.
        words: Its words: `text to image`.
    """

    start: int
    text: str
    words: str

    @property
    def key(self) -> str:
        """Its words in one, which are equal however they are joined: `texttoimage`."""
        return self.words.replace(" ", "")

    @property
    def end(self) -> int:
        """Where it ends in the text."""
        return self.start + len(self.text)

    def pieces(self) -> list[Term]:
        """Its parts between hyphens, dots and the like."""
        return [
            Term(self.start + found.start(), found[0], spell(found[0]))
            for found in _PIECE.finditer(self.text)
        ]


def read_terms(text: str) -> tuple[Term, ...]:
    """The terms of a text in order, links, formulas and its label left out; each holds a letter."""
    return tuple(
        [
            Term(found.start(), written, words)
            for found in _TERM.finditer(_prose(text))
            if len(written := found[0]) <= _LONGEST_TERM and (words := _spell_term(written))
        ]
    )


@lru_cache(maxsize=_MOST_TERMS)
def _spell_term(written: str) -> str:
    """The words of a term; nothing where they are all numbers."""
    words = spell(written)
    return "" if words[:1].isdigit() and words.replace(" ", "").isdigit() else words


def find_terms(text: str) -> list[str]:
    """The same as written, each once, and numbers too."""
    found = dict.fromkeys(_TERM.findall(_prose(text)))
    return [written for written in found if len(written) <= _LONGEST_TERM]


def _prose(text: str) -> str:
    if "/" in text or "\\" in text or "$" in text or "<" in text or "*" in text:
        return _NOT_PROSE.sub(lambda found: " " * len(found[0]), text)
    return text


@dataclass(frozen=True)
class Words:
    """The words of a text, to be asked whether a term stands there.

    Attributes:
        all: The words in order, in lower case.
    """

    all: Sequence[str]
    _known: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, text: str) -> Words:
        """Read a text."""
        return cls(_split(text))

    @Lazy
    def spaced(self) -> str:
        """The words in order, a space before and after each."""
        return f" {' '.join(self.all)} "

    @Lazy
    def known(self) -> frozenset[str]:
        """The words, each once."""
        return frozenset(self.all)

    def state(self, words: str) -> bool:
        """Whether a term stands there, however it is joined, in the singular or the plural.

        A name stands also where a version is glued to it: `LLaMA` in `LLaMA2`.

        Args:
            words: The words of the term.
        """
        known = self._known.get(words)
        if known is None:
            known = self._known[words] = self._find(words)
        return known

    def _find(self, words: str) -> bool:
        if words in self.known or words + "s" in self.known:
            return True
        if " " in words and f" {words} " in self.spaced:
            return True
        together = words.replace(" ", "")
        if len(together) < 2:
            return False
        singular = together.removesuffix("s")
        if singular in self.known:
            return True
        if singular not in self._together:
            return False
        ways = dict.fromkeys((together, together + "s", singular))
        return any(map(self._join, ways))

    def abbreviate(self, acronym: str) -> bool:
        """Whether words in a row have these initials, linking words counted or not: `moe`, `t2i`.

        Args:
            acronym: In lower case, in the singular.
        """
        letters = acronym.replace("2", "t") if acronym[1:-1] == "2" else acronym
        return any(letters in initials for initials in self._initials)

    @Lazy
    def _initials(self) -> tuple[str, str]:
        # A word that begins with a digit is read whole: 3D Gaussian splatting is 3DGS.
        every = [word if word[0].isdigit() else word[0] for word in self.all]
        weighty = [
            first for first, word in zip(every, self.all, strict=True) if word not in LINKING
        ]
        return "".join(every), "".join(weighty)

    @Lazy
    def _together(self) -> str:
        return "".join(self.all)

    @Lazy
    def _bounds(self) -> frozenset[int]:
        """Where words begin and end in the words written together."""
        return frozenset(accumulate(map(len, self.all), initial=0))

    def _join(self, term: str) -> bool:
        """Whether whole words make up the term."""
        text, bounds = self._together, self._bounds
        start = text.find(term) if term else -1
        for _ in range(_MOST_PLACES):
            if start < 0:
                return False
            end = start + len(term)
            if start in bounds and (end in bounds or _VERSION.match(text, end - 1)):
                return True
            start = text.find(term, start + 1)
        return False
