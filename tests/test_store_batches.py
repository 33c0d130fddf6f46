"""The store's notes for long runs: batches in flight, the ledger of days, and older files."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from summarizer.digest import Usage
from summarizer.errors import StoreError
from summarizer.models import Answer, Message, Request
from summarizer.store import Batch, Store

MODEL = "openai:gpt-5-mini"
FIRST = dt.date(2024, 1, 1)


def question(text: str) -> Request:
    return Request(messages=(Message(role="user", content=text),), label=f"{text} digest-ko")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite3"


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def log_of(path: Path) -> bytes:
    return Path(f"{path}-wal").read_bytes()


# Batches in flight


async def test_a_batch_is_in_flight_from_before_it_is_handed_over_until_it_is_closed(
    path: Path,
) -> None:
    asked = [question(text) for text in ("b", "a", "c")]
    with Store(path) as store:
        ours = await store.open_batch(MODEL, asked)
    with Store(path) as store:
        (batch,) = store.batches(MODEL)
        assert batch == Batch(
            ours=ours,
            server_id=None,
            fingerprints=tuple(request.fingerprint for request in asked),
            labels=("b digest-ko", "a digest-ko", "c digest-ko"),
            opened_at=batch.opened_at,
        )
        opened = dt.datetime.fromisoformat(batch.opened_at)
        assert abs(dt.datetime.now(dt.UTC) - opened) < dt.timedelta(minutes=5)
        await store.submitted(ours, "batch_123")
    with Store(path) as store:
        assert store.batches(MODEL) == (batch.model_copy(update={"server_id": "batch_123"}),)
        assert store.batches("openai:another") == ()
        await store.close_batch(ours)
        await store.close_batch(ours)  # whoever else polled it has closed it already
        assert store.batches(MODEL) == ()


async def test_batches_are_told_oldest_first_and_apart(path: Path) -> None:
    with Store(path) as store:
        ours = [await store.open_batch(MODEL, [question("same")]) for _ in range(3)]
        assert len(set(ours)) == 3
        assert [batch.ours for batch in store.batches(MODEL)] == ours
        await store.close_batch(ours[1])
        assert [batch.ours for batch in store.batches(MODEL)] == [ours[0], ours[2]]


async def test_a_batch_that_was_given_up_meanwhile_is_said(path: Path) -> None:
    with Store(path) as store:
        ours = await store.open_batch(MODEL, [question("a")])
        await store.close_batch(ours)
        with pytest.raises(StoreError, match=f"batch {ours} is no longer in flight"):
            await store.submitted(ours, "batch_123")


async def test_the_answers_of_a_batch_are_kept_together_and_earlier_ones_stand(path: Path) -> None:
    asked = [question(f"{i}") for i in range(1_000)]
    answers = [Answer(text=f"to {i}", usage=Usage(prompt=i)) for i in range(1_000)]
    with Store(path) as store:
        await store.put(MODEL, asked[7], Answer(text="before"))
        await store.put_many(
            MODEL,
            ((q.fingerprint, q.label, a) for q, a in zip(asked, answers, strict=True)),
        )
        found = [store.get(MODEL, request.fingerprint) for request in asked]
        assert found == [*answers[:7], Answer(text="before"), *answers[8:]]
        await store.put_many(MODEL, [])


async def test_of_answers_that_do_not_fit_none_is_kept_and_that_is_said(path: Path) -> None:
    asked = [question(f"{i}") for i in range(20)]
    with Store(path) as store:
        store._database.writing.execute("PRAGMA max_page_count = 20")
        with pytest.raises(StoreError, match="20 answers could not be kept: the disk is full"):
            await store.put_many(
                MODEL, [(q.fingerprint, q.label, Answer(text="x" * 9_000)) for q in asked]
            )
        assert not any(store.get(MODEL, request.fingerprint) for request in asked)
        await store.put(MODEL, asked[0], Answer(text="y"))


async def test_a_damaged_batch_is_damage(path: Path) -> None:
    with Store(path) as store:
        for questions in ("[1]", "{", "3", '{"a": 1}'):
            await store.open_batch(MODEL, [question("a")])
            with closing(sqlite3.connect(path)) as other, other:
                other.execute("UPDATE batches SET questions = ?", (questions,))
            with pytest.raises(StoreError, match="damaged"):
                store.batches(MODEL)


# The ledger


async def test_the_earliest_earlier_day_of_the_same_archive_is_told(path: Path) -> None:
    with Store(path) as store:
        await store.publish("/a", day(3), ["1", "2"])
        await store.publish("/a", day(1), ["2", "3"])
        await store.publish("/a", day(5), ["4"])
        await store.publish("/b", day(0), ["1", "4"])
    with Store(path) as store:
        asked = ["1", "2", "3", "4", "5", "1"]
        assert store.published("/a", asked, day(5)) == {"1": day(3), "2": day(1), "3": day(1)}
        assert store.published("/a", asked, day(3)) == {"2": day(1), "3": day(1)}
        assert store.published("/a", asked, day(1)) == {}
        assert store.published("/a", [], day(9)) == {}
        assert list(store.days("/a").items()) == [(day(1), 2), (day(3), 2), (day(5), 1)]
        assert store.days("/c") == {}


async def test_what_a_day_publishes_replaces_what_it_did(path: Path) -> None:
    with Store(path) as store:
        await store.publish("/a", day(0), ["1", "2", "2"])
        await store.publish("/a", day(0), ["2", "3"])
        assert store.published("/a", ["1", "2", "3"], day(1)) == {"2": day(0), "3": day(0)}
        await store.publish("/a", day(0), [])
        assert store.published("/a", ["1", "2", "3"], day(1)) == {}
        assert store.days("/a") == {day(0): 0}


async def test_an_unchanged_day_writes_nothing(path: Path) -> None:
    with Store(path) as store:
        await store.publish("/a", day(0), ["1", "2"])
        await store.publish("/a", day(1), [])
        log = log_of(path)
        await store.publish("/a", day(0), ["2", "1"])
        await store.publish("/a", day(1), [])
        assert log_of(path) == log


NAMES = st.text(st.characters(exclude_categories=()), max_size=8)


@settings(max_examples=40)
@given(
    told=st.lists(
        st.tuples(NAMES, st.integers(0, 4), st.lists(NAMES, max_size=4)), min_size=1, max_size=8
    ),
    before=st.integers(0, 5),
)
@example(told=[("", 0, ["\0"])], before=1)
def test_the_ledger_is_a_mapping_of_days(
    tmp_path_factory: pytest.TempPathFactory,
    told: list[tuple[str, int, list[str]]],
    before: int,
) -> None:
    async def note(store: Store) -> None:
        for archive, number, papers in told:
            await store.publish(archive, day(number), papers)

    ledger = {(archive, number): papers for archive, number, papers in told}
    with Store(tmp_path_factory.mktemp("ledger") / "s") as store:
        asyncio.run(note(store))
        for archive, _, papers in told:
            days = {n: set(p) for (a, n), p in sorted(ledger.items()) if a == archive}
            assert store.days(archive) == {day(n): len(p) for n, p in days.items()}
            found = store.published(archive, papers, day(before))
            for paper in papers:
                earlier = [day(n) for n, p in days.items() if paper in p and n < before]
                assert found.get(paper) == (min(earlier) if earlier else None)


# Older files

VERSION_1 = (
    f"PRAGMA application_id = {int.from_bytes(b'SmzA')}",
    """
    CREATE TABLE answers (
        model TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        label TEXT NOT NULL,
        answer TEXT NOT NULL,
        stored_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (fingerprint, model)
    )
    """,
    "PRAGMA user_version = 1",
    "PRAGMA journal_mode = WAL",
)


def version_1(path: Path, answers: int) -> None:
    """A store as the first version left it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in VERSION_1:
            connection.execute(statement)
        for i in range(answers):
            connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, '2024-01-12 09:30:00')",
                (
                    MODEL,
                    question(f"{i}").fingerprint,
                    question(f"{i}").label,
                    f'{{"text": "- 답 {i}", "finish_reason": "stop", "model": "served", "usage": '
                    '{"prompt": 3, "completion": 2, "cached": 0, "reasoning": 0}}',
                ),
            )


async def test_a_store_of_the_first_version_is_brought_up_with_all_its_answers(path: Path) -> None:
    version_1(path, 50)
    with Store(path) as store:
        found = [store.get(MODEL, question(f"{i}").fingerprint) for i in range(50)]
        assert found == [
            Answer(text=f"- 답 {i}", model="served", usage=Usage(prompt=3, completion=2))
            for i in range(50)
        ]
        await store.open_batch(MODEL, [question("new")])
        await store.publish("/a", day(0), ["1"])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        rows = connection.execute("SELECT COUNT(*), MIN(stored_at) FROM answers")
        assert rows.fetchone() == (50, "2024-01-12 09:30:00")


def test_an_old_store_is_brought_up_whole_or_not_at_all(path: Path) -> None:
    version_1(path, 50)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE days (theirs)")  # stands in the way of the second step
    with pytest.raises(StoreError, match="days already exists"):
        Store(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT COUNT(*) FROM answers").fetchone() == (50,)
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        assert {name for (name,) in tables} == {"answers", "days"}
