"""Two runs held against each other."""

from __future__ import annotations

import math
from statistics import fmean, stdev
from typing import TYPE_CHECKING, TypeVar

from summarizer.evals.averages import Answers, by_system, case_means
from summarizer.evals.changes import new_findings
from summarizer.evals.comparison import (
    Better,
    CaseComparison,
    Comparison,
    ScoreComparison,
    SystemComparison,
)
from summarizer.evals.matching import match_systems, refuse_other_scorers, shared_cases
from summarizer.evals.outcomes import with_outcomes
from summarizer.evals.runs import Result, Run, System, signature
from summarizer.evals.significance import intervals, p_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

T = TypeVar("T")


_DIGITS = 10
"""Rounding takes away what adding in another order leaves of equal means."""


def compare(a: Run, b: Run) -> Comparison:
    """Hold run b against run a.

    Raises:
        InputError: A scorer of the one has another signature than that of the other.
    """
    refuse_other_scorers(a.header, b.header)
    shared = shared_cases(a, b)
    answers_a, answers_b = by_system(a), by_system(b)
    matched = match_systems(answers_a, answers_b)
    better_a, better_b = _directions(a), _directions(b)
    names = {name: better for name, better in better_b.items() if name in better_a}
    return Comparison(
        a=a.header,
        b=b.header,
        signature_a=signature(a.header, len(a.cases)),
        signature_b=signature(b.header, len(b.cases)),
        systems=with_outcomes(
            [_compare_systems(x, y, answers_a[x], answers_b[y], shared, names) for x, y in matched]
        ),
        systems_a=_left(answers_a, (x for x, _ in matched)),
        systems_b=_left(answers_b, (y for _, y in matched)),
        only_a=_left((case.id for case in a.cases), shared),
        only_b=_left((case.id for case in b.cases), shared),
        scores_a=_left(better_a, names),
        scores_b=_left(better_b, names),
    )


def _left(every: Iterable[T], taken: Iterable[T]) -> tuple[T, ...]:
    known = set(taken)
    return tuple(one for one in every if one not in known)


def _directions(run: Run) -> dict[str, Better | None]:
    """Score → which way is better, in the order in which the run has them."""
    return {score.name: score.better for result in run.results for score in result.scores}


def _compare_systems(
    a: System,
    b: System,
    answers_a: Answers,
    answers_b: Answers,
    cases: Sequence[str],
    names: Mapping[str, Better | None],
) -> SystemComparison:
    """Two systems, before p-values are corrected."""
    answered = [case for case in cases if case in answers_a and case in answers_b]
    means_a, means_b = (
        case_means({case: answers[case] for case in answered}) for answers in (answers_a, answers_b)
    )
    columns = {name: _differences(means_a.get(name, {}), means_b.get(name, {})) for name in names}
    spans = intervals([list(column.values()) for column in columns.values()])
    scores = tuple(
        _compare_score(name, names[name], means_a[name], means_b[name], column, span)
        if column
        else ScoreComparison(name=name, better=names[name], cases=0)
        for (name, column), span in zip(columns.items(), spans, strict=True)
    )
    units = {
        score.name: math.hypot(*column.values())
        / math.sqrt(len(column))
        * (-1 if score.better == "lower" else 1)
        for score, column in zip(scores, columns.values(), strict=True)
        if score.better and score.p is not None
    }
    found = [
        _compare_case(case, answers_a[case], answers_b[case], columns, units) for case in answered
    ]
    return SystemComparison(
        a=a,
        b=b,
        scores=scores,
        cases=tuple(sorted(found, key=lambda case: -abs(case.moved))),
        unanswered=_left(cases, answered),
    )


def _mean(values: Iterable[float]) -> float:
    return round(fmean(values), _DIGITS)


def _differences(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    """Case → b − a."""
    return {case: round(b[case] - value, _DIGITS) for case, value in a.items() if case in b}


def _compare_score(
    name: str,
    better: Better | None,
    a: Mapping[str, float],
    b: Mapping[str, float],
    column: Mapping[str, float],
    interval: tuple[float, float] | None,
) -> ScoreComparison:
    values = list(column.values())
    higher, lower = sum(d > 0 for d in values), sum(d < 0 for d in values)
    return ScoreComparison(
        name=name,
        better=better,
        cases=len(values),
        mean_a=_mean(a[case] for case in column),
        mean_b=_mean(b[case] for case in column),
        difference=_mean(values),
        interval=interval,
        p=p_value(values) if higher or lower else None,
        wins=lower if better == "lower" else higher,
        losses=higher if better == "lower" else lower,
        ties=len(values) - higher - lower,
        spread=stdev(values) if len(values) > 1 else None,
    )


def _compare_case(
    case: str,
    a: Sequence[Result],
    b: Sequence[Result],
    columns: Mapping[str, Mapping[str, float]],
    units: Mapping[str, float],
) -> CaseComparison:
    differences = {name: column[case] for name, column in columns.items() if case in column}
    moved = sum(differences[name] / unit for name, unit in units.items() if name in differences)
    changed = [(x, y, new_findings(x, y), new_findings(y, x)) for x, y in zip(a, b, strict=False)]
    shown_a, shown_b, gained, lost = max(changed, key=lambda pair: len(pair[2]) + len(pair[3]))
    return CaseComparison(
        case=case,
        title=shown_b.entry.paper.title if shown_b.entry else case,
        a=shown_a,
        b=shown_b,
        differences=differences,
        moved=round(moved, _DIGITS),
        gained=tuple(gained),
        lost=tuple(lost),
    )
