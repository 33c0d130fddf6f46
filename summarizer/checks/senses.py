"""Technical terms are rendered as the glossary has them, and by no false friend."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from summarizer.checks.glossary import false_friends, load_glossary, squeeze
from summarizer.checks.latin import Words, spell
from summarizer.digest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from summarizer.checks.glossary import Glossary, Rendered, Sense
    from summarizer.checks.reading import Readings
    from summarizer.digest import Digest, Entry

_MODIFYING = frozenset("된한는")
_CLOSED_BY_L = 8
_SYLLABLES = ord("가")


def senses(readings: Readings, *, first_mention: bool = False) -> Iterator[Finding]:
    """Find false friends: renderings that say something else than the abstract's term.

    Args:
        first_mention: Also find listed terms that first occur without the English in brackets.
    """
    if readings.glossary is None:
        return
    if not (readings.paper.abstract or "").strip():
        yield Finding(
            check="senses",
            severity="warning",
            message="the technical terms cannot be checked: the paper has no abstract",
        )
        return
    suspects = readings.glossary.suspects(readings.whole)
    for sense in sorted(suspects, key=attrgetter("english")):
        if sense.english in readings.senses:
            yield from _false_friends(sense, readings)
    if first_mention:
        yield from _unexplained(readings.glossary, readings)


def _false_friends(sense: Sense, readings: Readings) -> Iterator[Finding]:
    if any(readings.source.words.state(spell(word)) for word in sense.unless):
        return
    for number, text in readings.sound:
        for found in false_friends(sense, text):
            yield Finding(
                check="senses",
                severity="error",
                point=number,
                span=found.span(),
                message=f"{found[0]} does not mean {sense.english}, which is {sense.prefer}",
                evidence=sense.english,
                fix=_fix(found[0], text[found.end() : found.end() + 1], sense),
            )


def _fix(said: str, following: str, sense: Sense) -> str | None:
    """The preferred rendering, where nothing around it would have to change.

    It must say as much as the false friend, modify what follows as that does (구현된, 체화된), and
    take the same particles.
    """
    prefer = sense.prefer.partition("(")[0]
    if len(said.split()) > len(prefer.split()):
        return None
    if (said[-1] in _MODIFYING) != (prefer[-1] in _MODIFYING):
        return None
    followed = "가" <= following <= "힣"
    return None if followed and _ending(prefer) != _ending(said) else prefer


def _ending(word: str) -> int:
    """What particles depend on: 0 for a vowel at the end of a word, 1 for ㄹ, 2 for a consonant."""
    closing = (ord(word[-1]) - _SYLLABLES) % 28
    return 0 if not closing else 1 if closing == _CLOSED_BY_L else 2


def _unexplained(glossary: Glossary, readings: Readings) -> Iterator[Finding]:
    waiting = {english for english, sense in readings.senses.items() if sense.listed}
    for number, text in readings.sound:
        words = Words.of(text)
        for rendered in glossary.rendered(text):
            for sense in rendered.senses:
                if sense.english in waiting:
                    waiting.discard(sense.english)
                    if not any(words.state(spell(w)) for w in (sense.english, *sense.forms)):
                        yield Finding(
                            check="senses",
                            severity="warning",
                            point=number,
                            span=(rendered.start, rendered.end),
                            message=f"{rendered.rendering} first occurs without ({sense.english})",
                        )


def renderings_across(digest: Digest) -> Iterator[Finding]:
    """Find listed terms that a digest renders in several ways: where each other way first occurs.

    A rendering that begins another (환각, 환각 현상) is no other way.
    """
    glossary = load_glossary(digest.language.partition("-")[0])
    if glossary is None:
        return
    ways: dict[str, dict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for entry in digest.entries:
        for sense, number, rendered in _listed(entry, glossary):
            finding = Finding(
                check="senses",
                severity="warning",
                arxiv_id=entry.paper.arxiv_id,
                point=number,
                span=(rendered.start, rendered.end),
                message=rendered.rendering,
            )
            ways[sense.english][_shortest(rendered.rendering, sense)].append(finding)
    for english, found in ways.items():
        usual = max(found, key=lambda way: len(found[way]))
        counts = ", ".join(f"{way} {len(found[way])}" for way in found)
        for way, places in found.items():
            if way != usual:
                message = f"{english} is {way} here, and {usual} elsewhere in this digest"
                yield places[0].model_copy(update={"message": message, "evidence": counts})


def _listed(entry: Entry, glossary: Glossary) -> Iterator[tuple[Sense, int, Rendered]]:
    """The listed terms that an entry renders; those of its abstract, where that is known."""
    if entry.status != "ok" or entry.summary is None:
        return
    abstract = entry.paper.abstract
    stated = glossary.stated(Words.of(f"{entry.paper.title}\n{abstract}")) if abstract else None
    for number, point in enumerate(entry.summary.points):
        for rendered in glossary.rendered(point.text):
            if len(rendered.senses) == 1 and rendered.senses[0].listed:
                sense = rendered.senses[0]
                if stated is None or sense.english in stated:
                    yield sense, number, rendered


def _shortest(rendering: str, sense: Sense) -> str:
    """The shortest rendering of a sense that begins this one."""
    ways = [way.partition("(")[0] for way in (sense.prefer, *sense.also)]
    return min((way for way in ways if squeeze(rendering).startswith(squeeze(way))), key=len)
