"""Characters that a wrong encoding has broken: what stands there is no text to be checked.

UTF-8 that was read as Latin-1 or CP949 decodes when it is turned back, which proves it. ftfy mends
the Latin encodings but not CP949, and guesses where a check must be certain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


def _in_ranges(characters: str) -> str:
    """Sorted characters as ranges, of which `re` makes a class in a fraction of the time."""
    runs: list[list[str]] = []
    for character in characters:
        if runs and ord(character) == ord(runs[-1][-1]) + 1:
            runs[-1].append(character)
        else:
            runs.append([character])
    return "".join(f"{run[0]}-{run[-1]}" for run in runs)


# The rows of Hangul in KS X 1001, as EUC-KR writes them.
_ROWS = (bytes((row, cell)) for row in range(0xB0, 0xC9) for cell in range(0xA1, 0xFF))
USED = _in_ranges(b"".join(_ROWS).decode("euc_kr"))
"""The syllables of Unicode that Korean prose uses, for a class of a pattern."""
LOST = "\ud800-\udfff\ue000-\uf8ff\ufffd"
"""Characters of no script, which stand where others were, as a class of a pattern."""

_ODD = re.compile(f"[^ -~{USED}“”‘’·…–—×→±≤≥≈°αβγδεθλμπσ]")
_LOST = re.compile(f"[{LOST}]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]{2,400}")
_HIGH = re.compile("[\u0080-\u00ff][^\x00-\x7f]")


class Mojibake(NamedTuple):
    """A run of text in UTF-8 that was read in another encoding.

    Attributes:
        span: Where it stands.
        encoding: The one that it was read in.
        right: What it was.
    """

    span: tuple[int, int]
    encoding: str
    right: str


def is_odd(text: str) -> bool:
    """Whether a text has any character that Korean prose of science seldom has."""
    return _ODD.search(text) is not None


def is_broken(text: str) -> bool:
    """Whether a wrong encoding has broken characters of an odd text."""
    return _LOST.search(text) is not None or next(find_mojibake(text), None) is not None


def find_mojibake(text: str) -> Iterator[Mojibake]:
    """The runs that decode as UTF-8 when they are turned back."""
    for run in _NOT_ASCII.finditer(text):
        for encoding in _suspected(run[0]):
            try:
                right = b"".join(_bytes(character, encoding) for character in run[0]).decode()
            except UnicodeError:
                continue
            yield Mojibake(run.span(), encoding, right)
            break


def _suspected(run: str) -> Iterator[str]:
    if _HIGH.search(run):
        yield "cp1252"
    elif is_odd(run):
        yield "cp949"


def _bytes(character: str, encoding: str) -> bytes:
    try:
        return character.encode(encoding)
    except UnicodeError:
        # Windows reads the five bytes that its code page leaves open as control characters.
        return character.encode("latin-1")
