"""Which differences are real, where many scores are tested together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from summarizer.evals.significance import ALPHA, cases_needed, detectable, holm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from summarizer.evals.comparison import ScoreComparison, SystemComparison


def with_outcomes(systems: Sequence[SystemComparison]) -> tuple[SystemComparison, ...]:
    """Systems with their scores' outcomes, which depend on how many scores are tested.

    A score in which no case differs could not have been called real, so it does not count (Tarone
    1990).
    """
    tested = [(of, s) for of in systems for s in of.scores if s.better and s.p is not None]
    found, tests = corrected(tested)
    ps, alpha = iter(found), ALPHA / max(1, tests)

    def with_correction(score: ScoreComparison) -> ScoreComparison:
        found: dict[str, object] = {}
        if score.spread is not None:
            found["detectable"] = detectable(score.cases, score.spread, alpha=alpha)
        if score.better:
            found["outcome"] = "no evidence"
            if score.p is not None:
                found["p_holm"] = p = next(ps)
                if p < ALPHA:
                    found["outcome"] = "better" if score.improved else "worse"
                elif score.spread is not None and score.difference:
                    found["needed"] = cases_needed(score.difference, score.spread, alpha=alpha)
        return score.model_copy(update=found)

    return tuple(
        system.model_copy(update={"scores": tuple(map(with_correction, system.scores))})
        for system in systems
    )


def corrected(
    tested: Sequence[tuple[SystemComparison, ScoreComparison]],
) -> tuple[list[float], int]:
    """The p-values of these scores after Holm's correction, and for how many tests it corrects.

    Scores that moved in one proportion in every case, as a check's `errors` and `error_rate` do
    where no answer has two errors, are one test: whatever signs chance gives the cases, it finds
    both or neither.
    """
    tests = [_moves(*one) for one in tested]
    ps = {test: score.p or 0.0 for test, (_, score) in zip(tests, tested, strict=True)}
    found = dict(zip(ps, holm([*ps.values()]), strict=True))
    return [found[test] for test in tests], len(ps)


def _moves(system: SystemComparison, score: ScoreComparison) -> tuple[object, ...]:
    """Which cases moved, and in what proportion: the same for scores that are one test."""
    moved = [(c.case, d) for c in system.cases if (d := c.differences.get(score.name))]
    return (system.a, system.b, *((case, round(d / moved[0][1], 6)) for case, d in moved))
