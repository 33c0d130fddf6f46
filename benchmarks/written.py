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
    from collections.abc import Iterable, Iterator, Sequence, Set

    from summarizer.digest import Severity

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

    def told(self, known: Set[tuple[str, str]]) -> Told:
        """What the checks say that they do not say of the faithful summary, which is `known`."""
        points = self.row.texts
        points[self.point] = self.text
        found = _found(self.row, Summary(points=points))
        new = {found[finding] for finding in found.keys() - known}
        return "error" if "error" in new else "warning" if new else "nothing"


def _found(row: Row, summary: Summary) -> dict[tuple[str, str], Severity]:
    """What checks say of a summary, and how severe it is at worst."""
    found = check_summary(row.paper, summary, basis=row.basis)
    mild_first = sorted(found, key=lambda finding: finding.severity == "error")
    return {(finding.check, finding.message): finding.severity for finding in mild_first}


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


def measure_written(written: Iterable[tuple[Row, Sequence[Damaged]]]) -> list[Written]:
    """What is told of written mistakes, by kind."""
    told: Counter[tuple[str, Told]] = Counter()
    for row, damaged in written:
        known = _found(row, row.summary).keys() if damaged else set()
        told.update((one.kind, one.told(known)) for one in damaged)
    kinds = sorted({kind for kind, _ in told})
    return [
        Written(
            kind,
            sum(told[kind, said] for said in ("error", "warning", "nothing")),
            told[kind, "error"],
            told[kind, "warning"],
        )
        for kind in kinds
    ]
