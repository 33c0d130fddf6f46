"""`summarizer digest`: papers into a digest for each day."""

from __future__ import annotations

import datetime as dt
import os
import sys
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from summarizer.cli.options import PATH, Days, Span, of_answers, of_money
from summarizer.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_COMMANDLINE = ParameterSource.COMMANDLINE
_NAMES = {
    "sample": "--sample",
    "date": "DATE",
    "source": "--from",
    "store_path": "--store",
    "no_store": "--no-store",
}

SAMPLE = dt.date(2024, 1, 12)
"""The day that is shipped, with its recorded answers."""


def _formats(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    from summarizer.formats import FORMATS

    names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
    for name in names:
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is no format; there are {', '.join(FORMATS)}")
    return names


@click.command()
@click.argument("date", required=False, type=Days(), metavar="[DATE|FIRST..LAST]")
@click.option("--sample", is_flag=True, help="Make the shipped sample day: no key, no network.")
@click.option(
    "--from",
    "source",
    default="hf",
    show_default=True,
    metavar="SOURCE",
    help="hf, arxiv:CATEGORY, arxiv:ids:A,B, a file, a folder of days, or - for stdin.",
)
@click.option(
    "--prompt",
    default="digest-ko",
    show_default=True,
    metavar="NAME|FILE",
    help="What is asked about each paper.",
)
@click.option(
    "--model",
    envvar="SUMMARIZER_MODEL",
    show_envvar=True,
    metavar="SPEC",
    help="Who is asked: openai:MODEL, replay:FILE or langchain:MODULE:CLASS.",
)
@click.option(
    "--out",
    default="digests",
    show_default=True,
    type=PATH,
    metavar="DIR",
    help="The folder to write to.",
)
@click.option(
    "--format",
    "formats",
    default="md,json",
    show_default=True,
    callback=_formats,
    metavar="NAMES",
    help="The formats to write.",
)
@click.option(
    "--record",
    type=PATH,
    metavar="FILE",
    help="Add every answer that this file of recordings lacks.",
)
@of_answers
@of_money
@click.option(
    "--engine",
    type=click.Choice(["live", "batch"]),
    default="live",
    show_default=True,
    help="Ask with a call each, or through OpenAI's Batch API: half the price, within a day.",
)
@click.option("--match", metavar="TEXT", help="Only papers with this text in title or abstract.")
@click.option("--author", metavar="NAME", help="Only papers of this author.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only N papers a day.")
@click.option("--cross", is_flag=True, help="Of an arXiv listing, cross-listed papers too.")
@click.option("--replaced", is_flag=True, help="Of an arXiv listing, replaced papers too.")
@click.option(
    "--repairs",
    type=click.IntRange(min=0),
    metavar="N",
    help="How often a failed answer is asked for again.  [default: as the prompt says, else 2]",
)
@click.option(
    "--seen",
    type=click.Choice(["keep", "skip"]),
    default="keep",
    show_default=True,
    help="What is done with papers that an earlier day of the folder has published.",
)
@click.option(
    "--only",
    type=click.Choice(["failed"]),
    help="Of a range, only days that are not whole, and of these only papers that failed.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show papers, tokens and estimated cost; ask nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def digest(
    ctx: click.Context,
    /,
    *,
    date: dt.date | Span | None,
    sample: bool,
    source: str,
    prompt: str,
    model: str | None,
    store_path: Path | None,
    no_store: bool,
    prices_path: Path | None,
    dry_run: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Write the digest of a day, or of each day of a range.

    A day is written YYYY-MM-DD, a range as two days with .. between. Without DATE, the latest day
    is made.

    Papers that fail are named with their reason; then the day is written as DATE.partial.md and
    .json, and a digest that is there already stays as it is. A run that was interrupted goes on
    where it stopped when the same command is given again.
    """
    from summarizer.cli.digest_outcome import show
    from summarizer.cli.digest_run import Job
    from summarizer.cli.terminal import print_json
    from summarizer.costs import load_prices
    from summarizer.drivers import Plan
    from summarizer.prompts import load_prompt
    from summarizer.store import default_path

    given = {name for name in ctx.params if ctx.get_parameter_source(name) is _COMMANDLINE}
    for one, other in (("sample", "date"), ("sample", "source"), ("store_path", "no_store")):
        if {one, other} <= given:
            raise click.UsageError(f"{_NAMES[one]} and {_NAMES[other]} contradict each other")
    if how["only"] and not isinstance(date, Span):
        raise click.UsageError("--only failed takes a range of days: FIRST..LAST")
    asked = load_prompt(prompt)
    if sample:
        date, source, recorded = _sample()
        model = model if "model" in given else recorded
    spec = model or asked.model
    if spec is None:
        raise InputError(
            "no model is chosen",
            hint="Add --model openai:MODEL or set SUMMARIZER_MODEL; --sample needs neither",
        )
    place = store_path or default_path(os.environ, sys.platform)
    # What only looks makes no store.
    keeps = not (no_store or spec.startswith("replay:") or (dry_run and not _is_there(place)))
    job = Job(
        source=source,
        model=spec,
        prompt=asked,
        store_path=place if keeps else None,
        prices=load_prices(prices_path) if prices_path else None,
        dry_run=dry_run,
        **how,
    )
    report = job.run_range(date) if isinstance(date, Span) else job.run_day(date)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        show(report)
    if not isinstance(report, Plan):
        ctx.exit(report.exit_code)


def _is_there(store: Path) -> bool:
    try:
        return store.exists()
    except OSError:  # whoever opens it says why it cannot be used
        return True


def _sample() -> tuple[dt.date, str, str]:
    """The shipped day, its papers and the model that replays its answers."""
    from summarizer.shipped import SHIPPED

    folder = SHIPPED / "fixtures" / f"{SAMPLE}"
    return SAMPLE, str(folder / "papers.jsonl"), f"replay:{folder / 'recordings.jsonl'}"
