"""What holds for any text whatever, for tests and fuzzers to try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from summarizer.checks import CHECKS, check_summary, mend
from summarizer.digest import Paper, Summary
from summarizer.errors import InputError
from summarizer.formats.markdown import lint_markdown, parse_markdown, render_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from summarizer.digest import Basis, Finding

_MOST_ROUNDS = 6
_LONGEST_MENDED = 5_000  # checks read and mend a long text part by part


def hold_summary(
    title: str,
    abstract: str | None,
    points: Sequence[str],
    *,
    language: str = "ko",
    basis: Basis = "abstract",
) -> None:
    """Any points of any paper can be checked, what is found stands there, and mending it ends.

    Raises:
        AssertionError: A promise does not hold.
    """
    paper = Paper(arxiv_id="2401.00001", title=title, abstract=abstract)
    summary = Summary(points=points)
    for _ in range(_MOST_ROUNDS):
        findings = check_summary(paper, summary, language=language, basis=basis)
        for finding in findings:
            _hold(finding, summary)
        mended = mend(summary, findings)
        if mended == summary or sum(map(len, points)) > _LONGEST_MENDED:
            return
        summary = mended
    raise AssertionError(f"mending does not end: {summary}")


def _hold(finding: Finding, summary: Summary) -> None:
    assert finding.check in CHECKS, finding
    assert finding.message.strip(), finding
    assert finding.fix is None or finding.span, finding
    if finding.span:
        start, end = finding.span
        assert finding.point is not None, finding
        assert 0 <= start <= end <= len(summary.points[finding.point].text), finding


def hold_markdown(text: str) -> None:
    """Any text is read as a digest or refused in a sentence; what is read can be written and read.

    Raises:
        AssertionError: A promise does not hold.
    """
    try:
        digest = parse_markdown(text)
    except InputError:
        return
    lint_markdown(text)
    written = render_markdown(digest)
    assert parse_markdown(written) == digest
