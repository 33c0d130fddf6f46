"""A run's answers by system and case, and their scores averaged.

Answers to one question are no independent cases: what is counted and compared is one figure a case.
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, TypeAlias

from summarizer.evals.changes import first_attempt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from summarizer.evals.runs import Result, Run, System

Answers: TypeAlias = "Mapping[str, Sequence[Result]]"
"""Case → its answers, in the order of their samples."""


def by_system(run: Run) -> dict[System, Answers]:
    """What each system answered; a case without any answer is not among its answers."""
    found: dict[System, dict[str, list[Result]]] = {result.system: {} for result in run.results}
    for result in sorted(run.results, key=lambda result: result.sample):
        if first_attempt(result):
            found[result.system].setdefault(result.case, []).append(result)
    return {**found}


def case_means(answers: Answers) -> dict[str, dict[str, float]]:
    """Score → case → mean over its answers; where a score does not apply, the case is left out."""
    found: dict[str, dict[str, list[float]]] = {}
    for case, results in answers.items():
        for result in results:
            for score in result.scores:
                if score.value is not None:
                    found.setdefault(score.name, {}).setdefault(case, []).append(score.value)
    return {
        name: {case: fmean(values) for case, values in cases.items()}
        for name, cases in found.items()
    }
