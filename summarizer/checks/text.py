"""Whether a point is written in the language of the digest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from summarizer.digest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from summarizer.checks.reading import Readings

_HANGUL = re.compile(r"[가-힣]")
_LETTER = re.compile(r"[A-Za-z가-힣]")
_NOT_PROSE = re.compile(r"https?://\S+|\$[^$]*\$|`[^`]*`")


def text(readings: Readings, *, min_hangul: float = 0.15) -> Iterator[Finding]:
    """Find points that are not Korean; nothing is said of a digest in another language.

    Args:
        min_hangul: Least share of Hangul among the letters of a point, URLs and formulas aside.
    """
    if readings.language.partition("-")[0] != "ko":
        return
    for number, point in enumerate(readings.summary.points):
        prose = _NOT_PROSE.sub(" ", point.text)
        letters, hangul = len(_LETTER.findall(prose)), len(_HANGUL.findall(prose))
        if letters and hangul < min_hangul * letters:
            message = "the point is not written in Korean"
            if hangul:
                message = f"only {hangul} of the point's {letters} letters are Hangul"
            yield Finding(check="text", severity="error", point=number, message=message)
