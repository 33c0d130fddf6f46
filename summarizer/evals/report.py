"""A run as one HTML file: what changed and whether it is real, all scores, and every case.

The file asks no network for anything and works from disk. Titles, abstracts and answers are text of
others: they go into the page as JSON, its script puts them on the screen as text alone, and a
Content-Security-Policy lets only that one script run. What is to be shown is decided here; how, in
`report.js` and `report.css`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from difflib import unified_diff
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from summarizer.costs import price
from summarizer.digest import Usage
from summarizer.evals.averages import by_system, case_means
from summarizer.evals.report_cases import Cases, Shown, asked_systems, label, rounded
from summarizer.evals.runs import signature
from summarizer.evals.significance import intervals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from summarizer.evals.comparison import Comparison
    from summarizer.evals.gates import Verdict
    from summarizer.evals.runs import Run

_NAMED = 50
"""How many places of a failed gate are named; the table of cases has all of them."""

_TOLD = 1_000
"""How many characters it takes at most to say what was not compared."""

_CONTEXT = 3
"""How many lines that are the same stand around those in which two prompts differ."""


def render_report(
    run: Run,
    *,
    comparison: Comparison | None = None,
    verdict: Verdict | None = None,
) -> str:
    """Render a run as one self-contained HTML file.

    Args:
        run: What is shown; of a comparison, its second run.
        comparison: With an earlier run; None takes the verdict's, where there is one.
        verdict: What the gates say; without it, no case of a set of wrong answers counts as failed.
    """
    if comparison is None and verdict is not None:
        comparison = verdict.comparison
    texts = run.header.texts
    rows, opened, changes = Cases(run, comparison, verdict).shown()
    page = {
        "set": run.header.set,
        "signature": signature(run.header, len(run.cases)),
        "started": f"{run.header.started_at:%Y-%m-%d %H:%M %Z}",
        "cases": len(run.cases),
        "repeats": run.header.repeats,
        "missing": len(run.missing),
        "systems": [label(system) for system in asked_systems(run)],
        "verdict": _verdict(verdict, rows) if verdict else None,
        "comparison": _comparison(comparison) if comparison else None,
        "scores": list(_scores(run)),
        "changed_prompts": list(_changed_prompts(comparison)) if comparison else [],
        "prompts": {name: texts[h] for name, h in run.header.prompts.items() if h in texts},
        "costs": list(_costs(run)),
        "rows": rows,
    }
    return _html(f"{run.header.set}: eval report", page, opened, changes)


# --- what is said of the whole run ---------------------------------------------------------------


def _verdict(verdict: Verdict, rows: Sequence[Shown]) -> Shown:
    places = {(row["id"], row["system"]): at for at, row in enumerate(rows)}
    return {
        "passed": verdict.passed,
        "notes": verdict.notes,
        "failures": [
            {
                "sentence": failure.sentence,
                "system": failure.system and label(failure.system),
                "count": len(failure.culprits),
                "culprits": [
                    {
                        "place": culprit.place,
                        "reason": culprit.reason,
                        "row": places.get((culprit.case, label(culprit.system))),
                    }
                    for culprit in failure.culprits[:_NAMED]
                ],
            }
            for failure in verdict.failures
        ],
    }


def _comparison(comparison: Comparison) -> Shown:
    return {
        "before": comparison.signature_a,
        "now": comparison.signature_b,
        "left_out": [shorten(told, _TOLD, placeholder=" …") for told in comparison.left_out],
        "systems": [
            {
                "before": label(system.a),
                "now": label(system.b),
                "says": system.sentence,
                "scores": [
                    {**score.model_dump(mode="json"), "says": score.verdict}
                    for score in system.scores
                ],
            }
            for system in comparison.systems
        ],
    }


def _scores(run: Run) -> Iterator[Shown]:
    """Each score of each system: its mean over cases, and how sure that is."""
    better = {s.name: s.better for result in run.results for s in result.scores}
    means = {label(system): case_means(answers) for system, answers in by_system(run).items()}
    columns = {
        (name, system): list(of[name].values())
        for name in better
        for system, of in means.items()
        if name in of
    }
    varied = {key: values for key, values in columns.items() if min(values) < max(values)}
    spans = dict(zip(varied, intervals([*varied.values()]), strict=True))
    for name in better:
        yield {
            "name": name,
            "better": better[name],
            "systems": [
                {
                    "system": system,
                    "cases": len(values),
                    "mean": rounded(sum(values) / len(values)),
                    "low": rounded(min(values)),
                    "high": rounded(max(values)),
                    "interval": spans.get((name, system)),
                }
                for (of, system), values in columns.items()
                if of == name
            ],
        }


def _changed_prompts(comparison: Comparison) -> Iterator[Shown]:
    """What changed from one prompt to another, line by line; None where a text is not known."""
    texts = {**comparison.a.texts, **comparison.b.texts}
    pairs = {
        (comparison.a.prompts[system.a.prompt], comparison.b.prompts[system.b.prompt]): system
        for system in comparison.systems
    }
    for (old, new), system in pairs.items():
        if old == new:
            continue
        lines = None
        if old in texts and new in texts:
            before, now = texts[old].splitlines(), texts[new].splitlines()
            lines = [*unified_diff(before, now, n=_CONTEXT, lineterm="")][2:]
        yield {"before": system.a.prompt, "now": system.b.prompt, "lines": lines}


def _costs(run: Run) -> Iterator[Shown]:
    """What each system's answers took; prices are list prices, None where one is not known."""
    for system in asked_systems(run):
        asked = [
            result.entry.provenance
            for result in run.results
            if result.system == system and result.entry and result.entry.provenance
        ]
        used = [one for one in asked if one.tokens != Usage()]
        prices = [price(one.tokens, one.model) for one in used]
        known = [one for one in prices if one is not None]
        yield {
            "system": label(system),
            "cases": len(run.cases),
            "answers": sum(len(one.attempts) for one in asked),
            "tokens": sum((one.tokens for one in used), Usage()).model_dump() if used else None,
            "dollars": float(sum(known)) if known and len(known) == len(asked) else None,
        }


# --- the file ------------------------------------------------------------------------------------


def _html(title: str, page: Shown, texts: Iterable[Shown], changes: Iterable[Shown]) -> str:
    """The file; what cases open to stands a line each, to be read when it is asked for."""
    style = _read("report.css")
    script = _read("report.js") + _read("report_cases.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{html.escape(title)}</title>
<style>{style}</style>
</head>
<body>
<noscript>This report needs JavaScript; it runs from this file alone.</noscript>
<script type="application/json" id="page">{_json(page)}</script>
<script type="application/jsonl" id="texts">{_lines(texts)}</script>
<script type="application/jsonl" id="changes">{_lines(changes)}</script>
<script>{script}</script>
</body>
</html>
"""


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _lines(values: Iterable[Shown]) -> str:
    return "\n".join(map(_json, values))


def _json(value: Any) -> str:
    """JSON that nothing in it can end: no markup, no line end, no half of a character."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    # A lone surrogate becomes the escape that JSON reads; UTF-8 cannot hold it.
    return text.encode(errors="backslashreplace").decode()
