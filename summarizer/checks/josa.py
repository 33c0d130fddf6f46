"""Whether a Korean particle has the form that the sound before it asks for: 모델은, 데이터는.

Rules and closed lists of words, and no library: tossi, hangeul, hangulpy, es-hangul and pyjosa
choose a particle for a word that is given, and none finds the particles of a running text; a
morphological analyser (kiwipiepy) does, but takes three seconds to start and 520 MB. What makes
rules enough is that only the *wrong* form has to be recognised. Few words of Korean end in what
looks like a wrong particle (평가, 차이, 효과, 경로, 찾는), and these can be listed.

Norms: Hangul orthography (한글 맞춤법) and the National Institute of Korean Language's answers on
it: after a bracket the particle follows the word before it, figures are read in Sino-Korean,
capitals letter by letter, and after ㄹ stands 로.
"""

from __future__ import annotations

import re
from functools import lru_cache
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Literal, NamedTuple

from summarizer.digest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from summarizer.checks.reading import Readings

_OTHER = {"은": "는", "이": "가", "을": "를", "과": "와", "으로": "로", "이라": "라"}
_AFTER_CONSONANT = frozenset(_OTHER)
_OTHER |= {after_vowel: after_consonant for after_consonant, after_vowel in _OTHER.items()}

# The Unicode syllables stand in blocks of 28: one without a final consonant, then 27 with one.
_BLOCKS = range(ord("가"), ord("힣"), 28)
# Letters and figures stand here that may be read so at the end of any word (`_latin`, `_figures`).
_VOWELS = "".join(chr(first) for first in _BLOCKS) + "A-KO-Zabdfhijkopqrsu-z2459%"
_CONSONANTS = "".join(f"{chr(first + 1)}-{chr(first + 27)}" for first in _BLOCKS) + "LMNln013678"
_RIEUL = "".join(chr(first + 8) for first in _BLOCKS) + "Ll178"
_NOT_RIEUL = (
    "".join(f"{chr(f + 1)}-{chr(f + 7)}{chr(f + 9)}-{chr(f + 27)}" for f in _BLOCKS) + "MNn036"
)

_END = r"(?![^\s.,;:!?)\]}\"'”’」』*_…])"
_WA_TAIL = rf"(?=[의는도만]?{_END})"
_RO_TAIL = rf"(?=(?:서|써|부터|까지)?[의는도만]?{_END})"
_RA_TAIL = rf"(?=[는고]{_END})"


def _unless_right_after(syllables: str, form: str) -> str:
    """A particle after anything that is written, but for the syllables that it is right after."""
    return f"{form}(?<=[^\\sㄱ-ㅣ{syllables}]{'.' * len(form)})"


# Each branch begins with a letter, which lets the search pass over all others.
_SUSPECT = re.compile(
    "|".join(
        [
            *(_unless_right_after(_VOWELS, form) + _END for form in "는가를"),
            *(_unless_right_after(_CONSONANTS, form) + _END for form in "은이을"),
            _unless_right_after(_VOWELS, "와") + _WA_TAIL,
            _unless_right_after(_CONSONANTS, "과") + _WA_TAIL,
            _unless_right_after(_VOWELS + _RIEUL, "로") + _RO_TAIL,
            _unless_right_after(_NOT_RIEUL, "으로") + _RO_TAIL,
            _unless_right_after(_VOWELS, "라") + _RA_TAIL,
        ]
    )
)
_MAY_BE_LEFT_OPEN = re.compile(r"\([는은가이를을와과으]\)")
_LEFT_OPEN = re.compile(
    r"은\(는\)|는\(은\)|이\(가\)|가\(이\)|을\(를\)|를\(을\)|과\(와\)|와\(과\)|\(으\)로|\(이\)라(?=[는고])"
)
_HANGUL = re.compile("[가-힣]++\\Z")

# --- words that end in what looks like a wrong particle ------------------------------------------

# Verbs whose stem ends in a consonant, before -는 (찾는): the last syllables that end no noun of
# note, and all with ㅆ (했는); then whole stems, since 담는 is a verb, and 부담는 is wrong.
_STEM_SYLLABLES = frozenset(
    "갉갖갚같걷겪곪굳굵굶굽긁긷깎꺾꼽꽂꿇끊끓낚낳넘넣녹놓눕닦닫닮닳닿덮돋돕듣딛딪땋뚫뜯막맞맡맺멎"
    "묶묻믿밌밟받뱉벗벋볶뵙붓붙빻빼뺏뻗뽑뿜섞솎솟싣싶쌓썩쏟씹씻앉않앓앗얹얻얽없엎엮옭옮읊있읽잃잇잊"
    "잖잡젖좇줍짊짓짖짚쫓찍찢찧찮찾춥컫핥훑흩"
) - {"막"} | {chr(first + 20) for first in _BLOCKS}
_STEMS = frozenset(
    """
    가다듬 가로막 갈아입 감 감싸안 귀담 긋 까먹 껴안 꼬집 끌어안 나눠담 남 눌러담 다듬 담 더듬
    덧입 되감 뒤집 떠안 떼어먹 막 맞먹 머금 먹 몸담 묵 박 보듬 붙박 비웃 빗 빚 뿌리박 살아남 삶
    삼 속 숨 신 심 써먹 쓸어담 안 업 웃 익 일삼 입 잡아먹 적 접 주워담 죽 집 차려입 참 처박
    틀어막 틀어박 퍼먹 품 헤집 휘감 힘입
    """.split()
)
# Nouns, adverbs and forms of verbs. The first ones also end compounds: 성능평가, 최단경로.
_COMPOUNDING = tuple("평가 국가 작가 증가 첨가 차이 레이 웨이 효과 초과 투과 경로".split())
_WORDS = frozenset(
    """
    감가 강가 건축가 고평가 구입가 극작가 기업가 길가 농가 누군가 단가 대가 등가 등산가 모험가
    무언가 무용가 물가 뭔가 미술가 미식가 민가 발명가 번역가 법률가 분석가 불가 비전문가 비평가
    사상가 사업가 사진가 상가 생가 소설가 수집가 시가 실천가 어딘가 언젠가 여행가 연출가 예술가
    운동가 원가 은행가 음악가 이론가 인가 자산가 작곡가 재평가 저평가 전가 전략가 전문가 정가
    조각가 종가 진가 찬가 참가 철학가 총평가 출가 탐험가 평론가 해설가 행정가 혁명가 활동가
    가까이 가벼이 게이 고이 구이 그레이 그사이 기꺼이 까다로이 나이 너그러이 넥타이 누이 다채로이
    단조로이 데이 두바이 드라이 디코이 딜레이 런웨이 릴레이 메이 바이 반가이 밤사이 번거로이 베이
    보이 브이 사이 상하이 새로이 서베이 순조로이 스카이 스파이 슬기로이 아이 어레이 어린아이
    에세이 에이 오이 와이 와이파이 요사이 이베이 자유로이 제이 조이 조화로이 즐거이 카이 케이
    타이 토이 트레이 트로이 파이 페이 평화로이 플라이 플레이 하노이 하와이 하이 한가로이 헛되이
    흥미로이 제미나이 에이아이 라즈베리파이 스포티파이
    교과 내과 다과 부과 비뇨기과 사과 소아과 여과 역효과 외과 의과 정형외과 제과 치과 피부과
    공로 교통로 근로 난로 대학로 등산로 백로 산책로 선로 신작로 용광로 원로 육로 장로 종로 직항로
    진로 진입로 탄로 통로 판로 폭로 항공로 항로 행로 향로 험로
    그러모은 그은 긁어모은 끌어모은 나은 뒤이은 모은 부은 쏟아부은 연이은 저은 지은 퍼부은 하은
    휘저은
    가을 마을 고을 그러모을 그을 끌어모을 나을 노을 늦가을 뒤이을 리을 모을 부을 저녁노을 저을
    지을 초가을 퍼부을
    """.split()
) | {
    noun + form
    for noun in """
    결론 결말 결부 결정 경계 관련 구분 구별 구획 규정 그룹 마무리 매듭 무리 범주 연결 연관 이름
    종결 짝 차별 특징 판가름 한정
    """.split()
    for form in ("지은", "지을")
}
# 잇다 takes an object, which 이 ("this") does not: 둘을 이은, but not "…하며, 이은 …".
_JOINED = frozenset(["이은", "이을"])
_OBJECT = re.compile(r"[을를과와]\s*\Z")
_QUESTION = re.compile(r"(?:[는은던든른운떤쁜]|(?<!토)큰|(?<![제권극무])한|인)가\Z")
_NOUN_IN_IN = re.compile(
    r"(?:개|노|도메|디자|라|메|법|본|성|승|시|요|원|증|체|코|타|할|확|군)인가\Z"
)
# 달라는, 말라는, 놀라는 are verbs.
_STEMS_RA = frozenset("갈걸골길끌날놀눌달들딸말몰물발벌불빌빨살알열올울일잘졸질찔틀팔풀헐흘")


def _is_word(word: str, before: str) -> bool:
    """Whether a word is one, and not a noun with a wrong particle; `before` precedes it."""
    form = word[-1]
    if form == "는":
        return word[-2] in _STEM_SYLLABLES or word[:-1] in _STEMS
    if form == "라":
        return word[-2] in _STEMS_RA
    if word in _JOINED:
        return _OBJECT.search(before) is not None
    if form == "가" and _QUESTION.search(word) and not _NOUN_IN_IN.search(word):
        return True
    if word in _WORDS:
        return True
    # With one syllable more it is another word: 검증가, 오차이.
    return word.endswith(_COMPOUNDING) and len(word) != 3


# --- how a word ends when it is read aloud --------------------------------------------------------

# V: in a vowel, L: in ㄹ, C: in another consonant. Where it can be read two ways, both stand here.
_ANY = "VLC"
_DIGITS = dict(zip("0123456789", ("VC", "L", "V", "C", "V", "V", "C", "L", "L", "V"), strict=True))
# Figures of names are read in Sino-Korean or in English: GPT-4는, but GPT-3은 or GPT-3는.
_NAME_DIGITS = dict(
    zip("0123456789", ("VC", "LC", "V", "VC", "V", "V", "VC", "LC", _ANY, "VC"), strict=True)
)
_FIGURE = frozenset(digits)
_LATIN = frozenset(ascii_letters)
_BEFORE_PLAIN = frozenset("([\"'‘“~<>*")
_LONGEST = 40
_MOST_WORDS = 2**12  # whose sounds are kept
_UNITS = frozenset("GB MB KB TB Hz kHz MHz GHz D cm fps km m mm ms p x".split())
_LETTERS = {**dict.fromkeys("ABCDEFGHIJKOPQSTUVWXYZ", "V"), "L": "L", "M": "C", "N": "C", "R": "VL"}
_SPELLING = re.compile(
    r"(?:(?P<C>[mn]e?|ng|ic|(?<=[a-z])(?:net|set|get|bot|chat))"
    r"|(?P<L>le?)"
    r"|(?P<V>[aiouy]|[aeiou]e|[bcdfghkrstvz]e|[dfrvwxz]|ss|[aiou]s|[ahopst]h|ch|[nrs]k|(?<!ta)lk|[^aeiout]t|mp"
    r"))\Z"
)
_CLOSING = frozenset("*_`\"'”’」』")
_OPENING = {")": "(", "]": "["}
_LONGEST_BRACKET = 120


class _Host(NamedTuple):
    """What a particle stands after.

    Attributes:
        text: As written; before Hangul, what precedes it may stand there too.
        sounds: What it may end in when it is read; empty where it cannot be read.
        kind: The script of its last character.
        aside: Where the text ends that a bracket adds to it; 0 where there is none.
    """

    text: str = ""
    sounds: str = ""
    kind: Literal["", "hangul", "figure", "latin"] = ""
    aside: int = 0

    @property
    def word(self) -> str:
        """The word, and nothing that precedes it."""
        run = _HANGUL.search(self.text)
        return run[0] if run else self.text


def _host(text: str, end: int, *, in_bracket: bool = False) -> _Host:
    """Read what ends at `end`, behind closing quotes, markup and one bracket."""
    while end and text[end - 1] in _CLOSING:
        end -= 1
    last = text[end - 1 : end]
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        sounds = "L" if final == 8 else "C" if final else "V"
        return _Host(text[max(0, end - 12) : end], sounds, "hangul")
    if last == "%":
        return _Host(last, "V", "figure")
    if last in _OPENING and not in_bracket:
        return _before_bracket(text, end)
    if last in _FIGURE:
        before, figures = _run(text, end, f"{digits}.,")
        return _Host(figures, _figures(before, figures), "figure")
    if last in _LATIN:
        before, word = _run(text, end, ascii_letters)
        if before[-1:] in ("μ", "µ"):
            return _Host()  # 마이크로미터, 마이크로초: the letters do not say which
        unit = before[-1:].isdigit() or (
            len(word) < 4 and before[-1:] == " " and before[0].isdigit()
        )
        return _Host(word, _latin(word, unit=unit), "latin")
    return _Host()


def _run(text: str, end: int, characters: str) -> tuple[str, str]:
    """The characters in a row that end there, and the two that stand before them."""
    tail = text[max(0, end - _LONGEST) : end]
    run = tail[len(tail.rstrip(characters)) :]
    start = end - len(run)
    return text[max(0, start - 2) : start], run


def _before_bracket(text: str, end: int) -> _Host:
    position = _opened(text, end)
    if position is None:
        return _Host()
    blank = text[position - 1 : position] == " "
    outer = _host(text, position - blank, in_bracket=True)
    if not outer.sounds or (blank and text[position] == "["):
        return _host(text, end - 1, in_bracket=True)
    if outer.kind == "latin":
        inner = _host(text, end - 1, in_bracket=True)
        return _Host(outer.text, outer.sounds + (inner.sounds or _ANY), "latin")
    return _Host(outer.text, outer.sounds, outer.kind, aside=end - 1)


def _opened(text: str, end: int) -> int | None:
    """Where the bracket opens that closes before `end`."""
    closing = text[end - 1]
    opening = _OPENING[closing]
    position, closed = end - 1, 1
    while closed:
        within = position
        position = text.rfind(opening, max(0, end - _LONGEST_BRACKET + 1), within)
        if position < 0:
            return None
        closed += text.count(closing, position, within) - 1
    return position


def _figures(before: str, figures: str) -> str:
    """How figures end; `before` are the two characters that precede them."""
    number, prior = figures.lstrip(".,"), before[-1:]
    if prior in _LATIN or (prior and prior in "-_. " and before[0] in _LATIN):
        if len(number) == 1 or (number[-1] != "0" and number[-2] != "1"):
            return _NAME_DIGITS[number[-1]]
        return "C" if number == "10" else _ANY
    if prior and not (prior.isalnum() or prior.isspace() or prior in _BEFORE_PLAIN):
        return _ANY  # 1/8 ends in 1 when it is read, and 10^6 in 제곱
    if number[-1] != "0":
        return _DIGITS[number[-1]]
    whole = number.replace(",", "")
    return "C" if whole.strip("0.") and len(whole) <= 12 else _ANY


@lru_cache(maxsize=_MOST_WORDS)
def _latin(word: str, *, unit: bool) -> str:
    """How a word ends that is read letter by letter, or as it is spelt."""
    if unit and (len(word) == 1 or not word.isupper()):
        return "V" if word in _UNITS else _ANY  # 7B is read 비 or 십억
    if len(word) == 1:
        return _LETTERS[word.upper()]
    spelling = _SPELLING.search(word.lower())
    spelt = spelling.lastgroup or _ANY if spelling else _ANY
    if not word[-1].isupper():
        return spelt
    letters = _LETTERS[word[-1]]
    pronounceable = len(word) > 2 and re.search("[AEIOUYaeiouy]", word)
    return letters + spelt if pronounceable else letters


def _fits(form: str, sounds: str) -> bool:
    if form == "로":
        return "V" in sounds or "L" in sounds
    if form == "으로":
        return "C" in sounds
    if form in _AFTER_CONSONANT:
        return "L" in sounds or "C" in sounds
    return "V" in sounds


# --- the check -----------------------------------------------------------------------------------


def josa(readings: Readings) -> Iterator[Finding]:
    """Find particles in the wrong form, and those left open: `은(는)`.

    After Hangul and figures it is an error with a fix. After a word in Latin script it is an error
    without one; where that can be read two ways, nothing is said. Where a bracket stands between
    (`모델(GPT-4)는`), the particle follows the word before it; one that follows the bracket's text
    is a warning.
    """
    if readings.language.partition("-")[0] != "ko":
        return
    for found in _SUSPECT.finditer(readings.whole):
        number, begin = readings.place(found.start())
        if number not in readings.broken:
            yield from _suspected(number, found[0], found.start() - begin, readings.texts[number])
    if _MAY_BE_LEFT_OPEN.search(readings.whole):
        for number, text in readings.sound:
            for found in _LEFT_OPEN.finditer(text):
                yield _left_open(number, found, _host(text, found.start()))


def _suspected(number: int, form: str, start: int, text: str) -> Iterator[Finding]:
    """What is wrong with a particle that may be in the wrong form."""
    if "가" <= text[start - 1] <= "힣":
        before = max(0, start - 12)
        word = _HANGUL.search(text[before : start + len(form)])
        if word and not _is_word(word[0], text[before : before + word.start()]):
            yield _finding(number, form, start, _host(text, start), text)
    else:
        host = _host(text, start)
        wrong = host.sounds and not _fits(form, host.sounds)
        if wrong and not _in_address(text, start):
            yield _finding(number, form, start, host, text)


def _in_address(text: str, end: int) -> bool:
    """Whether an address stands there: nobody knows how it is read."""
    return "://" in text[max(0, end - 200) : end].rsplit(None, 1)[-1]


def _finding(point: int, form: str, start: int, host: _Host, text: str) -> Finding:
    right = _OTHER[form]
    follows_bracket = host.aside > 0 and _fits(
        form, _host(text, host.aside, in_bracket=True).sounds or _ANY
    )
    return Finding(
        check="josa",
        severity="warning" if follows_bracket else "error",
        point=point,
        span=(start, start + len(form)),
        message=f"after {host.word!r} the particle is {right!r}, not {form!r}",
        fix=None if follows_bracket or host.kind == "latin" else right,
    )


def _left_open(point: int, found: re.Match[str], host: _Host) -> Finding:
    form = {"(으)로": "으로", "(이)라": "이라"}.get(found[0], found[0][0])
    right = [one for one in (form, _OTHER[form]) if host.sounds and _fits(one, host.sounds)]
    decided = len(right) == 1 and host.kind != "latin"
    return Finding(
        check="josa",
        severity="error",
        point=point,
        span=found.span(),
        message=f"{found[0]!r} leaves the choice of the particle to the reader",
        fix=right[0] if decided else None,
    )
