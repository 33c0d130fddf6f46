"""Every kind of fault, mixed: by ordinary calls, and in batches."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import time
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from benchmarks.faults.promise import Tried
from benchmarks.faults.runs import (
    MODEL,
    digests,
    make_days,
    make_range,
    uninterrupted,
)
from summarizer.formats.markdown import render_markdown
from summarizer.models.openai import OpenAIModel, Timeouts
from tests import made_papers
from tests.batch_server import FAULTS, BatchServer, Call
from tests.chat_server import ChatServer
from tests.disks import files
from tests.faults import IN_BATCHES, Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from benchmarks.faults.runs import Days
    from summarizer.digest import Digest
    from summarizer.drivers import Engine, RangeReport

_RATE = 0.3
_PACE: Mapping[Engine, float] = {"live": 0.005, "batch": 0.0005}
"""How long waits take, of what they would."""

_NOON = dt.datetime(2024, 3, 4, 12, tzinfo=dt.UTC).timestamp()
"""What `Retry-After` names, where it names a date: some hours off, by a clock that jumps."""

_PROMISED = (
    "a right entry, or a failed one with its reason; Markdown and summaries as without faults; "
    "once the faults are over, `--only failed` makes the rest"
)


def mixed_live(home: Path, *, seed: int, count: int, days: int) -> Tried:
    """Faults of every kind between ordinary calls and their answers."""
    faults = Faults(made_papers.answer, seed=seed, rate=_RATE)
    made = make_days(home / "live", count, days=days)
    with ChatServer() as server:
        server.answers(faults)
        bad, partial = asyncio.run(_make(made, server.url, "live", seed))
        asked = len(server.requests)
        server.answers(made_papers.respond)
        good, _ = asyncio.run(_make(made, server.url, "live", seed, only_failed=True))
    whole = uninterrupted(count, days=days)
    found = _wrong(whole, made, partial, bad, good)
    done = f"{count} papers, {asked} calls, {_told(bad)}, {_kinds(faults.counts)}"
    return Tried(f"mixed faults, live, seed {seed}", done, _PROMISED, tuple(found))


def mixed_batch(home: Path, *, seed: int, count: int, days: int) -> Tried:
    """Faults of every kind around the Batch API, and in what its batches hold."""
    faults = Faults(made_papers.answer, seed=seed, rate=_RATE, kinds=IN_BATCHES)
    made = make_days(home / "batch", count, days=days)
    drawn = random.Random(seed)
    counts: Counter[str] = Counter()
    with BatchServer(noise=True, enqueued=count // 3, now=_jumping(seed, time.time())) as server:

        def go_wrong(call: Call, done: bool) -> None:  # noqa: FBT001 - as the server calls it
            if done or drawn.random() >= _RATE:
                return
            fault = drawn.choice(FAULTS)
            server.fault(call, fault)
            counts[f"{call} {fault}"] += 1
            if call == "create":
                end: str | list[Any] = drawn.choice(("expired", []))
                server.end(end)
                counts["batch expired" if end else "batch failed"] += 1

        server.answers(faults)
        server.watch(go_wrong)
        bad, partial = asyncio.run(_make(made, server.url, "batch", seed))
        calls, bought = server.calls.total(), server.bought.total()
        server.watch(lambda *_: None)
        server.answers(made_papers.respond)
        good, _ = asyncio.run(_make(made, server.url, "batch", seed, only_failed=True))
    whole = uninterrupted(count, days=days)
    found = _wrong(whole, made, partial, bad, good)
    kinds = _kinds(counts + faults.counts)
    done = f"{count} papers, {calls} calls, {bought} questions run, {_told(bad)}, {kinds}"
    return Tried(f"mixed faults, batches, seed {seed}", done, _PROMISED, tuple(found))


async def _make(
    made: Days, url: str, engine: Engine, seed: int, *, only_failed: bool = False
) -> tuple[RangeReport, Mapping[str, bytes]]:
    jumping = _jumping(seed, _NOON)
    model = OpenAIModel(
        MODEL,
        base_url=url,
        timeouts=Timeouts(connect=2, read=1, total=2),
        now=lambda: dt.datetime.fromtimestamp(jumping(), dt.UTC),
    )
    async with aclosing(model):
        report = await make_range(
            made, model, engine=engine, concurrency=32, pace=_PACE[engine], only_failed=only_failed
        )
    return report, files(made.digests)


def _jumping(seed: int, start: float) -> Callable[[], float]:
    """A clock that somebody sets back and forth by hours."""
    drawn = random.Random(f"clock {seed}")
    return lambda: start + drawn.uniform(-6, 6) * 3600


def _wrong(
    whole: Mapping[str, bytes],
    made: Days,
    partial: Mapping[str, bytes],
    bad: RangeReport,
    good: RangeReport,
) -> Iterator[str]:
    """Where a run with faults, and the one after it, kept no promise."""
    yield from (f"the run stopped: {run.stopped}" for run in (bad, good) if run.stopped)
    found = digests(partial)
    for day, (_, right) in digests(whole).items():
        if day in found:
            yield from _wrong_day(*found[day], right, partial)
        else:
            yield f"{day} is not there"
    # The provenance of what was asked anew is another one, and is told in the JSON alone.
    texts = {name: text for name, text in files(made.digests).items() if name.endswith(".md")}
    if texts != {name: text for name, text in whole.items() if name.endswith(".md")}:
        yield "after the faults, the Markdown differs"


def _wrong_day(
    name: str, digest: Digest, right: Digest, partial: Mapping[str, bytes]
) -> Iterator[str]:
    pairs = list(zip(digest.entries, right.entries, strict=False))
    if [entry.paper for entry in digest.entries] != [entry.paper for entry in right.entries]:
        yield f"{name} has other papers"
    for entry, wanted in pairs:
        if entry.status == "ok" and entry.summary != wanted.summary:
            yield f"{entry.paper.arxiv_id} is wrong"
        if entry.status == "failed" and not entry.reason:
            yield f"{entry.paper.arxiv_id} failed without a reason"
    kept = tuple(wanted for entry, wanted in pairs if entry.status == "ok")
    text = render_markdown(right.model_copy(update={"entries": kept}))
    if partial[name.replace(".json", ".md")] != text.encode():
        yield f"{name}: its Markdown differs"


def _told(report: RangeReport) -> str:
    return ", ".join(f"{count} {status}" for status, count in report.counts.items())


def _kinds(counts: Counter[str]) -> str:
    return f"{counts.total()} faults ({', '.join(f'{k} {n}' for k, n in sorted(counts.items()))})"
