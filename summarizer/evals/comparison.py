"""What a comparison of two runs says: score by score, and case by case."""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeAlias

from summarizer.digest import Finding, Value
from summarizer.evals.changes import Change, first_text, word_diff
from summarizer.evals.runs import Header, Result, System

Outcome: TypeAlias = Literal["better", "worse", "no evidence"]
Better: TypeAlias = Literal["higher", "lower"]


class ScoreComparison(Value):
    """One score of two systems, over the cases in which both have it.

    Differences are b − a, each case's value being the mean of its repeats: cases are the units.

    Attributes:
        better: Which way is better; None for figures that only inform.
        cases: How many cases both have a value for; where there are none, the means are None.
        interval: 95 % bootstrap interval of the difference; None for fewer than six cases.
        p: Of the paired test, two-sided; None where no case differs, so that nothing can be tested.
        p_holm: The same after Holm's correction over all tested scores that have a better side
            (`summarizer.evals.outcomes`).
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
        if not any(score.cases for score in self.scores):
            return "nothing could be compared"
        tested = [score for score in self.scores if score.better and score.p is not None]
        count = Counter(score.outcome for score in tested)
        real = [
            f"{number} {'is' if number == 1 else 'are'} {way}"
            for way in ("worse", "better")
            if (number := count[way])
        ]
        if real:
            if len(tested) == 1:
                return f"the one score that differs is {tested[0].outcome}"
            told = f"of {len(tested)} scores that differ, {' and '.join(real)}"
            unclear = count["no evidence"]
            return f"{told}; no evidence of a difference in {unclear}" if unclear else told
        if tested and all(score.detectable is None for score in tested):
            return f"no evidence of a difference: too few cases to show one ({len(self.cases)})"
        return "no evidence of a difference"


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


def figure(value: float, digits: int = 4) -> str:
    """A score as people read it: four significant digits at most."""
    told = f"{value:,.{digits}g}"
    return told if abs(float(told.replace(",", ""))) < 10**digits else f"{value:,.0f}"
