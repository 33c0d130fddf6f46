"""Names, acronyms and words in Latin script, in texts of any language.

Two writings are the same term where their keys are equal: letters and digits alone, in lower case,
without diacritics, Greek letters by name. So `text-to-image` is `Text-to-Image`, `π0` is `$\\pi_0$`
and `D²NeRF` is `D2NeRF`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

_LETTERS = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u03ff"
_DIGITS = "0-9\u00b2\u00b3\u00b9\u2070-\u2089"
_RUN = f"[{_LETTERS}{_DIGITS}][{_LETTERS}{_DIGITS}\u0300-\u036f]*"
_TERM = re.compile(f"{_RUN}(?:[-‐‑–_.+&@'’*^]{_RUN})*")
_PIECE = re.compile(_RUN)
_WORD = re.compile(r"[a-z0-9]+")
_LETTER = re.compile(f"[{_LETTERS}]")
# Links, formulas, commands and tags hold no names of the prose; links have a check of their own.
_NOT_PROSE = re.compile(
    r"(?:https?:|www\.|(?:github|huggingface|arxiv)\.(?:com|co|io|org)/)\s?[!-~]*"
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
_LINKING = frozenset("a an and as at by for from in of on or the to via with".split())


def fold(text: str) -> str:
    """The text in lower case, without diacritics, Greek letters by their names."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text)
    return "".join(c for c in parts if not unicodedata.combining(c)).lower().translate(_GREEK)


def key(text: str) -> str:
    """What is equal for all writings of a term."""
    folded = fold(text)
    return folded if folded.isascii() and folded.isalnum() else "".join(_WORD.findall(folded))


class Term(NamedTuple):
    """A run of Latin letters and digits, hyphens and the like within it included.

    Attributes:
        start: Where it begins in the text.
        text: As written.
        key: What is equal for all its writings.
    """

    start: int
    text: str
    key: str

    @property
    def end(self) -> int:
        """Where it ends in the text."""
        return self.start + len(self.text)

    def pieces(self) -> list[Term]:
        """Its parts between hyphens, dots and the like."""
        return [
            Term(self.start + found.start(), found[0], key(found[0]))
            for found in _PIECE.finditer(self.text)
        ]


def read_terms(text: str) -> tuple[Term, ...]:
    """The terms of a text in order, links and formulas left out; each holds a letter."""
    if any(sign in text for sign in "\\$<./"):
        text = _NOT_PROSE.sub(lambda found: " " * len(found[0]), text)
    return tuple(
        Term(found.start(), found[0], key(found[0]))
        for found in _TERM.finditer(text)
        if _LETTER.search(found[0])
    )


@dataclass(frozen=True)
class Words:
    """The words of a text in order, to be asked whether a term stands there."""

    all: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Words:
        """Read a text."""
        return cls(tuple(_WORD.findall(fold(text))))

    @cached_property
    def distinct(self) -> frozenset[str]:
        """Each word once."""
        return frozenset(self.all)

    def state(self, term: str) -> bool:
        """Whether whole words make up a term (a key), in any spacing, singular or plural.

        A name stands also where a number is glued to it: `LLaMA` in `LLaMA2`.
        """
        return (
            term in self.distinct
            or self._joins(term)
            or (term[-1:] == "s" and (term[:-1] in self.distinct or self._joins(term[:-1])))
            or term + "s" in self.distinct
            or self._joins(term + "s")
        )

    def abbreviate(self, acronym: str) -> bool:
        """Whether words in a row have these initials, linking words counted or not: `t2i`, `moe`."""
        letters = acronym.replace("2", "t") if acronym[1:-1] == "2" else acronym
        return any(letters in initials for initials in self._initials)

    @cached_property
    def _initials(self) -> tuple[str, str]:
        # A word that begins with a digit is read whole: 3D Gaussian splatting is 3DGS.
        every = [word if word[0].isdigit() else word[0] for word in self.all]
        weighty = [first for first, word in zip(every, self.all, strict=True) if word not in _LINKING]
        return "".join(every), "".join(weighty)

    @cached_property
    def _joined(self) -> tuple[str, frozenset[int]]:
        bounds = [0]
        for word in self.all:
            bounds.append(bounds[-1] + len(word))
        return "".join(self.all), frozenset(bounds)

    def _joins(self, term: str) -> bool:
        text, bounds = self._joined
        start = text.find(term) if term else -1
        while start >= 0:
            end = start + len(term)
            glued = end < len(text) and text[end].isdigit() and not text[end - 1].isdigit()
            if start in bounds and (end in bounds or glued):
                return True
            start = text.find(term, start + 1)
        return False
