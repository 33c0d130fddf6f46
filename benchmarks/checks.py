"""How often the checks are right, how much they find, and how long they take.

    python benchmarks/checks.py [--half tune|held] [--misses KIND] [--json]

Leaves with 1 where an error on a published point is not adjudicated, or where a goal of precision
or recall is missed. Speed, which depends on the machine, is only shown.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from dataclasses import asdict
from typing import TYPE_CHECKING

from benchmarks import precision, recall
from benchmarks.corpus import HALVES, SAMPLE_DAY, read_corpus
from benchmarks.mutations import Lexicon
from benchmarks.precision import (
    LIMITS,
    Found,
    Precision,
    find,
    key_of,
    measure_precision,
    read_adjudications,
    unjudged,
)
from benchmarks.recall import GOALS, Recall, measure_recall, try_damages
from benchmarks.speed import GOAL, Speed, measure_speed
from benchmarks.written import Written, measure_written, read_written
from summarizer.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.corpus import Row


def show_precision(table: Sequence[Precision]) -> None:
    """Print what each check says of published points, for each half."""
    points = {one.half: one.points for one in table}
    print("What is said of published points, and how many of the errors are wrong")
    print(_line("", *(f"{half}: {count} points" for half, count in points.items())))
    print(_line("check", *["warnings errors wrong"] * len(points), "wrong at most"))
    for check in CHECKS:
        own = [one for one in table if one.check == check]
        cells = [f"{one.warnings:8}{one.errors:7}{one.wrong:6}" for one in own]
        limit = LIMITS.get(check)
        print(_line(check, *cells, f"1 in {1 / limit:.0f}" if limit else ""))


def show_recall(table: Sequence[Recall]) -> None:
    """Print the share found of each kind of damage, for each half."""
    print("\nDamaged points, and the share that is found")
    print(_line("damage", *HALVES, "at least"))
    for kind, goal in GOALS.items():
        own = {one.half: one for one in table if one.kind == kind}
        cells = [
            f"{own[half].found / own[half].damaged:.3f} of {own[half].damaged:,}"
            if half in own
            else "-"
            for half in HALVES
        ]
        print(_line(kind, *cells, f"{goal:.2f}" if goal else ""))


def show_written(rows: Sequence[Row], found: Sequence[Found], table: Sequence[Written]) -> None:
    """Print what is said of faithful points that were written for this, and of damaged ones."""
    points, papers = sum(len(row.texts) for row in rows), len(rows)
    errors = [key_of(*one) for one in found if one[1].severity == "error"]
    wrong = {verdict.key for verdict in read_adjudications() if verdict.verdict == "wrong"}
    print(f"\nWritten for this: {points:,} faithful points of {papers} papers that do not exist")
    print(
        f"{len(errors)} errors, {len(wrong.intersection(errors))} of them wrong;"
        f" {len(found) - len(errors)} warnings"
    )
    print(_line("a writer's mistake", "error", "warning", "nothing"))
    for one in table:
        nothing = one.damaged - one.errors - one.warnings
        cells = (f"{one.errors} of {one.damaged}", f"{one.warnings}", f"{nothing}")
        print(_line(one.kind, *cells))


def show_speed(speed: Speed) -> None:
    """Print papers a second, the cost of each check, and time a character."""
    print(f"\n{speed.papers:,.0f} papers a second on one core, all checks on (goal: {GOAL:,})")
    costs = sorted(speed.checks.items(), key=lambda item: -item[1])
    alone = ", ".join(f"{check} {cost:.0f}" for check, cost in costs)
    print(f"µs a paper, each check alone: {alone}")
    lengths = ", ".join(f"{size:,}: {cost:.2f}" for size, cost in speed.lengths.items())
    print(f"µs a character, by the length of a point: {lengths}")


def _line(first: str, *cells: str) -> str:
    # Hangul is two columns wide.
    wide = sum(unicodedata.east_asian_width(character) == "W" for character in first)
    return (first.ljust(24 - wide) + "".join(f"{cell:24}" for cell in cells)).rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 where all errors are judged and every goal is reached."""
    parser = argparse.ArgumentParser(description="Measure the checks.")
    parser.add_argument("--half", choices=HALVES, help="only the papers of this half")
    parser.add_argument("--misses", choices=list(GOALS), help="list what was not found, and stop")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    corpus = read_corpus()
    if all(row.source == SAMPLE_DAY for row in corpus):
        print("../shared is not there: only the sample day is measured", file=sys.stderr)
    rows = [row for row in corpus if given.half in (None, row.half)]
    found = find(rows)
    trials = list(try_damages(rows, found, Lexicon.of(corpus)))
    if given.misses:
        for trial in trials:
            if trial.kind == given.misses and not trial.found:
                print(f"{trial.half} {trial.arxiv_id} {trial.text}")
        return 0
    precisions, recalls = measure_precision(rows, found), measure_recall(trials)
    speed = measure_speed(rows)
    written = list(read_written())
    faithful = [row for row, _ in written]
    told = find(faithful)
    mistakes = measure_written(written)
    open_ = [
        {"source": row.source, **finding.model_dump(mode="json")}
        for row, finding in unjudged([*found, *told])
    ]
    missed = [*precision.missed(precisions), *recall.missed(recalls)]
    if given.json:
        document = {
            "precision": [asdict(one) for one in precisions],
            "recall": [asdict(one) for one in recalls],
            "written": [asdict(one) for one in mistakes],
            "speed": asdict(speed),
            "unjudged": open_,
            "missed": missed,
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        show_precision(precisions)
        show_recall(recalls)
        show_written(faithful, told, mistakes)
        show_speed(speed)
    for finding in open_:
        print(f"Not adjudicated: {json.dumps(finding, ensure_ascii=False)}", file=sys.stderr)
    for goal in missed:
        print(f"Missed: {goal}", file=sys.stderr)
    return 1 if open_ or missed else 0


if __name__ == "__main__":
    sys.exit(main())
