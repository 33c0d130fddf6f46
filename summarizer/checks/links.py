"""Whether a summary's links are the paper's, and whether a reader's click reaches them.

Where a link ends is decided as GitHub decides it (GFM 0.29, section 6.9, as cmark-gfm implements
it): it runs to the next ASCII space or `<`, in whatever script, and then gives back punctuation
and brackets that it did not open. So `https://example.org/code에서` leads to `/code에서`. A
Markdown parser says where a link ends, but not where it was meant to end, nor which it should be.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from summarizer.digest import ARXIV_ABS, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from summarizer.checks.reading import Readings
    from summarizer.digest import Basis


class Link(NamedTuple):
    """An address in a text.

    Attributes:
        span: Where it stands as it was meant, without particle, quote or full stop.
        url: What stands there.
        key: The same without what makes no difference: scheme, `www.`, a slash at the end.
        reach: Where it ends for a reader of GitHub's Markdown.
        scheme: How it begins: `https://`; damaged, maybe: `htps://`; empty for `example.org/code`.
    """

    span: tuple[int, int]
    url: str
    key: str
    reach: int
    scheme: str


_SCHEME = (
    r"(?:[0-9]?http[!-~]{0,3}?: ?/{1,3} ?"
    r"|[0-9]?http[!-~]{0,4}?/{1,3} ?(?=[A-Za-z0-9.-]{1,63}\.[A-Za-z])"
    r"|(?<![A-Za-z])[A-Za-z]{1,8}:/{1,3} ?)"
)
_ADDRESS = re.compile(
    rf"{_SCHEME}(?=[A-Za-z0-9][!-~]*[./])[!-~]+"
    r"|(?<![A-Za-z0-9@./_-])(?:www\.|(?:[A-Za-z0-9-]{1,63}\.){1,4}(?:ai|com|co|dev|edu|io|net|org)/)"
    r"[!-~]+"
)
# Each address has one of these, which are found much sooner than addresses are.
_SIGN = re.compile(r"http|:/|www\.|\.(?:ai|com|co|dev|edu|io|net|org)/")
_BEGINNING = re.compile(rf"(?P<scheme>{_SCHEME})?(?:www\.)?", re.IGNORECASE)
_SOUND = frozenset(["http://", "https://"])
# What GitHub gives back at the end of an address, and what else was hardly meant to belong to it.
_GIVEN_BACK = frozenset("?!.,:*_~'\"")
_NOT_MEANT = _GIVEN_BACK | frozenset(";`<>|\\")
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_TO_BLANK = re.compile(r"[^ \t\n\v\f\r<]*")
_HANGUL = re.compile("[가-힣]")
_GOES_ON = re.compile(r" ?[!-~]|[가-힣]+[!-~]*/")
# What differs in one place by more characters than these is another address, not a slip.
_SLIP = 3
_MOST_COMPARED = 50
_PAGES = (ARXIV_ABS, "https://arxiv.org/pdf/", "https://huggingface.co/papers/")


def read_links(text: str) -> tuple[Link, ...]:
    """The addresses of a text, in order."""
    if not may_hold_links(text):
        return ()
    sign = _SIGN.search(text)
    if sign is None:
        return ()
    # Most texts end in their only address: no address begins before the word before its first sign.
    begin = text.rfind(" ", 0, max(0, text.rfind(" ", 0, sign.start()))) + 1
    return tuple([_read(text, *found.span()) for found in _ADDRESS.finditer(text, begin)])


def may_hold_links(text: str) -> bool:
    """Whether a text has what no address is without; most points have not."""
    return "/" in text or "www." in text


def _read(text: str, start: int, end: int) -> Link:
    before = text[max(0, start - 2) : start]
    closing = {"(": ")", "<": ">", "`": "`"}.get(before[-1:], "")
    if closing and (closing != ")" or before == "]("):
        reach = end = _enclosed(text, start, end, closing)
    else:
        run = _TO_BLANK.match(text, end)
        reach = _trimmed(text, start, run.end() if run else end, _GIVEN_BACK, ")")
    end = _trimmed(text, start, end, _NOT_MEANT, ")]}")
    url = text[start:end]
    beginning = _BEGINNING.match(url)
    scheme = (beginning and beginning["scheme"]) or ""
    return Link((start, end), url, _key(url), max(reach, end), scheme.lower())


def _enclosed(text: str, start: int, end: int, closing: str) -> int:
    """Where an address ends that stands in `[text](…)`, `<…>` or a code span."""
    opening, depth = _BRACKETS.get(closing, ""), 0
    for position in range(start, end):
        depth += (text[position] == opening) - (text[position] == closing)
        if depth < 0:
            return position
    return end


def _trimmed(text: str, start: int, end: int, marks: Collection[str], brackets: str) -> int:
    """The end without trailing marks and without brackets that were not opened."""
    if text[end - 1] not in marks and text[end - 1] not in brackets:
        return end
    surplus = {
        bracket: text.count(bracket, start, end) - text.count(_BRACKETS[bracket], start, end)
        for bracket in brackets
    }
    while end > start:
        last = text[end - 1]
        if last not in marks and surplus.get(last, 0) <= 0:
            break
        if last in surplus:
            surplus[last] -= 1
        end -= 1
    return end


def _key(url: str) -> str:
    beginning = _BEGINNING.match(url)
    rest = url[beginning.end() if beginning else 0 :].replace("\\", "").rstrip("/#")
    host, slash, path = rest.partition("/")
    host = host.lower()
    # The names of users and repositories have no case there; other servers may know the case.
    return host + slash + (path.lower() if host in ("github.com", "arxiv.org") else path)


def _whole(link: Link) -> str:
    return link.url.replace("\\", "") if link.scheme in _SOUND else f"https://{link.key}"


def _shared(one: str, other: str) -> int:
    """How many characters two strings begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _differing(one: str, other: str) -> tuple[int, int]:
    """How many characters of each stand in the one stretch that holds all differences."""
    before = _shared(one, other)
    most = min(len(one), len(other)) - before
    after = min(most, _shared(one[: -len(other) - 1 : -1], other[: -len(one) - 1 : -1]))
    return len(one) - before - after, len(other) - before - after


def links(readings: Readings) -> Iterator[Finding]:
    """Find links that the abstract does not have, damaged ones, and ones that break when clicked.

    A link that the abstract does not have is an error where the points were written from the
    abstract, and a warning where they were written from the paper.
    """
    if not readings.links:
        return
    paper = readings.paper
    abstract = (paper.abstract or "").strip()
    if not abstract:
        yield Finding(
            check="links",
            severity="warning",
            message="the links cannot be checked: the paper has no abstract",
        )
    own = (paper.link, *(page + paper.arxiv_id for page in _PAGES))
    stated = {link.key: _whole(link) for link in readings.source.links[:_MOST_COMPARED]}
    known = {_key(url): url for url in own} | stated
    for number, link in readings.links:
        if link.key in known and link.scheme in _SOUND and link.reach <= link.span[1]:
            continue
        if number in readings.broken:
            continue
        text = readings.texts[number]
        if link.key not in known and abstract:
            yield _unstated(number, text, link, stated, readings.basis)
        elif link.scheme not in _SOUND:
            yield _unsound(number, link, known.get(link.key))
        elif link.reach > link.span[1]:
            yield _glued(number, text, link)


def _unstated(
    point: int, text: str, link: Link, stated: Mapping[str, str], basis: Basis
) -> Finding:
    """A link that is not the abstract's: a damaged one of its own, or another."""
    differing = {key: _differing(link.key, key) for key in stated}
    slips = [key for key, (here, there) in differing.items() if max(here, there) <= _SLIP]
    torn = [key for key, (here, _) in differing.items() if not here]
    near = slips or torn
    if not near:
        return Finding(
            check="links",
            severity="error" if basis == "abstract" else "warning",
            point=point,
            span=link.span,
            message="the abstract does not have this link",
            evidence=", ".join(stated.values()) or "the abstract has no link",
        )
    right = stated[near[0]]
    end = link.span[1]
    glued = text[end : end + 1].isalpha()
    certain = basis == "abstract" and len(near) == 1 and not (torn and _GOES_ON.match(text, end))
    return Finding(
        check="links",
        severity="error" if basis == "abstract" else "warning",
        point=point,
        span=link.span,
        message="the link is not as the abstract has it: characters were lost or changed",
        evidence=right,
        fix=right + " " * glued if certain else None,
    )


def _unsound(point: int, link: Link, right: str | None) -> Finding:
    """A link that no reader's click reaches, since it does not begin as one."""
    return Finding(
        check="links",
        severity="error" if link.scheme else "warning",
        point=point,
        span=link.span,
        message="the link does not begin with https://, so that it is no link when it is read",
        evidence=right,
        fix=right,
    )


def _glued(point: int, text: str, link: Link) -> Finding:
    """A link that leads elsewhere, since what follows it is read as a part of it."""
    start, end = link.span
    extra = text[end : link.reach]
    hangul = _HANGUL.search(extra)
    between = extra[: hangul.start()] if hangul else extra
    mendable = hangul is not None and all(mark in _GIVEN_BACK or mark == ")" for mark in between)
    cut = end + len(between)
    return Finding(
        check="links",
        severity="error",
        point=point,
        span=(start, cut) if mendable else (start, link.reach),
        message=f"{extra!r} is read as a part of the link, which then leads elsewhere",
        evidence=link.url,
        fix=f"{text[start:cut]} " if mendable else None,
    )
