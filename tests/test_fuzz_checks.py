"""No text breaks a check or the Markdown parser."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.promises import hold_markdown, hold_summary
from summarizer.checks import CHECKS, check_summary
from summarizer.digest import Paper, Summary

# What the checks look for, whole and in pieces.
TERMS = """
모델 데이터 초록에는 다음은 요약 저는 언급되지 않았습니다 두 가지 절반 수십억 만 억 조 배 분의 약
은 는 이 가 을 를 으로 라고 은(는) 습니다. 한다. 함 최대 이상 미만 퍼센트 포인트 에서 3차원 첫 번째
GPT-4 LLM LLMs LoRA BLEU Transformer attention hallucination state-of-the-art ControlNet (LLM)
0 1 3.8 1,000 ½ ² ％ % %p 1e400 10^6 $10^{99}$ 2.5× 7B half a dozen third billions 2024 up to
http:// https://github.com/x/y www. a.com/ ]( ![ [ ] ( ) < > <b> </b> <!--x--> </think> " ' “ ”
* ** *** ~ ~~ ` `` ``` # | - 1. ... , : \\frac{1}{8} \\u0041 \\ $ ^{ _ rac{ imes {'a': ['
""".split()
ODD = ["\ud800", "\udfff", "\0", "\f", "\u200b", "\u202e", "\ufeff", "\u1100\u1161", "ㅋㅋ"]
ODD += ["漢字", "カナ", "я", "ë\xaa¨", "紐⑤뜽", "é", "e\u0301", "𝑥", "α", "됬", "\u2028", "\r\n"]
ODD += ["\n", "\t"]
PIECES = st.sampled_from([*TERMS, *ODD, " ", " ", " "]) | st.text(
    st.characters(exclude_categories=()), max_size=4
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)
TITLES = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode()).filter(bool)


@settings(max_examples=150)
@given(
    TITLES,
    st.none() | TEXTS,
    st.lists(TEXTS, max_size=4),
    st.sampled_from(["ko", "ko-KR", "en"]),
    st.sampled_from(["abstract", "paper"]),
)
def test_any_summary_of_any_paper_can_be_checked_and_mended(
    title, abstract, points, language, basis
):
    hold_summary(title, abstract, points, language=language, basis=basis)


@settings(max_examples=150)
@given(TEXTS, TEXTS)
def test_a_summary_that_is_made_of_its_abstract_can_be_checked(abstract, more):
    hold_summary("Title", abstract, [abstract, abstract + more, more + abstract])


LINES = ["## Daily Papers (2024-01-12)", "### [", "](https://arxiv.org/abs/2401.05561v2)", "Vote: "]
LINES += ["Authors: ", "- ", "![](https://a.b/c.png)", "<video src='x'>", "\n", "\n\n", "\r", "\\"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(LINES) | PIECES, max_size=30).map("".join))
def test_any_text_is_a_digest_or_is_refused_in_a_sentence(text):
    hold_markdown(text)


N = 2_000


@pytest.mark.parametrize(
    "text",
    [
        "만" * N,
        "1" * N,
        "1," * N,
        "1~2 " * N,
        "9" * N + "억",
        "두 가지 " * N,
        "half a " * N,
        "(" * N + ")" * N,
        "()" * N,
        "[](" * N,
        "**a " * N,
        "*a" * N,
        "~" * N,
        "`a " * N,
        "<a b='" * N,
        "<!--" * N,
        "![" * N,
        "{'a': " * N,
        "\\alpha" * N,
        "\\frac{" * N,
        "$x_{" * N,
        "http://a.b " * N,
        "http:" * N,
        "a." * N,
        "a-" * N,
        "A(B" * N,
        "LLM(large language model) " * N,
        "(large language model; LLM)" * N,
        "Aa" * N,
        "모델은(는) " * N,
        "합니다. " * N,
        "\ud800" * N,
        "\u1100\u1161" * N,
        "ë\xaa¨" * N,
        "漢" * N,
        "\n" * N,
        "\n " * N,
        "\n. " * N,
        " " * N,
        "\u200b" * N,
        "".join(f"Model-{number} " for number in range(N)),
        "".join(f"{number}.{number}% " for number in range(N)),
        "".join(f"낱말{number} " for number in range(N)),
    ],
    ids=lambda text: f"{text[:12].encode('ascii', 'backslashreplace').decode()}…",
)
def test_a_bomb_goes_off_in_neither_abstract_nor_point(text):
    hold_summary("Title", "The model has 3.8B parameters.", [text])
    hold_summary("Title", text, ["이 모델은 매개변수가 38억 개입니다.", text])


@pytest.mark.parametrize("basis", ["abstract", "paper"])
@pytest.mark.parametrize(
    ("abstract", "point"),
    [
        ("a" * 50_000, " ".join("a" * length for length in range(1, 200))),
        ("Model-{n} ", "Modal-{n} "),
        ("{n}.5% ", "{n}.7% "),
        ("https://a.io/{n} ", "https://a.io/{n}x "),
        ("large language model (LLM) ", "LLM(large language modal) "),
    ],
    ids=["one word", "names", "numbers", "links", "expansions"],
)
def test_two_long_sides_that_differ_everywhere_are_told_apart_in_a_few_findings(
    abstract, point, basis
):
    abstract, point = (
        "".join(text.format(n=number) for number in range(N)) if len(text) < 50 else text
        for text in (abstract, point)
    )
    paper = Paper(arxiv_id="2401.00001", title="Title", abstract=abstract)
    findings = check_summary(paper, Summary(points=[point]), basis=basis)
    told = Counter(finding.check for finding in findings)
    assert told
    assert max(told.values()) <= 200


def test_very_many_points_are_checked():
    hold_summary(
        "Title", "Abstract.", [f"이 모델은 {number}개의 낱말을 씁니다." for number in range(N)]
    )


def test_every_check_is_tried():
    assert {"numbers", "links", "register", "josa", "text", "shape"} <= CHECKS.keys()
