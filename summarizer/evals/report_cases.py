"""A run's cases in a report: lines of its table, and what each of them opens to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from summarizer.evals.averages import by_system, case_means
from summarizer.evals.changes import first_findings
from summarizer.evals.runs import questions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from summarizer.digest import Entry, Finding, Summary
    from summarizer.evals.cases import Case
    from summarizer.evals.comparison import Comparison
    from summarizer.evals.gates import Verdict
    from summarizer.evals.runs import Result, Run, System

Shown: TypeAlias = "dict[str, Any]"
"""A part of the page, as JSON."""

_Row: TypeAlias = "tuple[str, System]"

_ORDER = ("no answer", "failed", "blamed", "passed")
"""What becomes of a case; one that is blamed is well, but what it scored makes a gate fail."""

_OWN = frozenset({"answers", "scores", "cases"})
"""Gates that fail for a case itself, and not for a mean over all."""


def asked_systems(run: Run) -> list[System]:
    """What a run asks, also where there is no answer yet."""
    return list(dict.fromkeys(q.system for q in questions(run.header, run.cases)))


def label(system: System) -> str:
    """What a system is called on the page."""
    return f"{system.prompt} with {system.model}"


def rounded(value: float | None) -> float | None:
    """A figure with as many digits as anyone reads, which keeps the file small."""
    return None if value is None else float(f"{value:.6g}")


class Cases:
    """Lines of the table, one for each case of each system, and what each opens to."""

    def __init__(self, run: Run, comparison: Comparison | None, verdict: Verdict | None) -> None:
        self._run = run
        self._results: dict[_Row, list[Result]] = {}
        for result in run.results:
            self._results.setdefault((result.case, result.system), []).append(result)
        self._means = {system: case_means(of) for system, of in by_system(run).items()}
        self._compared = {
            (case.case, system.b): case
            for system in (comparison.systems if comparison else ())
            for case in system.cases
        }
        self._judged = verdict is not None
        self._blamed: dict[_Row, dict[str, list[str]]] = {}
        for failure in verdict.failures if verdict else ():
            for culprit in failure.culprits:
                gates = self._blamed.setdefault((culprit.case, culprit.system), {})
                reasons = gates.setdefault(failure.gate, [])
                if culprit.finding is None:  # findings are shown where they are
                    reasons.append(culprit.reason)

    def shown(self) -> tuple[Sequence[Shown], Sequence[Shown], Sequence[Shown]]:
        """Lines, the texts that each opens to, and what changed in these since the earlier run.

        All in one order: what failed comes first, then what moved most.
        """
        every = [
            (self._row(case, system), self._texts(case, system), self._changes(case, system))
            for system in asked_systems(self._run)
            for case in self._run.cases
        ]
        every.sort(key=lambda one: (_ORDER.index(one[0]["state"]), -abs(one[0]["moved"] or 0.0)))
        rows, texts, changes = zip(*every, strict=True) if every else ((), (), ())
        return rows, texts, changes

    def _row(self, case: Case, system: System) -> Shown:
        key = case.id, system
        results, compared = self._results.get(key, []), self._compared.get(key)
        findings = [finding for result in results for finding in first_findings(result)]
        scores = {n: of[case.id] for n, of in self._means.get(system, {}).items() if case.id in of}
        moved = compared.differences if compared else {}
        return {
            "id": case.id,
            "title": case.paper.title,
            "system": label(system),
            "state": self._state(case, key, results),
            "errors": sum(finding.severity == "error" for finding in findings),
            "warnings": sum(finding.severity == "warning" for finding in findings),
            "checks": sorted({finding.check for finding in findings}),
            "moved": rounded(compared.moved) if compared else None,
            "scores": {name: rounded(value) for name, value in scores.items()},
            "moves": {name: rounded(value) for name, value in moved.items() if value},
        }

    def _state(self, case: Case, key: _Row, results: Sequence[Result]) -> str:
        if not results or any(result.entry is None for result in results):
            return "no answer"
        if self._judged:
            gates = self._blamed.get(key, {})
            return "failed" if gates.keys() & _OWN else "blamed" if gates else "passed"
        failed = any(
            result.error or (result.entry and result.entry.status == "failed" and not case.wanted)
            for result in results
        )
        return "failed" if failed else "passed"

    def _texts(self, case: Case, system: System) -> Shown:
        compared = self._compared.get((case.id, system))
        results = self._results.get((case.id, system), [])
        entries = (result.entry for result in results if result.entry)
        abstract = case.input or next((e.paper.abstract for e in entries if e.paper.abstract), "")
        return {
            "failed": self._blamed.get((case.id, system), {}),
            "abstract": abstract,
            "target": case.target,
            "now": [
                _answer(result, compared.gained, "new")
                if compared and result.question == compared.b.question
                else _answer(result)
                for result in results
            ],
        }

    def _changes(self, case: Case, system: System) -> Shown:
        compared = self._compared.get((case.id, system))
        if compared is None:
            return {}
        same = compared.text_a == compared.text_b
        return {
            "before": _answer(compared.a, compared.lost, "gone"),
            "diff": () if same else compared.diff,
        }


def _answer(result: Result, marked: Iterable[Finding] = (), tag: str | None = None) -> Shown:
    """One answer from first to last; those findings that only one of two answers has are tagged."""
    return {
        "sample": result.sample,
        "status": result.entry.status if result.entry else "no answer",
        "reason": result.error or (result.entry.reason if result.entry else None),
        "steps": list(_steps(result.entry, tuple(marked), tag)) if result.entry else [],
    }


def _steps(entry: Entry, marked: Sequence[Finding], tag: str | None) -> Iterator[Shown]:
    """What the model answered at first and when asked to repair, and what became of it."""
    last: Summary | None = None
    for number, attempt in enumerate(entry.provenance.attempts if entry.provenance else ()):
        last = attempt.summary
        yield {
            "name": f"Repair {number}" if number else "As first answered",
            "points": _points(last),
            "findings": [
                _finding(finding, tag if not number and finding in marked else None)
                for finding in attempt.findings
            ],
        }
    if entry.summary and entry.summary != last:
        yield {
            "name": "Mended",
            "points": _points(entry.summary),
            "findings": [_finding(finding) for finding in entry.findings],
        }


def _points(summary: Summary | None) -> list[str] | None:
    return [point.text for point in summary.points] if summary else None


def _finding(finding: Finding, tag: str | None = None) -> Shown:
    told = finding.model_dump(mode="json", exclude={"arxiv_id", "line"}, exclude_none=True)
    return {**told, "tag": tag} if tag else told
