"""Topic: a summary of another paper, or of nothing, is told from one of this paper."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer.checks.reading import Readings
from summarizer.checks.topic import topic
from summarizer.digest import Paper, Summary

SHARED = Path(__file__).parents[2] / "shared"
ANY_TEXT = st.text(st.characters(exclude_categories=()))

LANTERN = Paper(
    arxiv_id="2401.00001",
    title="LanternNet: Faithful Summaries by Decoding against the Source",
    abstract=(
        "Large language models hallucinate when they summarize long documents. We present"
        " LanternNet, a decoding method that needs no fine-tuning. It lowers hallucination of"
        " Ferry-7B by 38.5% on three benchmarks against a strong baseline and adds 1,250 labels."
    ),
)
OWL = Paper(
    arxiv_id="2401.00002",
    title="OwlField: Radiance Fields for Robots at Night",
    abstract=(
        "We reconstruct scenes for robot navigation from noisy images with OwlField, a radiance"
        " field over point clouds. On DuskBench it improves PSNR by 2.1 dB and runs 14.7x faster"
        " than diffusion models, with end-to-end training of the encoder."
    ),
)
OF_LANTERN = (
    "대규모 언어 모델은 긴 문서를 요약할 때 환각을 일으킵니다.",
    "LanternNet은 미세 조정 없이 쓰는 디코딩 방법입니다.",
    "Ferry-7B의 환각을 벤치마크 세 개에서 38.5% 줄입니다.",
)
OF_OWL = (
    "OwlField는 잡음이 많은 이미지에서 로봇이 다닐 장면을 재구성하는 래디언스 필드입니다.",
    "점군 위에서 인코더를 엔드투엔드로 학습합니다.",
    "DuskBench에서 PSNR을 2.1dB 높이고 확산 모델보다 14.7배 빠릅니다.",
)
ABOUT_NOTHING = ("최신 AI 모델의 효율성을 높이는 새로운 접근법",)


def found(paper, points, *, basis="abstract", language="ko"):
    summary = Summary(points=points)
    return list(topic(Readings(paper, summary, language=language, basis=basis)))


def test_points_in_broken_characters_are_passed_over():
    broken = [point.encode().decode("latin-1") for point in OF_OWL]
    assert found(LANTERN, broken) == []
    assert found(LANTERN, [*OF_LANTERN, *broken]) == []
    assert len(found(LANTERN, [broken[0], *OF_OWL])) == 1


@pytest.mark.parametrize("basis", ["abstract", "paper"])
def test_summaries_of_their_papers_pass(basis):
    assert found(LANTERN, OF_LANTERN, basis=basis) == []
    assert found(OWL, OF_OWL, basis=basis) == []


@pytest.mark.parametrize("basis", ["abstract", "paper"])
def test_exchanged_summaries_are_errors_that_say_why(basis):
    (first,) = found(LANTERN, OF_OWL, basis=basis)
    (second,) = found(OWL, OF_LANTERN, basis=basis)
    assert (first.severity, second.severity) == ("error", "error")
    assert "it does not name LanternNet" in first.message
    assert "technical terms" in first.message
    assert first.evidence == LANTERN.title
    assert (first.point, first.span, first.fix) == (None, None, None)


@pytest.mark.parametrize(
    "points",
    [ABOUT_NOTHING, ("죄송합니다. 초록이 없어 요약할 수 없습니다.",), ("새로운 방법입니다.",)],
)
def test_an_answer_about_nothing_is_an_error(points):
    assert [finding.severity for finding in found(LANTERN, points)] == ["error"]


def test_one_signal_alone_warns():
    (finding,) = found(OWL, [point.replace("OwlField", "이 방법") for point in OF_OWL[:2]])
    assert finding.severity == "warning"
    assert "it does not name OwlField" in finding.message


def test_a_summary_that_names_what_the_abstract_names_needs_nothing_else():
    assert found(LANTERN, ["LanternNet, Ferry-7B, large language models, decoding입니다."]) == []


def test_shares_can_be_set():
    points = [*OF_LANTERN[:2], "QuokkaNet과 ZebraNet입니다.", "단백질과 음악과 게임을 다룹니다."]
    assert found(LANTERN, points, basis="paper") != []
    summary = Summary(points=points)
    readings = Readings(LANTERN, summary, language="ko", basis="paper")
    assert list(topic(readings, min_names=0.1, min_terms=0.1, min_rendered=0.1)) == []


def test_a_language_without_a_glossary_is_judged_by_names_and_numbers():
    english = ["LanternNet lowers the hallucinations of Ferry-7B by 38.5%."]
    assert found(LANTERN, english, language="en") == []
    other = ["OwlField improves DuskBench by 2.1 dB and runs 14.7x faster than ZebraFlow."]
    assert [finding.severity for finding in found(LANTERN, other, language="en")] == ["error"]


@pytest.mark.parametrize("abstract", [None, "", " \n"])
def test_without_an_abstract_it_says_once_that_nothing_can_be_checked(abstract):
    paper = Paper(arxiv_id="1", title="LanternNet: A Title", abstract=abstract)
    (finding,) = found(paper, OF_OWL)
    assert finding.severity == "warning"
    assert "cannot be checked" in finding.message


def test_empty_summaries_are_for_the_check_of_shape():
    assert found(LANTERN, []) == []
    assert found(LANTERN, ["", " "]) == []


@settings(max_examples=60)
@given(ANY_TEXT, ANY_TEXT)
def test_any_text_is_read(point, abstract):
    found(Paper(arxiv_id="1", title="Xa1: y", abstract=abstract), [point])


def published():
    for name in ("pairs.dev", "pairs.dev2"):
        for line in (SHARED / "real" / f"{name}.jsonl").read_text().splitlines():
            row = json.loads(line)
            paper = Paper(arxiv_id=row["arxiv_id"], title=row["title"], abstract=row["abstract"])
            yield (name, row["day"]), paper, row["points"]


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_no_published_summary_is_an_error():
    for _, paper, points in published():
        assert [f for f in found(paper, points) if f.severity == "error"] == []


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_exchanged_summaries_of_one_day_or_set_are_errors():
    rng = random.Random(3)
    days, sets = defaultdict(list), defaultdict(list)
    for day, paper, points in published():
        days[day].append((paper, points))
        sets[day[0]].append((paper, points))
    told = exchanged = 0
    for day, papers in days.items():
        pool = papers if len(papers) > 1 else sets[day[0]]
        for paper, points in papers:
            other = rng.choice([theirs for _, theirs in pool if theirs != points])
            exchanged += 1
            told += any(finding.severity == "error" for finding in found(paper, other))
    assert told >= 0.95 * exchanged
