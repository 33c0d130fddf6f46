"""Hugging Face's daily papers: https://huggingface.co/docs/hub/api#get-apidailypapers."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from summarizer.digest import Paper
from summarizer.errors import NoListing, NotYetListed, SourceError
from summarizer.sources.normalise import (
    Unreadable,
    decode,
    is_address,
    media_at,
    papers_from,
    validated,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from summarizer.sources.fetch import Fetch

PAGE = 100
"""Papers asked for at once; the API gives 50 unless asked for more."""


class _Shape(BaseModel):
    """The part that is read; the API keeps growing fields."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class _Author(_Shape):
    name: str
    hidden: bool = False


class _Paper(_Shape):
    id: str
    title: str
    summary: str | None = None
    authors: tuple[_Author, ...] | None = None
    upvotes: int | None = None
    published_at: dt.datetime | None = None
    submitted_on_daily_at: dt.datetime | None = None


class _Item(_Shape):
    paper: _Paper
    thumbnail: str | None = None
    media_url: str | None = None
    media_urls: tuple[str, ...] | None = None


def paper_of(item: object) -> Paper:
    """The paper of one item of the API's answer, as it came.

    Raises:
        Unreadable: The item does not have the API's shape.
    """
    read = validated(_Item.model_validate, item)
    paper = read.paper
    shown = (read.media_url, *(read.media_urls or ()), read.thumbnail)
    media = next((media_at(url) for url in shown if url and is_address(url)), None)
    return validated(
        Paper.model_validate,
        {
            "arxiv_id": paper.id,
            "title": paper.title,
            "abstract": paper.summary,
            "authors": tuple(author.name for author in paper.authors or () if not author.hidden),
            "published": paper.published_at and paper.published_at.date(),
            "votes": paper.upvotes,
            "media": media,
        },
    )


def days_of(items: list[object]) -> set[dt.date]:
    """The days, in UTC, on whose lists the items say they stand; older answers do not say."""
    days = set()
    for item in items:
        try:
            submitted = _Item.model_validate(item).paper.submitted_on_daily_at
            days |= {submitted.astimezone(dt.UTC).date()} if submitted else set()
        except (ValidationError, OverflowError):
            continue
    return days


async def read_day(
    date: dt.date | None, *, server: str, fetch: Fetch, notice: Callable[[str], None]
) -> tuple[dt.date, list[Paper]]:
    """The papers on one day's list, and that day; the latest list where no day is asked for.

    A day is a day in UTC, and the server refuses days to come.

    Raises:
        NoListing: The day has no list.
        NotYetListed: The day's list has not begun.
        SourceError: The server gave no answer, or one that is not understood.
    """
    today = fetch.now().astimezone(dt.UTC).date()
    if date is not None and date > today:
        raise NotYetListed(f"Hugging Face's list for {date} begins at midnight UTC of that day")

    async def ask(question: dict[str, str]) -> list[object]:
        url = f"{server}/api/daily_papers"
        return await fetch.get(url, {**question, "limit": str(PAGE)}, _items, notice=notice)

    if date is None:
        date = max(days_of(await ask({})), default=None)
        if date is None:
            raise SourceError(
                "Hugging Face did not say which day its latest papers are of", hint="Give the date"
            )
    items = await ask({"date": date.isoformat()})
    if not items and date == today and date.weekday() < 5:
        raise NotYetListed(f"Hugging Face lists no papers for {date} yet", hint="Try again later")
    if not items:
        raise NoListing(f"Hugging Face lists no papers for {date:%Y-%m-%d, a %A}")
    if len(items) >= PAGE:
        notice(f"Hugging Face sent its first {PAGE} papers of {date}; there may be more")
    try:
        return date, papers_from(items, paper_of)
    except Unreadable as fault:
        raise SourceError(f"Hugging Face's answer is not understood: {fault}") from None


def _items(body: bytes) -> list[object]:
    text = decode(body)
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise Unreadable(f"it is not JSON: {fault}") from None
    if not isinstance(items, list):
        raise Unreadable("it is not a list of papers")
    return items
