"""`summarizer digest FIRST..LAST` ended at any moment and begun again, and run twice at once."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chat_server import HANG, ChatServer
from tests.conftest import Run, interrupt, start
from tests.days import WELL, asked_about, serving, week_command
from tests.disks import files, finished


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    with serving(monkeypatch) as server:
        yield server


@pytest.fixture
def week(tmp_path: Path) -> list[str]:
    return week_command(tmp_path)


def test_an_interrupted_range_says_what_is_done_and_goes_on(
    run: Run, tmp_path: Path, week, server
) -> None:
    held = threading.Event()

    def hang(body: dict[str, Any]) -> Any:
        if asked_about(body) == "Day 3 Part 2":
            held.set()
            return HANG
        return WELL

    server.answers(hang)
    ended = interrupt([*week, "--concurrency", "1"], held)
    assert (ended.code, ended.out) == (130, "")
    assert re.fullmatch(
        r"Interrupted: [23] of 7 days are done; the same command takes up where this one stopped\n",
        ended.err,
    )
    assert len(files(tmp_path / "out")) >= 4
    server.answers(lambda _: WELL)
    assert run(*week).code == 0
    assert len(server.requests) == 12 + 4


def test_a_range_survives_kill_9_at_random_moments(run: Run, tmp_path: Path, week, server) -> None:
    reference = [*week[:-4], "--out", str(tmp_path / "reference"), "--no-store"]
    assert run(*reference).code == 0
    asked, at_once, kills = len(server.requests), 4, 4
    chance = random.Random(8)
    reached = threading.Event()
    stop_at = 0

    def answer(_: dict[str, Any]) -> str:
        if len(server.requests) >= stop_at:
            reached.set()
        return WELL

    server.answers(answer)
    for _ in range(kills):
        reached.clear()
        stop_at = len(server.requests) + chance.randint(1, 4)
        with start([*week, "--concurrency", str(at_once)]) as process:
            assert reached.wait(30)
            process.kill()
            process.communicate()
    ended = run(*week)
    assert ended.code == 0, ended.err
    assert finished(tmp_path / "out") == files(tmp_path / "reference")
    assert len(server.requests) - asked <= 15 + kills * at_once


def test_two_processes_do_the_same_range_at_once(run: Run, tmp_path: Path, week, server) -> None:
    processes = [start(week) for _ in range(2)]
    for process in processes:
        with process:
            out, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
        assert "15 papers" in out
    assert len(server.requests) <= 2 * 15
    again = run(*week)
    assert again.code == 0
    assert "5 days: 5 unchanged" in again.out
    assert len(files(tmp_path / "out")) == 10
