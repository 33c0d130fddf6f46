"""Several processes on one store, and processes that are killed: no error, nothing lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from summarizer.models import Message, Request
from summarizer.store import Store, audit, upkeep

MODEL = "openai:gpt-5-mini"

PROGRAM = """
import asyncio, datetime as dt, sys
from summarizer.models import Answer, Message, Request
from summarizer.store import Store, Stored

MODEL = "openai:gpt-5-mini"

def question(number):
    return Request(messages=(Message(role="user", content=str(number)),), label=f"{number} digest")

def say(*words):
    # One write a line: what stands on the pipe was said whole.
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()

async def work(path, own, start, end):
    # Puts, batches and days by turns; each is said once it is kept.
    with Store(path) as store:
        free = asyncio.Semaphore(20)
        async def one(i):
            async with free:
                kept = await store.put(MODEL, question(i), Answer(text=f"{own} {i}"))
                say("answer", i, kept.text)
                assert store.get(MODEL, question(i).fingerprint) == kept
                if i % 10 == 0:
                    ours = await store.open_batch(MODEL, [question(i)])
                    say("opened", ours, "to stay" if i % 20 else "for now")
                    await store.submitted(ours, f"server-{ours}")
                    say("submitted", ours)
                    await store.put_many(
                        MODEL, [(question(n).fingerprint, "", Answer(text="many"))
                                for n in range(1_000_000 + 5 * i, 1_000_005 + 5 * i)]
                    )
                    say("many", i)
                    if i % 20 == 0:
                        await store.close_batch(ours)
                        say("closed", ours)
                    day = dt.date(2024, 1, 1) + dt.timedelta(days=i // 10)
                    await store.publish(own, day, [str(i), "always"])
                    say("day", day)
        await asyncio.gather(*(one(i) for i in range(start, end)))

class Model:
    name = MODEL
    async def ask(self, request):
        say("bought", request.label)
        await asyncio.sleep(0)
        return Answer(text=f"{own} {request.label}")
    async def aclose(self): ...

async def ask(path, end):
    with Store(path) as store:
        stored = Stored(Model(), store)
        say("ready")
        sys.stdin.readline()
        for i in range(end):
            answer = await stored.ask(question(i))
            say("got", answer.text)

own = sys.argv[3]
if sys.argv[1] == "work":
    asyncio.run(work(sys.argv[2], own, int(sys.argv[4]), int(sys.argv[5])))
else:
    asyncio.run(ask(sys.argv[2], int(sys.argv[4])))
"""


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )


def fingerprint(number: int) -> str:
    return Request(messages=(Message(role="user", content=f"{number}"),)).fingerprint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite3"


def check(path: Path, said: list[list[str]]) -> None:
    """Everything that was said to be kept is there."""
    stay = {words[1] for words in said if words[0] == "opened" and words[2] == "to"}
    closed = {words[1] for words in said if words[0] == "closed"}
    submitted = {words[1] for words in said if words[0] == "submitted"}
    with Store(path) as store:
        for words in said:
            if words[0] == "answer":
                kept = store.get(MODEL, fingerprint(int(words[1])))
                assert kept is not None
                assert kept.text == " ".join(words[2:])
            if words[0] == "many":
                first = 1_000_000 + 5 * int(words[1])
                assert all(store.get(MODEL, fingerprint(n)) for n in range(first, first + 5))
        batches = {batch.ours: batch for batch in store.batches(MODEL)}
        assert stay <= batches.keys()
        assert not closed & batches.keys()
        assert all(batches[ours].server_id == f"server-{ours}" for ours in submitted & stay)
    assert audit.verify(path).faults == ()


def test_many_processes_write_and_read_at_once_and_others_look(path: Path) -> None:
    processes = [start("work", path, f"p{i}", 60 * i, 60 * i + 120) for i in range(3)]
    while not path.exists() or path.stat().st_size == 0:
        assert processes[0].poll() is None
    looks = 0
    while any(process.poll() is None for process in processes) and looks < 20:
        assert upkeep.info(path).version == 2
        assert audit.verify(path).faults == ()
        looks += 1
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    said = [line.split() for output in outputs for line in output.splitlines()]
    check(path, said)
    answers = [words for words in said if words[0] == "answer"]
    assert len(answers) == 360
    assert len({tuple(words) for words in answers}) == 240  # what two bought is one for both
    found = upkeep.info(path)
    assert [(archive.archive, archive.days) for archive in found.archives] == [
        (f"p{i}", 12) for i in range(3)
    ]


def test_a_question_is_bought_by_both_of_two_processes_only_at_a_race(path: Path) -> None:
    processes = [start("ask", path, f"p{i}", 60) for i in range(2)]
    for process in processes:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate()[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    got = [[line for line in output if line.startswith("got")] for output in outputs]
    assert len(got[0]) == 60
    assert got[0] == got[1]  # what stands is what both have
    bought = [line for output in outputs for line in output if line.startswith("bought")]
    assert set(bought) == {f"bought {i} digest" for i in range(60)}
    assert max(map(bought.count, bought)) <= 2
    again = start("ask", path, "p3", 60)
    said = again.communicate("\n")[0].splitlines()[1:]
    assert said == got[0]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_whatever_was_kept_survives_kills_at_any_moment(path: Path) -> None:
    moments = random.Random(6)
    said: list[list[str]] = []
    for life in range(4):
        with start("work", path, "p", 5_000 * life, 5_000 * life + 5_000) as process:
            assert process.stdout
            lines = [process.stdout.readline() for _ in range(moments.randrange(1, 400))]
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        assert process.returncode == -signal.SIGKILL
        said += [line.split() for line in lines if line.endswith("\n")]
        check(path, said)
