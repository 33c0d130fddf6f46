"""`summarizer eval accept`: make a run the one that later runs are held against."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click


@click.command()
@click.argument("target", metavar="RUN|SET")
@click.option(
    "--set",
    "set_name",
    metavar="NAME|FILE",
    help="Which set the run is of.  [default: as the run says]",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def accept(*, target: str, set_name: str | None, as_json: bool) -> None:
    """Write a run as the baseline of its set; a SET is run first, from its recordings.

    A run that fails a gate can be accepted, and is told about; one that lacks answers cannot.
    """
    from summarizer.cli.terminal import notice, print_json, show
    from summarizer.errors import InputError
    from summarizer.evals.baseline import accept as accept_run
    from summarizer.evals.evaluate import evaluate
    from summarizer.evals.gates import judge
    from summarizer.evals.runs import read_run
    from summarizer.evals.sets import load_eval_set
    from summarizer.shipped import available

    path = Path(target)
    if path.is_file() and path.suffix != ".yaml":
        run = read_run(path)
        if set_name is None and run.header.set not in available("evals", suffix=".yaml"):
            raise InputError(
                f"this run is of the set {run.header.set!r}, which is not in evals/",
                hint="Say where the set lies: --set FILE",
                path=path,
            )
        eval_set = load_eval_set(set_name or run.header.set)
    else:
        eval_set = load_eval_set(target)
        run = asyncio.run(evaluate(eval_set, notice=notice))
    changed = accept_run(eval_set, run)
    verdict = judge(eval_set, run)
    for failure in verdict.failures:
        notice(f"accepted all the same: {failure.sentence}")
    if as_json:
        print_json(
            {
                "file": str(eval_set.baseline),
                "changed": changed,
                "signature": verdict.signature,
                "failures": [failure.sentence for failure in verdict.failures],
            }
        )
    else:
        told = "is the baseline now" if changed else "was the baseline already"
        show(f"{eval_set.baseline} {told}  {verdict.signature}")
