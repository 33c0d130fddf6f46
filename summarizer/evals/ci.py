"""What CI is told of an eval: JUnit, annotations, SARIF, and a Markdown summary for one comment.

Titles, answers and findings hold text of others; whatever it looks like, here it stays text.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from xml.etree import ElementTree as ET

from summarizer.digest import Finding
from summarizer.evals.averages import by_system, case_means
from summarizer.evals.comparison import figure
from summarizer.evals.gates import Failure, Verdict
from summarizer.evals.runs import questions
from summarizer.sarif import Located, to_sarif

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from summarizer.errors import SummarizerError
    from summarizer.evals.comparison import SystemComparison
    from summarizer.evals.gates import Culprit
    from summarizer.evals.runs import Run, System
    from summarizer.evals.sets import EvalSet

MARKER = "<!-- summarizer eval -->"
"""First line of the summary, by which a workflow finds the comment that it wrote before."""

_SHOWN = 10
"""How many cases of one failure the summary names."""

_LONGEST = 300
"""How many characters of a text of others the summary shows."""

_MOST = 60_000
"""How many characters the summary has at most; GitHub takes no comment of more than 65,536."""


class Judged(NamedTuple):
    """A run, its set, and what the gates say.

    Attributes:
        prompts: Prompt name → its file, which is named where an answer has no recording.
    """

    eval_set: EvalSet
    run: Run
    verdict: Verdict
    prompts: Mapping[str, Path] = {}


class Unjudged(NamedTuple):
    """A set that could not be run, and why.

    Attributes:
        set: As it was asked for.
        path: Where to look, if the error names no file.
    """

    set: str
    error: SummarizerError
    path: Path

    @property
    def verdict(self) -> Verdict:
        """That it did not pass."""
        told = self.error.message + (f". {self.error.hint}" if self.error.hint else "")
        failure = Failure(gate="set", sentence=told, line=self.error.line or 1)
        return Verdict(set=self.set, signature="", failures=(failure,))


Outcome: TypeAlias = Judged | Unjudged


class _Fault(NamedTuple):
    """Something that made a gate fail, and where it can be mended."""

    failure: Failure
    culprit: Culprit | None
    path: Path
    line: int

    @property
    def message(self) -> str:
        if self.culprit is None:
            return _of(self.failure.system, self.failure.sentence)
        return f"{self.culprit.place}: {_of(self.culprit.system, self.culprit.reason)}"


def _of(system: System | None, sentence: str) -> str:
    return f"{sentence} ({system.prompt}, {system.model})" if system else sentence


def _faults(judged: Outcome) -> Iterator[_Fault]:
    """Each failure at its gate, then each culprit at its recording, else at the prompt."""
    failures = judged.verdict.failures
    if isinstance(judged, Unjudged):
        path = _relative(Path(judged.error.path or judged.path))
        yield from (_Fault(failure, None, path, failure.line) for failure in failures)
        return
    recorded = _recorded(
        judged.eval_set.recordings,
        {(c.system.model, c.fingerprint) for failure in failures for c in failure.culprits},
    )
    for failure in failures:
        yield _Fault(failure, None, _relative(judged.eval_set.path), failure.line)
        for culprit in failure.culprits:
            prompt = judged.prompts.get(culprit.system.prompt, judged.eval_set.path)
            path, line = recorded.get((culprit.system.model, culprit.fingerprint), (prompt, 1))
            yield _Fault(failure, culprit, _relative(path), line)


_Question = tuple[str, str | None]


def _recorded(paths: Iterable[Path], wanted: set[_Question]) -> dict[_Question, tuple[Path, int]]:
    """Model and fingerprint → file and line of the recording that answered."""
    found: dict[_Question, tuple[Path, int]] = {}
    for path in paths if wanted else ():
        if not path.exists():
            continue
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                with suppress(ValueError):  # an empty line, or the last one, torn
                    recording = json.loads(line)
                    question = recording["model"], recording["fingerprint"]
                    if question in wanted:
                        found.setdefault(question, (path, number))
    return found


def _relative(path: Path) -> Path:
    """As code hosts know it, where the current folder is the repository's."""
    absolute, here = path.absolute(), Path.cwd()
    return absolute.relative_to(here) if absolute.is_relative_to(here) else path


# --- JUnit ---------------------------------------------------------------------------------------

# All that XML 1.0 cannot hold, not even as a reference.
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_ERRORS = frozenset({"answers", "scores", "baseline", "set"})
"""Failures of the run itself, which JUnit calls errors."""


def junit(outcomes: Iterable[Outcome]) -> str:
    """JUnit XML: a suite a set, with a test for each case of each system, and for each gate."""
    root = ET.Element("testsuites", name="summarizer eval")
    for one in outcomes:
        suite = ET.SubElement(root, "testsuite", name=_xml(one.verdict.set))
        told = ET.SubElement(suite, "properties")
        ET.SubElement(told, "property", name="signature", value=_xml(one.verdict.signature))
        for system, name, faults in _tests(one):
            parts = (one.verdict.set, *([system.prompt, system.model] if system else []))
            test = ET.SubElement(
                suite, "testcase", classname=_xml(".".join(parts)), name=_xml(name)
            )
            if faults:
                _add_result(test, faults)
        for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(attribute, str(len(list(suite.iter(tag)))))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _tests(judged: Outcome) -> Iterator[tuple[System | None, str, list[_Fault]]]:
    """Each test's system, name and what failed it."""
    faults: dict[tuple[System | None, str], list[_Fault]] = defaultdict(list)
    for fault in _faults(judged):
        culprit, failure = fault.culprit, fault.failure
        key = (
            (culprit.system, culprit.case) if culprit else (failure.system, f"gate {failure.gate}")
        )
        faults[key].append(fault)
    if isinstance(judged, Judged):
        asked = questions(judged.run.header, judged.run.cases)
        for system in dict.fromkeys(question.system for question in asked):
            for case in judged.run.cases:
                yield system, f"{case.id} {case.paper.title}", faults.pop((system, case.id), [])
            for gate in judged.eval_set.gates:
                name = f"gate {gate.score}"
                yield system, name, faults.pop((system, name), [])
    for (of, name), left in faults.items():
        yield of, name, left


def _add_result(test: ET.Element, faults: Sequence[_Fault]) -> None:
    """One failure a test, since some readers take the first only; it tells all."""
    tag = "error" if any(fault.failure.gate in _ERRORS for fault in faults) else "failure"
    result = ET.SubElement(
        test, tag, type=_xml(faults[0].failure.gate), message=_xml(faults[0].message)
    )
    lines = dict.fromkeys(f"{f.path}:{f.line}: {f.failure.gate}: {f.message}" for f in faults)
    result.text = _xml("\n".join(lines))


def _xml(text: str) -> str:
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


# --- annotations and SARIF -----------------------------------------------------------------------


def github_annotations(outcomes: Iterable[Outcome]) -> list[str]:
    """GitHub's workflow commands, each to be printed on a line of its own."""
    return [
        f"::error file={_property(fault.path.as_posix())},line={fault.line},"
        f"title={_property(f'{one.verdict.set}: {fault.failure.gate}')}::{_data(fault.message)}"
        for one in outcomes
        for fault in _told_once(_faults(one))
    ]


def _told_once(faults: Iterable[_Fault]) -> Iterable[_Fault]:
    """Without what another gate says of the same place; GitHub shows ten annotations a step."""
    told: dict[tuple[Path, int, str], _Fault] = {}
    for fault in faults:
        told.setdefault((fault.path, fault.line, fault.message), fault)
    return told.values()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def sarif(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """SARIF with a result for each failed gate and each case that made it fail."""
    return to_sarif(
        Located(fault.path, _finding(fault))
        for one in outcomes
        for fault in _told_once(_faults(one))
    )


def _finding(fault: _Fault) -> Finding:
    found = fault.culprit.finding if fault.culprit else None
    return Finding(
        check=found.check if found else fault.failure.gate,
        severity="error",
        message=fault.message,
        evidence=found.evidence if found else None,
        line=fault.line,
    )


# --- Markdown ------------------------------------------------------------------------------------


def summary(outcomes: Iterable[Outcome]) -> str:
    """A summary for one comment on a change, written anew each time (`MARKER` finds it)."""
    every = list(outcomes)
    verdict = "passed" if all(one.verdict.passed for one in every) else "failed"
    parts = [MARKER, f"## Evals {verdict}"]
    for one in every:
        if isinstance(one, Unjudged):
            told = filter(None, (one.error.message, one.error.hint))
            parts += [f"### {_code(one.set)} could not be run", *map(_code, told)]
            continue
        verdict = "passed" if one.verdict.passed else "failed"
        parts += [f"### {_code(one.verdict.set)} {verdict}", _code(one.verdict.signature)]
        if bullets := list(_bullets(one.verdict)):
            parts.append("\n".join(bullets))
        if one.verdict.comparison:
            parts += [
                part for system in one.verdict.comparison.systems for part in _compared(system)
            ]
        else:
            parts += _means(one)
    text = "\n\n".join(parts) + "\n"
    if len(text) > _MOST:
        whole = text.rindex("\n", 0, _MOST)
        text = f"{text[:whole]}\n\nThe rest is too long to be shown here.\n"
    return text


def _bullets(verdict: Verdict) -> Iterator[str]:
    for failure in verdict.failures:
        yield f"- {_code(_of(failure.system, failure.sentence))}"
        shown = failure.culprits[:_SHOWN]
        yield from (f"  - {_code(f'{one.place}: {one.reason}')}" for one in shown)
        if len(failure.culprits) > _SHOWN:
            yield f"  - and {len(failure.culprits) - _SHOWN} more"
    yield from (f"- {_code(note)}" for note in verdict.notes)


def _compared(system: SystemComparison) -> Iterator[str]:
    """The scores in which some case differs, and the cases that moved most."""
    changed = [score for score in system.scores if score.p is not None]
    rows = [
        [
            _code(score.name),
            *(
                figure(mean)
                for mean in (score.mean_a, score.mean_b, score.difference)
                if mean is not None
            ),
            " to ".join(figure(end, 3) for end in score.interval or ()),
            f"{score.wins} / {score.losses} / {score.ties}",
            score.verdict,
        ]
        for score in changed
    ]
    yield f"{_code(f'{system.b.prompt}, {system.b.model}')} against the baseline: {system.sentence}"
    if rows:
        head = ["score", "baseline", "now", "difference", "95 %", "wins / losses / ties", "says"]
        yield _table(head, rows)
    if same := len(system.scores) - len(changed):
        yield f"{same} scores are the same in every case."
    moved = [case for case in system.cases if case.gained or case.lost][:_SHOWN]
    bullets = []
    for case in moved:
        bullets.append(f"- {_code(f'{case.case} {case.title}')}")
        bullets += [f"  - new: {_code(finding.message)}" for finding in case.gained]
        bullets += [f"  - gone: {_code(finding.message)}" for finding in case.lost]
    if bullets:
        yield "\n".join(bullets)


def _means(judged: Judged) -> Iterator[str]:
    """The gated scores; all of them where none is gated."""
    gated = {gate.score for gate in judged.eval_set.gates}
    for system, answers in by_system(judged.run).items():
        rows = [
            [_code(name), figure(fmean(values.values())), str(len(values))]
            for name, values in case_means(answers).items()
            if name in gated or not gated
        ]
        yield f"{_code(f'{system.prompt}, {system.model}')}:"
        yield _table(["score", "mean", "cases"], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    # A bar would end a cell, even in a code span.
    bare = ([cell.replace("|", "\N{BROKEN BAR}") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in bare)


def _code(text: str) -> str:
    """Text of others as a code span: nothing in one is markup, a mention or a link."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    plain = " ".join(plain.split()) or "(nothing)"
    if len(plain) > _LONGEST:
        plain = plain[:_LONGEST] + "…"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", plain)), default=0))
    return f"{fence} {plain} {fence}" if "`" in plain else f"{fence}{plain}{fence}"
