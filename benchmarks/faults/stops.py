"""What ends a run: told in one sentence; once it is mended, the same command goes on."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.faults.promise import Tried, broken
from benchmarks.faults.runs import (
    AT_ONCE,
    environment,
    make_days,
    run_here,
    uninterrupted,
)
from tests import made_papers
from tests.chat_server import ChatServer, Reply, error
from tests.disks import file_size_limit, files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Any

    from benchmarks.faults.runs import Days, Ended, Run

KEY = "sk-proj-Wq7TxV2mJ4rB9cLz0pHd"
NOBODY = 65534

_PROMISED = "exit code {}, one sentence; once it is mended, what was answered is not asked again"


class _Trial:
    """Days of papers, a server that counts right answers, and a command."""

    def __init__(self, home: Path, server: ChatServer, run: Run, count: int) -> None:
        self.days: Days = make_days(home, count, days=3)
        self.bought: Counter[int] = Counter()
        self.count = count
        self._run = run
        self._environ = environment(server.url, KEY)
        server.delay = 0.01
        server.answers(self.answer)

    def answer(self, body: dict[str, Any]) -> str:
        """Answer right, and count it."""
        self.bought[made_papers.asked_about(body)] += 1
        return made_papers.respond(body)

    def digest(self, *, first_day: bool = False) -> Ended:
        """Run the command, for the first day or for all of them."""
        words = self.days.words()
        if first_day:
            words[1] = words[1].partition("..")[0]
        return self._run(words, self._environ)

    def store(self, *words: str) -> Ended:
        """Run a command of the store."""
        return self._run(["store", *words, "--store", str(self.days.store)], self._environ)

    def wrong(self, ended: Ended, code: int, says: str) -> tuple[str, ...]:
        """What is wrong with how the run that should stop has stopped."""
        said = [line for line in ended.err.splitlines() if line.startswith("Error: ")]
        return broken(
            (ended.code == code, f"exit code {ended.code}: {ended.err.strip()}"),
            (len(said) == 1 and bool(re.search(says, said[0])), f"it said: {ended.err.strip()}"),
            ("Traceback" not in ended.err, "a traceback"),
            (KEY not in ended.err + ended.out, "the key was shown"),
        )

    def wrong_after(self, ended: Ended, *, again: int = 0) -> tuple[str, ...]:
        """What is wrong with the run that goes on; so many answers may have been bought again."""
        whole = uninterrupted(self.count, days=3)
        twice = self.bought.total() - self.count
        return broken(
            (ended.code == 0, f"afterwards, exit code {ended.code}: {ended.err.strip()}"),
            (files(self.days.digests) == whole, "afterwards, the files differ"),
            (0 <= twice <= again, f"{twice} answers were bought again"),
        )


@dataclass(frozen=True)
class Refusal:
    """An answer after which no further call may start."""

    name: str
    reply: Reply
    code: int
    says: str


REFUSALS = (
    Refusal(
        "401 midway",
        error(401, f"Incorrect API key provided: {KEY}.", code="invalid_api_key"),
        2,
        "does not accept the key",
    ),
    Refusal(
        "quota spent midway",
        error(429, "You exceeded your current quota.", code="insufficient_quota"),
        3,
        "quota .* is used up",
    ),
    Refusal(
        "model gone midway",
        error(404, "The model `test-1` does not exist", code="model_not_found"),
        2,
        "has no model 'test-1'",
    ),
)


def refused(home: Path, refusal: Refusal, *, run: Run, count: int) -> Tried:
    """A server that answers a third of the questions, and then refuses all."""
    with ChatServer() as server:
        trial = _Trial(home / refusal.name, server, run, count)
        late = 0

        def answer(body: dict[str, Any]) -> Reply | str:
            nonlocal late
            if trial.bought.total() < count // 3:
                return trial.answer(body)
            late += 1
            return refusal.reply

        server.answers(answer)
        stopped = trial.digest()
        kept = trial.bought.total()
        server.answers(trial.answer)
        found = trial.wrong(stopped, refusal.code, refusal.says)
        found += trial.wrong_after(trial.digest())
    found += broken((1 <= late <= AT_ONCE, f"{late} calls were refused, {AT_ONCE} at once"))
    done = f"{count} papers, {kept} answered, {late} calls refused, {AT_ONCE} at once"
    return Tried(refusal.name, done, f"no call starts after it; {_promised(refusal.code)}", found)


def full_disk(
    home: Path,
    *,
    run: Run,
    count: int,
    disk: Callable[[Path], AbstractContextManager[Callable[[], None]]],
) -> Tried:
    """A disk with room for some of the answers, until there is more."""
    home.mkdir(parents=True, exist_ok=True)
    with disk(home) as make_room, ChatServer() as server:
        trial = _Trial(home / "small", server, run, count)
        stopped = trial.digest()
        kept = trial.bought.total()
        make_room()
        verified = trial.store("verify")
        found = trial.wrong(stopped, 3, "disk|full|written")
        found += broken((verified.code == 0, f"the store: {verified.out}{verified.err}"))
        found += trial.wrong_after(trial.digest(), again=AT_ONCE)
    again = trial.bought.total() - count
    done = f"{disk.__name__.replace('_', ' ')}; {kept} of {count} answered, {again} of them again"
    return Tried("full disk", done, f"at most what was in flight is lost; {_promised(3)}", found)


def read_only_store(home: Path, *, count: int) -> Tried:
    """A store of which a user may only read, for a range that it knows the first day of.

    In this process, since another user may not be able to start its Python.
    """
    with ChatServer() as server:
        trial = _Trial(home / "read-only store", server, run_here, count)
        begun = trial.digest(first_day=True)
        places = (trial.days.store, 0o444, 0o644), (trial.days.home, 0o555, 0o755)
        for path, mode, _ in places:
            path.chmod(mode)
        with _unprivileged(home):
            stopped = trial.digest()
        kept = trial.bought.total()
        for path, _, mode in places:
            path.chmod(mode)
        found = trial.wrong(stopped, 3, "cannot be (opened or )?written")
        found += broken((begun.code == 0, begun.err), (kept == count // 3, f"{kept} answered"))
        found += trial.wrong_after(trial.digest())
    done = f"{kept} of {count} answered, then modes 444 and 555"
    return Tried("read-only store", done, f"nothing is asked; {_promised(3)}", found)


def damaged_store(home: Path, *, run: Run, count: int) -> Tried:
    """A store whose middle is overwritten, and then recovered."""
    with ChatServer() as server:
        trial = _Trial(home / "damaged store", server, run, count)
        trial.digest(first_day=True)
        store = trial.days.store
        content = bytearray(store.read_bytes())
        middle = slice(len(content) // 3 // 4096 * 4096, len(content) * 2 // 3 // 4096 * 4096)
        content[middle] = b"\xa5" * (middle.stop - middle.start)
        store.write_bytes(content)
        stopped = trial.digest()
        found = trial.wrong(stopped, 3, "damaged")
        found += broken((store.read_bytes() == content, "the damaged file was changed"))
        asked = trial.bought.total()
        new = store.with_name("new.sqlite3")
        recovered = trial.store("recover", str(new))
        store.unlink()
        new.rename(store)
        found += broken((recovered.code in (0, 1), f"recover: {recovered.out}{recovered.err}"))
        found += trial.wrong_after(trial.digest(), again=asked)
    again = trial.bought.total() - count
    done = f"{middle.stop - middle.start:,} of {len(content):,} bytes; {again} answers lost"
    promised = f"`store recover` saves what can be read; {_promised(3)}"
    return Tried("damaged store", done, promised, found)


@dataclass(frozen=True)
class Harm:
    """What is done to a store that no run may touch then, until the file is put back."""

    name: str
    done: str
    do: Callable[[Path], None]
    says: str


def _overwrite_the_head(store: Path) -> None:
    store.write_bytes(b"\xa5" * 100 + store.read_bytes()[100:])


def _be_of_version_99(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA user_version = 99")


HARMS = (
    Harm(
        "store with a broken head",
        "its first 100 bytes overwritten, then put back",
        _overwrite_the_head,
        "is no store of answers, or is damaged",
    ),
    Harm("store of a newer version", "version 99, then put back", _be_of_version_99, "newer"),
)


def left_alone(home: Path, harm: Harm, *, run: Run, count: int) -> Tried:
    """A store that cannot be used, for a range that it knows the first day of."""
    with ChatServer() as server:
        trial = _Trial(home / harm.name, server, run, count)
        trial.digest(first_day=True)
        store, kept = trial.days.store, trial.bought.total()
        whole = store.read_bytes()
        harm.do(store)
        harmed = store.read_bytes()
        found = trial.wrong(trial.digest(), 3, harm.says)
        found += broken(
            (harmed != whole, "the file was not harmed"),
            (store.read_bytes() == harmed, "the file was changed"),
            (trial.bought.total() == kept, "something was asked"),
        )
        store.write_bytes(whole)
        found += trial.wrong_after(trial.digest())
    return Tried(harm.name, harm.done, f"it is left as it is; {_promised(3)}", found)


@contextmanager
def _unprivileged(home: Path) -> Iterator[None]:
    """Be a user whom modes bind and whom all of this belongs to; root is not bound by modes."""
    if os.geteuid() != 0:
        yield
        return
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, -1)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def a_small_tmpfs(folder: Path) -> Iterator[Callable[[], None]]:
    """A disk of 512 KiB at this folder; root alone may do that. Yields what makes room."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", folder], check=True)

    def make_room() -> None:
        subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)

    try:
        yield make_room
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def files_of_at_most_100_kb(_: Path) -> Iterator[Callable[[], None]]:
    """No file grows beyond a limit, until room is made."""
    with ExitStack() as limited:
        limited.enter_context(file_size_limit(100_000))
        yield limited.close


def _promised(code: int) -> str:
    return _PROMISED.format(code)
