"""Selects papers by what they say and by whom they are."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from summarizer.sources.normalise import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from summarizer.digest import Paper

# Letters that Unicode does not take apart into a plain one and a mark.
_PLAIN_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"}
)


def select(
    papers: Iterable[Paper],
    *,
    match: str | None = None,
    author: str | None = None,
    limit: int | None = None,
) -> tuple[tuple[Paper, ...], Mapping[str, int]]:
    """Select papers, in their order.

    Args:
        papers: What to select from.
        match: Text that the title or the abstract contains, in upper or lower case.
        author: Part of an author's name; case and diacritics do not matter.
        limit: How many to keep at most.

    Returns:
        The papers kept, and how many each criterion given has left out, under its name.
    """
    kept = tuple(papers)
    left_out: dict[str, int] = {}

    def keep(criterion: str, selected: Iterable[Paper]) -> None:
        nonlocal kept
        before, kept = len(kept), tuple(selected)
        left_out[criterion] = before - len(kept)

    if match is not None:
        wanted = one_line(match).casefold()
        keep("match", (p for p in kept if wanted in f"{p.title}\n{p.abstract or ''}".casefold()))
    if author is not None:
        name = _plain(author)
        keep("author", (p for p in kept if any(name in _plain(other) for other in p.authors)))
    if limit is not None:
        keep("limit", kept[:limit])
    return kept, left_out


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", one_line(name).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_PLAIN_LETTERS)
