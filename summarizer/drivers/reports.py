"""What became of a day and of a range; money and counts stand here and never in an entry."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, computed_field

from summarizer.archive import Account
from summarizer.digest import Usage, Value


class Spending(Value):
    """What a run has asked and what that cost.

    Attributes:
        model: Who answered.
        asked: Calls to the model, retries included.
        reused: Answers that came from the store.
        tokens: Of all answers, reused ones included.
        spent: US dollars at list price for the answers that were not reused; None where the price
            is not known.
        uncertain: US dollars that calls without an answer may have cost beside, at most.
    """

    model: str
    asked: int
    reused: int
    tokens: Usage
    spent: Decimal | None
    uncertain: Decimal = Decimal(0)


class DayOutcome(Value):
    """What became of a day.

    Attributes:
        date: The day.
        papers: What became of each paper, in the order of the digest, lost and skipped ones last;
            in the report of a range only those that are not in the digest.
        counts: How many papers are new, kept, changed, failed, lost and skipped.
        repaired: How many of the papers in the digest were asked for more than once.
        seen: Papers that an earlier day has published, and that day.
        files: Where the day lies now: `DATE.partial.*` where papers failed or were lost.
        changed: Those of the files that were written; the others held the same bytes already.
        partial: Whether they are partial files beside an older digest, or instead of one.
        tokens: Of all answers, those that came from the store included.
        reason: Why the day has no outcome at all, and nothing was written.
        exit_code: 0 when every paper is in the digest, else the cause that weighs most.
    """

    date: dt.date
    papers: tuple[Account, ...] = ()
    counts: Mapping[str, int] = Field(default_factory=Counter)
    repaired: int = 0
    seen: Mapping[str, dt.date] = Field(default_factory=dict)
    files: tuple[Path, ...] = ()
    changed: tuple[Path, ...] = ()
    partial: bool = False
    tokens: Usage = Usage()
    reason: str | None = None
    exit_code: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def state(self) -> Literal["failed", "partial", "written", "unchanged"]:
        """The day in one word."""
        if self.reason is not None:
            return "failed"
        if self.partial:
            return "partial"
        return "written" if self.changed else "unchanged"


class DayReport(DayOutcome, Spending):
    """What a run did for one day."""


class RangeReport(Spending):
    """What a run did for a range of days.

    Attributes:
        days: The days that have an outcome, earliest first.
        unlisted: Days of which the source has no papers.
        passed_over: How many days were whole already and were not asked for.
        left: How many days have no outcome yet, because the run ended before.
        stopped: What ended the run before its end.
        ledger: Where it says which papers earlier days have published.
        counts: How many papers of all days are new, kept, changed, failed, lost and skipped.
        exit_code: The highest of all days, and of what ended the run.
    """

    days: tuple[DayOutcome, ...]
    unlisted: tuple[dt.date, ...] = ()
    passed_over: int = 0
    left: int = 0
    stopped: str | None = None
    ledger: Literal["store", "folder"]
    counts: Mapping[str, int]
    exit_code: int
