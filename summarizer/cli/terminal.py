"""What a person sees: notices, progress and tables, on stderr; rich lives only here."""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections import deque
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from rich.console import Console


# C0 and C1 controls, and those that turn the direction of text: a paper's title or a model's answer
# must not move the cursor, rename the window or disguise what it says.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: object) -> str:
    """Text of others as a terminal may show it: controls become escapes that can be read."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def show(text: object) -> None:
    """Print a result for people on stdout."""
    click.echo(visible(text))


def notice(text: object) -> None:
    """Say something to the person at the terminal; machine output stays clean."""
    with unheard():
        # Named, for of a stream that rich has put in its place click takes what lies behind it.
        click.echo(visible(text), file=sys.stderr, err=True)


@contextmanager
def unheard() -> Iterator[None]:
    """Let stderr fail, as on a full disk: what cannot be said changes nothing, no exit code too."""
    try:
        yield
    except OSError:
        sys.stderr = None  # else Python tries again at exit, and fails


def counted(number: int, thing: str) -> str:
    """A number with what it counts: `1 paper`, `1,200 papers`."""
    return f"{number} {thing}" if number == 1 else f"{number:,} {thing}s"


def on_one_line(text: object) -> str:
    """Text of others that cannot pass for a line of ours, nor for a command to a CI service."""
    return " ".join(visible(text).split())


def print_document(text: str) -> None:
    """Print what is for programs on stdout: as it is, in UTF-8 whatever a terminal takes."""
    takes_bytes = hasattr(sys.stdout, "buffer")  # not a StringIO that a program has put there
    click.echo(text.encode(errors="backslashreplace") if takes_bytes else text, nl=False)


def print_json(document: object) -> None:
    """Print one JSON document on stdout; what no terminal should be sent is escaped in it."""
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    print_document(_UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()  # None: it was closed when the program began


def _screen() -> Console | None:
    """Stderr, where it is a terminal on which what was written can be written over."""
    if not _is_terminal(sys.stderr):
        return None
    from rich.console import Console

    console = Console(stderr=True)
    return None if console.is_dumb_terminal else console


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[], Any]]:
    """A progress bar on stderr while a long thing runs; nothing where stderr is no terminal.

    Yields:
        Call it once for each step that is done.
    """
    console = _screen()
    if console is None:
        yield lambda: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


class _Pace:
    """How fast something goes now, over the last minute.

    What is done in no time, such as days that have not changed, promises nothing for the others.
    """

    def __init__(self, now: float) -> None:
        self._marks: deque[tuple[float, int]] = deque([(now, 0)])

    def per_second(self, now: float, done: int) -> float:
        if now - self._marks[-1][0] >= 1:
            self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[1][0] > _MINUTE:
            self._marks.popleft()
        since, before = self._marks[0]
        return (done - before) / max(now - since, 0.001)


_MINUTE = 60.0


@contextmanager
def standing(
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[int, int, int, Callable[[], str]], None]]:
    """Say on stderr how far a range of days is: always on a terminal, else in a line a minute.

    Yields:
        Call it often: with the days done, the days in all, the papers done, and what else to say.
    """
    console = _screen()
    days_pace, papers_pace = _Pace(clock()), _Pace(clock())
    last = -math.inf if console else clock()

    def line(days: int, total: int, papers: int, more: str) -> str:
        now = clock()
        pace = days_pace.per_second(now, days)
        left = f", {_duration((total - days) / pace)} left" if pace else ""
        speed = papers_pace.per_second(now, papers)
        return f"{days}/{total} days, {counted(papers, 'paper')}, {speed:.1f}/s, {more}{left}"

    with ExitStack() as stack:
        status = None
        if console:
            from rich.text import Text

            status = stack.enter_context(console.status(""))

        def show(days: int, total: int, papers: int, more: Callable[[], str]) -> None:
            nonlocal last
            if clock() - last < (0.25 if console else _MINUTE):
                return
            last = clock()
            told = line(days, total, papers, more())
            if status:
                status.update(Text(told))
            else:
                notice(told)

        yield show


def _duration(seconds: float) -> str:
    minutes = round(seconds / _MINUTE)
    if minutes < 1:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()
) -> None:
    """Print rows under a head on stdout; `numbers` are the columns that are set flush right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(head):
        shown.add_column(
            Text(name),
            justify="right" if place in numbers else "left",
            no_wrap=place == 0,
            overflow="fold",
        )
    for row in rows:
        shown.add_row(*(Text(visible(cell)) for cell in row))
    console = Console(width=None if _is_terminal(sys.stdout) else 200)
    with console.capture() as drawn:
        console.print(shown)
    click.echo(drawn.get(), nl=False)
