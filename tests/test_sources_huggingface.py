"""Hugging Face's daily papers, asked of a server on loopback."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

from summarizer.digest import Media, Paper
from summarizer.errors import NoListing, NotYetListed, SourceError
from summarizer.sources import Addresses, Listing, read_listing
from summarizer.sources.fetch import Fetch
from tests.loopback import Clock, Loopback, Reply

SHARED = Path(__file__).parents[2] / "shared"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")

PATH = "/api/daily_papers"
WEDNESDAY = dt.date(2025, 8, 20)


def item(
    arxiv_id: str, *, day: str = "2025-08-20", votes: int = 1, **fields: Any
) -> dict[str, Any]:
    paper = {
        "id": arxiv_id,
        "title": f"Paper\n  {arxiv_id}",
        "summary": "What it\nsays.",
        "authors": [{"name": "Ann Lee"}, {"name": "Bo Re", "hidden": True}, {"name": "Ann Lee"}],
        "publishedAt": "2025-08-18T17:59:53.000Z",
        "submittedOnDailyAt": f"{day}T00:00:00.000Z",
        "upvotes": votes,
    }
    return {"paper": paper, "publishedAt": "2025-08-18T13:59:53.000Z", **fields}


class Hub:
    """The API on loopback, at a moment of its clock."""

    def __init__(self, now: str = "2025-08-20T12:00:00+00:00") -> None:
        self.clock = Clock(now)
        self.notices: list[str] = []
        self.asked: list[dict[str, str]] = []

    async def read(self, date: dt.date | None, *replies: Reply) -> Listing:
        with Loopback() as server:
            server.script(PATH, *replies)
            try:
                async with Fetch(now=self.clock.now, sleep=self.clock.sleep) as fetch:
                    return await read_listing(
                        "hf",
                        date=date,
                        notice=self.notices.append,
                        fetch=fetch,
                        addresses=Addresses(hugging_face=server.url),
                    )
            finally:
                self.asked = [dict(request.query) for request in server.requests]


async def test_a_day_is_asked_for_whole():
    hub = Hub()
    items = [item("2508.00001"), item("2508.00002", votes=5), item("2508.00001", votes=9)]
    listing = await hub.read(WEDNESDAY, Reply(body=items))
    assert hub.asked == [{"date": "2025-08-20", "limit": "100"}]
    assert listing.date == WEDNESDAY
    assert [(p.arxiv_id, p.votes) for p in listing.papers] == [("2508.00002", 5), ("2508.00001", 1)]
    assert listing.papers[0] == Paper(
        arxiv_id="2508.00002",
        title="Paper 2508.00002",
        abstract="What it says.",
        authors=("Ann Lee",),
        published=dt.date(2025, 8, 18),
        votes=5,
    )
    assert hub.notices == ["listed more than once and merged: 2508.00001"]


async def test_the_latest_day_is_found_first():
    hub = Hub()
    mixed = [item("2508.00001", day="2025-08-19"), item("2508.00002", day="2025-08-20")]
    listing = await hub.read(None, Reply(body=mixed), Reply(body=mixed[1:]))
    assert hub.asked == [{"limit": "100"}, {"date": "2025-08-20", "limit": "100"}]
    assert (listing.date, [p.arxiv_id for p in listing.papers]) == (WEDNESDAY, ["2508.00002"])
    assert hub.clock.waits == []


@pytest.mark.parametrize(
    ("shown", "media"),
    [
        ({}, None),
        ({"thumbnail": "https://e.org/t.png"}, Media(kind="image", url="https://e.org/t.png")),
        (
            {"thumbnail": "https://e.org/t.png", "mediaUrl": "https://e.org/m.mp4"},
            Media(kind="video", url="https://e.org/m.mp4"),
        ),
        (
            {"thumbnail": "https://e.org/t.png", "mediaUrls": ["https://e.org/1.mov", "x"]},
            Media(kind="video", url="https://e.org/1.mov"),
        ),
        (
            {"thumbnail": "https://e.org/t.png", "mediaUrl": None, "mediaUrls": []},
            Media(kind="image", url="https://e.org/t.png"),
        ),
        (
            {"thumbnail": "https://e.org/t.png", "mediaUrl": "javascript:alert(1)"},
            Media(kind="image", url="https://e.org/t.png"),
        ),
    ],
)
async def test_the_first_medium_stands_above_a_paper(shown, media):
    listing = await Hub().read(WEDNESDAY, Reply(body=[item("2508.00001", **shown)]))
    assert listing.papers[0].media == media


@pytest.mark.parametrize(
    ("now", "date", "error", "told"),
    [
        (
            "2025-08-20T12:00:00+00:00",
            "2025-08-19",
            NoListing,
            "no papers for 2025-08-19, a Tuesday",
        ),
        (
            "2025-08-20T12:00:00+00:00",
            "2025-08-17",
            NoListing,
            "no papers for 2025-08-17, a Sunday",
        ),
        ("2025-08-23T12:00:00+00:00", "2025-08-23", NoListing, "a Saturday"),
        ("2025-08-20T00:30:00+00:00", "2025-08-20", NotYetListed, "no papers for 2025-08-20 yet"),
        ("2025-08-21T08:00:00+09:00", "2025-08-21", NotYetListed, "begins at midnight UTC"),
    ],
)
async def test_an_empty_day_says_why(now, date, error, told):
    hub = Hub(now)
    with pytest.raises(error, match=told) as caught:
        await hub.read(dt.date.fromisoformat(date), Reply(body=[]))
    assert caught.value.exit_code == (0 if error is NoListing else 3)


async def test_a_day_to_come_is_not_asked_for():
    hub = Hub()
    with pytest.raises(NotYetListed):
        await hub.read(dt.date(2025, 8, 21), Reply(400))
    assert hub.asked == []


async def test_a_failing_server_is_told_from_an_empty_day():
    hub = Hub()
    with pytest.raises(SourceError, match="502 Bad Gateway, in each of 6 tries") as caught:
        await hub.read(WEDNESDAY, Reply(502, body="<html>"))
    assert type(caught.value) is SourceError
    assert len(hub.notices) == 5


async def test_a_torn_answer_is_asked_for_again():
    hub = Hub()
    torn = json.dumps([item("2508.00001")])[:-20]
    listing = await hub.read(WEDNESDAY, Reply(body=torn), Reply(body=[item("2508.00001")]))
    assert len(listing.papers) == 1
    assert "it is not JSON" in hub.notices[0]


async def test_an_answer_in_another_shape_is_told():
    broken = item("2508.00002")
    del broken["paper"]["title"]
    with pytest.raises(SourceError, match=re.escape("not understood: paper 2: 'paper.title' is")):
        await Hub().read(WEDNESDAY, Reply(body=[item("2508.00001"), broken]))


async def test_a_full_page_says_that_there_may_be_more():
    hub = Hub()
    items = [item(f"2508.{number:05}") for number in range(1, 101)]
    assert len((await hub.read(WEDNESDAY, Reply(body=items))).papers) == 100
    assert hub.notices == [
        "Hugging Face sent its first 100 papers of 2025-08-20; there may be more"
    ]


async def test_latest_papers_of_no_day_are_not_guessed():
    nameless = item("2508.00001")
    del nameless["paper"]["submittedOnDailyAt"]
    with pytest.raises(SourceError, match="did not say which day"):
        await Hub().read(None, Reply(body=[nameless]))


@needs_shared
async def test_a_real_day_gives_what_its_digest_shows():
    answer = (SHARED / "real" / "2024-05-29.hf-api.json").read_bytes()
    listing = await Hub().read(dt.date(2024, 5, 29), Reply(body=answer))
    digest = (SHARED / "real" / "2024-05-29.md").read_text("utf-8")
    shown = dict(re.findall(r"\(https://arxiv\.org/abs/([\d.]+)\)\n\n!\[\]\((.*)\)", digest))
    assert {p.arxiv_id: p.media and p.media.url for p in listing.papers} == shown
    for paper in listing.papers:
        assert f"### [{paper.title}](" in digest
        block = digest.partition(f"{paper.arxiv_id})")[2].partition("\n### ")[0]
        names = re.search(r"^Authors: (.*)$", block, re.MULTILINE)
        assert names is not None
        assert sorted(names[1].split(", ")) == sorted(paper.authors)


@needs_shared
@pytest.mark.parametrize("day", ["2024-05-29", "2025-04-24"])
async def test_hugging_face_s_own_client_reads_the_same(day):
    hub = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub")
    answer = (SHARED / "real" / f"{day}.hf-api.json").read_bytes()
    date = dt.date.fromisoformat(day)
    ours = (await Hub().read(date, Reply(body=answer))).papers
    with Loopback() as server:
        server.script(PATH, Reply(body=answer, headers={"Content-Type": "application/json"}))
        theirs = list(hub.HfApi(endpoint=server.url, token=False).list_daily_papers(date=day))

    def words(text: str | None) -> list[str]:
        return (text or "").split()

    assert {p.arxiv_id: (p.votes or None, words(p.title), words(p.abstract)) for p in ours} == {
        p.id: (p.upvotes, words(p.title), words(p.summary)) for p in theirs
    }
    assert [p.votes for p in ours] == sorted([p.upvotes or 0 for p in theirs], reverse=True)
