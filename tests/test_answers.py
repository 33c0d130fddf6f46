"""Answers as models really write them, and what is read from each."""

from __future__ import annotations

import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.answers import read_points

Form = Literal["points", "lines"]

KOREAN = ["첫째 문장입니다.", "둘째 문장입니다."]
OBJECT = json.dumps({"points": KOREAN}, ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        OBJECT,
        f"```json\n{OBJECT}\n```",
        f"네, 요약입니다:\n\n{OBJECT}\n\n도움이 되었기를 바랍니다.",
        json.dumps({"points": KOREAN}),
        json.dumps(KOREAN, ensure_ascii=False),
        json.dumps({"title": "{", "points": KOREAN}),
        "{메모} " + OBJECT,
        "- 첫째 문장입니다.\n- 둘째 문장입니다.",
        "* 첫째 문장입니다.\n* 둘째 문장입니다.",
        "• 첫째 문장입니다.\n\n• 둘째 문장입니다.\n",
        "1. 첫째 문장입니다.\n2. 둘째 문장입니다.",
        "1) 첫째 문장입니다.\n2) 둘째 문장입니다.",
        "요약하면 다음과 같습니다.\n\n- 첫째 문장입니다.\n- 둘째 문장입니다.\n\n이상입니다.",
        "```\n- 첫째 문장입니다.\n- 둘째 문장입니다.\n```",
    ],
)
@pytest.mark.parametrize("form", ["points", "lines"])
def test_the_same_points_are_read_from_every_dress(text: str, form: Form) -> None:
    assert read_points(text, form=form) == KOREAN


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\framework를 제안합니다", r"\framework를 제안합니다"),
        (r"비율은 \frac{1}{8}입니다", r"비율은 \frac{1}{8}입니다"),
        (r"$\alpha$와 $\beta$", r"$\alpha$와 $\beta$"),
        (r"$\theta \times \tau$", r"$\theta \times \tau$"),
        (r"$\nabla \rho$, \textbf{굵게}", r"$\nabla \rho$, \textbf{굵게}"),
        (r"99\% 정확도", r"99\% 정확도"),
        (r"$\underline{x}$", r"$\underline{x}$"),
        (r"이미 \\frac{1}{2}", r"이미 \frac{1}{2}"),
        (r"따옴표 \"말\" 과 사선 \/", '따옴표 "말" 과 사선 /'),
        (r"caf\u00e9", "café"),
        (r"\ud83d\ude00 그리고 \ud83d", "😀 그리고 \ufffd"),
        ("줄\n바꿈", "줄\n바꿈"),
        (r"줄\n바꿈\t탭", "줄\n바꿈\t탭"),
        (r"줄\nAdam", "줄\nAdam"),
    ],
)
def test_backslashes_of_latex_survive_json(written: str, meant: str) -> None:
    assert read_points('{"points": ["' + written + '"]}', form="points") == [meant]


def test_a_point_has_the_line_ends_that_a_digest_keeps() -> None:
    assert read_points(r'{"points": ["가\r\n나"]}', form="points") == ["가\n나"]


def test_a_point_keeps_its_own_list() -> None:
    text = "- 세 단계입니다:\n  1. 수집\n  2. 학습\n- 끝입니다."
    assert read_points(text, form="lines") == ["세 단계입니다:\n  1. 수집\n  2. 학습", "끝입니다."]


def test_after_a_blank_line_what_is_indented_belongs_to_the_point() -> None:
    text = "- 첫째 문장입니다.\n\n  이어지는 문장입니다.\n\n맺음말입니다."
    assert read_points(text, form="lines") == ["첫째 문장입니다.\n  이어지는 문장입니다."]


@pytest.mark.parametrize("form", ["points", "lines"])
@pytest.mark.parametrize(
    "text", ["", " \n", "죄송합니다, 요약할 수 없습니다.", '{"points": "하나"}', "[1, 2]"]
)
def test_an_answer_without_points_is_told_as_one_sentence(text: str, form: Form) -> None:
    problem = read_points(text, form=form)
    assert isinstance(problem, str)
    assert problem.startswith("the answer")


def test_an_empty_list_of_points_is_read_as_one() -> None:
    assert read_points('{"points": []}', form="points") == []


@pytest.mark.parametrize(
    "bomb", ["[" * 100_000, "{" * 100_000, "\\" * 100_001, "- " * 50_000, "```" * 50_000]
)
@pytest.mark.parametrize("form", ["points", "lines"])
def test_a_bomb_is_read_in_linear_time_without_an_exception(bomb: str, form: Form) -> None:
    assert read_points(bomb, form=form) is not None


@given(st.lists(st.text(min_size=1).filter(lambda t: t == t.strip()), min_size=1))
def test_whatever_json_can_say_is_read_back(points: list[str]) -> None:
    text = json.dumps({"points": points})
    if not any(set("\b\f\n\r\t") & set(point) for point in points):
        assert read_points(text, form="points") == points


@given(st.text())
def test_any_text_gives_points_or_a_sentence(text: str) -> None:
    for form in ("points", "lines"):
        assert isinstance(read_points(text, form=form), list | str)
