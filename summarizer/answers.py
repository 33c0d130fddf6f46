r"""Reading the points out of a model's answer: JSON as models really write it, and lists of lines.

What is understood beyond the wanted form: a fenced block, text around the answer, `*` or `•` or
numbers for bullets, line breaks inside JSON strings, and LaTeX in JSON whose backslashes were not
escaped (`\alpha` breaks JSON, `\framework` becomes a form feed).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

_STARTS = 40
"""How many places an answer's JSON may begin at; keeps reading linear in hostile answers."""

_ESCAPE = re.compile(r'\\(?:["\\/]|u[0-9a-fA-F]{4}|([A-Za-z]+)|[^A-Za-z]|$)', re.DOTALL)

# \t, \r and \n are real escapes, unless what follows makes the name of a LaTeX macro.
_MACROS = frozenset(
    """tan tanh tau tbinom text textbf textit textrm textsc textsf texttt textstyle tfrac theta
    thinspace tilde times to top triangle triangleq rangle rbrace rceil rfloor rho right rightarrow
    rightleftharpoons rm root rVert nabla natural ne nearrow neg neq nexists ngeq ni nleq nmid
    nolimits nonumber norm not notin nparallel nsim nu num""".split()
)

_SURROGATE = re.compile("[\ud800-\udfff]")
_BULLET = re.compile(r"(?:[-*•‣▪·–—]|\(?\d{1,2}[.)])(?:[ \t]+|$)")
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def read_points(text: str, *, form: Literal["points", "lines"]) -> list[str] | str:
    """Read an answer's points.

    Args:
        form: What was asked for: a JSON object with `points`, or lines that begin with `- `. An
            answer in the other form is understood too.

    Returns:
        The points as Markdown; or, where there are none to read, one sentence that says why.
    """
    if not text.strip():
        return "the answer is empty"
    readers = (_from_json, _from_lines)
    for reader in readers if form == "points" else reversed(readers):
        if (points := reader(text)) is not None:
            return points
    if form == "points":
        return 'the answer is not a JSON object of the form {"points": ["…", "…"]}'
    return "the answer has no line that begins with '- '"


def _from_json(text: str) -> list[str] | None:
    for value in _json_values(text):
        points = value.get("points") if isinstance(value, dict) else value
        if isinstance(points, list) and points and all(isinstance(p, str) for p in points):
            # JSON can say half a surrogate pair, and no file can hold it.
            return [
                _SURROGATE.sub("\ufffd", point).replace("\r\n", "\n").strip() for point in points
            ]
        if points == []:
            return []
    return None


def _json_values(text: str) -> Iterator[Any]:
    """The JSON objects and arrays of a text, outermost and first ones first."""
    decoder = json.JSONDecoder(strict=False)
    text = _ESCAPE.sub(_escaped, text)
    start, tries = 0, 0
    while (found := re.compile(r"[\[{]").search(text, start)) and tries < _STARTS:
        tries += 1
        try:
            value, start = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            start = found.end()
        else:
            yield value


def _escaped(found: re.Match[str]) -> str:
    """A backslash of a JSON text, doubled where a LaTeX macro was meant and not an escape."""
    escape, word = found[0], found[1]
    if word is None:
        known = len(escape) > 1 and escape[1] in '"\\/u'
        return escape if known else "\\" + escape
    return escape if word[0] in "ntr" and word not in _MACROS else "\\" + escape


def _from_lines(text: str) -> list[str] | None:
    fenced = _FENCE.search(text)
    points: list[str] = []
    ended = True
    for line in (fenced[1] if fenced else text).splitlines():
        marker = _BULLET.match(line)
        if marker:
            points.append(line[marker.end() :].strip())
            ended = False
        elif not line.strip():
            ended = True
        elif points and (not ended or line[0] in " \t"):
            points[-1] += "\n" + line.rstrip()
    return points or None
