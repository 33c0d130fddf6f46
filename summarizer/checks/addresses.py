"""Addresses in a text, as they were meant and as a reader's click takes them.

Where a link ends is decided as GitHub decides it (GFM 0.29, section 6.9, as cmark-gfm implements
it): it runs to the next ASCII space or `<`, in whatever script, and then gives back punctuation
and brackets that it did not open. So `https://example.org/code에서` leads to `/code에서`. A
Markdown parser says where a link ends, but not where it was meant to end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection


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
SOUND = frozenset(["http://", "https://"])
"""The schemes that a reader's click follows."""
# What GitHub gives back at the end of an address, and what else was hardly meant to belong to it.
GIVEN_BACK = frozenset("?!.,:*_~'\"")
_NOT_MEANT = GIVEN_BACK | frozenset(";`<>|\\")
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_TO_BLANK = re.compile(r"[^ \t\n\v\f\r<]*")


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
        reach = _trimmed(text, start, run.end() if run else end, GIVEN_BACK, ")")
    end = _trimmed(text, start, end, _NOT_MEANT, ")]}")
    url = text[start:end]
    beginning = _BEGINNING.match(url)
    scheme = (beginning and beginning["scheme"]) or ""
    return Link((start, end), url, key_of(url), max(reach, end), scheme.lower())


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


def key_of(url: str) -> str:
    """An address without what makes no difference, as `Link.key`."""
    beginning = _BEGINNING.match(url)
    rest = url[beginning.end() if beginning else 0 :].replace("\\", "").rstrip("/#")
    host, slash, path = rest.partition("/")
    host = host.lower()
    # The names of users and repositories have no case there; other servers may know the case.
    return host + slash + (path.lower() if host in ("github.com", "arxiv.org") else path)
