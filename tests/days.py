"""Days of papers for tests of ranges, and a server's answers to them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chat_server import ChatServer

FIRST = dt.date(2024, 3, 1)
KEY = "sk-test-0123456789abcdef0123456789abcdef"
POINTS = [
    "이 논문은 새로운 방법을 제안합니다.",
    "이 방법은 기존 방법보다 단순합니다.",
    "여러 실험에서 방법의 효과를 확인했습니다.",
    "저자들은 남은 한계도 함께 논의합니다.",
]
WELL = json.dumps({"points": POINTS})


def date_of(day: int) -> str:
    return f"{FIRST + dt.timedelta(days=day)}"


WEEK = f"{date_of(0)}..{date_of(6)}"


def paper(day: int, number: int) -> dict[str, Any]:
    return {
        "arxiv_id": f"2403.{day:02}{number:03}",
        "title": f"A Method, Day {day} Part {number}",
        "abstract": f"We present part {number} of day {day}. It is simple. It works. It is open.",
        "authors": ["Ada Lovelace"],
        "votes": 100 - number,
    }


def write_day(folder: Path, day: int, papers: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{date_of(day)}.papers.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in papers))
    return path


def write_days(folder: Path, days: int, each: int) -> Path:
    for day in range(days):
        write_day(folder, day, [paper(day, number) for number in range(each)])
    return folder


def asked_about(body: dict[str, Any]) -> str:
    """Which paper a request is about: `Day 1 Part 2`."""
    found = re.search(r"Day \d+ Part \d+", body["messages"][1]["content"])
    assert found
    return found[0]


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A server that the environment names, and that answers every paper well."""
    with ChatServer(key=KEY) as server:
        server.answers(lambda _: WELL)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield server


def week_command(folder: Path) -> list[str]:
    """The command for five days of three papers, of a range of seven."""
    source = write_days(folder / "papers", 5, 3)
    command = ["digest", WEEK, "--from", source, "--model", "openai:test"]
    command += ["--out", folder / "out", "--store", folder / "store.sqlite3"]
    return [str(word) for word in command]
