"""`make faults` in small: the same trials, with fewer papers and fewer kills."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.faults import keys, kills, mixed, promise, stops
from benchmarks.faults.runs import run_here
from summarizer.drivers import regenerate
from summarizer.prompts import load_prompt
from tests import made_papers
from tests.faults import KINDS, Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.faults.promise import Tried
    from summarizer.drivers import How
    from summarizer.models import Answer, Request


def held(tried: Tried) -> None:
    assert not tried.broken, f"{tried.name} ({tried.done})"


@pytest.mark.parametrize("trial", [mixed.mixed_live, mixed.mixed_batch])
def test_at_faults_of_all_kinds_papers_end_right_or_failed_with_a_reason(
    tmp_path: Path, trial: Callable[..., Tried]
) -> None:
    held(trial(tmp_path / "trial", seed=4, count=60, days=3))


def test_a_seed_draws_every_kind_and_the_same_ones_each_time() -> None:
    def drawn(order: list[int]) -> Faults:
        faults = Faults(made_papers.answer, seed=1, rate=0.3)
        for n in order:
            content = made_papers.paper(n).abstract
            faults({"messages": [{"role": "user", "content": content}]})
        return faults

    forwards, backwards = drawn(list(range(400))), drawn(list(range(400))[::-1])
    assert forwards.counts == backwards.counts
    assert forwards.counts.keys() == KINDS.keys()
    assert 90 < forwards.counts.total() < 150


def test_kill_9_loses_at_most_what_was_in_flight(tmp_path: Path) -> None:
    held(kills.kills_live(tmp_path / "trial", seed=2, count=30, days=3, kills=3, delay=0.1))


def test_kill_9_loses_no_batch(tmp_path: Path) -> None:
    held(kills.kills_batch(tmp_path / "trial", seed=1, count=12, days=2, kills=2))


async def test_an_interruption_starts_no_further_call() -> None:
    both = asyncio.Event()

    class Slow:
        name = "test:1"

        def __init__(self) -> None:
            self.asked = 0

        async def ask(self, request: Request) -> Answer:
            self.asked += 1
            if self.asked == 2:
                both.set()
            await asyncio.Event().wait()
            raise AssertionError

        async def aclose(self) -> None:
            pass

    async def run(model: Slow) -> None:
        papers = [made_papers.paper(n) for n in range(10)]
        how: How = {"prompt": load_prompt("digest-ko"), "model": model, "concurrency": 2}
        async for _ in regenerate(papers, **how):
            pass

    task = asyncio.create_task(run(model := Slow()))
    await both.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert model.asked == 2


def test_two_processes_at_once_buy_an_answer_at_most_twice(tmp_path: Path) -> None:
    held(kills.two_at_once(tmp_path / "trial", count=24, days=3))


@pytest.mark.parametrize("refusal", stops.REFUSALS, ids=lambda refusal: refusal.name)
def test_no_call_starts_after_a_refusal(tmp_path: Path, refusal: stops.Refusal) -> None:
    held(stops.refused(tmp_path / "trial", refusal, run=run_here, count=30))


@pytest.mark.parametrize(
    "trial",
    [
        partial(stops.full_disk, run=run_here, disk=stops.files_of_at_most_100_kb),
        partial(stops.damaged_store, run=run_here),
        *(partial(stops.left_alone, harm=harm, run=run_here) for harm in stops.HARMS),
    ],
    ids=["full disk", "damaged", *(harm.name for harm in stops.HARMS)],
)
def test_a_disk_or_store_that_fails_is_told_and_loses_nothing(
    tmp_path: Path, trial: Callable[..., Tried]
) -> None:
    held(trial(tmp_path / "trial", count=60))


def test_a_store_that_may_only_be_read_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:  # one that another user can reach
        (folder := Path(name)).chmod(0o755)
        held(stops.read_only_store(folder / "trial", count=60))


def test_a_key_that_is_quoted_stands_nowhere(tmp_path: Path) -> None:
    held(keys.keys(tmp_path / "trial", live=keys.LIVE[:1], batches=()))


def test_a_key_that_stands_somewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"POST Bearer {keys.KEY}")
    (tmp_path / "store").write_bytes(b"\0nothing\0")
    assert list(keys.leaks(tmp_path)) == ["the key stands in log"]


def test_the_table_tells_what_is_broken() -> None:
    broken = promise.broken((True, "well"), (False, "a file differs"))
    rows = [
        promise.Tried("this", "10 papers", "all", ()),
        promise.Tried("that", "10 papers", "all", broken),
    ]
    assert promise.table(rows).splitlines()[2:] == [
        "| this | 10 papers | all | held |",
        "| that | 10 papers | all | BROKEN; a file differs |",
    ]
