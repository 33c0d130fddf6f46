"""Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from summarizer import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePath

    from summarizer.digest import Finding

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


class Located(NamedTuple):
    """A finding, the file it is in, and why it is accepted, where it is."""

    path: PurePath
    finding: Finding
    accepted: str | None = None


def to_sarif(located: Iterable[Located]) -> dict[str, Any]:
    """One run with a result for each finding; accepted ones are suppressed, with their reason."""
    results = [_result(*one) for one in located]
    rules = sorted({result["ruleId"] for result in results})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "summarizer",
                        "version": __version__,
                        "rules": [{"id": rule} for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _result(path: PurePath, finding: Finding, accepted: str | None) -> dict[str, Any]:
    paper = f"{finding.arxiv_id}: " if finding.arxiv_id else ""
    evidence = f" (the paper says: {finding.evidence})" if finding.evidence else ""
    uri = quote(path.as_posix(), errors="surrogateescape")
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "level": finding.severity,
        "message": {"text": f"{paper}{finding.message}{evidence}"},
        "locations": [{"physicalLocation": place}],
    }
    if accepted is not None:
        result["suppressions"] = [{"kind": "external", "justification": accepted}]
    return result
