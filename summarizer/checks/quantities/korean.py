"""Korean numerals and number words: 3천6백만, 12만8천, 수백만, 두 가지, 열두 명, 삼 단계, 절반."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

LARGE = {"만": 10**4, "억": 10**8, "조": 10**12, "경": 10**16}
_SMALL = {"십": 10, "백": 100, "천": 1000}
_DIGITS = {digit: value for value, digit in enumerate("영일이삼사오육칠팔구")}
_TOKEN = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?|[가-힣]")

# --- numerals ------------------------------------------------------------------------------------


def numeral(written: str) -> Decimal:
    """The value of a numeral of Hangul, of digits or of both.

    The rules are those that Lucene documents for its KoreanNumberFilter (`nori_number`):
    삼천2백2십삼 is 3,223, 1.2만345.67 is 12,345.67 and 일영영영 is 1,000.
    """
    total = section = Decimal(0)
    pending: Decimal | None = None
    for token in _TOKEN.findall(written):
        if token in _DIGITS:
            pending = (pending or 0) * 10 + Decimal(_DIGITS[token])
        elif token in _SMALL:
            section += (1 if pending is None else pending) * _SMALL[token]
            pending = None
        elif token in LARGE:
            section += pending or 0
            total += (section or 1) * LARGE[token]
            section, pending = Decimal(0), None
        else:
            digits = token.replace(",", "")
            pending = (pending or 0) * 10 ** len(digits) + Decimal(digits)
    return total + section + (pending or 0)


def write(value: Decimal) -> str:
    """A number below 10^20 as Korean writes it: 38억, 1,450억, 123만 4,567, 3.7."""
    for unit, scale in reversed(LARGE.items()):
        if value >= scale:
            head = value / scale
            if head == round(head, 2):
                return f"{head.normalize():,f}{unit}"
            whole, rest = divmod(value, scale)
            return f"{whole:,f}{unit} {write(rest)}"
    return f"{value.normalize():,f}"


# What a scale is not: 조각 are pieces, 백본 is a backbone, 만들다 is to make.
_SCALE = (
    r"(?:십|백(?!본|엔드|업|분율)|천(?!연|재)|만(?![들약족큼나])|억(?![제압])"
    r"|조(?![각합건직사정율화작])|경(?![가-힣]))"
)
_NUMBER = r"[0-9]{1,15}(?:,[0-9]{3})*(?:\.[0-9]+)?"
_THINGS = r"(?:개|명|장|건|원|달러|토큰|쌍|편|시간|배)"
_REST = rf"(?: (?=[0-9],?[0-9]{{3}}|[0-9]{{1,3}} ?{_THINGS}))?"
_SCALED = re.compile(
    rf"{_NUMBER}(?:{_SCALE}{{1,3}}| [십백천]?[만억](?=[\s,.)]|{_THINGS}|$))"  # 13억, 2 만 개
    rf"(?: ?(?:{_NUMBER})?{_SCALE}{{1,3}}){{0,4}}"  # 12만 8천
    rf"(?:(?<=[만억조경천]){_REST}{_NUMBER})?"  # 12만 8,000
)
_ONLY = re.compile(rf"만(?![0-9]| ?{_THINGS})")


def read_scaled(text: str, position: int) -> tuple[int, Decimal] | None:
    """Digits with Korean scales (12만8천) at `position`: their end and value."""
    found = _SCALED.match(text, position)
    return (found.end(), numeral(found[0])) if found else None


def may_mean_only(text: str, end: int) -> bool:
    """Whether the 만 at the end of a numeral may be the particle: 5만으로 is "with only 5" too."""
    return text[end - 1] == "만" and text[end - 2].isdigit() and bool(_ONLY.match(text, end - 1))


# --- number words --------------------------------------------------------------------------------

_ONES = dict(zip("한 두 세 네 다섯 여섯 일곱 여덟 아홉".split(), range(1, 10), strict=True))
_TENS = dict(
    zip("열 스물 서른 마흔 쉰 예순 일흔 여든 아흔".split(), range(10, 100, 10), strict=True)
) | {"스무": 20}
_NATIVE = re.compile(rf"({'|'.join(_TENS)})?({'|'.join(_ONES)})?")
_ENDING = r"(?=[\s,.()/·:]|[의를을가이는은로와과에만씩간짜]|$)"
_COUNTER = (
    r"(?:가지|개월|개국|종류|단계|차원|분야|시간|사람|번째|퍼센트|토큰|달러|측면|유형|그룹|언어|모델"
    r"|데이터셋|벤치마크|작업|과제|방법|모듈|요소|도메인|모달리티"
    rf"|(?:개|명|장|편|종|쌍|줄|대|곳|건|번|배|층|달|주|해|년|회|위|축){_ENDING})"
)
COUNTED = re.compile(rf"[ ]?{_COUNTER}")
"""What follows a number of things."""

# A word begins only where no Hangul stands before it: 한 ends many adjectives, 이 is a particle.
# What follows its first syllable leaves few of the places that `_WORD` would have to try.
_START = re.compile(
    r"[두세네다여일아열스서마쉰예이삼사오육칠팔구십백천만수몇절](?<![가-힣].)(?:"
    r"(?<=[두세네])(?=[ 가개번배단종명차쌍시사])|(?<=[열쉰십백천만])|(?<=[몇수])(?=[ 십백천만억조])"
    r"|(?<=[이삼사오육칠팔구])(?=[십백천단차개퍼가 ])"
    r"|(?<=다)섯|(?<=여)[섯덟]|(?<=일)[곱흔]|(?<=아)[홉흔]|(?<=스)[무물]|(?<=서)른|(?<=마)흔"
    r"|(?<=예)순|(?<=절)반)"
)
_DIGIT = "[이삼사오육칠팔구]"
_LAST_DIGIT = "[일이삼사오육칠팔구]"
_ONE = "|".join(_ONES)
_WORD = re.compile(
    rf"""
    (?P<half>절반)
    |(?:수|몇[ ]?)(?P<vague>[십백천][만억조]?|[만억조](?=[ ]?{_COUNTER}))
    # Without a scale or a counter, 사이 (between), 구조 (structure) and 이상 (over) are no numbers.
    |(?P<sino>
        (?:{_DIGIT}?[십백천]){{1,4}}[만억조](?!장자)
        |(?:{_DIGIT}[십백천]|{_DIGIT}?[천백]{_DIGIT}?[백십]){{1,2}}{_LAST_DIGIT}?
         (?=[ ]?{_COUNTER})
        |십{_LAST_DIGIT}(?=[ ]?{_COUNTER})
        |[십백천만](?=[ ]{_COUNTER})
        |[삼사오육칠팔구십](?=[ ]?(?:단계|차원|개월|퍼센트|가지)
                           |[ ](?:개|명|회|년|배|번|장|종|편){_ENDING})
    )
    # 세계 (world), 세대 (generation) and 네트워크 (network) are no numbers either.
    |(?P<native>
        [두세네](?=[ ]\S|(?:가지|개|번|배|단계|종류|명|개월|차원|쌍|시간|사람)(?!골))
        |(?:다섯|여섯|일곱|여덟|아홉|스무)(?=[ ]?[^\s째])
        |열(?=[ ]?(?:개|가지|명|번|배){_ENDING})
        |(?:열(?:{_ONE})|(?:스물|서른|마흔|쉰|예순|일흔|여든|아흔)(?:{_ONE})?)
         (?=[ ]?{_COUNTER})
    )
    """,
    re.VERBOSE,
)


class Word(NamedTuple):
    """A number word: its place and value; `vague` says only a power of ten (수백만)."""

    start: int
    end: int
    value: Decimal
    vague: bool = False


def read_words(text: str) -> list[Word]:
    """The number words of a Korean text, in order.

    한 and 하나 are not read: they say "a" as often as "one".
    """
    words: list[Word] = []
    for begun in _START.finditer(text):
        found = _WORD.match(text, begun.start())
        if found is None:
            continue
        start, end = found.span()
        if found["half"]:
            words.append(Word(start, end, Decimal("0.5")))
        elif found["native"]:
            native = _NATIVE.match(found[0])
            tens, ones = native.groups() if native else ("", "")
            words.append(Word(start, end, Decimal(_TENS.get(tens, 0) + _ONES.get(ones, 0))))
        else:
            vague = found["vague"]
            words.append(Word(start, end, numeral(vague or found[0]), vague=bool(vague)))
    return words
