"""What holds for all checks: how they are chosen, set, and mended by."""

from __future__ import annotations

import pytest

from summarizer import Finding, Paper, Summary, check_summary, mend
from summarizer.checks import CHECKS, validate_checks
from summarizer.errors import InputError

PAPER = Paper(arxiv_id="2401.00001", title="A Method", abstract="We present a method.")


def finding(point: int | None, span: tuple[int, int] | None, fix: str | None) -> Finding:
    return Finding(check="x", severity="error", message="m", point=point, span=span, fix=fix)


def test_exactly_the_checks_that_are_passed_run() -> None:
    empty = Summary(points=["", "English only."])
    assert {f.check for f in check_summary(PAPER, empty)} >= {"shape", "text"}
    assert {f.check for f in check_summary(PAPER, empty, checks={"text": {}})} == {"text"}
    assert check_summary(PAPER, empty, checks={}) == []


def test_findings_name_the_paper_and_come_in_the_order_of_the_summary() -> None:
    findings = check_summary(
        PAPER,
        Summary(points=["English only.", ""]),
        checks={"shape": {"max_points": 1}, "text": {}},
    )
    assert [f.point for f in findings] == [None, 0, 1]
    assert {f.arxiv_id for f in findings} == {"2401.00001"}


def test_a_severity_can_be_set() -> None:
    checks = {"text": {"severity": "warning"}}
    (only,) = check_summary(PAPER, Summary(points=["English only."]), checks=checks)
    assert only.severity == "warning"


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ({"shap": {}}, "Did you mean 'shape'"),
        ({"shape": {"min_point": 3}}, "Did you mean 'min_points'"),
        ({"shape": {"min_points": "four"}}, "cannot be 'four'. It should be a valid integer"),
        ({"shape": {"severity": "fatal"}}, "cannot be 'fatal'. It should be 'error' or 'warning'"),
    ],
)
def test_a_wrong_setting_is_refused_with_the_right_one(
    checks: dict[str, dict[str, object]], said: str
) -> None:
    with pytest.raises(InputError) as error:
        validate_checks(checks)
    assert said in str(error.value)


def test_every_check_can_be_set_by_its_defaults() -> None:
    validate_checks({name: {"severity": "warning"} for name in CHECKS})


def test_mending_applies_every_fix_and_nothing_else() -> None:
    summary = Summary(points=["abc", "def"])
    findings = [finding(0, (1, 2), "X"), finding(0, (2, 3), "YY"), finding(1, (0, 1), None)]
    assert mend(summary, findings) == Summary(points=["aXYY", "def"])
    assert mend(summary, []) == summary


def test_of_overlapping_fixes_the_first_is_applied() -> None:
    findings = [finding(0, (1, 3), "X"), finding(0, (0, 2), "Y"), finding(0, (0, 2), "Z")]
    assert mend(Summary(points=["abcd"]), findings) == Summary(points=["Ycd"])


def test_a_fix_may_insert() -> None:
    assert mend(Summary(points=["ab"]), [finding(0, (1, 1), " ")]) == Summary(points=["a b"])


def test_a_short_abstract_must_not_be_padded() -> None:
    one = Summary(points=["이 논문은 방법을 제안합니다."])
    checks = {"shape": {"min_points": 4}}
    assert check_summary(PAPER, one, checks=checks) == []
    longer = PAPER.model_copy(update={"abstract": "We do. It is. It was. It will be."})
    assert [f.check for f in check_summary(longer, one, checks=checks)] == ["shape"]
