"""Whether a figure is a rise or a fall, as English and Korean sentences say it.

Only words that say nothing else are read. "Improves by 3%" may be a lower error, and 2배 빠르다 a
shorter time. Comparing such words wherever they stand in a sentence was wrong each time; beside one
and the same number it was right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from summarizer.checks.quantities import Measure, Quantity

Direction: TypeAlias = Literal["rise", "fall"]


class Change(NamedTuple):
    """What a text says of a quantity: that something rises or falls by it or to it.

    Attributes:
        direction: Which way.
        of: The words that may say what it is that changes.
    """

    direction: Direction
    of: str


def contradict(said: Change, stated: Change) -> bool:
    """Whether both cannot be; a throughput that rises may well be a time that falls."""
    if said.direction == stated.direction:
        return False
    ours, theirs = (_GOOD, _BAD) if said.direction == "rise" else (_BAD, _GOOD)
    return not (ours.search(said.of) and theirs.search(stated.of))


_GOOD = re.compile(
    r"속도|효율|처리|성능|정확|품질|절감|감소|단축|여유"
    r"|throughput|speed|fast|efficien|accura|perform|quality|score|reduc|sav(?:e|ing)",
    re.IGNORECASE,
)
_BAD = re.compile(
    r"시간|지연|비용|오류|오차|손실|메모리|격차|부담|크기"
    r"|latenc|time|cost|error|loss|memory|delay|gap|overhead|size|footprint|comput",
    re.IGNORECASE,
)


def direction_of(first: Measure, second: Measure) -> Direction | None:
    """What a change from one number to another is; None where they cannot be compared."""
    if first.unit != second.unit or first.base == second.base or first.unit == "ordinal":
        return None
    return "rise" if first.base < second.base else "fall"


# --- English -------------------------------------------------------------------------------------

_RISES = """
    boost boosted boosting boosts climb climbed climbing climbs grew grow growing grown grows
    increase increased increases increasing lengthen lengthened lengthening lengthens raise
    raised raises raising rise risen rises rising rose
"""
_FALLS = """
    cut cuts cutting decline declined declines declining decrease decreased decreases decreasing
    drop dropped dropping drops fall fallen falling falls fell lag lagged lagging lags lowered
    lowering lowers reduce reduced reduces reducing reduction reductions save saved saves saving
    savings shorten shortened shortening shortens shrank shrink shrinking shrinks shrunk slashed
    slashes slashing trail trailed trailing trails trim trimmed trimming trims
"""
_VERBS: Mapping[str, Direction] = {
    **dict.fromkeys(_RISES.split(), "rise"),
    **dict.fromkeys(_FALLS.split(), "fall"),
}
_PREPOSITIONS = frozenset("by from of to".split())
# What may stand between the preposition and the number.
_FILLERS = _PREPOSITIONS.union(
    [""],
    """
    a about additional almost an approximately around as at average further just least more most
    much nearly only over roughly than up
    """.split(),
)
_SIGNS = "~≈<>+-$"
_NEXT_CLAUSE = frozenset("and but whereas while with".split())
_DENIALS = frozenset("instead never no nor not rather without".split())
_COMPARED = re.compile(
    r"[ -](?:(?!or |and |at |than |with )[a-z]+ )?(?:"
    r"(?P<rise>(?:higher|more|greater|larger|longer|above|ahead|increases?|rises?|growth)\b)"
    r"|(?P<fall>(?:lower|fewer|less|smaller|shorter|below|behind|short of|reductions?|decreases?"
    r"|drops?|declines?|savings?)\b))"
)
_WINDOW = 100
_AFTER = 40
_NEAR = 3  # words before what they deny


def stated_change(text: str, quantity: Quantity) -> Change | None:
    """What an English text says of one of its quantities."""
    start, end = quantity.span
    words = text[max(0, start - _WINDOW) : start].lower().split()
    if found := _COMPARED.match(text, end):
        denied = _are_denied(words[-_NEAR:])
        direction: Direction = "rise" if found["rise"] else "fall"
        return None if denied else Change(direction, text[start : found.end() + _AFTER])
    place = len(words)
    while place and words[place - 1].strip(_SIGNS) in _FILLERS:
        place -= 1
    if _PREPOSITIONS.isdisjoint(words[place:]):
        return None
    for index in reversed(range(place)):
        word = words[index]
        if word in _NEXT_CLAUSE or word.endswith((".", ",", ";", ":")):
            return None
        if verb := _VERBS.get(word):
            denied = _are_denied(words[max(0, index - _NEAR) : index])
            return None if denied else Change(verb, " ".join(words[index:]))
    return None


def _are_denied(words: Sequence[str]) -> bool:
    return not _DENIALS.isdisjoint(words)


# --- Korean --------------------------------------------------------------------------------------

_UP = (
    r"증가|늘(?=[었어린리립림려렸고며으])|높(?=[아였이여인입은음습임다았고게])|상승|올(?=[라랐린렸리립림])"
    r"|오른|오름|확대|많(?=[은음습다았아])|길어|커(?=[지진집짐졌])"
)
_DOWN = (
    r"감소|줄(?=[었어인이입임여고며였])|낮(?=[아았췄추춘춤춥은음습다고])|하락|떨어|내(?=[려리립림렸린])"
    r"|축소|절감|단축|절약|적(?=[은음습다었어게])|짧(?=[아은음습])|작(?=[아은음습])"
)
_FOLLOWED = re.compile(
    r"p?(?:\([^()]{1,30}\))?(?:나|씩|만큼|까지|가량|정도|으?로)?"
    r" ?(?:이상|가까이|정도|가량|넘게|소폭|크게|대폭|더|까지)? ?(?:더 )?"
    rf"(?:(?P<rise>{_UP})|(?P<fall>{_DOWN}))(?![가-힣]{{0,2}}지 (?:않|못))"
)
_BEGINNINGS = frozenset(
    " p(나씩만까가정으로이넘소크대더증늘높상올오확많길커감줄낮하떨내축절단적짧작"
)
# 27배 높은 처리량: what changes stands behind the verb.
_BEFORE_NOUN = re.compile(r"(?:[은인린춘진한된]|어난|어든) ")
_CLAUSE = re.compile(r"(?:고|며|지만|면서|,) ")
_BESIDE = 24


def said_change(text: str, quantity: Quantity) -> Change | None:
    """What a Korean text says of one of its quantities right after it."""
    start, end = quantity.span
    found = _FOLLOWED.match(text, end) if text[end : end + 1] in _BEGINNINGS else None
    if found is None:
        return None
    if noun := _BEFORE_NOUN.match(text, found.end()):
        words = text[noun.end() : noun.end() + _BESIDE]
    else:
        words = _CLAUSE.split(text[max(0, start - _BESIDE) : start])[-1]
    return Change("rise" if found["rise"] else "fall", words)
