"""Scorers that ask no check: what became of a case, what it took, and what the answer is like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from summarizer.digest import Summary, Usage
from summarizer.evals.runs import Score
from summarizer.evals.scorers import first_answer

if TYPE_CHECKING:
    from summarizer.digest import Entry
    from summarizer.evals.cases import Case
    from summarizer.evals.scorers import Figures


def ok(entry: Entry, case: Case) -> Figures:
    """1 for an entry that is published, 0 for one that failed."""
    del case
    return float(entry.status == "ok")


def attempts(entry: Entry, case: Case) -> Figures:
    """How many answers it took."""
    del case
    taken = len(entry.provenance.attempts) if entry.provenance else 0
    return (Score(name="attempts", value=taken, better="lower"),)


def repairs(entry: Entry, case: Case) -> Figures:
    """How many of them were asked for because of findings."""
    del case
    taken = len(entry.provenance.attempts) if entry.provenance else 0
    return (Score(name="repairs", value=max(0, taken - 1), better="lower"),)


def found(entry: Entry, case: Case) -> Figures:
    """Share of the findings that the case wants which its first answer was given."""
    wanted, there = case.wanted, first_answer(entry).findings
    kept = sum(one.is_in(there) for one in wanted)
    return kept / len(wanted) if wanted else None


def recall(entry: Entry, case: Case) -> Figures:
    """Share of the figures of results in the abstract that the first answer has."""
    from summarizer.checks.reading import Readings
    from summarizer.checks.results import results_recall

    del case
    summary = first_answer(entry).summary or Summary()
    basis = entry.provenance.basis if entry.provenance else "abstract"
    stated, kept = results_recall(Readings(entry.paper, summary, language="ko", basis=basis))
    return kept / stated if stated else None


def length(entry: Entry, case: Case) -> Figures:
    """How many characters (code points) and points the first answer has."""
    del case
    summary = first_answer(entry).summary or Summary()
    return (
        Score(name="length.characters", value=_characters(summary), better=None),
        Score(name="length.points", value=len(summary.points), better=None),
    )


def compression(entry: Entry, case: Case) -> Figures:
    """Characters of the first answer for one of the abstract."""
    del case
    summary = first_answer(entry).summary or Summary()
    abstract = entry.paper.abstract
    value = _characters(summary) / len(abstract) if abstract else None
    return (Score(name="compression", value=value, better=None),)


def tokens(entry: Entry, case: Case) -> Figures:
    """Tokens of all answers; nothing where the server did not say."""
    del case
    used = entry.provenance.tokens if entry.provenance else Usage()
    known = used != Usage()
    return [
        Score(name=f"tokens.{kind}", value=count if known else None, better=None)
        for kind, count in used.model_dump().items()
    ]


def cost(entry: Entry, case: Case) -> Figures:
    """US dollars at list price for all answers; nothing where tokens or price are not known."""
    from summarizer.costs import price

    del case
    asked = entry.provenance
    known = asked is not None and asked.tokens != Usage()
    dollars = price(asked.tokens, asked.model) if asked and known else None
    value = None if dollars is None else float(dollars)
    return (Score(name="cost", value=value, better="lower"),)


def _characters(summary: Summary) -> int:
    return sum(len(point.text) for point in summary.points)
