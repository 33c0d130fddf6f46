"""The drivers of ranges: bounded, in order, and nothing that is paid for is thrown away."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from summarizer import Answer, Entry, Paper, Request, load_prompt, open_model
from summarizer.archive import days as days_in
from summarizer.archive import read_day
from summarizer.drivers import Progress, regenerate, regenerate_day, regenerate_range
from summarizer.errors import (
    DiskError,
    InputError,
    ModelError,
    ModelUnusable,
    NoListing,
    NotYetListed,
    SourceError,
    StoreError,
    SummarizerError,
)
from summarizer.sources import Day
from summarizer.store import Store
from tests.days import FIRST, WELL, paper

PROMPT = load_prompt("digest-ko")
TWO = [FIRST, FIRST + dt.timedelta(days=1)]


class Model:
    """Answers well; some questions are held until they are let go, and some raise."""

    name = "test"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.held: dict[str, asyncio.Event] = {}
        self.raises: dict[str, Exception] = {}

    async def ask(self, request: Request) -> Answer:
        about = request.label.split()[0]
        self.asked.append(about)
        if about in self.held:
            await self.held[about].wait()
        if about in self.raises:
            raise self.raises[about]
        return Answer(text=WELL)

    async def aclose(self) -> None: ...


def papers(day: int, count: int) -> tuple[Paper, ...]:
    return tuple(Paper.model_validate(paper(day, number)) for number in range(count))


def reading(each: int = 3, **errors: SummarizerError):
    """Reads days, counted from the first; some have an error instead of papers."""

    async def read(dates: Iterable[dt.date]) -> AsyncGenerator[Day, None]:
        for date in dates:
            number = (date - FIRST).days
            error = errors.get(f"day{number}")
            yield Day(date, () if error else papers(number, each), error=error)

    return read


def dates(count: int) -> Iterator[dt.date]:
    return (FIRST + dt.timedelta(days=number) for number in range(count))


@pytest.fixture
def how(tmp_path: Path):
    with Store(tmp_path / "store.sqlite3") as store:
        yield {"prompt": PROMPT, "store": store, "folder": tmp_path / "out"}


async def until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to that")


async def test_reading_runs_ahead_of_writing_by_a_bounded_number_of_papers(how) -> None:
    model, began, furthest = Model(), 0, 0

    async def read(wanted: Iterable[dt.date]) -> AsyncGenerator[Day, None]:
        nonlocal began, furthest
        for number, date in enumerate(wanted):
            began = number
            yield Day(date, papers(number, 2))

    def watch(progress: Progress) -> None:
        nonlocal furthest
        furthest = max(furthest, began - progress.days)

    report = await regenerate_range(dates(60), read, model=model, concurrency=2, watch=watch, **how)
    assert len(report.days) == 60
    assert 4 <= furthest <= 4 + 2 + 3  # 8 papers under way, two days read ahead


async def test_papers_of_several_days_are_under_way_at_once_and_days_are_written_in_order(
    how,
) -> None:
    model = Model()
    model.held["2403.00000"] = asyncio.Event()
    run = asyncio.create_task(regenerate_range(dates(3), reading(), model=model, **how))
    await until(lambda: len(model.asked) == 9)
    assert not list(how["folder"].iterdir())
    model.held["2403.00000"].set()
    report = await run
    assert [day.date for day in report.days] == list(dates(3))


async def test_a_day_is_written_before_later_ones_are_answered(how) -> None:
    model = Model()
    model.held["2403.01002"] = asyncio.Event()
    run = asyncio.create_task(regenerate_range(dates(2), reading(), model=model, **how))
    await until(lambda: how["folder"].exists() and days_in(how["folder"]) == [FIRST])
    model.held["2403.01002"].set()
    assert len((await run).days) == 2


@pytest.mark.parametrize("stop", ["the model", "the store", "the disk"])
async def test_a_stop_waits_for_what_is_paid_for(stop: str, how, tmp_path, monkeypatch) -> None:
    model = Model()
    late = model.held["2403.01001"] = asyncio.Event()
    if stop == "the model":
        model.raises["2403.01002"] = ModelUnusable("the key is wrong")
    elif stop == "the store":
        put = Store.put

        async def fail(self: Store, name: str, request: Request, answer: Answer) -> Answer:
            if request.label.startswith("2403.01002"):
                raise StoreError("the disk is full")
            return await put(self, name, request, answer)

        monkeypatch.setattr(Store, "put", fail)
    else:
        how["record"] = tmp_path / "recordings.jsonl"
        from summarizer.models.recordings import Recorder

        add = Recorder._add

        def refuse(self, recording) -> None:
            if recording.label.startswith("2403.01002"):
                raise DiskError("the disk is full")
            add(self, recording)

        monkeypatch.setattr(Recorder, "_add", refuse)
    run = asyncio.create_task(
        regenerate_range(dates(50), reading(), model=model, concurrency=3, **how)
    )
    await until(lambda: "2403.01002" in model.asked and days_in(how["folder"]) == [FIRST])
    await asyncio.sleep(0.01)
    assert not run.done()
    late.set()
    report = await run
    assert [day.date for day in report.days][:1] == [FIRST]
    assert FIRST + dt.timedelta(days=1) not in days_in(how["folder"])
    assert report.stopped in ("the key is wrong", "the disk is full")
    assert report.exit_code in (2, 3)
    assert report.left == 50 - len(report.days)
    assert len(model.asked) < 20
    asked = PROMPT.render(Paper.model_validate(paper(1, 1)))
    assert how["store"].get("test", asked.fingerprint) is not None


async def test_a_cancelled_range_ends_at_once(how) -> None:
    model = Model()
    model.held["2403.00001"] = asyncio.Event()
    run = asyncio.create_task(regenerate_range(dates(3), reading(), model=model, **how))
    await until(lambda: len(model.asked) == 9)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not days_in(how["folder"])


async def test_a_day_without_papers_is_passed_over_and_one_that_failed_is_told(how) -> None:
    read = reading(day0=NoListing("a Saturday"), day2=SourceError("the server is down"))
    report = await regenerate_range(dates(4), read, model=Model(), **how)
    assert report.unlisted == (FIRST,)
    assert [(day.state, day.reason) for day in report.days] == [
        ("written", None),
        ("failed", "the server is down"),
        ("written", None),
    ]
    assert (report.exit_code, report.stopped, report.left) == (3, None, 0)


async def test_a_day_that_is_not_listed_yet_ends_the_range(how) -> None:
    async def read(wanted: Iterable[dt.date]) -> AsyncGenerator[Day, None]:
        yield Day(FIRST, papers(0, 2))
        yield Day(TWO[1], error=NotYetListed("tomorrow"))

    report = await regenerate_range(dates(5), read, model=Model(), **how)
    assert [day.date for day in report.days] == [FIRST]
    assert (report.stopped, report.exit_code, report.left) == ("tomorrow", 3, 4)


async def test_a_source_that_ends_the_range_leaves_whole_days(how) -> None:
    async def read(wanted: Iterable[dt.date]) -> AsyncGenerator[Day, None]:
        yield Day(FIRST, papers(0, 2))
        raise InputError("there is no such category")

    report = await regenerate_range(dates(5), read, model=Model(), **how)
    assert [day.state for day in report.days] == ["written"]
    assert (report.stopped, report.exit_code) == ("there is no such category", 2)


async def test_a_replay_names_what_each_day_lacks_and_makes_the_others(how, tmp_path) -> None:
    record = tmp_path / "recordings.jsonl"
    day = {"folder": tmp_path / "first", "prompt": PROMPT}
    await regenerate_day(FIRST, papers(0, 3), model=Model(), record=record, **day)
    how["store"] = None
    replay = open_model(f"replay:{record}")
    report = await regenerate_range(dates(2), reading(), model=replay, **how)
    assert [day.state for day in report.days] == ["written", "failed"]
    assert "nor is there a recording for 2403.01001, 2403.01002" in str(report.days[1].reason)
    assert report.exit_code == 2


async def test_what_a_day_publishes_is_known_to_later_runs_and_forgotten_with_its_files(
    how,
) -> None:
    await regenerate_range(TWO, reading(), model=Model(), **how)
    archive = str(how["folder"].resolve())
    assert dict(how["store"].days(archive)) == dict.fromkeys(TWO, 3)
    for path in how["folder"].glob(f"{FIRST}.*"):
        path.unlink()
    await regenerate_range(TWO[1:], reading(), model=Model(), **how)
    assert {date: n for date, n in how["store"].days(archive).items() if n} == {TWO[1]: 3}


async def test_an_archive_that_was_there_before_is_read_once(how, monkeypatch) -> None:
    async def read(wanted: Iterable[dt.date]) -> AsyncGenerator[Day, None]:
        yield Day(TWO[1], papers(0, 3))

    await regenerate_range([FIRST], reading(), model=Model(), **{**how, "store": None})
    (how["folder"] / "2024-01-01.md").write_text("# My diary\n")
    first = await regenerate_range(TWO[1:], read, model=Model(), seen="skip", **how)
    assert first.counts == {"skipped": 3}
    assert first.exit_code == 0

    def never(*_: object) -> None:
        raise AssertionError("it was read again")

    (how["folder"] / "2024-01-01.md").unlink()
    monkeypatch.setattr("summarizer.archive.read_day", never)
    second = await regenerate_range(TWO[1:], read, model=Model(), seen="skip", **how)
    assert second.counts == {"skipped": 3}


async def test_a_partial_day_has_published_nothing(how) -> None:
    model = Model()
    model.raises["2403.00001"] = ModelError("it is gone")
    report = await regenerate_range([FIRST], reading(), model=model, **how)
    assert report.days[0].partial
    archive = str(how["folder"].resolve())
    assert how["store"].published(archive, ["2403.00000"], TWO[1]) == {}


async def test_what_a_partial_day_has_stays_with_its_abstract_and_though_it_is_listed_no_more(
    how,
) -> None:
    async def read(wanted: Iterable[dt.date]) -> AsyncGenerator[Day, None]:
        yield Day(FIRST, papers(0, 2))

    model = Model()
    model.raises["2403.00001"] = ModelError("it is gone")
    await regenerate_range([FIRST], reading(), model=model, formats=("md",), **how)
    model.raises.clear()
    report = await regenerate_range([FIRST], read, model=model, only_failed=True, **how)
    assert not report.days[0].partial
    digest = read_day(how["folder"], FIRST)
    assert digest
    kept, asked, unlisted = (entry.paper for entry in digest.entries)
    assert (kept, asked, unlisted.arxiv_id) == (*papers(0, 2), "2403.00002")
    assert model.asked.count("2403.00000") == 1


async def test_a_single_day_skips_too(how) -> None:
    how["model"] = Model()
    await regenerate_day(FIRST, papers(0, 3), **how)
    report = await regenerate_day(TWO[1], [*papers(0, 1), *papers(1, 2)], seen="skip", **how)
    assert report.counts == {"new": 2, "skipped": 1}
    assert report.seen == {"2403.00000": FIRST}
    assert report.exit_code == 0


# Papers without days


async def test_regenerate_reads_no_further_than_papers_are_under_way() -> None:
    read = 0

    def many() -> Iterator[Paper]:
        nonlocal read
        for number in range(1000):
            read += 1
            yield from papers(number // 1000, 1)

    ended = 0
    async with aclosing(regenerate(many(), prompt=PROMPT, model=Model(), concurrency=2)) as entries:
        async for _ in entries:
            ended += 1
            assert read <= ended + 2 * 4 + 2
    assert ended == 1000


async def test_regenerate_gives_what_was_finished_before_it_raises() -> None:
    model = Model()
    model.raises["2403.00002"] = ModelUnusable("the quota is spent", exit_code=3)
    ended: list[Entry] = []

    async def all_of_them() -> None:
        async for entry in regenerate(papers(0, 3), prompt=PROMPT, model=model, concurrency=3):
            ended.append(entry)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(ModelUnusable, match="the quota is spent"):
        await all_of_them()
    assert [entry.paper.arxiv_id for entry in ended] == ["2403.00000", "2403.00001"]


async def test_leaving_regenerate_cancels_what_is_under_way() -> None:
    model = Model()
    model.held = {f"2403.0000{n}": asyncio.Event() for n in (1, 2)}
    async with aclosing(regenerate(papers(0, 3), prompt=PROMPT, model=model)) as entries:
        async for _ in entries:
            break
    assert len(asyncio.all_tasks()) == 1


# What is shown meanwhile


def test_how_far_it_is_comes_once_a_minute_where_there_is_no_terminal(capsys) -> None:
    from summarizer.cli.terminal import standing

    now = 0.0
    with standing(clock=lambda: now) as show:
        for second in range(181):
            now = float(second)
            show(second // 10, 36, second * 2, lambda: "1,000 tokens, $0.10 spent")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0] == ("6/36 days, 120 papers, 2.0/s, 1,000 tokens, $0.10 spent, 5 min left")
    assert lines[2].endswith(", 3 min left")


def test_a_report_is_json_all_through(how) -> None:
    report = asyncio.run(regenerate_range(dates(2), reading(), model=Model(), **how))
    document = json.loads(json.dumps(report.model_dump(mode="json")))
    assert document["counts"] == {"new": 6}
    assert [day["state"] for day in document["days"]] == ["written", "written"]
    assert [day["papers"] for day in document["days"]] == [[], []]
