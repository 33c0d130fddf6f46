"""What changed from one answer to another: its findings, and its text word by word."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from summarizer.digest import Attempt, Finding
    from summarizer.evals.runs import Result

Change: TypeAlias = tuple[Literal["same", "removed", "added"], str]

# White space goes with the word before it; line ends stand alone.
_WORD = re.compile(r"\n|\S+[^\S\n]*|[^\S\n]+")

_MOST_PAIRS = 250_000
"""Of how many pairs of words each is looked at: two answers of 500 words are longer than most."""


def first_attempt(result: Result) -> Attempt | None:
    """The first answer as the model gave it, before any repair; None where there is none."""
    provenance = result.entry.provenance if result.entry else None
    return provenance.attempts[0] if provenance and provenance.attempts else None


def first_text(result: Result) -> str:
    """The points of the first answer, one a line; empty where none could be read."""
    attempt = first_attempt(result)
    points = attempt.summary.points if attempt and attempt.summary else ()
    return "\n".join(point.text for point in points)


def first_findings(result: Result) -> tuple[Finding, ...]:
    """The findings on the first answer, before any mending."""
    attempt = first_attempt(result)
    return attempt.findings if attempt else ()


def new_findings(before: Result, after: Result) -> list[Finding]:
    """Findings on the first answer of `after` that `before` has not, wherever they stand."""
    known = Counter(map(_claim, first_findings(before)))
    found = []
    for finding in first_findings(after):
        if known[_claim(finding)]:
            known[_claim(finding)] -= 1
        else:
            found.append(finding)
    return found


def _claim(finding: Finding) -> tuple[str, str, str, str | None]:
    return finding.check, finding.severity, finding.message, finding.evidence


def word_diff(before: str, after: str) -> tuple[Change, ...]:
    """What became of a text; the parts `same` and `added` together are `after`."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    bare_old, bare_new = ([word.rstrip(" \t") for word in words] for words in (old, new))
    # Of long answers that go round in circles, words that are everywhere tell nothing and take
    # hours: time grows with the cube of their number.
    circling = len(old) * len(new) > _MOST_PAIRS
    matcher = SequenceMatcher(None, bare_old, bare_new, autojunk=circling)
    changes: list[Change] = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            changes.append(("same", "".join(new[new_from:new_to])))
            continue
        if old_from < old_to:
            changes.append(("removed", "".join(old[old_from:old_to])))
        if new_from < new_to:
            changes.append(("added", "".join(new[new_from:new_to])))
    return tuple(changes)
