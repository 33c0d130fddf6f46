"""The numbers check: what an abstract bears out, and each way in which a point can be wrong."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from summarizer.checks import mend
from summarizer.checks.numbers import numbers
from summarizer.checks.reading import Readings
from summarizer.digest import Basis, Finding, Paper, Summary

SHARED = Path(__file__).parents[2] / "shared"
PAIRS = ("pairs.dev.jsonl", "pairs.dev2.jsonl")


def found(
    abstract: str | None,
    *points: str,
    basis: Basis = "abstract",
    language: str = "ko",
    title: str = "A study",
) -> list[Finding]:
    paper = Paper(arxiv_id="2401.00001", title=title, abstract=abstract)
    summary = Summary(points=points)
    return list(numbers(Readings(paper, summary, language=language, basis=basis)))


def only(abstract: str | None, *points: str, language: str = "ko") -> Finding:
    (finding,) = found(abstract, *points, language=language)
    return finding


# --- what is right -------------------------------------------------------------------------------

BORNE_OUT = """
We train a 3.8B model on 3.3 trillion tokens. | 38억 매개변수의 모델을 3.3조 토큰으로 학습한다.
It has 18B parameters and 240K samples. | 180억 매개변수와 24만 개의 샘플이 있다.
1.5 million images and 12,800 videos | 150만 장의 이미지와 1만 2,800개의 비디오
a 671B model, 37B activated | 6,710억 개 중 370억 개만 활성화된다.
millions of videos, tens of thousands of hours | 수백만 개의 비디오와 수만 시간
hundreds of thousands of clips | 수십만 개의 클립
2 million users | 수백만 명의 사용자
1.6 and 3.1 billion parameters | 16억과 31억 매개변수
between 3 and 5 million | 300만에서 500만
10^6 samples, $5 \\times 10^{4}$ steps | 100만 개의 샘플과 5만 스텝
tracks 68 points of the face | 얼굴의 68개 점을 추적한다.
the ratio is 4/3. We | 비율은 4/3이다.
128K tokens at 4K resolution | 12만 8천 토큰, 4K 해상도
improves by 5.3 percentage points | 5.3%p 향상된다.
improves by 5.3 points | 5.3포인트 향상된다.
an absolute gain of 3.5% | 3.5%p의 절대적 향상
from 35.2 to 40.1 AP | AP가 35.2%에서 40.1%로 향상된다.
an F1 of 0.85 | F1 85%를 달성한다.
2-5$\\times$ faster | 2~5배 빠르다.
speedups from 2x to 13x | 최대 13배 빨라진다.
by a factor of 3 | 3배 빠르다.
doubles the throughput | 처리량이 두 배가 된다.
with 2x fewer parameters | 매개변수가 절반이다.
halving the cost | 비용을 절반으로 줄인다.
reduces memory by 8x | 메모리를 8분의 1로 줄인다.
uses one-eighth of the memory | 메모리를 8배 적게 쓴다.
uses one-eighth of the memory | 메모리의 1/8만으로 동작한다.
two-thirds of the cases | 사례의 3분의 2
at a quarter of the cost | 25%의 비용으로
two orders of magnitude faster | 100배 빠르다.
five orders of magnitude faster | 다섯 자릿수 더 빠르다.
five orders of magnitude faster | 5자릿수 빠르다.
a double-digit gain | 두 자릿수 향상
a five-digit code | 다섯 자릿수 코드
uses one-eighth of the papers | 논문 여덟 편 중 한 편만 쓴다.
one-eighth of the cases fail | 8건 중 1건이 실패한다.
one in eight cases fails | 여덟 건 가운데 하나가 실패한다.
over 30 datasets | 30개가 넘는 데이터셋
12 of more than 10 sets | 10개 이상의 세트 중 12개
over 200 languages | 200여 개 언어
less than 2% of the data | 데이터의 2% 미만
drops by less than 1% | 1% 이상 떨어지지 않는다.
in under 10 seconds | 10초 이내에
as few as 5 examples | 단 5개의 예시로
nearly 50% | 거의 50%
26.3M images | 약 2,600만 장의 이미지
takes 600 ms | 0.6초가 걸린다.
a 2-hour video | 120분 길이의 비디오
hour-long videos | 1시간 길이의 비디오
costs $0.01, a $2 million budget | 0.01달러, 200만 달러의 예산
14 out of 16 datasets | 16개 데이터셋 중 14개
14 out of 16 datasets | 14/16의 데이터셋
one in five users | 사용자 5명 중 1명
eight modalities and a four-stage pipeline | 8가지 모달리티와 네 단계 파이프라인
a three-dimensional model of 3D scenes | 3차원 모델
INT4 weights and 8-bit activations | 4비트 가중치와 8비트 활성화
a 6-DoF pose | 6자유도 자세
Llama-2 and Claude-3.5 | Llama 2, 라마 2, 클로드 3.5
the top-5 results | 상위 5개 결과
ranks first, in March 2024 | 2024년 3월 1위
third-person videos | 3인칭 비디오
-40\\% error | 오류가 40% 감소한다.
both images and text | 이미지와 텍스트 두 가지
a single GPU | 1개의 GPU
We propose Foo, Bar, and Baz for training. | Foo, Bar, Baz의 세 가지 방법을 제안한다.
It has (1) a reader; (2) a judge; (3) a writer. | 3가지 요소가 있다.
Firstly we read. Secondly we judge. Thirdly we write. | 세 단계로 나뉜다.
It has a reader, a judge and a writer of 20 words. | 4가지 요소(읽기, 판단, 쓰기, 20 단어)
cuts the error of most models by 40\\% or more | 오류가 40% 이상 줄어든다.
accuracy rises to 71.0%, 2.3 points above the baseline | 정확도가 71.0%로 높아져 2.3점 높다.
reduces latency by 7x | 속도가 7배 높아진다.
raises throughput by 27x | 시간을 27배 줄인다.
improves the error rate by 3.5% | 오류율을 3.5% 낮춘다.
accuracy does not drop by 12% | 정확도가 12% 높다.
the error falls from 41.7% to 36.2% | 오류가 41.7%에서 36.2%로 줄어든다.
it climbs from rank 12 to rank 3 | 12위에서 3위로 올라간다.
reaches 26.7%, compared with 13.3% of the baseline | 기준 모델의 두 배인 26.7%에 도달한다.
drift is more than halved | 드리프트는 절반 미만으로 줄어든다.
at 0.15 bar and 298 K. It works | 0.15 bar와 298 K에서 동작한다.
no open-weight model exceeds 20% | 개방형 모델은 모두 20% 이하이다.
and none by more than 1.8 points | 향상 폭이 1.8점을 넘지 못했다.
costs under \\$2,000 | 2천 달러가 안 된다.
with $\\delta<1.25$ | δ<1.25인 픽셀
fewer than 60 Māui dolphins | 마우이돌고래는 60마리 미만이다.
it harms clock reading (-3.4) | 시계 읽기에서 3.4점을 깎는다.
by a factor of three to five | 3분의 1에서 5분의 1 수준이다.
over one minute of video, 2.4x fewer tokens per second | 1분이 넘는 비디오, 1초당 토큰이 2.4배 적다.
in 240 real trials over eight tasks | 여덟 가지 과제의 실제 시험 240회에서
4,860 questions over 1,215 charts | 차트 1,215개에 대한 문항 4,860개
all systems remain below 15\\% | 모든 시스템이 15%를 밑돎
trained in less than 40 minutes | 학습은 40분이 채 안 걸린다.
the gap shrinks by less than 3 points | 격차는 3점도 채 줄지 않는다.
360-degree videos at 30 FPS | 360도 비디오, 초당 30프레임
64 H100 GPUs for 2 weeks | 64대의 H100 GPU로 2주 동안
See https://example.org/v7/99. | 코드는 https://example.org/v7/99 에서 볼 수 있다.
"""


@pytest.mark.parametrize("case", BORNE_OUT.strip().splitlines())
def test_the_abstract_bears_it_out(case):
    abstract, point = case.split(" | ")
    assert found(abstract, point) == []


def test_the_title_bears_it_out_too():
    assert found("A survey.", "12개 언어를 다룬다.", title="A Survey of Twelve Languages") == []


def test_an_english_summary_is_held_against_its_abstract():
    abstract = "We test eight models on 1.5 million images, up to 7x faster."
    assert found(abstract, "Eight models, 1.5M images, up to 7 times faster.", language="en") == []
    assert only(abstract, "Nine models are tested.", language="en").severity == "error"


# --- what is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("abstract", "point", "fix"),
    [
        ("a 3.8B model", "3.8억 개의 매개변수", "38억"),
        ("100 million pairs", "100만 개의 쌍", "1억"),
        ("240K samples", "240만 개의 샘플", "24만"),
        ("1.5 million", "15만", "150만"),
        ("a $3.8 billion market", "3.8억 달러 시장", "38억 달러"),
        ("3.8M parameters", "3.8B 파라미터", "3.8M"),
        ("128K tokens", "12.8K 토큰", "128K"),
        ("1,000 hours", "10,000시간", "1,000시간"),
        ("an error of 0.05", "0.5의 오류", "0.05"),
        ("35% better", "3.5% 향상", "35%"),
        ("5.3% better", "5.3%p 향상", "5.3%"),
        ("5.3 percentage points", "5.3% 향상", "5.3%p"),
        ("1/8 of the memory", "8/1의 메모리", "1/8"),
    ],
)
def test_a_wrong_scale_or_unit_is_mended(abstract, point, fix):
    finding = only(abstract, point)
    assert (finding.severity, finding.fix) == ("error", fix)
    mended = mend(Summary(points=[point]), [finding])
    assert fix in mended.points[0].text
    assert found(abstract, mended.points[0].text) == []


def test_the_message_shows_both_sides():
    finding = only("We present a 3.8B model for phones.", "새로운 3.8억 모델")
    assert finding.message == "3.8억 is 380 million; the abstract says 3.8B, which is 38억"
    assert finding.evidence == "We present a 3.8B model for phones."
    assert (finding.point, finding.span) == (0, (4, 8))


@pytest.mark.parametrize(
    ("abstract", "point"),
    [
        ("1.5M images, 15M videos", "150억 개의 이미지"),  # two may be meant
        ("hundreds of thousands of clips", "수백만 개의 클립"),
        ("takes 600 ms", "600초가 걸린다."),
        ("uses one-eighth of the memory", "8배의 메모리를 쓴다."),
        ("10^6 samples", "10^5개의 샘플"),
        ("five orders of magnitude faster", "네 자릿수 더 빠르다."),
        ("five orders of magnitude faster", "4자릿수 더 빠르다."),
    ],
)
def test_a_wrong_scale_without_one_right_answer_is_only_told(abstract, point):
    finding = only(abstract, point)
    assert (finding.severity, finding.fix) == ("error", None)


@pytest.mark.parametrize(
    ("abstract", "point"),
    [
        ("a win rate of 79.4%", "74.4%의 승률"),
        ("14 out of 16 datasets", "16개 중 15개 데이터셋"),
        ("five tasks", "네 가지 과제"),
        ("in 4 languages", "5개 언어"),
        ("a 1-dimensional subspace", "3차원 부공간"),
        ("two orders of magnitude", "10배 빠르다."),
        ("It is fast.", "30% 빠르다."),
        ("5 tasks", "5% 향상"),
        ("a gain of 5%", "5개의 과제"),
        ("GPT-4 and LLaMA2", "4개의 과제"),
    ],
)
def test_what_the_abstract_does_not_state_is_an_error(abstract, point):
    finding = only(abstract, point)
    assert finding.severity == "error"
    assert finding.message.startswith("the abstract does not state")


def test_evidence_is_what_the_abstract_says_of_the_kind():
    finding = only("It reaches 79.4% with 20 experts.", "승률이 74.4%이다.")
    assert finding.evidence == "It reaches 79.4% with 20 experts."


@pytest.mark.parametrize(
    ("abstract", "point", "message"),
    [
        ("from 79.4% to 85.1%", "5.7% 향상", "follows from 79.4% and 85.1%"),
        ("1.5x faster", "50% 빠르다.", "follows from 1.5x"),
        ("50% faster", "1.5배 빠르다.", "follows from 50%"),
        ("26.3M images", "2,600만 장의 이미지", "rounded"),
        ("It works for most users.", "절반의 사용자", "does not state"),
    ],
)
def test_what_may_follow_is_a_warning(abstract, point, message):
    finding = only(abstract, point)
    assert finding.severity == "warning"
    assert message in finding.message


def test_about_so_many_is_within_a_tenth():
    assert found("10,400 images", "약 1만 장의 이미지") == []
    assert only("13,000 images", "약 1만 장의 이미지").severity == "error"


@pytest.mark.parametrize(
    "point",
    [
        "61%에서 69%로 8%p 올랐다.",
        "92번 성공해 96번 성공한 것보다 4번 적다.",
        "2.209에서 2.214로 0.005 높을 뿐이다.",
        "118시간에서 41시간으로 줄어 약 3분의 1 수준이다.",
        "5.7회로 2.4회를 두 배 넘게 앞선다.",
    ],
)
def test_what_the_point_itself_shows_how_it_was_calculated_is_a_warning(point):
    abstract = "From 61% to 69%; 92 and 96; 2.209 to 2.214; 118 to 41 hours; 5.7 and 2.4."
    finding = only(abstract, point)
    assert finding.severity == "warning"
    assert "is not stated, but follows from" in finding.message


def test_what_follows_from_others_by_chance_is_an_error():
    abstract = "It reaches 81.9%, 37.7% and 47.1%."
    assert only(abstract, "81.9%, 37.7%, 54%의 정확도를 보인다.").severity == "error"


def test_a_count_in_words_that_the_abstract_may_only_list_is_at_worst_a_warning():
    abstract = "We study accuracy, robustness and fairness with the two models."
    assert only(abstract, "정확성, 강건성, 공정성의 세 가지 측면").severity == "warning"


@pytest.mark.parametrize(
    ("abstract", "point"),
    [
        ("less than 2% of the data", "최소 2%의 데이터"),
        ("upwards of 50%", "최대 50%"),
        ("up to 7x", "7배 이상"),
        ("over 30 datasets", "30개 이하의 데이터셋"),
        ("at least 12 tasks", "최대 12개 과제"),
        ("speedups of 2x to 13x", "최대 2배"),
    ],
)
def test_a_bound_turned_round_is_an_error(abstract, point):
    finding = only(abstract, point)
    assert finding.severity == "error"
    assert "bounded the wrong way" in finding.message
    assert finding.fix is None


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ("16개 축 중 32개에서 낫다.", "32 are more than the 16 that they belong to"),
        ("32개 축 중 14개에서 낫다.", "14 of 32 is not what the abstract says"),
        ("14개 데이터셋 중 14개에서 낫다.", "14 of 14 is not what the abstract says"),
    ],
)
def test_a_share_of_another_whole_is_an_error(point, message):
    abstract = "It is better on 28 of 32 axes and on 14 out of 16 datasets."
    assert found(abstract, "32개 축 중 28개, 16개 데이터셋 중 14개에서 낫다.") == []
    finding = only(abstract, point)
    assert (finding.severity, finding.message) == ("error", message)


@pytest.mark.parametrize(
    ("abstract", "point", "message"),
    [
        ("It reduces the error by 58%.", "오류를 58% 높인다.", "58% is told as a rise"),
        ("It reduces the error by 58%.", "오류를 58% 높입니다.", "58% is told as a rise"),
        ("It reduces the error by 58%.", "오류가 58% 높습니다.", "58% is told as a rise"),
        ("It raises accuracy by 58%.", "정확도를 58% 낮춥니다.", "58% is told as a fall"),
        ("It trims answers by about 46\\%.", "답이 46% 늘어난다.", "the abstract says a fall"),
        ("It has 2.3 points below ours.", "우리보다 2.3점 높음", "the abstract says a fall"),
        ("It needs 30% more memory.", "메모리가 30% 적다.", "30% is told as a fall"),
        ("It falls from 41.7% to 36.2%.", "36.2%에서 41.7%로 높아진다.", "says a fall"),
        ("From 41.7% to 36.2%.", "오류는 36.2%에서 41.7%로 바뀐다.", "from 41.7% to 36.2%"),
        ("It has 36.2% and 41.7%.", "36.2%에서 41.7%로 낮아진다.", "is no fall"),
    ],
)
def test_a_change_turned_round_is_an_error(abstract, point, message):
    finding = only(abstract, point)
    assert finding.severity == "error"
    assert message in finding.message


def test_a_lost_bound_is_a_warning():
    finding = only("It has over 30 datasets.", "30개 데이터셋이 있다.")
    assert finding.severity == "warning"
    assert finding.message == "30 has lost its bound: the abstract says at least 30"


@pytest.mark.parametrize(
    ("abstract", "point"),
    [
        ("Users preferred it over two baselines.", "사용자는 두 가지 기준 모델보다 이것을 골랐다."),
        (
            "Judges favored our model over 20 others.",
            "평가자는 20개의 다른 모델보다 이것을 골랐다.",
        ),
        ("Raters chose it over 12 rivals.", "최대 12개의 경쟁 모델"),
        ("Averaged over 109 batches, it wins.", "109개 배치의 평균에서 이긴다."),
        ("The mean over 15 seeds is best.", "15개 시드의 평균이 가장 좋다."),
        ("Over 109 batches, it is stable.", "109개 배치에서 안정적이다."),
        ("An ablation over 12 variants", "12개 변형에 대한 절제 실험"),
        ("We sum the loss over 64 patches.", "64개 패치의 손실을 더한다."),
    ],
)
def test_over_is_no_bound_where_things_are_compared_or_averaged(abstract, point):
    assert found(abstract, point) == []


@pytest.mark.parametrize(
    ("abstract", "point"),
    [
        ("It is preferred in over 80% of the cases.", "80%의 경우에 선호된다."),
        ("It is preferred by more than 300 users.", "300명의 사용자가 선호한다."),
        ("We average the results of over 40 models.", "40개 모델의 결과를 평균한다."),
        ("It was trained for over 300 epochs.", "300 에포크 동안 학습되었다."),
    ],
)
def test_over_is_a_bound_before_what_is_measured(abstract, point):
    assert "has lost its bound" in only(abstract, point).message


def test_a_bound_that_some_mention_does_not_have_is_not_lost():
    assert found("Over 30 datasets. The 30 datasets are new.", "30개 데이터셋이 있다.") == []


# --- broken characters ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "point", ["정확도가 30% 향상된다.".encode().decode("latin-1"), "정확도가 3\ufffd0% 높다."]
)
def test_a_point_with_broken_characters_is_left_to_the_check_of_text(point):
    assert found("It gains 20%.", point) == []
    assert found("It gains 20%.", point, language="en") != []


# --- what cannot be known ------------------------------------------------------------------------


@pytest.mark.parametrize("abstract", [None, "", " \n"])
def test_without_an_abstract_nothing_can_be_checked(abstract):
    finding = only(abstract, "30% 빠르다.", "40% 작다.")
    assert (finding.severity, finding.point, finding.span) == ("warning", None, None)
    assert "cannot be checked" in finding.message


def test_written_from_the_paper_one_warning_a_point_names_what_the_abstract_lacks():
    abstract = "It has 3.8B parameters and is faster."
    first, second = found(
        abstract, "30% 빠르고 5개 과제에서 12.5점이다.", "8.8억 개", basis="paper"
    )
    assert first.message == "the abstract does not state 30%, 12.5점"
    assert [f.severity for f in (first, second)] == ["warning", "warning"]
    assert (first.point, second.point) == (0, 1)


def test_written_from_the_paper_a_contradiction_is_still_an_error():
    abstract = "It has 3.8B parameters, gains 5.3% and is over 12x faster."
    errors = found(abstract, "3.8억 매개변수", "5.3%p 향상", "12배 미만 빠르다.", basis="paper")
    assert [f.severity for f in errors] == ["error"] * 3


def test_written_from_the_paper_a_small_number_may_have_the_digits_of_another_by_chance():
    (finding,) = found("It takes 38 hours.", "학습에 380시간이 걸린다.", basis="paper")
    assert (finding.severity, finding.fix) == ("warning", None)


def test_written_from_the_paper_bounds_and_small_counts_are_left_alone():
    assert found("over 30 datasets, 5 tasks", "30개 데이터셋, 4개 과제", basis="paper") == []


# --- damage of any kind is found -----------------------------------------------------------------

SCALES = {"만": 10**4, "억": 10**8}


@given(st.integers(11, 9999).filter(lambda n: n % 10), st.sampled_from("만억"), st.integers(1, 4))
def test_any_power_of_ten_is_found(number, scale, power):
    abstract = f"It was trained on {number * SCALES[scale] * 10**power:,} images."
    assert found(abstract, f"{number * 10**power}{scale} 장의 이미지로 학습되었다.") == []
    finding = only(abstract, f"{number}{scale} 장의 이미지로 학습되었다.")
    assert finding.severity == "error"
    mended = mend(Summary(points=[f"{number}{scale} 장의 이미지"]), [finding])
    assert found(abstract, mended.points[0].text) == []


@example(Decimal("31.5"), Decimal("32.0"))
@given(st.decimals(1, 99, places=1), st.decimals(1, 99, places=1))
def test_any_other_percentage_is_found(stated, said):
    findings = found(f"It gains {stated}% in quality.", f"품질이 {said}% 향상된다.")
    assert [f.severity for f in findings] == ([] if stated == said else ["error"])


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text("0123456789.,%만억 ()"))
def test_any_text_is_checked(abstract, point):
    for finding in found(abstract, point, abstract):
        if finding.span and finding.point == 0:
            assert 0 <= finding.span[0] < finding.span[1] <= len(point)


@pytest.mark.parametrize(
    "piece", ["만", "7,", "5% ", "1/", "(2) ", "9 of 8 ", "$1", "억 ", "수백만 "]
)
def test_long_texts_are_checked(piece):
    found(piece * 20_000, "38억 개의 5% 이상, 1/8, 두 배")
    found("We reach 3.8B tokens and 14 of 16 tasks.", piece * 10_000)


# --- published summaries -------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("name", PAIRS)
def test_published_points_have_no_false_error(name):
    for line in (SHARED / "real" / name).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        findings = found(row["abstract"], *row["points"], title=row["title"])
        assert [f for f in findings if f.severity == "error"] == [], row["arxiv_id"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
def test_damaged_published_percentages_are_found():
    damaged = missed = 0
    for line in (SHARED / "real" / PAIRS[0]).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for point in row["points"]:
            for number in re.finditer(r"(?<![A-Za-z0-9.-])([0-9]+\.[0-9]+)(?=%)", point):
                wrong = f"{float(number[0]) * 10:.1f}"
                text = point[: number.start()] + wrong + point[number.end() :]
                findings = found(row["abstract"], text, title=row["title"])
                damaged += 1
                missed += not any(f.severity == "error" for f in findings)
    assert damaged > 10
    assert missed == 0
