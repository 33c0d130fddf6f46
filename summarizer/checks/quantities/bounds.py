"""What a text says around a number: up to, over, about / 최대, 이상, 약."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from summarizer.checks.quantities.quantity import Bound, Quantity

_BEFORE: dict[str, Bound] = {
    **dict.fromkeys(
        "최대|많게는|up to|upto|at most|no more than|not more than|not exceeding|maximum of|max"
        "|less than|fewer than|lower than|smaller than|under|below|within|as much as|as many as"
        "|as high as|as long as|as large as|<|≤|<=".split("|"),
        "<=",
    ),
    **dict.fromkeys(
        "최소|최소한|적어도|at least|no less than|no fewer than|not less than|minimum of|more than"
        "|greater than|larger than|higher than|over|above|exceeding|exceeds|exceed|upwards of"
        "|in excess of|beyond|>|≥|>=".split("|"),
        ">=",
    ),
    **dict.fromkeys(
        "약|대략|거의|최고|최저|근|about|approximately|approx.|around|roughly|nearly|almost|some"
        "|close to|as low as|as few as|as little as|as small as|down to|~|±".split("|"),
        "~",
    ),
}
_LONGEST = max(len(phrase.split()) for phrase in _BEFORE)
_WINDOW = 48
# Words that may stand between a bound and its number.
_FILLERS = frozenset(("", "a", "an", "총", "무려", "단", "약", "about", "approximately", "us"))
_LAST_WORDS = _FILLERS.union(phrase.rpartition(" ")[2] for phrase in _BEFORE)
_PUNCTUATION = "(*[\"'“‘,:$"
_NEGATIONS = frozenset(("not", "never", "no", "none", "nor", "without"))
_EXCEEDS = frozenset(("exceed", "exceeds", "exceeding"))
_SUBJECT = 4  # words: "no open-weight model exceeds 20%"
_PLACES = frozenset(("under", "within", "above", "below", "beyond"))
_MANY = 100
_NOT_OVER = re.compile(
    r"averag|improve|gain|advantage|increase|reduc|speed|boost|perform|train|test|evaluat|run|sum"
    r"|benchmark|across|progress|win|victor|negotiat|bargain|debat|compet|rang(?:es?|ing)$|span"
)
_PREFERRED = re.compile(r"prefer|favou?r|cho(?:se|ose|osing)|rated$")
_AVERAGED = re.compile(
    r"averag|mean$|median|aggregat|sum(?:s|med|ming|mation)?$|ablati|swe[ep]|iterat|integrat"
    r"|distribut|expectation|variance|deviation"
)
_ROUNDS = re.compile(r" (?:[a-z-]+ ){0,2}?(?:batch(?:es)?|epochs|folds|iterations|runs|seeds)\b")
# "240 real trials over eight tasks"; but "12 languages, over 8 of them new" is a bound.
_COUNTED = re.compile(r"[0-9]\S* (?:[A-Za-z-]+ ){0,2}[A-Za-z-]+s over \Z")
# "preferred by over 80 users" and "the mean of over 80 runs" are bounds.
_JOINING = frozenset("across at by for from in of on to with".split())
# 세계 최대 10억 쌍: the largest in the world.
_LARGEST_OF = frozenset("세계 국내 사상 역대 현존 업계 현재까지 기존".split())
_AFTER = re.compile(
    r"[²³]?(?: [A-Za-z]{1,8})? ?[가-힣]{0,4}?(?:\([^()]{1,40}\)|\))?[이가을를의]? ?(?:"
    r"(?P<over>이상(?! ?(?:탐지|감지|검출|치|현상|행동|적|한|징후))|초과|상회|웃[도돌돎돕]"
    r"|넘(?!기?지[는도]? ?(?:않|못))|보다 ?(?:많|크|큰|클|길|긴|높))"
    r"|(?P<under>이하|미만|이내|안에|아래|넘기?지|못 미|미치지|밑[도돌돎돕]|하회"
    r"|보다 ?(?:적|작|짧|낮)|도 (?:[가-힣]{1,4}지 )?(?:안|않|못)|도 ?되지|(?:안|못) [되된됐돼됨]"
    r"|채 (?:안|못|[가-힣]{1,3}지))"
    r"|(?P<about>까지|에 ?달|에 ?이르|가까이|남짓|정도|가량|내외|안팎))"
    r"|(?P<more>\+(?![0-9])| (?:or|and) (?:more|above|higher|over|greater)\b)"
    r"|(?P<fewer> or (?:less|fewer|lower|below)\b)"
    r"|(?P<some>여 ?(?:개|명|가지|편|종|건|년|쌍|장|곳|배))"
)
_AFTER_IN_ENGLISH = ("+", " or ", " and ")
_NEGATED = re.compile(r"[가-힣 ]{0,10}?(?:지 ?(?:않|못)|없)")
_SIGNS: dict[str, Bound] = {"<": "<=", "≤": "<=", ">": ">=", "≥": ">="}  # also glued: δ<1.25
_ARROWS = frozenset("-=")
_KINDS: dict[str, Bound] = {
    "over": ">=", "more": ">=", "under": "<=", "fewer": "<=", "about": "~", "some": "~"
}  # fmt: skip


def read_bound(text: str, quantity: Quantity) -> Bound:
    """What limits a quantity; its places are those of `text`."""
    end = quantity.span[1]
    before = _before(text, quantity)
    if before in ("<=", ">="):
        return before
    if text.isascii() and not text.startswith(_AFTER_IN_ENGLISH, end):
        return before
    after = _AFTER.match(text, end)
    if after is None and end != quantity.number_end:
        after = _AFTER.match(text, quantity.number_end)
    if after is None:
        return before
    # "does not fall by more than 5%" is no lower bound.
    return "~" if _NEGATED.match(text, after.end()) else _KINDS[after.lastgroup or ""]


def _before(text: str, quantity: Quantity) -> Bound:
    start = quantity.span[0]
    if sign := _SIGNS.get(text[start - 1 : start]):
        return sign if text[start - 2 : start - 1] not in _ARROWS else ""
    last = text[max(0, start - 14) : start].rsplit(None, 1)
    if last and last[-1].lower().strip(_PUNCTUATION) not in _LAST_WORDS:
        return ""
    words = [
        word.strip(_PUNCTUATION)
        for word in text[max(0, start - _WINDOW) : start].lower().split()[-_LONGEST - 2 :]
    ]
    about: Bound = ""
    while words and words[-1] in _FILLERS:
        about = "~" if words.pop() in _BEFORE else about
    for count in range(min(_LONGEST, len(words)), 0, -1):
        phrase = " ".join(words[-count:])
        bound = _BEFORE.get(phrase)
        if bound:
            ahead = words[-count - 1] if len(words) > count else ""
            near = _SUBJECT if phrase in _EXCEEDS else 2 if ahead == "by" else 1
            if not _NEGATIONS.isdisjoint(words[max(0, len(words) - count - near) : -count]):
                return "~"
            if _is_no_bound(phrase, ahead, quantity):
                return ""
            return "" if _is_told_of(text, quantity, phrase, words[:-count]) else bound
    return about


def _is_no_bound(phrase: str, ahead: str, quantity: Quantity) -> bool:
    """Whether a word has its other sense: "gains over 3 baselines", "under 5 settings"."""
    if phrase == "over":
        return quantity.unit in ("s", "month") or bool(_NOT_OVER.match(ahead))
    if phrase in _PLACES:
        return not quantity.unit and quantity.value < _MANY
    return phrase == "최대" and ahead in _LARGEST_OF


def _is_told_of(text: str, quantity: Quantity, phrase: str, words: list[str]) -> bool:
    """Whether things are counted over which something is preferred, averaged or repeated."""
    if phrase not in ("over", "more than") or quantity.unit or (words and words[-1] in _JOINING):
        return False
    start, end = quantity.span
    if phrase == "over" and (
        _ROUNDS.match(text, end) or _COUNTED.search(text, max(0, start - _WINDOW), start)
    ):
        return True
    for word in reversed(words):
        if word.endswith((".", ";", "?", "!")):
            return False
        if _PREFERRED.match(word) or (phrase == "over" and _AVERAGED.match(word)):
            return True
    return False
