r"""The same text with every writing of a number in ASCII: for readers of numbers, not for people.

Abstracts come with LaTeX (`$99\%$`, `\frac{1}{8}`, `10^{6}`), summaries with full-width digits,
typographic dashes and superscripts. Rewriting them once leaves one alphabet to read.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINK = re.compile(r"(?:https?: ?|www\.|github\.(?:com|io)/|huggingface\.co/|arxiv\.org/)[!-~]+")
# Each link has one of these, and begins no farther before it.
_LINK_SIGNS = ("http", "www.", ".com/", ".io/", ".co/", ".org/")
_LONGEST_HOST = len("huggingface")
_ODD = re.compile(
    "[\\\\${}\u00a0\u00b2\u00b3\u00b9\u00bc-\u00be\u00d7\u2000-\u2015\u202f\u2044\u2060"
    "\u2070-\u2079\u207b\u2150-\u215e\u2212\u2217\u223c\u2248\u22c5\u2460-\u2473"
    "\u2a7d\u2a7e\u3000\u301c\u3380-\u33df\ufe63\uff01-\uff5e\ufeff]"
)
# A dollar sign opens or closes mathematics as pandoc's tex_math_dollars extension has it; all
# other dollar signs are money.
_MATHS = re.compile(r"\$(?=\S)[^$\n]{1,300}(?<=\S)\$(?![0-9])")
_REWRITTEN = re.compile(
    r"\\[dt]?frac ?\{?(?P<over>[0-9]{1,9})\}? ?\{?(?P<under>[0-9]{1,9})\}?"
    r"|(?<=[0-9])\{(?P<damaged>[0-9]{1,3})\}"
    r"|(?<=\^)\{(?P<power>[-−+]?[0-9]{1,4})\}"
    r"|(?P<comma>(?<=[0-9])(?:\{,\}|\\[,;]|[\u00a0\u2009\u202f])(?=[0-9]{3}(?![0-9])))"
    r"|(?P<format>\\(?:text|math)[a-z]* ?(?=\{)|\\(?:rm|bf|it|left|right)\b ?|\\[,;:!])"
    r"|\\(?P<command>[A-Za-z]+ ?|[^A-Za-z\n])"
    r"|(?P<gap>\}\{)"
    r"|(?P<superscripts>[\u00b2\u00b3\u00b9\u2070-\u2079\u207b]+)"
    r"|(?P<other>" + _ODD.pattern + ")"
)
_SIGNS = {"comma": ",", "format": "", "gap": " "}
_COMMANDS = {
    "%": "%",
    "$": "$",
    "approx": "~",
    "cdot": "×",
    "ge": "≥",
    "geq": "≥",
    "geqslant": "≥",
    "gt": ">",
    "gtrsim": "≥",
    "le": "≤",
    "leq": "≤",
    "leqslant": "≤",
    "lesssim": "≤",
    "lt": "<",
    "pm": "±",
    "sim": "~",
    "simeq": "~",
    "textasciitilde": "~",
    "texttildelow": "~",
    "times": "×",
}
_CHARACTERS = {
    **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
    **dict.fromkeys("∼≈～〜", "~"),
    **dict.fromkeys("×∗⋅", "×"),
    **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
    "⩽": "≤",
    "⩾": "≥",
    "⁄": "/",
    "{": "",
    "}": "",
}


class Plain(NamedTuple):
    """A rewritten text that knows where each of its characters stood.

    Attributes:
        text: The text in ASCII numbers.
        pieces: Where each rewritten piece begins in `text`, and what it was: its start and end
            there and in the original.
    """

    text: str
    begins: Sequence[int] = ()
    pieces: Sequence[tuple[int, int, int, int]] = ()

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that became `text[start:end]`; `end` > `start`."""
        return self._place(start)[0], self._place(end - 1)[1]

    def _place(self, position: int) -> tuple[int, int]:
        """Where the character at `position` begins and ends in the original."""
        index = bisect_right(self.begins, position) - 1
        if index < 0:
            return position, position + 1
        _, after, began, ended = self.pieces[index]
        if position < after:
            return began, ended
        place = ended + position - after
        return place, place + 1


def plain(text: str) -> Plain:
    """Rewrite LaTeX and Unicode numbers in ASCII, and blank out links.

    `×`, `≤`, `≥` and `±` stay, since ASCII has no single sign for them.
    """
    if "/" in text or "www." in text:
        text = _without_links(text)
    # Four quick searches decide for an ASCII text.
    odd_ascii = "\\" in text or "$" in text or "{" in text or "}" in text
    if not odd_ascii and (text.isascii() or _ODD.search(text) is None):
        return Plain(text)
    delimiters: set[int] = set()
    if "$" in text:
        for found in _MATHS.finditer(text):
            delimiters.update((found.start(), found.end() - 1))
    out: list[str] = []
    pieces: list[tuple[int, int, int, int]] = []
    length = position = 0
    while (odd := _ODD.search(text, position)) and (piece := _REWRITTEN.match(text, odd.start())):
        start, end = piece.span()
        written = "" if start in delimiters else _rewrite(piece)
        out += (text[position:start], written)
        length += start - position
        pieces.append((length, length + len(written), start, end))
        length += len(written)
        position = end
    out.append(text[position:])
    return Plain("".join(out), [begin for begin, *_ in pieces], pieces)


def _without_links(text: str) -> str:
    # Signs are found sooner than links, of which most texts have one at their end or none.
    signs = [place for sign in _LINK_SIGNS if (place := text.find(sign)) >= 0]
    if not signs:
        return text
    begin = max(0, min(signs) - _LONGEST_HOST)
    return text[:begin] + _LINK.sub(lambda found: " " * len(found[0]), text[begin:])


def _rewrite(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    if kind in _SIGNS:
        return _SIGNS[kind]
    if kind == "under":
        return f"{found['over']}/{found['under']}"
    if kind == "command":
        return _COMMANDS.get(found["command"].strip(), " ")
    if kind == "damaged":  # `\f` of `\frac{1}{8}` was read as a form feed, and 1{8} was left
        return "/" + found["damaged"]
    if kind == "power":
        return found["power"].replace("−", "-")
    if kind == "superscripts":
        return "^" + unicodedata.normalize("NFKC", found[0]).replace("−", "-")
    return _character(found)


def _character(found: re.Match[str]) -> str:
    character = found[0]
    if character in _CHARACTERS:
        return _CHARACTERS[character]
    written = unicodedata.normalize("NFKC", character)
    if "⁄" in written:
        over, _, under = written.partition("⁄")
        if found.string[found.start() - 1 : found.start()].isdigit():
            return f"{int(over) / int(under):.6g}"[1:]
        return f"{over}/{under}"
    return f"({written})" if "①" <= character <= "⑳" else written
