"""Units of quantities, in English and Korean, by the dimension that they measure."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal

_ONE = Decimal(1)
NO_UNIT = ("", _ONE)

# dimension: the writings of its units, each with its factor. Months and years stand apart from
# seconds, since they have no fixed length.
_LATIN = {
    "%": {"1": "percent pct"},
    "%p": {"1": "pp"},
    "point": {"1": "point points pt pts"},
    "x": {"1": "x X times fold"},
    "s": {
        "1e-9": "ns nanosecond nanoseconds",
        "1e-6": "us µs μs microsecond microseconds",
        "0.001": "ms msec millisecond milliseconds",
        "1": "s sec secs second seconds",
        "60": "min mins minute minutes",
        "3600": "h hr hrs hour hours",
        "86400": "day days",
        "604800": "week weeks",
    },
    "month": {"1": "month months", "12": "year years yr yrs", "120": "decade decades"},
    "B": {
        "1": "byte bytes",
        "1e3": "KB kB KiB kilobyte kilobytes",
        "1e6": "MB MiB megabyte megabytes",
        "1e9": "GB GiB gigabyte gigabytes",
        "1e12": "TB TiB terabyte terabytes",
        "1e15": "PB PiB petabyte petabytes",
    },
    "bit": {"1": "bit bits"},
    "Hz": {"1": "Hz hertz", "1e3": "kHz KHz", "1e6": "MHz", "1e9": "GHz"},
    "m": {"1e-9": "nm", "1e-3": "mm", "1e-2": "cm", "1": "m meter meters", "1e3": "km"},
    "g": {"1e-6": "µg μg", "1e-3": "mg", "1": "g gram grams", "1e3": "kg kilogram kilograms"},
    "W": {"1e-3": "mW", "1": "W watt watts", "1e3": "kW kilowatt kilowatts", "1e6": "MW"},
    "J": {"1e-3": "mJ", "1": "J joule joules", "1e3": "kJ", "3600": "Wh", "3.6e6": "kWh"},
    "bit/s": {"1e3": "kbps Kbps", "1e6": "Mbps", "1e9": "Gbps"},
    "FLOP": {
        "1": "flop flops FLOP FLOPs FLOPS",
        "1e6": "MFLOPs MFLOPS MFlops",
        "1e9": "GFLOPs GFLOPS GFlops GFLOP",
        "1e12": "TFLOPs TFLOPS TFlops TFLOP",
        "1e15": "PFLOPs PFLOPS PFlops PFLOP",
    },
    "USD": {"1": "dollar dollars USD", "0.01": "cent cents"},
    "EUR": {"1": "euro euros EUR"},
    "KRW": {"1": "KRW"},
    "D": {"1": "D dimension dimensions dimensional dim dims d"},
    "fps": {"1": "fps FPS"},
    "dB": {"1": "dB db decibel decibels"},
    "ordinal": {"1": "st nd rd th"},
    "": {"1": "p px pixel pixels DoF DOF dof"},
}
# What must not follow is written as a lookahead: 배치 is a batch, 분야 a field, 일반 is general.
_KOREAN = {
    "%": {"1": "퍼센트 프로(?![그세젝토필파])"},
    "%p": {"1": r"퍼센트\s?포인트"},
    "point": {"1": "포인트 점(?![진차])"},
    "x": {"1": "배(?![치경열포분달]) 곱절"},
    "s": {
        "1e-9": "나노초",
        "1e-6": "마이크로초",
        "0.001": "밀리초",
        "1": "초(?![기점과해대안월])",
        "60": "분(?![야류포할석기량자리산명])",
        "3600": "시간",
        "86400": "일(?![반정부관치종련상])",
        "604800": "주일 주(?![요제장파])",
    },
    "month": {"1": "개월 달(?![러성])", "12": "년(?!대) 연(?=간)"},
    "B": {
        "1": "바이트",
        "1e3": "킬로바이트",
        "1e6": "메가바이트",
        "1e9": "기가바이트",
        "1e12": "테라바이트",
        "1e15": "페타바이트",
    },
    "bit": {"1": "비트"},
    "Hz": {"1": "헤르츠", "1e3": "킬로헤르츠", "1e6": "메가헤르츠", "1e9": "기가헤르츠"},
    "m": {
        "1e-9": "나노미터",
        "1e-3": "밀리미터",
        "1e-2": "센티미터",
        "1": "미터",
        "1e3": "킬로미터",
    },
    "g": {"1": "그램", "1e3": "킬로그램"},
    "W": {"1": "와트", "1e3": "킬로와트"},
    "USD": {"1": "달러", "0.01": "센트"},
    "EUR": {"1": "유로"},
    "KRW": {"1": "원(?![소칙본문리래격인형샷])"},
    "D": {"1": "차원"},
    "fps": {"1": "프레임"},
    "dB": {"1": "데시벨"},
    "month of the year": {"1": "월(?![등간])"},
    "ordinal": {"1": "번째 위(?![한해치험]) 순위 인칭 세기 분기"},
}
_SIGNS = {"$": "USD", "€": "EUR", "₩": "KRW", "£": "GBP", "¥": "JPY"}
PREFIXES = frozenset((*_SIGNS, *"xX×"))

LATIN_UNITS = {
    writing: (unit, Decimal(factor))
    for unit, factors in _LATIN.items()
    for factor, writings in factors.items()
    for writing in writings.split()
} | {"month of the year": ("month of the year", _ONE)}
_KOREAN_UNITS = sorted(
    (
        (pattern, unit, Decimal(factor))
        for unit, factors in _KOREAN.items()
        for factor, patterns in factors.items()
        for pattern in patterns.split()
    ),
    key=lambda row: -len(row[0].partition("(")[0]),
)
_BY_FIRST: dict[str, list[tuple[re.Pattern[str], str, Decimal]]] = defaultdict(list)
for _pattern, _unit, _factor in _KOREAN_UNITS:
    _BY_FIRST[_pattern[0]].append((re.compile(_pattern), _unit, _factor))
MAGNITUDE = re.compile(r"[ -]orders?[ -]of[ -]magnitude\b| ?자[릿리]수")
"""What makes a number a power of ten: three orders of magnitude, 세 자릿수."""

# Apart from its number, a unit of one syllable ends there: "3 분야" are three fields.
_ENDED = re.compile(r"[^가-힣]|[의를을가이는은로와과에만씩간짜동마]|$")
_WORD = re.compile(r"[A-Za-zµμ]+")
# Apart from their number these are something else: "5 m" of a name, "p < 0.05".
_ONLY_GLUED = frozenset(("p", "m", "g", "d", "st", "nd", "rd", "th", "us", "X", "pt"))
_POINTS = re.compile(r"-?[ ]?p(?:oint|t)?s?(?![A-Za-z])|[ ]?포인트")
_POINTS_OF_PERCENT = re.compile(r"(?:age)?[ -]points?(?![A-Za-z])")


def read_unit(text: str, position: int) -> tuple[int, str, Decimal] | None:
    """The unit that stands after a number ending at `position`: its end, dimension and factor.

    Returns:
        None where letters are glued to the number that are no unit: `3DGS`, `1b1`.
    """
    separator = text[position : position + 1]
    start = position + 1 if separator in (" ", "-") else position
    character = text[start : start + 1]
    if character == "%" and separator != "-":
        points = _POINTS.match(text, start + 1)
        return (points.end(), "%p", _ONE) if points else (start + 1, "%", _ONE)
    if character == "°":
        return start + 1 + (text[start + 1 : start + 2] in ("C", "F")), *NO_UNIT
    if character == "×" and not text[start + 1 : start + 3].strip()[:1].isdigit():
        return start + 1, "x", _ONE
    if character >= "가":
        for pattern, unit, factor in _BY_FIRST.get(character, ()):
            found = pattern.match(text, start)
            if found and (
                start == position or len(found[0]) > 1 or _ENDED.match(text, found.end())
            ):
                return found.end(), unit, factor
        return position, *NO_UNIT
    word = _WORD.match(text, start)
    return _latin(text, position, word) if word else (position, *NO_UNIT)


def _latin(text: str, position: int, found: re.Match[str]) -> tuple[int, str, Decimal] | None:
    word, end = found[0], found.end()
    separator = text[position : found.start()]
    lower = word.lower()
    unit = LATIN_UNITS.get(word) or (LATIN_UNITS.get(lower) if len(word) > 2 else None)
    if unit is None and separator and not lower.startswith("per"):
        return position, *NO_UNIT
    if lower in ("percentage", "percent") and (points := _POINTS_OF_PERCENT.match(text, end)):
        return points.end(), "%p", _ONE
    if lower == "per" and text.startswith(" cent", end):
        return end + 5, "%", _ONE
    followed = text[end : end + 1].isdigit()
    if lower == "x" and (followed or text[end : end + 2].strip().isdigit()):
        return position, *NO_UNIT  # 1024x1024
    if not separator and followed:
        return None  # 1b1
    if unit and not (separator and word in _ONLY_GLUED) and (separator != "-" or len(word) > 1):
        return end, *unit
    if separator:
        return position, *NO_UNIT
    # 250nm or 7.4Tops is measured in what is not known here; 3DGS and 50Salads are names.
    measured = word[0].islower() or "." in text[max(0, position - 4) : position]
    return (position, *NO_UNIT) if measured and len(word) <= 5 else None


def read_prefix(text: str, position: int) -> str:
    """The dimension of the sign before a number that begins at `position`: $5, ×4."""
    sign = text[position - 1]
    if sign in "xX×" and (position == 1 or text[position - 2] in " (\n"):
        return "x"
    return _SIGNS.get(sign, "")
