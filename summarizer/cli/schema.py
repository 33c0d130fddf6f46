"""`summarizer schema`: the published contracts."""

from __future__ import annotations

import click


@click.command()
@click.argument(
    "contract",
    type=click.Choice(["digest", "eval-set"]),
    default="digest",
    metavar="[digest|eval-set]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON (this command prints no other).")
def schema(*, contract: str, as_json: bool) -> None:  # noqa: ARG001  (every command takes --json)
    """Print the JSON Schema of a digest, or of an eval set's file."""
    from summarizer.cli.terminal import print_document
    from summarizer.schema import digest_schema_text, json_text

    text = digest_schema_text()
    if contract == "eval-set":
        from summarizer.evals.sets import eval_set_schema

        text = json_text(eval_set_schema())
    print_document(text)
