"""How often the checks are right, how much they find, and how long they take.

    python benchmarks/checks.py [--half tune|held] [--misses KIND] [--json]

Precision: every error on a published point is judged right or wrong in `checks.adjudicated.jsonl`.
Recall: correct points are damaged in one place, and the check that is meant for it must find an
error there. Speed: papers a second on one core, and time a character as points grow.

Leaves with 1 where an error is not adjudicated, or where a goal is missed. Speed, which depends on
the machine, is only shown.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Literal

from benchmarks import mutations
from benchmarks.corpus import SAMPLE_DAY, Half, Row, read_corpus
from benchmarks.mutations import Lexicon, Mutation, Target
from summarizer.checks import CHECKS, check_summary
from summarizer.digest import Finding, Paper, Summary, Value

ADJUDICATED = Path(__file__).with_name("checks.adjudicated.jsonl")
HALVES: tuple[Half, ...] = ("tune", "held")

LIMITS: Mapping[str, float] = {
    "numbers": 1 / 500,
    "links": 1 / 500,
    "names": 1 / 200,
    "senses": 1 / 200,
    "topic": 1 / 200,
}
"""Most wrong errors a point, for the checks that have a goal."""


# --- precision -----------------------------------------------------------------------------------


class Adjudication(Value):
    """A person's verdict on one error; `right` is one that a Korean editor would agree with.

    A finding is wrong, too, where the point is wrong and its fix is not what belongs there.

    Attributes:
        text: The first 12 digits of the SHA-256 of the point's text, or of all points, joined by
            line feeds, where the finding is on the whole summary.
        why: In the judge's own words.
    """

    arxiv_id: str
    point: int | None
    check: str
    text: str
    span: tuple[int, int] | None
    verdict: Literal["right", "wrong"]
    why: str

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the verdict on a finding."""
        return (self.arxiv_id, self.point, self.check, self.text, self.span)


def read_adjudications(path: Path = ADJUDICATED) -> dict[tuple[object, ...], Adjudication]:
    """The verdicts, by their keys."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {one.key: one for one in map(Adjudication.model_validate_json, lines)}


def key_of(row: Row, finding: Finding) -> tuple[object, ...]:
    """The key of the verdict on a finding."""
    text = "\n".join(row.texts) if finding.point is None else row.texts[finding.point]
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return (row.paper.arxiv_id, finding.point, finding.check, digest, finding.span)


@dataclass(frozen=True)
class Precision:
    """What the errors of one check on published points are worth."""

    check: str
    half: Half
    points: int
    errors: int
    wrong: int


def errors_of(row: Row) -> list[Finding]:
    """What all checks call an error in a row."""
    findings = check_summary(row.paper, row.summary, basis=row.basis)
    return [finding for finding in findings if finding.severity == "error"]


def measure_precision(
    found: Sequence[tuple[Row, Finding]], rows: Sequence[Row]
) -> tuple[list[Precision], list[tuple[Row, Finding]]]:
    """Precision by check and half, and the errors that nobody has judged."""
    verdicts = read_adjudications()
    points = Counter[str]()
    for row in rows:
        points[row.half] += len(row.texts)
    errors, wrong = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    unjudged = []
    for row, finding in found:
        errors[finding.check, row.half] += 1
        verdict = verdicts.get(key_of(row, finding))
        if verdict is None:
            unjudged.append((row, finding))
        elif verdict.verdict == "wrong":
            wrong[finding.check, row.half] += 1
    table = [
        Precision(check, half, points[half], errors[check, half], wrong[check, half])
        for check in CHECKS
        for half in HALVES
        if points[half]
    ]
    return table, unjudged


# --- recall --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of damage, the check that is meant to find it, and the least share to be found."""

    check: str
    mutation: Mutation
    goal: float | None


KINDS: Mapping[str, Kind] = {
    "digit changed": Kind("numbers", mutations.a_digit_changed, 0.95),
    "count word changed": Kind("numbers", mutations.a_count_word_changed, 0.95),
    "times 10": Kind("numbers", mutations.times_10, 0.97),
    "times 1,000": Kind("numbers", mutations.times_1000, 0.97),
    "만 for 억": Kind("numbers", mutations.man_for_eok, 0.97),
    "% for %p": Kind("numbers", mutations.percent_for_points, 0.97),
    "fraction inverted": Kind("numbers", mutations.a_fraction_inverted, 0.97),
    "bound reversed": Kind("numbers", mutations.a_bound_reversed, None),
    "two numbers exchanged": Kind("numbers", mutations.two_numbers_exchanged, None),
    "name misspelt": Kind("names", mutations.a_letter_of_a_name_changed, 0.95),
    "another name": Kind("names", mutations.another_name, 0.95),
    "link damaged": Kind("links", mutations.a_link_damaged, 1.0),
    "link glued": Kind("links", mutations.a_link_glued, 1.0),
    "particle swapped": Kind("josa", mutations.a_particle_swapped, 0.95),
    "left in English": Kind("text", mutations.its_english_sentence, 1.0),
    "looped": Kind("shape", mutations.a_loop, 1.0),
}
EXCHANGED = "summaries exchanged"
_EXCHANGED_GOAL = 0.95
_EXCHANGES = 10


@dataclass(frozen=True)
class Trial:
    """One damage, and whether it was found."""

    kind: str
    half: Half
    arxiv_id: str
    text: str
    found: bool


@dataclass(frozen=True)
class Recall:
    """How much of one kind of damage was found."""

    kind: str
    half: Half
    goal: float | None
    damaged: int
    found: int


def try_damages(
    rows: Sequence[Row], found: Sequence[tuple[Row, Finding]], lexicon: Lexicon
) -> Iterator[Trial]:
    """Damage what is clean, and ask the check that is meant for it.

    Only points that were written from abstracts: on basis `paper`, much is but a warning.
    """
    unclean = {(id(row), finding.point) for row, finding in found}
    rows = [row for row in rows if row.basis == "abstract" and (id(row), None) not in unclean]
    for row in rows:
        for point in range(len(row.texts)):
            if (id(row), point) not in unclean:
                for name, kind in KINDS.items():
                    if kind.check in CHECKS:
                        yield from _try(name, kind, row, point, lexicon)
    if "topic" in CHECKS:
        yield from _try_exchanges(rows)


def _try(name: str, kind: Kind, row: Row, point: int, lexicon: Lexicon) -> Iterator[Trial]:
    chance = Random(f"{row.source} {row.paper.arxiv_id} {point} {name}")  # noqa: S311
    texts = row.texts
    for damage in kind.mutation(Target(row, point, lexicon, chance)):
        damaged = Summary(points=[*texts[:point], damage.text, *texts[point + 1 :]])
        caught = _finds(kind.check, row.paper, damaged, point)
        yield Trial(name, row.half, row.paper.arxiv_id, damage.text, caught)


def _try_exchanges(rows: Sequence[Row]) -> Iterator[Trial]:
    """Each paper gets the summaries of ten others of its set."""
    for row in rows:
        others = [other for other in rows if other.source == row.source and other is not row]
        chance = Random(f"{row.source} {row.paper.arxiv_id}")  # noqa: S311
        for other in chance.sample(others, min(_EXCHANGES, len(others))):
            caught = _finds("topic", row.paper, other.summary, None)
            yield Trial(EXCHANGED, row.half, row.paper.arxiv_id, "\n".join(other.texts), caught)


def _finds(check: str, paper: Paper, summary: Summary, point: int | None) -> bool:
    findings = check_summary(paper, summary, checks={check: {}})
    return any(f.severity == "error" and f.point == point for f in findings)


def measure_recall(trials: Sequence[Trial]) -> list[Recall]:
    """Recall by kind and half."""
    goals = {name: kind.goal for name, kind in KINDS.items()} | {EXCHANGED: _EXCHANGED_GOAL}
    damaged = Counter((trial.kind, trial.half) for trial in trials)
    found = Counter((trial.kind, trial.half) for trial in trials if trial.found)
    return [
        Recall(kind, half, goal, damaged[kind, half], found[kind, half])
        for kind, goal in goals.items()
        for half in HALVES
        if damaged[kind, half]
    ]


# --- speed ---------------------------------------------------------------------------------------

_RUNS = 7
_SIZES = (1_000, 10_000, 100_000, 1_000_000)
GOAL_PAPERS = 2_000


@dataclass(frozen=True)
class Speed:
    """What the checks cost on this machine.

    Attributes:
        papers: Papers a second, all checks on.
        checks: Microseconds a paper of each check alone, the reading of both sides included.
        lengths: Microseconds a character, by the length of a point.
    """

    papers: float
    checks: Mapping[str, float]
    lengths: Mapping[int, float]


def measure_speed(rows: Sequence[Row]) -> Speed:
    """Process time on one core; the first run, which loads files and compiles, does not count."""

    def seconds(checks: Mapping[str, Mapping[str, object]]) -> float:
        def run() -> None:
            for row in rows:
                check_summary(row.paper, row.summary, checks=checks, basis=row.basis)

        run()
        return median(_seconds(run) for _ in range(_RUNS)) / len(rows)

    return Speed(
        papers=1 / seconds({check: {} for check in CHECKS}),
        checks={check: seconds({check: {}}) * 1e6 for check in CHECKS},
        lengths={size: _microseconds_a_character(rows, size) for size in _SIZES},
    )


def _microseconds_a_character(rows: Sequence[Row], size: int) -> float:
    """Of a point of so many characters that all points of the corpus make up, again and again."""
    whole = " ".join(text for row in rows for text in row.texts)
    summary = Summary(points=[(f"{whole} " * (size // len(whole) + 1))[:size]])
    paper = rows[0].paper

    def run() -> None:
        check_summary(paper, summary)

    return min(_seconds(run) for _ in range(3)) / size * 1e6


def _seconds(run: Callable[[], None]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


# --- what is printed -----------------------------------------------------------------------------


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"


def missed(table: Sequence[Precision], recalls: Sequence[Recall]) -> list[str]:
    """The goals that are not reached, on all papers together."""
    said = []
    for check, limit in LIMITS.items():
        own = [one for one in table if one.check == check]
        wrong, points = sum(one.wrong for one in own), sum(one.points for one in own)
        if wrong > limit * points:
            said.append(f"{check}: {wrong} wrong in {points} points, not 1 in {1 / limit:.0f}")
    for kind in dict.fromkeys(one.kind for one in recalls):
        same = [one for one in recalls if one.kind == kind]
        found, damaged = sum(one.found for one in same), sum(one.damaged for one in same)
        if same[0].goal and found < same[0].goal * damaged:
            said.append(f"{kind}: {_share(found, damaged)} found, not {same[0].goal}")
    return said


def show_precision(table: Sequence[Precision]) -> None:
    """Print errors and wrong ones by check, for each half."""
    points = {one.half: one.points for one in table}
    print("Errors on published points, and how many of them are wrong")
    print(_line("check", *(f"{half} ({count} points)" for half, count in points.items()), "goal"))
    for check in CHECKS:
        cells = [f"{one.errors:3} {one.wrong:3} wrong" for one in table if one.check == check]
        limit = LIMITS.get(check)
        print(_line(check, *cells, f"≤ 1 in {1 / limit:.0f}" if limit else ""))


def show_recall(recalls: Sequence[Recall]) -> None:
    """Print the share found by kind, for each half."""
    print("\nDamaged points, and the share that is found")
    print(_line("damage", *HALVES, "goal"))
    for kind in dict.fromkeys(one.kind for one in recalls):
        halves = {one.half: one for one in recalls if one.kind == kind}
        cells = [
            f"{_share(halves[half].found, halves[half].damaged)} of {halves[half].damaged}"
            if half in halves
            else "-"
            for half in HALVES
        ]
        goal = next(iter(halves.values())).goal
        print(_line(kind, *cells, f"≥ {goal}" if goal else ""))


def show_speed(speed: Speed) -> None:
    """Print papers a second, the cost of each check, and time a character."""
    print(f"\n{speed.papers:,.0f} papers a second on one core, all checks on (goal: {GOAL_PAPERS:,})")
    costs = sorted(speed.checks.items(), key=lambda item: -item[1])
    print("µs a paper, each alone:", ", ".join(f"{check} {cost:.0f}" for check, cost in costs))
    print(
        "µs a character of one point:",
        ", ".join(f"{cost:.2f} at {size:,}" for size, cost in speed.lengths.items()),
    )


def _line(first: str, *cells: str) -> str:
    return f"{first:24}" + "".join(f"{cell:20}" for cell in cells).rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 where all is judged and every goal is reached."""
    parser = argparse.ArgumentParser(prog="benchmarks/checks.py", description=__doc__)
    parser.add_argument("--half", choices=HALVES, help="only papers of this half")
    parser.add_argument("--misses", choices=[*KINDS, EXCHANGED], help="list what was not found")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    corpus = read_corpus()
    if all(row.source == SAMPLE_DAY for row in corpus):
        print("../shared is not there: only the sample day is measured", file=sys.stderr)
    rows = [row for row in corpus if given.half in (None, row.half)]
    found = [(row, finding) for row in rows for finding in errors_of(row)]
    table, unjudged = measure_precision(found, rows)
    trials = list(try_damages(rows, found, Lexicon.of(corpus)))
    if given.misses:
        for trial in trials:
            if trial.kind == given.misses and not trial.found:
                print(f"{trial.half} {trial.arxiv_id} {trial.text}")
        return 0
    recalls, speed = measure_recall(trials), measure_speed(rows)
    if given.json:
        document = {
            "precision": [asdict(one) for one in table],
            "recall": [asdict(one) for one in recalls],
            "speed": asdict(speed),
            "missed": missed(table, recalls),
            "unjudged": [
                {"source": row.source, **f.model_dump(mode="json")} for row, f in unjudged
            ],
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        show_precision(table)
        show_recall(recalls)
        show_speed(speed)
    for row, finding in unjudged:
        print(f"Not adjudicated: {row.source} {finding!r}", file=sys.stderr)
    for goal in missed(table, recalls):
        print(f"Goal missed: {goal}", file=sys.stderr)
    return 1 if unjudged or missed(table, recalls) else 0


if __name__ == "__main__":
    sys.exit(main())
