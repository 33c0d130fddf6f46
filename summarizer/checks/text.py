r"""Whether a point is clean Korean prose: no other language, no debris of encodings or of LaTeX.

Rules, since each defect has a shape of its own: `\framework` in JSON becomes a form feed and
`ramework`; of the 11,172 syllables that Unicode has, prose uses the 2,350 of KS X 1001, and a
broken decoder the others.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from summarizer.checks.encoding import LOST, USED, find_mojibake
from summarizer.digest import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from summarizer.checks.latin import Term
    from summarizer.checks.reading import Readings

_MOST_FINDINGS = 20  # of one rule in one point: a megabyte of debris is one defect, not a million


class _Flaw(NamedTuple):
    """What a rule found in one point."""

    message: str
    span: tuple[int, int] | None = None
    severity: Severity = "error"
    evidence: str | None = None
    fix: str | None = None


# --- the language --------------------------------------------------------------------------------

_HANGUL = re.compile("[가-힣]")
_NOT_PROSE = re.compile(r"https?://[!-~]+|\$[^$\n]{1,300}\$|`[^`\n]*`")
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|'[^'\n]{1,200}'|\"[^\"\n]{1,200}\"")
_ENGLISH_RUN = re.compile(r"(?:[A-Za-z][A-Za-z0-9'-]*,? ){4,}[A-Za-z0-9'-]+")
_ENGLISH_WORD = re.compile(
    r"\b(?:an?|and|are|as|be|because|by|for|from|in|is|it|of|on|our|than|that|the|this|to|was|we"
    r"|were|when|which|while|with)\b"
)
_ENGLISH_LOWER = re.compile(r"\b[a-z]+")
_FEWEST_ENGLISH = 4
_VERBAL = frozenset("하한했해된되")  # presuppose한다, generate하므로
_ENGLISH_VERB = re.compile(
    r"(?<![A-Za-z-])[a-z]{4,30}(?:하[고며여는다지게므]|한(?=[ 다])|했|해[ 야서]|된"
    r"|되[는며고어지었])"
)


def _may_be_foreign(text: str, min_hangul: float) -> bool:
    # Two bytes more for each syllable: where they abound, no letter needs to be counted.
    syllables = (len(text.encode("utf-8", "surrogatepass")) - len(text)) // 2
    return syllables < min_hangul * len(text)


def _language(text: str, min_hangul: float) -> Iterator[_Flaw]:
    prose = _NOT_PROSE.sub(" ", text)
    hangul = len(_HANGUL.findall(prose))
    letters = sum(map(str.isalpha, prose))
    if letters and not hangul:
        yield _Flaw("the point is not written in Korean")
    elif hangul < min_hangul * letters:
        yield _Flaw(f"only {hangul} of the point's {letters} letters are Hangul")


def _may_be_english(text: str, terms: Sequence[Term]) -> bool:
    ends = [start + len(written) for start, written, _ in terms if written.islower()]
    if len(ends) < _FEWEST_ENGLISH:
        return bool(ends) and not _VERBAL.isdisjoint([text[end : end + 1] for end in ends])
    return True


def _english(text: str) -> Iterator[_Flaw]:
    """What was left in English outside of brackets and quotes, where names and glosses stand."""
    prose = _ASIDE.sub(lambda aside: "·" * len(aside[0]), text)
    for run in _ENGLISH_RUN.finditer(prose):
        words = len(_ENGLISH_WORD.findall(run[0]))
        if words and len(_ENGLISH_LOWER.findall(run[0])) > words + 1:  # and no title
            bracketed = prose.count(")", run.end()) > prose.count("(", run.end())
            severity: Severity = "warning" if bracketed or words < 2 else "error"
            yield _Flaw("a part of the point was left in English", run.span(), severity)
            return
    if verb := _ENGLISH_VERB.search(prose):
        yield _Flaw(f"{verb[0]!r} is an English word as a Korean verb", verb.span(), "warning")


# --- characters ----------------------------------------------------------------------------------


# Few points have any; `re` compiles it, which takes milliseconds, for the first one.
_DEBRIS = (
    "(?P<eaten>[\a\b\t\n\v\f\r](?=(?<=[\a\b\v\f])[a-z]{2}"
    "|(?<=\t)(?:au|ext|heta|ilde|imes|op|riangle)(?![a-z])|(?<=\n)(?:abla|eq|ewcommand)(?![a-z])"
    "|(?<=\r)(?:angle|ceil|floor|ho|ightarrow)(?![a-z])))"
    "|(?P<control>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+)"
    "|(?P<invisible>[\u00ad\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+)"
    f"|(?P<broken>[{LOST}]+)"
    "|(?P<Hanja>[\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)"
    "|(?P<kana>[\u3040-\u30ff\u31f0-\u31ff]+)"
    "|(?P<Cyrillic>[\u0400-\u052f]+)"
    "|(?P<script>[\u0590-\u0eff]+)"
    f"|(?P<unused>(?:(?![{USED}])[가-힣])+)"
    "|(?P<jamo>[ㄱ-ㅣ]{2,}|(?<=[가-힣])[ㄱ-ㅣ])"
)
_ESCAPED = dict(zip("\a\b\t\n\v\f\r", "abtnvfr", strict=True))
_NAMED = {
    "control": "a control character stands in the text",
    "invisible": "invisible characters stand in the text",
    "broken": "a character was broken by a wrong encoding",
    "unused": "{!r} is no syllable that Korean prose uses",
    "jamo": "{!r} are single letters and no syllable",
    "script": "{!r} is neither Korean nor Latin script",
}
_WORD = re.compile(r"\S+")


def _characters(text: str, source: str) -> Iterator[_Flaw]:
    undone = list(islice(find_mojibake(text), _MOST_FINDINGS))
    for span, encoding, right in undone:
        yield _Flaw(f"UTF-8 was read as {encoding}", span, evidence=right, fix=right)
    if undone:
        return
    for found in islice(re.finditer(_DEBRIS, text), _MOST_FINDINGS):
        yield from _debris(text, found, source)
    if not unicodedata.is_normalized("NFC", text):
        apart = (w for w in _WORD.finditer(text) if not unicodedata.is_normalized("NFC", w[0]))
        for word in islice(apart, _MOST_FINDINGS):
            fix = unicodedata.normalize("NFC", word[0])
            yield _Flaw("the characters are not composed (Unicode NFC)", word.span(), fix=fix)


def _debris(text: str, found: re.Match[str], source: str) -> Iterator[_Flaw]:
    kind, run, span = found.lastgroup or "", found[0], found.span()
    if kind == "eaten":
        rest = re.compile("[A-Za-z]*").match(text, found.end())
        macro = "\\" + _ESCAPED[run] + (rest[0] if rest else "")
        message = f"the beginning of {macro} was read as an escape, and is lost"
        yield _Flaw(message, span, evidence=macro, fix=macro[:2] if macro in source else None)
    elif kind == "invisible":
        yield _Flaw(_NAMED[kind], span, fix="")
    elif kind in ("Hanja", "kana", "Cyrillic"):
        if any(character not in source for character in run):
            gloss = text[span[0] - 1 : span[0]] == "(" and text[span[1] : span[1] + 1] == ")"
            yield _Flaw(f"{run!r} is {kind}", span, "warning" if gloss else "error")
    elif run == "됬":
        yield _Flaw(_NAMED[kind].format(run), span, fix="됐")
    else:
        yield _Flaw(_NAMED[kind].format(run), span)


# --- LaTeX, JSON, Python -------------------------------------------------------------------------

_VERBATIM = re.compile(r"\$(?=\S)[^$\n]{1,300}(?<=\S)\$|`[^`\n]*`|https?://[!-~]+")
_MARKUP = re.compile(
    r"(?P<code>\\u(?P<digits>[0-9a-fA-F]{4}))"
    r"|(?P<escape>\\(?:x[0-9a-fA-F]{2}|[nrt](?![a-z])))"
    r"|(?P<quote>(?<!\\)\\+\")"
    r"|(?P<percent>(?<!\\)\\+%)"
    r"|(?P<macro>\\[A-Za-z]+\*?)"
    r"|(?P<trace>(?<![A-Za-z\\])(?:ext(?:bf|it|rm|sc|tt)?\{|rac\{|m?ath(?:bb|bf|cal|rm)(?![a-z])"
    r"|(?:text(?:bf|it|rm|sc|tt)|d?frac|emph)\{|(?<=[0-9])imes(?![a-z])|(?<=[0-9] )imes(?![a-z]))"
    r"|\^\\?circ(?![a-z]))"
    r"|(?P<script>[\^_]\{[^{}\n]{0,100}\})"
)
_MARKUP_NAMES = {
    "code": "{!r} is a character's code and not the character",
    "escape": "{!r} is an escape that was written out",
    "quote": "a quotation mark is escaped as in JSON",
    "percent": "the percent sign is escaped as in LaTeX",
    "macro": "{!r} is LaTeX outside of $ signs",
    "trace": "{!r} is what is left of LaTeX",
    "script": "{!r} is LaTeX outside of $ signs",
}
_MARKUP_WARNINGS = frozenset(["quote", "percent", "script"])
_REPR_START = re.compile(
    r"\s*(?:\[\s*['\"]|\{\s*['\"]?\w+['\"]?\s*:|['\"](?:points|summary|요약)['\"]\s*:)"
)
_REPR_END = re.compile(r"(?:['\"]\s*,?\s*[\]}]|[가-힣.]\"\s*,)\s*\Z")
_REPR_INSIDE = re.compile(
    r"\[\s?'[^'\n]{1,80}'(?:,\s?'|\])|\"\s*[\]}]\s*,?\s*[\]}\"]|\"\s*,\s*\"\w{1,40}\"\s*:"
)
_OPENS_REPR = frozenset("[{'\"")
_CLOSES_REPR = frozenset("]},")
_NOTHING = re.compile(r"\n[^\S\n]*(?:none|null|nan|n/a|undefined|\.\.\.)[^\S\n]*\n", re.IGNORECASE)


def _markup(text: str) -> Iterator[_Flaw]:
    prose = _VERBATIM.sub(lambda verbatim: " " * len(verbatim[0]), text)
    for found in islice(_MARKUP.finditer(prose), _MOST_FINDINGS):
        kind, fix = found.lastgroup or "", None
        if kind == "code":
            character = chr(int(found["digits"], 16))
            fix = character if character.isprintable() else None
        elif kind in ("quote", "percent"):
            fix = found[0][-1]
        severity: Severity = "warning" if kind in _MARKUP_WARNINGS else "error"
        yield _Flaw(_MARKUP_NAMES[kind].format(found[0]), found.span(), severity, fix=fix)


def _repr(text: str) -> Iterator[_Flaw]:
    if (
        (text.lstrip()[:1] in _OPENS_REPR and _REPR_START.match(text))
        or (text.rstrip()[-1:] in _CLOSES_REPR and _REPR_END.search(text[-20:]))
        or (("['" in text or '"' in text) and _REPR_INSIDE.search(text))
        or _NOTHING.fullmatch(f"\n{text.strip()}\n")
    ):
        yield _Flaw("the point is what a program prints of its data, and not prose")


# --- wording -------------------------------------------------------------------------------------

_TASK_OPENING = (
    r"(?:(?:네|물론(?:입니다|이죠|이지요)|알겠습니다)[,.!]"
    r"|(?:다음은|아래는|이상은|위는)[^.\n]{0,80}요약|요청하신|제공(?:하신|해 주신|해주신) "
    r"|죄송(?:합니다|하지만)|As an AI|Here(?: is| are|'s) (?:the|a|an|my|your)\b|Sure[,!]"
    r"|Certainly[,!]|I(?:'m| am) sorry|I cannot )"
)
_ROLE = r"(?:(?i:assistant|user|human)|어시스턴트|사용자) ?:"
_TASK_START = re.compile(rf"\W*(?:{_TASK_OPENING}|{_ROLE})")
_TASK_LINE = re.compile(rf"\n[^\w\n]*(?:{_TASK_OPENING}|{_ROLE})")
_TASK = re.compile(
    r"요약하(?:면|자면),? 다음과 같|번역하(?:면|자면),? 다음과 같"
    r"|저는 [^.\n]{0,30}(?:AI|인공지능|언어 모델)|제가 [^.\n]{0,30}(?:AI|인공지능|언어 모델)"
    r"|초록에(?:는|서는)? [^.\n]{0,40}(?:언급|명시)(?:되지|되어 있지|이 없)"
    r"|도움이 되(?:었|셨)으면|궁금한 점이"
)
_THREE_IN_HALF = re.compile(r"(\S)\1\1")
_SIX = re.compile(r"([^\s0-9.])\1{5}|\.{7}")
_BROKEN_OFF = (
    *(",", "며", "지만", "는데", "은데", "면서", "므로", "때문에", "하고", "되고", "하여", "되어"),
    *("위해", "통해", "으로써", "를", "을", "에서", "에게"),
)
_WHOLE_NOUNS = ("마을", "가을", "노을")
_MARKS = " \t\n*_`\"'”’"


def _task(text: str) -> Iterator[_Flaw]:
    task = _TASK_START.match(text) or _TASK.search(text)
    if task:
        yield _Flaw("the point talks about the task and not about the paper", task.span())


def _repeated(text: str) -> Iterator[_Flaw]:
    six = _SIX.search(text)
    if six:
        severity: Severity = "error" if six[0][0].isalpha() else "warning"
        yield _Flaw(f"{six[0][0]!r} is repeated over and over", six.span(), severity)


def _unfinished(text: str) -> Iterator[_Flaw]:
    end = text.rstrip(_MARKS)
    if end.endswith(_BROKEN_OFF) and not end.endswith(_WHOLE_NOUNS):
        last = end.rsplit(maxsplit=1)[-1]
        yield _Flaw("the sentence breaks off", (len(end) - len(last), len(end)))
    opened = text.rfind("(")
    if opened > text.rfind(")") and text.count("(") > text.count(")"):
        yield _Flaw("a bracket is opened and not closed", (opened, opened + 1))


# --- the check -----------------------------------------------------------------------------------


def _rules(whole: str) -> Iterator[Callable[[str], Iterator[_Flaw]]]:
    """The rules that may find something in some of the points, which are the lines of `whole`."""
    if "\\" in whole or "{" in whole or "^" in whole or "ath" in whole or "imes" in whole:
        yield _markup
    if '"' in whole or "'" in whole or "{" in whole or _NOTHING.search(whole):
        yield _repr
    if _TASK_LINE.search(whole) or _TASK.search(whole):
        yield _task
    # Every second character is quicker to search, and of six that are equal has three.
    if _THREE_IN_HALF.search(whole[::2]):
        yield _repeated
    yield _unfinished


def text(readings: Readings, *, min_hangul: float = 0.15) -> Iterator[Finding]:
    """Find points that are not Korean prose; nothing is said of a digest in another language.

    Args:
        min_hangul: Least share of Hangul among the letters of a point, URLs and formulas aside.
    """
    if readings.language.partition("-")[0] != "ko":
        return
    rules = [*_rules(readings.whole)]
    for number, text in enumerate(readings.texts):
        odd = number in readings.odd
        flaws: list[_Flaw] = []
        if odd:
            flaws += _characters(text, readings.source.text)
        foreign: list[_Flaw] = []
        if odd or _may_be_foreign(text, min_hangul):
            foreign += _language(unicodedata.normalize("NFC", text), min_hangul)
        if not foreign and _may_be_english(text, readings.terms[number]):
            foreign += _english(text)
        flaws += foreign
        for rule in rules:
            flaws += rule(text)
        for flaw in flaws:
            yield Finding(check="text", point=number, **flaw._asdict())
