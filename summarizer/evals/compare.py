"""Two runs held against each other: score by score, and case by case."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from summarizer.digest import Finding, Value
from summarizer.evals.averages import Answers, by_system, case_means
from summarizer.evals.changes import Change, first_text, new_findings, word_diff
from summarizer.evals.matching import match_systems, refuse_other_scorers, shared_cases
from summarizer.evals.runs import Header, Result, Run, System, signature
from summarizer.evals.significance import (
    ALPHA,
    cases_needed,
    detectable,
    holm,
    intervals,
    p_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Outcome: TypeAlias = Literal["better", "worse", "no evidence"]
Better: TypeAlias = Literal["higher", "lower"]
T = TypeVar("T")

_DIGITS = 10
"""Rounding takes away what adding in another order leaves of equal means."""


class ScoreComparison(Value):
    """One score of two systems, over the cases in which both have it.

    Differences are b − a, each case's value being the mean of its repeats: cases are the units.

    Attributes:
        better: Which way is better; None for figures that only inform.
        cases: How many cases both have a value for; where there are none, the means are None.
        interval: 95 % bootstrap interval of the difference; None for fewer than six cases.
        p: Of the paired test, two-sided; None where no case differs, so that nothing can be tested.
        p_holm: The same after Holm's correction over all tested scores that have a better side;
            see `corrected`.
        outcome: Whether b is better, by `p_holm` < 0.05; None for figures that only inform.
        wins: Cases in which b is better (higher, for figures that only inform).
        spread: Standard deviation of the cases' differences; None for fewer than two cases.
        needed: Where there is no evidence, the cases it would take to find a difference of this
            size (power 0.8, corrected for the number of tests); None where it cannot be known.
        detectable: The smallest difference that this many cases would show (likewise); None where
            they are too few to show any.
    """

    name: str
    better: Better | None
    cases: int
    mean_a: float | None = None
    mean_b: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    p_holm: float | None = None
    outcome: Outcome | None = None
    wins: int = 0
    losses: int = 0
    ties: int = 0
    spread: float | None = None
    needed: int | None = None
    detectable: float | None = None

    @property
    def improved(self) -> bool:
        """Whether b's mean is on the better side of a's, by however little."""
        difference = self.difference or 0.0
        return difference < 0 if self.better == "lower" else difference > 0

    @property
    def verdict(self) -> str:
        """The same as `sentence` in a few words, beside the figures."""
        if self.outcome is None or self.p is None:
            return self.sentence
        return f"{self.outcome}: needs {self.needed:,} cases" if self.needed else self.outcome

    @property
    def sentence(self) -> str:
        """What the figures say of b, in a few plain words."""
        if self.difference is None:
            return "no case has this score in both runs"
        if self.p is None:
            return "the same in every case"
        size = abs(self.difference)
        if self.outcome in ("better", "worse"):
            return f"{self.outcome} by {figure(size)}"
        if self.outcome is None:
            return "higher" if self.difference > 0 else "lower" if self.difference < 0 else "equal"
        told = "no evidence of a difference"
        if self.needed:
            told += f": to see one of {figure(size)} takes about {self.needed:,} cases"
        if self.detectable:
            joint = ", and " if self.needed else ": "
            told += f"{joint}{self.cases:,} cases show one of {figure(self.detectable)} or more"
        return told


class CaseComparison(Value):
    """One case under two systems.

    Attributes:
        a: The answer that is shown: where a case was asked several times, of the pairs with the
            same number the one whose findings differ most.
        b: Likewise.
        differences: Score name → b − a, each the mean over repeats.
        moved: How far the case moved for the better (below zero: for the worse): the sum over all
            scores that have a better side, each in units of how far cases move in it (root mean
            square).
        gained: Findings on b's first answer, as the model gave it, that a's has not.
        lost: Findings on a's first answer that b's has not.
    """

    case: str
    title: str
    a: Result
    b: Result
    differences: dict[str, float]
    moved: float
    gained: tuple[Finding, ...] = ()
    lost: tuple[Finding, ...] = ()

    @property
    def text_a(self) -> str:
        """The points as a's model first gave them, one a line; empty where it gave none."""
        return first_text(self.a)

    @property
    def text_b(self) -> str:
        """The points as b's model first gave them, one a line; empty where it gave none."""
        return first_text(self.b)

    @property
    def diff(self) -> tuple[Change, ...]:
        """From `text_a` to `text_b`, word by word; worked out when it is asked for."""
        return word_diff(self.text_a, self.text_b)


class SystemComparison(Value):
    """Two systems: one prompt and model of each run.

    Attributes:
        cases: Those that moved most come first.
        unanswered: Ids of cases to which one of the two has no answer; they are not compared.
    """

    a: System
    b: System
    scores: tuple[ScoreComparison, ...]
    cases: tuple[CaseComparison, ...]
    unanswered: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What became of the scores that have a better side and differ in some case."""
        count = Counter(score.outcome for score in self.scores if score.better and score.p)
        real = [
            f"{number} {'is' if number == 1 else 'are'} {way}"
            for way in ("worse", "better")
            if (number := count[way])
        ]
        if not any(score.cases for score in self.scores):
            return "nothing could be compared"
        if not real:
            return "no evidence of a difference"
        told = f"of {count.total()} scores that differ {' and '.join(real)}"
        unclear = count["no evidence"]
        return f"{told}; no evidence of a difference in {unclear}" if unclear else told


class Comparison(Value):
    """Two runs held against each other.

    Attributes:
        a: How the first run was made (the baseline, where there is one).
        b: How the second was made.
        systems: What could be matched: the same prompt and model, or one against one.
        systems_a: Systems of a that nothing in b was matched with.
        systems_b: Systems of b that nothing in a was matched with.
        only_a: Ids of cases that only a has, or has with another text; they are not compared.
        only_b: Likewise.
        scores_a: Scores that only a has.
        scores_b: Scores that only b has.
    """

    a: Header
    b: Header
    signature_a: str
    signature_b: str
    systems: tuple[SystemComparison, ...]
    systems_a: tuple[System, ...] = ()
    systems_b: tuple[System, ...] = ()
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    scores_a: tuple[str, ...] = ()
    scores_b: tuple[str, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """What was not compared, and why, a sentence each."""
        told = []
        for run, systems, cases, scores in (
            ("before", self.systems_a, self.only_a, self.scores_a),
            ("now", self.systems_b, self.only_b, self.scores_b),
        ):
            named = [f"{system.prompt} with {system.model}" for system in systems]
            told += [f"only {run}: {one}" for one in named]
            if cases:
                told.append(f"only {run}, or with another text: {', '.join(cases)}")
            if scores:
                told.append(f"scored only {run}: {', '.join(scores)}")
        silent = [case for system in self.systems for case in system.unanswered]
        if silent:
            told.append(f"without an answer in one of the two: {', '.join(silent)}")
        return tuple(told)


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
        systems=_corrected(
            [_compare_systems(x, y, answers_a[x], answers_b[y], shared, names) for x, y in matched]
        ),
        systems_a=_left(answers_a, (x for x, _ in matched)),
        systems_b=_left(answers_b, (y for _, y in matched)),
        only_a=_left((case.id for case in a.cases), shared),
        only_b=_left((case.id for case in b.cases), shared),
        scores_a=_left(better_a, names),
        scores_b=_left(better_b, names),
    )


def figure(value: float, digits: int = 4) -> str:
    """A score as people read it: four significant digits at most."""
    told = f"{value:,.{digits}g}"
    return told if abs(float(told.replace(",", ""))) < 10**digits else f"{value:,.0f}"


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


def _corrected(systems: Sequence[SystemComparison]) -> tuple[SystemComparison, ...]:
    """Systems with what depends on how many scores are tested.

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
