"""`summarizer schema`: the published contract."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON (this command prints no other).")
def schema(*, as_json: bool) -> None:  # noqa: ARG001  (every command takes --json)
    """Print the JSON Schema of a digest."""
    from summarizer.schema import digest_schema_text

    click.echo(digest_schema_text(), nl=False)
