"""How long an eval takes, beside the shortest loop that could do it.

    python -m benchmarks.evals [--cases 1000] [--rounds 5] [--delays 0,50]

Cases of about 1,300 characters are asked of a server on loopback in a process of its own, 32 at
once, and scored three times each. Whole processes are timed from their start to their end, one
after the other, in turns. Shown are the median of the seconds, also of those on a processor (which
other programs on the machine change less), and the most memory.

- bare: `AsyncOpenAI` on aiohttp with a semaphore; an answer is read as JSON, its characters are
  counted and its words compared with the reference. No check, no record, no second try.
- ours: `summarizer eval --ask missing --out FILE` with the scorers checks, length and compression;
  the flow with every check, its answers committed to a store, its results in a file.
- recorded: the same from recordings, without a server; also with ROUGE and chrF++.
- Inspect: `inspect eval` of the same cases with three scorers, where that command is on the PATH.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests import made_papers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parents[1]
AT_ONCE = 32
MODEL = "test-1"


def _case(n: int) -> dict[str, Any]:
    """The nth case; its target has one point less than the answer."""
    paper = made_papers.paper(n)
    return {
        "id": f"bench-{n}",
        "input": paper.abstract,
        "target": "\n".join(made_papers.points(n)[:-1]),
        "metadata": {"title": paper.title},
    }


def shipped_prompt() -> tuple[str, str]:
    """The shipped prompt's messages as text: the system's and the user's."""
    body = (ROOT / "prompts" / "digest-ko.prompty").read_text().split("---", 2)[2]
    system, user = body.split("\nuser:\n")
    return system.strip().removeprefix("system:").strip(), user.strip()


# --- what is timed -------------------------------------------------------------------------------


def bare(cases: Path, out: Path, url: str) -> None:
    """The shortest loop: render, ask, read, score, write."""
    from openai import AsyncOpenAI, DefaultAioHttpClient

    system, user = shipped_prompt()

    async def run() -> None:
        places = asyncio.Semaphore(AT_ONCE)
        client = AsyncOpenAI(base_url=url, api_key="none", http_client=DefaultAioHttpClient())

        async def one(case: dict[str, Any]) -> dict[str, Any]:
            asked = user.replace("{{title}}", case["metadata"]["title"])
            async with places:
                answer = await client.chat.completions.create(
                    model=MODEL,
                    messages=[
                        {"role": "system", "content": system},
                        {"role": "user", "content": asked.replace("{{abstract}}", case["input"])},
                    ],
                )
            text = answer.choices[0].message.content or ""
            points = "\n".join(json.loads(text)["points"])
            wanted = set(case["target"].split())
            shared = len(wanted & set(points.split())) / len(wanted)
            return {"id": case["id"], "text": text, "scores": [1, len(points), shared]}

        results.extend(await asyncio.gather(*map(one, read)))
        await client.close()

    results: list[dict[str, Any]] = []
    read = [json.loads(line) for line in cases.read_text().splitlines()]
    asyncio.run(run())
    with out.open("w") as file:
        file.writelines(json.dumps(result, ensure_ascii=False) + "\n" for result in results)


def serve(delay: float) -> None:
    """A server that says its address and answers until its input ends."""
    from tests.chat_server import ChatServer

    with ChatServer(delay=delay) as server:
        server.requests = _Forgetful()
        server.answers(made_papers.respond)
        print(server.url, flush=True)
        sys.stdin.read()


class _Forgetful(list[Any]):
    def append(self, _: Any) -> None:
        """Keep nothing, so that the server stays as fast as it was."""


_SET = """\
cases: cases.jsonl
prompts: [digest-ko]
models: [openai:test-1]
{recordings}
scorers: {{{scorers}}}
gates: {{checks.errors: {{max: 0}}}}
"""


def _write_sets(folder: Path, count: int) -> None:
    from summarizer.models import Answer
    from summarizer.models.recordings import Recording, write_recordings
    from summarizer.prompts import load_prompt

    cases = [_case(n) for n in range(count)]
    lines = (json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
    (folder / "cases.jsonl").write_text("".join(lines))
    light, overlap = "checks: , length: , compression: ", "checks: , rouge: , chrf: "
    recorded = "recordings: recordings.jsonl"
    for name, scorers, recordings in (
        ("live", light, ""),
        ("recorded", light, recorded),
        ("overlap", overlap, recorded),
    ):
        text = _SET.format(scorers=scorers, recordings=recordings)
        (folder / f"{name}.yaml").write_text(text)
    prompt = load_prompt("digest-ko")
    when = dt.datetime(2024, 1, 12, tzinfo=dt.UTC)
    requests = [prompt.render(made_papers.paper(n)) for n in range(count)]
    write_recordings(
        folder / "recordings.jsonl",
        [
            Recording(
                model="openai:test-1",
                request=request,
                answer=Answer(text=made_papers.answer(n)),
                origin="model",
                recorded_at=when,
            )
            for n, request in enumerate(requests)
        ],
    )


# --- how it is timed -----------------------------------------------------------------------------


class Taken(NamedTuple):
    """What a process took."""

    seconds: float
    processor: float
    megabytes: float


def _time(command: Sequence[str], *, cwd: Path, **environment: str) -> Taken:
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = process.stdout.read() if process.stdout else b""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stdout:
        process.stdout.close()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} left with {process.returncode}:\n{output.decode()}")
    seconds = time.perf_counter() - began
    return Taken(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@contextmanager
def _server(delay: float) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.evals", "serve", str(delay)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate()


def _ours(folder: Path, name: str, url: str = "") -> Taken:
    out = folder / "run.jsonl"
    out.unlink(missing_ok=True)
    shutil.rmtree(folder / "data", ignore_errors=True)
    command = [sys.executable, "-m", "summarizer", "eval", f"{name}.yaml", "--out", str(out)]
    if url:
        command += ["--ask", "missing", "--concurrency", str(AT_ONCE)]
    return _time(command, cwd=folder, OPENAI_BASE_URL=url, XDG_DATA_HOME=str(folder / "data"))


def _bare(folder: Path, url: str) -> Taken:
    command = [sys.executable, "-m", "benchmarks.evals", "bare", "cases.jsonl", "bare.jsonl", url]
    return _time(command, cwd=folder)


_TASK = """\
import json

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.model import ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, mean, scorer
from inspect_ai.solver import generate, solver

SYSTEM, USER = {messages}


@solver
def ask():
    async def solve(state, generate):
        text = USER.replace("{{{{title}}}}", state.metadata["title"])
        text = text.replace("{{{{abstract}}}}", state.input_text)
        state.messages = [ChatMessageSystem(content=SYSTEM), ChatMessageUser(content=text)]
        return state
    return solve


@scorer(metrics=[mean()])
def valid():
    async def score(state, target):
        return Score(value=bool(json.loads(state.output.completion)["points"]))
    return score


@scorer(metrics=[mean()])
def length():
    async def score(state, target):
        return Score(value=len("".join(json.loads(state.output.completion)["points"])))
    return score


@scorer(metrics=[mean()])
def overlap():
    async def score(state, target):
        wanted = set(target.text.split())
        said = "\\n".join(json.loads(state.output.completion)["points"]).split()
        return Score(value=len(wanted & set(said)) / len(wanted))
    return score


@task
def bench():
    return Task(
        dataset=json_dataset("cases.jsonl"),
        solver=[ask(), generate()],
        scorer=[valid(), length(), overlap()],
    )
"""


def _inspect(folder: Path, url: str) -> Taken:
    (folder / "task.py").write_text(_TASK.format(messages=repr(shipped_prompt())))
    command = ["inspect", "eval", "task.py", "--model", f"openai/{MODEL}", "--display", "none"]
    command += ["--max-connections", str(AT_ONCE), "--log-dir", "logs"]
    return _time(command, cwd=folder, OPENAI_BASE_URL=url, OPENAI_API_KEY="none", PYTHONPATH="")


def main() -> None:
    """Time them in turns, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delays", default="0,50", help="milliseconds")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_sets(folder, given.cases)
        recorded: dict[str, Callable[[], Taken]] = {
            "recorded": partial(_ours, folder, "recorded"),
            "with ROUGE, chrF++": partial(_ours, folder, "overlap"),
        }
        _compare("from recordings", recorded, given.rounds)
        for delay in map(int, given.delays.split(",")):
            with _server(delay / 1000) as url:
                live: dict[str, Callable[[], Taken]] = {
                    "bare": partial(_bare, folder, url),
                    "ours": partial(_ours, folder, "live", url),
                }
                if shutil.which("inspect"):
                    live["Inspect"] = partial(_inspect, folder, url)
                _compare(f"a server that takes {delay} ms", live, given.rounds)


def _compare(title: str, runners: dict[str, Callable[[], Taken]], rounds: int) -> None:
    taken: dict[str, list[Taken]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, run in runners.items():
            taken[name].append(run())
    print(f"\n{title}, median of {rounds}")
    first = statistics.median(one.seconds for one in next(iter(taken.values())))
    for name, every in taken.items():
        seconds = [one.seconds for one in every]
        middle, memory = statistics.median(seconds), max(one.megabytes for one in every)
        processor = statistics.median(one.processor for one in every)
        print(
            f"  {name:18} {middle:6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})  "
            f"{middle / first:4.2f} ×  processor {processor:5.2f} s  {memory:4.0f} MB"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(float(sys.argv[2]))
    elif sys.argv[1:2] == ["bare"]:
        bare(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    else:
        main()
