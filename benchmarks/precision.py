"""Precision: what the checks say of published points, and which errors a person has judged wrong.

A finding is right where a Korean editor who reads title and abstract would agree with it. It is
wrong, too, where the point is wrong and the fix is not what belongs there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from benchmarks.corpus import HALVES, Half, Row
from summarizer.checks import CHECKS, check_summary
from summarizer.digest import Finding, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ADJUDICATED = Path(__file__).with_name("checks.adjudicated.jsonl")

LIMITS: Mapping[str, float] = {
    "numbers": 1 / 500,
    "links": 1 / 500,
    "names": 1 / 200,
    "senses": 1 / 200,
    "topic": 1 / 200,
}
"""Most wrong errors a point, for the checks that have a goal."""

Found: TypeAlias = tuple[Row, Finding]
"""A row, and something that a check says of it."""

Key: TypeAlias = tuple[str, int | None, str, str, tuple[int, int] | None]
"""Paper, point, check, hash of the text, span."""


class Adjudication(Value):
    """A person's verdict on one error.

    Attributes:
        text: The first 12 digits of the SHA-256 of the point's text, or of all points, joined by
            line feeds, where the finding is on the whole summary.
        why: In the judge's own words; the texts belong to others and are not quoted.
    """

    arxiv_id: str
    point: int | None
    check: str
    text: str
    span: tuple[int, int] | None
    verdict: Literal["right", "wrong"]
    why: str

    @property
    def key(self) -> Key:
        """What it is the verdict on."""
        return (self.arxiv_id, self.point, self.check, self.text, self.span)


@dataclass(frozen=True)
class Precision:
    """What one check says of published points, and how many of its errors are wrong."""

    check: str
    half: Half
    points: int
    warnings: int
    errors: int
    wrong: int


def read_adjudications(path: Path = ADJUDICATED) -> list[Adjudication]:
    """All verdicts."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Adjudication.model_validate_json(line) for line in lines]


def key_of(row: Row, finding: Finding) -> Key:
    """The key of the verdict on a finding."""
    text = "\n".join(row.texts) if finding.point is None else row.texts[finding.point]
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return (row.paper.arxiv_id, finding.point, finding.check, digest, finding.span)


def find(rows: Iterable[Row]) -> list[Found]:
    """What all checks say of the rows as they were published."""
    return [
        (row, finding)
        for row in rows
        for finding in check_summary(row.paper, row.summary, basis=row.basis)
    ]


def unjudged(found: Iterable[Found]) -> list[Found]:
    """The errors that nobody has judged."""
    judged = {verdict.key for verdict in read_adjudications()}
    return [
        (row, finding)
        for row, finding in found
        if finding.severity == "error" and key_of(row, finding) not in judged
    ]


def measure_precision(rows: Sequence[Row], found: Iterable[Found]) -> list[Precision]:
    """Precision by check and half."""
    wrong = {verdict.key for verdict in read_adjudications() if verdict.verdict == "wrong"}
    counts = Counter[tuple[str, Half, str]]()
    for row, finding in found:
        counts[finding.check, row.half, finding.severity] += 1
        if finding.severity == "error" and key_of(row, finding) in wrong:
            counts[finding.check, row.half, "wrong"] += 1
    return [
        Precision(
            check=check,
            half=half,
            points=sum(len(row.texts) for row in rows if row.half == half),
            warnings=counts[check, half, "warning"],
            errors=counts[check, half, "error"],
            wrong=counts[check, half, "wrong"],
        )
        for check in CHECKS
        for half in HALVES
        if any(row.half == half for row in rows)
    ]


def missed(table: Sequence[Precision]) -> Iterator[str]:
    """The limits that are passed, on all papers together."""
    for check, limit in LIMITS.items():
        own = [one for one in table if one.check == check]
        wrong, points = sum(one.wrong for one in own), sum(one.points for one in own)
        if wrong > limit * points:
            yield f"{check}: {wrong} wrong in {points} points, not 1 in {1 / limit:.0f}"
