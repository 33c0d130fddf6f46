"""The sample day: real papers, abstracts and points in our own words."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from summarizer.digest import Paper
from summarizer.models.recordings import paper_of, read_recordings

SAMPLE = Path(__file__).parents[1] / "fixtures" / "2024-01-12"
SHARED = Path(__file__).parents[2] / "shared"
SEED = SHARED / "seed" / "2024-01-12.papers.jsonl"
PUBLISHED = SHARED / "seed" / "2024-01-12.md"

needs_shared = pytest.mark.skipif(not SEED.is_file(), reason="needs ../shared")

URL = re.compile(r"https?://[\w/.-]+\w")
FIGURE = re.compile(r"\d+(?:\.\d+)?")
LIST_MARKER = re.compile(r"\(\d\)")
SENTENCE_END = re.compile(r"[가-힣]니다\.")
GLOSS = re.compile(r"\(([^()가-힣]*[A-Za-z][^()가-힣]*)\)")
NAME = re.compile(r"[A-Za-z][\w-]*", re.ASCII)
FOREIGN_SCRIPT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0400-\u04ff]")
MARKUP = re.compile(r"[*`#~|<>\[\]\\]|^\s|\s$|\s\s|\n")


def _read_papers(path: Path) -> list[Paper]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Paper.model_validate_json(line) for line in lines]


def _read_points() -> dict[str, list[str]]:
    """The points of each paper, by its id and in the day's order."""
    recorded = read_recordings(SAMPLE / "recordings.jsonl")
    return {paper_of(r.request): json.loads(r.answer.text)["points"] for r in recorded}


PAPERS = _read_papers(SAMPLE / "papers.jsonl")
POINTS = _read_points()
PAIRS = [pytest.param(paper, POINTS.get(paper.arxiv_id, []), id=paper.arxiv_id) for paper in PAPERS]


def _abstract(paper: Paper) -> str:
    assert paper.abstract is not None
    return paper.abstract


def _runs(text: str, length: int, word: str = r"\w+") -> set[tuple[str, ...]]:
    """Every run of so many words, links and punctuation left out."""
    words = re.findall(word, URL.sub(" ", text).lower())
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def _figures(text: str) -> set[str]:
    return set(FIGURE.findall(LIST_MARKER.sub(" ", URL.sub(" ", text))))


def _plain(text: str) -> str:
    """Lower case, with every hyphen as a space."""
    return text.lower().replace("-", " ")


def test_eighteen_papers_each_with_its_points_in_the_same_order() -> None:
    ids = [paper.arxiv_id for paper in PAPERS]

    assert len(ids) == len(set(ids)) == 18
    assert list(POINTS) == ids


def test_papers_come_by_votes() -> None:
    votes = [paper.votes or 0 for paper in PAPERS]

    assert all(more >= fewer for more, fewer in pairwise(votes))


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.arxiv_id)
def test_abstract_is_one_clean_paragraph(paper: Paper) -> None:
    assert 60 <= len(_abstract(paper).split()) <= 350
    assert not MARKUP.search(_abstract(paper))


@pytest.mark.parametrize(("paper", "points"), PAIRS)
def test_points_are_five_to_eight_polite_sentences(paper: Paper, points: list[str]) -> None:
    assert 5 <= len(points) <= 8
    for point in points:
        assert point.endswith("니다."), point
        assert len(SENTENCE_END.findall(point)) == 1, point
        assert len(point) <= 160, point
        assert not MARKUP.search(point), point
        assert not FOREIGN_SCRIPT.search(point), point


@pytest.mark.parametrize(("paper", "points"), PAIRS)
def test_names_and_glosses_stand_in_the_paper(paper: Paper, points: list[str]) -> None:
    source = _plain(f"{paper.title} {_abstract(paper)}")
    for point in points:
        text = URL.sub(" ", point)
        wanted = [part for gloss in GLOSS.findall(text) for part in gloss.split(", ")]
        missing = [term for term in wanted + NAME.findall(text) if _plain(term) not in source]
        assert not missing, point


@pytest.mark.parametrize(("paper", "points"), PAIRS)
def test_links_are_those_of_the_abstract_and_nothing_is_glued_to_them(
    paper: Paper, points: list[str]
) -> None:
    links = [link for point in points for link in re.findall(r"https?:\S+", point)]

    assert links == URL.findall(_abstract(paper))


@needs_shared
def test_facts_equal_the_papers_of_the_day() -> None:
    def facts(papers: list[Paper]) -> list[Paper]:
        return [paper.model_copy(update={"abstract": None}) for paper in papers]

    assert facts(PAPERS) == facts(_read_papers(SEED))


@needs_shared
def test_abstracts_state_the_figures_of_the_real_ones_and_no_others() -> None:
    ours = {paper.arxiv_id: _figures(_abstract(paper)) for paper in PAPERS}
    real = {paper.arxiv_id: _figures(_abstract(paper)) for paper in _read_papers(SEED)}

    assert ours == real


@needs_shared
def test_abstracts_are_in_our_own_words() -> None:
    real = {paper.arxiv_id: _runs(_abstract(paper), 6) for paper in _read_papers(SEED)}
    shared = {paper.arxiv_id: _runs(_abstract(paper), 6) & real[paper.arxiv_id] for paper in PAPERS}

    assert not {arxiv_id: runs for arxiv_id, runs in shared.items() if runs}


@needs_shared
def test_points_are_not_those_that_were_published() -> None:
    hangul = r"[가-힣]+"
    published = _runs(PUBLISHED.read_text(encoding="utf-8"), 5, hangul)
    ours = [run for points in POINTS.values() for p in points for run in _runs(p, 5, hangul)]

    assert ours
    assert not published.intersection(ours)
