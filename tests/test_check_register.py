"""Registers: told by the ending of a sentence, held against one another and never mended."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.checks.reading import Readings
from summarizer.checks.register import register, register_across, register_of
from summarizer.digest import Digest, Entry, Paper, Summary

SHARED = Path(__file__).parents[2] / "shared"
PAPER = Paper(arxiv_id="2401.00001", title="Lantern")


def found(*points, language="ko", **settings):
    summary = Summary(points=points)
    return list(register(Readings(PAPER, summary, language=language, basis="abstract"), **settings))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("새로운 방법을 제안합니다.", "합니다체"),
        ("모델은 빠릅니다", "합니다체"),
        ("왜 그럴까요? 자세한 내용은 논문을 참조하십시오.", "합니다체"),
        ("새로운 방법을 제안한다.", "한다체"),
        ("이는 오류가 아니다.", "한다체"),
        ("성능이 높았다", "한다체"),
        ("새로운 방법을 제안함", "명사형"),
        ("성능을 높임.", "명사형"),
        ("새로운 방법 제안", "명사형"),
        ("필요한 과제의 개요", "명사형"),
        ("새로운 방법을 제안해요.", "해요체"),
        ("코드를 공개합니다: https://example.org/code.", "합니다체"),
        ("코드를 공개합니다(https://example.org/code).", "합니다체"),
        ("코드를 공개한다 (부록 A, [3] 참조).", "한다체"),
        ("**코드를 공개함**", "명사형"),
        ("'코드를 공개한다.'", "한다체"),
        ("먼저 설명합니다. 그리고 평가한다.", "한다체"),
        ("성능을 보여주며,", None),
        ("왜 그런가?", None),
        ("코드: https://example.org/code", None),
        ("GPT-4", None),
        ("", None),
        ("().", None),
    ],
)
def test_the_register_shows_in_the_ending(text, expected):
    assert register_of(text) == expected


def test_a_point_that_differs_from_most_is_a_warning():
    [finding] = found("방법을 제안한다.", "모델을 평가합니다.", "성능을 높인다.")
    assert (finding.severity, finding.point, finding.fix) == ("warning", 1, None)
    assert "한다체" in finding.message
    assert "합니다체" in finding.message


def test_a_point_that_differs_from_what_is_wanted_is_an_error():
    told = found("방법을 제안한다.", "모델을 평가한다.", wanted="합니다체")
    assert [(f.severity, f.point) for f in told] == [("error", 0), ("error", 1)]
    assert found("방법을 제안합니다.", wanted="합니다체") == []


def test_every_sentence_of_a_point_is_read_and_the_ending_is_shown():
    text = "***Idea***: 방법을 제안한다. Kim et al. 의 모델보다 빠릅니다."
    [finding] = found(text, wanted="합니다체")
    assert finding.span
    assert text[slice(*finding.span)] == "제안한다"


def test_one_register_is_none_to_speak_of():
    assert found("방법을 제안함", "모델 평가", "코드: https://example.org/code") == []
    assert found() == []
    assert found("A method.", "제안한다.", "평가합니다.", language="en") == []


def entry(arxiv_id, *points):
    return Entry(paper=Paper(arxiv_id=arxiv_id, title="T"), summary=Summary(points=points))


def test_a_digest_names_the_entries_that_differ_from_most():
    digest = Digest(
        date=dt.date(2024, 1, 12),
        entries=(
            entry("1", "방법을 제안합니다.", "모델을 평가합니다."),
            entry("2", "방법을 제안한다.", "모델을 평가한다.", "성능이 높습니다."),
            entry("3", "방법을 제안합니다."),
            entry("4"),
        ),
    )
    [finding] = register_across(digest)
    assert (finding.arxiv_id, finding.point, finding.severity) == ("2", None, "warning")
    assert list(register_across(digest.model_copy(update={"language": "en"}))) == []


@given(st.lists(st.text(st.characters()) | st.text("다니요함. )(\n'*").map("합니다".__add__)))
def test_no_text_makes_it_fail(points):
    for finding in found(*points):
        assert finding.span
        assert finding.point is not None
        assert finding.span[1] <= len(points[finding.point])


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_published_summaries_keep_to_one_register_but_for_six_points():
    differing = 0
    for name in ("pairs.dev.jsonl", "pairs.dev2.jsonl"):
        for line in (SHARED / "real" / name).read_text(encoding="utf-8").splitlines():
            differing += len(found(*json.loads(line)["points"]))
    assert differing == 6
