"""`summarizer check`: what is wrong with digests that lie in files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="A departure from the regular form is an error.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def check(ctx: click.Context, *, files: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Check digests: their form, and each summary in them.

    Leaves with 1 where a finding is an error; warnings only show.
    """
    from summarizer.cli.terminal import print_json
    from summarizer.review import review

    found = {file: review(file, strict=strict) for file in files}
    counts = Counter(finding.severity for findings in found.values() for finding in findings)
    if as_json:
        print_json(
            [
                {"file": str(file)} | finding.model_dump(mode="json")
                for file, findings in found.items()
                for finding in findings
            ]
        )
    else:
        for file, findings in found.items():
            for finding in findings:
                place = f"{file}:{finding.line}" if finding.line else f"{file}"
                paper = f" {finding.arxiv_id}" if finding.arxiv_id else ""
                click.echo(
                    f"{place}:{paper} {finding.severity}: {finding.message} ({finding.check})"
                )
        files_ = f"{len(files)} file{'s' if len(files) > 1 else ''}"
        click.echo(f"{files_}: {counts['error']} errors, {counts['warning']} warnings")
    ctx.exit(1 if counts["error"] else 0)
