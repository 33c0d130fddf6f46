"""A digest as Markdown: the form that people read, keep and publish.

Regular form, where every part is followed by one blank line:

    ## Daily Papers (2024-01-12)

    ### [Title](https://arxiv.org/abs/2401.05561)

    ![](https://example.org/picture.png)

    Vote: 26

    Authors: Ada Lovelace, Alan Turing

    - One point, over one line or several.
    - Another.

A film stands there as a link and a `<video>` below it; a paper without votes or authors reads
`Vote: -` or `Authors: -`; one without a picture has no such part. Files in the wild drift from
this: `parse_markdown` reads them, `lint_markdown` says where they drift, and `render_markdown`
writes the regular form.
"""

from __future__ import annotations

import datetime as dt
import re
from itertools import pairwise, takewhile, zip_longest
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from summarizer.digest import Digest, Entry, Finding, Paper, Point, Summary
from summarizer.errors import InputError
from summarizer.formats.escapes import (
    is_python_list,
    safe_link,
    unescape_names,
    unescape_point,
    unescape_title,
)
from summarizer.formats.parts import BULLET, Kind, Part, Section, cut, parts, shown_media
from summarizer.formats.rendering import (
    identifier,
    plain_link,
    render_day,
    render_entry,
    render_fields,
    render_markdown,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["lint_markdown", "parse_markdown", "point_lines", "render_markdown"]

_DAY = re.compile(r"##\s+Daily\s+Papers\b(?:\s*\(([^()]*)\))?", re.IGNORECASE)
_LINK = re.compile(r'(\S*?)(?:\s+"([^"\s]*)")?\)$|([^\s)]+)\)')
_COUNT = re.compile(r"([+-]?[0-9][0-9,]{0,4000})(?!\S)")

_NAMES: dict[Kind, str] = {
    "media": "the picture or video",
    "votes": "the line of votes",
    "authors": "the line of authors",
    "text": "this text",
}


def parse_markdown(text: str, *, path: str | Path | None = None) -> Digest:
    """Read a digest, be it regular or drifted.

    The paper's version and other pages of it stay in `Paper.url`. Text that stands in an entry
    outside any point is kept as a point of its own; text outside the entries (a preface, a
    licence) is not kept.

    Args:
        text: The whole file.
        path: Where it was read; named in errors.

    Raises:
        InputError: The text is no digest, or a paper in it has no title or no identifier.
    """
    return _Reader(text, path).read()


def lint_markdown(text: str, *, path: str | Path | None = None) -> list[Finding]:
    """Where a digest departs from the regular form, in the order of its lines.

    There are no findings exactly where `render_markdown(parse_markdown(text)) == text`; only a
    paper without points is reported in any case.

    Raises:
        InputError: As `parse_markdown`.
    """
    reader = _Reader(text, path)
    reader.read()
    return sorted(reader.findings, key=lambda finding: finding.line or 0)


def point_lines(text: str) -> list[list[int]]:
    """The lines, counted from 1, at which the points of each entry begin.

    Raises:
        InputError: As `parse_markdown`.
    """
    reader = _Reader(text, None)
    reader.read()
    return reader.point_lines


def _count(text: str) -> int | None:
    found = _COUNT.match(text.strip())
    return int(found[1].replace(",", "")) if found else None


def _drift(part: Part, regular: Sequence[str]) -> str:
    if [line.rstrip() for line in part.lines] == regular:
        return "spaces stand at the end of this line"
    if part.kind == "authors" and is_python_list(part.lines[0].partition(":")[2]):
        return "the authors are written as a Python list"
    wanted = f": it should read `{regular[0]}`" if part.kind == "votes" else ""
    return f"{_NAMES[part.kind]} is not in the regular form{wanted}"


class _Reader:
    """Reads a file section by section, and finds where it is not regular."""

    def __init__(self, text: str, path: str | Path | None) -> None:
        self.findings: list[Finding] = []
        self.point_lines: list[list[int]] = []
        self._path = path
        self._date: dt.date | None = None
        self._paper: str | None = None
        try:
            text.encode()
        except UnicodeEncodeError as error:
            number = text.count("\n", 0, error.start)
            raise self._error(number, "a character here is not valid Unicode") from None
        if text.startswith("\ufeff"):
            text = text[1:]
            self._note(0, "the file begins with a byte order mark")
        if "\r" in text:
            self._note(
                text.count("\n", 0, text.index("\r")), "lines end in CR LF or CR instead of LF"
            )
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._lines = text.removesuffix("\n").split("\n")

    def read(self) -> Digest:
        preface, *sections = cut(self._lines)
        self._outside(preface.start, preface.end)
        self._compare(preface, [])
        entries = []
        for section in sections:
            self._paper = None
            heading = self._lines[section.start].strip()
            if heading.startswith("###"):
                entries.append(self._entry(section))
            elif day := _DAY.match(heading):
                self._day(section, day)
            else:
                self._outside(section.start, section.end)
        if self._date is None:
            empty = not any(map(str.strip, self._lines))
            what = "the file is empty" if empty else "no line reads `## Daily Papers (DATE)`"
            raise self._error(0, f"this is no digest: {what}")
        return Digest(date=self._date, entries=tuple(entries))

    def _note(self, number: int, message: str) -> None:
        self.findings.append(
            Finding(
                check="format",
                severity="warning",
                message=message,
                arxiv_id=self._paper,
                line=number + 1,
            )
        )

    def _error(self, number: int, message: str) -> InputError:
        return InputError(
            message,
            hint="`summarizer digest --sample` writes a file that shows the form",
            path=self._path,
            line=number + 1,
        )

    def _compare(self, section: Section, regular: Sequence[str]) -> None:
        """Note the first line that is not regular, unless a finding already names the drift."""
        if self.findings and (self.findings[-1].line or 0) > section.start:
            return
        pairs = enumerate(zip_longest(self._lines[section.start : section.end], regular))
        for offset, (actual, wanted) in pairs:
            if actual != wanted:
                number = min(section.start + offset, len(self._lines) - 1)
                self._note(number, f"line {number + 1} differs from the regular form")
                return

    def _blank_before(self, number: int, what: str) -> None:
        above = (self._lines[i] for i in range(number - 1, -1, -1))
        blank = sum(1 for _ in takewhile(lambda line: not line.strip(), above))
        if blank != 1:
            stand = f"{blank} blank lines stand" if blank else "no blank line stands"
            self._note(number, f"{stand} before {what}")

    def _outside(self, start: int, end: int) -> None:
        """Note text that stands in no entry: a preface, a licence."""
        for number in range(start, end):
            if self._lines[number].strip():
                self._note(number, "this text belongs to no paper and is not kept")
                return

    def _day(self, section: Section, day: re.Match[str]) -> None:
        try:
            date = dt.date.fromisoformat((day[1] or "").strip())
        except ValueError:
            raise self._error(
                section.start, "this heading names no day that exists, as (YYYY-MM-DD)"
            ) from None
        if self._date is None:
            self._date = date
        elif self._date == date:
            self._note(section.start, "this is a second heading of the same day")
        else:
            message = f"this is a second heading; its papers are read as of {self._date}"
            self._note(section.start, message)
        self._outside(section.start + 1, section.end)
        self._compare(section, render_day(date))

    def _entry(self, section: Section) -> Entry:
        if self._date is None:
            raise self._error(section.start, "no line `## Daily Papers (DATE)` stands above this")
        paper = self._title(section.start)
        self._paper = paper.arxiv_id
        self.point_lines.append([])
        end = section.end
        if not self._lines[end - 1].strip():
            end -= 1
        else:
            below = "the next heading" if end < len(self._lines) else "the end of the file"
            self._note(end - 1, f"no blank line stands before {below}")
        first = section.bullets[0] if section.bullets else end
        paper, points = self._fields(paper, section.start, first)
        if section.bullets:
            self._blank_before(first, "the points")
        points += [self._point(*lines) for lines in pairwise([*section.bullets, end])]
        entry = Entry(paper=paper, summary=Summary(points=points))
        self._compare(section, render_entry(entry))
        if not points:
            self._note(section.start, "this paper has no point")
        return entry

    def _title(self, number: int) -> Paper:
        line = self._lines[number].strip()
        text, found, address = line.removeprefix("###").strip().rpartition("](")
        link = _LINK.match(address) if found and text.startswith("[") else None
        url = safe_link(link[1] or link[3] or "") if link else None
        arxiv_id = unquote((link and link[2]) or "") or identifier(url or "")
        if not arxiv_id:
            raise self._error(number, "this heading does not link a title to a paper on arXiv")
        title = unescape_title(text[1:])
        if not title:
            raise self._error(number, "this paper has no title")
        url = None if url == plain_link(arxiv_id) else url
        return Paper(arxiv_id=arxiv_id, title=title, url=url or None)

    def _fields(self, paper: Paper, heading: int, end: int) -> tuple[Paper, list[Point]]:
        """What stands between a paper's heading and its first point."""
        values: dict[str, Any] = {}
        written: dict[Kind, Part] = {}
        points = []
        for part in parts(self._lines, heading + 1, end):
            self._blank_before(part.start, _NAMES[part.kind])
            shown = shown_media(part.lines) if part.kind == "media" else []
            if shown and all(media == values.setdefault("media", shown[0]) for media in shown):
                written.setdefault("media", Part("media", part.start, [])).lines += part.lines
            elif part.kind in ("media", "text") or part.kind in written:
                self._note(part.start, "this text stands in no point and is kept as one")
                points.append(Point(text="\n".join(part.lines)))
                self.point_lines[-1].append(part.start + 1)
            else:
                written[part.kind] = part
                after_colon = part.lines[0].partition(":")[2]
                read = _count if part.kind == "votes" else unescape_names
                values[part.kind] = read(after_colon)
        paper = paper.model_copy(update=values)
        for kind, regular in render_fields(paper).items():
            if kind in written and written[kind].lines != regular:
                self._note(written[kind].start, _drift(written[kind], regular))
            elif kind not in written and regular:
                self._note(heading, f"{_NAMES[kind]} is missing")
        return paper, points

    def _point(self, start: int, end: int) -> Point:
        self.point_lines[-1].append(start + 1)
        first = self._lines[start]
        if not first.startswith("- "):
            self._note(start, "this point does not begin with `- `")
        lines = [BULLET.sub("", first, count=1), *self._lines[start + 1 : end]]
        return Point(text=unescape_point("\n".join(lines)))
