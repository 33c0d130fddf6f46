"""Particles: the wrong form is told after all that can be read, and after nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.checks import mend
from summarizer.checks.josa import josa
from summarizer.checks.reading import Readings
from summarizer.digest import Paper, Summary

SHARED = Path(__file__).parents[2] / "shared"
PAPER = Paper(arxiv_id="2401.00001", title="Lantern")


def found(text, language="ko"):
    summary = Summary(points=[text])
    return list(josa(Readings(PAPER, summary, language=language, basis="abstract")))


def mended(text):
    return mend(Summary(points=[text]), found(text)).points[0].text


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("모델는 빠르다", "모델은 빠르다"),
        ("데이터은 많다", "데이터는 많다"),
        ("방법가 있다", "방법이 있다"),
        ("문제이 있다", "문제가 있다"),
        ("성능를, 그리고", "성능을, 그리고"),
        ("이미지을 만든다", "이미지를 만든다"),
        ("모델와 데이터", "모델과 데이터"),
        ("데이터과의 관계", "데이터와의 관계"),
        ("방법로써 쓴다", "방법으로써 쓴다"),
        ("모델으로 쓴다", "모델로 쓴다"),
        ("문제으로부터", "문제로부터"),
        ("방법라는 이름", "방법이라는 이름"),
        ("부담는 크다", "부담은 크다"),  # 담는 is a verb
        ("방식는 같다", "방식은 같다"),
        ("검증가 어렵다", "검증이 어렵다"),  # 증가 is a noun
        ("절차이 있다", "절차가 있다"),  # 차이 is a noun
        ("최초과 최후", "최초와 최후"),  # 초과 is a noun
        ("환경로 옮긴다", "환경으로 옮긴다"),  # 경로 is a noun
        ("이미지은 크다", "이미지는 크다"),  # 지은 is a verb
        ("평가을 한다", "평가를 한다"),  # 가을 is a noun
        ("문제를 풀며, 이은 중요하다", "문제를 풀며, 이는 중요하다"),
        ("토큰가 많다", "토큰이 많다"),
        ("디자인가 좋다", "디자인이 좋다"),
        ("3는 크다", "3은 크다"),
        ("10를 넘는다", "10을 넘는다"),
        ("1,000로 나눈다", "1,000으로 나눈다"),
        ("7으로 나눈다", "7로 나눈다"),
        ("0.5을 넘는다", "0.5를 넘는다"),
        ("85%을 넘는다", "85%를 넘는다"),
        ("GPT-4은 크다", "GPT-4는 크다"),
        ("**모델**는 크다", "**모델**은 크다"),
        ("'모델'를 쓴다", "'모델'을 쓴다"),
        ("환각(hallucinations)는 많다", "환각(hallucinations)는 많다"),
        ("모델(대형)를 쓴다", "모델(대형)을 쓴다"),
        ("데이터(자료)은 많다", "데이터(자료)는 많다"),
        ("모델은(는) 크다", "모델은 크다"),
        ("데이터을(를) 쓴다", "데이터를 쓴다"),
        ("모델(으)로 쓴다", "모델로 쓴다"),
    ],
)
def test_a_wrong_particle_is_mended_after_hangul_and_figures(wrong, right):
    told = found(wrong)
    assert len(told) == 1
    assert told[0].severity == ("warning" if wrong == right else "error")
    assert mended(wrong) == right
    assert wrong == right or found(right) == []


@pytest.mark.parametrize(
    "text",
    [
        "HarborDesk은", "Transformer은", "LLM는", "DocLLM를", "GPT은", "MLP을", "RNN와",
        "ControlNet를", "SDXL으로", "Diffusion를", "Google는", "LoRA은", "Engine가", "OpenAI은",
        "5GB을", "ImageNet와", "Transformer(트랜스포머)은", "LLM(Large Language Model)는",
        "LLM은(는)",
    ],
)  # fmt: skip
def test_after_latin_script_it_is_told_and_left_to_the_model(text):
    assert [(f.severity, f.fix) for f in found(text)] == [("error", None)]


@pytest.mark.parametrize(
    "text",
    [
        "두께는 25 μm를 넘고 5 μs은 짧습니다.",
        "있는 없는 찾는 않는 담는 막는 뛰어넘는 다듬는 사로잡는 했는 맞먹는",
        "평가 증가 국가 전문가 성능평가 무엇인가 있는가 중요한가 누군가",
        "차이 사이 디스플레이 플레이 까다로이 성능차이 나이",
        "효과 초과 부과 역효과 치과 투과",
        "경로 진로 최단경로 산책로 경로의",
        "더 나은 지은 둘을 이은 규정지은 짝지은 구분지을 마을 가을 지을 모을",
        "달라는 말라고 놀라는",
        "모델은 데이터는 방법이 문제가 성능을 이미지를 모델과 데이터와 방법으로 모델로 문제로",
        "이 방법은 (이 경우) '이 방법' \"이 방법\" **이 논문** 텍스트-이미지 [이 표]",
        "LLM은 RNN은 GPT는 MLP는 Transformer는 ControlNet은 SDXL로 LoRA를 Engine이 7B는 7B은",
        "RAG는 RAG은 CLIP은 CLIP을 ViT은 ViT는 OCR은 OCR는 bot은 Map을 format은 great는",
        "GPT-3은 GPT-3는 LLaMA2는 CIFAR-10은 Llama 3은 Llama 3는 v1.5는 F1은 top-1을",
        "1/8은 1/8는 10^6은 10^6는 K=3은 K=3는 0은 0는 2.0은 16은 100으로 5를 8로 3으로 1로",
        "90%는 5%p를 10ms를 5GB를 3D를 4K를 4K을 ",
        "대규모 언어 모델(LLM)은 검색 증강 생성 (RAG)을 상자(bounding box)를",
        "GPT-12은 GPT-12는 LLM(데이터)은 LLM(데이터)는",
        "$x$은 $x$는 f(x)는 α는 α은 … 는",
        "데이터이라는 데이터라는 모델이라는",
        "입력은/는 a/b를 https://a.b/lantern를 https://a.b/lantern/을 (https://a.b/engine)를",
    ],
)  # fmt: skip
def test_nothing_is_said_of_right_particles_words_and_what_can_be_read_two_ways(text):
    assert [f.message for f in found(text)] == []


def test_a_particle_that_follows_the_brackets_text_is_a_warning():
    [finding] = found("대규모 언어 모델(GPT-4)는 크다")
    assert (finding.severity, finding.fix) == ("warning", None)
    assert "모델" in finding.message


def test_a_point_in_broken_characters_is_passed_over():
    assert len(found("모델는 크다")) == 1
    assert found("모델는 크다 " + "모델은 크다".encode().decode("latin-1")) == []


def test_nothing_is_said_of_another_language():
    assert found("모델는 크다", language="en") == []
    assert len(found("모델는 크다", language="ko-KR")) == 1


PIECES = st.sampled_from(
    "모델 데이터 는 은 을 로 으로 라는 이 ( ) [ ] ' ** 0 1,0 -4 % GPT el 은(는) (으)로 .".split()
)
ANYTHING = st.lists(PIECES | st.just(" ") | st.text(st.characters(), max_size=4), max_size=40).map(
    "".join
)


@given(ANYTHING)
def test_no_text_makes_it_fail_and_mending_comes_to_an_end(text):
    told = found(text)
    for finding in told:
        assert finding.span
        assert text[slice(*finding.span)] in finding.message
    for _ in range(5):
        text = mended(text)
    assert not [finding for finding in found(text) if finding.fix]


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_of_published_points_only_wrong_particles_are_told():
    told = set()
    for name in ("pairs.dev.jsonl", "pairs.dev2.jsonl"):
        for line in (SHARED / "real" / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for number, point in enumerate(row["points"]):
                if any(f.severity == "error" for f in found(point)):
                    told.add((row["arxiv_id"], number))
    assert told == {
        ("2401.10891", 0),
        ("2402.10893", 5),
        ("2402.10893", 6),
        ("2402.10896", 2),
        ("2405.17976", 0),
        ("2405.17976", 4),
        ("2406.06474", 2),
        ("2506.18701", 4),
    }
