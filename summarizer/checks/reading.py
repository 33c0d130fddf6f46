"""Each side of a paper, read once for all checks."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from summarizer.checks.addresses import may_hold_links, read_links
from summarizer.checks.encoding import is_broken, is_odd
from summarizer.checks.expansions import read_expansions, stems
from summarizer.checks.glossary import load_glossary
from summarizer.checks.latin import Words, read_terms
from summarizer.checks.lazy import Lazy
from summarizer.checks.quantities import read_each, read_quantities

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from summarizer.checks.addresses import Link
    from summarizer.checks.expansions import Expansion
    from summarizer.checks.glossary import Glossary, Sense
    from summarizer.checks.latin import Term
    from summarizer.checks.quantities import Quantity
    from summarizer.digest import Basis, Paper, Summary


@dataclass(frozen=True)
class Reading:
    """The source, and what stands in it; each part is read when a check first asks for it."""

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
    def texts(self) -> tuple[str, ...]:
        """The points of the summary, in order."""
        return tuple([point.text for point in self.summary.points])

    @Lazy
    def whole(self) -> str:
        """The points as lines of one text: what does not stand here stands in none of them."""
        return "\n".join(("", *self.texts, ""))

    @Lazy
    def _begins(self) -> Sequence[int]:
        """Where each point begins in `whole`."""
        return [*accumulate([len(text) + 1 for text in self.texts], initial=1)]

    def place(self, position: int) -> tuple[int, int]:
        """The number of the point that stands at a position of `whole`, and where it begins."""
        number = bisect_right(self._begins, position) - 1
        return number, self._begins[number]

    @Lazy
    def odd(self) -> frozenset[int]:
        """Numbers of the points with characters that Korean prose seldom has."""
        if not is_odd("".join(self.texts)):
            return frozenset()
        return frozenset(n for n, text in enumerate(self.texts) if is_odd(text))

    @Lazy
    def broken(self) -> frozenset[int]:
        """Numbers of the points in broken characters, which only the check of text speaks of."""
        if self.language.partition("-")[0] != "ko":
            return frozenset()
        return frozenset(n for n in self.odd if is_broken(self.texts[n]))

    @Lazy
    def sound(self) -> Sequence[tuple[int, str]]:
        """The other points, with their numbers."""
        numbered = [*enumerate(self.texts)]
        return [one for one in numbered if one[0] not in self.broken] if self.broken else numbered

    @Lazy
    def links(self) -> Sequence[tuple[int, Link]]:
        """The addresses in the points, with the numbers of these."""
        if not may_hold_links(self.whole):
            return ()
        return [(n, link) for n, text in enumerate(self.texts) for link in read_links(text)]

    @Lazy
    def terms(self) -> Sequence[Sequence[Term]]:
        """The names, acronyms and words in Latin script of each point, in order."""
        return [*map(read_terms, self.texts)]

    @Lazy
    def unstated(self) -> Collection[str]:
        """The words of those terms that the source does not have; most summaries have none."""
        state = self.source.words.state
        words = {term.words for terms in self.terms for term in terms}
        return {one for one in words if not state(one)}

    @Lazy
    def said(self) -> Sequence[Sequence[Quantity]]:
        """The quantities of each point, in order."""
        # English number words in a Korean point belong to names and quotes.
        words = None if self.language.startswith("en") else ()
        return read_each(self.texts, words)
