"""Try every promise, and print one table; exits with 1 where one is broken.

python -m benchmarks.faults [--papers 300] [--seeds 1,2,3] [--kills 50] [--only NAME]
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.faults import keys, kills, mixed, stops
from benchmarks.faults.promise import table
from benchmarks.faults.runs import run_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.faults.promise import Tried

_FEW = 60
"""Papers where it matters how a run ends and not how long it is."""


def _trials(
    papers: int, seeds: list[int], times: int
) -> Iterator[tuple[str, Callable[[Path], Tried]]]:
    """What is tried, by names that `--only` knows."""
    for seed in seeds:
        yield "mixed", partial(mixed.mixed_live, seed=seed, count=papers, days=10)
    for seed in seeds:
        yield "batches", partial(mixed.mixed_batch, seed=seed, count=papers, days=10)
    yield "kills", partial(kills.kills_live, seed=seeds[0], count=papers, days=10, kills=times)
    yield (
        "kills-batches",
        partial(kills.kills_batch, seed=seeds[0], count=papers, days=10, kills=times),
    )
    yield "two", partial(kills.two_at_once, count=papers, days=10)
    yield "two", partial(kills.two_in_batches, count=papers, days=10)
    for refusal in stops.REFUSALS:
        yield "stops", partial(stops.refused, refusal=refusal, run=run_apart, count=_FEW)
    disk = stops.a_small_tmpfs if os.geteuid() == 0 else stops.files_of_at_most_100_kb
    yield "stops", partial(stops.full_disk, run=run_apart, count=2 * _FEW, disk=disk)
    yield "stops", partial(stops.read_only_store, count=_FEW)
    yield "stops", partial(stops.damaged_store, run=run_apart, count=_FEW)
    for harm in stops.HARMS:
        yield "stops", partial(stops.left_alone, harm=harm, run=run_apart, count=_FEW)
    yield "keys", keys.keys


def main() -> int:
    """Run the trials, and say how each went as soon as it has ended."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--papers", type=int, default=300)
    parser.add_argument("--seeds", default="1,2,3", help="comma-separated")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument(
        "--only", choices=("mixed", "batches", "kills", "kills-batches", "two", "stops", "keys")
    )
    given = parser.parse_args()
    logging.getLogger("summarizer").setLevel(logging.ERROR)  # it warns of every fault
    seeds = [int(seed) for seed in given.seeds.split(",")]
    rows: list[Tried] = []
    for name, trial in _trials(given.papers, seeds, given.kills):
        if given.only in (None, name):
            with tempfile.TemporaryDirectory(prefix="faults-") as folder:
                Path(folder).chmod(0o755)  # one of the trials is another user's
                rows.append(trial(Path(folder) / "trial"))
            print(f"{rows[-1].name}: {'BROKEN' if rows[-1].broken else 'held'}", file=sys.stderr)
    print(table(rows))
    return 1 if any(row.broken for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
