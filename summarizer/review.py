"""Reviewing a digest that lies in a file: its form, each summary in it, and what mends them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks import DEFAULT, SOURCED, check_digest, check_summary, fixes, mend
from summarizer.disk import read_text
from summarizer.formats import format_of
from summarizer.formats.markdown import lint_markdown, point_lines

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

    from summarizer.checks import Checks
    from summarizer.digest import Basis, Digest, Finding, Paper, Summary


_LINE_END = re.compile(r"(\r\n|\r|\n)")


class Noted(NamedTuple):
    """A finding, and the place in the digest of the entry it is about; None for the digest."""

    entry: int | None
    finding: Finding


@dataclass(frozen=True, slots=True)
class Review:
    """What is to be said of one file.

    Attributes:
        digest: As the file holds it.
        noted: Findings in the order of the file; in Markdown each with its line.
        checks: Names of the checks that have run.
        unread: Ids of the papers whose abstract is not known, so that much cannot be checked.
        assumed: What the points were taken to be written from, where nothing says it.
    """

    path: Path
    text: str
    digest: Digest
    noted: tuple[Noted, ...]
    checks: frozenset[str]
    unread: tuple[str, ...]
    assumed: Basis | None

    @property
    def is_markdown(self) -> bool:
        """Whether lines of the file can be named."""
        return _is_markdown(self.path)

    def about(self, noted: Noted) -> str:
        """The text that a finding is about: its point, its line, or the whole summary."""
        finding, summary = noted.finding, None
        if noted.entry is not None and finding.check != "format":
            summary = self.digest.entries[noted.entry].summary
        if summary is None:
            lines = _LINE_END.split(self.text)[::2]
            return lines[finding.line - 1] if finding.line else finding.message
        if finding.point is not None:
            return summary.points[finding.point].text
        return "\n".join(point.text for point in summary.points)


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
    digest = format_of(path).read(text, path=path)
    wanted = DEFAULT if checks is None else checks
    unsourced = {name: given for name, given in wanted.items() if name not in SOURCED}
    starts = point_lines(text) if _is_markdown(path) else []
    places: dict[str, int] = {}
    noted: list[Noted] = []
    ran, unread = set(unsourced) | {"format"}, []
    assumed: Basis | None = None
    for number, entry in enumerate(digest.entries):
        paper = _with_abstract(entry.paper, papers or {})
        places.setdefault(paper.arxiv_id, number)
        if entry.status == "failed" or entry.summary is None or not entry.summary.points:
            continue
        if not paper.abstract:
            unread.append(paper.arxiv_id)
        else:
            ran |= wanted.keys()
        said = entry.provenance.basis if entry.provenance else None
        known = basis or said
        if known is None:
            known = assumed = "abstract"
        findings = check_summary(
            paper,
            entry.summary,
            checks=wanted if paper.abstract else unsourced,
            language=digest.language,
            basis=known,
        )
        noted += [Noted(number, finding) for finding in findings]
    # A finding across entries or on the form names its paper by id alone: the first of that id.
    across = check_digest(digest, checks=wanted)
    noted += [Noted(places.get(f.arxiv_id or ""), f) for f in across]
    noted = [Noted(n, _with_line(f, n, digest, starts)) for n, f in noted]
    if _is_markdown(path):
        severity = {"severity": "error"} if strict else {}
        form = [f.model_copy(update=severity) for f in lint_markdown(text, path=path)]
        noted += [Noted(places.get(f.arxiv_id or ""), f) for f in form]
    return Review(
        path=path,
        text=text,
        digest=digest,
        noted=tuple(sorted(noted, key=lambda one: (one.finding.line or 0, one.entry or 0))),
        checks=frozenset(ran),
        unread=tuple(unread),
        assumed=assumed if len(unread) < len(digest.entries) else None,
    )


def mended(review: Review, *, but: Container[Noted] = ()) -> str:
    """The file's text with every fix applied; in Markdown all other bytes stay as they are.

    Args:
        review: Of the file as it is.
        but: What is left alone.
    """
    text, entries = review.text, list(review.digest.entries)
    for number, entry in enumerate(entries):
        own = [one.finding for one in review.noted if one.entry == number and one not in but]
        applied = fixes(finding for finding in own if finding.check != "format")
        if entry.summary is None or not applied:
            continue
        if review.is_markdown:
            text = _mend_lines(text, entry.summary, point_lines(text)[number], applied)
        entries[number] = entry.model_copy(update={"summary": mend(entry.summary, applied)})
    if review.is_markdown or tuple(entries) == review.digest.entries:
        return text
    return format_of(review.path).render(
        review.digest.model_copy(update={"entries": tuple(entries)})
    )


def _is_markdown(path: Path) -> bool:
    return path.suffix.lower() == ".md"


def _with_abstract(paper: Paper, papers: Mapping[str, Paper]) -> Paper:
    known = papers.get(paper.arxiv_id)
    if paper.abstract or known is None:
        return paper
    return paper.model_copy(update={"abstract": known.abstract})


def _with_line(
    finding: Finding, entry: int | None, digest: Digest, starts: list[list[int]]
) -> Finding:
    """The finding with the line of the file at which its span begins."""
    if entry is None or not starts or not starts[entry]:
        return finding
    line, summary = starts[entry][0], digest.entries[entry].summary
    if finding.point is not None and summary is not None:
        before = summary.points[finding.point].text[: finding.span[0] if finding.span else 0]
        line = starts[entry][finding.point] + before.count("\n")
    return finding.model_copy(update={"line": line})


def _mend_lines(
    text: str, summary: Summary, starts: list[int], applied: tuple[Finding, ...]
) -> str:
    """Replace spans where they stand; one that runs over a line's end is left as it is."""
    parts = _LINE_END.split(text)
    read, ends = parts[::2], [*parts[1::2], ""]
    lines = [*read]
    for finding in reversed(applied):
        if finding.point is None or finding.span is None or finding.fix is None:
            continue
        point = summary.points[finding.point].text
        start, end = finding.span
        first = point.rfind("\n", 0, start) + 1
        at = starts[finding.point] - 1 + point.count("\n", 0, start)
        stands = point[first:].partition("\n")[0]
        bare = read[at]
        if "\n" not in point[start:end] and bare.endswith(stands):
            # Before the point's text stand the bullet and, on other lines, perhaps an escape.
            shift = len(bare) - len(stands) - first
            line = lines[at]  # mended to the right of this place, perhaps
            lines[at] = line[: start + shift] + finding.fix + line[end + shift :]
    return "".join(f"{line}{end}" for line, end in zip(lines, ends, strict=True))
