"""Technical terms in English and how another language renders them, read from `prompts/`.

Weighed and not used: pyahocorasick and flashtext find all terms in one pass, but know nothing of
plurals, spacing and particles; to look up the words of an abstract in a dict takes microseconds.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.latin import spell
from summarizer.checks.lazy import Lazy
from summarizer.marked_yaml import Marked, optional, parse_yaml, read_text
from summarizer.shipped import available

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from summarizer.checks.latin import Words

_JOINTS = frozenset(" ‐‑–·-")
_NO_JOINTS = dict.fromkeys(map(ord, _JOINTS))
_JOINT = re.compile("[ ‐‑–·-]+")
_HANGUL = re.compile(r"[가-힣]+")
_MOST_WORDS = 2**14
# What may follow a noun in Korean; anything else makes another word of it (요원하다 is no 요원).
_PARTICLE = (
    r"(?:(?![가-힣])|(?=[은는이가을를의에와과로도만들인](?![가-힣])|으로|에서|에게|부터|까지|처럼|보다"
    r"|이나|이라|라는|이며|이고|이다|입니|들[은이을의과]|되|된|될|됩|됐))"
)


@dataclass(frozen=True)
class Sense:
    """A technical term and its renderings.

    Attributes:
        english: The term, in the singular.
        prefer: What a digest should write.
        also: Other renderings that are fine.
        never: False friends.
        unless: English words that the false friends render rightly.
        forms: Other forms of the term.
        listed: Whether a digest keeps to one rendering.
        reason: Why, in one clause.
    """

    english: str
    prefer: str
    also: tuple[str, ...]
    never: tuple[str, ...]
    unless: tuple[str, ...]
    forms: tuple[str, ...]
    listed: bool
    reason: str


class Rendered(NamedTuple):
    """A rendering at one place of a text.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        rendering: As the glossary writes it.
        senses: Those that it may render.
    """

    start: int
    end: int
    rendering: str
    senses: tuple[Sense, ...]


class Glossary:
    """The senses of a glossary, to be looked up from either language."""

    def __init__(self, senses: Iterable[Sense]) -> None:
        self.senses = tuple(senses)
        # Summaries are made of the same few thousand words, again and again.
        self._begun_by = lru_cache(maxsize=_MOST_WORDS)(self._find_begun_by)

    def stated(self, words: Words) -> Mapping[str, Sense]:
        """The senses whose English term stands among the words, by that term."""
        spaced, known, by_word = words.spaced, words.known, self._by_word
        return {
            sense.english: sense
            for word in self._words & known
            for another, phrase, sense in by_word[word]
            if not another or (another in known and phrase in spaced)
        }

    def suspects(self, text: str) -> Collection[Sense]:
        """The senses of which a text holds all words of a false friend; of most texts none."""
        beginnings, by_beginning = self._false_beginnings
        begun = by_beginning.keys() & {"", *beginnings.findall(text)}
        suspected = {
            sense.english: sense
            for two in begun
            for sense, first, others in by_beginning[two]
            if first in text and all(word in text for word in others)
        }
        return suspected.values()

    def renderings(self, text: str) -> Mapping[str, tuple[Sense, ...]]:
        """The renderings that begin with a word of a text, and what they may render."""
        words = _HANGUL.findall(text)
        marked = f"|{'|'.join(words)}|"
        places = accumulate([len(word) + 1 for word in words], initial=0)
        return {
            rendering: senses
            for begun, place in zip(map(self._begun_by, words), places, strict=False)
            for spelling, rendering, senses in begun
            if marked.startswith(spelling, place)
        }

    def _find_begun_by(self, word: str) -> list[tuple[str, str, tuple[Sense, ...]]]:
        return [
            (spelling, rendering, senses)
            for first, spelling, rendering, senses in self._by_syllables.get(word[:2], ())
            if word.startswith(first)
        ]

    def rendered(self, text: str) -> Iterator[Rendered]:
        """Where the renderings stand, in order; of those that overlap, the longest."""
        found = [
            Rendered(match.start(), match.end(), rendering, senses)
            for rendering, senses in self.renderings(text).items()
            for match in _pattern(rendering).finditer(text)
        ]
        end = 0
        for one in sorted(found, key=lambda one: (one.start, -one.end)):
            if one.start >= end:
                end = one.end
                yield one

    @Lazy
    def _by_word(self) -> Mapping[str, list[tuple[str, str, Sense]]]:
        """The terms in all their forms, by the word that the fewest of them have.

        Of each: the next rarest word (nothing where there is but one), all of it between spaces,
        and the sense.
        """
        terms = [
            (form, sense)
            for sense in self.senses
            for written in (sense.english, *sense.forms)
            for phrase in {spell(written), spell(written).replace(" ", "")} - {""}
            for form in _numbers(phrase)
        ]
        frequency = Counter(word for form, _ in terms for word in form.split())
        found: dict[str, list[tuple[str, str, Sense]]] = defaultdict(list)
        for form, sense in terms:
            rarest, another, *_ = *sorted(form.split(), key=frequency.__getitem__), ""
            found[rarest].append((another, f" {form} ", sense))
        return dict(found)

    @Lazy
    def _words(self) -> frozenset[str]:
        return frozenset(self._by_word)

    @Lazy
    def _false_beginnings(
        self,
    ) -> tuple[re.Pattern[str], Mapping[str, list[tuple[Sense, str, list[str]]]]]:
        """How words begin that may be false friends, and the friends by these two characters.

        Of each: the sense, the first word of the friend, and its others. A friend of one
        character, which anything may follow, stands by none.
        """
        found: dict[str, list[tuple[Sense, str, list[str]]]] = defaultdict(list)
        for sense in self.senses:
            for friend in sense.never:
                word, *others = _JOINT.split(friend)
                first, second = friend[:1], _JOINT.sub("", friend)[1:2]
                for following in {second, *(_JOINTS if friend[1:2] != second else ())}:
                    found[first + following if second else ""].append((sense, word, others))
        first, second = (re.escape("".join(two[n : n + 1] for two in found)) for n in (0, 1))
        return re.compile(f"[{first}](?<![가-힣].)[{second}]" if first else r"(?!)"), dict(found)

    @Lazy
    def _by_syllables(self) -> Mapping[str, list[tuple[str, str, str, tuple[Sense, ...]]]]:
        """The renderings by how they begin.

        Of each: its first word, all of it in a spelling (nothing where the first word is all), how
        the glossary writes it and what it renders.
        """
        senses: dict[str, list[Sense]] = defaultdict(list)
        for sense in self.senses:
            for rendering in (sense.prefer, *sense.also):
                senses[rendering.partition("(")[0]].append(sense)
        found: dict[str, list[tuple[str, str, str, tuple[Sense, ...]]]] = defaultdict(list)
        for rendering, rendered in senses.items():
            if _HANGUL.match(rendering) and len(rendering) > 1:
                for spelling in _spellings(rendering):
                    first, more, _ = spelling[1:].partition("|")
                    whole = spelling if more else ""
                    found[first[:2]].append((first, whole, rendering, tuple(rendered)))
        return dict(found)


def _numbers(term: str) -> list[str]:
    """A term in the singular and the plural."""
    if term.endswith("y"):
        return [term, term + "s", term[:-1] + "ies"]
    return [term, term + "s", term + "es"] if term.endswith(("s", "x", "h")) else [term, term + "s"]


def squeeze(rendering: str) -> str:
    """A rendering without spaces and hyphens."""
    return rendering.translate(_NO_JOINTS)


def _spellings(rendering: str) -> set[str]:
    """A rendering with its words apart or together, `|` before each."""
    first, *rest = _JOINT.split(rendering)
    spellings = {f"|{first}"}
    for word in rest:
        spellings = {spelling + joint + word for spelling in spellings for joint in ("", "|")}
    return spellings


@cache
def _pattern(*renderings: str, after: str = "") -> re.Pattern[str]:
    """A pattern for renderings as whole words, however their parts are joined."""
    written = "|".join(
        "[ ‐‑–·-]{0,2}".join(map(re.escape, _JOINT.split(rendering)))
        for rendering in sorted(renderings, key=len, reverse=True)
    )
    return re.compile(rf"(?<![가-힣])(?:{written}){after}")


def false_friends(sense: Sense, text: str) -> Iterator[re.Match[str]]:
    """The false friends of a sense in a text, as whole words with or without a particle."""
    return _pattern(*sense.never, after=_PARTICLE).finditer(text)


@cache
def load_glossary(language: str) -> Glossary | None:
    """Read `glossary.LANGUAGE.yaml` from the current folder's `prompts/`, else the shipped one.

    Args:
        language: `ko`, as a BCP 47 tag without its region.

    Returns:
        None where there is no glossary of the language.

    Raises:
        InputError: The file is not a glossary.
    """
    path = available("prompts", suffix=".yaml").get(f"glossary.{language}")
    if path is None:
        return None
    members = parse_yaml(read_text(path), path).mapping()
    return Glossary(_read_sense(english, member) for english, member in members.items())


def _read_sense(english: str, member: Marked) -> Sense:
    lists = ("also", "never", "unless", "forms")
    fields = member.mapping(("prefer", *lists, "listed", "reason"), required=("prefer", "reason"))
    return Sense(
        english=english,
        prefer=fields["prefer"].text(),
        listed=optional(fields, "listed", Marked.boolean, default=False),
        reason=fields["reason"].text(),
        **{name: _read_texts(fields[name]) if name in fields else () for name in lists},
    )


def _read_texts(member: Marked) -> tuple[str, ...]:
    return tuple(text.text() for text in member.sequence())
