"""Whether a summary has the form of one: enough points, none empty, looping or told twice.

Also what its Markdown does to it where it is read. GitHub strikes out what stands between the
tildes of `1.5~2.5배, 1.0~9.9%`, drops `<think>` and makes a heading of `# …`. The rules are those
of GFM 0.29; a whole CommonMark parser takes ten times as long and would have to be asked what it
did with each character, where a few patterns and the rule of flanking runs (section 6.4) do.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain, islice
from string import punctuation
from typing import TYPE_CHECKING, NamedTuple

from summarizer.digest import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from summarizer.checks.reading import Readings

_ENGLISH_SENTENCE = re.compile(r"[.!?](?=\s|$)")
_EMPTY = "the point is empty"
_MOST_COMPARED = 100  # points with one another
_SHARED = 0.4  # of the words of the shorter of two points that may be twins
_MOST_READ = 2000  # characters or words of each, so that a megabyte costs no more than a page


class _Flaw(NamedTuple):
    """What a rule found in one point."""

    message: str
    span: tuple[int, int] | None = None
    severity: Severity = "error"
    fix: str | None = None


def shape(
    readings: Readings, *, min_points: int = 1, max_points: int = 20, max_chars: int = 600
) -> Iterator[Finding]:
    """Find a wrong number of points, and points that are empty, too long, looping or twins.

    Markdown and HTML that change how a point reads are errors too.

    Args:
        min_points: Fewer are an error, but for an abstract of fewer sentences, whose number of
            sentences is enough: a short one must not be padded.
        max_points: More are an error.
        max_chars: A longer point is a warning. Of 913 published ones the longest has 460.
    """
    points = readings.summary.points
    if len(points) < min_points and readings.paper.abstract:
        sentences = len(_ENGLISH_SENTENCE.findall(readings.paper.abstract))
        min_points = max(1, min(min_points, sentences))
    if not min_points <= len(points) <= max_points:
        yield Finding(
            check="shape",
            severity="error",
            message=f"the summary has {len(points)} points, not {min_points} to {max_points}",
        )
    texts = readings.texts
    words = [*map(str.split, texts)]
    vocabularies = [*map(frozenset, words)]
    long_words = max(map(len, chain.from_iterable(words)), default=0) > _LONGEST_WORD
    marked, leading = _may_be_marked(readings.whole)
    for number, text in enumerate(texts):
        flaws: list[_Flaw] = []
        if not words[number]:
            yield Finding(check="shape", severity="error", point=number, message=_EMPTY)
            continue
        if len(text) > max_chars:
            message = f"the point has {len(text)} characters; {max_chars} are enough"
            flaws.append(_Flaw(message, severity="warning"))
        loop = _loop(text, words[number], vocabularies[number], long_words=long_words)
        if loop:
            flaws.append(_Flaw("the point repeats itself", loop))
        if leading:
            flaws += _leading(text)
        if marked:
            flaws += _markdown(text)
        for flaw in flaws:
            yield Finding(check="shape", point=number, **flaw._asdict())
    yield from _twins(texts, vocabularies[:_MOST_COMPARED])


# --- loops and twins -----------------------------------------------------------------------------

_SENTENCE_END = re.compile(r"[.!?](?<=[가-힣)].)\s*")
_SHORTEST_SENTENCE = 8
_LONGEST_WORD = 40
_TOKEN = re.compile(r"\S+")


def _loop(
    text: str, words: list[str], vocabulary: frozenset[str], *, long_words: bool
) -> tuple[int, int] | None:
    """Where a text says the same again and again, as small models do; None where it does not."""
    if len(words) - len(vocabulary) >= 3:
        found = _period(words, copies=2)
        if found:
            places = [token.span() for token in islice(_TOKEN.finditer(text), found[1])]
            return places[found[0]][0], places[-1][1]
    if _is_copied(" ".join(words)):
        return 0, len(text)
    if long_words:
        for token in _TOKEN.finditer(text):
            if len(token[0]) > _LONGEST_WORD and "/" not in token[0]:
                found = _period(token[0], copies=4)
                if found and found[1] - found[0] > _LONGEST_WORD // 2:
                    return token.start() + found[0], token.start() + found[1]
    return None


def _is_copied(text: str) -> bool:
    """Whether a text is copies of one, or has a sentence twice."""
    beginning = text[: len(text) // 2][:_SHORTEST_SENTENCE]
    if len(text) > _SHORTEST_SENTENCE and text.find(beginning, 1) > 0:
        for copy in (text, f"{text} "):
            if (copy + copy).find(copy, 1) < len(copy):
                return True
    if text.count(".") > 1 or "!" in text or "?" in text:
        sentences = [s for s in _sentences(text) if len(s) >= _SHORTEST_SENTENCE]
        return len(sentences) > 1 and len(set(sentences)) < len(sentences)
    return False


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield text[start : end.start() + 1]
        start = end.end()
    yield text[start:]


def _period(units: Sequence[str], *, copies: int) -> tuple[int, int] | None:
    """The first stretch of units that consists of copies of one phrase.

    Three units in a row that stood here before show a distance; where the distance stays the same
    for as long as it is, a phrase has been copied. Short phrases need a copy more.
    """
    triples = zip(units, units[1:], units[2:], strict=False)
    if len(set(triples)) == len(units) - 2:
        return None
    seen: dict[tuple[str, ...], int] = {}
    distance = run = 0
    for place in range(len(units) - 2):
        key = tuple(units[place : place + 3])
        here = place - seen[key] if key in seen else 0
        run = run + 1 if here and here == distance else int(here > 0)
        distance = here
        seen[key] = place
        more = 3 if distance == 1 else 1 if distance < 5 else 0
        if run and run + 2 >= distance * (copies - 1 + more):
            end = place + 3
            return end - run - 2 - distance, end
    return None


def _twins(texts: Sequence[str], vocabularies: list[frozenset[str]]) -> Iterator[Finding]:
    """Points that say what another said before.

    Of 2,337 pairs of published points of one paper, none had more than 0.28 of their trigrams of
    characters in common, and none more than 0.56 of the shorter one's.
    """
    trigrams: dict[int, set[str]] = {}
    for second, firsts in _alike(vocabularies):
        for first in firsts:
            for number in (first, second):
                if number not in trigrams:
                    trigrams[number] = _trigrams(texts[number])
            severity = _likeness(trigrams[first], trigrams[second])
            if severity == "error" and _facts(texts[first]) != _facts(texts[second]):
                severity = "warning"  # the same sentence of another result
            if severity:
                yield Finding(
                    check="shape",
                    severity=severity,
                    point=second,
                    message=f"the point says what point {first + 1} says",
                    evidence=texts[first][:200],
                )
                break


def _alike(vocabularies: list[frozenset[str]]) -> Iterator[tuple[int, list[int]]]:
    """Points with the earlier ones that share two words in five with them."""
    seen: set[str] = set()
    fewest = 0
    for second, words in enumerate(vocabularies):
        if not words:
            continue
        # With no point before it this one shares more words than with all of them together.
        size, known = len(words), len(seen)
        seen |= words
        if known and known + size - len(seen) >= _SHARED * min(size, fewest):
            firsts = [
                first
                for first, others in enumerate(vocabularies[:second])
                if others and len(words & others) >= _SHARED * min(size, len(others))
            ]
            yield second, firsts
        if size < fewest or not fewest:
            fewest = size


def _likeness(one: set[str], other: set[str]) -> Severity | None:
    shared = len(one & other)
    if shared >= 0.8 * len(one | other):
        return "error"
    near = shared >= 0.6 * len(one | other) or shared >= 0.85 * min(len(one), len(other))
    return "warning" if near else None


_NOT_LETTER = re.compile(r"[\W_]+")
_FACT = re.compile(r"[A-Za-z0-9]+")


def _trigrams(text: str) -> set[str]:
    letters = _NOT_LETTER.sub("", text[:_MOST_READ]).lower()
    return {letters[place : place + 3] for place in range(max(1, len(letters) - 2))}


def _facts(text: str) -> set[str]:
    return set(_FACT.findall(text[:_MOST_READ]))


# --- Markdown and HTML ---------------------------------------------------------------------------

# A table shows by the bar that begins a row, or by the hyphens below its head.
_LEADING = re.compile(
    r"^[^\S\n]*(?:(?P<heading>#{1,6}[ \t]+)|(?P<bullet>[-*+][ \t]+)|(?P<number>[0-9]{1,9}[.)][ \t])"
    r"|(?P<quote>>)|(?P<table>\||:?-+:?[ \t]*\|)|(?P<fence>```|~~~)"
    r"|(?P<rule>(?:-{3,}|\*{3,}|_{3,}|={3,})[^\S\n]*$))",
    re.MULTILINE,
)
_LEADS = re.compile(r"\n[^\S\n]*[#*+>|`~_=:0-9-]")
_LEADING_NAMES = {
    "heading": "a heading",
    "bullet": "a list within the list",
    "number": "a list within the list",
    "quote": "a quotation",
    "table": "a table",
    "fence": "a block of code",
    "rule": "a line across the page",
}
_CELLS = re.compile(r"^[ \t]*[^\s|:-][^\n|]*(\|[ \t]*:?-{3,}:?[ \t]*\|)", re.MULTILINE)
_VERBATIM = re.compile(r"`[^`\n]+`|https?://[^\s<]+")
_TAG = re.compile(
    r"<(?:[A-Za-z][A-Za-z0-9-]*+(?:\s++[A-Za-z_:][A-Za-z0-9_.:-]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'"
    r"|[^\s\"'=<>`]++))?+)*+\s*+/?|/[A-Za-z][A-Za-z0-9-]*+\s*+|!--[^<>]*+--)>"
)
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,300}\]\(")
_NAMED_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\(\s{0,9}<?([^\s<>()]{1,2000})")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,10})(?![A-Za-z0-9])"
)


def _may_be_marked(whole: str) -> tuple[bool, bool]:
    """Whether Markdown may change what stands within and at the beginning of any line."""
    within = "](" in whole or "~" in whole or "*" in whole or "<" in whole or "|" in whole
    return within, _LEADS.search(whole) is not None


def _markdown(text: str) -> Iterator[_Flaw]:
    """What stands within a point."""
    if "](" in text:
        yield from _links(text)
    if cells := _CELLS.search(text):
        yield _Flaw("a part of a table stands in the text", cells.span(1))
    if "~" not in text and "*" not in text and "<" not in text:
        return
    prose = text
    if "`" in text or "://" in text:
        prose = _VERBATIM.sub(lambda verbatim: "x" * len(verbatim[0]), text)
    if "<" in prose:
        for tag in islice(_TAG.finditer(prose), _MOST_COMPARED):
            yield _Flaw(f"{tag[0]!r} is HTML, and is not shown", tag.span())
    if prose.count("~") > 1:
        yield from _struck(prose)
    if "*" in prose:
        yield from _starred(prose)


def _leading(text: str) -> Iterator[_Flaw]:
    """What begins a line; of rows and quotations, which cannot be mended, the first one."""
    if _LEADS.search(f"\n{text}") is None:
        return
    told = set()
    for found in islice(_LEADING.finditer(text), _MOST_COMPARED):
        kind = found.lastgroup or ""
        fix = "" if kind in ("heading", "bullet") else None
        below = text[: found.start()].strip() != ""
        if below and kind in ("bullet", "number"):
            continue  # a list below a sentence was meant, and reads as one
        if fix is None and kind in told:
            continue
        told.add(kind)
        yield _Flaw(
            f"Markdown reads the beginning{' of a line' * below} as {_LEADING_NAMES[kind]}",
            found.span(kind),
            "warning" if kind == "number" else "error",
            fix,
        )


def _links(text: str) -> Iterator[_Flaw]:
    for image in islice(_IMAGE.finditer(text), _MOST_COMPARED):
        yield _Flaw("a picture stands in the text", image.span())
    for link in islice(_NAMED_LINK.finditer(text), _MOST_COMPARED):
        shown, target = _ADDRESS.match(link[1]), _ADDRESS.match(link[2])
        if target is None:
            yield _Flaw("the link leads to no page of the web", link.span())
        elif shown and shown[1].lower() != target[1].lower():
            yield _Flaw(f"the link shows {shown[1]} and leads to {target[1]}", link.span())


class _Run(NamedTuple):
    """A run of one mark, and what it may do to what it encloses (GFM, section 6.4)."""

    start: int
    length: int
    opens: bool
    closes: bool


def _runs(text: str, pattern: re.Pattern[str]) -> Iterator[_Run]:
    for found in pattern.finditer(text):
        start, end = found.span()
        before, after = text[start - 1 : start] or " ", text[end : end + 1] or " "
        beside_before = before.isspace() or _is_punctuation(before)
        beside_after = after.isspace() or _is_punctuation(after)
        opens = not after.isspace() and (not _is_punctuation(after) or beside_before)
        closes = not before.isspace() and (not _is_punctuation(before) or beside_after)
        yield _Run(start, end - start, opens, closes)


def _is_punctuation(character: str) -> bool:
    return character in punctuation or unicodedata.category(character).startswith("P")


_TILDES = re.compile(r"(?<!\\)~+")
_STARS = re.compile(r"(?<!\\)\*+")
_RANGE = re.compile(r"(?<=[\w%])~(?=\w)")


def _struck(text: str) -> Iterator[_Flaw]:
    """Tildes between which GitHub strikes out the text; those of a range become hyphens."""
    opening: dict[int, _Run] = {}
    for run in islice(_runs(text, _TILDES), _MOST_READ):
        opened = opening.pop(run.length, None) if run.closes else None
        if opened:
            for tilde in (opened, run):
                in_range = tilde.length == 1 and _RANGE.match(text, tilde.start)
                yield _Flaw(
                    "GitHub strikes out what stands between two tildes",
                    (tilde.start, tilde.start + tilde.length),
                    fix="-" if in_range else None,
                )
        elif run.opens and run.length < 3:
            opening[run.length] = run


def _starred(text: str) -> Iterator[_Flaw]:
    """Asterisks that do not make bold type, and those that make italics of a product."""
    opened: list[_Run] = []
    loose: list[_Run] = []
    for run in islice(_runs(text, _STARS), _MOST_READ):
        if run.closes and run.length in [one.length for one in opened[-9:]]:
            while (partner := opened.pop()).length != run.length:
                loose.append(partner)
            if run.length == 1 and partner.closes:
                span = (partner.start, run.start + 1)
                yield _Flaw("Markdown reads two asterisks as italics, and drops them", span)
        else:
            (opened if run.opens else loose).append(run)
    shown = next((run for run in (*loose, *opened) if run.length > 1), None)
    if shown:
        span = (shown.start, shown.start + shown.length)
        yield _Flaw("the bold type is not closed, and the asterisks show", span, "warning")
