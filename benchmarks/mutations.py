"""Correct points damaged in one place, by kind of damage.

Where numbers, names, addresses and nouns stand is found here by other means than the checks use,
so that what a check does not see counts as missed. A noun, for instance, is a word that the same
texts also show before a particle which no ending of a verb resembles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from benchmarks.corpus import Row


class Damage(NamedTuple):
    """A damaged point, and where it differs from the one that was published."""

    text: str
    span: tuple[int, int]


@dataclass(frozen=True)
class Lexicon:
    """What the texts of a corpus teach about words.

    Attributes:
        nouns: Korean nouns that occur with an unmistakable particle.
        lowercase: English words that some abstract writes in lower case.
    """

    nouns: frozenset[str]
    lowercase: frozenset[str]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Lexicon:
        """Read a corpus."""
        nouns, lowercase = set(), set()
        for row in rows:
            lowercase.update(_LOWER.findall(_source(row)))
            for word in _HANGUL.findall(" ".join(row.texts)):
                for particle in _UNMISTAKABLE:
                    if word.endswith(particle) and len(word) > len(particle) + 1:
                        nouns.add(word.removesuffix(particle))
        return cls(frozenset(nouns), frozenset(lowercase))


@dataclass(frozen=True)
class Target:
    """A point to be damaged."""

    row: Row
    point: int
    lexicon: Lexicon
    chance: Random

    @property
    def text(self) -> str:
        """As it was published."""
        return self.row.texts[self.point]

    @cached_property
    def links(self) -> list[tuple[int, int]]:
        """Where addresses stand."""
        return [found.span() for found in _URL.finditer(self.text)]

    def replace(self, start: int, end: int, new: str) -> Damage:
        """The point with something else in one place."""
        text = self.text
        return Damage(text[:start] + new + text[end:], (start, start + len(new)))

    def is_in_link(self, place: int) -> bool:
        """Whether an address stands there."""
        return any(start <= place < end for start, end in self.links)


Mutation: TypeAlias = Callable[[Target], Iterator[Damage]]


def _source(row: Row) -> str:
    return f"{row.paper.title}\n{row.paper.abstract or ''}"


def _other(word: str, pairs: Iterable[tuple[str, str]]) -> str:
    """What a word forms a pair with."""
    return next(b if word == a else a for a, b in pairs if word in (a, b))


# --- numbers -------------------------------------------------------------------------------------

# Not the digits of GPT-4, COCO2017, v1.5 or 1b1, nor list markers; but those of 7B and 3x.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,/@#^-])[0-9][0-9,]*(?:\.[0-9]+)?(?![0-9.,]*[0-9])"
    r"(?![)\]]|인칭|[A-Za-z]*[0-9]|-?[A-Z]{2}"
    r"|(?!(?:x|K|k|M|B|T|s|ms|GB|TB|MB|dB|k?Hz|fps|bit)(?![A-Za-z]))[A-Za-z])"
)
_NAME_BEFORE = re.compile(r"[A-Z][A-Za-z]*[ -]\Z|라마 ?\Z")
_LARGE = re.compile(r"(?<=[0-9십백천])[만억](?![으로을])")
_POINTS = re.compile(r"(?<=[0-9])(?:%p(?![a-z])| ?(?:%|퍼센트) ?포인트)")
_PERCENT = re.compile(r"(?<=[0-9])%(?!p| ?포)")
_FRACTION = re.compile(r"(?<![0-9/])([0-9]+)(/|분의 ?)([0-9]+)(?![0-9/])")
_BOUND = re.compile(
    r"(?:최대|최소)(?= ?약? ?[0-9])|(?<=[0-9%배개명회초분건장편]) ?(?:이상|이하|초과|미만)"
)
_BOUNDED_TWICE = re.compile(r"(?:최대|최소|적어도) ?약? ?[0-9.,]+(?:%|개|배)? ?(?:이상|이하)")
_OPPOSITES = (("최대", "최소"), ("이상", "이하"), ("초과", "미만"))
_EXCEEDING = re.compile(r"(?<=[0-9])(개|명|%|배|)[이가를을]? 넘는")
_MOVES = (
    ("증가", "감소"),
    ("상승", "하락"),
    *((f"높{ending}", f"낮{ending}") for ending in ("은", "았", "아")),
    *zip(("높이", "높인", "높였"), ("낮추", "낮춘", "낮췄"), strict=True),
    *zip("늘어 늘었 늘리 늘린 늘렸".split(), "줄어 줄었 줄이 줄인 줄였".split(), strict=True),
    ("많은", "적은"),
)
_MOVE = re.compile(
    rf"[0-9](?:%p?|배|점|퍼센트|포인트)(?:나|까지|로|만큼)? ?(?:더 |이상 |가까이 )?"
    rf"({'|'.join(word for pair in _MOVES for word in pair)})"
)
_COUNTS = ("세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_COUNTED = re.compile(rf"(?<![가-힣])(?:두|{'|'.join(_COUNTS)})(?= (?:가지|개|명|단계|종류))")


def _numbers(target: Target) -> Iterator[re.Match[str]]:
    for found in _NUMBER.finditer(target.text):
        before = target.text[max(0, found.start() - 30) : found.start()]
        if not _NAME_BEFORE.search(before) and not target.is_in_link(found.start()):
            yield found


def a_digit_changed(target: Target) -> Iterator[Damage]:
    """Each number five times, each time in another way."""
    for found in _numbers(target):
        for _ in range(5):
            places = [place for place in range(*found.span()) if target.text[place].isdigit()]
            place = target.chance.choice(places)
            others = [digit for digit in "123456789" if digit != target.text[place]]
            yield target.replace(place, place + 1, target.chance.choice(others))


def a_count_word_changed(target: Target) -> Iterator[Damage]:
    """세 가지 becomes 다섯 가지."""
    for found in _COUNTED.finditer(target.text):
        others = [word for word in _COUNTS if word != found[0]]
        yield target.replace(*found.span(), target.chance.choice(others))


def _shifted(places: int) -> Mutation:
    def mutation(target: Target) -> Iterator[Damage]:
        for found in _numbers(target):
            whole, _, rest = found[0].replace(",", "").partition(".")
            digits = whole + rest[:places].ljust(places, "0")
            number = f"{int(digits):,}" if "," in found[0] else str(int(digits))
            new = number + (f".{rest[places:]}" if rest[places:] else "")
            if int(digits):
                yield target.replace(*found.span(), new)

    return mutation


times_10 = _shifted(1)
times_1000 = _shifted(3)


def man_for_eok(target: Target) -> Iterator[Damage]:
    """만 becomes 억, and 억 becomes 만."""
    for found in _LARGE.finditer(target.text):
        yield target.replace(*found.span(), "억" if found[0] == "만" else "만")


def percent_for_points(target: Target) -> Iterator[Damage]:
    """Percentage points become percent, and percent percentage points."""
    for found in _POINTS.finditer(target.text):
        yield target.replace(*found.span(), "%")
    for found in _PERCENT.finditer(target.text):
        yield target.replace(*found.span(), "%p")


def a_fraction_inverted(target: Target) -> Iterator[Damage]:
    """1/8 becomes 8/1."""
    for found in _FRACTION.finditer(target.text):
        if not target.is_in_link(found.start()) and found[1] != found[3]:
            yield target.replace(*found.span(), found[3] + found[2] + found[1])


def a_bound_reversed(target: Target) -> Iterator[Damage]:
    """최대 becomes 최소, 이상 이하, 넘는 미만의."""
    if _BOUNDED_TWICE.search(target.text):
        return
    for found in _BOUND.finditer(target.text):
        word = found[0].strip()
        yield target.replace(found.end() - len(word), found.end(), _other(word, _OPPOSITES))
    for found in _EXCEEDING.finditer(target.text):
        yield target.replace(*found.span(), f"{found[1]} 미만의")


def a_change_reversed(target: Target) -> Iterator[Damage]:
    """증가 becomes 감소, 줄였다 늘렸다, 높은 낮은, right after a number."""
    for found in _MOVE.finditer(target.text):
        yield target.replace(*found.span(1), _other(found[1], _MOVES))


def two_numbers_exchanged(target: Target) -> Iterator[Damage]:
    """Each of two numbers of a point stands where the other stood."""
    found = list(_numbers(target))
    for first, second in pairwise(found):
        if first[0] != second[0]:
            between = target.text[first.end() : second.start()]
            yield target.replace(first.start(), second.end(), second[0] + between + first[0])


# --- names ---------------------------------------------------------------------------------------

_LOWER = re.compile(r"\b[a-z]+\b")
_TOKEN = re.compile(r"(?<![A-Za-z0-9_\\/@$.-])[A-Za-z][A-Za-z0-9]*(?:[-+.][A-Za-z0-9]+)*")
_PIECE = re.compile(r"[A-Za-z0-9]+")
_COINED = re.compile(r"(?=.*[A-Za-z].*[A-Za-z].*[A-Za-z])(?:.+[A-Z]|.*[0-9])")
_CAPITALISED = re.compile(r"[A-Z][a-z]{2,}")
_MODELS = (
    "Gemini Mistral Claude InternVL DeepSeek-R1 Vicuna Falcon-40B StableLM DreamBooth Whisper PaLM"
    " Kosmos-2 BLIP-2 Flamingo CogVideoX Zephyr-7B MiniGPT-4 Grok-1 TinyLlama Emu3 Janus-Pro"
).split()
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def _names(target: Target) -> Iterator[tuple[re.Match[str], list[tuple[int, int]]]]:
    """Names that the abstract has as well, and the parts of each that are no ordinary words."""
    source = _source(target.row)
    for found in _TOKEN.finditer(target.text):
        if found[0] in source and not target.is_in_link(found.start()):
            parts = [
                (found.start() + piece.start(), found.start() + piece.end())
                for piece in _PIECE.finditer(found[0])
                if _COINED.match(piece[0])
                or (
                    _CAPITALISED.fullmatch(piece[0])
                    and piece[0].lower() not in target.lexicon.lowercase
                )
            ]
            if parts:
                yield found, parts


def a_letter_of_a_name_changed(target: Target) -> Iterator[Damage]:
    """A letter is left out, put in, replaced, or changes places with the next; twice a name."""
    source = _bare(_source(target.row))
    for found, parts in _names(target):
        for _ in range(2):
            start, end = target.chance.choice(parts)
            damage = _misspelt(target, start, end)
            whole = damage.text[found.start() : found.end() + len(damage.text) - len(target.text)]
            if _bare(whole).rstrip("s") not in source:
                yield damage


def _misspelt(target: Target, start: int, end: int) -> Damage:
    text, chance = target.text, target.chance
    place = chance.choice([place for place in range(start, end) if text[place].isalpha()])
    here, following = text[place], text[place + 1 : place + 2]
    letter = chance.choice(_ALPHABET)
    letter = letter.upper() if here.isupper() else letter
    way = chance.choice(("left out", "put in", "replaced", "exchanged"))
    if way == "left out":
        return target.replace(place, place + 1, "")
    if way == "put in":
        return target.replace(place, place, letter)
    if way == "exchanged" and place + 1 < end and following.isalpha():
        return target.replace(place, place + 2, following + here)
    return target.replace(place, place + 1, letter)


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def another_name(target: Target) -> Iterator[Damage]:
    """The name of another model stands in the place of one."""
    source = _bare(_source(target.row))
    others = [name for name in _MODELS if _bare(name) not in source]
    for found, _ in _names(target):
        yield target.replace(*found.span(), target.chance.choice(others))


# --- links ---------------------------------------------------------------------------------------

_URL = re.compile(r"https?://[!-~]*[A-Za-z0-9/]")
_GLUE = ("에서", "을", ")를", "'에서", "**에서", ".자세한", ",그리고")


def a_link_damaged(target: Target) -> Iterator[Damage]:
    """Eight times a character is lost, put in, replaced, or moved; or another page stands there."""
    for start, end in target.links:
        url = target.text[start:end]
        for _ in range(8):
            place = target.chance.randrange(start, end - url.endswith("/"))
            letter = target.chance.choice(f"{_ALPHABET}0123456789")
            turned = target.text[place : place + 2][::-1]
            for damage in (
                target.replace(place, place + 1, ""),
                target.replace(place, place, letter),
                target.replace(place, place + 1, letter),
                target.replace(place, min(place + 2, end), turned[: end - place]),
            ):
                damaged = damage.text[start : end + len(damage.text) - len(target.text)]
                if _page(damaged) != _page(url):
                    yield damage
        if url.rstrip("/").count("/") > 3:
            yield target.replace(target.text.rindex("/", start, end - 1), end, "")
        yield target.replace(start, end, f"https://example.org/{url.rsplit('/', 1)[-1]}")


def _page(url: str) -> str:
    return url.lower().replace("http:", "https:")


def a_link_glued(target: Target) -> Iterator[Damage]:
    """What follows an address is written to it without a space."""
    for _, end in target.links:
        blanks = len(target.text) - end - len(target.text[end:].lstrip(" "))
        for glue in _GLUE:
            yield target.replace(end, end + blanks, f"{glue} ")


# --- language ------------------------------------------------------------------------------------

_HANGUL = re.compile("[가-힣]+")
_UNMISTAKABLE = ("에서", "에게", "까지", "부터", "의", "를", "와", "과의", "와의")
_FORMS = (("으로", "로"), ("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"))
_AFTER_FIGURE = re.compile(
    r"(?<![A-Za-z0-9.,/^=~\-_])[0-9][0-9,]*(?:\.[0-9]*[1-9])?%?"
    r"(은|는|이|가|을|를|과|와|으로|로)(?=[\s.,])"
)
_SENTENCE = re.compile(r"(?<=[a-z)%][.!?])\s+")
_RIEUL = 8


def a_particle_swapped(target: Target) -> Iterator[Damage]:
    """은 becomes 는, 이 가, 으로 로: after a Hangul noun or a figure."""
    text = target.text
    for word in _HANGUL.finditer(text):
        particle = next(
            (
                particle
                for pair in _FORMS
                for particle in pair
                if word[0].endswith(particle)
                and word[0].removesuffix(particle) in target.lexicon.nouns
                and _agrees(word[0].removesuffix(particle), particle)
            ),
            None,
        )
        if particle and text[word.end() : word.end() + 1] in ("", " ", ".", ","):
            yield target.replace(word.end() - len(particle), word.end(), _other(particle, _FORMS))
    for figure in _AFTER_FIGURE.finditer(text):
        yield target.replace(*figure.span(1), _other(figure[1], _FORMS))


def _agrees(stem: str, particle: str) -> bool:
    closing = (ord(stem[-1]) - ord("가")) % 28
    if particle in ("로", "으로"):
        return (closing in (0, _RIEUL)) == (particle == "로")
    return bool(closing) == (particle in ("은", "이", "을", "과"))


def its_english_sentence(target: Target) -> Iterator[Damage]:
    """The sentence that the point came from, or another of the abstract."""
    sentences = [s for s in _SENTENCE.split(target.row.paper.abstract or "") if len(s) > 20]
    quotes = target.row.quotes
    quote = quotes[target.point] if quotes else ""
    if quote or sentences:
        yield target.replace(0, len(target.text), quote or target.chance.choice(sentences))


def a_loop(target: Target) -> Iterator[Damage]:
    """The sentence, its second half or its last words again and again, as small models do."""
    text = target.text
    words = text.split()
    few = words[-3:] * target.chance.randint(4, 9)
    for tail in (
        f" {text}",
        text,
        f" {text}" * 4,
        f" {text}" * 2 + f" {text[: len(text) // 2]}",
        f" {' '.join(words[len(words) // 2 :] * 3)}",
        f" {' '.join(few)}",
        f" {' '.join(words[-1:] * 8)}",
    ):
        yield target.replace(len(text), len(text), tail)
