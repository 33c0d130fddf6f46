"""`summarizer recordings`: look after a file of recorded answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from summarizer.cli.options import PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from summarizer.models import Request

_PAPERS = "papers.jsonl"


@click.group()
def recordings() -> None:
    """Show, prune and move the recorded answers of a file."""


def _of_a_file(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments that say which questions are asked now."""

    @click.argument("file", type=PATH)
    @click.option(
        "--from",
        "source",
        metavar="SOURCE",
        help=f"The papers that are asked about.  [default: {_PAPERS} beside FILE]",
    )
    @click.option(
        "--prompt",
        "names",
        multiple=True,
        default=["digest-ko"],
        show_default=True,
        metavar="NAME|FILE",
        help="What is asked about them; may be given more than once.",
    )
    @click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="NAME|FILE",
        help="What this eval set asks, instead of papers; may be given more than once.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @wraps(command)
    def with_arguments(
        file: Path, source: str | None, names: tuple[str, ...], sets: tuple[str, ...], **how: Any
    ) -> None:
        command(file, _wanted(file, source=source, names=names, sets=sets), **how)

    return with_arguments


def _wanted(
    file: Path, *, source: str | None, names: tuple[str, ...], sets: tuple[str, ...]
) -> list[Request]:
    from summarizer.cli.terminal import notice
    from summarizer.drivers import questions
    from summarizer.errors import InputError
    from summarizer.evals.evaluate import wanted
    from summarizer.evals.sets import load_eval_set
    from summarizer.models.recordings import read_recordings
    from summarizer.prompts import load_prompt
    from summarizer.sources import read_listing

    if sets and source:
        raise InputError("--from and --set both say what is asked", hint="Leave one of them out")

    loaded = [load_eval_set(name) for name in sets]
    for eval_set in loaded:  # prune would drop all that another set asks
        if file.resolve() not in map(Path.resolve, eval_set.recordings):
            told = f"the set {eval_set.name!r} has no answers in this file"
            raise InputError(told, hint="Name a set that does", path=file)

    async def ask() -> list[Request]:
        recorded = read_recordings(file)
        if sets:
            asked = [await wanted(eval_set, recorded) for eval_set in loaded]
        else:
            listing = await read_listing(source or str(file.parent / _PAPERS), notice=notice)
            asked = [await questions(listing.papers, load_prompt(n), recorded) for n in names]
        return [question for every in asked for question in every]

    return asyncio.run(ask())


@recordings.command("show")
@_of_a_file
def show_(file: Path, wanted: list[Request], *, as_json: bool) -> None:
    """Show each recording, and whether it answers what is asked now."""
    from summarizer.cli.terminal import print_json, show, table
    from summarizer.models import upkeep
    from summarizer.models.recordings import read_recordings

    rows = upkeep.show(read_recordings(file), wanted)
    if as_json:
        print_json([row.model_dump(mode="json") for row in rows])
        return
    table(
        ["state", "paper and prompt", "sample", "model", "origin", "recorded"],
        [
            [r.state, r.label, f"{r.sample}", r.model, r.origin, f"{r.recorded_at:%Y-%m-%d}"]
            for r in rows
        ],
    )
    counts = Counter(row.state for row in rows)
    show(f"{file}: {', '.join(f'{n} {state}' for state, n in counts.items()) or 'empty'}")


@recordings.command()
@click.option(
    "--others", is_flag=True, help="Drop answers to other prompts and to further samples too."
)
@_of_a_file
def prune(file: Path, wanted: list[Request], *, others: bool, as_json: bool) -> None:
    """Drop the recordings that answer nothing that is asked now.

    A handwritten answer to an earlier wording of a prompt stays: `rekey` can move it.
    """
    from summarizer.cli.terminal import counted, print_json, show
    from summarizer.models import upkeep

    dropped = upkeep.prune(file, wanted, others=others)
    if as_json:
        print_json([{"label": r.label, "fingerprint": r.fingerprint} for r in dropped])
        return
    for recording in dropped:
        show(f"dropped  {recording.label}  ({recording.model})")
    show(f"{file}: {counted(len(dropped), 'recording')} dropped")


@recordings.command()
@_of_a_file
def rekey(file: Path, wanted: list[Request], *, as_json: bool) -> None:
    """Move handwritten answers to an edited prompt, paper by paper.

    Those of a model are not moved.
    """
    from summarizer.cli.terminal import counted, print_json, show
    from summarizer.models import upkeep

    moved = upkeep.rekey(file, wanted)
    if as_json:
        print_json(
            [
                {"label": m.after.label, "from": m.before.fingerprint, "to": m.after.fingerprint}
                for m in moved
            ]
        )
        return
    for move in moved:
        show(f"moved  {move.after.label}")
    show(f"{file}: {counted(len(moved), 'handwritten answer')} moved")
