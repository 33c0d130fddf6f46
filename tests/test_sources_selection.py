"""Selecting papers by text, author and number."""

from __future__ import annotations

from typing import Any

from summarizer.digest import Paper
from summarizer.sources import select


def paper(arxiv_id: str, title: str, **fields: Any) -> Paper:
    return Paper(arxiv_id=arxiv_id, title=title, **fields)


def test_selecting_counts_what_it_leaves_out():
    papers = (
        paper("1", "Graph networks", authors=("Łukasz Kaiser",)),
        paper("2", "Speech", abstract="With GRAPHs.", authors=("José Müller",)),
        paper("3", "Vision", authors=("Jose Muller",)),
        paper("4", "More graphs", authors=("J. Mueller", "josé  MULLER")),
    )

    def kept(**criteria: Any) -> object:
        selected, left_out = select(papers, **criteria)
        return [p.arxiv_id for p in selected], left_out

    assert kept() == (["1", "2", "3", "4"], {})
    assert kept(match="graph") == (["1", "2", "4"], {"match": 1})
    assert kept(author="jose muller") == (["2", "3", "4"], {"author": 1})
    assert kept(author="MÜLLER") == (["2", "3", "4"], {"author": 1})
    assert kept(author="lukasz") == (["1"], {"author": 3})
    assert kept(limit=2) == (["1", "2"], {"limit": 2})
    assert kept(match="graph", author="muller", limit=1) == (
        ["2"],
        {"match": 1, "author": 1, "limit": 1},
    )
    assert kept(limit=9) == (["1", "2", "3", "4"], {"limit": 0})
