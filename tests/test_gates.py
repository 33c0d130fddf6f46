"""Whether a run passes the gates of its set."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from summarizer.errors import InputError
from summarizer.evals.gates import Failure, Verdict, judge
from summarizer.evals.runs import Run, System
from summarizer.evals.sets import Gate
from tests.made_runs import MINE, case, eval_set, finding, result, run, scored, unanswered


def judged(made: Run, gates: Iterable[Gate] = (), baseline: Run | None = None, **fields) -> Verdict:
    return judge(eval_set(made.cases, gates, **fields), made, baseline)


def only(verdict: Verdict) -> Failure:
    (failure,) = verdict.failures
    return failure


# --- thresholds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "sentence"),
    [
        (Gate(score="chrf", min=40), None),
        (Gate(score="chrf", max=40), None),
        (Gate(score="chrf", min=40.1), "chrf is 40, less than 40.1"),
        (Gate(score="chrf", max=39.99999), "chrf is 40, more than 40"),
        (Gate(score="bleu", min=1), "no case has the score bleu"),
        (Gate(score="bleu"), "no case has the score bleu"),
    ],
)
def test_a_mean_is_held_against_a_threshold(gate: Gate, sentence: str | None) -> None:
    verdict = judged(scored([30.0, 50.0]), [gate])
    assert verdict.passed is (sentence is None)
    assert [failure.sentence for failure in verdict.failures] == ([sentence] if sentence else [])


def test_a_sum_of_decimal_fractions_may_equal_its_limit() -> None:
    assert judged(scored([0.1, 0.2]), [Gate(score="chrf", max=0.15)]).passed


def test_a_failure_names_the_cases_the_worst_first() -> None:
    failure = only(judged(scored([45.0, 10.0, 20.0]), [Gate(score="chrf", min=40, line=7)]))
    assert (failure.line, failure.system, failure.gate) == (7, MINE, "chrf")
    assert [(c.case, c.reason) for c in failure.culprits] == [
        ("2401.00001", "chrf is 10"),
        ("2401.00002", "chrf is 20"),
    ]


def test_a_failure_of_a_check_names_point_and_reason_though_mending_could_cure_it() -> None:
    one, two = case(1), case(2)
    wrong = finding("45% is not in the abstract", point=2, fix="54%")
    warning = finding("maybe", severity="warning")
    made = run(
        [one, two],
        [
            result(one, {"numbers.error_rate": 1}, findings=[warning, wrong]),
            result(two, {"numbers.error_rate": 0}),
        ],
    )
    failure = only(judged(made, [Gate(score="numbers.error_rate", max=0)]))
    (culprit,) = failure.culprits
    assert (culprit.place, culprit.reason) == (
        "2401.00001 point 3",
        "45% is not in the abstract",
    )
    assert (culprit.finding, culprit.fingerprint) == (wrong, "2401.00001/0")


def test_each_prompt_and_model_must_pass() -> None:
    one, other = case(1), System(prompt="other", model=MINE.model)
    made = run([one], [result(one, {"chrf": 50}), result(one, {"chrf": 20}, system=other)])
    assert only(judged(made, [Gate(score="chrf", min=40)])).system == other


# --- cases ---------------------------------------------------------------------------------------

FAILED = {"status": "failed", "cause": "findings", "reason": "all 3 answers failed the checks"}


@pytest.mark.parametrize(
    ("failed", "passes", "passed"),
    [(0, None, True), (1, None, False), (1, 2, True), (2, 2, False), (2, 1, True), (3, 1, False)],
)
def test_so_many_answers_of_a_case_must_be_ok(
    failed: int, passes: int | None, *, passed: bool
) -> None:
    one = case(1)
    made = run(
        [one],
        [
            result(
                one, {"chrf": 1}, sample=s, findings=[finding()], entry=FAILED if s < failed else {}
            )
            for s in range(3)
        ],
    )
    verdict = judged(made, passes=passes)
    assert verdict.passed is passed
    if not passed:
        assert only(verdict).sentence == (
            f"1 of 1 cases did not pass: {passes or 3} of 3 answers must be ok"
        )
        assert len(only(verdict).culprits) == failed
        last = only(verdict).culprits[-1]
        answer = f" answer {failed}" if failed > 1 else ""
        assert last.place == f"2401.00001{answer} point 1"


def test_a_set_may_be_asked_less_often_than_its_rule_expects() -> None:
    assert judged(scored([1.0]), passes=2).passed


def test_a_case_may_want_findings() -> None:
    wanted = [{"check": "numbers", "point": 1}, "names"]
    one = case(1, metadata={"title": "x", "findings": wanted})
    right = [finding(point=1), finding(check="names", point=None)]
    made = run([one], [result(one, {"chrf": 1}, findings=right, entry=FAILED)])
    assert judged(made).passed
    made = run([one], [result(one, {"chrf": 1}, findings=[finding(point=0)])])
    assert [culprit.reason for culprit in only(judged(made)).culprits] == [
        "numbers should find something on point 2, and did not",
        "names should find something, and did not",
    ]


# --- runs that never pass ------------------------------------------------------------------------


def test_a_case_without_a_first_answer() -> None:
    one, two = case(1), case(2)
    made = run([one, two], [result(one, {"chrf": 1}), unanswered(two, "the server was down")])
    failure = only(judged(made))
    assert (failure.gate, failure.sentence) == (
        "answers",
        "1 of 2 questions got no first answer",
    )
    assert [(c.case, c.reason) for c in failure.culprits] == [(two.id, "the server was down")]


def test_a_run_that_was_interrupted() -> None:
    one, two = case(1), case(2)
    failure = only(judged(run([one, two], [result(one, {"chrf": 1})])))
    assert [(c.case, c.reason) for c in failure.culprits] == [(two.id, "it was not asked yet")]


def test_a_scorer_that_raised() -> None:
    one = case(1)
    error = "the scorer 'mine' failed: ZeroDivisionError: division by zero"
    failure = only(judged(run([one], [result(one, {"chrf": 1}, error=error)])))
    assert (failure.gate, failure.culprits[0].reason) == ("scores", error)


@pytest.mark.parametrize("scores", [{}, {"chrf": None}])
def test_nothing_was_scored(scores: dict[str, None]) -> None:
    one = case(1)
    assert only(judged(run([one], [result(one, scores)]))).sentence == "nothing was scored"


def test_no_results_at_all() -> None:
    assert {f.gate for f in judged(run([case(1)], [])).failures} == {"answers", "scores"}


# --- the baseline --------------------------------------------------------------------------------


def test_a_real_drop_fails() -> None:
    before = [50.0, 52, 49, 51, 47, 50, 53, 48]
    after = [value - 5 - i % 3 for i, value in enumerate(before)]
    failure = only(judged(scored(after), [Gate(score="chrf", line=9)], scored(before)))
    assert failure.sentence == (
        "chrf is worse than the baseline by 5.875, which is more than chance (p = 0.0078 after "
        "correction)"
    )
    assert (failure.line, failure.system) == (9, MINE)
    assert [c.reason for c in failure.culprits][:2] == ["chrf is worse by 7"] * 2


def test_the_same_change_for_the_better_passes() -> None:
    assert judged(scored([60.0] * 8), [Gate(score="chrf")], scored([50.0] * 8)).passed


def test_a_real_drop_may_be_allowed_up_to_a_size() -> None:
    before, after = scored([50.0] * 8), scored([49.5] * 8)
    assert judged(after, [Gate(score="chrf", drop=1.0)], before).passed
    assert not judged(after, [Gate(score="chrf", drop=0.4)], before).passed
    assert not judged(after, [Gate(score="chrf")], before).passed


def test_a_score_without_a_gate_may_drop() -> None:
    assert judged(scored([10.0] * 8), [], scored([50.0] * 8)).passed


def test_another_model_is_shown_beside_the_baseline_and_fails_no_gate_by_it() -> None:
    before, after = scored([90.0] * 20), scored([50.0 + i for i in range(20)])
    other = System(prompt=MINE.prompt, model="openai:other")
    elsewhere = scored([50.0 + i for i in range(20)], system=other)
    gates = [Gate(score="chrf")]
    assert not judge(eval_set(after.cases, gates), after, before).passed
    verdict = judge(eval_set(elsewhere.cases, gates), elsewhere, before)
    assert verdict.passed
    assert verdict.notes == (
        "the baseline is of openai:m: the differences of openai:other are shown, and fail no gate",
    )
    assert verdict.comparison
    assert verdict.comparison.systems[0].scores[0].difference
    chosen = eval_set(elsewhere.cases, gates, models=(other.model,))
    assert not judge(chosen, elsewhere, before).passed


def test_noise_passes() -> None:
    chance = random.Random(5)
    before = [chance.gauss(50, 5) for _ in range(20)]
    after = [value + chance.gauss(-1.5, 5) for value in before]
    assert sum(after) < sum(before)
    assert judged(scored(after), [Gate(score="chrf")], scored(before)).passed


def test_it_is_told_when_cases_are_too_few_for_any_drop_to_fail() -> None:
    gates = [Gate(score="chrf", drop=1.0)]
    verdict = judged(scored([10.0] * 5), gates, scored([50.0] * 5))
    assert verdict.passed
    (note,) = verdict.notes
    assert note == (
        "fewer than 6 cases cannot show that a drop is more than chance, so none fails: chrf"
    )
    assert not judged(scored([50.0] * 6), gates, scored([50.0] * 6)).notes
    assert not judged(scored([10.0] * 6), gates, scored([50.0] * 6)).passed
    assert not judged(scored([10.0] * 5), [], scored([50.0] * 5)).notes


def test_it_is_told_when_a_gate_on_a_score_that_only_informs_cannot_fail() -> None:
    name = "length.points"
    (note,) = judged(scored([3.0], name), [Gate(score=name, drop=1.0)]).notes
    assert note == f"neither more nor less of it is better, so the gate cannot fail: {name}"
    assert not judged(scored([3.0], name), [Gate(score=name, max=4.0)]).notes


def test_gated_scores_are_corrected_together() -> None:
    cases = [case(number) for number in range(6)]
    names = ["one", "two"]

    def made(change: float) -> Run:
        rows = [{"one": 50 - change, "two": 50 + change * (i % 2 * 2 - 1)} for i in range(6)]
        return run(cases, [result(c, row) for c, row in zip(cases, rows, strict=True)])

    gates = [Gate(score=name) for name in names]
    # Alone, six losses of six have p = 0.03; as one of two tested scores they have 0.06.
    assert not judged(made(1), gates[:1], made(0)).passed
    assert judged(made(1), gates, made(0)).passed


def test_a_real_drop_names_the_findings_gained() -> None:
    cases = [case(number) for number in range(6)]
    new = finding("7B is not in the abstract", point=1)
    before = run(cases, [result(c, {"numbers.errors": 0}) for c in cases])
    after = run(cases, [result(c, {"numbers.errors": 1}, findings=[new]) for c in cases])
    failure = only(judged(after, [Gate(score="numbers.errors")], before))
    assert failure.culprits[0].place == "2401.00000 point 2"
    assert failure.culprits[0].reason == new.message


def test_a_baseline_of_another_scorer_version_is_refused() -> None:
    one = case(1)
    old = run([one], [result(one, {"chrf": 1})], scorers={"chrf": "version:0"})
    with pytest.raises(InputError) as error:
        judge(eval_set([one], baseline=Path("evals/little.baseline.jsonl")), scored([1.0]), old)
    assert str(error.value) == (
        "evals/little.baseline.jsonl: this baseline cannot be compared with the run: the two runs "
        "were not scored alike, chrf by version:0 and by nc:6|version:1. If that is meant to be "
        "so, accept a new one: `summarizer eval accept RUN`"
    )


def test_a_gate_without_a_value_fails_the_whole_set_and_no_selection_of_it() -> None:
    one, two = case(1), case(2)
    gates = [Gate(score="recall", min=1), Gate(score="chrf", min=1)]
    both = [result(one, {"chrf": 1, "recall": None}), result(two, {"chrf": 1, "recall": None})]
    whole = judge(eval_set([one, two], gates), run([one, two], both))
    assert [failure.sentence for failure in whole.failures] == ["no case has the score recall"]
    selection = judge(eval_set([one, two], gates), run([one], both[:1]))
    assert selection.passed
    assert selection.notes[1] == (
        "none of these cases has a value, so the gate is not judged: recall"
    )


def test_what_could_not_be_judged_is_told() -> None:
    before = run([case(1)], [result(case(1), {"chrf": 1})])
    after = run([case(1), case(2)], [result(c, {"chrf": 1, "bleu": 1}) for c in (case(1), case(2))])
    verdict = judge(eval_set([case(1), case(2), case(3)]), after, before)
    assert verdict.passed
    assert verdict.notes == (
        "only 2 of the set's 3 cases were asked",
        "new or changed since the baseline, so not compared: 2401.00002",
        "scores that the baseline lacks, so not compared: bleu",
    )
    (note,) = judge(eval_set([case(1)]), before, after).notes
    assert note == "in the baseline, but not as they are now: 2401.00002"
    other = run([case(1)], [result(case(1), {"chrf": 1}, system=System(prompt="x", model="y"))])
    both = run([case(1)], [*other.results, result(case(1), {"chrf": 1})])
    notes = judge(eval_set([case(1)]), both, other).notes
    assert notes == ("not in the baseline, so not compared: mine with openai:m",)
    (note,) = judge(eval_set([case(1)], baseline=Path("b.jsonl")), other).notes
    assert note.startswith("there is no baseline yet")
