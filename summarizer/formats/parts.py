"""Cuts a Markdown digest, regular or drifted, into sections, and what precedes points into parts.

A section is a heading and what follows it; a part is a picture or film, the votes, the authors,
or text that has no business there. Lines are numbered from 0, ends are exclusive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from summarizer.digest import Media
from summarizer.formats.escapes import is_held, opens_item, safe_link
from summarizer.formats.rendering import Field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Kind: TypeAlias = Field | Literal["text"]

BULLET = re.compile(r" ?[-*+](?:[ \t]|$)")
_VOTES = re.compile(r"Votes?:", re.IGNORECASE)
_AUTHORS = re.compile(r"Authors?:", re.IGNORECASE)

_HEADING = re.compile(r" {0,3}#{1,3}(?=[ \t]|$)")
_WATCH = "[Watch Video]"
_TAGS = re.compile(r"(?:<[^<>]*+>\s*+)++$")
_SRC = re.compile(r"""\bsrc\s*+=\s*+["']?([^"'\s>]+)""", re.IGNORECASE)


@dataclass
class Section:
    """A heading's line and what follows it, with the lines at which points begin."""

    start: int
    end: int
    bullets: list[int] = field(default_factory=list)


def cut(lines: Sequence[str]) -> list[Section]:
    """The file cut at every heading that is not inside a point; first what precedes them."""
    sections = [Section(0, len(lines))]
    held = False
    for number, line in enumerate(lines):
        if held and is_held(line):
            continue
        held = False
        if _HEADING.match(line):
            sections[-1].end = number
            sections.append(Section(number, len(lines)))
        elif bullet := BULLET.match(line):
            sections[-1].bullets.append(number)
            held = opens_item(line[bullet.end() :])
    return sections


@dataclass
class Part:
    """Lines of an entry that belong together and stand above its first point."""

    kind: Kind
    start: int
    lines: list[str]


def parts(lines: Sequence[str], start: int, end: int) -> Iterator[Part]:
    """The parts among the lines from an entry's heading to its first point."""
    part = Part("text", start, [])
    for number in range(start, end):
        line = lines[number].strip()
        kind = _kind(line, part.kind)
        if not line:
            continue
        paragraph = kind == "text" and lines[number - 1].strip()
        if part.lines and kind == part.kind and (kind == "media" or paragraph):
            part.lines.append(lines[number])
            continue
        if part.lines:
            yield part
        part = Part(kind, number, [lines[number]])
    if part.lines:
        yield part


def _kind(line: str, above: Kind) -> Kind:
    if _VOTES.match(line):
        return "votes"
    if _AUTHORS.match(line):
        return "authors"
    shows = line.startswith("<") and (_TAGS.match(line) or _SRC.search(line))
    if shows or line.startswith(("![", _WATCH)) or (above == "media" and line.startswith("http")):
        return "media"
    return "text"


def shown_media(lines: Sequence[str]) -> list[Media]:
    """Each picture or film that lines of markup show, once."""
    found: dict[Media, None] = {}
    for line in map(str.strip, lines):
        kind: Literal["image", "video"] = "video"
        if line.startswith(("![", "<img", "<IMG")):
            kind = "image"
        if line.startswith("<"):
            urls = [url.replace("&amp;", "&") for url in _SRC.findall(line)]
        else:
            address = line[line.find("]") + 1 :] if line.startswith(("!", "[")) else line
            urls = (address[1:-1] if address.startswith("(") else address).split()[:1]
        links = filter(None, map(safe_link, urls))
        found |= {Media(kind=kind, url=link): None for link in links}
    return list(found)
