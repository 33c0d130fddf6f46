"""Puts what any source gives in order: ids, text, authors, addresses, repetitions."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from summarizer.digest import ARXIV_ABS, Media, Paper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

# The two forms of https://info.arxiv.org/help/arxiv_identifier.html, and what people put around.
_ARXIV_ID = re.compile(
    r"(?i:(?:https?://)?(?:(?:www|export)\.)?arxiv\.org/(?:abs|pdf|html)/"
    r"|https?://huggingface\.co/papers/|(?:oai:)?arxiv(?:\.org)?:\s?)?"
    r"(?P<id>[0-9]{4}\.[0-9]{4,5}|[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z-]+)?/[0-9]{7})"
    r"(?P<version>v[0-9]+)?(?:\.pdf)?"
)
# An id from elsewhere ends up in a link: what could end that link or climb a path is refused.
_OTHER_ID = re.compile(r"(?!.*\.\.)\w[\w.:/+@;=,%~-]*")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\\x00-\x1f\x7f-\x9f]+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_PAGE = re.compile(r"\s*<(?:!doctype\s+)?html\b", re.IGNORECASE)
_VIDEO = re.compile(r"\.(?:mp4|webm|mov)(?:[?#]|$)", re.IGNORECASE)


class Unreadable(ValueError):
    """What was read is not what it should be; the reader knows from where, and what to do.

    Args:
        message: What is wrong, without a closing full stop.
        line: The line it stands in, counted from 1.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def decode(data: bytes) -> str:
    """UTF-8, with or without a byte order mark, as text.

    Raises:
        Unreadable: The bytes are another encoding, no text or a web page; says where.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("this text is UTF-16, not UTF-8")
    if b"\0" in data:
        raise Unreadable("this is binary data, not text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise Unreadable(
            f"byte {fault.start + 1} (0x{data[fault.start]:02x}) is not UTF-8",
            line=data.count(b"\n", 0, fault.start) + 1,
        ) from None
    if _PAGE.match(text):
        raise Unreadable(
            "this is a web page, such as a login or a proxy sends; a browser shows what it says"
        )
    return text


def one_line(text: str) -> str:
    """The text in NFC on one line, with single spaces and without control characters."""
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


def shown(text: str) -> str:
    """Somebody else's text, quoted, escaped and short enough to stand in a sentence."""
    return repr(text if len(text) <= 80 else text[:79] + "…")


def split_id(text: str) -> tuple[str, str] | None:
    """An arXiv id and its version (`"v2"` or `""`) out of any usual writing; None for no arXiv id.

    `2401.05561v2`, `hep-th/9901001`, `arXiv:…`, `oai:arXiv.org:…` and addresses of arXiv's and
    Hugging Face's pages are understood.
    """
    found = _ARXIV_ID.fullmatch(one_line(text))
    return (found["id"], found["version"] or "") if found else None


def is_address(text: str) -> bool:
    """Whether the text is a plain web address, fit to stand in a link."""
    return _ADDRESS.fullmatch(text) is not None


def media_at(url: str) -> Media:
    """The image or the video that stands at an address, told apart by its ending."""
    return Media(kind="video" if _VIDEO.search(url) else "image", url=url)


def validated(read: Callable[[object], T], value: object) -> T:
    """Read a value with a pydantic model's validator.

    Raises:
        Unreadable: Names the first field at fault.
    """
    try:
        return read(value)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        field = shown(".".join(str(part) for part in first["loc"])) if first["loc"] else "this"
        match first["type"]:
            case "missing":
                message = f"{field} is missing"
            case "extra_forbidden":
                message = f"there is no field {field} (known are {', '.join(Paper.model_fields)})"
            case "model_type":
                message = f"{field} is not a JSON object"
            case _:
                message = f"{field}: {first['msg']}"
        raise Unreadable(message) from None


def papers_from(items: Iterable[T], read: Callable[[T], Paper]) -> list[Paper]:
    """Read and normalise each item.

    Raises:
        Unreadable: Names the item, counted from 1, and what is wrong with it.
    """
    papers = []
    for number, item in enumerate(items, start=1):
        try:
            papers.append(normalise(read(item)))
        except Unreadable as fault:
            raise Unreadable(f"paper {number}: {fault}") from None
    return papers


def normalise(paper: Paper) -> Paper:
    """The same paper in order; a paper that is in order already comes back equal.

    A version is split from the id and kept in `url`; text stands on one line, in NFC; authors and
    categories stand once each, in the order given.

    Raises:
        Unreadable: The id, the title or an address cannot be put in order.
    """
    title = one_line(paper.title)
    if not title:
        raise Unreadable("'title' is empty")
    for address in (paper.url, paper.media.url if paper.media else None):
        if address and not is_address(address):
            raise Unreadable(f"{shown(address)} is not a plain web address")
    arxiv_id, version = split_id(paper.arxiv_id) or (one_line(paper.arxiv_id), "")
    if not _OTHER_ID.fullmatch(arxiv_id):
        raise Unreadable(f"{shown(paper.arxiv_id)} cannot be a paper's id")
    url = paper.url or ARXIV_ABS + arxiv_id + version
    return paper.model_copy(
        update={
            "arxiv_id": arxiv_id,
            "title": title,
            "abstract": one_line(paper.abstract or "") or None,
            "authors": _once(paper.authors),
            "categories": _once(paper.categories),
            "url": None if url == ARXIV_ABS + arxiv_id else url,
        }
    )


def in_order(papers: Iterable[Paper], notice: Callable[[str], None]) -> tuple[Paper, ...]:
    """Each paper once, by votes; ties and papers without votes stay in the order given.

    Where an id is repeated, the first paper stays, and the later ones fill what it lacks.
    """
    merged: dict[str, Paper] = {}
    repeated: dict[str, None] = {}
    for paper in papers:
        first = merged.setdefault(paper.arxiv_id, paper)
        if first is not paper:
            repeated[paper.arxiv_id] = None
            lacking = {
                name: getattr(paper, name)
                for name in Paper.model_fields
                if name != "url" and getattr(first, name) in (None, ())
            }
            merged[paper.arxiv_id] = first.model_copy(update=lacking)
    if repeated:
        notice(f"listed more than once and merged: {', '.join(repeated)}")
    return tuple(
        sorted(merged.values(), key=lambda paper: (paper.votes is None, -(paper.votes or 0)))
    )


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(one_line, texts))))
