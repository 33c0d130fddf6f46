"""Senses: false friends are found, renderings are held together, the glossary is the prompts'."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer.checks import mend
from summarizer.checks.glossary import load_glossary
from summarizer.checks.reading import Readings
from summarizer.checks.senses import renderings_across, senses
from summarizer.digest import Digest, Entry, Paper, Summary
from summarizer.errors import InputError
from summarizer.shipped import SHIPPED, available

SHARED = Path(__file__).parents[2] / "shared"
ANY_TEXT = st.text(st.characters(exclude_categories=()))

ABSTRACT = (
    "Decoder-only Transformers with attention hallucinate. Our differentiable agents and embodied"
    " reasoning reach the state of the art, pretrained on token embeddings, few-shot or zero-shot,"
    " against ground truth of large language models."
)


def readings(*points, abstract=ABSTRACT, language="ko"):
    paper = Paper(arxiv_id="2401.00001", title="Lantern", abstract=abstract)
    return Readings(paper, Summary(points=points), language=language, basis="abstract")


def found(*points, abstract=ABSTRACT, language="ko", **parameters):
    return list(senses(readings(*points, abstract=abstract, language=language), **parameters))


@pytest.mark.parametrize(
    ("text", "friend", "english"),
    [
        ("헛구역질이 잦습니다.", "헛구역질", "hallucination"),
        ("변압기를 씁니다.", "변압기", "Transformer"),
        ("디코더-오직 모델입니다.", "디코더-오직", "decoder-only"),
        ("디코더 오직 모델입니다.", "디코더 오직", "decoder-only"),
        ("차별화된 렌더러입니다.", "차별화된", "differentiable"),
        ("차별화가 가능합니다.", "차별화", "differentiable"),
        ("상태-의-예술을 넘습니다.", "상태-의-예술", "state of the art"),
        ("예술의 상태에 이릅니다.", "예술의 상태", "state of the art"),
        ("요원들은 빠릅니다.", "요원", "agent"),
        ("주목 헤드를 씁니다.", "주목 헤드", "attention"),
        ("구현된 추론입니다.", "구현된", "embodied"),
        ("이유화 능력입니다.", "이유화", "reasoning"),
        ("매립된 벡터입니다.", "매립", "embedding"),
        ("지상 진실과 비교합니다.", "지상 진실", "ground truth"),
    ],
)
def test_a_false_friend_of_a_term_of_the_abstract_is_an_error(text, friend, english):
    (finding,) = [f for f in found(text) if f.evidence == english]
    start, end = finding.span
    assert (finding.severity, text[start:end]) == ("error", friend)
    assert english in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "환각이 잦은 디코더 전용 트랜스포머입니다.",
        "미분 가능한 에이전트의 체화된 추론입니다.",
        "정답과 견주어 최고 수준에 이릅니다.",
        "해결은 아직 요원합니다.",  # far off, no agent
        "특수요원이 아닙니다.",
        "주의력 계층과 어텐션 계층을 비교합니다.",  # not the best word, but it misleads nobody
    ],
)
def test_right_renderings_and_other_words_pass(text):
    assert found(text) == []


def test_a_point_in_broken_characters_is_passed_over():
    broken = "변압기를 씁니다. " + "어텐션도 씁니다.".encode().decode("latin-1")
    assert [f.point for f in found(broken, "변압기를 씁니다.")] == [1]
    assert [f.point for f in found(broken, "환각입니다.", first_mention=True)] == [1]


def test_without_the_term_in_the_abstract_nothing_is_a_false_friend():
    points = ["변압기와 요원과 주목 모듈과 매립지가 나옵니다."]
    assert found(*points, abstract="A power grid near a landfill is watched by people.") == []


@pytest.mark.parametrize(
    ("text", "abstract"),
    [
        ("구현된 에이전트입니다.", "We implement embodied agents."),
        ("차별화된 방법입니다.", "A differentiable method with distinct parts."),
        ("몇 장의 사진으로 학습합니다.", "Few-shot learning from a few photos."),
    ],
)
def test_a_false_friend_may_render_another_word_of_the_abstract(text, abstract):
    assert found(text, abstract=abstract) == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("변압기를 씁니다.", "트랜스포머를 씁니다."),
        ("디코더-오직 모델", "디코더 전용 모델"),
        ("차별화된 렌더러", "미분 가능한 렌더러"),
        ("이유화에 강합니다.", None),  # 추론에 would be right, 이유화를 would need another particle
        ("주목 모듈 안에서", None),  # 어텐션 would lose the module
        ("전처리된 모델", None),  # 사전 학습 모델 reads well, but modifies otherwise
    ],
)
def test_a_fix_is_given_only_where_nothing_else_has_to_change(text, right):
    findings = found(text)
    assert findings
    if right is None:
        assert [finding.fix for finding in findings] == [None]
    else:
        assert mend(Summary(points=[text]), findings).points[0].text == right


def test_the_first_mention_is_asked_for_the_english_only_when_wanted():
    points = ["트랜스포머(Transformer)의 환각을 봅니다.", "환각(hallucination)은 잦습니다."]
    assert found(*points) == []
    (finding,) = found(points[0], first_mention=True)
    assert (finding.severity, finding.point) == ("warning", 0)
    assert "환각 first occurs without (hallucination)" in finding.message


def test_without_an_abstract_it_says_once_that_nothing_can_be_checked():
    for abstract in (None, "", " \n"):
        (finding,) = found("변압기", abstract=abstract)
        assert finding.severity == "warning"
        assert "cannot be checked" in finding.message


def test_nothing_is_said_of_a_language_without_a_glossary():
    assert found("변압기", language="en") == []
    assert found("변압기", language="ko-KR") != []


@settings(max_examples=60)
@given(ANY_TEXT, ANY_TEXT)
def test_any_text_is_read(point, abstract):
    found(point, abstract=abstract, first_mention=True)
    paper = Paper(arxiv_id="1", title="Lantern", abstract=abstract)
    list(renderings_across(digest((paper, [point]), (paper, ["환각", point]))))


@pytest.mark.parametrize(
    "text", ["만" * 300_000, "점수 추출을 " * 50_000, "(" * 100_000, "가 " * 200_000]
)
def test_long_text_takes_linear_time(text):
    found(text, abstract="score distillation of attention", first_mention=True)


# --- across a digest


def digest(*entries):
    return Digest(
        date=dt.date(2024, 1, 12),
        entries=tuple(
            Entry(paper=paper, summary=Summary(points=points)) for paper, points in entries
        ),
    )


def paper(number, abstract=None):
    return Paper(arxiv_id=f"2401.0000{number}", title="Lantern", abstract=abstract)


def test_two_renderings_of_a_listed_term_are_told_where_the_rarer_one_stands():
    text = "대형 언어 모델입니다."
    findings = list(
        renderings_across(
            digest(
                (paper(1), ["대규모 언어 모델입니다."]),
                (paper(2), ["처음입니다.", text]),
                (paper(3), ["대규모언어모델과 대규모 언어 모델들입니다."]),
            )
        )
    )
    (finding,) = findings
    assert (finding.severity, finding.arxiv_id, finding.point) == ("warning", "2401.00002", 1)
    assert text[slice(*(finding.span or ()))] == "대형 언어 모델"
    assert finding.evidence == "대규모 언어 모델 3, 대형 언어 모델 1"


@pytest.mark.parametrize(
    "points",
    [
        ["오픈소스와 오픈 소스입니다."],
        ["환각과 환각 현상입니다."],
        ["동작과 움직임입니다."],  # not listed
        ["추론과 추론입니다."],
    ],
)
def test_spaces_longer_forms_and_terms_that_are_not_listed_pass(points):
    assert list(renderings_across(digest((paper(1), points)))) == []


def test_a_rendering_counts_only_where_the_abstract_has_the_term():
    entries = [(paper(1, "Agents."), ["에이전트"]), (paper(2, "Actors."), ["행위자"])]
    assert list(renderings_across(digest(*entries))) == []
    entries = [(paper(1, "Agents."), ["에이전트"]), (paper(2, "An agent."), ["행위자"])]
    assert len(list(renderings_across(digest(*entries)))) == 1


# --- the glossary


def shipped():
    glossary = load_glossary("ko")
    assert glossary is not None
    return glossary.senses


def test_every_term_of_the_shipped_prompts_stands_in_the_glossary_as_there():
    known = {sense.english: sense for sense in shipped()}
    prompts = available("prompts", suffix=".prompty")
    assert {"digest-ko", "digest-ko-lines"} <= prompts.keys()
    for name in ("digest-ko", "digest-ko-lines"):
        text = (SHIPPED / "prompts" / f"{name}.prompty").read_text("utf-8")
        lines = text.partition("<terms>\n")[2].partition("\n</terms>")[0].splitlines()
        assert len(lines) > 40
        for line in lines:
            english, _, rest = line.partition(" = ")
            prefer, _, friends = rest.partition("; not ")
            assert known[english].prefer == prefer
            assert known[english].listed
            assert set(friends.split(", ")) - {""} <= set(known[english].never)


def test_the_glossary_is_large_and_consistent():
    assert len(shipped()) >= 150
    for sense in shipped():
        fine = {sense.prefer.partition("(")[0], *sense.also}
        assert fine.isdisjoint(sense.never), sense.english
        assert sense.reason[-1] != "."
        assert not sense.unless or sense.never, sense.english


def test_no_false_friend_is_a_fine_rendering_of_another_term():
    fine = {rendering for sense in shipped() for rendering in (sense.prefer, *sense.also)}
    assert fine.isdisjoint(friend for sense in shipped() for friend in sense.never)


@pytest.fixture
def own_glossary(tmp_path, monkeypatch):
    (tmp_path / "prompts").mkdir()
    monkeypatch.chdir(tmp_path)
    load_glossary.cache_clear()
    yield tmp_path / "prompts" / "glossary.ko.yaml"
    load_glossary.cache_clear()


def test_a_glossary_of_ones_own_is_read_instead(own_glossary):
    own_glossary.write_text("lantern:\n  prefer: 랜턴\n  never: [등대]\n  reason: it is carried\n")
    (finding,) = found("등대입니다.", abstract="A lantern.")
    assert finding.fix is None
    assert found("변압기입니다.") == []


@pytest.mark.parametrize(
    ("friend", "text"),
    [
        ("등", "등을 켭니다."),
        ("등 대", "등대를 켭니다."),
        ("등-대", "등 대를 켭니다."),
        ("등대", "큰 등대"),
    ],
)
def test_a_false_friend_may_be_short_and_joined_in_any_way(own_glossary, friend, text):
    own_glossary.write_text(f"lantern:\n  prefer: 랜턴\n  never: [{friend}]\n  reason: carried\n")
    assert len(found(text, abstract="A lantern.")) == 1
    assert found(text.replace("등", "전등"), abstract="A lantern.") == []


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("lantern:\n  reason: it is carried\n", 1, "has no 'prefer'"),
        ("lantern:\n  prefer: 랜턴\n  reason: x\n  nver: [등대]\n", 4, "no setting 'nver'"),
        ("lantern:\n  prefer: 랜턴\n  reason: x\n  never: 등대\n", 4, "not a list"),
        ("lantern: 랜턴\n", 1, "not a mapping"),
    ],
)
def test_a_broken_glossary_is_named_with_its_line(own_glossary, content, line, message):
    own_glossary.write_text(content)
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        found("랜턴")
    assert (Path(raised.value.path or "").name, raised.value.line) == (own_glossary.name, line)


# --- real points


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_published_points_have_only_the_false_friends_that_were_judged_right():
    friends = set()
    for name in ("pairs.dev", "pairs.dev2"):
        for line in (SHARED / "real" / f"{name}.jsonl").read_text().splitlines():
            row = json.loads(line)
            published = Paper(
                arxiv_id=row["arxiv_id"], title=row["title"], abstract=row["abstract"]
            )
            summary = Summary(points=row["points"])
            for finding in senses(Readings(published, summary, language="ko", basis="abstract")):
                friends.add((row["arxiv_id"], finding.message.partition(" does")[0]))
    assert friends == {
        ("2401.00909", "점수 추출"),
        ("2401.00935", "차별화"),
        ("2401.01173", "차별화 가능한"),
        ("2401.05391", "변압기"),
        ("2401.06104", "디코더-오직"),
        ("2402.06082", "주목 모듈"),
        ("2402.06082", "주목 디코딩"),
        ("2402.14650", "구조에서 모션"),
        ("2404.02078", "이유화"),
        ("2404.19427", "전처리된"),
        ("2503.09573", "자율 회귀"),
        ("2507.10548", "구현된"),
    }
