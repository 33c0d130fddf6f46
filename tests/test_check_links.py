"""Links: told from what follows them as GitHub tells them, and held against the abstract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.checks import fixes, mend
from summarizer.checks.addresses import read_links
from summarizer.checks.links import links
from summarizer.checks.reading import Readings
from summarizer.digest import Paper, Summary

SHARED = Path(__file__).parents[2] / "shared"
URL = "https://github.com/acme/lantern"
PAPER = Paper(
    arxiv_id="2401.00001",
    title="Lantern",
    abstract=f"We hold each sentence against its source. Code is at {URL}.",
)


def found(text, *, paper=PAPER, basis="abstract"):
    return list(links(Readings(paper, Summary(points=[text]), language="ko", basis=basis)))


def mended(text, **settings):
    return mend(Summary(points=[text]), found(text, **settings)).points[0].text


@pytest.mark.parametrize(
    "text",
    [
        f"코드는 {URL} 에서 공개됩니다.",
        f"코드는 {URL}.",
        f"코드({URL})가 공개됩니다.".replace(")가", ") 가"),
        f"코드: {URL}/",
        "코드는 http://www.github.com/Acme/Lantern 에 있습니다.",
        f"코드는 <{URL}>에서 공개됩니다.",
        f"[코드]({URL})에서 공개됩니다.",
        f"코드는 `{URL}`에서 공개됩니다.",
        "코드는 github.com에 있습니다.",
        "논문은 https://arxiv.org/abs/2401.00001 에 있습니다.",
        "HTTP/2.0 요청과 and/or 연산",
    ],
)
def test_nothing_is_said_of_a_link_that_works(text):
    assert found(text) == []


def test_a_point_with_broken_characters_is_left_to_the_check_of_text():
    garbled = f"코드는 {URL}에서 공개됩니다.".encode().decode("latin-1")
    assert found(garbled) == []
    assert found(f"코드\ufffd는 {URL}에서 공개됩니다.") == []


# What GitHub's own parser (cmark-gfm) makes of these was looked up; each leads to another page.
@pytest.mark.parametrize(
    ("text", "right"),
    [
        (f"코드는 {URL}에서 공개됩니다.", f"코드는 {URL} 에서 공개됩니다."),
        (f"'{URL}'에서", f"'{URL}' 에서"),
        (f"(코드: {URL})를 봅니다.", f"(코드: {URL}) 를 봅니다."),
        (f"**{URL}**에서", f"**{URL}** 에서"),
        (f"{URL}.그리고", f"{URL}. 그리고"),
    ],
)
def test_what_is_glued_to_a_link_is_set_apart(text, right):
    [finding] = found(text)
    assert finding.severity == "error"
    assert finding.evidence == URL
    assert mended(text) == right
    assert found(right) == []


@pytest.mark.parametrize("text", [f"{URL}。", f"{URL}…", f"{URL}\u00a0에서", f"{URL}).그리고,「x"])
def test_a_link_is_broken_by_other_signs_too(text):
    assert [finding.severity for finding in found(text)] == ["error"]


@pytest.mark.parametrize(
    "damaged",
    [
        "https://github.com/acme/lantrn",
        "https://github.com/acne/lantern",
        "https://githubcom/acme/lantern",
        "https://github.com/amce/lantern",
        "htps://github.com/acme/lantern",
        "https//github.com/acme/lantern",
        "https:/github.com/acme/lantern",
        "https: //github.com/acme/lantern",
        "httpsx//github.com/acme/lantern",
        "https://github.com/acme",
        "2https://github.com/acme/lantern",
    ],
)
def test_a_damaged_link_is_restored(damaged):
    text = f"코드는 {damaged} 에서 공개됩니다."
    [finding] = found(text)
    assert (finding.severity, finding.evidence) == ("error", URL)
    assert mended(text) == f"코드는 {URL} 에서 공개됩니다."


def test_a_damaged_link_with_a_particle_is_restored_and_set_apart():
    assert mended("코드는 https://github.com/acme/lantrn에서") == f"코드는 {URL} 에서"


def test_a_link_that_was_cut_by_a_space_is_left_to_the_model():
    [finding] = found("코드는 https://github.com/ac me/lantern 에서")
    assert (finding.evidence, finding.fix) == (URL, None)


def test_a_damaged_link_that_may_be_one_of_two_is_left_to_the_model():
    paper = PAPER.model_copy(update={"abstract": f"Code: {URL}-a and {URL}-b."})
    [finding] = found(f"코드는 {URL}-c 에 있습니다.", paper=paper)
    assert (finding.severity, finding.fix) == ("error", None)


def test_a_link_without_its_beginning_is_a_warning():
    [finding] = found("코드는 github.com/acme/lantern 에 있습니다.")
    assert (finding.severity, finding.fix) == ("warning", URL)


def test_another_link_is_an_error_or_a_warning_by_what_the_points_were_written_from():
    text = "데이터는 https://example.org/data 에 있습니다."
    assert [f.severity for f in found(text)] == ["error"]
    assert [f.severity for f in found(text, basis="paper")] == ["warning"]
    assert found(text)[0].fix is None
    assert URL in (found(text)[0].evidence or "")


def test_a_link_in_latex_is_the_same_link():
    paper = PAPER.model_copy(
        update={"abstract": r"Code: \url{https://a.org/b\_c} and https: //d.io/e."}
    )
    assert found("코드는 https://a.org/b_c 와 https://d.io/e 에 있습니다.", paper=paper) == []


def test_without_an_abstract_it_says_so_once_and_only_where_there_are_links():
    paper = Paper(arxiv_id="1", title="Lantern", abstract=" ")
    assert found("링크가 없습니다.", paper=paper) == []
    told = found(f"{URL} 와 https://example.org/data 에서", paper=paper)
    assert [(f.severity, f.point) for f in told] == [("warning", None)]
    assert "cannot be checked" in told[0].message
    assert len(found(f"{URL}에서", paper=paper)) == 2


def test_addresses_are_told_with_their_places():
    text = f"({URL}), www.example.org/a_(b). https://c.org/d?x=1#e!"
    assert [text[slice(*link.span)] for link in read_links(text)] == [
        URL,
        "www.example.org/a_(b)",
        "https://c.org/d?x=1#e",
    ]


FRAGMENTS = st.sampled_from(
    [URL, "http:", "//", "](", ")", "(", "<", "`", "에서", " ", ".", "www."]
)
ANYTHING = st.lists(FRAGMENTS | st.text(st.characters(), max_size=5), max_size=30).map("".join)


@given(ANYTHING, st.none() | ANYTHING)
def test_no_text_makes_it_fail_and_every_fix_has_a_place(text, abstract):
    paper = Paper(arxiv_id="1", title="t", abstract=abstract)
    told = found(text, paper=paper)
    for finding in told:
        if finding.span:
            assert 0 <= finding.span[0] < finding.span[1] <= len(text)
    assert len(fixes(told)) <= len(told)


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_of_published_links_exactly_the_broken_ones_are_told():
    told = {}
    for name in ("pairs.dev.jsonl", "pairs.dev2.jsonl"):
        for line in (SHARED / "real" / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            paper = Paper(arxiv_id=row["arxiv_id"], title=row["title"], abstract=row["abstract"])
            summary = Summary(points=row["points"])
            for finding in links(Readings(paper, summary, language="ko", basis="abstract")):
                told[row["arxiv_id"]] = finding.severity
    broken = (
        "2402.14327 2402.17463 2403.19046 2404.12753 2404.16030 2405.01535 2405.18407 2405.18426"
    )
    assert told == dict.fromkeys(broken.split(), "error")
