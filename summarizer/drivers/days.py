"""Days of papers into days of digests, one after another, while papers of several are under way."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from summarizer.archive import Account, prepare, read_partial, write_day
from summarizer.digest import Digest, Entry, Paper, Usage
from summarizer.drivers.ahead import ahead
from summarizer.drivers.entries import Again, Summaries, Unwritten, all_of
from summarizer.drivers.ledger import Ledger, published_in
from summarizer.drivers.reports import DayOutcome, DayReport
from summarizer.errors import InputError, RecordingMiss, SummarizerError
from summarizer.sources import Day

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path
    from typing import Unpack

    from summarizer.drivers.asking import How
    from summarizer.prompts import Prompt

Seen: TypeAlias = Literal["keep", "skip"]
"""What is done with a paper that an earlier day has published."""

_EXIT_CODES = {"findings": 1, "paper": 2, "unanswered": 3}
"""What each cause of a failed entry makes of a run; the higher wins."""

_DAYS_AHEAD = 2
"""How many days are read before their papers are begun."""

_SAMPLES = 100
"""How often a paper can be asked about anew."""


class Ended(NamedTuple):
    """Stands behind the papers of a day: they are all there, or the day has none."""

    date: dt.date
    skipped: tuple[Paper, ...] = ()
    error: SummarizerError | None = None


class Days:
    """One run over days: which papers of each are asked about, and what is written.

    Args:
        summaries: How papers are asked about.
        ledger: Which papers earlier days have published.
        folder: Where digests are written to.
        formats: In which formats.
        seen: What is done with papers that an earlier day has published.
        only_failed: Whether the good entries of a partial day stay as they are.
    """

    def __init__(
        self,
        summaries: Summaries,
        ledger: Ledger,
        *,
        folder: Path,
        formats: Sequence[str],
        seen: Seen,
        only_failed: bool = False,
    ) -> None:
        self._summaries = summaries
        self._ledger = ledger
        self._folder = folder
        self._formats = formats
        self._seen = seen
        self._only_failed = only_failed

    async def outcomes(
        self, days: AsyncGenerator[Day, None], done: Callable[[Entry], None]
    ) -> AsyncGenerator[tuple[DayOutcome, SummarizerError | None], None]:
        """Each day's outcome as soon as it is written, and the error that took its place.

        A day whose papers are not all answered when the run stops has no outcome.
        """
        entries: list[Entry] = []
        missing: list[Unwritten] = []
        papers = to_ask(
            self._prepared(days),
            self._ledger,
            self._summaries.prompt,
            folder=self._folder,
            seen=self._seen,
            only_failed=self._only_failed,
        )
        async with aclosing(self._summaries.entries(papers, done)) as items:
            async for item in items:
                if isinstance(item, Entry):
                    entries.append(item)
                elif isinstance(item, Unwritten):
                    missing.append(item)
                elif isinstance(item, Ended):
                    outcome = await self._end(item, entries, missing)
                    entries, missing = [], []
                    if outcome is not None:
                        yield outcome

    async def _prepared(self, days: AsyncGenerator[Day, None]) -> AsyncGenerator[Day, None]:
        """The days, with an error where one cannot be written: nothing is asked for it."""
        async with aclosing(days):
            async for day in days:
                error = day.error
                if error is None:
                    try:
                        prepare(self._folder, day.date)
                    except InputError as wrong:
                        error = wrong
                yield day if error is None else Day(day.date, error=error)

    async def _end(
        self, day: Ended, entries: Sequence[Entry], missing: Sequence[Unwritten]
    ) -> tuple[DayOutcome, SummarizerError | None] | None:
        if any(not isinstance(one.error, RecordingMiss) for one in missing):
            return None
        error = all_of(missing) if missing else day.error
        if error is None:
            try:
                return await self._write(day, entries), None
            except InputError as wrong:
                error = wrong
            except SummarizerError as fatal:
                self._summaries.stopped = self._summaries.stopped or fatal
                return None
        outcome = DayOutcome(date=day.date, reason=str(error), exit_code=error.exit_code)
        return outcome, error

    async def _write(self, day: Ended, entries: Sequence[Entry]) -> DayOutcome:
        papers = {paper.arxiv_id: paper for paper in (*(e.paper for e in entries), *day.skipped)}
        seen = self._ledger.earlier(papers, day.date)
        skipped: tuple[Account, ...] = ()
        if self._seen == "skip":  # also what was published since it was begun
            skipped = tuple(_skipped(papers[arxiv_id], date) for arxiv_id, date in seen.items())
            entries = [entry for entry in entries if entry.paper.arxiv_id not in seen]
        if skipped and not entries:
            return DayOutcome(
                date=day.date, papers=skipped, counts={"skipped": len(skipped)}, seen=seen
            )
        digest = Digest(
            date=day.date, language=self._summaries.prompt.language, entries=tuple(entries)
        )
        ids = {row.arxiv_id for row in skipped}
        written = await asyncio.to_thread(
            write_day, self._folder, digest, self._formats, skipped=ids
        )
        if not written.partial:
            await self._ledger.publish(day.date, published_in(digest))
        rows = (*written.accounts, *skipped)
        told = [entry.provenance for entry in entries if entry.provenance]
        codes = [_EXIT_CODES[entry.cause] for entry in entries if entry.cause]
        return DayOutcome(
            date=day.date,
            papers=rows,
            counts=Counter(row.status for row in rows),
            repaired=sum(e.status == "ok" and _is_repaired(e) for e in entries),
            seen=seen,
            files=written.paths,
            changed=written.changed,
            partial=written.partial,
            tokens=sum((provenance.tokens for provenance in told), start=Usage()),
            exit_code=max([*codes, 1 if written.lost else 0]),
        )


def _is_repaired(entry: Entry) -> bool:
    return entry.provenance is not None and len(entry.provenance.attempts) > 1


def _skipped(paper: Paper, published: dt.date) -> Account:
    return Account(
        arxiv_id=paper.arxiv_id,
        title=paper.title,
        status="skipped",
        reason=f"it was published on {published}",
    )


async def to_ask(
    days: AsyncGenerator[Day, None],
    ledger: Ledger,
    prompt: Prompt,
    *,
    folder: Path,
    seen: Seen,
    only_failed: bool,
) -> AsyncGenerator[Paper | Again | Entry | Ended, None]:
    """The papers of days that are asked about, entries that stay as they are, and each day's end.

    Raises:
        StoreError: The store is damaged or locked.
    """
    async with aclosing(ahead(days, _DAYS_AHEAD)) as read:
        async for day in read:
            if day.error is not None:
                yield Ended(day.date, error=day.error)
                continue
            try:
                partial = read_partial(folder, day.date) if only_failed else None
            except InputError as error:
                yield Ended(day.date, error=error)
                continue
            earlier = (
                ledger.earlier([paper.arxiv_id for paper in day.papers], day.date)
                if seen == "skip"
                else {}
            )
            asked = [paper for paper in day.papers if paper.arxiv_id not in earlier]
            for item in _resumed(asked, partial, prompt):
                yield item
            skipped = tuple(paper for paper in day.papers if paper.arxiv_id in earlier)
            yield Ended(day.date, skipped=skipped)


def _resumed(
    papers: Sequence[Paper], partial: Digest | None, prompt: Prompt
) -> list[Paper | Again | Entry]:
    """The papers of a day, with the good entries of a partial one in their places."""
    before = {entry.paper.arxiv_id: entry for entry in partial.entries} if partial else {}
    items: list[Paper | Again | Entry] = []
    for paper in papers:
        entry = before.pop(paper.arxiv_id, None)
        if entry is None:
            items.append(paper)
        elif entry.status == "ok":
            known = entry.paper if entry.paper.abstract else paper  # Markdown drops abstracts
            items.append(entry.model_copy(update={"paper": known}))
        else:
            items.append(Again(paper, _next_sample(entry, paper, prompt)))
    # What the source no longer lists stays, too.
    return items + [entry for entry in before.values() if entry.status == "ok"]


def _next_sample(failed: Entry, paper: Paper, prompt: Prompt) -> int:
    """Which independent answer is wanted, where the last one failed the checks."""
    if failed.cause != "findings" or failed.provenance is None:
        return 0
    asked = {attempt.fingerprint for attempt in failed.provenance.attempts}
    for sample in range(_SAMPLES):
        if prompt.render(paper, sample=sample).fingerprint in asked:
            return sample + 1
    return 0


async def regenerate_day(
    date: dt.date,
    papers: Sequence[Paper],
    *,
    folder: Path,
    formats: Sequence[str] = ("md", "json"),
    seen: Seen = "keep",
    done: Callable[[Entry], None] = lambda _: None,
    **how: Unpack[How],
) -> DayReport:
    """Summarise a day's papers and write its digest, whole or as partial files (`write_day`).

    The folder is tried before anything is asked.

    Args:
        folder: Where the digest is written to.
        formats: In which formats.
        seen: What is done with papers that an earlier day has published.
        done: Called with each entry as soon as it is there, in any order.
        how: `prompt` and `model`, and what else `How` names.

    Raises:
        SummarizerError: What `regenerate` and `write_day` raise.
    """
    summaries = Summaries(**how)
    ledger = Ledger(folder, how.get("store"))
    if seen == "skip":
        await ledger.catch_up()

    async def only() -> AsyncGenerator[Day, None]:
        yield Day(date, tuple(papers))

    run = Days(summaries, ledger, folder=folder, formats=formats, seen=seen)
    report: DayReport | None = None
    async with aclosing(run.outcomes(only(), done)) as outcomes:
        async for outcome, error in outcomes:
            if error is not None:
                raise error
            asking = summaries.asking
            report = DayReport(
                **dict(outcome),
                model=asking.name,
                asked=asking.asked,
                reused=asking.reused,
                spent=asking.spent,
                uncertain=asking.uncertain,
            )
    if report is None:
        raise summaries.stopped or AssertionError
    return report
