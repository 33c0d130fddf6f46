"""Gates: whether a run is good enough, and not really worse than the one that was accepted.

A threshold holds for the mean over cases. A drop against the baseline fails where the paired test
says that it is real, after Holm's correction over all gated scores; noise never fails.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from statistics import fmean
from typing import TYPE_CHECKING

from summarizer.checks import check_summary
from summarizer.digest import Finding, Value
from summarizer.errors import InputError
from summarizer.evals.averages import by_system, case_means
from summarizer.evals.changes import first_attempt, first_findings
from summarizer.evals.compare import compare
from summarizer.evals.comparison import Comparison, ScoreComparison, SystemComparison, figure
from summarizer.evals.outcomes import corrected
from summarizer.evals.runs import Result, Run, System, signature
from summarizer.evals.scorers import ALL, wanted_checks
from summarizer.evals.significance import ALPHA, cases_needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from summarizer.checks import Checks
    from summarizer.evals.averages import Answers
    from summarizer.evals.cases import Case
    from summarizer.evals.sets import EvalSet, Gate


class Culprit(Value):
    """A case, and why it made a gate fail.

    Attributes:
        sample: Which of the answers to the case.
        reason: One sentence.
        finding: On the first answer; its `point` is the place.
        fingerprint: Of the question; finds the answer in a recording.
    """

    case: str
    system: System
    sample: int
    reason: str
    finding: Finding | None = None
    fingerprint: str | None = None

    @property
    def place(self) -> str:
        """`2401.00001 point 2`, as people count."""
        point = self.finding.point if self.finding else None
        answer = f" answer {self.sample + 1}" if self.sample else ""
        return f"{self.case}{answer}" + ("" if point is None else f" point {point + 1}")


class Failure(Value):
    """A gate that failed.

    Attributes:
        gate: The score, or what else a run must have: `answers`, `scores`, `cases`.
        sentence: What was wanted, and what was.
        system: Whose; None for the whole run.
        line: Of the gate, in the set's file.
        culprits: The cases that made it fail, the worst first; none where no case alone did.
    """

    gate: str
    sentence: str
    system: System | None = None
    line: int = 1
    culprits: tuple[Culprit, ...] = ()


class Verdict(Value):
    """What the gates of a set say of a run.

    Attributes:
        signature: Of the run.
        notes: What could not be judged, or only in part.
        comparison: With the baseline, where there is one.
    """

    set: str
    signature: str
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    comparison: Comparison | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


def judge(eval_set: EvalSet, run: Run, baseline: Run | None = None) -> Verdict:
    """Hold a run against the gates of its set.

    A run in which a case got no first answer, a scorer raised or nothing was scored never passes.

    Args:
        eval_set: Whose gates; the run's own set, or the same set as a git ref has it.
        run: What is judged.
        baseline: The accepted run.

    Raises:
        InputError: The baseline was scored by another version of a scorer.
    """
    answers = by_system(run)
    comparison = _compare(eval_set, run, baseline)
    failures = [
        *_incomplete(run),
        *_not_passed(eval_set, run, answers),
        *_thresholds(eval_set, answers, whole=len(run.cases) >= len(eval_set.cases)),
        *(_drops(eval_set, comparison) if comparison else ()),
    ]
    return Verdict(
        set=run.header.set,
        signature=signature(run.header, len(run.cases)),
        failures=tuple(failures),
        notes=tuple(_notes(eval_set, run, comparison)),
        comparison=comparison,
    )


def _compare(eval_set: EvalSet, run: Run, baseline: Run | None) -> Comparison | None:
    try:
        return compare(baseline, run) if baseline else None
    except InputError as error:
        raise InputError(
            f"this baseline cannot be compared with the run: {error.message}",
            hint="If that is meant to be so, accept a new one: `summarizer eval accept RUN`",
            path=eval_set.baseline,
        ) from None


def _incomplete(run: Run) -> Iterator[Failure]:
    """What keeps any run from passing."""
    silent = [
        Culprit(case=case, system=system, sample=sample, reason="it was not asked yet")
        for case, system, sample in run.missing
    ]
    raised = []
    for result in run.results:
        if first_attempt(result) is None:
            reason = result.error or (result.entry and result.entry.reason) or "there is no answer"
            silent.append(_culprit(result, reason))
        elif result.error:
            raised.append(_culprit(result, result.error))
    if silent:
        asked = len(run.results) + len(run.missing)
        told = f"{len(silent)} of {asked} questions got no first answer"
        yield Failure(gate="answers", sentence=told, culprits=tuple(silent))
    if raised:
        told = f"{len(raised)} answers could not be scored in full"
        yield Failure(gate="scores", sentence=told, culprits=tuple(raised))
    if all(score.value is None for result in run.results for score in result.scores):
        yield Failure(gate="scores", sentence="nothing was scored")


def _not_passed(
    eval_set: EvalSet, run: Run, answers: Mapping[System, Answers]
) -> Iterator[Failure]:
    """Cases of which fewer answers are ok than the set wants."""
    repeats = run.header.repeats
    wanted = min(eval_set.passes or repeats, repeats)
    for system, own in answers.items():
        culprits: list[Culprit] = []
        failed = 0
        for case in run.cases:
            faults = [list(_faults(case, result)) for result in own.get(case.id, ())]
            if faults and sum(not fault for fault in faults) < wanted:
                failed += 1
                culprits += (culprit for fault in faults for culprit in fault)
        if failed:
            rule = f"{wanted} of {repeats} answers" if repeats > 1 else "the answer"
            told = f"{failed} of {len(run.cases)} cases did not pass: {rule} must be ok"
            yield Failure(gate="cases", sentence=told, system=system, culprits=tuple(culprits))


def _faults(case: Case, result: Result) -> Iterator[Culprit]:
    """Why an answer is not ok: findings that it should have been given, or why it failed."""
    there = first_findings(result)
    for one in case.wanted:
        if not one.is_in(there):
            place = "" if one.point is None else f" on point {one.point + 1}"
            yield _culprit(result, f"{one.check} should find something{place}, and did not")
    if not case.wanted and result.entry and result.entry.status == "failed":
        errors = [finding for finding in there if finding.severity == "error"]
        yield from (_culprit(result, error.message, error) for error in errors)
        if not errors:
            yield _culprit(result, result.entry.reason or "it failed")


def _thresholds(
    eval_set: EvalSet, answers: Mapping[System, Answers], *, whole: bool
) -> Iterator[Failure]:
    for system, own in answers.items():
        if not own:  # that is told already
            continue
        means = case_means(own)
        for gate in eval_set.gates:
            values = means.get(gate.score, {})
            if values or whole:
                checks = wanted_checks(gate.score.partition(".")[0], eval_set.scorers)
                yield from _threshold(gate, system, own, values, checks)


def _threshold(
    gate: Gate, system: System, answers: Answers, values: Mapping[str, float], checks: Checks
) -> Iterator[Failure]:
    """One gate of one system; `values` are the score's means by case, `checks` what it counts."""

    def failure(sentence: str, cases: Iterable[str] = ()) -> Failure:
        blamed = (_blamed(gate.score, answers[case], values[case], checks) for case in cases)
        found = (culprit for culprits in blamed for culprit in culprits)
        return Failure(
            gate=gate.score, sentence=sentence, system=system, line=gate.line, culprits=tuple(found)
        )

    if not values:
        yield failure(f"no case has the score {gate.score}")
        return
    mean = round(fmean(values.values()), 10)
    worst = sorted(values, key=values.__getitem__)
    if gate.min is not None and mean < gate.min:
        low = [case for case in worst if values[case] < gate.min]
        yield failure(f"{gate.score} is {_apart(mean, gate.min)}, less than {gate.min:g}", low)
    if gate.max is not None and mean > gate.max:
        high = [case for case in reversed(worst) if values[case] > gate.max]
        yield failure(f"{gate.score} is {_apart(mean, gate.max)}, more than {gate.max:g}", high)


def _apart(mean: float, limit: float) -> str:
    """A mean with as many digits as tell it from its limit."""
    return figure(mean) if figure(mean) != figure(limit) else f"{mean:.10g}"


_SEVERITY = {"errors": "error", "error_rate": "error", "warnings": "warning"}
"""Figures of a check that count findings of one severity only."""


def _counts(score: str, finding: Finding) -> bool:
    """Whether a finding is one of those that a check's score counts."""
    check, _, kind = score.partition(".")
    return check in (finding.check, ALL) and _SEVERITY.get(kind) in (None, finding.severity)


def _blamed(score: str, results: Sequence[Result], value: float, checks: Checks) -> list[Culprit]:
    """The findings that a score counts; where it counts none, the score itself."""
    for findings_of in (first_findings, partial(_unasked, checks)):
        found = [
            _culprit(result, finding.message, finding)
            for result in results
            for finding in findings_of(result)
            if _counts(score, finding)
        ]
        if found:
            return found
    reason = next((r.entry.reason for r in results if r.entry and r.entry.reason), None)
    return [_culprit(results[0], f"{score} is {figure(value)}" + (f": {reason}" if reason else ""))]


def _unasked(checks: Checks, result: Result) -> Sequence[Finding]:
    """What checks find in a first answer whose prompt has left them out, or set them otherwise."""
    attempt = first_attempt(result)
    if not checks or not result.entry or not attempt or not attempt.summary:
        return ()
    return check_summary(result.entry.paper, attempt.summary, checks=checks)


def _culprit(result: Result, reason: str, finding: Finding | None = None) -> Culprit:
    attempt = first_attempt(result)
    return Culprit(
        case=result.case,
        system=result.system,
        sample=result.sample,
        reason=reason,
        finding=finding,
        fingerprint=attempt.fingerprint if attempt else None,
    )


def _drops(eval_set: EvalSet, comparison: Comparison) -> Iterator[Failure]:
    """Scores that are really worse than the baseline's, by more than their gate allows."""
    lines = {gate.score: gate for gate in eval_set.gates}
    tested = [
        (system, score)
        for system in comparison.systems
        if not _is_guest(eval_set, system)
        for score in system.scores
        if score.name in lines and score.better and score.p is not None
    ]
    ps, _ = corrected(tested)
    for (system, score), p in zip(tested, ps, strict=True):
        gate = lines[score.name]
        size = abs(score.difference or 0.0)
        if p < ALPHA and not score.improved and size > (gate.drop or 0.0):
            yield Failure(
                gate=gate.score,
                sentence=f"{gate.score} is worse than the baseline by {figure(size)}, which is "
                f"more than chance (p = {p:.2g} after correction)"
                + (f"; {gate.drop:g} is allowed" if gate.drop else ""),
                system=system.b,
                line=gate.line,
                culprits=tuple(_worsened(score, system)),
            )


def _is_guest(eval_set: EvalSet, pair: SystemComparison) -> bool:
    """Whether another model than the set's was asked, which is shown beside the accepted one.

    To try it makes nothing worse; and where the accepted answers are the reference points, none
    could pass.
    """
    return pair.a.model != pair.b.model and pair.b.model not in eval_set.models


_FEWEST = cases_needed(1, 0) or 0
"""Cases with which the test can call any difference real."""


def _of_too_few_cases(eval_set: EvalSet, pair: SystemComparison) -> list[str]:
    """Gated scores of which no drop can fail, however large."""
    gated = {gate.score for gate in eval_set.gates}
    scores = [score for score in pair.scores if score.name in gated and score.better]
    return [score.name for score in scores if 0 < score.cases < _FEWEST]


def _worsened(score: ScoreComparison, system: SystemComparison) -> Iterator[Culprit]:
    """The cases that lost, the largest loss first."""
    sign = -1 if score.better == "lower" else 1
    losses = [(sign * case.differences.get(score.name, 0.0), case) for case in system.cases]
    for loss, case in sorted(losses, key=itemgetter(0)):
        if loss < 0:
            told = f"{score.name} is worse by {figure(-loss)}"
            gained = [finding for finding in case.gained if _counts(score.name, finding)]
            yield from (_culprit(case.b, finding.message, finding) for finding in gained)
            if not gained:
                yield _culprit(case.b, told)


def _notes(eval_set: EvalSet, run: Run, comparison: Comparison | None) -> Iterator[str]:
    if len(run.cases) < len(eval_set.cases):
        yield f"only {len(run.cases)} of the set's {len(eval_set.cases)} cases were asked"
        there = {s.name for result in run.results for s in result.scores if s.value is not None}
        if silent := [gate.score for gate in eval_set.gates if gate.score not in there]:
            yield f"none of these cases has a value, so the gate is not judged: {', '.join(silent)}"
    if idle := _without_a_better_side(eval_set, run):
        yield f"neither more nor less of it is better, so the gate cannot fail: {', '.join(idle)}"
    if comparison:
        yield from _not_compared(eval_set, comparison, whole=len(run.cases) == len(eval_set.cases))
    elif eval_set.baseline:
        yield "there is no baseline yet, so nothing was compared (`summarizer eval accept`)"


def _without_a_better_side(eval_set: EvalSet, run: Run) -> list[str]:
    """Gates that hold a score against the baseline alone, though it only informs."""
    informing = {s.name for result in run.results for s in result.scores if s.better is None}
    bare = [gate.score for gate in eval_set.gates if gate.min is None and gate.max is None]
    return [name for name in bare if name in informing]


def _not_compared(eval_set: EvalSet, comparison: Comparison, *, whole: bool) -> Iterator[str]:
    for pair in comparison.systems:
        if _is_guest(eval_set, pair):
            yield (
                f"the baseline is of {pair.a.model}: the differences of {pair.b.model} are shown, "
                "and fail no gate"
            )
        elif whole and (few := _of_too_few_cases(eval_set, pair)):
            yield (
                f"fewer than {_FEWEST} cases cannot show that a drop is more than chance, so none "
                f"fails: {', '.join(few)}"
            )
    for system in comparison.systems_b:
        yield f"not in the baseline, so not compared: {system.prompt} with {system.model}"
    if comparison.only_b:
        yield f"new or changed since the baseline, so not compared: {', '.join(comparison.only_b)}"
    if comparison.only_a and whole:
        yield f"in the baseline, but not as they are now: {', '.join(comparison.only_a)}"
    if comparison.scores_b:
        yield f"scores that the baseline lacks, so not compared: {', '.join(comparison.scores_b)}"
