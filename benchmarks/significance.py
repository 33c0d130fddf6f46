"""How often the comparison of two runs is wrong, and how often it finds what is there.

    python benchmarks/significance.py

A/A: both runs come from one distribution, so that whatever is called real is false. Each case has a
level of its own, and answers vary around it; four scores: one like chrF, one a rate that is mostly
zero, its opposite, which always moves alike, and one very skew. A comparison is false when any of
its scores is called better or worse.
Power: one score is moved by a planted difference. Numbers are drawn from fixed seeds.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
import time

from summarizer.digest import Attempt, Entry, Paper, Provenance, Summary
from summarizer.evals.cases import Case
from summarizer.evals.compare import compare
from summarizer.evals.runs import Header, Result, Run, Score, System
from summarizer.evals.significance import ALPHA, cases_needed, intervals, p_value

COMPARISONS = 200

SYSTEM = System(prompt="p", model="m")
SUMMARY = Summary(points=["x"])

Answers = list[list[dict[str, float]]]
"""Case → answer → score → value."""


def answer(level: float, chance: random.Random) -> dict[str, float]:
    """One answer of the one distribution, to a case of this level (0 to 1)."""
    chrf, wrong = 40 + 20 * level + chance.gauss(0, 4), float(chance.random() < 0.3 * level)
    return {
        "chrf": chrf,
        "errors": wrong,
        "clean": 1 - wrong,
        "tokens": 500 * level + chance.expovariate(1 / 200) ** 1.5,
    }


def halves(cases: int, repeats: int, chance: random.Random) -> tuple[Answers, Answers]:
    """Answers to each case, dealt at random to two runs."""
    a: Answers = []
    b: Answers = []
    for _ in range(cases):
        level = chance.random()
        drawn = [answer(level, chance) for _ in range(2 * repeats)]
        chance.shuffle(drawn)
        a.append(drawn[:repeats])
        b.append(drawn[repeats:])
    return a, b


def run_of(answers: Answers) -> Run:
    """A run that holds these answers' scores."""
    header = Header(
        set="aa",
        set_hash="",
        prompts={"p": ""},
        models=("m",),
        scorers={},
        repeats=len(answers[0]),
        version="",
        started_at=dt.datetime(2024, 1, 12, tzinfo=dt.UTC),
    )
    cases = tuple(Case(id=str(number), input="x") for number in range(len(answers)))
    provenance = Provenance(
        prompt="p", prompt_hash="", model="m", attempts=(Attempt(fingerprint="", summary=SUMMARY),)
    )
    return Run(
        header=header,
        cases=cases,
        results=tuple(
            Result(
                case=case.id,
                system=SYSTEM,
                sample=sample,
                entry=Entry(
                    paper=Paper(arxiv_id=case.id, title="x"), summary=SUMMARY, provenance=provenance
                ),
                scores=tuple(Score(name=name, value=value) for name, value in scores.items()),
            )
            for case, several in zip(cases, answers, strict=True)
            for sample, scores in enumerate(several)
        ),
    )


def copied(answers: Answers, times: int) -> Answers:
    """The same answers, each counted several times."""
    return [several * times for several in answers]


def false_alarms(cases: int, repeats: int, copies: int) -> float:
    """The share of A/A comparisons in which a difference is called real."""
    chance = random.Random(f"{cases} {repeats}")
    false = 0
    for _ in range(COMPARISONS):
        a, b = (run_of(copied(half, copies)) for half in halves(cases, repeats, chance))
        (system,) = compare(a, b).systems
        false += any(score.outcome in ("better", "worse") for score in system.scores)
    return false / COMPARISONS


def copies_as_cases(cases: int, copies: int) -> float:
    """What the test would say, were copies of one answer counted as cases of their own."""
    chance = random.Random(f"{cases} 1")
    false = 0
    for _ in range(COMPARISONS):
        a, b = halves(cases, 1, chance)
        values = [y[0]["chrf"] - x[0]["chrf"] for x, y in zip(a, b, strict=True)]
        false += p_value(values * copies) < ALPHA
    return false / COMPARISONS


def found(cases: int, size: float) -> float:
    """The share of comparisons that find a difference of `size` standard deviations."""
    chance = random.Random(f"{cases} {size}")
    drawn = ([chance.gauss(size, 1) for _ in range(cases)] for _ in range(COMPARISONS))
    return sum(p_value(values) < ALPHA for values in drawn) / COMPARISONS


def covered(cases: int) -> float:
    """The share of intervals that hold the true mean; they should be 95 %."""
    chance = random.Random(f"{cases}")
    columns = [[chance.gauss(1, 2) for _ in range(cases)] for _ in range(COMPARISONS)]
    spans = [span for span in intervals(columns) if span]
    return sum(low <= 1 <= high for low, high in spans) / len(spans)


def main() -> int:
    """Print the figures; 1 where a false difference was called real too often."""
    began = time.perf_counter()
    print(f"A/A: {COMPARISONS} comparisons of random halves of one distribution, four scores each")
    print("cases  answers  copies  called real")
    shares = []
    for cases, repeats, copies in ((12, 1, 1), (24, 1, 1), (24, 1, 5), (24, 3, 1), (48, 1, 1)):
        shares.append(false_alarms(cases, repeats, copies))
        print(f"{cases:5}  {repeats:7}  {copies:6}  {shares[-1]:11.1%}")
    print(f"   24        1       5  {copies_as_cases(24, 5):11.1%}  (were copies counted as cases)")
    print("\nPower: a difference of so many standard deviations of the cases' differences")
    print(" size  cases   found")
    for size in (0.3, 0.5, 1.0):
        needed = cases_needed(size, 1.0) or 0
        for cases in (needed // 2, needed, 2 * needed):
            mark = "  (as many as `cases_needed` says)" if cases == needed else ""
            print(f"{size:5}  {cases:5}  {found(cases, size):6.1%}{mark}")
    print("\nIntervals that hold the true mean (of 95 %)")
    for cases in (6, 12, 30, 100):
        print(f"{cases:5} cases  {covered(cases):6.1%}")
    print(f"\n{time.perf_counter() - began:.1f} s")
    return 0 if max(shares) <= ALPHA else 1


if __name__ == "__main__":
    sys.exit(main())
