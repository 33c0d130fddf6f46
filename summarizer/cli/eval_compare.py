"""`summarizer eval compare`: what changed from one run to another, and whether it is real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from summarizer.cli.options import PATH
from summarizer.cli.terminal import counted, on_one_line, print_json, show, table, visible
from summarizer.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from summarizer.evals.changes import Change
    from summarizer.evals.comparison import CaseComparison, Comparison, SystemComparison

_SHOWN = 5
"""How many of the cases that moved most the terminal shows."""


@click.command()
@click.argument("a", type=PATH)
@click.argument("b", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option("--html", type=PATH, metavar="FILE", help="Write a report.")
def compare(*, a: Path, b: Path, as_json: bool, html: Path | None) -> None:
    """Hold run B against run A; both are runs or baselines.

    Says which scores are really better or worse, where, and which words changed.
    """
    from summarizer.disk import write_files
    from summarizer.evals.baseline import open_run
    from summarizer.evals.compare import compare as compare_runs
    from summarizer.evals.report import render_report

    before, after = open_run(a), open_run(b)
    comparison = compare_runs(before, after)
    if not any(system.cases for system in comparison.systems):
        raise InputError(
            f"{a} and {b} have nothing in common: no case, or neither prompt nor model",
            hint="Compare runs of one set",
        )
    if html:
        write_files({html: render_report(after, comparison=comparison)})
    if as_json:
        print_json(_document(comparison))
        return
    show(f"before  {comparison.signature_a}\nnow     {comparison.signature_b}")
    for system in comparison.systems:
        _show(system)
    for told in comparison.left_out:
        show(on_one_line(told))


def _show(system: SystemComparison) -> None:
    from summarizer.evals.comparison import figure

    same = system.a == system.b
    names = [f"{one.prompt} with {one.model}" for one in (system.a, system.b)]
    show(f"\n{names[0]}" if same else f"\n{names[0]} → {names[1]}")
    changed = [score for score in system.scores if score.p is not None]
    rows = [
        [
            score.name,
            *(figure(mean) for mean in (score.mean_a, score.mean_b) if mean is not None),
            f"{score.difference:+.4g}",
            " to ".join(figure(end, 3) for end in score.interval or ()),
            "" if score.p_holm is None else f"{score.p_holm:.2g}",
            f"{score.wins}/{score.losses}/{score.ties}",
            score.verdict,
        ]
        for score in changed
    ]
    if rows:
        head = ["score", "before", "now", "difference", "95 %", "p", "won / lost / tied", ""]
        table(head, rows, numbers=range(1, 7))
        show(system.sentence)
    if left := len(system.scores) - len(changed):
        show(f"{left} {'scores are' if left > 1 else 'score is'} the same in every case")
    moved = [case for case in system.cases if case.moved or case.text_a != case.text_b]
    for case in moved[:_SHOWN]:
        _show_case(case)
    if len(moved) > _SHOWN:
        show(f"\n{len(moved) - _SHOWN} other cases changed; --html shows all")


def _show_case(case: CaseComparison) -> None:
    direction = "better" if case.moved > 0 else "worse" if case.moved < 0 else "changed"
    show(f"\n{direction}  {on_one_line(case.case)}  {on_one_line(case.title)}")
    scores = [f"{name} {value:+.4g}" for name, value in case.differences.items() if value]
    if scores:
        show(f"    {', '.join(scores)}")
    for told, findings in (("new", case.gained), ("gone", case.lost)):
        for finding in findings:
            place = "" if finding.point is None else f"point {finding.point + 1}: "
            show(f"    {told}: {place}{on_one_line(finding.message)} ({finding.check})")
    lines = "".join(_shown(change) for change in case.diff).split("\n")
    changed = [line for line in lines if "[-" in line or "{+" in line]
    for line in changed:
        click.echo(f"    | {line}")
    if left := len(list(filter(str.strip, lines))) - len(changed):
        show(f"    {counted(left, 'other line')} the same")


def _shown(change: Change) -> str:
    """A change as `git diff --word-diff` writes it, each line for itself."""
    kind, text = change
    text = visible(text)
    if kind == "same" or not text.strip():
        return text
    bare = text.rstrip(" \n")
    left, right, colour = ("[-", "-]", "red") if kind == "removed" else ("{+", "+}", "green")
    marked = "\n".join(
        click.style(f"{left}{line}{right}", fg=colour) if line else "" for line in bare.split("\n")
    )
    return marked + text[len(bare) :]


def _document(comparison: Comparison) -> dict[str, Any]:
    """The comparison, with texts instead of whole entries."""
    document = comparison.model_dump(
        mode="json", exclude={"systems": {"__all__": {"cases": {"__all__": {"a", "b"}}}}}
    )
    for system, shown in zip(comparison.systems, document["systems"], strict=True):
        for score, row in zip(system.scores, shown["scores"], strict=True):
            row["says"] = score.sentence
        for case, row in zip(system.cases, shown["cases"], strict=True):
            row |= {"a": case.text_a, "b": case.text_b, "diff": case.diff}
    return document
