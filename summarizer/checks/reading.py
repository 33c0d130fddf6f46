"""Each side of a paper, read once for all checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from summarizer.digest import Basis, Paper, Summary


@dataclass(frozen=True, slots=True)
class Readings:
    """A paper and its summary, side by side."""

    paper: Paper
    summary: Summary
    language: str
    basis: Basis
