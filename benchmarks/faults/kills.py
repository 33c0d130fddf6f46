"""`kill -9` at seeded moments of one run, continued each time; and two processes at once."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.faults.promise import Tried, broken
from benchmarks.faults.runs import (
    AT_ONCE,
    PROGRAM,
    ROOT,
    environment,
    make_days,
    run_apart,
    uninterrupted,
)
from tests import made_papers
from tests.batch_server import BatchServer
from tests.chat_server import HANG, ChatServer
from tests.disks import files, finished

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tests.chat_server import Reply

_PATIENCE = 120
"""Seconds until a process that does nothing is taken for hung."""

_EQUAL = "the files equal an uninterrupted run's, byte for byte"


def kills_live(
    home: Path, *, seed: int, count: int, days: int, kills: int, delay: float = 0.3
) -> Tried:
    """The real command, killed at moments that a seed draws, and given again each time.

    A life ends some milliseconds after so many requests as were drawn for it, or while it starts:
    so the moments lie all over the run however fast the machine is. One paper is not answered until
    the last kill, or the run might end before it.
    """
    made = make_days(home / "kills", count, days=days)
    drawn = random.Random(seed)
    reached = threading.Event()
    seen: Counter[int] = Counter()
    wanted = in_flight = 0
    over = False

    def answer(body: dict[str, Any]) -> Reply | str:
        seen[n := made_papers.asked_about(body)] += 1
        if seen.total() >= wanted:
            reached.set()
        return HANG if n == count - 1 and not over else made_papers.respond(body)

    with ChatServer() as server:
        server.answers(answer)
        server.delay = delay
        environ = environment(server.url)
        began = time.monotonic()
        for left in range(kills, 0, -1):
            before, unasked = seen.total(), count - len(seen)
            most = min(AT_ONCE + 2 * unasked // left, max(1, unasked))
            wanted = before + drawn.randint(0, most)
            reached.clear()
            process = subprocess.Popen(
                [*PROGRAM, *made.words()],
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _live_until(reached if wanted > before else None, process, drawn.uniform(0, delay))
            _kill(process)
            in_flight += min(AT_ONCE, seen.total() - before)
        took = (time.monotonic() - began) / kills
        over = True
        ended = run_apart(made.words(), environ)
    twice = seen.total() - count
    found = broken(
        (ended.code == 0, f"the last run ended with {ended.code}: {ended.err.strip()}"),
        (finished(made.digests) == uninterrupted(count, days=days), "files differ"),
        (len(seen) == count, f"{count - len(seen)} papers were never asked about"),
        (twice <= in_flight, f"{twice} answers were bought again, {in_flight} were in flight"),
    )
    done = (
        f"{count} papers, {kills} kills after {took:.1f} s in the mean, {seen.total()} calls: "
        f"{twice} again, at most {in_flight} were in flight"
    )
    promised = f"{_EQUAL}; no more calls than papers and what was in flight"
    return Tried(f"kill -9, live, seed {seed}", done, promised, found)


def kills_batch(home: Path, *, seed: int, count: int, days: int, kills: int) -> Tried:
    """A run in batches, killed within seeded calls to the server, or a moment after them."""
    made = make_days(home / "kills in batches", count, days=days)
    drawn = random.Random(seed)
    reached = threading.Event()
    wanted = killed = 0

    def look(*_: object) -> None:
        nonlocal wanted
        wanted -= 1
        if wanted == 0:
            reached.set()

    with BatchServer(enqueued=max(4, count // 8)) as server:
        server.answers(made_papers.respond)
        server.watch(look)
        command = [sys.executable, "-m", "benchmarks.faults.in_batches"]
        command += [str(made.home), made.span, server.url]
        for _ in range(kills):
            reached.clear()
            wanted = drawn.randint(1, 6)
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            _live_until(reached, process, drawn.choice((0, drawn.uniform(0, 0.05))))
            killed += _kill(process)
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        bought, calls = server.bought, server.calls.total()
    found = broken(
        (killed > 0, "no life was ended by a kill"),
        (ended.returncode == 0, f"the last run ended with {ended.returncode}: {ended.stderr}"),
        (finished(made.digests) == uninterrupted(count, days=days), "files differ"),
        (len(bought) == count, f"{count - len(bought)} questions were never run"),
        (bought.total() == count, f"{bought.total() - count} questions were run again"),
    )
    done = f"{count} papers, {killed} kills, {calls} calls, {bought.total()} questions run"
    return Tried(f"kill -9, batches, seed {seed}", done, f"{_EQUAL}; no question run twice", found)


def _live_until(
    reached: threading.Event | None, process: subprocess.Popen[bytes], more: float
) -> None:
    """Let a process live until something is reached, or it has ended, and a little longer."""
    deadline = time.monotonic() + _PATIENCE
    while reached and not reached.wait(0.02) and process.poll() is None:
        if time.monotonic() > deadline:
            break
    time.sleep(more)


def _kill(process: subprocess.Popen[bytes]) -> bool:
    """Kill a process; whether it was alive."""
    alive = process.poll() is None
    process.kill()
    process.wait()
    time.sleep(0.1)  # the server still reads what was sent
    return alive


def two_at_once(home: Path, *, count: int, days: int) -> Tried:
    """The same command, twice at the same time."""
    made = make_days(home / "two", count, days=days)
    seen: Counter[int] = Counter()

    def answer(body: dict[str, Any]) -> str:
        seen[made_papers.asked_about(body)] += 1
        return made_papers.respond(body)

    with ChatServer() as server:
        server.answers(answer)
        server.delay = 0.3
        found = _twice([*PROGRAM, *made.words()], environment(server.url))
    found += broken(
        (files(made.digests) == uninterrupted(count, days=days), "files differ"),
        (len(seen) == count, f"{count - len(seen)} papers were never asked about"),
        (max(seen.values()) <= 2, f"an answer was bought {max(seen.values())} times"),
    )
    twice = sum(times == 2 for times in seen.values())
    done = f"{count} papers, {seen.total()} calls: {twice} answers bought by both"
    promised = f"no error; {_EQUAL}; an answer is bought once, or at a race twice"
    return Tried("two processes at once", done, promised, found)


def two_in_batches(home: Path, *, count: int, days: int) -> Tried:
    """The same range in batches, twice at the same time."""
    made = make_days(home / "two in batches", count, days=days)
    with BatchServer(enqueued=max(4, count // 8)) as server:
        server.answers(made_papers.respond)
        command = [sys.executable, "-m", "benchmarks.faults.in_batches"]
        found = _twice([*command, str(made.home), made.span, server.url], environment(server.url))
        bought = server.bought
    found += broken(
        (files(made.digests) == uninterrupted(count, days=days), "files differ"),
        (len(bought) == count, f"{count - len(bought)} questions were never run"),
        (max(bought.values()) <= 2, f"a question was run {max(bought.values())} times"),
    )
    done = f"{count} papers, {bought.total()} questions run"
    promised = f"no error; {_EQUAL}; an answer is bought once, or at a race twice"
    return Tried("two processes at once, batches", done, promised, found)


def _twice(command: list[str], environ: dict[str, str]) -> tuple[str, ...]:
    """Run a command twice at the same time; what was wrong with how they ended."""
    processes = [
        subprocess.Popen(
            command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=10 * _PATIENCE)[1].decode() for process in processes]
    pairs = zip(processes, told, strict=True)
    return broken(*((process.returncode == 0, said) for process, said in pairs))
