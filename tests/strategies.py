"""Digests that hypothesis makes up: ordinary ones, and such as mean harm."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from summarizer.digest import Digest, Entry, Finding, Media, Paper, Point, Provenance, Summary

_INLINE = [
    *"[]()\\`<>*_#!\"':&$ \t~|,-+/@",
    "](",
    "](javascript:alert(1))",
    "![",
    "<think>",
    "</think>",
    "<a href=x>",
    "</a>",
    "<!--",
    "-->",
    "<?",
    "<http://x.y>",
    "<a@b.c>",
    "<b title='](",
    "&#93;",
    "&amp;",
    "$ε$",
    "$\\epsilon$",
    "[RE] ",
    "ref",
    "Word",
    "한국어",
    "7B",
]
_LINES = [
    "- ",
    " - ",
    "  - ",
    "* ",
    "+ ",
    "-",
    "---",
    "- - -",
    "===",
    "# ",
    "### ",
    "###",
    "## Daily Papers (2024-01-01)",
    "### [x](https://arxiv.org/abs/2401.00001)",
    "```",
    "~~~",
    "<div>",
    "<script>",
    "<!-- ",
    "</pre>",
    "> ",
    "1. ",
    "10) ",
    "[ref]: http://x.y",
    "[RE]:",
    "| a | b |",
    "|---|---|",
    "$$x^2$$",
    "***What's New***: ",
    "**Label**: ",
    "Vote: 3",
    "Authors: Somebody",
    "![](http://x.y)",
    "    ",
    "\t",
    "\\",
    "\\\\",
    "\\- ",
    "\\### ",
]


def _joined(parts: list[str], most: int) -> st.SearchStrategy[str]:
    piece = st.sampled_from(parts) | st.text(
        st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=3
    )
    return st.lists(piece, max_size=most).map("".join)


arxiv_ids = st.from_regex(r"[0-9]{4}\.[0-9]{4,5}|(hep-th|math\.GT)/[0-9]{7}", fullmatch=True)
links = st.sampled_from(
    [
        "https://huggingface.co/papers/2401.05561",
        "https://arxiv.org/pdf/2401.05561v2",
        "https://example.org/a_(b)?c=1&d=2",
        "https://example.org/x",
    ]
)
titles = _joined(_INLINE, 8).filter(bool)
_NAMES = ["Ada Lovelace", "+", "al.", "-", "Davis, Jr.", "['A', 'B']", "[]"]
names = st.sampled_from(_NAMES) | _joined(_INLINE, 4).map(str.strip).filter(bool)
media = st.builds(
    Media,
    kind=st.sampled_from(["image", "video"]),
    url=st.sampled_from(["https://example.org/a.png", "https://example.org/b.mp4?x=1&y=2"]),
)
lines = _joined([*_LINES, *_INLINE], 4)
points = st.lists(lines, min_size=1, max_size=5).map("\n".join)

papers = st.builds(
    Paper,
    arxiv_id=arxiv_ids,
    title=titles,
    authors=st.lists(names, max_size=4).map(tuple),
    votes=st.none() | st.integers(),
    media=st.none() | media,
    url=st.none() | links,
)
entries = st.builds(
    Entry,
    paper=papers,
    summary=st.lists(points, max_size=4).map(lambda texts: Summary(points=texts)),
)
dates = st.dates(min_value=dt.date(1991, 8, 14))
digests = st.builds(Digest, date=dates, entries=st.lists(entries, max_size=3).map(tuple))
"""Digests that hold what Markdown holds."""

_anything = st.text(st.characters(codec="utf-8"), max_size=8)
_findings = st.builds(
    Finding,
    check=_anything,
    severity=st.sampled_from(["error", "warning"]),
    message=_anything,
    point=st.none() | st.integers(0, 9),
    span=st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)),
    fix=st.none() | _anything,
)
_failed = st.builds(
    Entry,
    paper=st.builds(
        Paper,
        arxiv_id=arxiv_ids,
        title=titles,
        abstract=st.none() | _anything,
        categories=st.lists(_anything, max_size=2).map(tuple),
        published=st.none() | st.dates(),
    ),
    summary=st.none() | st.just(Summary(points=(Point(text="x\n- y"),))),
    status=st.just("failed"),
    cause=st.just("findings"),
    reason=_anything.filter(bool),
    findings=st.lists(_findings, max_size=2).map(tuple),
    provenance=st.builds(
        Provenance,
        prompt=_anything,
        prompt_hash=_anything,
        model=_anything,
        params=st.dictionaries(
            _anything, st.none() | st.booleans() | st.integers(-9, 9) | _anything, max_size=2
        ),
    ),
)
full_digests = st.builds(
    Digest,
    date=st.dates(),
    language=st.sampled_from(["ko", "en"]),
    entries=st.lists(entries | _failed, max_size=3).map(tuple),
)
"""Digests with failed entries, findings and provenance, too."""
