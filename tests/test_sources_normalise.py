"""Putting papers in order."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.digest import Media, Paper
from summarizer.sources.normalise import Unreadable, in_order, media_at, normalise, split_id


def paper(arxiv_id: str = "2401.00001", title: str = "A title", **fields: object) -> Paper:
    return Paper.model_validate({"arxiv_id": arxiv_id, "title": title, **fields})


def quiet(_: str) -> None: ...


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2401.05561", ("2401.05561", "")),
        ("2401.05561v2", ("2401.05561", "v2")),
        ("0704.0001", ("0704.0001", "")),
        ("arXiv:2401.05561v12", ("2401.05561", "v12")),
        ("arxiv: 2401.05561", ("2401.05561", "")),
        ("oai:arXiv.org:2508.13426v1", ("2508.13426", "v1")),
        ("https://arxiv.org/abs/2401.05561v2", ("2401.05561", "v2")),
        ("http://export.arxiv.org/abs/hep-th/9901001v3", ("hep-th/9901001", "v3")),
        ("arxiv.org/pdf/2401.05561v1.pdf", ("2401.05561", "v1")),
        ("https://huggingface.co/papers/2401.05561", ("2401.05561", "")),
        ("hep-th/9901001", ("hep-th/9901001", "")),
        ("math.GT/0309136", ("math.GT/0309136", "")),
        (" 2401.05561\n", ("2401.05561", "")),
        ("abc", None),
        ("2401.0556", ("2401.0556", "")),
        ("2401.055611", None),
        ("٢٤٠١.٠٥٥٦١", None),
        ("hep-th/99", None),
        ("https://example.org/abs/2401.05561", None),
        ("", None),
    ],
)
def test_ids_are_read_as_people_and_servers_write_them(written, read):
    assert split_id(written) == read


def test_a_version_moves_from_the_id_into_the_link():
    versioned = normalise(paper("2401.05561v2"))
    assert (versioned.arxiv_id, versioned.url) == (
        "2401.05561",
        "https://arxiv.org/abs/2401.05561v2",
    )
    assert normalise(paper("hep-th/9901001")).url is None
    assert normalise(paper("2401.05561", url="https://arxiv.org/abs/2401.05561")).url is None
    elsewhere = "https://example.org/paper"
    assert normalise(paper("2401.05561v2", url=elsewhere)).url == elsewhere


def test_text_stands_on_one_line_in_nfc():
    read = normalise(
        paper(
            title="  A\n  cafe\u0301\ttitle\x00 ",
            abstract="One.\r\n\r\nTwo\u00a0three.\u2028",
            authors=("Ann  Lee", "Bo\nRe\u0301", "", "Ann Lee"),
            categories=("cs.CL", "cs.AI", "cs.CL"),
        )
    )
    assert read.title == "A café title"
    assert read.abstract == "One. Two three."
    assert read.authors == ("Ann Lee", "Bo Ré")
    assert read.categories == ("cs.CL", "cs.AI")


def test_an_empty_abstract_is_none():
    assert normalise(paper(abstract=" \n")).abstract is None


@pytest.mark.parametrize(
    "arxiv_id", ["a b", "../../etc/passwd", "a/../b", "x)[y](z", "<b>", "a\\b", ".", "/abs", "-x"]
)
def test_an_id_that_could_leave_its_place_is_refused(arxiv_id):
    with pytest.raises(Unreadable, match="cannot be a paper's id"):
        normalise(paper(arxiv_id))


@pytest.mark.parametrize("arxiv_id", ["10.1145/3649329.3655665", "acl-long.12", "논문-3"])
def test_an_id_from_elsewhere_is_kept(arxiv_id):
    assert normalise(paper(arxiv_id)).arxiv_id == arxiv_id


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://e.org/a b", 'https://e.org/"x', "e.org", "//e.org/"]
)
def test_only_web_addresses_become_links(address):
    with pytest.raises(Unreadable, match="plain web address"):
        normalise(paper(url=address))
    with pytest.raises(Unreadable, match="plain web address"):
        normalise(paper(media=Media(kind="image", url=address)))


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://e.org/a.png", "image"),
        ("https://e.org/a.MP4", "video"),
        ("https://e.org/a.webm?x=1", "video"),
        ("https://e.org/a.mov", "video"),
        ("https://e.org/mp4", "image"),
        ("http://[", "image"),
    ],
)
def test_media_are_told_apart_by_their_ending(url, kind):
    assert media_at(url) == Media(kind=kind, url=url)


def test_papers_stand_by_votes_and_otherwise_as_given():
    votes = {"a1": None, "b1": 3, "c1": 9, "d1": 3, "e1": None, "f1": 0}
    ordered = in_order([paper(name, votes=count) for name, count in votes.items()], quiet)
    assert [p.arxiv_id for p in ordered] == ["c1", "b1", "d1", "f1", "a1", "e1"]


def test_a_repeated_paper_is_merged_and_told():
    told: list[str] = []
    first = paper(title="First", votes=0, authors=("Ann Lee",))
    later = paper(title="Later", votes=7, abstract="Text.", url="https://e.org/later")
    merged = in_order([first, paper("2401.00002"), later], told.append)
    assert merged == (
        paper(title="First", votes=0, authors=("Ann Lee",), abstract="Text."),
        paper("2401.00002"),
    )
    assert told == ["listed more than once and merged: 2401.00001"]


texts = st.text(max_size=30)
papers = st.builds(
    Paper,
    arxiv_id=st.one_of(
        st.text(min_size=1, max_size=12),
        st.from_regex(r"(arXiv:)?[0-9]{4}\.[0-9]{5}(v[1-9])?", fullmatch=True),
    ),
    title=st.text(min_size=1, max_size=30),
    abstract=st.none() | texts,
    authors=st.lists(texts, max_size=4).map(tuple),
    categories=st.lists(texts, max_size=3).map(tuple),
    votes=st.none() | st.integers(0, 5),
)


@given(papers)
def test_normalising_twice_changes_nothing(given_paper):
    try:
        once = normalise(given_paper)
    except Unreadable:
        return
    assert normalise(once) == once
    for text in (once.title, once.abstract or "", *once.authors):
        assert unicodedata.is_normalized("NFC", text)
        assert len(text.splitlines()) <= 1
        assert text == text.strip()


@given(st.lists(papers, max_size=8))
def test_putting_in_order_twice_changes_nothing(several):
    once = in_order(several, quiet)
    told: list[str] = []
    assert in_order(once, told.append) == once
    assert told == []
    assert {p.arxiv_id for p in once} == {p.arxiv_id for p in several}
