"""Rounds at a Batch API that others wrote; every question is answered `Mock batch completion`."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from summarizer import Paper, load_prompt
from summarizer.batch import Batched
from summarizer.drivers import regenerate_day
from summarizer.errors import ModelError
from summarizer.models import Message, Request
from summarizer.models.openai import OpenAIModel
from summarizer.store import Store
from tests.peers.aimock import KEY, Aimock

NAME = "openai:peer"
TEXT = "Mock batch completion"
QUESTIONS = [
    Request(messages=(Message(role="user", content=f"question {number}"),)) for number in range(20)
]
PAPERS = [
    Paper(
        arxiv_id=f"2403.{number:05}",
        title=f"A Method, Part {number}",
        abstract="We present a method. It is simple.",
        authors=("Ada Lovelace",),
    )
    for number in range(1, 6)
]
FAULTS = {"malformedRate": 0.1, "rateLimitRate": 0.1, "disconnectRate": 0.1}


@pytest.fixture
def aimock(tmp_path: Path) -> Iterator[Aimock]:
    (tmp_path / "aimock").mkdir()
    with Aimock(tmp_path / "aimock") as aimock:
        aimock.serve([])
        yield aimock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "answers.sqlite3") as store:
        yield store


async def passing(seconds: float) -> None:
    """A sleep that takes no time."""
    await asyncio.sleep(0)


def batched(aimock: Aimock, store: Store, **options: Any) -> Batched:
    return Batched(OpenAIModel("peer", key=KEY, base_url=aimock.url), store, **options)


def call(aimock: Aimock, method: str, path: str) -> Any:
    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx2.request(method, f"{aimock.url}/{path}", headers=headers)
    return answer.raise_for_status().json()


def made(aimock: Aimock) -> list[int]:
    """How many questions each batch at the server holds."""
    batches = call(aimock, "GET", "batches?limit=100")["data"]
    return sorted(batch["request_counts"]["total"] for batch in batches)


@pytest.mark.parametrize("faults", [{}, FAULTS])
async def test_each_question_is_asked_once(
    aimock: Aimock, store: Store, faults: dict[str, float]
) -> None:
    aimock.serve([], faults)
    model = batched(aimock, store, sleep=passing, most_requests=5)
    answers = await asyncio.gather(*map(model.ask, QUESTIONS))
    await model.aclose()
    assert {answer.text for answer in answers} == {TEXT}
    assert store.batches(NAME) == ()
    aimock.calm()
    assert made(aimock) == [5, 5, 5, 5]


async def test_repairs_are_further_rounds(aimock: Aimock, store: Store, tmp_path: Path) -> None:
    model = batched(aimock, store, sleep=passing)
    report = await regenerate_day(
        dt.date(2024, 3, 4),
        PAPERS,
        prompt=load_prompt("digest-ko"),
        model=model,
        folder=tmp_path / "digests",
        repairs=2,
        store=store,
        concurrency=len(PAPERS),
    )
    await model.aclose()
    assert report.counts == {"failed": len(PAPERS)}
    assert sum(made(aimock)) == 3 * len(PAPERS)


async def test_a_batch_is_taken_up(aimock: Aimock, store: Store) -> None:
    at_the_server = asyncio.Event()

    async def until_polled(seconds: float) -> None:
        if seconds >= 5:
            at_the_server.set()
            await asyncio.Event().wait()

    first = batched(aimock, store, sleep=until_polled)
    asking = asyncio.create_task(first.ask(QUESTIONS[0]))
    await at_the_server.wait()
    asking.cancel()
    await first.aclose()
    second = batched(aimock, store, sleep=passing)
    assert (await second.ask(QUESTIONS[0])).text == TEXT
    await second.aclose()
    assert made(aimock) == [1]


async def test_a_batch_that_somebody_cancels_is_not_made_again(
    aimock: Aimock, store: Store
) -> None:
    async def cancelling(seconds: float) -> None:
        for batch in call(aimock, "GET", "batches")["data"] if seconds >= 5 else ():
            if batch["status"] == "in_progress":
                call(aimock, "POST", f"batches/{batch['id']}/cancel")

    model = batched(aimock, store, sleep=cancelling)
    with pytest.raises(ModelError, match="cancelled"):
        await model.ask(QUESTIONS[0])
    await model.aclose()
    assert len(made(aimock)) == 1
