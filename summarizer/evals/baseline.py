"""Baselines: runs that were accepted, kept beside their set and under version control.

A baseline is a run without what a comparison with it does not need: abstracts (the set has them;
a SHA-256 tells whether they are still the same), repairs, tokens. It is JSON Lines, keys sorted, in
the order of the cases, so that a change of it can be read. Its first line holds the run's signature
and a checksum: figures that were edited by hand are no baseline. It guards against slips; what
guards against intent is a git ref (`summarizer.evals.refs`).
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from summarizer.digest import Attempt, Entry, Paper, Provenance
from summarizer.disk import read_text, write_files
from summarizer.errors import InputError
from summarizer.evals.cases import Case
from summarizer.evals.changes import first_attempt
from summarizer.evals.runs import Header, Result, Run, Score, System, read_run, signature
from summarizer.shipped import is_installed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from summarizer.evals.sets import EvalSet

_HINT = "Write it again: `summarizer eval accept RUN`"


def identity(case: Case) -> str:
    """A hash of what makes two cases of one id the same: title, abstract and reference."""
    known = case.metadata.get("sha256")
    if isinstance(known, str) and not case.input:
        return known
    told = json.dumps([case.paper.title, case.input, case.target])
    return hashlib.sha256(told.encode()).hexdigest()


def accept(eval_set: EvalSet, run: Run) -> bool:
    """Make a run the baseline of its set; the file is written whole or not at all.

    Returns:
        Whether the baseline is another than before.

    Raises:
        InputError: The set names no baseline, or the run is not a whole one of this very set.
        DiskError: It could not be written; what was there before is unchanged.
    """
    if eval_set.baseline is None:
        raise InputError(
            "the set does not say where its baseline lies",
            hint=f"Add `baseline: {eval_set.name}.baseline.jsonl`",
            path=eval_set.path,
        )
    if is_installed(eval_set.baseline):
        raise InputError(
            f"the baseline of {eval_set.name!r} came with summarizer, whose updates replace it",
            hint="Copy the set and its files to evals/ here, and accept the run there",
        )
    if run.header.set_hash != eval_set.hash:
        raise InputError(
            f"the set {eval_set.name!r} is another than when this run was made",
            hint="Make the run again; what is recorded is not asked again",
        )
    if len(run.cases) < len(eval_set.cases):
        raise InputError(
            f"the run has {len(run.cases)} of the set's {len(eval_set.cases)} cases",
            hint="Make it without --only",
        )
    return bool(write_files({eval_set.baseline: baseline_text(_dated(run, eval_set.baseline))}))


def _dated(run: Run, path: Path) -> Run:
    """A run with the date of the baseline that it replaces, where nothing else is new."""
    with suppress(InputError, OSError):
        old = read_baseline(path.read_bytes(), path)
        header = run.header.model_copy(update={"started_at": old.header.started_at})
        same = run.model_copy(update={"header": header})
        if baseline_text(same) == baseline_text(old):
            return same
    return run


def baseline_text(run: Run) -> str:
    """A run as a baseline.

    Raises:
        InputError: The run lacks an answer or a score.
    """
    lines: list[dict[str, Any]] = [
        {"kind": "case", "id": case.id, "title": case.paper.title, "sha256": identity(case)}
        for case in run.cases
    ]
    for question in run.missing:
        raise _unfit(question.case, "it was not asked yet")
    for result in run.results:
        first = first_attempt(result)
        if result.error or result.entry is None or first is None:
            raise _unfit(result.case, result.error or "it got no answer")
        lines.append(_reduced(result, result.entry, first))
    body = "".join(map(_line, lines))
    head: dict[str, Any] = {
        "kind": "baseline",
        "signature": signature(run.header, len(run.cases)),
        "run": run.header.model_dump(mode="json", exclude={"kind"}),
        "better": {s.name: s.better for r in run.results for s in r.scores},
    }
    head["checksum"] = _checksum(head, body)
    return _line(head) + body


def _unfit(case: str, reason: str) -> InputError:
    return InputError(
        f"a run that lacks answers or scores is no baseline; case {case}: {reason}",
        hint="Finish the run, then accept it",
    )


def open_run(path: Path) -> Run:
    """Read a run or a baseline, whichever the file holds.

    Raises:
        InputError: It is neither, or cannot be read.
    """
    text = read_text(path)
    return read_baseline(text.encode(), path) if _is_baseline(text) else read_run(path)


def _is_baseline(text: str) -> bool:
    try:
        return bool(json.loads(text.partition("\n")[0])["kind"] == "baseline")
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def read_baseline(data: bytes, path: Path) -> Run:
    """Read a baseline.

    Args:
        data: What the file holds.
        path: The file, for errors.

    Raises:
        InputError: It is no baseline, or was edited by hand.
    """
    first, _, body = data.replace(b"\r\n", b"\n").decode(errors="replace").partition("\n")
    try:
        head: dict[str, Any] = json.loads(first)
        checksum = head.pop("checksum")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise InputError("this is no baseline", hint=_HINT, path=path, line=1) from None
    if checksum != _checksum(head, body):
        raise InputError(
            "this baseline was edited by hand: its checksum is another",
            hint=f"{_HINT}, or restore it from version control",
            path=path,
        )
    try:
        return _run(head, [json.loads(line) for line in body.split("\n") if line])
    except (AttributeError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "this baseline was written by another version of summarizer", hint=_HINT, path=path
        ) from error


def _checksum(head: Mapping[str, Any], body: str) -> str:
    return hashlib.sha256((_line(head) + body).encode()).hexdigest()


def _line(value: Mapping[str, Any]) -> str:
    line = json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n"
    # A lone surrogate becomes the escape that JSON reads; UTF-8 cannot hold it.
    return line.encode(errors="backslashreplace").decode()


def _reduced(result: Result, entry: Entry, first: Attempt) -> dict[str, Any]:
    """A result's scores, its first answer and, where that is another, what was published."""
    kept = entry.model_dump(
        mode="json", include={"status", "cause", "reason"}, exclude_defaults=True
    )
    if entry.summary != first.summary:
        kept["summary"] = entry.summary and entry.summary.model_dump(mode="json")
    return {
        "kind": "result",
        "case": result.case,
        "sample": result.sample,
        "system": result.system.model_dump(),
        "scores": {score.name: score.value for score in result.scores},
        "first": first.model_dump(mode="json", exclude={"mended"}, exclude_defaults=True),
        "entry": kept,
    }


def _restored(
    line: Mapping[str, Any], header: Header, title: str, better: Mapping[str, Any]
) -> Result:
    system, first = System.model_validate(line["system"]), Attempt.model_validate(line["first"])
    provenance = Provenance(
        prompt=system.prompt,
        prompt_hash=header.prompts[system.prompt],
        model=system.model,
        attempts=(first,),
    )
    paper = Paper(arxiv_id=line["case"], title=title)
    return Result(
        case=line["case"],
        system=system,
        sample=line["sample"],
        entry=Entry.model_validate(
            {"summary": first.summary, **line["entry"], "paper": paper, "provenance": provenance}
        ),
        scores=tuple(
            Score(name=name, value=value, better=better[name])
            for name, value in line["scores"].items()
        ),
    )


def _run(head: Mapping[str, Any], lines: list[dict[str, Any]]) -> Run:
    header = Header.model_validate(head["run"])
    titles = {line["id"]: line["title"] for line in lines if line["kind"] == "case"}
    return Run(
        header=header,
        cases=tuple(
            Case(id=line["id"], input="", metadata={k: line[k] for k in ("title", "sha256")})
            for line in lines
            if line["kind"] == "case"
        ),
        results=tuple(
            _restored(line, header, titles[line["case"]], head["better"])
            for line in lines
            if line["kind"] == "result"
        ),
    )
