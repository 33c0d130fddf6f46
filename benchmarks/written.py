"""Summaries of papers that do not exist, written by a chat model that knew nothing of the checks.

Unlike the damages that `mutations` makes, these are a writer's own: faithful points in three
registers, and beside them single points with the mistakes that models make. Nobody else's text is
in them, so that they lie here.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from benchmarks.corpus import Row
from summarizer.checks import check_summary
from summarizer.digest import Paper, Summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATH = Path(__file__).with_suffix(".jsonl")
SOURCE = "written"

Told: TypeAlias = Literal["error", "warning", "nothing"]


class Damaged(NamedTuple):
    """A point with one mistake in it.

    Attributes:
        row: The faithful summary.
        point: Which point the text stands for.
        kind: What sort of mistake.
        what: What is wrong, in one sentence.
    """

    row: Row
    point: int
    kind: str
    text: str
    what: str

    def told(self) -> Told:
        """What the checks say that they do not say of the faithful summary."""
        points = self.row.texts
        points[self.point] = self.text
        found = check_summary(self.row.paper, Summary(points=points), basis=self.row.basis)
        before = check_summary(self.row.paper, self.row.summary, basis=self.row.basis)
        known = {(finding.check, finding.message) for finding in before}
        new = {f.severity for f in found if (f.check, f.message) not in known}
        return "error" if "error" in new else "warning" if new else "nothing"


def read_written(path: Path = PATH) -> Iterator[tuple[Row, Sequence[Damaged]]]:
    """The faithful summaries, each with its damaged points."""
    for line in path.read_text("utf-8").splitlines():
        given = json.loads(line)
        paper = Paper(arxiv_id=given["id"], title=given["title"], abstract=given["abstract"])
        row = Row(SOURCE, paper, Summary(points=given["points"]), given["basis"])
        yield row, [Damaged(row, **damaged) for damaged in given["damaged"]]


@dataclass(frozen=True)
class Written:
    """How many of the written mistakes of one kind were told, as what."""

    kind: str
    damaged: int
    errors: int
    warnings: int


def measure_written(damaged: Sequence[Damaged]) -> list[Written]:
    """What is told of written mistakes, by kind."""
    told = Counter((one.kind, one.told()) for one in damaged)
    return [
        Written(kind, of, told[kind, "error"], told[kind, "warning"])
        for kind, of in sorted(Counter(one.kind for one in damaged).items())
    ]
