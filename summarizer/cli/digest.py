"""`summarizer digest`: a day's papers into a day's digest."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from summarizer.errors import InputError

if TYPE_CHECKING:
    from summarizer.digest import Paper
    from summarizer.drivers import DayReport, Plan
    from summarizer.sources import Listing

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


class _Day(click.ParamType[dt.date]):
    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        try:
            # Python takes 20240112 and 2024-W02-5 too.
            return dt.datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 - a day
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as YYYY-MM-DD", param, ctx)


def _formats(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    from summarizer.formats import FORMATS

    names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
    for name in names:
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is no format; there are {', '.join(FORMATS)}")
    return names


@click.command()
@click.argument("date", required=False, type=_Day())
@click.option("--sample", is_flag=True, help="Make the shipped sample day: no key, no network.")
@click.option(
    "--from",
    "source",
    default="hf",
    show_default=True,
    metavar="SOURCE",
    help="Where papers come from: hf, arxiv:CATEGORY, arxiv:ids:A,B, a file, or - for stdin.",
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
    type=click.Path(path_type=Path, readable=False),
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
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Add every answer that this file of recordings lacks.",
)
@click.option(
    "--store",
    "store_path",
    type=click.Path(path_type=Path, readable=False),
    metavar="PATH",
    help="Where all answers are kept.  [default: in the user's data folder]",
)
@click.option("--no-store", is_flag=True, help="Keep no answers, and look none up.")
@click.option("--match", metavar="TEXT", help="Only papers with this text in title or abstract.")
@click.option("--author", metavar="NAME", help="Only papers of this author.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N papers.")
@click.option("--cross", is_flag=True, help="Of an arXiv listing, cross-listed papers too.")
@click.option("--replaced", is_flag=True, help="Of an arXiv listing, replaced papers too.")
@click.option(
    "--repairs",
    type=click.IntRange(min=0),
    metavar="N",
    help="How often a failed answer is asked for again.  [default: as the prompt says, else 2]",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    metavar="N",
    help="How many questions are under way at once.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show papers, tokens and estimated cost; ask nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def digest(
    ctx: click.Context,
    *,
    date: dt.date | None,
    sample: bool,
    source: str,
    prompt: str,
    model: str | None,
    out: Path,
    formats: tuple[str, ...],
    record: Path | None,
    store_path: Path | None,
    no_store: bool,
    match: str | None,
    author: str | None,
    limit: int | None,
    cross: bool,
    replaced: bool,
    repairs: int | None,
    concurrency: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the digest of a day (YYYY-MM-DD); without DATE, of the latest one.

    Papers that fail are named with their reason; then the day is written as DATE.partial.md and
    .json, and a digest that is there already stays as it is.
    """
    from summarizer.cli.terminal import notice, print_json, progress
    from summarizer.drivers import Plan, plan, regenerate_day
    from summarizer.models import open_model
    from summarizer.prompts import load_prompt
    from summarizer.sources import read_listing
    from summarizer.store import Store, default_path

    given = {name for name in ctx.params if ctx.get_parameter_source(name) is _COMMANDLINE}
    for one, other in (("sample", "date"), ("sample", "source"), ("store_path", "no_store")):
        if {one, other} <= given:
            raise click.UsageError(f"{_NAMES[one]} and {_NAMES[other]} contradict each other")
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
    keeps = not (no_store or spec.startswith("replay:") or (dry_run and not place.exists()))

    async def run() -> DayReport | Plan:
        # Before anything is fetched: a wrong name or a missing key needs no papers to be told.
        opened = None if dry_run else open_model(spec)
        listing = await read_listing(
            source, date=date, cross=cross, replaced=replaced, notice=notice
        )
        day, papers = _selected(listing, source, match=match, author=author, limit=limit)
        with Store(place) if keeps else nullcontext() as store:
            if opened is None:
                return plan(papers, prompt=asked, model=spec, store=store)
            try:
                with progress(f"{day}", len(papers)) as step:
                    return await regenerate_day(
                        day,
                        papers,
                        prompt=asked,
                        model=opened,
                        folder=out,
                        formats=formats,
                        repairs=repairs,
                        store=store,
                        record=record,
                        concurrency=concurrency,
                        done=lambda _: step(),
                    )
            finally:
                await opened.aclose()

    report = asyncio.run(run())
    if as_json:
        print_json(report.model_dump(mode="json"))
    elif isinstance(report, Plan):
        _show_plan(report)
    else:
        _show_report(report)
    if not isinstance(report, Plan):
        ctx.exit(report.exit_code)


def _sample() -> tuple[dt.date, str, str]:
    """The shipped day, its papers and the model that replays its answers."""
    from summarizer.shipped import SHIPPED

    folder = SHIPPED / "fixtures" / f"{SAMPLE}"
    return SAMPLE, str(folder / "papers.jsonl"), f"replay:{folder / 'recordings.jsonl'}"


def _selected(listing: Listing, source: str, **criteria: Any) -> tuple[dt.date, tuple[Paper, ...]]:
    """The day and the papers that are taken; says what is left out."""
    from summarizer.cli.terminal import notice
    from summarizer.sources import select

    papers, left_out = select(listing.papers, **criteria)
    if any(left_out.values()):
        counts = ", ".join(f"{count} by --{name}" for name, count in left_out.items() if count)
        notice(f"{len(papers)} of {len(listing.papers)} papers are taken; left out: {counts}")
    if not papers:
        raise InputError(f"no paper of {source} is left", hint="Select less, or another day")
    if listing.date is None:
        raise InputError(
            f"{source} does not say which day its papers are of",
            hint="Name the day: summarizer digest YYYY-MM-DD …",
        )
    return listing.date, papers


def _show_plan(plan: Plan) -> None:
    from summarizer.cli.terminal import show, table

    rows = [
        [paper.arxiv_id, paper.title, f"{paper.tokens:,}", paper.reason or paper.state]
        for paper in plan.papers
    ]
    table(["paper", "title", "tokens", ""], rows, numbers=[2])
    asked = sum(paper.state == "asked" for paper in plan.papers)
    usage, price = plan.estimate.usage, plan.estimate.price
    counted = "counted" if plan.estimate.exact else "estimated"
    cost = "price unknown" if price is None else f"about ${price:.4f}"
    show(
        f"{asked} of {len(plan.papers)} papers would be asked of {plan.model}: "
        f"{usage.prompt:,} tokens in ({counted}), about {usage.completion:,} out; "
        f"{cost if asked else 'nothing to pay'}"
    )


def _show_report(report: DayReport) -> None:
    from summarizer.cli.terminal import counted, notice, show

    for paper in report.papers:
        if paper.status in ("failed", "lost"):
            show(f"{paper.status}  {paper.arxiv_id}  {paper.title}\n        {paper.reason}")
    counts = ", ".join(f"{count} {status}" for status, count in report.counts.items())
    places = " and ".join(str(path) for path in report.files)
    show(f"{counted(len(report.papers), 'paper')} of {report.date}: {counts}")
    show(
        f"The digest lies in {places}" if not report.partial else f"What there is lies in {places}"
    )
    if report.asked or report.reused:
        spent = "price unknown" if report.spent is None else f"${report.spent:.4f} spent"
        notice(
            f"{report.model}: {counted(report.asked, 'call')}, "
            f"{counted(report.reused, 'answer')} from the store; "
            f"{report.tokens.prompt:,} tokens in, {report.tokens.completion:,} out; {spent}"
        )
