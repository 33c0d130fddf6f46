"""What was tried, what was promised, and what broke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Tried:
    """One row of the table.

    Attributes:
        name: What went wrong.
        done: What was done, in figures.
        promised: What should hold.
        broken: Where it did not.
    """

    name: str
    done: str
    promised: str
    broken: tuple[str, ...]


def broken(*claims: tuple[bool, str]) -> tuple[str, ...]:
    """What is said of the claims that do not hold."""
    return tuple(said for held, said in claims if not held)


def table(rows: Iterable[Tried]) -> str:
    """The rows as Markdown."""
    lines = ["| what went wrong | what was done | what was promised | |", "|---|---|---|---|"]
    for row in rows:
        held = "; ".join(("BROKEN", *row.broken[:5])) if row.broken else "held"
        lines.append(f"| {row.name} | {row.done} | {row.promised} | {held} |")
    return "\n".join(lines)
