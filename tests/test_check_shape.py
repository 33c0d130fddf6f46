"""Shape: how many points, no loops, no twins, and no Markdown that changes how they read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from summarizer.checks import mend
from summarizer.checks.reading import Readings
from summarizer.checks.shape import shape
from summarizer.digest import Paper, Summary

SHARED = Path(__file__).parents[2] / "shared"
PAPER = Paper(arxiv_id="2401.00001", title="Lantern")
POINT = "이 방법은 다음 문장으로 넘어가기 전에 각 문장을 원문과 대조합니다."


def found(*points, abstract=None, **settings):
    paper, summary = PAPER.model_copy(update={"abstract": abstract}), Summary(points=points)
    return list(shape(Readings(paper, summary, language="ko", basis="abstract"), **settings))


def told(*points, **settings):
    return [(f.severity, f.point) for f in found(*points, **settings)]


def mended(text):
    return mend(Summary(points=[text]), found(text)).points[0].text


@pytest.mark.parametrize(
    "text",
    [
        POINT,
        "***What's New***: Lantern은 **7B** 모델과 *작은* 모델의 환각을 줄입니다.",
        "1.5~2배 빠르고 `<think>` 토큰과 `1~2, 3~4`를 씁니다.",
        "a < b이고 c > d이며 <모델>과 x<y를 비교합니다.",
        "2 * 3 * 4와 \\*와 \\~와 \\~을 씁니다.",
        "코드는 https://example.org/~a/~b 에서 [공개](https://example.org)됩니다.",
        "[example.org/code](https://example.org/code)에서 공개됩니다.",
        "더 빠르고 더 작고 더 정확하며, 정확도는 90%, 91%, 92%입니다.",
        "#해시 -5%와 +5%, 3.5배, 2024년입니다.",
        "방법입니다.\n#해시 -5%와 a|b\n2024. 1월에 공개됩니다.",
        "세 단계입니다.\n  1. 모읍니다.\n  2. 학습합니다.\n  - 결과를 얻습니다.",
    ],
)
def test_nothing_is_said_of_a_regular_point(text):
    assert told(text) == []


def test_the_number_of_points_has_bounds():
    assert told() == [("error", None)]
    assert told(*map(str, range(21))) == [("error", None)]
    assert told(POINT, min_points=2) == [("error", None)]
    assert told("가", "나", min_points=2, max_points=2) == []


def test_a_short_abstract_is_not_padded_and_yet_told_of():
    two = "We present Lantern. It works."
    assert told(POINT, "환각은 흔합니다.", abstract=two, min_points=4) == []
    assert told(POINT, abstract=two, min_points=4) == [("error", None)]
    assert told(abstract="…", min_points=4) == [("error", None)]


def test_an_empty_point_is_an_error():
    assert told(POINT, " \n\u00a0") == [("error", 1)]


def test_a_long_point_is_a_warning():
    words = " ".join(f"낱말{number}" for number in range(200))
    assert told(words) == [("warning", 0)]
    assert told(words, max_chars=2000) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{POINT} {POINT}",
        POINT + POINT,
        f"{POINT} {' '.join(POINT.split()[-3:] * 3)}",
        f"{POINT} 그리고 그리고 그리고 그리고 그리고 그리고",
        " ".join([POINT] * 4)[:-20],
        "코드는 공개됩니다. 데이터도 공개됩니다. 코드는 공개됩니다.",
        "환각을 줄이는 방법 환각을 줄이는 방법",
        "모델은 " + "매우큰데이터" * 20 + "를 씁니다.",
    ],
)
def test_a_point_that_loops_is_an_error(text):
    [finding] = [f for f in found(text) if f.severity == "error"]
    assert "repeats" in finding.message
    assert finding.span


def test_a_point_told_twice_is_an_error():
    [finding] = found(POINT, "환각은 흔합니다.", POINT.replace("이 방법", "그 방법"))
    assert (finding.severity, finding.point, finding.evidence) == ("error", 2, POINT)


def test_points_that_differ_in_a_figure_only_are_a_warning():
    other = "이 방법은 ImageNet에서 84.1%의 정확도를 얻어 기존 방법보다 좋습니다."
    assert told(other, other.replace("84.1", "76.3")) == [("warning", 1)]
    longer = f"{other[:-1]}, 그래서 많은 사람이 이 방법을 다른 방법보다 더 좋아합니다."
    assert told(longer, longer.replace("84.1", "76.3")) == [("warning", 1)]
    assert told(longer, longer.replace("이 방법은", "그 방법은")) == [("error", 1)]


def test_a_point_within_another_is_a_warning():
    assert told(f"{POINT} 그래서 환각이 줄고 사람들이 그 요약을 더 좋아합니다.", POINT) == [
        ("warning", 1)
    ]


# What GitHub's own parser (cmark-gfm) makes of these was looked up.
@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1.5~2.5배, 1.0~9.9%를 줄입니다.", "1.5-2.5배, 1.0-9.9%를 줄입니다."),
        ("10%~20%와 30~40%입니다.", "10%-20%와 30-40%입니다."),
        ("가~나, 다~라입니다.", "가-나, 다-라입니다."),
        ("~10%에서 ~~20~~%입니다.", "~10%에서 ~~20~~%입니다."),
        ("## 방법을 제안합니다.", "방법을 제안합니다."),
        ("- 방법을 제안합니다.", "방법을 제안합니다."),
        ("> 90%를 얻습니다.", "> 90%를 얻습니다."),
        ("| 모델 | 점수 |", "| 모델 | 점수 |"),
        ("점수입니다.\n| 모델 | 점수 |", "점수입니다.\n| 모델 | 점수 |"),
        ("모델 | 점수\n--- | :---:\n가 | 90", "모델 | 점수\n--- | :---:\n가 | 90"),
        ("방법입니다.\n## 결과를 얻습니다.", "방법입니다.\n결과를 얻습니다."),
        ("방법입니다.\n---", "방법입니다.\n---"),
        ("방법입니다.\n```\n코드", "방법입니다.\n```\n코드"),
        ("```json", "```json"),
        ("---", "---"),
        ("<think>를 제거합니다.", "<think>를 제거합니다."),
        ('<b class="x">굵게</b> <br/> <!-- x -->', '<b class="x">굵게</b> <br/> <!-- x -->'),
        ("![](https://example.org/a.png)", "![](https://example.org/a.png)"),
        ("[example.org](https://evil.example.com)", "[example.org](https://evil.example.com)"),
        ("[코드](javascript:alert)", "[코드](javascript:alert)"),
        ("2*3*4의 격자입니다.", "2*3*4의 격자입니다."),
        ("결과를 얻습니다. |---|", "결과를 얻습니다. |---|"),
    ],
)
def test_markdown_that_changes_how_a_point_reads_is_an_error(text, right):
    severities = {severity for severity, _ in told(text)}
    assert severities == {"error"}
    assert mended(text) == right


def test_a_table_is_told_once():
    text = "점수입니다.\n| 모델 | 점수 |\n|---|---|\n| 가 | 90 |"
    [finding] = found(text)
    assert finding.span == (text.index("|"), text.index("|") + 1)


@pytest.mark.parametrize(
    "text",
    [
        "**'굵게'**는 쓰입니다.",
        "**굵게 쓰입니다.",
        "1. 방법을 제안합니다.",
        "2) 방법을 제안합니다.",
    ],
)
def test_markdown_that_shows_is_a_warning(text):
    assert told(text) == [("warning", 0)]


PIECES = st.sampled_from(
    ["~", "*", "**", "`", "<", ">", "<a ", "](", "![", "# ", "1~2", "가", " ", "\n", "http://a.b"]
)
ANYTHING = st.lists(PIECES | st.text(st.characters(), max_size=5), max_size=40).map("".join)


@given(st.lists(ANYTHING, max_size=4))
def test_no_text_makes_it_fail(points):
    for finding in found(*points):
        if finding.span:
            assert finding.point is not None
            assert 0 <= finding.span[0] < finding.span[1] <= len(points[finding.point])
    mend(Summary(points=points), found(*points))


WORDS = st.lists(
    PIECES.map(str.strip).filter(bool) | st.text("가나다ab.,", min_size=1), min_size=5, max_size=30
)


@given(WORDS.map(" ".join))
@example("~ ~ ~ * ")
def test_a_text_that_stands_twice_is_always_told(text):
    assert any(f.severity == "error" for f in found(f"{text} {text}"))


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_published_points_have_a_regular_shape():
    for name in ("pairs.dev.jsonl", "pairs.dev2.jsonl"):
        for line in (SHARED / "real" / name).read_text(encoding="utf-8").splitlines():
            assert told(*json.loads(line)["points"]) == []
