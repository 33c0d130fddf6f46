"""Where papers come from: Hugging Face's daily papers, arXiv, a file or standard input."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from summarizer.errors import InputError
from summarizer.sources.normalise import in_order
from summarizer.sources.selection import select

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Callable

    from summarizer.digest import Paper
    from summarizer.sources.fetch import Fetch

__all__ = ["Addresses", "Listing", "read_listing", "read_papers", "select"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are; a mirror stands in for one of them.

    Attributes:
        hugging_face: The Hub, without a path.
        arxiv_feed: A category's name follows it.
        arxiv_api: A question follows it.
    """

    hugging_face: str = "https://huggingface.co"
    arxiv_feed: str = "https://rss.arxiv.org/atom/"
    arxiv_api: str = "https://export.arxiv.org/api/query"


@dataclass(frozen=True, slots=True)
class Listing:
    """Papers and the day they are of.

    Attributes:
        date: As asked for; else as the source says; None where it does not (ids, most files).
        papers: In the order of a digest: by votes, then as the source gave them.
    """

    date: dt.date | None
    papers: tuple[Paper, ...]


def _say_nothing(_: str) -> None: ...


async def read_papers(
    source: str,
    *,
    date: dt.date | None = None,
    cross: bool = False,
    replaced: bool = False,
    notice: Callable[[str], None] = _say_nothing,
    fetch: Fetch | None = None,
    addresses: Addresses = Addresses(),
) -> AsyncIterator[Paper]:
    """The papers of `read_listing`, one after another."""
    listing = await read_listing(
        source,
        date=date,
        cross=cross,
        replaced=replaced,
        notice=notice,
        fetch=fetch,
        addresses=addresses,
    )
    for paper in listing.papers:
        yield paper


async def read_listing(
    source: str,
    *,
    date: dt.date | None = None,
    cross: bool = False,
    replaced: bool = False,
    notice: Callable[[str], None] = _say_nothing,
    fetch: Fetch | None = None,
    addresses: Addresses = Addresses(),
) -> Listing:
    """Read a day's papers, normalised, each once, in the order of a digest.

    Args:
        source: `hf`; `arxiv:CATEGORY`; `arxiv:ids:A,B`; `-` for standard input; else a file's path
            (`./hf` is a file).
        date: The day; the latest one where none is given. It names the day of ids and files, too.
        cross: Of an arXiv listing, read papers cross-listed from other categories too.
        replaced: Of an arXiv listing, read papers of which a new version came in too.
        notice: Is told what is worth knowing, in words for people: what was waited for, merged or
            left out.
        fetch: Asks the servers; pass one where several days are read, to keep the distance between
            requests that arXiv wants.
        addresses: Where the servers are.

    Raises:
        InputError: The source's name or a file's content is wrong.
        NoListing: The source has nothing for that day and never will.
        NotYetListed: The source has nothing for that day yet.
        SourceError: A server gave no answer, after retries.
    """
    if (cross or replaced) and (source == "hf" or source.startswith("arxiv:ids:")):
        raise InputError(
            f"{source} tells no cross-listed or replaced papers from new ones",
            hint="Leave --cross and --replaced out, or read a listing: arxiv:CATEGORY",
        )
    day: dt.date | None
    if source == "hf" or source.startswith("arxiv:"):
        from summarizer.sources import arxiv, huggingface
        from summarizer.sources.fetch import Fetch

        async with contextlib.AsyncExitStack() as stack:
            if fetch is None:
                fetch = await stack.enter_async_context(Fetch())
            if source == "hf":
                day, papers = await huggingface.read_day(
                    date, server=addresses.hugging_face, fetch=fetch, notice=notice
                )
            else:
                server = arxiv.Arxiv(fetch, notice, addresses.arxiv_feed, addresses.arxiv_api)
                name = source.removeprefix("arxiv:")
                if name.startswith("ids:"):
                    day, papers = date, await server.read_ids(name.removeprefix("ids:").split(","))
                else:
                    day, papers = await server.read_day(name, date, cross=cross, replaced=replaced)
    else:
        from summarizer.sources.files import read_file

        day, papers = read_file(source, cross=cross, replaced=replaced, notice=notice)
        if date and day and day != date:
            notice(f"{source} says that its papers are of {day}; they are taken as of {date}")
    return Listing(date or day, in_order(papers, notice))
