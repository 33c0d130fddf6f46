"""Names: those of the abstract pass in every writing, misspelt and foreign ones are found."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer.checks import mend
from summarizer.checks.glossary import load_glossary
from summarizer.checks.names import names
from summarizer.checks.reading import Readings
from summarizer.digest import Paper, Summary

SHARED = Path(__file__).parents[2] / "shared"
ANY_TEXT = st.text(st.characters(exclude_categories=()))

TITLE = "LanternNet: Faithful Decoding for Text-to-Image Models"
ABSTRACT = (
    "Large language models (LLMs) hallucinate. We present LanternNet, which extends ELLA and"
    " GPT-o3 with Retrieval-Augmented Generation and an $\\alpha$-Mixer at $\\varepsilon = 1$. A"
    " user study with reinforcement learning from human feedback shows that Ferry-7B, DeepSeaV2"
    " and Poincaré embeddings help; D$^2$Flow and the Owl Bench are released, as are Mixture of"
    " Tokens layers."
)


def found(*points, abstract=ABSTRACT, title=TITLE, basis="abstract", language="ko"):
    paper = Paper(arxiv_id="2401.00001", title=title, abstract=abstract)
    summary = Summary(points=points)
    return list(names(Readings(paper, summary, language=language, basis=basis)))


def said(finding, text):
    start, end = finding.span
    return text[start:end]


@pytest.mark.parametrize(
    "text",
    [
        "LanternNet은 빠릅니다.",
        "lanternnet과 LANTERNNET을 비교합니다.",
        "Lantern Net이라고도 합니다.",
        "대규모 언어 모델(large language model, LLM)이 대상입니다.",
        "LLM들의 환각(hallucination)을 줄입니다.",
        "Text-To-Image, text to image, T2I 모델에 씁니다.",
        "검색 증강 생성(RAG)을 씁니다.",
        "RLHF(인간 피드백 기반 강화 학습)를 씁니다.",
        "인간 피드백 강화 학습(reinforcement learning from human feedback, RLHF)입니다.",
        "Ferry 7B와 Ferry-7B-기반 모델입니다.",
        "DeepSea-V2를 씁니다.",
        "DeepSea 계열입니다.",
        "Poincare 임베딩입니다.",
        "α-Mixer와 alpha-mixer입니다.",
        "오차 ε에 도달합니다.",
        "1024x1024와 64x64x3의 이미지에서 1e-5의 학습률로 학습합니다.",
        "D²Flow, D2Flow, D^2Flow는 같습니다.",
        "OwlBench에서 평가합니다.",
        "MoT 층을 씁니다.",
        "LanternNet의 코드는 https://github.com/some/OtherName 에 있습니다.",
        "수식 $F(x) = Zq$ 과 \\mathcal, <br> 은 이름이 아닙니다.",
        "GPT-o3의 4개 층, 7B, 32K, 2.5x, 30fps, 4-bit, 100ms, 3D에서 다룹니다.",
        "제II장과 X절에서 AI, GPU, API, Python, GitHub, Hugging Face를 다룹니다.",
        "사용자 연구(user studies)와 견고성(robustness), 확장성(scalability)을 봅니다.",
        "과적합(Overfitting) 없는 미세 조정(Fine-Tuning)입니다.",
        "***What's New***: 새로운 점입니다.",
        "***Zxqv Wlmp***: 표지는 형식에 속합니다.",
    ],
)
def test_what_the_abstract_has_passes_in_every_writing(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("ELAA를 확장합니다.", "ELLA를 확장합니다."),
        ("LanterNet은 빠릅니다.", "LanternNet은 빠릅니다."),
        ("LantrenNet은 빠릅니다.", "LanternNet은 빠릅니다."),
        ("GPT-3를 씁니다.", "GPT-o3를 씁니다."),
        ("Poincaer 임베딩입니다.", "Poincaré 임베딩입니다."),
        ("LanternNt-기반 모델입니다.", "LanternNet-기반 모델입니다."),
    ],
)
def test_a_misspelt_name_is_an_error_that_shows_and_mends_the_spelling(text, right):
    (finding,) = found(text)
    assert finding.severity == "error"
    assert finding.fix == finding.evidence
    assert "misspelt" in finding.message
    assert mend(Summary(points=[text]), [finding]).points[0].text == right


def test_a_misspelt_name_is_an_error_when_the_paper_was_read_too():
    (finding,) = found("LanterNet은 빠릅니다.", basis="paper")
    assert (finding.severity, finding.fix) == ("error", "LanternNet")


def test_an_unknown_name_is_an_error_on_the_abstract_and_a_warning_on_the_paper():
    text = "Zephyrine-2와 QuokkaBench로 비교합니다."
    first, second = found(text)
    assert [said(first, text), said(second, text)] == ["Zephyrine-2", "QuokkaBench"]
    assert {first.severity, second.severity} == {"error"}
    assert first.fix is None
    (finding,) = found(text, basis="paper")
    assert finding.severity == "warning"
    assert "Zephyrine-2, QuokkaBench" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "{}은 빠릅니다.",
        "{}는 빠릅니다.",
        "**{}**은 빠릅니다.",
        "**{}은** 빠릅니다.",
        "'{}'은 큽니다.",
    ],
)
def test_an_unknown_name_is_found_whatever_is_glued_to_it(text):
    text = text.format("HarborTalk")
    [finding] = found(text)
    assert (finding.severity, said(finding, text)) == ("error", "HarborTalk")


def test_a_point_in_broken_characters_is_passed_over():
    broken = "QuokkaBench에서 비교합니다.".encode().decode("latin-1")
    cut = "QuokkaBench\ufffd 비교합니다."
    assert [f.point for f in found(broken, cut, "QuokkaBench에서 비교합니다.")] == [2]


def test_two_real_names_that_resemble_each_other_are_not_confused():
    abstract = "We compare GPT-4, GPT-4V, LLaMA and LLaVA on the same tasks."
    assert found("GPT-4, GPT-4V, LLaMA, LLaVA를 비교합니다.", abstract=abstract) == []
    (finding,) = found("LLaVA를 씁니다.", abstract="We train LLaMA on the same tasks as others.")
    assert finding.severity == "error"
    assert finding.fix is None
    assert finding.evidence == "LLaMA"


def test_another_version_is_an_error_without_a_fix():
    (finding,) = found("DeepSeaV3를 씁니다.")
    assert (finding.severity, finding.fix) == ("error", None)
    assert finding.evidence == "DeepSeaV2"


def test_another_size_of_a_model_is_an_error_without_a_fix():
    abstract = "We train Ferry-7B and Ferry-70B, and ask Gull-1.5 13B, OwlVL and a 3B model."
    assert found("Ferry-70B, Gull-1.5-13B, OwlVL-3B, Ferry-7B를 씁니다.", abstract=abstract) == []
    (finding,) = found("Ferry-13B를 씁니다.", abstract=abstract)
    assert (finding.severity, finding.fix) == ("error", None)
    assert finding.evidence == "Ferry-7B, Ferry-70B"


def test_a_short_name_is_no_misspelling_of_an_ordinary_word():
    (finding,) = found("Adeqt를 씁니다.", abstract="We adept and adapt models.")
    assert (finding.severity, finding.fix) == ("error", None)


def test_many_unknown_names_are_listed_in_part():
    text = ", ".join(f"Quokka{letter}X" for letter in "ABCDEFGHIJKLM")
    (finding,) = found(f"{text}를 봅니다.", basis="paper")
    assert finding.message.endswith("QuokkaJX and 3 more; the paper may")


def test_where_two_spellings_are_as_near_both_are_shown_and_none_is_put_in():
    (finding,) = found("Owlin을 씁니다.", abstract="We compare Owlan and Owlen on many tasks.")
    assert finding.fix is None
    assert finding.evidence == "Owlan, Owlen"


def test_a_name_is_told_once_a_point_and_a_misspelling_at_each_place():
    assert len(found("Quokka와 Quokka를 봅니다.", "Quokka입니다.")) == 2
    assert len(found("LanterNet과 LanterNet을 봅니다.")) == 2


def test_english_glosses_of_ordinary_words_are_no_names():
    glossary = load_glossary("ko")
    assert glossary is not None
    glosses = [sense.english for sense in glossary.senses if sense.english.islower()]
    assert len(glosses) > 200
    abstract = "We look at birds in a forest and count them by hand."
    for gloss in glosses:
        for written in (gloss, gloss.title()):
            assert found(f"용어({written})를 씁니다.", abstract=abstract) == [], written


def test_an_unknown_word_in_lower_case_is_only_a_warning():
    (finding,) = found("요약(sumarization)을 봅니다.", abstract="A study of summarization.")
    assert (finding.severity, finding.fix) == ("warning", "summarization")


@pytest.mark.parametrize(
    ("text", "abstract", "evidence", "fix"),
    [
        (
            "RLHF(Reward Learning from Human Feedback)를 씁니다.",
            "We improve RLHF.",
            "reinforcement learning from human feedback",
            "Reinforcement Learning from Human Feedback",
        ),
        (
            "보상 학습(reward learning from human feedback; RLHF)입니다.",
            "We improve RLHF.",
            "reinforcement learning from human feedback",
            "reinforcement learning from human feedback",
        ),
        (
            "Semantic Wave Networks (SWAN)를 제안합니다.",
            "We propose Sparse Wave Attention Nets (SWAN).",
            "Sparse Wave Attention Nets",
            "Sparse Wave Attention Nets",
        ),
    ],
)
def test_a_wrong_expansion_is_held_against_the_abstract_and_common_knowledge(
    text, abstract, evidence, fix
):
    finding = next(f for f in found(text, abstract=abstract) if "is not" in f.message)
    assert (finding.severity, finding.evidence, finding.fix) == ("error", evidence, fix)


@pytest.mark.parametrize(
    "text",
    [
        "SWAN(Sparse Wave-Attention Net)을 제안합니다.",
        "SWAN(희소 웨이브 어텐션)을 제안합니다.",
        "희소 웨이브(sparse wave attention nets, SWAN)를 제안합니다.",
        "SWAN(Section 3)은 다릅니다.",
    ],
)
def test_right_expansions_and_other_brackets_pass(text):
    assert found(text, abstract="We propose Sparse Wave Attention Nets (SWAN). Section 3.") == []


def test_an_expansion_of_ones_own_is_a_warning():
    (finding,) = found("SWAN(Some Wide Area Net)입니다.", abstract="We propose SWAN some net.")
    assert finding.severity == "warning"


def test_without_an_abstract_it_says_once_that_nothing_can_be_checked():
    for abstract in (None, "", " \n"):
        (finding,) = found("Quokka", "ELAA", abstract=abstract)
        assert finding.severity == "warning"
        assert "cannot be checked" in finding.message


@settings(max_examples=60)
@given(ANY_TEXT, ANY_TEXT)
def test_any_text_is_read(point, abstract):
    for finding in found(point, abstract=abstract):
        if finding.span:
            assert point[finding.span[0] : finding.span[1]]


@pytest.mark.parametrize(
    "text",
    ["(" * 100_000, "(AB " * 50_000, "A-" * 100_000, "$" * 100_000, "Ab " * 50_000, "a" * 300_000],
)
def test_long_and_nested_text_takes_linear_time(text):
    found(text)
    found("LanterNet", abstract=text)


def rows(name):
    lines = (SHARED / "real" / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def readings(row, points=None):
    paper = Paper(arxiv_id=row["arxiv_id"], title=row["title"], abstract=row["abstract"])
    summary = Summary(points=points or row["points"])
    return Readings(paper, summary, language="ko", basis="abstract")


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_published_points_have_the_two_errors_that_were_judged_right():
    errors = [
        (row["arxiv_id"], finding.point)
        for name in ("pairs.dev", "pairs.dev2")
        for row in rows(name)
        for finding in names(readings(row))
        if finding.severity == "error"
    ]
    assert errors == [("2402.00742", 5), ("2405.17976", 5)]


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_names_of_published_points_are_found_when_a_letter_is_lost():
    rng = random.Random(5)
    told = damaged = 0
    for row in rows("pairs.dev"):
        read = readings(row)
        source = read.source
        for number, text in enumerate(read.texts):
            for term in read.terms[number]:
                capitals = sum(letter.isupper() for letter in term.text)
                if capitals < 2 or len(term.key) < 5 or not source.words.state(term.words):
                    continue
                at = rng.choice([i for i, c in enumerate(term.text[:-1]) if c.isalpha()])
                start = term.start + at
                points = list(row["points"])
                points[number] = text[:start] + text[start + 1 :]
                damaged += 1
                told += any(
                    finding.severity == "error" and finding.point == number
                    for finding in names(readings(row, points))
                )
    assert damaged > 200
    assert told >= 0.95 * damaged
