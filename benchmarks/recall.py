"""Recall: correct points are damaged in one place, and the check meant for it must find an error.

Points are damaged where no check finds an error before, and only those that were written from
abstracts: on basis `paper`, what the abstract does not say is a warning.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from benchmarks import mutations
from benchmarks.corpus import HALVES, Half, Row
from benchmarks.mutations import Lexicon, Mutation, Target
from summarizer.checks import CHECKS, check_summary
from summarizer.digest import Paper, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks.precision import Found


@dataclass(frozen=True)
class Kind:
    """A kind of damage, the check that is meant to find it, and the least share to be found."""

    check: str
    mutation: Mutation
    goal: float | None


KINDS: Mapping[str, Kind] = {
    "digit changed": Kind("numbers", mutations.a_digit_changed, 0.95),
    "count word changed": Kind("numbers", mutations.a_count_word_changed, None),
    "times 10": Kind("numbers", mutations.times_10, 0.97),
    "times 1,000": Kind("numbers", mutations.times_1000, 0.97),
    "만 for 억": Kind("numbers", mutations.man_for_eok, 0.97),
    "% for %p": Kind("numbers", mutations.percent_for_points, 0.97),
    "fraction inverted": Kind("numbers", mutations.a_fraction_inverted, 0.97),
    "bound reversed": Kind("numbers", mutations.a_bound_reversed, 0.95),
    "change reversed": Kind("numbers", mutations.a_change_reversed, None),
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
GOALS = {name: kind.goal for name, kind in KINDS.items()} | {EXCHANGED: 0.95}
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


def try_damages(rows: Iterable[Row], found: Iterable[Found], lexicon: Lexicon) -> Iterator[Trial]:
    """Damage what is clean in every way, and ask whether it is found."""
    unclean = {(id(row), f.point) for row, f in found if f.severity == "error"}
    clean = [row for row in rows if row.basis == "abstract" and (id(row), None) not in unclean]
    for row in clean:
        for point in range(len(row.texts)):
            if (id(row), point) not in unclean:
                for name, kind in KINDS.items():
                    if kind.check in CHECKS:
                        yield from _try(name, kind, row, point, lexicon)
    if "topic" in CHECKS:
        yield from _try_exchanges(clean)


def _try(name: str, kind: Kind, row: Row, point: int, lexicon: Lexicon) -> Iterator[Trial]:
    chance = Random(f"{row.source} {row.paper.arxiv_id} {point} {name}")
    texts = row.texts
    for damage in kind.mutation(Target(row, point, lexicon, chance)):
        damaged = Summary(points=[*texts[:point], damage.text, *texts[point + 1 :]])
        caught = _finds(kind.check, row.paper, damaged, point)
        yield Trial(name, row.half, row.paper.arxiv_id, damage.text, caught)


def _try_exchanges(rows: Sequence[Row]) -> Iterator[Trial]:
    """Each paper gets the summaries of ten others of its set."""
    for row in rows:
        others = [other for other in rows if other.source == row.source and other is not row]
        chance = Random(f"{row.source} {row.paper.arxiv_id}")
        for other in chance.sample(others, min(_EXCHANGES, len(others))):
            caught = _finds("topic", row.paper, other.summary, None)
            yield Trial(EXCHANGED, row.half, row.paper.arxiv_id, "\n".join(other.texts), caught)


def _finds(check: str, paper: Paper, summary: Summary, point: int | None) -> bool:
    findings = check_summary(paper, summary, checks={check: {}})
    return any(f.severity == "error" and f.point == point for f in findings)


def measure_recall(trials: Sequence[Trial]) -> list[Recall]:
    """Recall by kind and half."""
    damaged = Counter((trial.kind, trial.half) for trial in trials)
    found = Counter((trial.kind, trial.half) for trial in trials if trial.found)
    return [
        Recall(kind, half, goal, damaged[kind, half], found[kind, half])
        for kind, goal in GOALS.items()
        for half in HALVES
        if damaged[kind, half]
    ]


def missed(table: Sequence[Recall]) -> Iterator[str]:
    """The goals that are not reached, on all papers together."""
    for kind, goal in GOALS.items():
        own = [one for one in table if one.kind == kind]
        found, damaged = sum(one.found for one in own), sum(one.damaged for one in own)
        if goal and found < goal * damaged:
            yield f"{kind}: {found} of {damaged} found, not {goal:.0%}"
