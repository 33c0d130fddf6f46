"""A day's digest in rounds: ended anywhere and begun again, nothing is lost or bought twice."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from summarizer import Paper, load_prompt
from summarizer.batch import Batched
from summarizer.drivers import DayReport, regenerate_day
from summarizer.models.openai import OpenAIModel
from summarizer.store import Store
from tests.batch_server import FAULTS, BatchServer, Call
from tests.chat_server import Reply, error
from tests.days import WELL
from tests.disks import files

DATE = dt.date(2024, 3, 4)
PAPERS = [
    Paper(
        arxiv_id=f"2403.000{n:02}",
        title=f"A Method, Part {n}",
        abstract=f"We present part {n} of a method. It is simple. It works. It is open.",
        authors=("Ada Lovelace", "Alan Turing"),
        votes=50 - n,
    )
    for n in range(1, 13)
]
REPAIRED = 4
"""How many papers' first answers are wrong."""


def respond(body: dict[str, Any]) -> str:
    """Put off who asks about the first papers, but for repairs, which hold more messages."""
    asked = body["messages"][1]["content"]
    wrong = any(paper.title + "\n" in asked + "\n" for paper in PAPERS[:REPAIRED])
    put_off = wrong and len(body["messages"]) == 2
    return "I would rather not." if put_off else WELL


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(noise=True) as server:
        server.answers(respond)
        yield server


async def passing(seconds: float) -> None:
    """A sleep that takes hardly any time; the server, in a thread of its own, needs some."""
    await asyncio.sleep(min(seconds, 5.0) / 1000)


async def make_day(url: str, store: Path, folder: Path) -> DayReport:
    with Store(store) as opened:
        model = Batched(OpenAIModel("test-1", base_url=url), opened, sleep=passing)
        try:
            return await regenerate_day(
                DATE,
                PAPERS,
                prompt=load_prompt("digest-ko"),
                model=model,
                folder=folder,
                store=opened,
                concurrency=len(PAPERS),
            )
        finally:
            await model.aclose()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    with BatchServer() as server:
        server.answers(respond)
        report = asyncio.run(make_day(server.url, folder / "store", folder / "digests"))
        assert report.exit_code == 0
        assert server.bought.total() == len(PAPERS) + REPAIRED
    return files(folder / "digests")


async def test_repairs_are_asked_in_a_further_round(
    server: BatchServer, tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    report = await make_day(server.url, tmp_path / "store", tmp_path / "digests")
    assert report.counts == {"new": len(PAPERS)}
    assert sum(len(upload.splitlines()) for upload in server.uploads) == len(PAPERS) + REPAIRED
    assert len(server.uploads[0].splitlines()) == len(PAPERS)
    assert files(tmp_path / "digests") == uninterrupted
    again = await make_day(server.url, tmp_path / "store", tmp_path / "digests")
    assert again.changed == ()
    assert server.calls["create"] == len(server.uploads)


async def test_at_many_faults_the_digest_is_the_same(
    server: BatchServer, tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    draw = random.Random(7)
    for call in get_args(Call):
        server.fault(call, *draw.sample(FAULTS, k=3))
    server.end("expired", "completed", "expired")

    tried: Counter[str] = Counter()

    def sometimes(body: dict[str, Any]) -> Reply | str:
        tried[key := json.dumps(body)] += 1
        failing = tried[key] <= len(key) % 3
        return error(500, "The server had an error.") if failing else respond(body)

    server.answers(sometimes)
    report = await make_day(server.url, tmp_path / "store", tmp_path / "digests")
    assert report.exit_code == 0
    assert files(tmp_path / "digests") == uninterrupted


@pytest.mark.parametrize("seed", range(5))
async def test_interrupted_at_any_await_it_is_taken_up(
    server: BatchServer, tmp_path: Path, uninterrupted: dict[str, bytes], seed: int
) -> None:
    draw = random.Random(seed)
    for interrupted in range(30):
        run = asyncio.create_task(make_day(server.url, tmp_path / "store", tmp_path / "digests"))
        for _ in range(draw.randrange(20 * (interrupted + 1))):
            await asyncio.sleep(0)
        if run.done():
            break
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    await make_day(server.url, tmp_path / "store", tmp_path / "digests")
    assert files(tmp_path / "digests") == uninterrupted
    assert set(server.bought.values()) == {1}
    assert server.bought.total() == len(PAPERS) + REPAIRED


def test_killed_at_any_call_it_is_taken_up(
    server: BatchServer, tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from tests.test_batch_day import make_day; "
        "asyncio.run(make_day(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))"
    )
    command = [sys.executable, "-c", script, server.url]
    command += [str(tmp_path / "store"), str(tmp_path / "digests")]
    root = Path(__file__).parents[1]
    moments: list[tuple[Call, bool]] = [("create", False), ("create", True), ("content", True)]
    for moment in moments:
        process = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL)
        server.watch(_killer(process, moment))
        process.wait()
    server.watch(lambda *_: None)
    subprocess.run(command, cwd=root, check=True)
    assert files(tmp_path / "digests") == uninterrupted
    assert set(server.bought.values()) == {1}
    assert server.bought.total() == len(PAPERS) + REPAIRED


def _killer(process: subprocess.Popen[bytes], moment: tuple[Call, bool]) -> Callable[..., None]:
    def seen(*now: Any) -> None:
        if now == moment:
            process.kill()

    return seen
