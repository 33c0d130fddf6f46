"""What a run would ask and cost, found out without asking."""

from __future__ import annotations

import datetime as dt
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Literal

from summarizer.archive import is_whole
from summarizer.costs import Estimate, count_tokens, estimate
from summarizer.digest import Entry, Value
from summarizer.drivers.days import Ended, to_ask
from summarizer.drivers.entries import Again
from summarizer.drivers.ledger import Ledger
from summarizer.errors import NoListing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from summarizer.costs import Prices
    from summarizer.digest import Paper
    from summarizer.drivers.days import Seen
    from summarizer.drivers.ranges import Read
    from summarizer.models import Request
    from summarizer.prompts import Prompt
    from summarizer.store import Store


class PlannedPaper(Value):
    """One paper of a plan; `tokens` is 0 where nothing can be asked."""

    arxiv_id: str
    title: str
    tokens: int
    state: Literal["asked", "at hand", "failed", "skipped"]
    reason: str | None = None


class Plan(Value):
    """What a run would ask, found out without asking.

    Attributes:
        papers: Each with the tokens of its question, and whether its answer is at hand already or,
            where nothing can be asked or it is left out, why.
        estimate: Of the questions whose answers are not at hand.
    """

    model: str
    papers: tuple[PlannedPaper, ...]
    estimate: Estimate


class PlannedDay(Value):
    """One day of a plan for a range.

    Attributes:
        papers: How many papers it has, those left out included.
        asked: How many of them would be asked about.
        at_hand: How many are answered already.
        failed: Of how many nothing can be asked.
        skipped: How many are left out, since an earlier day has published them.
        reason: Why the day cannot be read.
    """

    date: dt.date
    papers: int = 0
    asked: int = 0
    at_hand: int = 0
    failed: int = 0
    skipped: int = 0
    estimate: Estimate = Estimate()
    reason: str | None = None


class RangePlan(Value):
    """What a run over days would ask.

    Attributes:
        days: Those that the source has papers of, or fails to read.
        unlisted: Days of which the source has no papers.
        passed_over: How many days are whole already and would not be asked for.
        estimate: Of all days together.
        exit_code: The highest of the days that cannot be read, as a run would end for them.
    """

    model: str
    days: tuple[PlannedDay, ...]
    unlisted: tuple[dt.date, ...]
    passed_over: int
    estimate: Estimate
    exit_code: int


async def plan(
    date: dt.date,
    papers: Sequence[Paper],
    *,
    prompt: Prompt,
    model: str,
    store: Store | None,
    folder: Path,
    prices: Prices | None = None,
    seen: Seen = "keep",
) -> Plan:
    """What `regenerate_day` would ask and cost; nothing is asked, and nothing written.

    Args:
        model: The model's spec. A replay has all answers at hand, or says what it lacks when it
            runs.
        prices: What is known better than list prices.

    Raises:
        SummarizerError: The folder or the store cannot be read.
    """
    ledger = Ledger(folder, None)
    if seen == "skip":
        await ledger.catch_up()
    earlier = ledger.earlier([paper.arxiv_id for paper in papers], date)
    planned = [
        (_plan_skipped(paper, earlier[paper.arxiv_id]), None)
        if paper.arxiv_id in earlier
        else _plan_paper(paper, 0, prompt=prompt, model=model, store=store, questions=set())
        for paper in papers
    ]
    requests = [request for _, request in planned if request]
    return Plan(
        model=model,
        papers=tuple(paper for paper, _ in planned),
        estimate=estimate(requests, model, prices=prices),
    )


async def plan_range(
    dates: Iterable[dt.date],
    read: Read,
    *,
    prompt: Prompt,
    model: str,
    store: Store | None,
    folder: Path,
    prices: Prices | None = None,
    seen: Seen = "keep",
    only_failed: bool = False,
) -> RangePlan:
    """What `regenerate_range` would ask and cost; nothing is asked, and nothing written.

    Raises:
        SummarizerError: The source or the store cannot be read.
    """
    wanted = list(dates)
    asked_for = [date for date in wanted if not (only_failed and is_whole(folder, date))]
    ledger = Ledger(folder, None)
    if seen == "skip":
        await ledger.catch_up()
    questions: set[str] = set()
    planned = partial(_plan_paper, prompt=prompt, model=model, store=store, questions=questions)
    days: list[PlannedDay] = []
    unlisted: list[dt.date] = []
    asked: list[tuple[PlannedPaper, Request | None]] = []
    kept = exit_code = 0
    items = to_ask(
        read(asked_for), ledger, prompt, folder=folder, seen=seen, only_failed=only_failed
    )
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Entry):
                kept += 1
            elif not isinstance(item, Ended):
                paper, sample = item if isinstance(item, Again) else (item, 0)
                asked.append(planned(paper, sample))
            elif isinstance(item.error, NoListing):
                unlisted.append(item.date)
            else:
                if item.error:
                    exit_code = max(exit_code, item.error.exit_code)
                if seen == "skip":  # as if every answer were right
                    there = [paper.arxiv_id for paper, _ in asked if paper.state != "failed"]
                    await ledger.publish(item.date, there)
                cost = estimate([one for _, one in asked if one], model, prices=prices)
                days.append(_plan_day(item, [paper for paper, _ in asked], kept, cost))
                asked, kept = [], 0
    return RangePlan(
        model=model,
        days=tuple(days),
        unlisted=tuple(unlisted),
        passed_over=len(wanted) - len(asked_for),
        estimate=sum((day.estimate for day in days), start=Estimate()),
        exit_code=exit_code,
    )


def _plan_day(end: Ended, asked: Sequence[PlannedPaper], kept: int, cost: Estimate) -> PlannedDay:
    states = [paper.state for paper in asked]
    return PlannedDay(
        date=end.date,
        papers=len(asked) + kept + len(end.skipped),
        asked=states.count("asked"),
        at_hand=states.count("at hand") + kept,
        failed=states.count("failed"),
        skipped=len(end.skipped),
        estimate=cost,
        reason=str(end.error) if end.error else None,
    )


def _plan_skipped(paper: Paper, published: dt.date) -> PlannedPaper:
    return PlannedPaper(
        arxiv_id=paper.arxiv_id,
        title=paper.title,
        tokens=0,
        state="skipped",
        reason=f"it was published on {published}",
    )


def _plan_paper(
    paper: Paper,
    sample: int,
    *,
    prompt: Prompt,
    model: str,
    store: Store | None,
    questions: set[str],
) -> tuple[PlannedPaper, Request | None]:
    """One paper, and what would be asked about it; `questions` are those that are asked already.

    A store answers the second of two equal questions, as when two days list one paper.
    """
    named = {"arxiv_id": paper.arxiv_id, "title": paper.title}
    if missing := prompt.missing(paper):
        reason = f"it has no {' and no '.join(missing)}"
        return PlannedPaper(**named, tokens=0, state="failed", reason=reason), None
    request = prompt.render(paper, sample=sample)
    tokens = count_tokens(request, model).tokens
    key = request.fingerprint
    if model.startswith("replay:") or (store and (key in questions or store.get(model, key))):
        return PlannedPaper(**named, tokens=tokens, state="at hand"), None
    questions.add(key)
    return PlannedPaper(**named, tokens=tokens, state="asked"), request
