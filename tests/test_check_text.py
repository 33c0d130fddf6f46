"""Text: prose in Korean, without what encodings, LaTeX and programs leave in it."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.checks import mend
from summarizer.checks.reading import Readings
from summarizer.checks.text import text as check
from summarizer.digest import Paper, Summary

SHARED = Path(__file__).parents[2] / "shared"
PROSE = "이 방법은 긴 문서의 환각(hallucination)을 최대 38% 줄입니다."


def found(text, *, abstract="A method.", language="ko", **settings):
    paper = Paper(arxiv_id="2401.00001", title="Lantern", abstract=abstract)
    summary = Summary(points=[text])
    return list(check(Readings(paper, summary, language=language, basis="abstract"), **settings))


def misread(text):
    """UTF-8 as Windows shows it that takes it for its own code page."""
    return "".join(
        bytes([byte]).decode("latin-1" if byte in b"\x81\x8d\x8f\x90\x9d" else "cp1252")
        for byte in text.encode()
    )


def told(text, **settings):
    return [(f.severity, f.message) for f in found(text, **settings)]


def mended(text, **settings):
    return mend(Summary(points=[text]), found(text, **settings)).points[0].text


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "***What's New***: Lantern은 “긴 문서”를 읽는 모델—그리고 2×3 격자…입니다.",
        "$\\frac{1}{8}$의 비용으로 $\\alpha$를 줄이고 `\\n`을 씁니다.",
        "코드는 https://example.org/a_{b}?x=the-of-is 에서 공개됩니다.",
        "Length-Adaptive Policy Optimization(LAPO)라는 방법을 제안함",
        "전문가 혼합 모델(Mixture of the Experts that are routed by a gate)을 제안합니다.",
        "앞선 연구인 Faithful Decoding for Text to Image Models of a Small Size와 비교합니다.",
        "정확도는 99.99999999%이고 수는 1000000000입니다.",
        "이 방법을 가을 마을",
        "물론, 다음은 과제이다. 데이터를 한국어로 번역한 모델을 평가한다.",
        "언어 모델로서의 가능성과 다음 요약 과제를 다룬다.",
        "‘모델’은 [1]에서 소개한 {a, b} 집합이다.",
        "",
    ],
)
def test_nothing_is_said_of_prose(text):
    assert told(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "We present Lantern, a decoding method.",
        "Lantern: a decoding method for long documents 이다",
        "https://example.org/코드 Lantern is a decoding method",
    ],
)
def test_a_point_left_in_english_is_an_error(text):
    assert [severity for severity, _ in told(text)] == ["error"]


def test_the_least_share_of_hangul_can_be_set():
    assert "5 of the point's 21" in told("모델의 방법 abcdefghijklmnop", min_hangul=0.5)[0][1]
    assert told("모델의 방법 abcdefghijklmnop") == []


LEFT = "a part of the point was left in English"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{PROSE} We hold each sentence against the source of the document.", ("error", LEFT)),
        ("비용을 줄이지만, plain 4-bit runs fail because of a few outliers.", ("error", LEFT)),
        ("이 모델은 keep every second token of long documents로 읽습니다.", ("warning", LEFT)),
        (
            "긴 문서를 읽을 때 필요한 토큰의 수를 줄임(It has 1) a reader that keeps words of it.)",
            ("warning", LEFT),
        ),
        ("값이 같다고 presuppose한다.", ("warning", "'presuppose한' is an English word")),
        ("가중치를 generate하므로 빠릅니다.", ("warning", "'generate하므' is an English word")),
    ],
)
def test_a_part_left_in_english_is_told(text, said):
    [(severity, message)] = told(text)
    assert (severity, message[: len(said[1])]) == said


def test_nothing_is_said_of_another_language():
    assert told("We present Lantern.\f", language="en") == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("이 방법을採用합니다.", "Hanja"),
        ("이 방법은 モデル입니다.", "kana"),
        ("이 방법은 модель입니다.", "Cyrillic"),
        ("이 방법은 ذكاء입니다.", "script"),
        ("모델ㅋㅋ", "letters"),
        ("모델ㅇ은 크다.", "letters"),
        ("마쥀막 모델", "syllable"),
        ("모델\x07은 크다.", "control"),
        ("모델\ufffd은 크다.", "encoding"),
        ("정말정말 큰 모델모모모모모모", "over and over"),
    ],
)
def test_what_korean_prose_does_not_hold_is_an_error(text, named):
    [(severity, message)] = told(text)
    assert severity == "error"
    assert named in message


def test_half_of_a_surrogate_pair_is_an_error():
    assert "encoding" in told("모델\ud83d은 크다.")[0][1]


def test_what_the_abstract_has_too_is_left_alone():
    assert told("이 방법은 文心을 씁니다.", abstract="We use 文心.") == []


def test_hanja_that_explains_a_word_is_a_warning():
    assert [severity for severity, _ in told("환각(幻覺)을 줄입니다.")] == ["warning"]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("모\u200b델은 \ufeff크다.", "모델은 크다."),
        ("모델\u202e은 크다.", "모델은 크다."),
        (unicodedata.normalize("NFD", "모델은 크다."), "모델은 크다."),
        ("cafe\u0301의 모델은 크다.", "café의 모델은 크다."),
        ("성능이 됬다.", "성능이 됐다."),
        ("모델은 크다.".encode().decode("latin-1"), "모델은 크다."),
        (misread("“모델”은 크다."), "“모델”은 크다."),
        ("모델".encode().decode("cp949"), "모델"),
        ("\\ubaa8델은 크다.", "모델은 크다."),
        ("정확도는 99\\%이다.", "정확도는 99%이다."),
        ("정확도는 99\\\\\\\\%이다.", "정확도는 99%이다."),
        ('\\"모델\\"은 크다.', '"모델"은 크다.'),
    ],
)  # fmt: skip
def test_what_has_one_right_answer_is_mended(text, right):
    assert mended(text) == right
    assert told(right) == []


@pytest.mark.parametrize(
    "text",
    [
        "새로운 \\framework를 제안합니다.",
        "값은 \\textbf{8}입니다.",
        "값은 extbf{8}입니다.",
        "값은 rac{1}{8}입니다.",
        "집합 mathcal을 씁니다.",
        "10 imes 빠릅니다.",
        "360^circ 영상을 씁니다.",
        "값은 \\n 8입니다.",
        "값은 \\x41입니다.",
    ],
)
def test_latex_and_its_remains_are_errors(text):
    assert [severity for severity, _ in told(text)] == ["error"]


def test_latex_that_json_ate_is_restored_where_the_abstract_shows_it():
    abstract = r"A new \framework is $2\times$ faster, and 1/8: $\frac{1}{8}$."
    assert mended("비용은 $\frac{1}{8}$이고 $2\times$ 빠릅니다.", abstract=abstract) == (
        r"비용은 $\frac{1}{8}$이고 $2\times$ 빠릅니다."
    )
    [finding] = found("새로운 \framework를 제안합니다.")
    assert (finding.severity, finding.evidence, finding.fix) == ("error", "\\framework", None)


@pytest.mark.parametrize(
    "text",
    [
        "['방법을 제안합니다.', '모델을 평가합니다.']",
        '{"points": ["방법을 제안합니다."]}',
        '"points": ["방법을 제안합니다."',
        '방법을 제안합니다.",',
        "결과는 ['a', 'b']로 제안합니다.",
        '실험에서 회복합니다."], "summary": "',
        "None",
        "null",
    ],
)
def test_what_a_program_prints_is_an_error(text):
    assert "error" in [severity for severity, _ in told(text)]


@pytest.mark.parametrize(
    "text",
    [
        "요약하면 다음과 같습니다.",
        "다음은 논문의 주요 내용을 요약한 것입니다:",
        "네, 요약해 드리겠습니다.",
        "물론입니다! 요약을 제공합니다.",
        "죄송하지만 초록이 없습니다.",
        "저는 AI 언어 모델이므로 알 수 없습니다.",
        "초록에는 결과가 언급되지 않았습니다.",
        "Here is the summary: 방법을 제안합니다.",
        "As an AI language model, 모델을 평가합니다.",
    ],
)
def test_talk_about_the_task_is_an_error(text):
    assert "error" in [severity for severity, _ in told(text)]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("높은 성능을 보여주며,", "보여주며,"),
        ("높은 성능을 보이지만", "보이지만"),
        ("새로운 방법을", "방법을"),
        ("모델을 평가하고**", "평가하고"),
        ("높은 성능(정확도 90%", "("),
    ],
)
def test_a_sentence_that_breaks_off_is_an_error(text, last):
    [finding] = found(text)
    assert finding.severity == "error"
    assert finding.span
    assert text[slice(*finding.span)] == last


PIECES = st.sampled_from(
    ["모델은 ", "\\u", "00e9", "\\", "{", "}", "^", "$", "`", "the of ", "초록에는 "]
)
DEBRIS = st.sampled_from(
    ["\f", "\t", "imes", "\u200b", "\u1100\u1161", "ë", "ª", "¨", "紐", "\ud800", "["]
)
ANYTHING = st.lists(PIECES | DEBRIS | st.text(st.characters(), max_size=5), max_size=40).map(
    "".join
)


@given(ANYTHING)
def test_no_text_makes_it_fail(text):
    for finding in found(text):
        if finding.span:
            assert 0 <= finding.span[0] < finding.span[1] <= len(text)
    mended(text)


def test_a_megabyte_of_debris_is_a_handful_of_findings():
    assert len(found("모델\u200b漢" * 300_000)) < 50


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_of_published_points_one_has_foreign_letters_and_none_is_english():
    points, errors, missed = 0, [], 0
    for name in ("pairs.dev.jsonl", "pairs.dev2.jsonl"):
        for line in (SHARED / "real" / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for point in row["points"]:
                points += 1
                errors += [row["arxiv_id"] for severity, _ in told(point) if severity == "error"]
            missed += not told(row["abstract"].partition(". ")[0])
    assert points > 800
    assert errors == ["2506.18701"]
    assert missed == 0
