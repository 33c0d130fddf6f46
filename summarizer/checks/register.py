"""Which of Korean's speech levels the points are written in, and whether they keep to it.

합니다체 ("…합니다."), 한다체 ("…한다.") and 명사형 (nouns and nominal forms: "…함") show in
the last syllables of a sentence. On 2,000 published points this rule and a full morphological
analyser (kiwipiepy: three seconds to start, 520 MB) disagreed on five, and there the analyser was
mostly wrong.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from summarizer.digest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from summarizer.checks.reading import Readings
    from summarizer.digest import Digest, Summary

Register: TypeAlias = Literal["합니다체", "해요체", "한다체", "명사형"]

# A full stop ends a sentence after Hangul, a bracket or a quote, but not after "et al".
_STOP = re.compile(r"[.!?][\"'”’)*]?\s+|\n+")
_BEFORE_STOP = frozenset(")]\"'”’*`%")
_MARKS = " \t\n.!?…:;,*_~`\"'“”‘’「」『』[]{}<>·"
_LONGEST_TAIL = 400
_LINK = re.compile(r"(?:https?://|www\.)[!-~]+\Z")
_LONGEST_LINK = 200
_MOST_WORDS = 2**12  # whose register is kept
_MOST_POINTS = 2**6  # whose endings are kept: a repair or a scorer may soon ask for them again
_WORD = re.compile(r"[가-힣]++\Z")
_LONGEST_WORD = 12
_CASUAL = re.compile(r"(?:[가-힣](?:어|아|해|여|예|에|네|지|거든|군|세)|[돼봐줘와])요\Z")
# Where the sentence breaks off or asks, it is in none.
_UNDECIDED = re.compile(
    r"(?:[을를은는며까]|지만|[는은인한]데|므로|면서|[는은인을런던한]가|[나니까]요)\Z"
)


class _Ending(NamedTuple):
    """The last word of a sentence, its place in the text and the register that it shows."""

    span: tuple[int, int]
    word: str
    register: Register


def register_of(text: str) -> Register | None:
    """The register of a text's last sentence; None where it shows none.

    Links, brackets, quotes, punctuation and bold type at the end are passed over.
    """
    endings = _endings(text)
    return endings[-1].register if endings else None


@lru_cache(maxsize=_MOST_POINTS)
def _endings(text: str) -> Sequence[_Ending]:
    endings = []
    start = 0
    for end in [*_stops(text), len(text)]:
        ending = _ending(text, start, end)
        if ending:
            endings.append(ending)
        start = end
    return endings


def _stops(text: str) -> list[int]:
    """Where sentences end but for the last one; most points are one sentence."""
    body = text[:-1]
    if not ("." in body or "!" in body or "?" in body or "\n" in body):
        return []
    return [found.end() for found in _STOP.finditer(text) if _is_stop(text, found.start())]


def _is_stop(text: str, place: int) -> bool:
    before = text[place - 1 : place]
    return text[place] == "\n" or "가" <= before <= "힣" or before in _BEFORE_STOP


def _ending(text: str, start: int, end: int) -> _Ending | None:
    """The ending of a sentence; nearly all end in a word and a full stop."""
    stop = end - text.endswith(".", start, end)
    word = _WORD.search(text, max(start, stop - _LONGEST_WORD), stop)
    if word:
        register = _register(word[0])
        return _Ending(word.span(), word[0], register) if register else None
    return _marked_ending(text, start, end)


def _marked_ending(text: str, start: int, end: int) -> _Ending | None:
    """The same behind links, brackets, quotes and other marks."""
    start = max(start, end - _LONGEST_TAIL)
    tail = text[start:end].rstrip(_MARKS)
    linked = False
    while tail and not "가" <= tail[-1] <= "힣":
        shorter = tail
        if tail[-1] == ")":
            shorter = tail[: max(tail.rfind("("), 0)] or tail[:-1]
        elif found := _LINK.search(tail[-_LONGEST_LINK:]):
            shorter, linked = tail[: -len(found[0])], True
        if shorter == tail:
            return None
        tail = shorter.rstrip(_MARKS)
    word = _WORD.search(tail, max(0, len(tail) - _LONGEST_WORD))
    register = _register(word[0]) if word else None
    # What stands before a link may be its title: "코드: https://…".
    if word is None or register is None or (linked and register == "명사형"):
        return None
    return _Ending((start + len(tail) - len(word[0]), start + len(tail)), word[0], register)


@lru_cache(maxsize=_MOST_WORDS)
def _register(word: str) -> Register | None:
    polite = word.endswith(("니다", "니까")) and _ends_in_bieup(word[:-2])
    if polite or word.endswith("십시오"):
        return "합니다체"
    if _CASUAL.search(word):
        return "해요체"
    if _UNDECIDED.search(word):
        return None
    return "한다체" if word[-1] == "다" else "명사형"


def _ends_in_bieup(stem: str) -> bool:
    """Whether a stem ends in ㅂ, as 합니다 does and 아니다 does not."""
    return bool(stem) and (ord(stem[-1]) - ord("가")) % 28 == 17


def _usual(registers: Iterable[Register | None]) -> Register | None:
    """The most frequent one; of equally frequent ones the first."""
    shown = [register for register in registers if register]
    if not shown:
        return None
    return max(dict.fromkeys(shown), key=shown.count)


def register(
    readings: Readings, *, wanted: Literal["합니다체", "한다체", "명사형"] | None = None
) -> Iterator[Finding]:
    """Find points in another register than the one wanted, or than most of the summary.

    It is an error where a register is wanted, and a warning where only the summary mixes them.
    There is never a fix: another ending is another sentence.

    Args:
        wanted: The register that every sentence should have; None takes the most frequent one.
    """
    if readings.language.partition("-")[0] != "ko":
        return
    points = [*map(_endings, readings.texts)]
    expected = wanted or _usual(endings[-1].register for endings in points if endings)
    for number, endings in enumerate(points):
        for astray in [ending for ending in endings if ending.register != expected][:1]:
            yield Finding(
                check="register",
                severity="error" if wanted else "warning",
                point=number,
                span=astray.span,
                message=(
                    f"{astray.word!r} ends a sentence in {astray.register}; "
                    + (f"{wanted} is wanted" if wanted else f"most points are in {expected}")
                ),
            )


def register_across(digest: Digest) -> Iterator[Finding]:
    """Find entries whose points are mostly in another register than those of most entries."""
    if digest.language.partition("-")[0] != "ko":
        return
    registers = {
        entry.paper.arxiv_id: _summary_register(entry.summary)
        for entry in digest.entries
        if entry.status == "ok" and entry.summary
    }
    expected = _usual(registers.values())
    for arxiv_id, shown in registers.items():
        if shown and shown != expected:
            yield Finding(
                check="register",
                severity="warning",
                arxiv_id=arxiv_id,
                message=f"the points are in {shown}; most of the digest is in {expected}",
            )


def _summary_register(summary: Summary) -> Register | None:
    return _usual(register_of(point.text) for point in summary.points)
