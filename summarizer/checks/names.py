"""Every name, acronym and identifier of a point stands in the abstract or the title.

Near misses are measured with rapidfuzz (MIT, compiled), which is asked only about terms that the
abstract does not have; difflib is far slower and knows no transpositions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.expansions import read_expansions, stems, words_of
from summarizer.checks.latin import LINKING, Term, find_terms, spell
from summarizer.checks.lazy import Lazy
from summarizer.checks.vocabulary import is_general, is_ordinary, stem, vocabulary
from summarizer.digest import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from summarizer.checks.reading import Reading, Readings
    from summarizer.digest import Basis, Severity

# Numbers with their units are read by the check of numbers.
_QUANTITY = re.compile(
    r"[0-9]+(?:[KMBTkmbtxXsDdpPVWJ]|[kMGTP]?(?:Hz|B|b|bit|bps|J|Wh?)|m[JW]|[kcmnµ]m[²³23]?|m?s|kg|[mµ]g|fps|FPS|px|dB|pp"
    r"|hr|min|sec|st|nd|rd|th)s?|[0-9]+(?:x[0-9]+)+|[0-9]+e-?[0-9]+"
)
_SIZE = r"(?P<size>[0-9]+(?:\.[0-9]+)?[BM])(?![A-Za-z0-9])"
_SIZED = re.compile(rf"(?P<name>[A-Za-z].*?)-{_SIZE}.*")
_UNITS = frozenset("bit db fps gb ghz hz kb kg khz km kwh mb mhz mm ms ns pb px tb tflops".split())
_ROMAN = re.compile(r"(?=..)X{0,3}(?:IX|IV|V?I{0,3})")
_DIGIT = re.compile(r"[0-9]")
_LOWER = re.compile(r"[a-z-]+")
_LOWER_WORD = re.compile(r"\b[a-z]{3,60}\b")
_SHORTEST_MISSPELT = 4
_LONG = 8
_LONGEST = 60
_MOST_NEAR = 8
_SHOWN = 10
_MOST_WORDS = 2**14  # of which it is kept whether they are plain
# More candidates than any abstract has are not compared one by one.
_MOST_CANDIDATES = 2000


def names(readings: Readings) -> Iterator[Finding]:
    """Hold the terms in Latin script against the abstract and the title.

    Ordinary English words are glosses, not names. A misspelt name is an error. A name that the
    abstract does not have is an error on basis `abstract`; on basis `paper`, where the paper itself
    may have it, one warning for each point lists them.
    """
    if not (readings.paper.abstract or "").strip():
        yield Finding(
            check="names",
            severity="warning",
            message="the names cannot be checked: the paper has no abstract",
        )
        return
    unstated = {words for words in readings.unstated if not is_general(words)}
    source = _Source(readings.source, readings.basis)
    for number, text in readings.sound:
        if unstated:
            misses = source.misses(readings.terms[number], unstated)
            yield from _missing(misses, number, readings.basis)
        if "(" in text:
            yield from _wrong_expansions(text, number, readings)


def _missing(misses: Sequence[_Miss], number: int, basis: Basis) -> Iterator[Finding]:
    """What is told of the names of a point that the source does not have."""
    for miss in misses:
        if miss.right:
            yield _finding(miss, number, f"is misspelt: the abstract has {miss.right}")
    unknown = [miss for miss in misses if not miss.right]
    if basis == "abstract":
        for miss in unknown:
            yield _finding(miss, number, "does not stand in the abstract")
    elif unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        shown = ", ".join(miss.term.text for miss in unknown[:_SHOWN]) + more
        yield Finding(
            check="names",
            severity="warning",
            point=number,
            message=f"the abstract does not have {shown}; the paper may",
        )


class _Miss(NamedTuple):
    """A term of a point that the source does not have.

    Attributes:
        term: The term, or the part of it that is misspelt.
        near: What it resembles, as the source writes it.
        right: What was meant, where that is certain.
        severity: A word in lower case that nobody knows is only worth a look.
    """

    term: Term
    near: Sequence[str] = ()
    right: str | None = None
    severity: Severity = "error"


def _finding(miss: _Miss, number: int, what: str) -> Finding:
    return Finding(
        check="names",
        severity=miss.severity,
        point=number,
        span=(miss.term.start, miss.term.end),
        message=f"{miss.term.text} {what}",
        evidence=", ".join(miss.near) or None,
        fix=miss.right,
    )


class _Source:
    """The abstract and the title, as a place to look names up in."""

    def __init__(self, reading: Reading, basis: Basis) -> None:
        self._reading = reading
        self._words = reading.words
        self._basis = basis

    def misses(self, terms: Sequence[Term], unstated: Collection[str]) -> list[_Miss]:
        """What is missing of the terms of a point; one that nothing resembles is told once."""
        misses: list[_Miss] = []
        unknown = set()
        for place, term in enumerate(terms):
            if term.words not in unstated or term.words in unknown or len(term.text) > _LONGEST:
                continue
            miss = self._miss(terms, place)
            if miss:
                misses.append(miss)
                if not miss.right:
                    unknown.add(term.words)
        return misses

    def _miss(self, terms: Sequence[Term], place: int) -> _Miss | None:
        """What is missing of a term that does not stand there; None where it is known anyway."""
        term = terms[place]
        parts = _parts(term)
        misses = [self._look_for(part) for part in parts if not self._knows(part)]
        if not misses and len(parts) > 1 and sum(map(str.isupper, term.text)) > 1:
            whole = self._look_for(term)  # PH-LM for PH-LLM, of which both parts are known
            if whole.right and not all(self._words.state(part.words) for part in parts):
                misses = [whole]
        misses = misses or self._resized(term)
        if not misses or self._knows_beside(terms, place):
            return None
        found = next((miss for miss in misses if miss.right), misses[0]._replace(term=term))
        word = _LOWER.fullmatch(term.text) and (found.right is None or found.right.islower())
        return found._replace(severity="warning" if word else "error")

    def _resized(self, term: Term) -> list[_Miss]:
        """A model of another size than the source has of it: Ferry-70B for Ferry-7B."""
        sized = _SIZED.fullmatch(term.text)
        if sized is None:
            return []
        name = re.compile(rf"(?<![A-Za-z0-9]){re.escape(sized['name'])}[ -]?{_SIZE}", re.IGNORECASE)
        found = {one["size"]: one[0] for one in name.finditer(self._reading.text)}
        return [_Miss(term, [*found.values()])] if found and sized["size"] not in found else []

    def _knows(self, part: Term) -> bool:
        if len(part.key) < 2 or part.key.isdigit() or part.key in _UNITS:
            return True
        if _QUANTITY.fullmatch(part.text) or _ROMAN.fullmatch(part.text):
            return True
        if self._words.state(part.words) or is_general(part.key):
            return True
        if _is_plain(part.text):
            return is_ordinary(part.key) or stem(part.key) in self._stems
        acronym = part.key.removesuffix("s")
        expansions = vocabulary().expansions.get(acronym, ())
        if any(self._words.state(spell(full)) for full in expansions):
            return True
        # Initials in a row may come about by chance, the more so where the true acronym is alike.
        return self._words.abbreviate(acronym) and not self._look_for(part).near

    def _knows_beside(self, terms: Sequence[Term], place: int) -> bool:
        """Whether the source writes as one word what the point writes as two."""
        beside = terms[max(0, place - 1) : place + 2]
        return any(
            second.start == first.end + 1 and self._words.state(first.key + second.key)
            for first, second in pairwise(beside)
        )

    def _look_for(self, term: Term) -> _Miss:
        """Find the names that an unknown one resembles most."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        singular, plain, compound = _singular(term), _is_plain(term.text), len(_parts(term)) > 1
        names = self._all if plain else self._names
        near_keys = process.extract(
            singular.key,
            names.keys(),
            scorer=OSA.distance,
            score_cutoff=1 if len(term.key) < _LONG else 2,
            limit=_MOST_NEAR,
        )
        found = [
            (distance, names[near])
            for near, distance, _ in near_keys
            if len(near) > 2 and ("-" in names[near] or not compound)
        ]
        nearest = min((distance for distance, _ in found), default=0)
        near = [name for distance, name in found if distance == nearest]
        near = [name for name in near if _digits(name) == _digits(term.text)] or near
        if len(near) != 1 or not _is_misspelling(singular, near[0]) or self._may_have(term):
            return _Miss(term, near)
        right = near[0].capitalize() if term.text[0].isupper() and near[0].islower() else near[0]
        return _Miss(term, near, right + term.text[len(singular.text) :])

    def _may_have(self, term: Term) -> bool:
        """Whether the whole paper may well know such an acronym beside the one of its abstract."""
        return self._basis == "paper" and len(term.key) < 6 and term.text.isupper()

    @Lazy
    def _stems(self) -> frozenset[str]:
        return frozenset(map(stem, set(_LOWER_WORD.findall(self._reading.text))))

    @Lazy
    def _written(self) -> list[str]:
        return find_terms(self._reading.text)[:_MOST_CANDIDATES]

    @Lazy
    def _all(self) -> Mapping[str, str]:
        """The terms and the parts of compounds as written, by their words in one."""
        return dict(_by_key(self._written))

    @Lazy
    def _names(self) -> Mapping[str, str]:
        """Those that look like names."""
        return dict(_by_key(text for text in self._written if not _is_plain(text)))


def _by_key(written: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in written:
        if text.isalnum() and text.isascii():
            singular = text[:-1] if _is_plural(text) else text
            yield singular.lower(), singular
            continue
        term = Term(0, text, spell(text))
        for part in (term,) if text.isalnum() else (*reversed(_parts(term)), term):
            name = _singular(part)
            yield name.key, name.text


def _parts(term: Term) -> list[Term]:
    """The parts of a compound: a number belongs to the name before it, a size to neither."""
    parts: list[Term] = []
    for piece in term.pieces():
        if parts and piece.text[0].isdigit() and not _QUANTITY.fullmatch(piece.text):
            last = parts.pop()
            text = term.text[last.start - term.start : piece.end - term.start]
            parts.append(last._replace(text=text, words=f"{last.words} {piece.words}"))
        else:
            parts.append(piece)
    return parts


def _is_plural(text: str) -> bool:
    """Whether it is the plural of an acronym: LLMs."""
    return text[-1] == "s" and text[-2:-1].isupper()


def _singular(term: Term) -> Term:
    """An acronym without the `s` of its plural."""
    if _is_plural(term.text):
        return term._replace(text=term.text[:-1], words=term.words[:-1])
    return term


def _digits(text: str) -> list[str]:
    return _DIGIT.findall(text)


@lru_cache(maxsize=_MOST_WORDS)
def _is_plain(text: str) -> bool:
    """Whether it looks like a word: no capital letter but the first, no digit."""
    return text[1:].islower() and not _DIGIT.search(text)


def _is_misspelling(term: Term, name: str) -> bool:
    """Whether a near name is what was meant, and not a relative with a name of its own."""
    other = spell(name).replace(" ", "")
    if len(term.key) < _SHORTEST_MISSPELT or _digits(term.key) != _digits(other):
        return False  # GPT-3 is not GPT-4 misspelt
    if term.key in vocabulary().names:
        return False  # nor LLaVA LLaMA
    if term.text[0].isupper() and name.islower() and len(term.key) < _LONG:
        return False  # nor Adept "adapt"
    if term.key.startswith(other) or other.startswith(term.key):
        return len(term.key) >= _LONG and term.text.isalpha() and term.text[-1].islower()
    return True


# --- what acronyms stand for --------------------------------------------------------------------

# Shorter acronyms stand for too many things.
_SURE = 4
_PHRASE_WORD = re.compile(r"[A-Za-z0-9]+")


def _wrong_expansions(text: str, number: int, readings: Readings) -> Iterator[Finding]:
    """Find expansions that are neither the abstract's nor, where it has none, the usual ones."""
    source = readings.source
    for said in read_expansions(text):
        if source.words.state(spell(said.full)) or _has(source.stems, said.full):
            continue
        acronym = said.acronym.lower()
        stated = {e.full for e in source.expansions if e.acronym.lower() == acronym}
        right = sorted(stated) or vocabulary().expansions.get(acronym, ())
        if any(_has(stems(words_of(full)), said.full) for full in right):
            continue
        if right:
            whose = "the abstract says" if stated else "it usually stands for"
            certain = bool(stated) or (readings.basis == "abstract" and len(acronym) >= _SURE)
            message = f"{said.acronym} is not {said.full}: {whose} {' or '.join(right)}"
        elif source.words.state(acronym):
            certain = False
            message = f"the abstract does not say that {said.acronym} is {said.full}"
        else:
            continue  # the acronym itself is unknown
        yield Finding(
            check="names",
            severity="error" if certain else "warning",
            point=number,
            span=(said.start, said.start + len(said.full)),
            message=message,
            evidence=" or ".join(right) or None,
            fix=_in_style(right[0], said.full) if certain and len(right) == 1 else None,
        )


def _has(among: str, phrase: str) -> bool:
    """Whether the phrase stands among the stems of some words."""
    return f" {stems(words_of(phrase))} " in f" {among} "


def _in_style(full: str, said: str) -> str:
    """The right words, capitalised where the wrong ones were."""
    if not said[0].isupper() or full[0].isupper():
        return full
    return _PHRASE_WORD.sub(lambda w: w[0] if w[0] in LINKING else w[0][0].upper() + w[0][1:], full)
