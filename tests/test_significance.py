"""Whether a difference is real: held against definitions, and against programs of others."""

from __future__ import annotations

import random
from itertools import product
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.evals.significance import (
    ALPHA,
    EXACT,
    cases_needed,
    detectable,
    holm,
    intervals,
    p_value,
)

whole = st.integers(-20, 20)


def by_definition(differences: list[int]) -> float:
    """The share of all changes of sign that reach the observed sum, counted one by one."""
    observed = abs(sum(differences))
    signs = list(product((1, -1), repeat=len(differences)))
    reached = [abs(sum(map(int.__mul__, differences, s))) >= observed for s in signs]
    return sum(reached) / len(signs)


@given(st.lists(whole, max_size=9))
def test_few_cases_are_counted_exactly(differences: list[int]) -> None:
    assert p_value(differences) == by_definition(differences)


@given(st.lists(whole, max_size=12), st.integers(0, 5))
def test_neither_sign_nor_ties_matter(differences: list[int], ties: int) -> None:
    p = p_value(differences)
    assert p_value([-d for d in differences]) == p
    assert p_value(differences + [0] * ties) == p


@given(st.lists(st.floats(-100, 100), max_size=30), st.randoms())
def test_the_order_of_cases_hardly_matters(differences: list[float], chance: random.Random) -> None:
    shuffled = chance.sample(differences, len(differences))
    assert p_value(shuffled) == pytest.approx(p_value(differences), abs=0.03)


def test_drawn_changes_of_sign_agree_with_counted_ones() -> None:
    chance = random.Random(7)
    for _ in range(5):
        # Beyond EXACT signs are drawn; what they are drawn from can still be counted here.
        differences = [chance.choice((-3, -2, -1, 1, 2, 3, 4)) for _ in range(EXACT + 2)]
        sums = {0: 1}
        for d in differences:
            new: dict[int, int] = {}
            for s, n in sums.items():
                for t in (s + d, s - d):
                    new[t] = new.get(t, 0) + n
            sums = new
        exact = sum(n for s, n in sums.items() if abs(s) >= abs(sum(differences))) / 2 ** len(
            differences
        )
        assert p_value(differences) == pytest.approx(exact, abs=0.02)


def test_equal_sums_of_decimal_fractions_count_as_equal() -> None:
    # 0.1 + 0.2 is not 0.3, but as large: all eight changes of sign reach a sum of zero.
    assert p_value([0.1, 0.2, -0.3]) == 1.0
    assert p_value([0.1] * 6) == 2 / 2**6


def test_no_p_is_zero_and_equal_numbers_give_equal_results() -> None:
    large = [1.0 + i / 100 for i in range(100)]
    assert 0 < p_value(large) == p_value(large) < 0.001
    assert intervals([large]) == intervals([large])


def test_nothing_to_compare_is_no_evidence() -> None:
    assert p_value([]) == p_value([0.0] * 40) == 1.0
    assert intervals([[], [1.0] * 5, [1.0] * 6]) == [None, None, (1.0, 1.0)]


@pytest.mark.parametrize("cases", [6, 8, 12])
def test_few_cases_are_not_claimed_to_tell_more_than_they_do(cases: int) -> None:
    chance = random.Random(cases)
    columns = [[chance.gauss(1, 2) for _ in range(cases)] for _ in range(400)]
    held = sum(low <= 1 <= high for low, high in filter(None, intervals(columns)))
    assert held / 400 == pytest.approx(0.95, abs=0.03)
    assert intervals([column[:5] for column in columns]) == [None] * 400


@given(st.lists(st.floats(-1000, 1000), min_size=6, max_size=40))
def test_an_interval_lies_within_the_differences(differences: list[float]) -> None:
    (found,) = intervals([differences])
    assert found is not None
    low, high = found
    assert min(differences) - 1e-9 <= low <= high <= max(differences) + 1e-9


def test_columns_do_not_influence_each_other() -> None:
    chance = random.Random(1)
    a, b, short = ([chance.gauss() for _ in range(n)] for n in (20, 20, 7))
    assert intervals([a, short, b]) == [intervals([one])[0] for one in (a, short, b)]


def test_an_interval_is_about_as_wide_as_theory_says() -> None:
    chance = random.Random(2)
    (found,) = intervals([[chance.gauss(5, 2) for _ in range(400)]])
    assert found == pytest.approx((4.8, 5.2), abs=0.2)


def test_an_interval_of_few_cases_is_about_as_wide_as_students() -> None:
    chance = random.Random(3)
    columns = [[chance.gauss() for _ in range(10)] for _ in range(100)]
    ratios = [
        (found[1] - found[0]) / 2 / (2.262 * stdev(column) / 10**0.5)  # t for 9 degrees of freedom
        for column, found in zip(columns, intervals(columns), strict=True)
        if found
    ]
    assert fmean(ratios) == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize(
    ("ps", "corrected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.5, 0.9, 0.01], [1.0, 1.0, 0.03]),
        ([0.02, 0.02], [0.04, 0.04]),
    ],
)
def test_holm(ps: list[float], corrected: list[float]) -> None:
    assert holm(ps) == pytest.approx(corrected)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_a_correction_lowers_no_p_and_keeps_their_order(ps: list[float]) -> None:
    corrected = holm(ps)
    assert all(p <= c <= 1 for p, c in zip(ps, corrected, strict=True))
    ordered = [c for _, c in sorted(zip(ps, corrected, strict=True))]
    assert ordered == sorted(ordered)


def test_how_many_cases_it_takes() -> None:
    # Cohen (1988), table 2.4.1: half a standard deviation takes a paired t test 34 cases.
    assert cases_needed(0.5, 1.0) == cases_needed(-0.5, 1.0) == 34
    assert cases_needed(0.0, 1.0) is None
    # With five cases no p is below 2 / 2 ** 5.
    assert cases_needed(100.0, 1.0) == cases_needed(1.0, 0.0) == 6
    assert detectable(5, 1.0) is None
    assert cases_needed(1.0, 0.0, alpha=ALPHA / 10) == 9


@given(st.integers(6, 5000), st.floats(0.01, 100))
def test_what_is_detectable_takes_as_many_cases(cases: int, spread: float) -> None:
    size = detectable(cases, spread)
    assert size is not None
    assert cases_needed(size * (1 + 1e-9), spread) == max(6, cases)


# --- programs of others --------------------------------------------------------------------------


def of_signaltest(module: str) -> Any:
    return pytest.importorskip(f"signaltest.stats.{module}", reason="needs signaltest")


@pytest.mark.parametrize("cases", [6, 15, EXACT, 40])
def test_signaltest_finds_the_same_p(cases: int) -> None:
    # Its paired test is Wilcoxon's, which is ours on ranks: differences that are ranks make the two
    # one test.
    other = of_signaltest("significance").paired_significance
    chance = random.Random(cases)
    for _ in range(10):
        ranks = [float(chance.choice((-1, 1, 1)) * rank) for rank in range(1, cases + 1)]
        p = other([0.0] * cases, ranks)
        assert p_value(ranks) == pytest.approx(p, abs=1e-12 if cases <= EXACT else 0.015)


def test_signaltest_finds_the_same_interval() -> None:
    chance = random.Random(4)
    differences = [chance.gauss(1, 3) for _ in range(60)]
    (found,) = intervals([differences])
    other = of_signaltest("effect").effect_ci_paired([0.0] * 60, differences)
    assert found == pytest.approx(other, abs=0.15)


@pytest.mark.parametrize("size", [0.2, 0.7, 1.1])
def test_signaltest_finds_the_same_number_of_cases(size: float) -> None:
    other = of_signaltest("power").samples_for_paired(3.0, size)
    # It leaves out the term for few cases, 1.92.
    assert cases_needed(size, 3.0) == pytest.approx(other + 1.92, abs=1)
