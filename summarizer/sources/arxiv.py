"""arXiv: a category's day, and papers by id.

The day announced last comes from the listing feed, https://info.arxiv.org/help/rss.html. The feed
holds no other day, so a past one is asked of https://info.arxiv.org/help/api/user-manual.html by
the hours in which its papers were submitted, https://info.arxiv.org/help/availability.html: a
listing announces what came in from 14:00 (Eastern US time) two working days before it until 14:00
one working day before it, so that Tuesday's has the weekend.

What that approximates: a paper that moderation held back appears on the day of its submission, not
of its announcement; after a holiday of arXiv's, papers that waited for it are missing; so are
papers cross-listed later than they were submitted.

arXiv's terms of use ask for three seconds between requests. Under load it answers 429, or with a
feed that counts papers and holds none.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from summarizer.errors import InputError, NoListing, NotYetListed, SourceError
from summarizer.sources.atom import Feed, FeedEntry, announced, arxiv_zone, read_feed
from summarizer.sources.fetch import Fetch, Refused
from summarizer.sources.normalise import Unreadable, normalise, split_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from summarizer.digest import Paper

SPACING = 3.0
"""Seconds between two requests."""

PAGE = 500
"""Papers of a past day asked for at once; the API allows 2,000, but large pages fail more often."""

IDS = 100
"""Ids asked for at once, so that the address stays short."""

_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z]+(?:-[A-Za-z]+)*)?")
_DEADLINE = dt.time(14)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Arxiv:
    """Asks arXiv.

    Attributes:
        fetch: Asks its servers.
        notice: Is told what is worth knowing, in words for people.
        feed: Where the listings are; a category's name follows.
        api: Where the API is.
    """

    fetch: Fetch
    notice: Callable[[str], None]
    feed: str
    api: str

    async def read_day(
        self, category: str, date: dt.date | None, *, cross: bool, replaced: bool
    ) -> tuple[dt.date, list[Paper]]:
        """A category's new papers of a day, and that day; of the feed's day where none is asked.

        Args:
            category: `cs.CL`, `hep-th`, or a whole archive: `cs`.
            date: As arXiv dates its listings, in its own time zone.
            cross: With papers cross-listed from other categories.
            replaced: With papers of which a new version came in.

        Raises:
            InputError: arXiv has no such category, or cannot tell what was asked for.
            NoListing: Nothing was announced that day.
            NotYetListed: That day's announcement is still to come.
            SourceError: arXiv gave no answer.
        """
        if not _CATEGORY.fullmatch(category):
            raise InputError(
                f"{category!r} is not the name of an arXiv category",
                hint="Names look like cs.CL or hep-th: https://arxiv.org/category_taxonomy",
            )
        today = self.fetch.now().astimezone(arxiv_zone()).date()
        if date is not None and date.weekday() >= _SATURDAY:
            raise _nothing(category, date)
        if date is not None and date > today:
            raise NotYetListed(
                f"arXiv's listing of {date} comes out at midnight of that day, Eastern US time"
            )
        if date is None or date == today:
            listing, day = await self._listing(category)
            if date is None or date == day:
                papers = announced(listing, cross=cross, replaced=replaced, notice=self.notice)
                if not papers:
                    raise _nothing(category, day)
                return day, papers
            if day < date:
                raise NotYetListed(
                    f"arXiv's listing of {date} is not out yet, its feed is still of {day}",
                    hint="Try again later",
                )
        if replaced:
            raise InputError(
                f"arXiv does not tell which papers were replaced on a past day such as {date}",
                hint="Ask for that day without replaced papers",
            )
        papers = await self._past_day(category, date, cross=cross)
        if not papers:
            raise _nothing(category, date)
        return date, papers

    async def read_ids(self, ids: Sequence[str]) -> list[Paper]:
        """The papers with these ids, in this order; a version that is asked for stays in `url`.

        Raises:
            InputError: One is no arXiv id.
            SourceError: arXiv gave no answer, or knows none of the ids.
        """
        versions: dict[str, str] = {}
        for text in ids:
            split = split_id(text)
            if split is None:
                raise InputError(
                    f"{text!r} is no arXiv id", hint="Ids look like 2401.05561 or hep-th/9901001"
                )
            versions.setdefault(*split)
        asked = list(versions)
        found: dict[str, Paper] = {}
        for first in range(0, len(asked), IDS):
            some = asked[first : first + IDS]
            feed = await self._ask(
                {
                    "id_list": ",".join(arxiv_id + versions[arxiv_id] for arxiv_id in some),
                    "max_results": str(len(some)),
                }
            )
            found |= {entry.paper.arxiv_id: entry.paper for entry in feed.entries}
        if unknown := [arxiv_id for arxiv_id in asked if arxiv_id not in found]:
            self.notice(f"left out, for arXiv gave no paper with this id: {', '.join(unknown)}")
        return [
            normalise(found[arxiv_id].model_copy(update={"arxiv_id": arxiv_id + version}))
            for arxiv_id, version in versions.items()
            if arxiv_id in found
        ]

    async def _listing(self, category: str) -> tuple[Feed, dt.date]:
        try:
            feed = await self.fetch.get(
                self.feed + category, {}, read_feed, notice=self.notice, spacing=SPACING
            )
        except Refused as refused:
            if refused.status not in {400, 404}:
                raise
            raise InputError(f"arXiv has no category {category!r}") from None
        if feed.error:
            raise InputError(f"arXiv has no listing of {category!r}: {feed.error}")
        if feed.day is None:
            raise SourceError("arXiv's listing does not say which day it is of")
        return feed, feed.day

    async def _past_day(self, category: str, date: dt.date, *, cross: bool) -> list[Paper]:
        self.notice(f"arXiv keeps no past listings: {date} is approximated by hours of submission")
        first, last = _submitted(date)
        within = f"submittedDate:[{first:%Y%m%d%H%M} TO {last:%Y%m%d%H%M}]"
        archive = "" if "." in category else f" OR cat:{category}.*"
        question = {
            "search_query": f"(cat:{category}{archive}) AND {within}",
            "sortBy": "submittedDate",
            "sortOrder": "descending",
            "max_results": str(PAGE),
        }
        entries: list[FeedEntry] = []
        while True:
            page = await self._ask({**question, "start": str(len(entries))}, start=len(entries))
            entries += page.entries
            if not page.entries or len(entries) >= (page.total or 0):
                break
        listing = Feed(date, len(entries), tuple(_as_listed(entry, category) for entry in entries))
        return announced(listing, cross=cross, replaced=False, notice=self.notice)

    async def _ask(self, question: Mapping[str, str], *, start: int | None = None) -> Feed:
        """Ask the API; `start` is the number of papers read already, None where some must come."""

        def read(body: bytes) -> Feed:
            feed = read_feed(body)
            if not feed.entries and not feed.error and (start is None or feed.total != start):
                counted = "some" if feed.total is None else feed.total
                raise Unreadable(f"it holds no paper where there should be {counted}")
            return feed

        try:
            feed = await self.fetch.get(
                self.api, question, read, notice=self.notice, spacing=SPACING
            )
        except Refused as refused:
            feed = _refusal(refused)
        if feed.error:
            raise InputError(f"arXiv does not accept the question: {feed.error}")
        return feed


def _refusal(refused: Refused) -> Feed:
    """The API's own explanation of an HTTP error, where it gave one."""
    try:
        feed = read_feed(refused.body)
    except Unreadable:
        raise refused from None
    if not feed.error:
        raise refused
    return feed


def _as_listed(entry: FeedEntry, category: str) -> FeedEntry:
    primary = next(iter(entry.paper.categories), category)
    is_new = primary == category or primary.startswith(f"{category}.")
    return replace(entry, announced="new" if is_new else "cross")


def _submitted(listed: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """First and last minute, in UTC, in which a listing's papers came in."""
    last = _working_day_before(listed)
    first = _working_day_before(last)
    opened, closed = (
        dt.datetime.combine(day, _DEADLINE, arxiv_zone()).astimezone(dt.UTC)
        for day in (first, last)
    )
    return opened, closed - dt.timedelta(minutes=1)


def _working_day_before(day: dt.date) -> dt.date:
    day -= dt.timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day -= dt.timedelta(days=1)
    return day


def _nothing(category: str, day: dt.date) -> NoListing:
    return NoListing(
        f"arXiv announced no new papers in {category} on {day:%Y-%m-%d, a %A}",
        hint=f"The working day before is {_working_day_before(day)}",
    )
