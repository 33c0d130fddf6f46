"""Each side of a paper, read once for all checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from summarizer.checks.encoding import is_broken
from summarizer.checks.expansions import read_expansions, stems
from summarizer.checks.glossary import load_glossary
from summarizer.checks.latin import Words, read_terms
from summarizer.checks.lazy import Lazy
from summarizer.checks.links import read_links
from summarizer.checks.quantities import read_each, read_quantities

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from summarizer.checks.expansions import Expansion
    from summarizer.checks.glossary import Glossary, Sense
    from summarizer.checks.latin import Term
    from summarizer.checks.links import Link
    from summarizer.checks.quantities import Quantity
    from summarizer.digest import Basis, Paper, Summary


@dataclass(frozen=True)
class Reading:
    """A text, and what stands in it; each part is read when a check first asks for it."""

    text: str

    @Lazy
    def quantities(self) -> tuple[Quantity, ...]:
        """The numbers, in order."""
        return read_quantities(self.text, self.words.known)

    @Lazy
    def links(self) -> tuple[Link, ...]:
        """The addresses, in order."""
        return read_links(self.text)

    @Lazy
    def terms(self) -> tuple[Term, ...]:
        """The names, acronyms and words in Latin script, in order."""
        return read_terms(self.text)

    @Lazy
    def words(self) -> Words:
        """The words in Latin script, to be asked for a term."""
        return Words.of(self.text)

    @Lazy
    def stems(self) -> str:
        """The same without their endings, with single spaces between them."""
        return stems(self.words.all)

    @Lazy
    def expansions(self) -> tuple[Expansion, ...]:
        """What its acronyms stand for, in order."""
        return tuple(read_expansions(self.text))


@dataclass(frozen=True)
class Readings:
    """A paper and its summary, side by side."""

    paper: Paper
    summary: Summary
    language: str
    basis: Basis

    @Lazy
    def source(self) -> Reading:
        """What a summary may be held against: the title and the abstract."""
        return Reading(f"{self.paper.title}\n{self.paper.abstract or ''}")

    @Lazy
    def glossary(self) -> Glossary | None:
        """The technical terms of the language; None where they are not known."""
        return load_glossary(self.language.partition("-")[0])

    @Lazy
    def senses(self) -> Mapping[str, Sense]:
        """The technical terms that the source states, by their English."""
        return self.glossary.stated(self.source.words) if self.glossary else {}

    @Lazy
    def points(self) -> tuple[Reading, ...]:
        """The points of the summary, in order."""
        return tuple(Reading(point.text) for point in self.summary.points)

    @Lazy
    def broken(self) -> frozenset[int]:
        """Numbers of the points in broken characters, which only the check of text speaks of."""
        if self.language.partition("-")[0] != "ko":
            return frozenset()
        return frozenset(n for n, point in enumerate(self.points) if is_broken(point.text))

    @Lazy
    def sound(self) -> tuple[tuple[int, Reading], ...]:
        """The other points, with their numbers."""
        return tuple((n, point) for n, point in enumerate(self.points) if n not in self.broken)

    @Lazy
    def said(self) -> Sequence[Sequence[Quantity]]:
        """The quantities of each point, in order."""
        # English number words in a Korean point belong to names and quotes.
        words = None if self.language.startswith("en") else ()
        return read_each([point.text for point in self.summary.points], words)
