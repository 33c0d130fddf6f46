"""Reads arXiv's Atom (RFC 4287): the daily listing and the API's answers, from a server or a file.

The elements are those of https://info.arxiv.org/help/rss_specifications.html and of
https://info.arxiv.org/help/api/user-manual.html. expat expands entities that a document declares
for itself, which can be made to fill any memory; arXiv's feeds declare none, so a document type
declaration is refused.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.parsers.expat import ErrorString
from zoneinfo import ZoneInfo

from summarizer.digest import Paper
from summarizer.sources.normalise import (
    Unreadable,
    decode,
    normalise,
    one_line,
    shown,
    split_id,
    validated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAMES = {
    "atom": "http://www.w3.org/2005/Atom",
    "arxiv": "http://arxiv.org/schemas/atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "search": "http://a9.com/-/spec/opensearch/1.1/",
}
_FEED = f"{{{_NAMES['atom']}}}feed"
_ERRORS = "arxiv.org/api/errors#"

# The listing writes names as the authors typed them, in TeX (arXiv's own help asks for it).
_MARKS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
}
_LETTERS = {
    "ss": "ß",
    "ae": "æ",
    "AE": "Æ",
    "oe": "œ",
    "OE": "Œ",
    "aa": "å",
    "AA": "Å",
    "o": "ø",
    "O": "Ø",
    "l": "ł",
    "L": "Ł",
    "i": "ı",
    "j": "ȷ",
}
_ACCENT = re.compile(
    r"""\\(?:(?P<sign>[`'^~=."])|(?P<name>[urHvdck])(?=[\s{\\]))\s*\{?\s*\\?(?P<letter>[A-Za-z])\}?"""
)
_LETTER = re.compile(r"\\(ss|ae|AE|oe|OE|aa|AA|[oOlLij])(?![A-Za-z])\s*")
_AFFILIATION = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A paper as a feed gives it.

    Attributes:
        paper: Its id is without the version that feeds put behind every id.
        announced: In a listing `new`, `cross`, `replace` or `replace-cross`; else empty.
    """

    paper: Paper
    announced: str


@dataclass(frozen=True, slots=True)
class Feed:
    """One document of arXiv's.

    Attributes:
        day: The day, in arXiv's own time zone, on which it was made: a listing's date.
        total: How many papers the API has found, on all pages; None in a listing.
        entries: In the feed's order.
        error: What arXiv says was wrong with the question, quoted, in place of entries.
    """

    day: dt.date | None
    total: int | None
    entries: tuple[FeedEntry, ...]
    error: str | None = None


def arxiv_zone() -> ZoneInfo:
    """The time zone in which arXiv's days begin and its deadlines fall."""
    return ZoneInfo("America/New_York")


class _NoDoctype(ET.TreeBuilder):
    """Builds the tree of a document that declares nothing for itself."""

    def doctype(self, *_: object) -> None:
        """Called by the parser before it reads any declaration."""
        raise Unreadable("it holds a document type declaration (DOCTYPE), which no feed needs")


def read_feed(data: bytes | str) -> Feed:
    """Read a listing or an answer of the API.

    Raises:
        Unreadable: The document is not XML, not Atom, or an entry lacks its title.
    """
    text = decode(data) if isinstance(data, bytes) else data
    parser = ET.XMLParser(target=_NoDoctype())  # noqa: S314 declarations are refused
    try:
        parser.feed(text)
        root = parser.close()
    except ET.ParseError as fault:
        line, column = fault.position
        what = ErrorString(fault.code)
        raise Unreadable(f"it is not XML: {what} in column {column + 1}", line=line) from None
    if root.tag != _FEED:
        raise Unreadable(f"it is not an Atom feed, but {shown(root.tag)}")
    error = _error(root)
    return Feed(
        day=_day(_text(root, "atom:updated"), arxiv_zone()),
        total=_number(_text(root, "search:totalResults")),
        entries=() if error else tuple(_entries(root)),
        error=error,
    )


def announced(
    feed: Feed, *, cross: bool, replaced: bool, notice: Callable[[str], None]
) -> list[Paper]:
    """The new papers of a listing, and on demand those listed for another reason.

    Args:
        feed: The listing; entries of the API, which announces nothing, all stay.
        cross: Keep papers that are cross-listed from another category too.
        replaced: Keep papers of which a new version was submitted too.
        notice: Is told what was left out.
    """
    kept = []
    left_out = {"cross-listed": 0, "replaced": 0}
    for entry in feed.entries:
        if "replace" in entry.announced and not replaced:
            left_out["replaced"] += 1
        elif "cross" in entry.announced and not cross:
            left_out["cross-listed"] += 1
        else:
            kept.append(entry.paper)
    if any(left_out.values()):
        counts = " and ".join(f"{count} {why}" for why, count in left_out.items() if count)
        notice(f"left out of the listing: {counts}")
    return kept


def _entries(root: ET.Element) -> Iterator[FeedEntry]:
    for number, entry in enumerate(root.iterfind("atom:entry", _NAMES), start=1):
        # The API has answered an unknown id with an entry that has no id of its own.
        name = _text(entry, "atom:id")
        if not name:
            continue
        try:
            yield _entry(name, entry)
        except Unreadable as fault:
            raise Unreadable(f"paper {number}: {fault}") from None


def _entry(name: str, entry: ET.Element) -> FeedEntry:
    announced = _text(entry, "arxiv:announce_type")
    abstract = _text(entry, "atom:summary")
    if announced:
        # A header with the id and the kind of announcement stands before a listing's abstract.
        _, header, rest = abstract.partition("Abstract:")
        abstract = rest if header else abstract
        published = None  # that would be the day of the announcement
    else:
        published = _day(_text(entry, "atom:published"), dt.UTC)
    primary = entry.find("arxiv:primary_category", _NAMES)
    categories = [primary] if primary is not None else []
    categories += entry.iterfind("atom:category", _NAMES)
    plain = split_id(name)
    paper = validated(
        Paper.model_validate,
        {
            "arxiv_id": plain[0] if plain else name,
            "title": _text(entry, "atom:title"),
            "abstract": abstract or None,
            "authors": tuple(_authors(entry)),
            "categories": tuple(category.get("term", "") for category in categories),
            "published": published,
        },
    )
    return FeedEntry(normalise(paper), announced)


def _authors(entry: ET.Element) -> Iterator[str]:
    for author in entry.iterfind("atom:author", _NAMES):
        yield _text(author, "atom:name")
    names = _text(entry, "dc:creator")
    # Affiliations stand in brackets, with commas of their own and at times brackets inside.
    for _ in range(3):
        names = _AFFILIATION.sub("", names)
    for name in names.split(","):
        yield _without_tex(name)


def _without_tex(name: str) -> str:
    def accented(found: re.Match[str]) -> str:
        return found["letter"] + _MARKS[found["sign"] or found["name"]]

    name = _LETTER.sub(lambda found: _LETTERS[found[1]], _ACCENT.sub(accented, name))
    return unicodedata.normalize("NFC", re.sub(r"[{}]", "", name).replace("~", " "))


def _error(root: ET.Element) -> str | None:
    if "Feed error" in _text(root, "atom:title"):
        return shown(_text(root, "atom:subtitle"))
    for entry in root.iterfind("atom:entry", _NAMES):
        if _ERRORS in _text(entry, "atom:id"):
            return shown(_text(entry, "atom:summary"))
    return None


def _text(parent: ET.Element, path: str) -> str:
    return one_line(parent.findtext(path, "", _NAMES))


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _day(text: str, zone: dt.tzinfo) -> dt.date | None:
    try:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(zone).date()
    except (ValueError, OverflowError):
        return None
