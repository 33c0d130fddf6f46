"""Runs what `summarizer digest` was asked for: one day, or a range."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from summarizer.cli import INTERRUPTED
from summarizer.cli.digest_outcome import counted_by, describe
from summarizer.cli.interrupts import interruptible
from summarizer.cli.terminal import notice, progress, standing
from summarizer.drivers import plan, plan_range, regenerate_day, regenerate_range
from summarizer.errors import InputError
from summarizer.models import open_model
from summarizer.sources import read_days, read_listing, select
from summarizer.store import Store

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
    from decimal import Decimal
    from pathlib import Path

    from summarizer.cli.options import Span
    from summarizer.costs import Prices
    from summarizer.digest import Paper
    from summarizer.drivers import (
        DayReport,
        Engine,
        How,
        Plan,
        Progress,
        RangePlan,
        RangeReport,
        Seen,
    )
    from summarizer.prompts import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What was asked for on the command line."""

    source: str
    model: str
    prompt: Prompt
    store_path: Path | None
    prices: Prices | None
    dry_run: bool
    out: Path
    formats: tuple[str, ...]
    record: Path | None
    concurrency: int
    budget: Decimal | None
    engine: Engine
    match: str | None
    author: str | None
    limit: int | None
    cross: bool
    replaced: bool
    repairs: int | None
    seen: Seen
    only: str | None
    left_out: Counter[str] = field(default_factory=Counter)

    def run_day(self, date: dt.date | None) -> DayReport | Plan:
        """Make one day, the latest one where none is named."""
        with self._told_if_interrupted():
            return interruptible(self._day(date))

    def run_range(self, span: Span) -> RangeReport | RangePlan:
        """Make each day of a range; tells how far it is, also where it is interrupted."""
        seen: list[Progress] = []
        with self._told_if_interrupted(seen):
            report = interruptible(self._range(span, seen))
        if self.left_out:
            notice(f"Papers left out: {counted_by(self.left_out)}")
        return report

    @contextmanager
    def _told_if_interrupted(self, seen: Sequence[Progress] | None = None) -> Iterator[None]:
        """Say where a run stands that is interrupted, and how it goes on.

        Args:
            seen: How far a range is; None for a day.
        """
        try:
            yield
        except KeyboardInterrupt:
            notice(self._interrupted(seen))
            raise click.exceptions.Exit(INTERRUPTED) from None

    def _interrupted(self, seen: Sequence[Progress] | None) -> str:
        kept = self.store_path is not None or self.model.startswith("replay:")
        if seen is None:
            if not kept:
                return "Interrupted; no answer is kept without a store"
            done = ""
        elif seen and seen[-1].days:
            done = f": {seen[-1].days} of {seen[-1].total} days are done"
        else:
            done = ": no day is done yet"
        again = "the same command" if kept else "the same command with --only failed"
        return f"Interrupted{done}; {again} takes up where this one stopped"

    async def _day(self, date: dt.date | None) -> DayReport | Plan:
        async with self._asked() as how:
            listing = await read_listing(
                self.source, date=date, cross=self.cross, replaced=self.replaced, notice=notice
            )
            papers = self._selected(listing.papers)
            if self.left_out:
                taken = f"{len(papers)} of {len(listing.papers)} papers are taken"
                notice(f"{taken}; left out: {counted_by(self.left_out)}")
            if not papers:
                raise InputError(
                    f"no paper of {self.source} is left", hint="Select less, or another day"
                )
            if listing.date is None:
                raise InputError(
                    f"{self.source} does not say which day its papers are of",
                    hint="Name the day: summarizer digest YYYY-MM-DD …",
                )
            with self._store() as store:
                if how is None:
                    return await plan(
                        listing.date,
                        papers,
                        prompt=self.prompt,
                        model=self.model,
                        store=store,
                        folder=self.out,
                        prices=self.prices,
                        seen=self.seen,
                    )
                how["store"] = store
                with progress(f"{listing.date}", len(papers)) as step:
                    return await regenerate_day(
                        listing.date,
                        papers,
                        folder=self.out,
                        formats=self.formats,
                        seen=self.seen,
                        done=lambda _: step(),
                        **how,
                    )

    async def _range(self, span: Span, seen: list[Progress]) -> RangeReport | RangePlan:
        read = partial(
            read_days,
            self.source,
            keep=self._selected,
            cross=self.cross,
            replaced=self.replaced,
            notice=notice,
        )
        where: dict[str, Any] = {
            "folder": self.out,
            "seen": self.seen,
            "only_failed": self.only == "failed",
        }
        async with self._asked() as how:
            with self._store() as store:
                if how is None:
                    return await plan_range(
                        span.dates,
                        read,
                        prompt=self.prompt,
                        model=self.model,
                        store=store,
                        prices=self.prices,
                        **where,
                    )
                how["store"] = store
                with standing() as show:

                    def watch(progress: Progress) -> None:
                        seen[:] = [progress]
                        show(progress.days, progress.total, progress.papers, describe(progress))

                    return await regenerate_range(
                        span.dates,
                        read,
                        formats=self.formats,
                        watch=watch,
                        **where,
                        **how,
                    )

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[How | None]:
        """How papers are asked about; None where nobody is asked.

        Before anything is fetched: a wrong name or a missing key needs no papers to be told.
        """
        if self.dry_run:
            yield None
            return
        model = open_model(self.model)
        try:
            yield {
                "prompt": self.prompt,
                "model": model,
                "repairs": self.repairs,
                "record": self.record,
                "concurrency": self.concurrency,
                "engine": self.engine,
                "budget": self.budget,
                "prices": self.prices,
            }
        finally:
            await model.aclose()

    def _store(self) -> Store | nullcontext[None]:
        return Store(self.store_path) if self.store_path else nullcontext()

    def _selected(self, papers: Iterable[Paper]) -> tuple[Paper, ...]:
        """The papers that are taken; counts those left out, by what left them out."""
        kept, left_out = select(papers, match=self.match, author=self.author, limit=self.limit)
        self.left_out.update({name: count for name, count in left_out.items() if count})
        return kept
