"""Names, acronyms and words in Latin script, in texts of any language.

Two writings are the same term where their keys are equal: letters and digits alone, in lower case,
without diacritics and with Greek letters by name. So `text-to-image` is `Text-to-Image`, `π0` is
`$\\pi_0$` and `D²NeRF` is `D2NeRF`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

_LETTERS = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u03ff"
_RUN = f"[{_LETTERS}0-9\u00b2\u00b3\u00b9\u2070-\u2089][{_LETTERS}0-9\u00b2\u00b3\u00b9\u0300-\u036f\u2070-\u2089]*"
_TERM = re.compile(f"{_RUN}(?:[-‐‑–_.+&@'’*^]{_RUN})*")
_PIECE = re.compile(_RUN)
_PLAIN_PIECE = re.compile(r"[a-z0-9]+")
_LETTER = re.compile(f"[{_LETTERS}]")
# Links, formulas, commands and tags hold no names of the prose; links have a check of their own.
_NOT_PROSE = re.compile(
    r"(?:https?:|www\.|(?:github|huggingface|arxiv)\.(?:com|co|io|org)/)\s?[!-~]*"
    r"|\$[^$\n]{1,300}\$|\\[A-Za-z]+|</?[a-z]{1,10}>"
)
_GREEK = {
    ord(letter): name
    for letter, name in zip(
        "αβγδεζηθικλμνξπρσςτυφχψω",
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma"
            " sigma tau upsilon phi chi psi omega"
        ).split(),
        strict=True,
    )
}


def fold(text: str) -> str:
    """The text in lower case, without diacritics, Greek letters by their names."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text)
    return "".join(c for c in parts if not unicodedata.combining(c)).lower().translate(_GREEK)


def key(text: str) -> str:
    """What is equal for all writings of a term."""
    folded = fold(text)
    return folded if folded.isalnum() else "".join(_PLAIN_PIECE.findall(folded))


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
    if "\\" in text or "$" in text or "." in text or "http" in text or "<" in text:
        text = _NOT_PROSE.sub(lambda found: " " * len(found[0]), text)
    return tuple(
        Term(found.start(), found[0], key(found[0]))
        for found in _TERM.finditer(text)
        if _LETTER.search(found[0])
    )


@dataclass(frozen=True)
class Words:
    """The words of a text, to be asked whether a term stands in it."""

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Words:
        """Read a text."""
        return cls(tuple(_PLAIN_PIECE.findall(fold(text))))

    @cached_property
    def distinct(self) -> frozenset[str]:
        """Each word once."""
        return frozenset(self.pieces)

    @cached_property
    def _joined(self) -> tuple[str, frozenset[int]]:
        bounds = [0]
        for piece in self.pieces:
            bounds.append(bounds[-1] + len(piece))
        return "".join(self.pieces), frozenset(bounds)

    @cached_property
    def initials(self) -> str:
        """The first letters of all words in a row; of a word that begins with digits, all of it."""
        return "".join(p if p[0].isdigit() else p[0] for p in self.pieces)

    def state(self, term: str) -> bool:
        """Whether a term stands here, in any spacing, in the singular or the plural.

        Args:
            term: The key of a term.
        """
        return (
            term in self.distinct
            or self._spans(term)
            or (term[-1:] == "s" and self._spans(term[:-1]))
            or self._spans(term + "s")
        )

    def _spans(self, term: str) -> bool:
        """Whether whole words make up the term; `LLaMA` also stands in `LLaMA2`."""
        if term in self.distinct:
            return True
        text, bounds = self._joined
        start = text.find(term)
        while term and start >= 0:
            end = start + len(term)
            if start in bounds and (
                end in bounds or (text[end].isdigit() and not text[end - 1].isdigit())
            ):
                return True
            start = text.find(term, start + 1)
        return False
