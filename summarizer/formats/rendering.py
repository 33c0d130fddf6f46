"""Writes the regular Markdown form of a digest, part by part."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import quote, unquote

from summarizer.digest import ARXIV_ABS
from summarizer.formats.escapes import escape_names, escape_point, escape_title, safe_link

if TYPE_CHECKING:
    import datetime as dt

    from summarizer.digest import Digest, Entry, Media, Paper

Field: TypeAlias = Literal["media", "votes", "authors"]

# Identifiers since 2007 and before: https://info.arxiv.org/help/arxiv_identifier.html
_NEW_ID = re.compile(r"(?<!\d)(\d{4}\.\d{4,5})(?:v\d+)?(?!\d)", re.ASCII)
_OLD_ID = re.compile(r"(?<![A-Za-z-])([a-z-]++(?:\.[A-Za-z-]++)?/\d{7})(?:v\d+)?(?!\d)", re.ASCII)
_ARXIV_PAGE = re.compile(r"https?://(?:\w+\.)?arxiv\.org/(?:abs|pdf|html)/(.+)", re.IGNORECASE)


def render_markdown(digest: Digest) -> str:
    """The regular form of a digest, without its failed entries.

    Text of others is escaped where it would break the form, so that `parse_markdown` gives back
    every title, name and point as it was. Not kept are: what the form has no place for (abstract,
    language, provenance, …), line breaks in titles and names, spaces around a name, and addresses
    that lead elsewhere than to the web (`javascript:…`). An address that does not tell the paper's
    identifier is followed by it: `(https://example.org "2401.05561")`.
    """
    lines = render_day(digest.date)
    for entry in digest.entries:
        if entry.status == "ok":
            lines += render_entry(entry)
    return "\n".join(lines) + "\n"


def render_day(date: dt.date) -> list[str]:
    """The lines of a digest's heading."""
    return [f"## Daily Papers ({date.isoformat()})", ""]


def render_entry(entry: Entry) -> list[str]:
    """The lines of one paper and its points."""
    points = entry.summary.points if entry.summary else ()
    lines = [_render_title(entry.paper), ""]
    for part in render_fields(entry.paper).values():
        lines += [*part, ""] if part else []
    for point in points:
        lines += f"- {escape_point(point.text)}".split("\n")
    return [*lines, ""] if points else lines


def render_fields(paper: Paper) -> dict[Field, list[str]]:
    """The lines between a paper's title and its points, in their order."""
    return {
        "media": _render_media(paper.media) if paper.media else [],
        "votes": [f"Vote: {'-' if paper.votes is None else paper.votes}"],
        "authors": [f"Authors: {escape_names(paper.authors)}"],
    }


def identifier(link: str) -> str | None:
    """The identifier that a paper's address tells, without its version."""
    found = _NEW_ID.search(link)
    if not found and "arxiv" in link.lower():
        found = _OLD_ID.search(link)
    if found:
        return found[1]
    page = _ARXIV_PAGE.match(link)
    return unquote(page[1]) if page else None


def plain_link(arxiv_id: str) -> str:
    """The arXiv page of a paper, as a link is written."""
    return ARXIV_ABS + quote(arxiv_id)


def _render_title(paper: Paper) -> str:
    link = (safe_link(paper.url) if paper.url else None) or plain_link(paper.arxiv_id)
    if identifier(link) != paper.arxiv_id:
        link += f' "{quote(paper.arxiv_id)}"'
    return f"### [{escape_title(paper.title)}]({link})"


def _render_media(media: Media) -> list[str]:
    url = safe_link(media.url)
    if not url:
        return []
    if media.kind == "image":
        return [f"![]({url})"]
    video = f'<div><video controls src="{url}" muted="false"></video></div>'
    return [f"[Watch Video]({url})", video]
