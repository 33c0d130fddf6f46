"""Whether a summary's links are the paper's, and whether a reader's click reaches them."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from summarizer.checks.addresses import GIVEN_BACK, SOUND, key_of
from summarizer.digest import ARXIV_ABS, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from summarizer.checks.addresses import Link
    from summarizer.checks.reading import Readings
    from summarizer.digest import Basis

_HANGUL = re.compile("[가-힣]")
_GOES_ON = re.compile(r" ?[!-~]|[가-힣]+[!-~]*/")
# What differs in one place by more characters than these is another address, not a slip.
_SLIP = 3
_MOST_COMPARED = 50
_PAGES = (ARXIV_ABS, "https://arxiv.org/pdf/", "https://huggingface.co/papers/")


def _whole(link: Link) -> str:
    return link.url.replace("\\", "") if link.scheme in SOUND else f"https://{link.key}"


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
    known = {key_of(url): url for url in own} | stated
    for number, link in readings.links:
        if link.key in known and link.scheme in SOUND and link.reach <= link.span[1]:
            continue
        if number in readings.broken:
            continue
        text = readings.texts[number]
        if link.key not in known and abstract:
            yield _unstated(number, text, link, stated, readings.basis)
        elif link.scheme not in SOUND:
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
    mendable = hangul is not None and all(mark in GIVEN_BACK or mark == ")" for mark in between)
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
