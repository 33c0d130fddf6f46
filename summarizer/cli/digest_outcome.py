"""What `summarizer digest` prints: plans, reports, and how far a range is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from summarizer.cli.terminal import counted, notice, table
from summarizer.cli.terminal import show as say
from summarizer.costs import UNESTIMATED
from summarizer.drivers import DayReport, Plan, RangePlan, RangeReport

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from summarizer.archive import Account
    from summarizer.costs import Estimate
    from summarizer.drivers import Progress
    from summarizer.drivers.reports import Spending

_NAMED = 5
"""How many days without papers are named."""


def show(report: DayReport | Plan | RangePlan | RangeReport) -> None:
    """Print what was done, or what would be."""
    match report:
        case Plan():
            _show_plan(report)
        case RangePlan():
            _show_range_plan(report)
        case DayReport():
            _show_day(report)
        case RangeReport():
            _show_range(report)


def counted_by(left_out: Mapping[str, int]) -> str:
    """How many papers each option has left out."""
    return ", ".join(f"{count} by --{name}" for name, count in left_out.items())


def describe(progress: Progress) -> Callable[[], str]:
    """What a range has cost so far, put into words when it is shown."""
    return lambda: f"{progress.tokens:,} tokens, {_dollars(progress.spent)}"


def _show_plan(plan: Plan) -> None:
    rows = [
        [paper.arxiv_id, paper.title, f"{paper.tokens:,}", paper.reason or paper.state]
        for paper in plan.papers
    ]
    table(["paper", "title", "tokens", ""], rows, numbers=[2])
    asked = sum(paper.state == "asked" for paper in plan.papers)
    _show_estimate(asked, len(plan.papers), plan.model, plan.estimate)


def _show_range_plan(plan: RangePlan) -> None:
    rows = [
        [
            f"{day.date}",
            f"{day.papers:,}",
            f"{day.at_hand:,}",
            f"{day.asked:,}",
            f"{day.estimate.usage.prompt + day.estimate.usage.completion:,}",
            _about(day.estimate.price),
            day.reason or _counts(failed=day.failed, skipped=day.skipped),
        ]
        for day in plan.days
    ]
    head = ["day", "papers", "at hand", "asked", "tokens", "price", ""]
    table(head, rows, numbers=range(1, 6))
    _show_days_left_out(plan.unlisted, plan.passed_over)
    asked, papers = sum(day.asked for day in plan.days), sum(day.papers for day in plan.days)
    _show_estimate(asked, papers, plan.model, plan.estimate)


def _show_estimate(asked: int, papers: int, model: str, estimate: Estimate) -> None:
    usage = estimate.usage
    way = "counted" if estimate.exact else "estimated"
    cost = _about(estimate.price)
    if estimate.price is not None and estimate.batch_price is not None:
        cost += f", {_about(estimate.batch_price)} in batches"
    say(
        f"{asked:,} of {papers:,} papers would be asked of {model}: "
        f"{usage.prompt:,} tokens in ({way}), about {usage.completion:,} out; "
        f"{cost if asked else 'nothing to pay'}"
    )
    if asked and estimate.price is not None:
        notice(f"The price is {UNESTIMATED}")


def _show_day(report: DayReport) -> None:
    _show_papers(report.papers)
    places = " and ".join(str(path) for path in report.files)
    say(f"{counted(len(report.papers), 'paper')} of {report.date}: {_counts(**report.counts)}")
    if places:
        say(f"{'What there is' if report.partial else 'The digest'} lies in {places}")
    _show_spending(report)


def _show_range(report: RangeReport) -> None:
    for day in report.days:
        if day.state != "unchanged" or day.papers:
            said = day.reason or _counts(**day.counts, repaired=day.repaired)
            say(f"{day.date}  {day.state}: {said}")
            _show_papers(day.papers)
    states = [day.state for day in report.days]
    days = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    say(f"{counted(len(states), 'day')}: {days}" if states else "No day was done")
    papers = sum(report.counts.values())
    repaired = sum(day.repaired for day in report.days)
    if papers:
        say(f"{counted(papers, 'paper')}: {_counts(**report.counts, repaired=repaired)}")
    _show_days_left_out(report.unlisted, report.passed_over)
    if seen := sum(len(day.seen) for day in report.days):
        says = "the store says" if report.ledger == "store" else "the folder's digests say"
        say(f"{counted(seen, 'paper')} had been published on an earlier day, as {says}")
    if report.stopped:
        notice(f"Error: {report.stopped}")
        notice(
            f"{counted(report.left, 'day')} left; the same command takes up where this one ended"
        )
    _show_spending(report)


def _show_papers(papers: Iterable[Account]) -> None:
    for paper in papers:
        if paper.status in ("failed", "lost", "skipped"):
            say(f"{paper.status}  {paper.arxiv_id}  {paper.title}\n        {paper.reason}")


def _show_days_left_out(unlisted: Sequence[dt.date], passed_over: int) -> None:
    if unlisted:
        names = ", ".join(map(str, unlisted[:_NAMED]))
        more = ", …" if len(unlisted) > _NAMED else ""
        say(f"{counted(len(unlisted), 'day')} without papers: {names}{more}")
    if passed_over:
        say(f"{counted(passed_over, 'day')} passed over, being whole")


def _show_spending(report: Spending) -> None:
    if report.asked or report.reused or report.spent != 0:  # a batch may be of an earlier run
        spent = _dollars(report.spent)
        lost = f" and up to ${report.uncertain:.4f} lost" if report.uncertain else ""
        notice(
            f"{report.model}: {counted(report.asked, 'call')}, "
            f"{counted(report.reused, 'answer')} from the store; "
            f"{report.tokens.prompt:,} tokens in, {report.tokens.completion:,} out; {spent}{lost}"
        )


def _counts(**counts: int) -> str:
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def _dollars(spent: Decimal | None) -> str:
    return "price unknown" if spent is None else f"${spent:.4f} spent"


def _about(price: Decimal | None) -> str:
    return "price unknown" if price is None else f"about ${price:.4f}"
