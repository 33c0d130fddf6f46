"""`summarizer store`: look after the answers that were paid for."""

from __future__ import annotations

import datetime as dt
import os
import sys
from contextlib import closing
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from summarizer.cli.options import PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from summarizer.store.audit import Fault
    from summarizer.store.upkeep import Holding, InFlight


@click.group()
def store() -> None:
    """Show, verify, clean up, export and recover stored answers."""


def _of_a_store(command: Callable[..., None]) -> Callable[..., None]:
    """The option that says which store."""

    @click.option(
        "--store",
        "place",
        type=PATH,
        metavar="PATH",
        help="Which store.  [default: in the user's data folder]",
    )
    @wraps(command)
    def with_path(place: Path | None, **options: Any) -> None:
        from summarizer.store import default_path

        command(place or default_path(os.environ, sys.platform), **options)

    return with_path


@store.command()
@_of_a_store
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(path: Path, *, as_json: bool) -> None:
    """Show what is kept: answers, batches in flight, published days."""
    from summarizer.cli.terminal import counted, print_json, show, table
    from summarizer.store import upkeep

    found = upkeep.info(path)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    answers = sum(holding.answers for holding in found.models)
    show(f"{path}: version {found.version}, {_size(found.bytes)}, {counted(answers, 'answer')}")
    _show_holdings(found.models)
    _show_batches(found.batches)
    if found.archives:
        table(
            ["archive", "days", "papers", "first", "last"],
            [
                [row.archive, f"{row.days:,}", f"{row.papers:,}", f"{row.first}", f"{row.last}"]
                for row in found.archives
            ],
            numbers=[1, 2],
        )


@store.command()
@_of_a_store
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def verify(ctx: click.Context, path: Path, *, as_json: bool) -> None:
    """Check the file, and that every answer in it can be read.

    Leaves with 1 where one cannot, and with 3 where the store cannot be opened at all. Nothing is
    written.
    """
    from summarizer.cli.terminal import counted, notice, print_json, show
    from summarizer.store import audit

    found = audit.verify(path)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        for fault in found.faults:
            show(f"{fault.where}: {fault.message}")
        said = counted(len(found.faults), "fault") if found.faults else "all well"
        show(f"{path}: {counted(found.answers, 'answer')}, {said}")
    if found.faults:
        notice(
            "`summarizer store recover NEW` makes a new store of what can be read; then put it in "
            "the place of this one"
        )
        ctx.exit(1)


@store.command()
@_of_a_store
@click.option("--model", metavar="SPEC", help="Only of this model.")
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=0, max=36_500),
    metavar="DAYS",
    help="Only what was kept more than so many days ago.",
)
@click.option("--batches", is_flag=True, help="Give up batches in flight, and drop no answers.")
@click.option("--yes", is_flag=True, help="Do it; without, it is only shown what would go.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def gc(
    path: Path, *, model: str | None, days: int | None, batches: bool, yes: bool, as_json: bool
) -> None:
    """Drop answers of a model or of an age, or give up batches.

    Then the file is made smaller. What is dropped is paid for again when it is asked again.
    Answers to a batch that is given up are not fetched from the server any more.
    """
    from summarizer.cli.terminal import counted, print_json, show
    from summarizer.store import upkeep

    if model is None and days is None and not batches:
        raise click.UsageError("say what can go: --model, --older-than or --batches")
    before = None if days is None else dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    found = upkeep.gc(path, model=model, before=before, batches=batches, drop=yes)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    _show_holdings(found.models)
    _show_batches(found.batches)
    what = counted(sum(holding.answers for holding in found.models), "answer")
    if batches:
        what = f"{len(found.batches)} of the batches in flight"
    if not (found.models or found.batches):
        show(f"{path}: there is nothing to drop")
    elif found.bytes_after is None:
        show(f"{path}: {what} would go; nothing was dropped, --yes does it")
    else:
        sizes = f"{_size(found.bytes_before)} before, {_size(found.bytes_after)} now"
        show(f"{path}: {what} dropped; {sizes}")


@store.command()
@_of_a_store
@click.argument("file", required=False, type=PATH)
@click.pass_context
def export(ctx: click.Context, path: Path, *, file: Path | None) -> None:
    """Write all answers as JSON Lines to FILE, or print them.

    A line has `model`, `fingerprint`, `label`, `answer` and `stored_at`. The questions are not in
    the store; `summarizer digest … --record FILE` writes them with their answers, stored ones too.
    """
    from summarizer.store import audit

    _leave_out(ctx, path, audit.export(path, file) if file else _print_answers(path))


@store.command()
@_of_a_store
@click.argument("new", type=PATH)
@click.pass_context
def recover(ctx: click.Context, path: Path, *, new: Path) -> None:
    """Make a NEW store of all that can be read of a damaged one.

    The damaged one stays as it is.
    """
    from summarizer.cli.terminal import counted, show
    from summarizer.store import audit, upkeep

    faults = audit.recover(path, new)
    answers = sum(holding.answers for holding in upkeep.info(new).models)
    show(f"{new}: {counted(answers, 'answer')} of {path}")
    _leave_out(ctx, path, faults)


def _leave_out(ctx: click.Context, path: Path, faults: Sequence[Fault]) -> None:
    """Say what was left out, and exit with 1 where something was."""
    from summarizer.cli.terminal import counted, notice

    for fault in faults:
        notice(f"{fault.where}: {fault.message}")
    if faults:
        notice(f"{path}: not all could be read ({counted(len(faults), 'fault')})")
        ctx.exit(1)


def _print_answers(path: Path) -> list[Fault]:
    from summarizer.cli.terminal import print_document
    from summarizer.store import audit

    faults: list[Fault] = []
    with closing(audit.answers(path)) as found:
        for one in found:
            if isinstance(one, audit.Fault):
                faults.append(one)
            else:
                print_document(one.line)
    return faults


def _show_holdings(holdings: Sequence[Holding]) -> None:
    from summarizer.cli.terminal import table

    if holdings:
        table(
            ["model", "answers", "tokens in", "cached", "out", "first", "last"],
            [
                [
                    row.model,
                    f"{row.answers:,}",
                    f"{row.tokens.prompt:,}",
                    f"{row.tokens.cached:,}",
                    f"{row.tokens.completion:,}",
                    _day(row.first),
                    _day(row.last),
                ]
                for row in holdings
            ],
            numbers=[1, 2, 3, 4],
        )


def _show_batches(batches: Sequence[InFlight]) -> None:
    from summarizer.cli.terminal import table

    if batches:
        table(
            ["batch in flight", "at the server", "model", "questions", "opened"],
            [
                [
                    row.ours,
                    row.server_id or "-",
                    row.model,
                    f"{row.questions:,}",
                    _day(row.opened_at),
                ]
                for row in batches
            ],
            numbers=[3],
        )


def _day(time: str | None) -> str:
    return time[:10] if time else "unknown"


def _size(count: int) -> str:
    if count < 1_000_000:
        return f"{count / 1_000:,.0f} kB"
    return f"{count / 1_000_000:,.1f} MB"
