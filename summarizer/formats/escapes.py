r"""Foreign text inside a digest's Markdown: escaped where it would break the structure.

Titles, names, links and points come from papers, servers and models, and may hold any text. What
would end a title's link, split a name, or open a heading, a point or a block that swallows what
follows gets a backslash, as CommonMark 0.31 (section 2.4) reads it; everything else stays as it
is, so that real digests are not touched. Each pair of functions is lossless:
`unescape_x(escape_x(text)) == text`. All of them take linear time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# A run of backslashes and what it stands before; the lookbehind keeps long runs linear.
_INLINE = re.compile(r"(?<!\\)(\\*+)([\[\]<]|\Z)")
_NAME = re.compile(r"(?<!\\)(\\*+)([\[\]<,]|\Z)")
_COMMA = re.compile(r"(?<!\\)(\\*+),")
_PLAIN = re.compile(r"[^\\\[\]<,]*+")
_LINE_BREAKS = re.compile(r"[\r\n]+")

# A comment, a link, or a tag with attributes; bare tags such as `<think>` do no harm.
_TAG = re.compile(
    r"<(?=[!?]|/?a>|/?[A-Za-z][A-Za-z0-9-]*+[\s/]"
    r"|[A-Za-z][A-Za-z0-9+.-]{1,31}:|[^\s<>@]{1,64}+@)",
    re.IGNORECASE,
)

_QUOTED = r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\""""
_PYTHON_LIST = re.compile(rf"\[\s*+(?:(?:{_QUOTED})\s*+,?\s*+)*+\]")
_PYTHON_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u((?!d[89a-f])[0-9a-f]{4})|(.))", re.IGNORECASE)
_NO_NAME = re.compile(r"\\*+-")

_OTHER_SCHEME = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*+:", re.IGNORECASE)
_UNSAFE_IN_LINK = re.compile(r"""[\s\x00-\x1f\x7f<>"'`\\\[\]]|&(?=#?\w{1,31};)""")

# Lines of a point, as (what stays before, backslashes, what would be read as structure).
_CONTAINERS = r"[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++|>[ \t]*+)*+"
_HEADING = re.compile(rf"({_CONTAINERS})(\\*+)(#{{1,6}}(?:[ \t]|$))")
_UNDERLINE = re.compile(r"([ \t>]*+)(\\*+)((?:=++[ \t]*+|-[- \t]*+)$)")
_NOTHING = re.compile(r"([ \t]*+)(\\*+)($)")
_BULLET = re.compile(r"( ?)(\\*+)([-*+](?:[ \t]|$))")
_BLOCK = re.compile(r"( {0,3})(\\*+)(```|~~~|<[A-Za-z/!?])")
# `[label]: address` would turn every `[label]` of the file, in titles too, into a link.
_REFERENCE = re.compile(
    rf"({_CONTAINERS}\[?(?:[^\[\]\\]|\\.)*+\])"
    r"""(\\*+)(:[ \t]*+(?:<[^<>]*+>|[^ \t]*+)[ \t]*+(?:$|["'(]))"""
)
_FIRST = (_HEADING, _UNDERLINE, _NOTHING, _REFERENCE)
_HELD = (_HEADING, _UNDERLINE, _REFERENCE)
_LOOSE = (_HEADING, _UNDERLINE, _BULLET, _BLOCK, _REFERENCE)


def escape_title(title: str) -> str:
    """A title as a link's text; its line breaks cannot be kept and become spaces."""
    return _escape(_LINE_BREAKS.sub(" ", title), _INLINE, ())


def unescape_title(text: str) -> str:
    """The title that a link's text stands for."""
    return _unescape(text, _INLINE)


def escape_names(names: Iterable[str]) -> str:
    """Names, separated by commas, or `-`.

    Line breaks, the spaces around a name and empty names cannot be kept.
    """
    tidy = (_LINE_BREAKS.sub(" ", name).strip() for name in names)
    text = ", ".join(_escape(name, _NAME, _places(",", name)) for name in tidy if name)
    if _PYTHON_LIST.fullmatch(text) or _NO_NAME.fullmatch(text):
        return "\\" + text
    return text or "-"


def unescape_names(text: str) -> tuple[str, ...]:
    """The names that `escape_names` joined, or those of a Python list."""
    text = text.strip()
    if text == "-":
        return ()
    if is_python_list(text):
        return tuple(_PYTHON_ESCAPE.sub(_python_character, name[1:-1]) for name in _quoted(text))
    if _NO_NAME.fullmatch(text):
        return (text[1:],)
    ends = [m.end() for m in _COMMA.finditer(text) if len(m[1]) % 2 == 0]
    pieces = (text[a : b - 1] for a, b in zip([0, *ends], [*ends, len(text) + 1], strict=True))
    return tuple(_unescape(piece.strip(), _NAME) for piece in pieces if piece.strip())


def is_python_list(text: str) -> bool:
    """Whether names were written as `['A', "B"]`."""
    return bool(_PYTHON_LIST.fullmatch(text.strip()))


def safe_link(url: str) -> str | None:
    """A link that Markdown and HTML keep whole, or None where it leads neither to the web nor here.

    What no URL may hold (spaces, quotes, angle and square brackets, an unmatched parenthesis) is
    percent-encoded; `javascript:` and the like are refused.
    """
    if _OTHER_SCHEME.match(url):
        return None
    if lone := _match(url, "(", ")")[0]:
        url = "".join(quote(c, safe="") if i in lone else c for i, c in enumerate(url))
    return _UNSAFE_IN_LINK.sub(lambda m: quote(m[0], safe=""), url)


def escape_point(text: str) -> str:
    r"""A point after its `- `, over one or several lines; `\r\n` and `\r` become `\n`.

    Its lines stay where they are. No line becomes a heading, at any depth; and where a line leaves
    the list item (less than two spaces before it), it opens neither a point nor a block of code
    or HTML.
    """
    return _each_line(text.replace("\r\n", "\n").replace("\r", "\n"), _add)


def unescape_point(text: str) -> str:
    """The point that `escape_point` wrote."""
    return _each_line(text, _remove)


def opens_item(first: str) -> bool:
    """Whether lines with two spaces before them belong to the list item that begins so."""
    return not first.startswith((" ", "\t")) and not _NOTHING.match(first)


def is_held(line: str) -> bool:
    """Whether a line stays in the list item above it."""
    return line.startswith(("  ", "\t")) or not line.strip(" \t")


def _each_line(text: str, change: Callable[[str, Sequence[re.Pattern[str]]], str]) -> str:
    first, *rest = text.split("\n")
    held = opens_item(first)
    lines = [change(first, _FIRST)]
    for line in rest:
        held = held and is_held(line)
        lines.append(change(line, _HELD if held else _LOOSE))
    return "\n".join(lines)


def _add(line: str, patterns: Sequence[re.Pattern[str]]) -> str:
    for pattern in patterns:
        if found := pattern.match(line):
            line = line[: found.end(1)] + "\\" + line[found.end(1) :]
    return line


def _remove(line: str, patterns: Sequence[re.Pattern[str]]) -> str:
    for pattern in reversed(patterns):
        if (found := pattern.match(line)) and found[2]:
            line = line[: found.end(1)] + line[found.end(1) + 1 :]
    return line


def _escape(text: str, pattern: re.Pattern[str], also: Iterable[int]) -> str:
    if _PLAIN.fullmatch(text):
        return text
    live = _link_parts(text).union(also)
    return pattern.sub(
        lambda m: m[1] * 2 + ("\\" if m.start(2) in live else "") + m[2],
        text,
    )


def _unescape(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda m: m[1][: len(m[1]) // 2] + m[2], text)


def _link_parts(text: str) -> set[int]:
    """Where characters stand that would end a link around the text, or make one in it."""
    last = text.rfind(">")
    live = {m.start() for m in _TAG.finditer(text) if m.start() < last or text[m.end()] in "!?"}
    if "`" in text:  # code binds more tightly than brackets, so that no bracket can be trusted
        return live.union(_places("[", text), _places("]", text))
    lone, pairs = _match(text, "[", "]")
    for start, end in pairs:
        if text.startswith("(", end + 1):
            live.update((start, end))
    return live | lone


def _match(text: str, opening: str, closing: str) -> tuple[set[int], list[tuple[int, int]]]:
    """Brackets that have no partner, and the pairs of those that have one."""
    lone: set[int] = set()
    pairs: list[tuple[int, int]] = []
    waiting: list[int] = []
    for found in re.finditer(rf"[{re.escape(opening + closing)}]", text):
        if found[0] == opening:
            waiting.append(found.start())
        elif waiting:
            pairs.append((waiting.pop(), found.start()))
        else:
            lone.add(found.start())
    return lone.union(waiting), pairs


def _places(character: str, text: str) -> Iterator[int]:
    return (i for i, c in enumerate(text) if c == character)


def _quoted(text: str) -> Iterator[str]:
    return (found[0] for found in re.finditer(_QUOTED, text))


def _python_character(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else found[3]
