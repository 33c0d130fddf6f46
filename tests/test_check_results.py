"""Results: the figures and the link of an abstract are missed where a summary has none of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer.checks.reading import Readings
from summarizer.checks.results import results, results_recall
from summarizer.digest import Paper, Summary

ANY_TEXT = st.text(st.characters(exclude_categories=()))

ABSTRACT = (
    "In 2024 we train a 7B model on 1.2M examples of eight tasks for 3 days. It lowers errors by"
    " 38% and 4.5 percentage points, is 1.6x faster than Gemini 1.5 and scores 55.89 on three"
    " benchmarks. Code: https://github.com/lantern/lantern."
)


def readings(points, abstract=ABSTRACT):
    paper = Paper(arxiv_id="2401.00001", title="Lantern", abstract=abstract)
    return Readings(paper, Summary(points=points), language="ko", basis="abstract")


def found(points, abstract=ABSTRACT):
    return list(results(readings(points, abstract)))


LINK = "코드는 https://github.com/lantern/lantern 에 있습니다."


@pytest.mark.parametrize(
    "point",
    ["오류를 38% 줄입니다.", "1.6배 빠릅니다.", "55.89점입니다.", "오류를 4.5%p 줄입니다."],
)
def test_one_figure_of_the_results_is_enough(point):
    assert found([point, LINK]) == []


def test_a_summary_without_any_figure_of_the_results_is_a_warning_that_shows_them():
    (finding,) = found(["2024년에 과제 8개로 7B 모델을 3일 동안 학습합니다.", LINK])
    assert (finding.severity, finding.point) == ("warning", None)
    assert "4 figures of its results" in finding.message
    assert "38%" in (finding.evidence or "")


@pytest.mark.parametrize(
    "abstract",
    [
        "We train a 7B model on 1.2M examples of eight tasks for 3 days in 2024.",
        "We compare Gemini 1.5 with GPT-4 on three benchmarks and 24 languages.",
        "Results are given for (1) speed and (2) quality, as Table 2 shows.",
    ],
)
def test_sizes_counts_years_and_versions_are_no_results(abstract):
    assert found(["모델을 학습합니다."], abstract) == []
    assert results_recall(readings(["모델을 학습합니다."], abstract)) == (0, 0)


@pytest.mark.parametrize(
    ("points", "kept"),
    [
        (["모델을 학습합니다."], 0),
        (["38% 줄입니다."], 1),
        (["38%와 4.5%p를 줄이고 1.6배 빠르며 55.89를 얻습니다."], 4),
        (["38%, 38%, 99% 줄입니다."], 1),
    ],
)
def test_recall_counts_each_figure_once(points, kept):
    assert results_recall(readings(points)) == (4, kept)


def test_a_link_that_is_left_out_is_a_warning_that_shows_it():
    (finding,) = found(["오류를 38% 줄입니다."])
    assert finding.severity == "warning"
    assert finding.evidence == "https://github.com/lantern/lantern"


def test_a_damaged_link_is_for_the_check_of_links():
    assert found(["38% 줄입니다. https://github.com/lantern/lanter 에 있습니다."]) == []


@pytest.mark.parametrize("abstract", [None, "", " \n"])
def test_without_an_abstract_it_says_once_that_nothing_can_be_checked(abstract):
    (finding,) = found(["모델을 학습합니다."], abstract)
    assert finding.severity == "warning"
    assert "cannot be checked" in finding.message
    assert results_recall(readings(["38%입니다."], abstract)) == (0, 0)


@settings(max_examples=60)
@given(ANY_TEXT, ANY_TEXT)
def test_any_text_is_read(point, abstract):
    found([point], abstract)
    stated, kept = results_recall(readings([point], abstract))
    assert 0 <= kept <= stated
