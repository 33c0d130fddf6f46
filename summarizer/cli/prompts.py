"""`summarizer prompts`: look at prompts, and at exactly what they send."""

from __future__ import annotations

import asyncio
import dataclasses

import click

from summarizer.errors import InputError


@click.group()
def prompts() -> None:
    """List, show, render and compare prompts."""


@prompts.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_(ctx: click.Context, *, as_json: bool) -> None:
    """List the prompts of prompts/ in this folder, and the shipped ones.

    A file that is no prompt is named with its fault, and the exit code is 2.
    """
    from summarizer.cli.terminal import notice, print_json, table
    from summarizer.prompts import list_prompts, load_prompt

    loaded, broken = [], []
    for path in list_prompts().values():
        try:
            loaded.append(load_prompt(path))
        except InputError as fault:
            broken.append(fault)
    if as_json:
        print_json(
            [{"name": p.name, "description": p.description, "path": str(p.path)} for p in loaded]
        )
    else:
        table(["prompt", "what it asks for"], [[p.name, p.description] for p in loaded])
    for error in broken:
        notice(str(error))
    ctx.exit(broken[0].exit_code if broken else 0)


@prompts.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print its settings and messages as JSON.")
def show(name: str, *, as_json: bool) -> None:
    """Print a prompt's file; NAME is a name or a path."""
    from summarizer.cli.terminal import print_document, print_json
    from summarizer.disk import read_text
    from summarizer.prompts import load_prompt

    prompt = load_prompt(name)
    if as_json:
        print_json(dataclasses.asdict(prompt) | {"path": str(prompt.path)})
    else:
        print_document(read_text(prompt.path))


@prompts.command()
@click.argument("name")
@click.option(
    "--paper",
    "source",
    required=True,
    metavar="FILE",
    help="A file of papers (JSON, JSONL, CSV, Atom), or arxiv:ids:ID.",
)
@click.option("--id", "arxiv_id", metavar="ID", help="Which paper of the file; else the first.")
@click.option(
    "--model",
    envvar="SUMMARIZER_MODEL",
    default="openai:gpt-5-mini",
    show_default=True,
    metavar="SPEC",
    help="Whose tokens to count.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the request as JSON.")
def render(name: str, source: str, arxiv_id: str | None, model: str, *, as_json: bool) -> None:
    """Print exactly what is sent about a paper, with its tokens."""
    from summarizer.cli.terminal import notice, print_json, show
    from summarizer.costs import count_tokens
    from summarizer.prompts import load_prompt
    from summarizer.sources import read_listing

    prompt = load_prompt(name)
    papers = asyncio.run(read_listing(source, notice=notice)).papers
    for paper in papers:
        if arxiv_id in (None, paper.arxiv_id):
            break
    else:
        ids = ", ".join(paper.arxiv_id for paper in papers) or "no paper at all"
        raise InputError(f"{source} has no paper {arxiv_id or ''}".rstrip(), hint=f"It has {ids}")
    request = prompt.render(paper)
    count = count_tokens(request, model)
    if as_json:
        print_json(
            request.model_dump(mode="json")
            | {"fingerprint": request.fingerprint, "tokens": count.tokens, "exact": count.exact}
        )
        return
    for message in request.messages:
        show(f"{message.role}:\n{message.content}\n")
    if request.params:
        show(f"settings: {dict(request.params)}")
    if request.output_schema is not None:
        show(f"wanted form: {dict(request.output_schema)}")
    show(f"tokens: {count.tokens:,} ({'counted' if count.exact else 'an estimate'})")


@prompts.command()
@click.argument("a")
@click.argument("b")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(a: str, b: str, *, as_json: bool) -> None:
    """Show what changes from prompt A to B, settings and messages."""
    from summarizer.cli.terminal import print_json, show
    from summarizer.prompts import diff_prompts, load_prompt

    changes = diff_prompts(load_prompt(a), load_prompt(b))
    if as_json:
        print_json({"a": a, "b": b, "diff": changes.splitlines()})
    elif changes:
        show(changes)
