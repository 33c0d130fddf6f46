"""Papers with summaries that were published, and the sample day: what the checks are measured on.

The published ones lie outside the project, since their text belongs to others. Papers are split
into two halves by a hash of their id: on one the checks were tuned, the other was held out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from summarizer.digest import Basis, Paper, Summary
from summarizer.formats.markdown import parse_markdown
from summarizer.models.recordings import paper_of, read_recordings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "fixtures" / "2024-01-12"
SHARED = ROOT.parent / "shared"

Half: TypeAlias = Literal["tune", "held"]
HALVES: tuple[Half, ...] = ("tune", "held")

SAMPLE_DAY = "sample day"


@dataclass(frozen=True)
class Row:
    """A paper and what was written of it.

    Attributes:
        source: The set that it comes from.
        basis: What the points were written from.
        quotes: The English sentence that each point came from, or nothing; known for one set.
    """

    source: str
    paper: Paper
    summary: Summary
    basis: Basis = "abstract"
    quotes: tuple[str, ...] = ()

    @property
    def half(self) -> Half:
        """The half that its paper belongs to, wherever the paper occurs."""
        digest = hashlib.sha256(self.paper.arxiv_id.encode()).digest()
        return "held" if digest[0] % 2 else "tune"

    @property
    def texts(self) -> list[str]:
        """The texts of its points."""
        return [point.text for point in self.summary.points]


def read_corpus(shared: Path = SHARED) -> list[Row]:
    """All rows there are; without `shared` those of the sample day alone."""
    rows = list(_sample_day())
    if (shared / "real").is_dir():
        rows += _published(shared)
    return rows


def _sample_day() -> Iterator[Row]:
    recorded = read_recordings(SAMPLE / "recordings.jsonl")
    points = {paper_of(r.request): json.loads(r.answer.text)["points"] for r in recorded}
    for paper in _papers(SAMPLE / "papers.jsonl").values():
        yield Row(SAMPLE_DAY, paper, Summary(points=points[paper.arxiv_id]))


def _published(shared: Path) -> Iterator[Row]:
    seen = set()
    for row in (
        *_digest(shared / "seed" / "2024-01-12", "seed", "abstract"),
        *_pairs(shared / "real" / "pairs.dev.jsonl", "dev"),
        *_pairs(shared / "real" / "pairs.dev2.jsonl", "dev2"),
        *_digest(shared / "real" / "2025-04-11", "2025-04-11", "paper"),
        *_digest(shared / "real" / "2025-04-28", "2025-04-28", "paper"),
    ):
        # The first set holds the papers of the seed once more.
        if (row.paper.arxiv_id, row.summary) not in seen:
            seen.add((row.paper.arxiv_id, row.summary))
            yield row


def _papers(path: Path) -> dict[str, Paper]:
    papers = map(Paper.model_validate, map(json.loads, path.read_text("utf-8").splitlines()))
    return {paper.arxiv_id: paper for paper in papers}


def _digest(path: Path, source: str, basis: Basis) -> Iterator[Row]:
    """A digest beside the papers that it was made from; a few of them may be missing."""
    papers = _papers(path.with_suffix(".papers.jsonl"))
    for entry in parse_markdown(path.with_suffix(".md").read_text("utf-8")).entries:
        paper = papers.get(entry.paper.arxiv_id)
        if paper and entry.summary and entry.summary.points:
            yield Row(source, paper, entry.summary, basis)


def _pairs(path: Path, source: str) -> Iterator[Row]:
    for given in map(json.loads, path.read_text("utf-8").splitlines()):
        paper = Paper(arxiv_id=given["arxiv_id"], title=given["title"], abstract=given["abstract"])
        quotes = tuple(given.get("quotes", ()))
        yield Row(source, paper, Summary(points=given["points"]), given["basis"], quotes)
