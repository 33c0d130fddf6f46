"""What a person sees at a terminal while a long thing runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest

from summarizer.cli.terminal import notice, progress, standing

pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")


class Terminal:
    """A real one, as the program under it knows it."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        self.stream = os.fdopen(theirs, "w", encoding="utf-8")

    def seen(self) -> str:
        """All that was sent to it so far."""
        self.stream.flush()
        os.set_blocking(self._ours, False)
        sent = b""
        while True:
            try:
                sent += os.read(self._ours, 65536)
            except BlockingIOError:
                return sent.decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._ours)


@pytest.fixture
def terminal(monkeypatch) -> Iterator[Terminal]:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    yield terminal
    terminal.close()


def lines_of(sent: str) -> list[str]:
    """What stays on each line: what precedes an erasure is gone."""
    left = (re.split(r"\x1b\[\d*K", line)[-1] for line in sent.split("\n"))
    return [re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", line).strip() for line in left]


def test_a_notice_stands_above_the_bar_on_a_line_of_its_own(terminal: Terminal) -> None:
    with redirect_stderr(terminal.stream), progress("2024-01-12", 2):
        notice("a server is busy")
    assert "a server is busy" in lines_of(terminal.seen())


def test_a_range_says_how_far_it_is_from_the_beginning(terminal: Terminal) -> None:
    with redirect_stderr(terminal.stream), standing() as show:
        show(0, 12, 0, lambda: "0 tokens")
    assert "0/12 days, 0 papers, 0.0/s, 0 tokens" in terminal.seen()


def test_a_terminal_that_cannot_write_over_is_sent_lines(terminal: Terminal, monkeypatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    now = 0.0
    with redirect_stderr(terminal.stream), standing(clock=lambda: now) as show:
        now = 60.0
        show(6, 12, 120, lambda: "14,400 tokens")
    assert terminal.seen() == "6/12 days, 120 papers, 2.0/s, 14,400 tokens, 1 min left\r\n"
