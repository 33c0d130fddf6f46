"""The drivers: papers into entries, days into digests, and what became of each.

entries     papers into entries, several under way at once
days        days of papers into digests, written in order; one day
ranges      many days, and one report for all of them
plans       what a run would ask and cost
questions   what is asked about papers now
"""

from __future__ import annotations

from summarizer.drivers.asking import CONCURRENCY, Engine, How
from summarizer.drivers.days import Seen, regenerate_day
from summarizer.drivers.entries import regenerate
from summarizer.drivers.plans import Plan, RangePlan, plan, plan_range
from summarizer.drivers.questions import questions
from summarizer.drivers.ranges import Progress, regenerate_range
from summarizer.drivers.reports import DayOutcome, DayReport, RangeReport

__all__ = [
    "CONCURRENCY",
    "DayOutcome",
    "DayReport",
    "Engine",
    "How",
    "Plan",
    "Progress",
    "RangePlan",
    "RangeReport",
    "Seen",
    "plan",
    "plan_range",
    "questions",
    "regenerate",
    "regenerate_day",
    "regenerate_range",
]
