"""Runs that tests make up: what each case was answered, found and scored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from summarizer.digest import Attempt, Entry, Finding, Provenance, Summary
from summarizer.evals.cases import Case
from summarizer.evals.runs import Header, Result, Run, Score, System
from summarizer.evals.sets import EvalSet, Gate

WHEN = dt.datetime(2024, 1, 12, 9, 30, tzinfo=dt.UTC)
MINE = System(prompt="mine", model="openai:m")
BETTER: Mapping[str, Literal["higher", "lower"] | None] = {
    "numbers.errors": "lower",
    "numbers.error_rate": "lower",
    "length.points": None,
}


def case(number: int, **fields: Any) -> Case:
    given = {
        "id": f"2401.{number:05}",
        "input": f"We train {number} models.",
        "metadata": {"title": f"Paper {number}"},
    }
    return Case(**{**given, **fields})


def finding(
    message: str = "45% is not in the abstract", point: int | None = 0, **fields: Any
) -> Finding:
    given: dict[str, Any] = {"check": "numbers", "severity": "error"}
    return Finding(message=message, point=point, **{**given, **fields})


def result(
    case: Case,
    scores: Mapping[str, float | None],
    *,
    sample: int = 0,
    system: System = MINE,
    points: Sequence[str] = ("모델을 학습한다.",),
    findings: Iterable[Finding] = (),
    **fields: Any,
) -> Result:
    summary = Summary(points=points)
    attempt = Attempt(fingerprint=f"{case.id}/{sample}", summary=summary, findings=tuple(findings))
    entry = Entry(
        paper=case.paper,
        summary=summary,
        provenance=Provenance(
            prompt=system.prompt, prompt_hash="a" * 64, model=system.model, attempts=(attempt,)
        ),
        **fields.pop("entry", {}),
    )
    return Result(
        case=case.id,
        system=system,
        sample=sample,
        entry=fields.pop("whole", entry),
        scores=tuple(
            Score(name=name, value=value, better=BETTER.get(name, "higher"))
            for name, value in scores.items()
        ),
        **fields,
    )


def unanswered(case: Case, reason: str, *, system: System = MINE, sample: int = 0) -> Result:
    return Result(case=case.id, system=system, sample=sample, entry=None, error=reason)


def run(cases: Sequence[Case], results: Iterable[Result], **header: Any) -> Run:
    every = tuple(results)
    given: dict[str, Any] = {
        "set": "little",
        "set_hash": "b" * 64,
        "prompts": {result.system.prompt: "a" * 64 for result in every} or {"mine": "a" * 64},
        "models": tuple(dict.fromkeys(result.system.model for result in every)) or (MINE.model,),
        "scorers": {"chrf": "nc:6|version:1", "numbers": "version:1"},
        "repeats": max((result.sample + 1 for result in every), default=1),
        "version": "0.1.0",
        "started_at": WHEN,
    }
    return Run(header=Header(**{**given, **header}), cases=tuple(cases), results=every)


def scored(
    values: Sequence[float], name: str = "chrf", *, copies: int = 1, system: System = MINE
) -> Run:
    """A run of as many cases as there are values, each asked `copies` times with one outcome."""
    cases = [case(number) for number in range(len(values))]
    return run(
        cases,
        [
            result(one, {name: value}, sample=sample, system=system)
            for one, value in zip(cases, values, strict=True)
            for sample in range(copies)
        ],
    )


def eval_set(cases: Sequence[Case], gates: Iterable[Gate] = (), **fields: Any) -> EvalSet:
    given: dict[str, Any] = {
        "name": "little",
        "path": Path("evals/little.yaml"),
        "prompts": ("mine",),
        "models": (MINE.model,),
        "scorers": {"chrf": {}, "numbers": {}},
        "hash": "b" * 64,
    }
    return EvalSet(cases=tuple(cases), gates=tuple(gates), **{**given, **fields})
