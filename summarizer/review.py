"""Reviewing a digest that lies in a file: its form, and each summary in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from summarizer.checks import check_digest, check_summary
from summarizer.disk import read_text
from summarizer.formats import format_of
from summarizer.formats.markdown import lint_markdown, point_lines

if TYPE_CHECKING:
    from pathlib import Path

    from summarizer.checks import Checks
    from summarizer.digest import Finding


def review(path: Path, *, checks: Checks | None = None, strict: bool = False) -> list[Finding]:
    """Find what is wrong with a digest's file.

    Args:
        path: A digest, in any format.
        checks: Exactly these hold each summary; None stands for all.
        strict: Whether a departure from the regular form is an error.

    Returns:
        Findings in the order of the file; in Markdown each with its line.

    Raises:
        InputError: The file cannot be read, or is no digest.
    """
    text = read_text(path)
    digest = format_of(path).read(text, path=path)
    findings: list[Finding] = []
    lines: list[list[int]] = []
    if path.suffix.lower() == ".md":
        findings = lint_markdown(text, path=path)
        lines = point_lines(text)
        if strict:
            findings = [f.model_copy(update={"severity": "error"}) for f in findings]
    for number, entry in enumerate(digest.entries):
        if entry.summary is None or not entry.summary.points:
            continue
        for finding in check_summary(
            entry.paper, entry.summary, checks=checks, language=digest.language
        ):
            line = lines[number][finding.point or 0] if lines else None
            findings.append(finding.model_copy(update={"line": line}))
    findings += check_digest(digest, checks=checks)
    return sorted(findings, key=lambda finding: finding.line or 0)
