"""What `summarizer eval` shows and writes of the runs that it judged."""

from __future__ import annotations

import json
import os
from statistics import fmean
from typing import TYPE_CHECKING, Any

import click

from summarizer.cli.terminal import notice, on_one_line, table
from summarizer.disk import write_files
from summarizer.evals import ci
from summarizer.evals.averages import by_system, case_means
from summarizer.evals.comparison import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from summarizer.evals.ci import Judged, Unjudged
    from summarizer.evals.comparison import ScoreComparison, SystemComparison
    from summarizer.evals.runs import System

_SHOWN = 20
"""How many cases of one failure the terminal shows."""


def show(judged: Judged) -> None:
    """Scores of each prompt and model, what failed and why, and how the run was made."""
    compared = _compared(judged)
    for system, answers in by_system(judged.run).items():
        asked = f"{system.prompt} with {system.model}"
        click.echo(f"{judged.run.header.set}: {on_one_line(asked)}")
        against = compared.get(system)
        known = _by_name(against)
        rows = [
            [
                name,
                figure(fmean(values.values())),
                f"{len(values)}",
                *(_difference(known.get(name)) if against else ()),
            ]
            for name, values in case_means(answers).items()
        ]
        head = ["score", "mean", "n", *(("baseline", "difference", "") if against else ())]
        table(head, rows, numbers=range(1, 5))
        if against:
            click.echo(f"against the baseline: {against.sentence}")
    verdict = judged.verdict
    for failure in verdict.failures:
        of = failure.system
        where = f" ({of.prompt} with {of.model})" if of else ""
        click.echo(f"failed  {on_one_line(failure.sentence + where)}")
        for culprit in failure.culprits[:_SHOWN]:
            click.echo(f"        {on_one_line(f'{culprit.place}: {culprit.reason}')}")
        if len(failure.culprits) > _SHOWN:
            click.echo(f"        and {len(failure.culprits) - _SHOWN} more")
    for note in verdict.notes:
        notice(on_one_line(f"{verdict.set}: {note}"))
    outcome = "passed" if verdict.passed else "failed"
    click.echo(f"{verdict.set} {outcome}  {on_one_line(verdict.signature)}")


def _compared(judged: Judged) -> dict[System, SystemComparison]:
    """Each system that the baseline has, held against it."""
    systems = judged.verdict.comparison.systems if judged.verdict.comparison else ()
    return {system.b: system for system in systems}


def _by_name(system: SystemComparison | None) -> dict[str, ScoreComparison]:
    return {score.name: score for score in system.scores} if system else {}


def _difference(score: ScoreComparison | None) -> list[str]:
    if score is None or score.mean_a is None or score.difference is None:
        return ["", "", score.verdict if score else ""]
    return [figure(score.mean_a), f"{score.difference:+.4g}", score.verdict]


def _systems(judged: Judged) -> Iterator[dict[str, Any]]:
    """Each prompt and model with its scores and, where there is a baseline, the differences."""
    compared = _compared(judged)
    for system, answers in by_system(judged.run).items():
        known = _by_name(compared.get(system))
        scores = []
        for name, values in case_means(answers).items():
            score: dict[str, Any] = {
                "name": name,
                "mean": fmean(values.values()),
                "cases": len(values),
            }
            if found := known.get(name):
                score |= {
                    "baseline": found.mean_a,
                    "difference": found.difference,
                    "p": found.p_holm,
                    "says": found.sentence,
                }
            scores.append(score)
        yield {**system.model_dump(), "scores": scores}


def document(outcome: Judged | Unjudged) -> dict[str, Any]:
    """The same as JSON; every case that made a gate fail is named."""
    return {
        **outcome.verdict.model_dump(mode="json", exclude={"comparison"}),
        "passed": outcome.verdict.passed,
        "systems": list(_systems(outcome)) if isinstance(outcome, ci.Judged) else [],
    }


def write(
    outcomes: Sequence[Judged | Unjudged],
    *,
    junit: Path | None,
    sarif: Path | None,
    html: Path | None,
    summary: Path | None,
) -> None:
    """Write what was asked for; on GitHub, say on the change what failed and where."""
    texts: dict[Path, str] = {}
    if junit:
        texts[junit] = ci.junit(outcomes)
    if sarif:
        texts[sarif] = json.dumps(ci.sarif(outcomes), ensure_ascii=False, indent=2) + "\n"
    if summary:
        texts[summary] = ci.summary(outcomes)
    if html:
        from summarizer.evals.report import render_report

        judged = [one for one in outcomes if isinstance(one, ci.Judged)]
        texts |= {
            place_of(html, one.verdict.set, ".html"): render_report(one.run, verdict=one.verdict)
            for one in judged
        }
    write_files(texts)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in ci.github_annotations(outcomes):
            click.echo(line, err=True)


def place_of(path: Path, name: str, suffix: str) -> Path:
    """The file for one set: the one that was named, or one in the folder that was."""
    return path / f"{name}{suffix}" if path.is_dir() else path
