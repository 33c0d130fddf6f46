"""Two runs held against each other."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer.errors import InputError
from summarizer.evals.changes import word_diff
from summarizer.evals.compare import compare
from summarizer.evals.comparison import Comparison, ScoreComparison, figure
from summarizer.evals.runs import Run, System
from tests.made_runs import MINE, case, finding, result, run, scored, unanswered

THEIRS = System(prompt="theirs", model=MINE.model)
OTHER = System(prompt="mine", model="openai:other")


def only(comparison: Comparison):
    (system,) = comparison.systems
    return system


def test_a_score_that_is_really_better() -> None:
    system = only(compare(scored([40.0, 41, 42, 43, 44, 45]), scored([45.0, 46, 46, 48, 50, 51])))
    (score,) = system.scores
    assert (score.name, score.cases, score.mean_a) == ("chrf", 6, 42.5)
    assert score.difference == pytest.approx(31 / 6)
    assert score.p == score.p_holm == 2 / 2**6
    assert (score.wins, score.losses, score.ties, score.outcome) == (6, 0, 0, "better")
    assert score.interval is not None
    assert 4 <= score.interval[0] < score.difference < score.interval[1] <= 6
    assert score.sentence == "better by 5.167"
    assert system.sentence == "the one score that differs is better"


def test_no_evidence_says_what_it_would_take() -> None:
    a, b = [40.0, 50, 60, 45, 52, 48, 51], [41.0, 48, 63, 44, 55, 46, 52]
    (score,) = only(compare(scored(a), scored(b))).scores
    assert score.outcome == "no evidence"
    assert score.needed is not None
    assert score.needed > 7
    assert score.sentence == (
        f"no evidence of a difference: to see one of 0.4286 takes about {score.needed} cases, and "
        "7 cases show one of 2.672 or more"
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0"), (-1 / 3, "-0.3333"), (1234.56, "1,235"), (9999.7, "10,000"), (1e-5, "1e-05")],
)
def test_figures_are_told_as_people_read_them(value: float, told: str) -> None:
    assert figure(value) == told


def test_too_few_cases_are_told() -> None:
    system = only(compare(scored([1.0, 2.0]), scored([2.0, 4.0])))
    (score,) = system.scores
    assert system.sentence == "no evidence of a difference: too few cases to show one (2)"
    assert (score.outcome, score.detectable) == ("no evidence", None)
    assert score.sentence == "no evidence of a difference: to see one of 1.5 takes about 6 cases"
    assert score.verdict == "no evidence: needs 6 cases"


def test_equal_runs_differ_in_nothing() -> None:
    one = scored([40.0, 50.0, 60.0])
    system = only(compare(one, one))
    (score,) = system.scores
    assert (score.p, score.outcome, score.ties) == (None, "no evidence", 3)
    assert score.sentence == score.verdict == "the same in every case"
    assert system.sentence == "no evidence of a difference"
    assert all(c.moved == 0 and c.differences == {"chrf": 0} for c in system.cases)


def test_a_lower_number_can_be_better() -> None:
    name = "numbers.errors"
    system = only(compare(scored([0.0] * 7, name), scored([1.0] * 6 + [0], name)))
    (score,) = system.scores
    assert (score.outcome, score.losses, score.wins, score.ties) == ("worse", 6, 0, 1)
    assert [c.moved < 0 for c in system.cases] == [True] * 6 + [False]


def test_figures_that_only_inform_are_not_judged() -> None:
    (score,) = only(
        compare(scored([3.0] * 9, "length.points"), scored([5.0] * 9, "length.points"))
    ).scores
    assert (score.outcome, score.p_holm, score.sentence) == (None, None, "higher")


def test_only_scores_that_are_judged_make_it_harder_for_each_other() -> None:
    cases = [case(number) for number in range(8)]

    def both(name: str) -> ScoreComparison:
        """What is said of chrf, where another score differs as well."""
        runs = [
            run(
                cases,
                [result(c, {"chrf": n * by, name: n * by**n}) for n, c in enumerate(cases)],
            )
            for by in (1.0, 1.5)
        ]
        (system,) = compare(*runs).systems
        return system.scores[0]

    alone, beside = both("length.points"), both("bleu")
    assert alone.p
    assert alone.p == alone.p_holm == beside.p
    assert beside.p_holm == 2 * alone.p
    assert alone.detectable
    assert beside.detectable
    assert alone.detectable < beside.detectable


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(2, 4))
def test_answers_that_are_copies_change_nothing(seed: int, copies: int) -> None:
    chance = random.Random(seed)
    a, b = ([chance.gauss(50, 5) for _ in range(8)] for _ in range(2))
    once = only(compare(scored(a), scored(b))).scores
    assert only(compare(scored(a, copies=copies), scored(b, copies=copies))).scores == once
    assert only(compare(scored(a), scored(b, copies=copies))).scores == once


def test_answers_to_one_case_are_averaged() -> None:
    cases = [case(0), case(1)]
    a = run(
        cases, [result(c, {"chrf": v}, sample=s) for c in cases for s, v in enumerate((10, 20))]
    )
    b = run(cases, [result(c, {"chrf": 18}) for c in cases])
    (score,) = only(compare(a, b)).scores
    assert (score.cases, score.mean_a, score.difference) == (2, 15, 3)


def test_many_scores_are_corrected_together() -> None:
    cases = [case(number) for number in range(8)]
    names = [f"score{n}" for n in range(10)]

    def made(change: float) -> Run:
        noise = [{name: (i * n) % 3 - 1.0 for n, name in enumerate(names)} for i in range(8)]
        moved = [row | {"score0": row["score0"] + change} for row in noise]
        return run(cases, [result(c, row) for c, row in zip(cases, moved, strict=True)])

    alone = compare(made(0), made(1)).systems[0].scores[0]
    # Nine scores in which nothing differs cannot have been found by chance: they do not count.
    assert alone.p == alone.p_holm == 2 / 2**8

    def noisy(seed: int) -> Run:
        chance = random.Random(seed)
        rows = [{name: chance.gauss() for name in names} for _ in cases]
        return run(cases, [result(c, row) for c, row in zip(cases, rows, strict=True)])

    scores = compare(noisy(1), noisy(2)).systems[0].scores
    smallest = min(score.p for score in scores if score.p)
    assert min(score.p_holm for score in scores if score.p_holm) == pytest.approx(10 * smallest)


def test_scores_that_move_alike_are_one_test() -> None:
    cases = [case(number) for number in range(12)]

    def made(wrong: int) -> Run:
        return run(
            cases,
            [
                result(c, {"ok": 1 - bad, "numbers.errors": 3 * bad, "chrf": 50 + 2 * bad * n})
                for n, c in enumerate(cases)
                for bad in (float(n < wrong),)
            ],
        )

    system = only(compare(made(0), made(7)))
    ok, errors, chrf = system.scores
    assert ok.p == errors.p == 2 / 2**7
    assert ok.p_holm == errors.p_holm == 2 * 2 / 2**7
    # In chrf the first case ties, and the others move by as much as they like.
    assert chrf.p == chrf.p_holm == 2 / 2**6
    assert ok.outcome == errors.outcome == "worse"
    assert system.sentence == "of 3 scores that differ, 2 are worse and 1 is better"


def test_a_score_that_does_not_apply_leaves_the_case_out() -> None:
    cases = [case(number) for number in range(3)]
    a = run(cases, [result(c, {"chrf": v}) for c, v in zip(cases, (1, 2, None), strict=True)])
    b = run(cases, [result(c, {"chrf": v}) for c, v in zip(cases, (2, None, 3), strict=True)])
    (score,) = only(compare(a, b)).scores
    assert (score.cases, score.mean_a, score.mean_b) == (1, 1, 2)
    nothing = run(cases, [result(c, {"chrf": None}) for c in cases])
    (score,) = only(compare(a, nothing)).scores
    assert (score.cases, score.mean_a) == (0, None)
    assert score.sentence == "no case has this score in both runs"


# --- cases ---------------------------------------------------------------------------------------


def test_what_only_one_run_has_is_named() -> None:
    known, edited, gone, new = case(1), case(2), case(3), case(4)
    after = edited.model_copy(update={"input": "Another abstract."})
    a = run([known, edited, gone], [result(c, {"chrf": 1}) for c in (known, edited, gone)])
    b = run(
        [known, after, new],
        [result(c, {"chrf": 1, "more": 2}) for c in (known, after, new)],
    )
    comparison = compare(a, b)
    assert [c.case for c in only(comparison).cases] == [known.id]
    assert comparison.only_a == (edited.id, gone.id)
    assert comparison.only_b == (edited.id, new.id)
    assert (comparison.scores_a, comparison.scores_b) == ((), ("more",))


def test_a_hash_of_the_users_own_does_not_stand_for_the_text_of_a_case() -> None:
    before = case(1, metadata={"title": "Paper 1", "sha256": "0" * 64})
    after = before.model_copy(update={"input": "Another abstract."})
    a, b = (run([one], [result(one, {"chrf": 1})]) for one in (before, after))
    assert compare(a, b).only_b == (after.id,)


def test_a_case_without_an_answer_is_named() -> None:
    cases = [case(1), case(2)]
    a = run(cases, [result(c, {"chrf": 1}) for c in cases])
    b = run(cases, [result(cases[0], {"chrf": 1}), unanswered(cases[1], "the server was down")])
    system = only(compare(a, b))
    assert (system.unanswered, system.scores[0].cases) == ((cases[1].id,), 1)


def test_cases_come_by_how_far_they_moved() -> None:
    system = only(compare(scored([50.0] * 4), scored([51.0, 40.0, 50.0, 55.0])))
    assert [c.case for c in system.cases] == [case(n).id for n in (1, 3, 0, 2)]
    assert [c.moved > 0 for c in system.cases] == [False, True, True, False]
    assert system.cases[0].title == "Paper 1"


def test_a_case_moves_too_where_all_or_one_move_alike() -> None:
    cases = [case(number) for number in range(3)]

    def made(wrong: float, chrf: list[float]) -> Run:
        scores = [{"numbers.errors": wrong, "ok": 1 - wrong, "chrf": value} for value in chrf]
        return run(cases, [result(c, row) for c, row in zip(cases, scores, strict=True)])

    before, after = made(0, [50, 50, 50]), made(1, [10, 40, 51])
    assert all(moved.moved < 0 for moved in only(compare(before, after)).cases)
    (alone,) = only(compare(scored([50.0]), scored([40.0]))).cases
    assert alone.moved == -1


def test_findings_gained_and_lost() -> None:
    one = case(1)
    stays, goes = finding("45% is not in the abstract"), finding("7B is not in the abstract")
    comes = finding("no such name", check="names")
    a = run([one], [result(one, {"chrf": 1}, findings=[stays, goes])])
    b = run(
        [one],
        [result(one, {"chrf": 1}, findings=[stays.model_copy(update={"point": 1}), comes, stays])],
    )
    (moved,) = only(compare(a, b)).cases
    # A finding that stands on another point now is no other; a second one of its kind is.
    assert [f.message for f in moved.gained] == ["no such name", stays.message]
    assert moved.lost == (goes,)


def test_of_several_answers_the_pair_is_shown_that_differs_most() -> None:
    one = case(1)
    a = run([one], [result(one, {"chrf": 1}, sample=s) for s in range(3)])
    b = run(
        [one],
        [
            result(one, {"chrf": 1}, sample=s, findings=[finding()] if s == 1 else [])
            for s in range(3)
        ],
    )
    (moved,) = only(compare(a, b)).cases
    assert (moved.a.sample, moved.b.sample, len(moved.gained)) == (1, 1, 1)


def test_a_word_level_diff_of_the_points() -> None:
    one = case(1)
    a = run([one], [result(one, {}, points=["모델의 정확도가 높다.", "빠르다."])])
    b = run([one], [result(one, {}, points=["모델의 정확도는 높다.", "빠르다.", "작다."])])
    (moved,) = only(compare(a, b)).cases
    assert moved.diff == (
        ("same", "모델의 "),
        ("removed", "정확도가 "),
        ("added", "정확도는 "),
        ("same", "높다.\n빠르다."),
        ("added", "\n작다."),
    )


_texts = st.lists(st.sampled_from(["가 ", "나  ", "다\t", "\n", " ", "라", "\u2028", "x"])).map(
    "".join
)


@given(_texts, _texts)
def test_a_diff_holds_both_texts(before: str, after: str) -> None:
    changes = word_diff(before, after)
    assert "".join(text for kind, text in changes if kind != "removed") == after
    bare = "".join(text for kind, text in changes if kind != "added")
    # Of equal words the later white space is shown.
    assert "".join(bare.split()) == "".join(before.split())
    assert bare.count("\n") == before.count("\n")


def test_answers_that_go_round_in_circles_are_compared_too() -> None:
    before, after = "가 나 " * 5_000, "가 다 " * 5_000
    changes = word_diff(before, after)
    assert "".join(text for kind, text in changes if kind != "removed") == after
    assert "".join(text for kind, text in changes if kind != "added") == before


# --- systems -------------------------------------------------------------------------------------


def crossed(*systems: System) -> Run:
    one = case(1)
    return run([one], [result(one, {"chrf": 1}, system=system) for system in systems])


@pytest.mark.parametrize(
    ("a", "b", "pairs"),
    [
        ([MINE, OTHER], [OTHER, MINE], [(OTHER, OTHER), (MINE, MINE)]),
        ([THEIRS], [MINE], [(THEIRS, MINE)]),
        ([OTHER], [MINE], [(OTHER, MINE)]),
        ([MINE, THEIRS], [MINE], [(MINE, MINE)]),
        ([System(prompt="x", model="y")], [MINE], [(System(prompt="x", model="y"), MINE)]),
        (
            [MINE, OTHER],
            [THEIRS, System(prompt="theirs", model=OTHER.model)],
            [(MINE, THEIRS), (OTHER, System(prompt="theirs", model=OTHER.model))],
        ),
    ],
)
def test_systems_are_matched(a: list[System], b: list[System], pairs: object) -> None:
    comparison = compare(crossed(*a), crossed(*b))
    assert [(system.a, system.b) for system in comparison.systems] == pairs


def test_systems_without_a_match_are_named() -> None:
    comparison = compare(crossed(MINE, THEIRS), crossed(MINE, OTHER))
    assert (comparison.systems_a, comparison.systems_b) == ((THEIRS,), (OTHER,))


def test_runs_with_nothing_in_common_compare_nothing() -> None:
    x, y = System(prompt="x", model="x"), System(prompt="y", model="y")
    assert compare(crossed(MINE, OTHER), crossed(x, y)).systems == ()
    a = run([case(1)], [result(case(1), {"chrf": 1})])
    b = run([case(2)], [result(case(2), {"chrf": 1})])
    assert only(compare(a, b)).cases == ()
    assert only(compare(a, b)).sentence == "nothing could be compared"


def test_another_version_of_a_scorer_is_refused() -> None:
    one = case(1)
    a = run([one], [result(one, {"chrf": 1})], scorers={"chrf": "nc:6|version:1"})
    b = run([one], [result(one, {"chrf": 1})], scorers={"chrf": "nc:6|version:2"})
    with pytest.raises(InputError, match=r"chrf by nc:6\|version:1 and by nc:6\|version:2"):
        compare(a, b)
    # One that only one of them has says nothing about the others.
    c = run([one], [result(one, {"chrf": 1})], scorers={"bleu": "version:9"})
    assert len(compare(a, c).systems) == 1


def test_a_comparison_is_a_value_that_json_holds() -> None:
    comparison = compare(scored([1.0, 2.0]), scored([2.0, 2.0]))
    assert Comparison.model_validate_json(comparison.model_dump_json()) == comparison
