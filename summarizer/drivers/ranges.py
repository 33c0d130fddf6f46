"""A range of days: what of it is left to do, and one report for all of it."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING

from summarizer.archive import is_whole
from summarizer.disk import try_folder
from summarizer.drivers.days import Days
from summarizer.drivers.entries import Summaries
from summarizer.drivers.ledger import Ledger
from summarizer.drivers.reports import DayOutcome, RangeReport
from summarizer.errors import InputError, NoListing, NotYetListed, SummarizerError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
    from decimal import Decimal
    from pathlib import Path
    from typing import TypeAlias, Unpack

    from summarizer.digest import Entry
    from summarizer.drivers.asking import How
    from summarizer.drivers.days import Seen
    from summarizer.sources import Day

    Read: TypeAlias = Callable[[Iterable[dt.date]], AsyncGenerator[Day, None]]


class Progress:
    """How far a range is; read it whenever something is to be shown.

    Attributes:
        total: How many days are to be done.
        days: How many of them are.
        papers: How many papers have an entry, those of days under way included.
    """

    def __init__(self, total: int, summaries: Summaries) -> None:
        self.total = total
        self.days = 0
        self.papers = 0
        self._asking = summaries.asking

    @property
    def asked(self) -> int:
        """Calls to the model so far."""
        return self._asking.asked

    @property
    def tokens(self) -> int:
        """Tokens of all answers, in and out, those that came from the store included."""
        return self._asking.tokens.prompt + self._asking.tokens.completion

    @property
    def spent(self) -> Decimal | None:
        """US dollars so far; None where the price is not known."""
        return self._asking.spent


async def regenerate_range(
    dates: Iterable[dt.date],
    read: Read,
    *,
    folder: Path,
    formats: Sequence[str] = ("md", "json"),
    seen: Seen = "keep",
    only_failed: bool = False,
    watch: Callable[[Progress], None] = lambda _: None,
    **how: Unpack[How],
) -> RangeReport:
    """Summarise the papers of days, and write each day's digest as soon as it is complete.

    Papers of several days are under way at once; days are written in order. A day that cannot be
    read, or whose papers fail, is told and takes no other with it. What stops the model, the store
    or the disk ends the run; so does the first day that is not listed yet.

    Args:
        dates: The days, earliest first.
        read: Reads days, given the dates wanted: `sources.read_days`.
        folder: Where digests are written to.
        formats: In which formats.
        seen: What is done with papers that an earlier day of the folder has published.
        only_failed: Pass over days that are whole, keep the good entries of partial ones, and ask
            for an independent answer where the last one failed the checks.
        watch: Called at the beginning, and whenever a paper or a day is done.
        how: `prompt` and `model`, and what else `How` names.

    Raises:
        InputError: The arguments do not fit one another, the folder is a file, or the source has
            no days.
        DiskError: The folder cannot be written to.
        StoreError: The store cannot be read.
    """
    try_folder(folder)
    wanted = list(dates)
    asked_for = [date for date in wanted if not (only_failed and is_whole(folder, date))]
    summaries = Summaries(**how)
    ledger = Ledger(folder, how.get("store"))
    await ledger.catch_up()
    run = Days(
        summaries, ledger, folder=folder, formats=formats, seen=seen, only_failed=only_failed
    )
    progress = Progress(len(asked_for), summaries)
    watch(progress)
    days: list[DayOutcome] = []
    unlisted: list[dt.date] = []

    def done(_: Entry) -> None:
        progress.papers += 1
        watch(progress)

    stopped: SummarizerError | None = None
    try:
        async with aclosing(run.outcomes(read(asked_for), done)) as outcomes:
            async for outcome, error in outcomes:
                progress.days += 1
                watch(progress)
                if isinstance(error, NoListing):
                    unlisted.append(outcome.date)
                elif isinstance(error, NotYetListed):
                    stopped = error
                else:
                    days.append(_in_short(outcome))
    except SummarizerError as error:
        if isinstance(error, InputError) and not days:
            raise  # the same command will not get further either
        stopped = error
    stopped = summaries.stopped or stopped
    asking = summaries.asking
    return RangeReport(
        model=asking.name,
        days=tuple(days),
        unlisted=tuple(unlisted),
        passed_over=len(wanted) - len(asked_for),
        left=len(asked_for) - len(days) - len(unlisted),
        stopped=str(stopped) if stopped else None,
        ledger="store" if how.get("store") else "folder",
        counts=sum((Counter(day.counts) for day in days), start=Counter()),
        asked=asking.asked,
        reused=asking.reused,
        tokens=asking.tokens,
        spent=asking.spent,
        uncertain=asking.uncertain,
        exit_code=max([0, *(day.exit_code for day in days), stopped.exit_code if stopped else 0]),
    )


def _in_short(outcome: DayOutcome) -> DayOutcome:
    """Without the papers that are in the digest, so that years of days fit into memory."""
    told = tuple(paper for paper in outcome.papers if paper.status in _TOLD)
    return outcome.model_copy(update={"papers": told})


_TOLD = ("failed", "lost", "skipped")
