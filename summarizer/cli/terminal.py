"""What a person sees: notices, progress and tables, on stderr; rich lives only here."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


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
    click.echo(visible(text), err=True)


def counted(number: int, thing: str) -> str:
    """A number with what it counts: `1 paper`, `2 papers`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def plain(text: str) -> str:
    """Text of others, without what could command a terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[], Any]]:
    """A progress bar on stderr while a long thing runs; nothing where stderr is no terminal.

    Yields:
        Call it once for each step that is done.
    """
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
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
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


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
        shown.add_column(Text(name), justify="right" if place in numbers else "left")
    for row in rows:
        shown.add_row(*(Text(visible(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 200).print(shown)
