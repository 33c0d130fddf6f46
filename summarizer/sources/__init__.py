"""Where papers come from: Hugging Face's daily papers, arXiv, files, folders, standard input."""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from summarizer.errors import InputError, NoListing, NotYetListed, SourceError, SummarizerError
from summarizer.sources.normalise import in_order
from summarizer.sources.selection import select

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Iterable,
    )

    from summarizer.digest import Paper
    from summarizer.sources.fetch import Fetch

__all__ = [
    "Addresses",
    "Day",
    "Listing",
    "read_days",
    "read_listing",
    "read_papers",
    "select",
]

PATIENCE = 3
"""How many days in a row may give no answer before a server is asked for no further one."""


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


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a range: its papers, or why there are none."""

    date: dt.date
    papers: tuple[Paper, ...] = ()
    error: SummarizerError | None = None


_Read: TypeAlias = "Callable[[dt.date | None], Awaitable[tuple[dt.date | None, list[Paper]]]]"


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
        source: `hf`; `arxiv:CATEGORY`; `arxiv:ids:A,B`; `-` for standard input; else the path of a
            file (`./hf` is a file) or of a folder of days (`sources.folder`).
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
    async with _opened(
        source, cross=cross, replaced=replaced, notice=notice, fetch=fetch, addresses=addresses
    ) as read:
        day, papers = await read(date)
    return Listing(date or day, in_order(papers, notice))


async def read_days(
    source: str,
    dates: Iterable[dt.date],
    *,
    keep: Callable[[tuple[Paper, ...]], tuple[Paper, ...]] = tuple,
    cross: bool = False,
    replaced: bool = False,
    notice: Callable[[str], None] = _say_nothing,
    fetch: Fetch | None = None,
    addresses: Addresses = Addresses(),
) -> AsyncGenerator[Day, None]:
    """Read the papers of one day after another; the other arguments are those of `read_listing`.

    A day that cannot be read is given with its error, and the next one follows. The first day that
    is not listed yet is the last one that is given.

    Args:
        dates: The days wanted, earliest first.
        keep: Selects papers of a day; a day of which none is left has a `NoListing`.

    Raises:
        InputError: The source has no days, or its name is wrong.
        SourceError: The server gave no answer for several days in a row.
    """
    live = _at_a_server(source) and not source.startswith("arxiv:ids:")
    if not live and not _is_folder(source):
        raise _no_days(source)
    in_a_row = 0
    async with _opened(
        source, cross=cross, replaced=replaced, notice=notice, fetch=fetch, addresses=addresses
    ) as read:
        for date in dates:
            try:
                papers = keep(in_order((await read(date))[1], notice))
            except (NoListing, NotYetListed) as nothing:
                in_a_row = 0
                yield Day(date, error=nothing)
                if isinstance(nothing, NotYetListed):
                    return
            except (SourceError, InputError) as error:
                if live and isinstance(error, InputError):
                    raise
                in_a_row += 1
                if live and in_a_row >= PATIENCE:
                    raise
                yield Day(date, error=error)
            else:
                in_a_row = 0
                nothing_left = NoListing(f"no paper of {date} is selected")
                yield Day(date, papers, error=None if papers else nothing_left)


def _no_days(source: str) -> InputError:
    there = source == "-" or _at_a_server(source) or (source and Path(source).exists())
    said = f"{source} has the papers of one day, not of several"
    return InputError(
        said if there else f"there is no folder {source!r}",
        hint="A range is read from a folder of days, from hf or from arxiv:CATEGORY",
    )


@asynccontextmanager
async def _opened(
    source: str,
    *,
    cross: bool,
    replaced: bool,
    notice: Callable[[str], None],
    fetch: Fetch | None,
    addresses: Addresses,
) -> AsyncIterator[_Read]:
    """What reads a day of a source, its connections and its folder opened once."""
    if (cross or replaced) and (source == "hf" or source.startswith("arxiv:ids:")):
        raise InputError(
            f"{source} tells no cross-listed or replaced papers from new ones",
            hint="Leave --cross and --replaced out, or read a listing: arxiv:CATEGORY",
        )

    if _at_a_server(source):
        from summarizer.sources.fetch import Fetch

        async with nullcontext(fetch) if fetch else Fetch() as asking:
            yield partial(
                _read_server,
                source=source,
                cross=cross,
                replaced=replaced,
                notice=notice,
                fetch=asking,
                addresses=addresses,
            )
    elif _is_folder(source):
        from summarizer.sources.folder import Folder

        folder = Folder(Path(source), cross=cross, replaced=replaced, notice=notice)

        async def read_day(date: dt.date | None) -> tuple[dt.date | None, list[Paper]]:
            return folder.read_day(date)

        yield read_day
    else:
        from summarizer.sources.files import read_file

        async def read_only(date: dt.date | None) -> tuple[dt.date | None, list[Paper]]:
            day, papers = read_file(source, cross=cross, replaced=replaced, notice=notice)
            if date and day and day != date:
                notice(f"{source} says that its papers are of {day}; they are taken as of {date}")
            return day, papers

        yield read_only


async def _read_server(
    date: dt.date | None,
    *,
    source: str,
    cross: bool,
    replaced: bool,
    notice: Callable[[str], None],
    fetch: Fetch,
    addresses: Addresses,
) -> tuple[dt.date | None, list[Paper]]:
    from summarizer.sources import arxiv, huggingface

    if source == "hf":
        return await huggingface.read_day(
            date, server=addresses.hugging_face, fetch=fetch, notice=notice
        )
    server = arxiv.Arxiv(fetch, notice, addresses.arxiv_feed, addresses.arxiv_api)
    name = source.removeprefix("arxiv:")
    if name.startswith("ids:"):
        return date, await server.read_ids(name.removeprefix("ids:").split(","))
    return await server.read_day(name, date, cross=cross, replaced=replaced)


def _at_a_server(source: str) -> bool:
    return source == "hf" or source.startswith("arxiv:")


def _is_folder(source: str) -> bool:
    return source not in ("", "-") and Path(source).is_dir()  # Path("") is the current folder
