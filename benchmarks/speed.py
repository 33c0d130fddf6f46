"""Speed: papers a second on one core, and time a character as a point grows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from summarizer.checks import CHECKS, check_summary
from summarizer.digest import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.corpus import Row
    from summarizer.checks import Checks

GOAL = 2_000
RUNS = 7
SIZES = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Speed:
    """What the checks cost on this machine.

    Attributes:
        papers: Papers a second, all checks on.
        checks: Microseconds a paper of each check alone, with the reading of both sides, which
            checks share where several run.
        lengths: Microseconds a character, by the length of a point.
    """

    papers: float
    checks: Mapping[str, float]
    lengths: Mapping[int, float]


def measure_speed(rows: Sequence[Row], *, runs: int = RUNS, sizes: Sequence[int] = SIZES) -> Speed:
    """Process time on one core; the first run, which loads and compiles, does not count."""

    def seconds(checks: Checks) -> float:
        def run() -> None:
            for row in rows:
                check_summary(row.paper, row.summary, checks=checks, basis=row.basis)

        run()
        return median(_seconds(run) for _ in range(runs)) / len(rows)

    return Speed(
        papers=1 / seconds({check: {} for check in CHECKS}),
        checks={check: seconds({check: {}}) * 1e6 for check in CHECKS},
        lengths={size: _microseconds_a_character(rows, size) for size in sizes},
    )


def _microseconds_a_character(rows: Sequence[Row], size: int) -> float:
    """Of a point of so many characters, made of all points of the corpus again and again."""
    whole = " ".join(text for row in rows for text in row.texts)
    summary = Summary(points=[(f"{whole} " * (size // len(whole) + 1))[:size]])
    run = partial(check_summary, rows[0].paper, summary)
    return min(_seconds(run) for _ in range(3)) / size * 1e6


def _seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start
