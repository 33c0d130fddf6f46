"""A key that servers quote wherever they can, and what is left of it afterwards: nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from benchmarks.faults.promise import Tried, broken
from benchmarks.faults.runs import ROOT, environment, make_days, run_here
from tests import made_papers
from tests.batch_server import BatchServer
from tests.chat_server import ChatServer, Reply, completion, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from benchmarks.faults.runs import Days

KEY = "sk-proj/Wq7TxV2mJ4rB9+cLz0pHd"
_ESCAPED = KEY.replace("/", "\\/")
_FORMS = (KEY, _ESCAPED, quote(KEY, safe=""), json.dumps(_ESCAPED)[1:-1])
"""How the key may be written: as it is, in JSON by some servers, in an address."""


@dataclass(frozen=True)
class Loud:
    """A run whose server quotes the key.

    Attributes:
        code: How the run is to end.
        answer: What the server says.
        answered: Whether answers are kept in the end.
        breaks: What breaks in the product: see `loud`.
    """

    name: str
    code: int
    answer: Callable[[dict[str, Any]], Reply | str]
    answered: bool = False
    breaks: str = "none"


def _quoting(n: int) -> list[str]:
    return [*made_papers.points(n)[:-1], f"{made_papers.points(n)[-1]} 열쇠는 {KEY}입니다."]


def _answer(body: dict[str, Any]) -> Reply:
    """An answer with the key in it, in the ways that JSON has to write it."""
    n = made_papers.asked_about(body)
    text = json.dumps({"points": _quoting(n)}, ensure_ascii=False)
    right = completion(text, model=f"test-1 of {KEY}")
    if n % 2:
        return right
    return Reply(json.dumps(right.body).replace(KEY, _ESCAPED).encode())


def _answer_in_batch(body: dict[str, Any]) -> Reply:
    n = made_papers.asked_about(body)
    return completion(json.dumps({"points": _quoting(n)}), model=f"test-1 of {KEY}")


def _refuse_one(body: dict[str, Any]) -> Reply | None:
    if made_papers.asked_about(body) != 3:
        return None
    return error(400, f"Bearer {KEY} may not ask this.", code=KEY, param=KEY)


_REFUSED = error(401, f"Incorrect API key provided: {KEY}.", code="invalid_api_key")

LIVE = (
    Loud("answers and refusals", 3, lambda body: _refuse_one(body) or _answer(body), answered=True),
    Loud("refused key", 2, lambda _: _REFUSED),
    Loud("broken client", 0, _answer, answered=True, breaks="client"),
    Loud("crash", 1, _answer, breaks="reader"),
)
BATCHES = (
    Loud("batches", 3, lambda body: _refuse_one(body) or _answer_in_batch(body), answered=True),
)


def keys(
    home: Path, *, live: tuple[Loud, ...] = LIVE, batches: tuple[Loud, ...] = BATCHES
) -> Tried:
    """Runs that succeed, fail and crash, at DEBUG and in Python's development mode."""
    found: list[str] = []
    for loud in live:
        made = make_days(home / loud.name, 4, days=2)
        with ChatServer() as server:
            server.answers(loud.answer)
            words = ["summarizer", *made.words(), "--json", "--record", f"{made.home}/kept.jsonl"]
            found += _run(made, loud, server.url, words)
    for loud in batches:
        made = make_days(home / loud.name, 4, days=2)
        with BatchServer() as batch_server:
            batch_server.answers(loud.answer)
            words = ["benchmarks.faults.in_batches", str(made.home), made.span, batch_server.url]
            found += _run(made, loud, batch_server.url, words)
    found += leaks(home)
    count = sum(path.is_file() for path in home.rglob("*"))
    done = f"{len(live) + len(batches)} runs, {count} files searched"
    promised = "it stands in no file, log, report or error"
    return Tried("a key that is quoted", done, promised, tuple(found))


def _run(made: Days, loud: Loud, url: str, words: list[str]) -> tuple[str, ...]:
    """Run it, keeping what it prints and its store's content beside its files."""
    environ = environment(url, KEY, PYTHONDEVMODE="1", PYTHONASYNCIODEBUG="1")
    log = str(made.home / "log")
    command = [sys.executable, "-m", "benchmarks.faults.loud", log, loud.breaks]
    done = subprocess.run(
        [*command, *words], env=environ, cwd=ROOT, capture_output=True, check=False
    )
    (made.home / "stdout").write_bytes(done.stdout)
    (made.home / "stderr").write_bytes(done.stderr)
    exported = run_here(["store", "export", "--store", str(made.store)], environ)
    (made.home / "export.jsonl").write_text(exported.out, encoding="utf-8")
    return broken(
        (done.returncode == loud.code, f"{loud.name}: exit code {done.returncode}"),
        ("***" in exported.out or not loud.answered, f"{loud.name}: no answer quoted the key"),
    )


def leaks(home: Path) -> Iterator[str]:
    """Where the key stands."""
    forms = [form.encode() for form in _FORMS]
    for path in sorted(home.rglob("*")):
        if path.is_file() and any(form in path.read_bytes() for form in forms):
            yield f"the key stands in {path.relative_to(home)}"
