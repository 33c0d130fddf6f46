"""How many papers a second one process carries, beside the shortest loop that could ask for them.

    python -m benchmarks.throughput [--rounds 5] [--delays 0,50,500] [--at-once 32,256,1000]
                                    [--papers N]
    python -m benchmarks.throughput --memory [--papers 100000]

The papers, of about 1,300 characters, are asked of a server on loopback in a process of its own,
which answers each with points of its own after a delay. Every measurement is a process of its own,
timed inside, from before the first paper until the digest is written; one paper is asked before,
which loads whatever is loaded late. Bare and ours take turns. Shown are medians: of papers a
second, of the milliseconds of processor time that a paper costs (all threads; other programs on
the machine change these less), and the most memory.

- bare: `AsyncOpenAI` on aiohttp with a semaphore and `max_retries=0`; an answer is read as JSON,
  and one file is written at the end. No check, no store, no limits.
- ours: `regenerate` with every check, mending, provenance, limits, and a store that commits every
  answer; a digest as JSON is written at the end.

With `--memory`, papers stream through ours, and a digest is written for each thousand.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import gc
import itertools
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.evals import MODEL, ROOT, shipped_prompt
from tests import made_papers

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator

    from summarizer.digest import Entry, Paper

GOALS = {0: 1.5, 50: 1.3, 500: 1.05}
"""Of ours, as multiples of bare's time, by the server's delay in milliseconds."""
MEMORY_GOAL = 300
"""Megabytes."""

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STUDY = re.compile(rb"present Study (\d+)")
_WARM_UP = 10**6
"""The number of the paper that is asked before the clock starts."""


class Taken(NamedTuple):
    """What a number of papers took: seconds, seconds on a processor, megabytes at most."""

    seconds: float
    processor: float
    megabytes: float


# --- the server ----------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _response(n: int) -> bytes:
    text = made_papers.answer(n)
    usage = {"prompt_tokens": 900, "completion_tokens": 400, "total_tokens": 1300}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = {"id": f"chatcmpl-{n}", "object": "chat.completion", "created": 1_700_000_000}
    sent = json.dumps({**body, "model": MODEL, "choices": [choice], "usage": usage}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(sent)}"
    return f"{head}\r\n\r\n".encode() + sent


class _Connection(asyncio.Protocol):
    """As little of HTTP as needs little time: one request after the other, each with a length."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._got = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0 or not (length := _LENGTH.search(self._got, 0, head)):
            return
        end = head + 4 + int(length[1])
        if len(self._got) < end:
            return
        study = _STUDY.search(self._got, head, end)
        answer = _response(int(study[1]) if study else 0)
        del self._got[:end]
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
        else:
            self._transport.write(answer)


def serve(delay: float) -> None:
    """Say an address, and answer there until the input ends."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(delay), "127.0.0.1", 0, backlog=4096)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        await asyncio.to_thread(sys.stdin.read)

    asyncio.run(run())


@contextmanager
def serving(delay: float) -> Iterator[str]:
    """The address of a server in a process of its own."""
    with subprocess.Popen(
        _command("serve", delay), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate()


# --- what is timed -------------------------------------------------------------------------------


async def bare(url: str, papers: int, at_once: int, folder: Path) -> Taken:
    """The shortest loop: render, ask, read, write."""
    from openai import AsyncOpenAI, DefaultAioHttpClient

    system, user = shipped_prompt()
    places = asyncio.Semaphore(at_once)
    client = AsyncOpenAI(
        base_url=url,
        api_key="none",
        max_retries=0,
        timeout=600,  # the SDK's own 5 s for a connection are short where 1,000 begin at once
        http_client=DefaultAioHttpClient(),
    )

    async def one(paper: Paper) -> dict[str, object]:
        asked = user.replace("{{title}}", paper.title)
        asked = asked.replace("{{abstract}}", paper.abstract or "")
        async with places:
            answer = await client.chat.completions.create(
                model=MODEL,
                messages=[
                    {"role": "system", "content": system},
                    {
                        "role": "user",
                        "content": asked.replace("{{abstract}}", paper.abstract or ""),
                    },
                ],
            )
        points = json.loads(answer.choices[0].message.content or "")["points"]
        return {"paper": paper.model_dump(mode="json"), "points": points}

    async def work() -> None:
        entries = await asyncio.gather(*map(one, _papers(papers)))
        (folder / "digest.json").write_text(json.dumps(entries, ensure_ascii=False))

    await one(made_papers.paper(_WARM_UP))
    taken = await _timed(work())
    await client.close()
    return taken


async def ours(url: str, papers: int, at_once: int, folder: Path, *, a_day: int = 0) -> Taken:
    """All of it; `a_day` papers to a digest, or all to one."""
    from summarizer.digest import Digest
    from summarizer.disk import write_files
    from summarizer.drivers import regenerate
    from summarizer.formats.json import render_json
    from summarizer.models.openai import OpenAIModel
    from summarizer.prompts import load_prompt
    from summarizer.store import Store

    prompt, model = load_prompt("digest-ko"), OpenAIModel(MODEL, base_url=url)
    gc.set_threshold(10_000)  # as the command line does

    async def work(asked: Iterable[Paper], size: int) -> None:
        dates = map(dt.date.fromordinal, itertools.count(738_000))
        entries: list[Entry] = []

        def write() -> None:
            digest = Digest(date=next(dates), entries=tuple(entries))
            write_files({folder / f"{digest.date}.json": render_json(digest)})
            entries.clear()

        async for entry in regenerate(
            asked, prompt=prompt, model=model, store=store, concurrency=at_once
        ):
            assert entry.status == "ok", entry.reason
            entries.append(entry)
            if len(entries) == size:
                write()
        if entries:
            write()

    with Store(folder / "answers.sqlite3") as store:
        await work([made_papers.paper(_WARM_UP)], 1)
        taken = await _timed(work(_papers(papers), a_day or papers))
        await model.aclose()
    return taken


def _papers(count: int) -> Iterator[Paper]:
    return map(made_papers.paper, range(count))


async def _timed(work: Coroutine[None, None, None]) -> Taken:
    began, processor = time.perf_counter(), time.process_time()
    await work
    return Taken(
        time.perf_counter() - began,
        time.process_time() - processor,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


# --- how it is timed -----------------------------------------------------------------------------


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "benchmarks.throughput", *map(str, arguments)]


def _run(kind: str, url: str, papers: int, at_once: int) -> Taken:
    with tempfile.TemporaryDirectory() as folder:
        command = _command(kind, url, papers, at_once, folder)
        output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return Taken(*json.loads(output))


def _compare(url: str, delay: int, papers: int, at_once: int, rounds: int) -> None:
    taken: dict[str, list[Taken]] = {"bare": [], "ours": []}
    for _ in range(rounds):
        for kind, every in taken.items():
            every.append(_run(kind, url, papers, at_once))
    row = f"| {delay} ms | {at_once:,} "
    middles = []
    for every in taken.values():
        middle = Taken(*map(statistics.median, zip(*every, strict=True)))
        middles.append(middle)
        row += f"| {papers / middle.seconds:,.0f} | {middle.processor / papers * 1e3:.2f} "
        row += f"| {middle.megabytes:.0f} "
    first, second = middles
    row += f"| {second.seconds / first.seconds:.2f} | {second.processor / first.processor:.2f} "
    print(f"{row}| {GOALS.get(delay, '')} |", flush=True)


def main() -> None:
    """Print a table, or the most memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--papers", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delays", default="0,50,500", help="milliseconds")
    parser.add_argument("--at-once", default="32,256,1000")
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    if given.memory:
        papers = given.papers or 100_000
        with serving(0) as url:
            taken = _run("stream", url, papers, 32)
        print(
            f"{papers:,} papers: {taken.megabytes:.0f} MB at most (goal: {MEMORY_GOAL}), "
            f"{papers / taken.seconds:,.0f} a second"
        )
        return
    print(
        "| server | at once | bare /s | ms CPU | MB | ours /s | ms CPU | MB | time | CPU | goal |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for delay in map(int, given.delays.split(",")):
        with serving(delay / 1000) as url:
            for at_once in map(int, given.at_once.split(",")):
                papers = given.papers or _enough(delay, at_once)
                _compare(url, delay, papers, at_once, given.rounds)


def _enough(delay: int, at_once: int) -> int:
    """Two thousand, five for each that is asked at once, but no more than ten seconds take."""
    most = max(2000, 5 * at_once)
    return min(most, 10_000 * at_once // delay) if delay else most


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", delay]:
            serve(float(delay))
        case ["bare" | "ours" | "stream" as kind, url, papers, at_once, folder]:
            place = (url, int(papers), int(at_once), Path(folder))
            if kind == "bare":
                measured = asyncio.run(bare(*place))
            else:
                measured = asyncio.run(ours(*place, a_day=1000 if kind == "stream" else 0))
            print(json.dumps(measured))
        case _:
            main()
