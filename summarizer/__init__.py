"""Turns a day's arXiv papers into a Korean digest that a reader can trust."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from summarizer.checks import check_digest, check_summary, mend
    from summarizer.digest import (
        Attempt,
        Digest,
        Entry,
        Finding,
        Media,
        Paper,
        Point,
        Provenance,
        Summary,
        Usage,
    )
    from summarizer.drivers import regenerate, regenerate_day, regenerate_range
    from summarizer.errors import SummarizerError
    from summarizer.evals.compare import compare
    from summarizer.evals.comparison import Comparison
    from summarizer.evals.evaluate import evaluate
    from summarizer.evals.runs import Run
    from summarizer.evals.sets import EvalSet, load_eval_set
    from summarizer.flow import parse_summary, summarize, summary_flow
    from summarizer.formats.markdown import lint_markdown, parse_markdown, render_markdown
    from summarizer.models import Answer, ChatModel, Message, Request, Unanswered, open_model
    from summarizer.prompts import Prompt, load_prompt
    from summarizer.sources import read_days, read_papers

__version__ = "0.1.0"

_HOMES = {
    "summarizer.checks": ("check_digest", "check_summary", "mend"),
    "summarizer.digest": (
        "Attempt",
        "Digest",
        "Entry",
        "Finding",
        "Media",
        "Paper",
        "Point",
        "Provenance",
        "Summary",
        "Usage",
    ),
    "summarizer.errors": ("SummarizerError",),
    "summarizer.evals.compare": ("compare",),
    "summarizer.evals.comparison": ("Comparison",),
    "summarizer.evals.evaluate": ("evaluate",),
    "summarizer.evals.runs": ("Run",),
    "summarizer.evals.sets": ("EvalSet", "load_eval_set"),
    "summarizer.formats.markdown": ("lint_markdown", "parse_markdown", "render_markdown"),
    "summarizer.models": ("Answer", "ChatModel", "Message", "Request", "Unanswered", "open_model"),
    "summarizer.prompts": ("Prompt", "load_prompt"),
    "summarizer.drivers": ("regenerate", "regenerate_day", "regenerate_range"),
    "summarizer.sources": ("read_days", "read_papers"),
    "summarizer.flow": ("parse_summary", "summarize", "summary_flow"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Answer",
    "Attempt",
    "ChatModel",
    "Comparison",
    "Digest",
    "Entry",
    "EvalSet",
    "Finding",
    "Media",
    "Message",
    "Paper",
    "Point",
    "Prompt",
    "Provenance",
    "Request",
    "Run",
    "SummarizerError",
    "Summary",
    "Unanswered",
    "Usage",
    "__version__",
    "check_digest",
    "check_summary",
    "compare",
    "evaluate",
    "lint_markdown",
    "load_eval_set",
    "load_prompt",
    "mend",
    "open_model",
    "parse_markdown",
    "parse_summary",
    "read_days",
    "read_papers",
    "regenerate",
    "regenerate_day",
    "regenerate_range",
    "render_markdown",
    "summarize",
    "summary_flow",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return __all__
