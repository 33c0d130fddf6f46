"""A folder of days as a source: files of papers, digests and the papers beside them."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

from summarizer import Digest, Entry, Paper, Summary
from summarizer.archive import write_day
from summarizer.errors import InputError, NoListing, NotYetListed, SourceError
from summarizer.retry import RetryPolicy
from summarizer.sources import Addresses, Day, read_days, read_listing
from summarizer.sources.fetch import Fetch
from summarizer.sources.files import read_file
from tests.loopback import Clock, Loopback, Reply

SHARED = Path(__file__).parents[2] / "shared"
DAY = dt.date(2024, 3, 1)
NEXT = dt.date(2024, 3, 2)
ONE: dict[str, Any] = {
    "arxiv_id": "2403.00001",
    "title": "One",
    "abstract": "We do one thing.",
    "votes": 1,
}
TWO: dict[str, Any] = {
    "arxiv_id": "2403.00002",
    "title": "Two",
    "abstract": "We do two things.",
    "votes": 2,
}


def put(folder: Path, name: str, *papers: dict[str, Any]) -> None:
    (folder / name).write_text("".join(json.dumps(paper) + "\n" for paper in papers))


async def titles(folder: Path, date: dt.date | None = DAY) -> list[str]:
    return [paper.title for paper in (await read_listing(str(folder), date=date)).papers]


async def days_of(source: str, *dates: dt.date, **how: Any) -> list[Day]:
    return [day async for day in read_days(source, dates, **how)]


@pytest.mark.parametrize(
    "name", ["2024-03-01.jsonl", "2024-03-01.papers.jsonl", "2024-03-01.hf-api.json"]
)
async def test_a_day_s_file_is_told_by_its_name(name: str, tmp_path: Path) -> None:
    put(tmp_path, name, ONE)
    assert await titles(tmp_path) == ["One"]
    with pytest.raises(NoListing, match="has no file for 2024-03-02"):
        await titles(tmp_path, NEXT)


async def test_several_files_of_a_day_are_merged(tmp_path: Path) -> None:
    put(tmp_path, "2024-03-01.a.jsonl", ONE)
    put(tmp_path, "2024-03-01.b.jsonl", TWO, {**ONE, "categories": ["cs.CL"]})
    listing = await read_listing(str(tmp_path), date=DAY)
    assert [paper.title for paper in listing.papers] == ["Two", "One"]
    assert listing.papers[1].categories == ("cs.CL",)


async def test_without_a_day_the_latest_is_read(tmp_path: Path) -> None:
    put(tmp_path, "2024-03-01.jsonl", ONE)
    put(tmp_path, "2024-03-02.jsonl", TWO)
    assert (await read_listing(str(tmp_path))).date == NEXT


def digest_of(*papers: dict[str, Any]) -> Digest:
    summary = Summary(points=["요점입니다."])
    entries = [Entry(paper=Paper.model_validate(paper), summary=summary) for paper in papers]
    return Digest(date=DAY, entries=tuple(entries))


@pytest.mark.parametrize("form", ["md", "json"])
async def test_a_digest_has_the_papers_of_its_day_and_the_folder_their_abstracts(
    form: str, tmp_path: Path
) -> None:
    bare = [{**paper, "abstract": None, "votes": 7 - paper["votes"]} for paper in (ONE, TWO)]
    write_day(tmp_path, digest_of(*bare), (form,))
    put(tmp_path, "papers-of-march.jsonl", {**TWO, "title": "Two!"}, ONE, {**ONE, "arxiv_id": "x"})
    listing = await read_listing(str(tmp_path), date=DAY)
    told = [(paper.title, paper.abstract, paper.votes) for paper in listing.papers]
    assert told == [("One", "We do one thing.", 6), ("Two!", "We do two things.", 5)]


async def test_a_digest_of_ours_holds_its_abstracts(tmp_path: Path) -> None:
    write_day(tmp_path, digest_of(ONE), ("json",))
    (tmp_path / "papers.jsonl").write_text("this is never read")
    assert (await read_listing(str(tmp_path), date=DAY)).papers[0].abstract == ONE["abstract"]


async def test_a_day_s_own_papers_come_before_its_digest(tmp_path: Path) -> None:
    write_day(tmp_path, digest_of(ONE))
    put(tmp_path, "2024-03-01.papers.jsonl", TWO)
    assert await titles(tmp_path) == ["Two"]


async def test_partial_and_other_files_are_no_days(tmp_path: Path) -> None:
    for name in ("2024-03-01.partial.json", "2024-13-01.jsonl", "notes.md", ".2024-03-01.md.tmp"):
        (tmp_path / name).write_text("{")
    (tmp_path / "2024-03-02.txt").touch()
    assert [type(day.error) for day in await days_of(str(tmp_path), DAY, NEXT)] == [NoListing] * 2


async def test_a_file_that_cannot_be_read_is_its_day_s_error(tmp_path: Path) -> None:
    (tmp_path / "2024-03-01.jsonl").write_text("{")
    put(tmp_path, "2024-03-02.jsonl", ONE)
    first, second = await days_of(str(tmp_path), DAY, NEXT)
    assert isinstance(first.error, InputError)
    assert "2024-03-01.jsonl" in str(first.error)
    assert [paper.title for paper in second.papers] == ["One"]


async def test_papers_are_selected_day_by_day(tmp_path: Path) -> None:
    put(tmp_path, "2024-03-01.jsonl", ONE, TWO)
    put(tmp_path, "2024-03-02.jsonl", TWO)

    def keep(papers: tuple[Paper, ...]) -> tuple[Paper, ...]:
        return tuple(paper for paper in papers if paper.title == "One")

    first, second = await days_of(str(tmp_path), DAY, NEXT, keep=keep)
    assert [paper.title for paper in first.papers] == ["One"]
    assert isinstance(second.error, NoListing)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
async def test_real_files_of_days_are_read() -> None:
    dates = [dt.date(2024, 1, 3), dt.date(2024, 5, 29), dt.date(2025, 4, 11), dt.date(2025, 4, 24)]
    days = await days_of(str(SHARED / "real"), *dates)
    assert [day.error for day in days] == [None] * 4
    assert all(paper.abstract for day in days for paper in day.papers)
    assert len(days[1].papers) == 8


# Days at a server


def fetching(clock: Clock) -> Fetch:
    once = RetryPolicy(attempts=1)
    return Fetch(retry=once, now=clock.now, sleep=clock.sleep, jitter=lambda: 0.0)


async def test_days_at_a_server_are_read_one_by_one_until_today() -> None:
    item = {"paper": {"id": "2403.00001", "title": "One", "summary": "We do."}}
    with Loopback() as server:
        server.script(
            "/api/daily_papers", Reply(body=[item]), Reply(500), Reply(body=[]), Reply(body=[item])
        )
        async with fetching(Clock("2024-03-04T12:00:00+00:00")) as fetch:
            days = await days_of(
                "hf",
                *(DAY + dt.timedelta(days=n) for n in range(6)),
                fetch=fetch,
                addresses=Addresses(hugging_face=server.url),
            )
    kinds = [type(day.error) for day in days]
    assert kinds == [type(None), SourceError, NoListing, type(None), NotYetListed]
    assert days[-1].date == dt.date(2024, 3, 5)


async def test_a_server_that_is_down_is_not_asked_for_every_day() -> None:
    with Loopback() as server:
        server.script("/api/daily_papers", Reply(500))
        async with fetching(Clock("2024-12-31T12:00:00+00:00")) as fetch:
            with pytest.raises(SourceError):
                await days_of(
                    "hf",
                    *(DAY + dt.timedelta(days=n) for n in range(200)),
                    fetch=fetch,
                    addresses=Addresses(hugging_face=server.url),
                )
        assert len(server.requests) == 3


async def test_what_is_wrong_with_every_day_is_said_once() -> None:
    with pytest.raises(InputError, match="is not the name of an arXiv category"):
        await days_of("arxiv:Not a category", DAY, NEXT)
    with pytest.raises(InputError, match="tells no cross-listed"):
        await days_of("hf", DAY, cross=True)


async def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "2024-03-01.jsonl")
    put(tmp_path, "2024-03-02.jsonl", TWO)
    first, second = await days_of(str(tmp_path), DAY, NEXT)
    assert "this is a device or a pipe" in str(first.error)
    assert len(second.papers) == 1


async def test_damaged_papers_beside_digests_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (DAY, NEXT):
        entry = Entry(paper=Paper(arxiv_id="2403.00001", title="One"), summary=Summary())
        write_day(tmp_path, Digest(date=day, entries=(entry,)), ("md",))
    (tmp_path / "papers.jsonl").write_text("{\n")
    read: list[str] = []

    def counting(name: str, **how: Any) -> Any:
        read.append(name)
        return read_file(name, **how)

    monkeypatch.setattr("summarizer.sources.folder.read_file", counting)
    days = await days_of(str(tmp_path), DAY, NEXT)
    assert ["papers.jsonl" in str(day.error) for day in days] == [True, True]
    assert read == [str(tmp_path / "papers.jsonl")]


async def test_a_folder_without_days_is_told_at_once(tmp_path: Path) -> None:
    put(tmp_path, "papers.jsonl", ONE)
    with pytest.raises(InputError, match="no file of this folder is named by a day"):
        await days_of(str(tmp_path), DAY)
