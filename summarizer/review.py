"""Reviewing a digest that lies in a file: its form, each summary in it, and what mends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from summarizer.checks import DEFAULT, SOURCED, check_digest, check_summary, fixes, mend
from summarizer.disk import read_text
from summarizer.formats import format_of
from summarizer.formats.markdown import lint_markdown, point_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from summarizer.checks import Checks
    from summarizer.digest import Basis, Digest, Entry, Finding, Paper, Summary


@dataclass(frozen=True, slots=True)
class Review:
    """What is to be said of one file.

    Attributes:
        findings: In the order of the file; in Markdown each with its line.
        unread: Ids of the papers whose abstract is not known, so that much cannot be checked.
        assumed: What the points were taken to be written from, where nothing says it.
    """

    path: Path
    text: str
    digest: Digest
    findings: tuple[Finding, ...]
    unread: tuple[str, ...]
    assumed: Basis | None

    @property
    def is_markdown(self) -> bool:
        """Whether lines of the file can be named."""
        return self.path.suffix.lower() == ".md"

    def about(self, finding: Finding) -> str:
        """The text that a finding is about: its point, its line, or the whole summary."""
        entry = self.entry(finding)
        if entry is None or entry.summary is None or finding.check == "format":
            lines = self.text.splitlines()
            return lines[finding.line - 1] if finding.line else finding.message
        points = entry.summary.points
        if finding.point is not None:
            return points[finding.point].text
        return "\n".join(point.text for point in points)

    def entry(self, finding: Finding) -> Entry | None:
        """The entry that a finding is about."""
        found = (e for e in self.digest.entries if e.paper.arxiv_id == finding.arxiv_id)
        return next(found, None)


def review(
    path: Path,
    text: str | None = None,
    *,
    papers: Mapping[str, Paper] | None = None,
    basis: Basis | None = None,
    checks: Checks | None = None,
    strict: bool = False,
) -> Review:
    """Find what is wrong with a digest's file.

    Args:
        path: A digest, in any format.
        text: What the file holds, where that is known already.
        papers: Papers by id, whose abstracts the file does not hold (Markdown never does).
        basis: What the points were written from; None reads it from the provenance.
        checks: Exactly these hold each summary; None stands for all.
        strict: Whether a departure from the regular form is an error.

    Raises:
        InputError: The file cannot be read, or is no digest.
    """
    text = read_text(path) if text is None else text
    digest = _with_abstracts(format_of(path).read(text, path=path), papers or {})
    wanted = DEFAULT if checks is None else checks
    unsourced = {name: given for name, given in wanted.items() if name not in SOURCED}
    findings: list[Finding] = []
    lines: list[list[int]] = []
    if path.suffix.lower() == ".md":
        lines = point_lines(text)
        findings = lint_markdown(text, path=path)
        if strict:
            findings = [f.model_copy(update={"severity": "error"}) for f in findings]
    unread: list[str] = []
    assumed: Basis | None = None
    for entry in digest.entries:
        if entry.summary is None or not entry.summary.points:
            continue
        if not entry.paper.abstract:
            unread.append(entry.paper.arxiv_id)
        said = entry.provenance.basis if entry.provenance else None
        known = basis or said
        if known is None:
            known = assumed = "abstract"
        findings += check_summary(
            entry.paper,
            entry.summary,
            checks=wanted if entry.paper.abstract else unsourced,
            language=digest.language,
            basis=known,
        )
    findings += check_digest(digest, checks=wanted)
    places = {e.paper.arxiv_id: (e, at) for e, at in zip(digest.entries, lines, strict=False)}
    findings = [
        f.model_copy(update={"line": _line(f, *places[f.arxiv_id])})
        if f.line is None and f.arxiv_id in places
        else f
        for f in findings
    ]
    return Review(
        path=path,
        text=text,
        digest=digest,
        findings=tuple(sorted(findings, key=lambda finding: finding.line or 0)),
        unread=tuple(unread),
        assumed=assumed if len(unread) < len(digest.entries) else None,
    )


def mended(review: Review) -> str:
    """The file's text with every fix applied; in Markdown all other bytes stay as they are."""
    text, entries = review.text, list(review.digest.entries)
    for number, entry in enumerate(entries):
        own = [f for f in review.findings if f.arxiv_id == entry.paper.arxiv_id]
        if entry.summary is None or not (applied := fixes(own)):
            continue
        if review.is_markdown:
            text = _mend_lines(text, entry.summary, point_lines(text)[number], applied)
        entries[number] = entry.model_copy(update={"summary": mend(entry.summary, applied)})
    if review.is_markdown:
        return text
    return format_of(review.path).render(
        review.digest.model_copy(update={"entries": tuple(entries)})
    )


def _with_abstracts(digest: Digest, papers: Mapping[str, Paper]) -> Digest:
    entries = []
    for entry in digest.entries:
        paper = papers.get(entry.paper.arxiv_id)
        if paper and not entry.paper.abstract:
            abstract = entry.paper.model_copy(update={"abstract": paper.abstract})
            entries.append(entry.model_copy(update={"paper": abstract}))
        else:
            entries.append(entry)
    return digest.model_copy(update={"entries": tuple(entries)})


def _line(finding: Finding, entry: Entry, at: list[int]) -> int | None:
    """The line of the file at which a finding's span begins."""
    if not at or entry.summary is None:
        return None
    if finding.point is None:
        return at[0]
    before = entry.summary.points[finding.point].text[: finding.span[0] if finding.span else 0]
    return at[finding.point] + before.count("\n")


def _mend_lines(
    text: str, summary: Summary, starts: list[int], applied: tuple[Finding, ...]
) -> str:
    """Replace spans where they stand; one that runs over a line's end is left as it is."""
    read = text.split("\n")
    lines = [*read]
    for finding in reversed(applied):
        if finding.point is None or finding.span is None or finding.fix is None:
            continue
        point = summary.points[finding.point].text
        start, end = finding.span
        first = point.rfind("\n", 0, start) + 1
        at = starts[finding.point] - 1 + point.count("\n", 0, start)
        stands = point[first:].partition("\n")[0]
        bare = read[at].removesuffix("\r")
        if "\n" not in point[start:end] and bare.endswith(stands):
            # Before the point's text stand the bullet and, on other lines, perhaps an escape.
            shift = len(bare) - len(stands) - first
            line = lines[at]  # mended to the right of this place, perhaps
            lines[at] = line[: start + shift] + finding.fix + line[end + shift :]
    return "\n".join(lines)
