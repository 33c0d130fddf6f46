"""Technical terms in English and how another language renders them, read from `prompts/`.

Weighed and not used: pyahocorasick and flashtext find all terms in one pass, but know nothing of
plurals, spacing and particles; to look up the words of an abstract in a dict takes microseconds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.latin import spell
from summarizer.errors import InputError
from summarizer.marked_yaml import Marked, optional, parse_yaml, read_text
from summarizer.shipped import find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from summarizer.checks.latin import Words

_JOINTS = frozenset(" ‐‑–·-")
_NO_JOINTS = dict.fromkeys(map(ord, _JOINTS))
_JOINT = re.compile("[ ‐‑–·-]+")
_HANGUL = re.compile(r"[가-힣]+")
# What may follow a noun in Korean; anything else makes another word of it (요원하다 is no 요원).
_PARTICLE = (
    r"(?![가-힣])|(?=[은는이가을를의에와과로도만들인](?![가-힣])|으로|에서|에게|부터|까지|처럼|보다"
    r"|이나|이라|라는|이며|이고|이다|입니|들[은이을의과]|되|된|될|됩|됐)"
)


class Sense(NamedTuple):
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

    def stated(self, words: Words) -> Mapping[str, Sense]:
        """The senses whose English term stands among the words, by that term."""
        found: dict[str, Sense] = {}
        spaced = words.spaced
        for word in self._by_word.keys() & words.distinct:
            for begin, phrases, sense in self._by_word[word]:
                if not phrases or (begin in spaced and any(p in spaced for p in phrases)):
                    found[sense.english] = sense
        return found

    def rendered(self, text: str) -> Iterator[Rendered]:
        """The renderings that begin with a word of a text; the longest one at each place."""
        end = 0
        for found in _HANGUL.finditer(text):
            word, start = found[0], found.start()
            candidates = self._by_syllables.get(word[:2])
            if candidates is None or start < end:
                continue
            for squeezed, rendering, senses in candidates:
                if word.startswith(squeezed):
                    here = start + len(squeezed)
                else:
                    here = _end(text, start, squeezed) if squeezed.startswith(word) else 0
                if here:
                    end = here
                    yield Rendered(start, end, rendering, senses)
                    break

    @cached_property
    def _by_word(self) -> Mapping[str, list[tuple[str, tuple[str, ...], Sense]]]:
        """The terms by their first words; for several words, how they begin and all their forms."""
        found: dict[str, list[tuple[str, tuple[str, ...], Sense]]] = defaultdict(list)
        for sense in self.senses:
            for written in {sense.english, *sense.forms}:
                words = spell(written)
                for phrase in {words, words.replace(" ", "")}:
                    first, space, _ = phrase.partition(" ")
                    if space:
                        phrases = tuple(f" {form} " for form in _numbers(phrase))
                        found[first].append((f" {phrase[:-1]}", phrases, sense))
                    else:
                        for form in _numbers(phrase):
                            found[form].append(("", (), sense))
        return dict(found)

    @cached_property
    def _by_syllables(self) -> Mapping[str, list[tuple[str, str, tuple[Sense, ...]]]]:
        """The renderings by how they begin, the longest first: squeezed and as written."""
        senses: dict[str, tuple[str, list[Sense]]] = {}
        for sense in self.senses:
            for rendering in (sense.prefer, *sense.also):
                senses.setdefault(squeeze(rendering), (rendering, []))[1].append(sense)
        found: dict[str, list[tuple[str, str, tuple[Sense, ...]]]] = defaultdict(list)
        for squeezed in sorted(senses, key=len, reverse=True):
            if _HANGUL.match(squeezed[:2]) and len(squeezed) > 1:
                rendering, rendered = senses[squeezed]
                found[squeezed[:2]].append((squeezed, rendering, tuple(rendered)))
        return dict(found)


def _numbers(term: str) -> list[str]:
    """A term in the singular and the plural."""
    if term.endswith("y"):
        return [term, term + "s", term[:-1] + "ies"]
    return [term, term + "s", term + "es"] if term.endswith(("s", "x", "h")) else [term, term + "s"]


def squeeze(rendering: str) -> str:
    """A rendering without spaces, hyphens and what stands in brackets."""
    return rendering.partition("(")[0].translate(_NO_JOINTS)


def _end(text: str, start: int, squeezed: str) -> int:
    """Where a squeezed rendering that begins at `start` ends; 0 where another text stands there."""
    for letter in squeezed:
        while text[start : start + 1] in _JOINTS:
            start += 1
        if text[start : start + 1] != letter:
            return 0
        start += 1
    return start


def false_friends(sense: Sense, text: str) -> Iterator[re.Match[str]]:
    """The false friends of a sense in a text, as whole words with or without a particle."""
    heads, pattern = _compile(sense.never)
    if any(head in text for head in heads):
        yield from pattern.finditer(text)


@cache
def _compile(friends: tuple[str, ...]) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """What must stand in a text that has one of the friends, and the pattern that finds them."""
    parts = [_JOINT.split(friend) for friend in friends]
    written = "|".join("[ ‐‑–·-]{0,2}".join(map(re.escape, words)) for words in parts)
    pattern = re.compile(rf"(?<![가-힣])(?:{written})(?:{_PARTICLE})")
    return tuple(words[0] for words in parts), pattern


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
    try:
        path = find(f"glossary.{language}", "prompts", suffix=".yaml")
    except InputError:
        return None
    members = parse_yaml(read_text(path), path).mapping()
    return Glossary(_read_sense(english, member) for english, member in members.items())


def _read_sense(english: str, member: Marked) -> Sense:
    lists = ("also", "never", "unless", "forms")
    fields = member.mapping(
        ("prefer", *lists, "listed", "reason"), required=("prefer", "reason")
    )
    return Sense(
        english=english,
        prefer=fields["prefer"].text(),
        listed=optional(fields, "listed", Marked.boolean, default=False),
        reason=fields["reason"].text(),
        **{name: optional(fields, name, _read_texts, ()) for name in lists},
    )


def _read_texts(member: Marked) -> tuple[str, ...]:
    return tuple(text.text() for text in member.sequence())
