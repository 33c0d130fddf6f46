"""What can be said of a summary without asking a model: findings, and the mending of some.

A check is one file and one function from `Readings` to findings; its keyword parameters are what
`Checks` may set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, get_type_hints

from pydantic import TypeAdapter, ValidationError

from summarizer.checks.reading import Readings
from summarizer.digest import Point, Severity, Summary
from summarizer.errors import InputError, near

if TYPE_CHECKING:
    from summarizer.digest import Basis, Digest, Finding, Paper

Check: TypeAlias = Callable[..., Iterator["Finding"]]
Checks: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Which checks run, each with its parameters; `severity` is one that every check has."""

CHECKS: Mapping[str, str] = {
    "numbers": "summarizer.checks.numbers:numbers",
    "results": "summarizer.checks.results:results",
    "topic": "summarizer.checks.topic:topic",
    "names": "summarizer.checks.names:names",
    "senses": "summarizer.checks.senses:senses",
    "links": "summarizer.checks.links:links",
    "register": "summarizer.checks.register:register",
    "josa": "summarizer.checks.josa:josa",
    "text": "summarizer.checks.text:text",
    "shape": "summarizer.checks.shape:shape",
}
SOURCED = frozenset({"numbers", "results", "topic", "names", "senses", "links"})
"""The checks that hold a summary against the abstract, and can say nothing without one."""

_ACROSS: Mapping[str, str] = {
    "senses": "summarizer.checks.senses:renderings_across",
    "register": "summarizer.checks.register:register_across",
}
"""What a check finds across the entries of a digest."""

# Of one check in one summary: a megabyte of debris is one defect, and not a hundred thousand.
_MOST_FINDINGS = 200

DEFAULT: Checks = {name: {} for name in CHECKS}


@cache
def _load(target: str) -> Check:
    module, _, function = target.partition(":")
    check: Check = getattr(import_module(module), function)
    return check


def validate_checks(checks: Checks) -> None:
    """Refuse a check or a parameter that does not exist, and a value that it cannot take.

    Raises:
        InputError: What is wrong, and what there is instead.
    """
    for name, parameters in checks.items():
        if name not in CHECKS:
            raise InputError(f"there is no check {name!r}", hint=near(name, CHECKS))
        known = {"severity": Severity, **_parameters(name)}
        for parameter, value in parameters.items():
            if parameter not in known:
                raise InputError(
                    f"the check {name!r} has no parameter {parameter!r}",
                    hint=near(parameter, known),
                )
            try:
                TypeAdapter(known[parameter]).validate_python(value, strict=True)
            except ValidationError as error:
                said = error.errors(include_url=False, include_input=False)[0]["msg"]
                raise InputError(
                    f"{parameter!r} of the check {name!r} cannot be {value!r}",
                    hint=said.replace("Input should", "It should"),
                ) from None


def _parameters(name: str) -> dict[str, Any]:
    """The keyword parameters of a check and their types."""
    # What a check imports for its annotations alone.
    names = {"Readings": Readings, "Iterator": Iterator, "Finding": Any}
    hints = get_type_hints(_load(CHECKS[name]), localns=names)
    return {key: hint for key, hint in hints.items() if key not in ("readings", "return")}


def check_summary(
    paper: Paper,
    summary: Summary,
    *,
    checks: Checks | None = None,
    language: str = "ko",
    basis: Basis = "abstract",
) -> list[Finding]:
    """Hold a summary against its paper.

    Args:
        checks: Exactly these run; None stands for `DEFAULT`.
        language: Of the summary, as a BCP 47 tag.
        basis: What the points were written from.

    Returns:
        Findings in the order of the summary, those on the whole summary first.
    """
    readings = Readings(paper, summary, language=language, basis=basis)
    findings = []
    for name, parameters in (DEFAULT if checks is None else checks).items():
        settings = dict(parameters)
        severity = settings.pop("severity", None)
        found = [*islice(_load(CHECKS[name])(readings, **settings), _MOST_FINDINGS)]
        if found:  # by most checks nothing
            findings += [_with(finding, severity, arxiv_id=paper.arxiv_id) for finding in found]
    return sorted(
        findings,
        key=lambda finding: (
            -1 if finding.point is None else finding.point,
            finding.span or (0, 0),
        ),
    )


def _with(finding: Finding, severity: Severity | None, **update: str) -> Finding:
    given = {"severity": severity} if severity else {}
    return finding.model_copy(update=update | given)


def check_digest(digest: Digest, *, checks: Checks | None = None) -> list[Finding]:
    """Find what shows only across the entries of a digest: mixed registers and renderings.

    Args:
        digest: What is published together.
        checks: As for `check_summary`.
    """
    findings = []
    for name, parameters in (DEFAULT if checks is None else checks).items():
        if name in _ACROSS:
            found = _load(_ACROSS[name])(digest)
            findings += [_with(finding, parameters.get("severity")) for finding in found]
    return findings


def fixes(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that `mend` applies: those with a fix; where two overlap, the first."""
    chosen: list[Finding] = []
    for finding in sorted(
        (f for f in findings if f.fix is not None and f.point is not None and f.span),
        key=lambda f: (f.point, f.span),
    ):
        if chosen and chosen[-1].point == finding.point and chosen[-1].span and finding.span:
            (_, end), (start, _) = chosen[-1].span, finding.span
            if start < end or finding.span == chosen[-1].span:
                continue
        chosen.append(finding)
    return tuple(chosen)


def mend(summary: Summary, findings: Iterable[Finding]) -> Summary:
    """Apply every fix, and nothing else."""
    texts = [point.text for point in summary.points]
    for finding in reversed(fixes(findings)):
        if finding.point is not None and finding.span and finding.fix is not None:
            start, end = finding.span
            text = texts[finding.point]
            texts[finding.point] = text[:start] + finding.fix + text[end:]
    return Summary(points=tuple(Point(text=text) for text in texts))
