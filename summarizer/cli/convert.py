"""`summarizer convert`: a digest from one format into another, without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from summarizer.cli.options import PATH
from summarizer.errors import InputError
from summarizer.formats import FORMATS

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option(
    "--to", "form", required=True, type=click.Choice(list(FORMATS)), help="The format to write."
)
@click.option(
    "--out",
    type=PATH,
    metavar="DIR",
    help="The folder to write DATE.md or DATE.json to; without it a digest is printed.",
)
@click.option("--json", "as_json", is_flag=True, help="With --out, print what was written as JSON.")
def convert(*, files: tuple[Path, ...], form: str, out: Path | None, as_json: bool) -> None:
    """Convert digests between Markdown and JSON, without loss.

    A digest that deviates from the regular form is written in the regular form.
    """
    from summarizer.cli.terminal import print_document, print_json, show
    from summarizer.disk import read_text, write_files
    from summarizer.formats import format_of

    target = FORMATS[form]
    if out is None and as_json:
        raise click.UsageError("--json says what was written; add --out DIR")
    if out is None and len(files) > 1:
        raise InputError(f"{len(files)} files cannot be printed as one", hint="Add --out DIR")
    texts: dict[Path, str] = {}
    sources: dict[Path, Path] = {}
    for file in files:
        digest = format_of(file).read(read_text(file), path=file)
        text = target.render(digest)
        if out is None:
            print_document(text)
            return
        path = out / f"{digest.date}{target.suffix}"
        if path in texts:
            raise InputError(
                f"{sources[path]} is of {digest.date} too", hint="Convert one of them", path=file
            )
        texts[path], sources[path] = text, file
    changed = write_files(texts)
    if as_json:
        print_json(
            [
                {"from": str(file), "to": str(path), "changed": path in changed}
                for path, file in sources.items()
            ]
        )
        return
    for path, file in sources.items():
        show(f"{file} → {path}" + ("" if path in changed else " (unchanged)"))
