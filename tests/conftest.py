"""What several tests share: the command line in this process, and a clean environment."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from summarizer.cli import main
from summarizer.drivers.asking import Asking
from tests.chat_server import ChatServer

# They need programs of others that are installed by `make peers` alone.
collect_ignore = ["peers"]

# How long an example takes hangs on what else the machine does.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> Iterator[None]:
    """Ctrl-C interrupts, also where a shell has started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the user's key, model or store, or a wish for colours."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SUMMARIZER_MODEL", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A model on loopback, where OPENAI_BASE_URL points to."""
    with ChatServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions are put again at once, and batches looked at without a pause."""

    async def passing(_: float) -> None:
        await asyncio.sleep(0)

    defaults = Asking.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "sleep", passing)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["summarizer", *map(str, arguments)])
        before = signal.getsignal(signal.SIGINT)
        with pytest.raises(SystemExit) as left:
            main()
        signal.signal(signal.SIGINT, before)  # which a run that was interrupted does not hear
        out, err = capsys.readouterr()
        return Outcome(int(left.value.code or 0), out, err)

    return call


def start(words: Sequence[str]) -> subprocess.Popen[str]:
    """Start the command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "summarizer", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupt(words: Sequence[str], when: threading.Event) -> Outcome:
    """Start the command line, and interrupt it as Ctrl-C does once something has happened."""
    with start(words) as process:
        try:
            assert when.wait(30)
            while process.poll() is None:  # who is impatient presses it again
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.01)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    return Outcome(process.returncode, out, err)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of a user whom modes bind; root is not bound by them."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o777)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o777)
