"""Technical terms in English and how another language renders them, read from `prompts/`.

Weighed and not used: pyahocorasick and flashtext find all terms in one pass, but know nothing of
plurals, spacing and particles; looking up the first word of a term in a dict costs a few
microseconds an abstract.
"""

from __future__ import annotations

import re
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.latin import Words
from summarizer.errors import InputError
from summarizer.marked_yaml import Marked, optional, parse_yaml, read_text
from summarizer.shipped import find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_JOINT = re.compile(r"[\s‐‑–·-]+")
_HANGUL = re.compile(r"[가-힣]+")
# What may follow a noun in Korean; anything else makes another word of it (요원하다 is no 요원).
_PARTICLE = (
    r"(?![가-힣])|(?=[은는이가을를의에와과로도만들인](?![가-힣])|으로|에서|에게|부터|까지|처럼|보다"
    r"|이나|이라|라는|이며|이고|이다|입니|들[은이을의과]|되|된|될|됩|됐)"
)
_LONGEST = 24


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
        senses: Those that it may render.
        rendering: As the glossary writes it.
    """

    start: int
    end: int
    senses: tuple[Sense, ...]
    rendering: str


class Glossary:
    """The senses of a glossary, to be looked up from either language."""

    def __init__(self, senses: Iterable[Sense]) -> None:
        self.senses = tuple(senses)

    def stated(self, words: Words) -> Mapping[str, Sense]:
        """The senses whose English term stands among the words, by that term."""
        found: dict[str, Sense] = {}
        every = words.all
        for place, word in enumerate(every):
            for rest, sense in self._by_word.get(word, ()):
                if every[place + 1 : place + 1 + len(rest)] == rest:
                    found[sense.english] = sense
        return found

    def rendered(self, text: str) -> Iterator[Rendered]:
        """The renderings that begin with a word of a text; the longest one at each place."""
        end = 0
        for word in _HANGUL.finditer(text):
            start = word.start()
            candidates = self._by_syllables.get(word[0][:2], ()) if start >= end else ()
            here = squeeze(text[start : start + _LONGEST]) if candidates else ""
            for squeezed, rendered in candidates:
                if here.startswith(squeezed):
                    end = start + _length(text[start : start + _LONGEST], len(squeezed))
                    yield rendered._replace(start=start, end=end)
                    break

    @cached_property
    def _by_word(self) -> Mapping[str, list[tuple[tuple[str, ...], Sense]]]:
        found: dict[str, list[tuple[tuple[str, ...], Sense]]] = {}
        for sense in self.senses:
            for written in {form for form in (sense.english, *sense.forms)}:
                *first, last = Words.of(written).all
                for number in (last, last + "s", last + "es", last[:-1] + "ies"):
                    for words in {(*first, number), ("".join(first) + number,)}:
                        found.setdefault(words[0], []).append((words[1:], sense))
        return found

    @cached_property
    def _by_syllables(self) -> Mapping[str, list[tuple[str, Rendered]]]:
        senses: dict[str, tuple[str, list[Sense]]] = {}
        for sense in self.senses:
            for rendering in (sense.prefer, *sense.also):
                senses.setdefault(squeeze(rendering), (rendering, []))[1].append(sense)
        found: dict[str, list[tuple[str, Rendered]]] = {}
        for squeezed in sorted(senses, key=len, reverse=True):
            if _HANGUL.match(squeezed[:2]) and len(squeezed) > 1:
                rendering, rendered = senses[squeezed]
                entry = (squeezed, Rendered(0, 0, tuple(rendered), rendering))
                found.setdefault(squeezed[:2], []).append(entry)
        return found


def squeeze(rendering: str) -> str:
    """A rendering without spaces, hyphens and what stands in brackets."""
    return _JOINT.sub("", rendering.partition("(")[0])


def _length(text: str, letters: int) -> int:
    """How much of a text holds so many letters, joints not counted."""
    end = 0
    while letters:
        letters -= not _JOINT.match(text, end)
        end += 1
    return end


@cache
def false_friends(sense: Sense) -> re.Pattern[str]:
    """A pattern for the false friends of a sense, as whole words with or without a particle."""
    written = (
        r"[\s‐‑–·-]{0,2}".join(map(re.escape, _JOINT.split(friend))) for friend in sense.never
    )
    return re.compile(rf"(?<![가-힣])(?:{'|'.join(written)})(?:{_PARTICLE})")


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
    fields = member.mapping(("prefer", "listed", "reason", *lists), required=("prefer", "reason"))
    return Sense(
        english=english,
        prefer=fields["prefer"].text(),
        listed=optional(fields, "listed", Marked.boolean, default=False),
        reason=fields["reason"].text(),
        **{name: optional(fields, name, _read_texts, ()) for name in lists},
    )


def _read_texts(member: Marked) -> tuple[str, ...]:
    return tuple(text.text() for text in member.sequence())
