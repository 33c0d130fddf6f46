"""Scorers: what one answer is worth, as named figures.

A scorer is a function `(entry, case, **parameters)` that gives a number, a mapping of names to
numbers, or `Score`s; a number that is None does not apply to this case. Its figures are called by
its name, or by `name.figure`. There are those of `SCORERS`, one for each check, `checks` for all of
them together, entry points of the group `summarizer.scorers`, and any `package.module:function`.

What a model said is judged on its first answer, as the model gave it, before mending and repair.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from summarizer import __version__
from summarizer.checks import CHECKS, DEFAULT, check_summary, validate_checks
from summarizer.digest import Attempt
from summarizer.errors import InputError, near
from summarizer.evals.runs import Score

if TYPE_CHECKING:
    from summarizer.checks import Checks
    from summarizer.digest import Entry, Finding, Summary
    from summarizer.evals.cases import Case
    from summarizer.prompts import Prompt

Figures: TypeAlias = float | Mapping[str, float | None] | Iterable[Score] | None
Function: TypeAlias = Callable[..., Figures]

SCORERS: Mapping[str, str] = {
    "ok": "summarizer.evals.measures:ok",
    "attempts": "summarizer.evals.measures:attempts",
    "repairs": "summarizer.evals.measures:repairs",
    "found": "summarizer.evals.measures:found",
    "recall": "summarizer.evals.measures:recall",
    "chrf": "summarizer.evals.overlap:chrf",
    "bleu": "summarizer.evals.overlap:bleu",
    "rouge": "summarizer.evals.overlap:rouge",
    "length": "summarizer.evals.measures:length",
    "compression": "summarizer.evals.measures:compression",
    "tokens": "summarizer.evals.measures:tokens",
    "cost": "summarizer.evals.measures:cost",
}
NEED_TARGETS = frozenset({"chrf", "bleu", "rouge"})
"""The scorers that hold an answer against the reference points of its case."""

GROUP = "summarizer.scorers"
ALL = "checks"
"""The scorer that counts the findings of all checks together."""

_OF_A_CHECK = ("clean", "clean_points", "errors", "warnings", "error_rate", "left")
_FIGURES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys((ALL, *CHECKS), _OF_A_CHECK),
    "rouge": ("1", "2", "l"),
    "length": ("characters", "points"),
    "tokens": ("prompt", "completion", "cached", "reasoning"),
}
"""Of those that have more than one, or one of another name than their own."""


class Scorer(NamedTuple):
    """A scorer with its parameters.

    Attributes:
        name: What its figures are called by.
        signature: What its figures depend on: parameters and version.
        score: From an entry, its case and the prompt that was asked.
    """

    name: str
    signature: str
    score: Callable[[Entry, Case, Prompt], Figures]


def first_answer(entry: Entry) -> Attempt:
    """The first answer, as the model gave it; an empty one where there is none."""
    attempts = entry.provenance.attempts if entry.provenance else ()
    return attempts[0] if attempts else Attempt(fingerprint="")


def first_text(entry: Entry) -> str:
    """The points of the first answer, one a line; empty where it could not be read."""
    summary = first_answer(entry).summary
    return "\n".join(point.text for point in summary.points) if summary else ""


def score_entry(
    scorers: Iterable[Scorer], entry: Entry, case: Case, prompt: Prompt
) -> tuple[tuple[Score, ...], str | None]:
    """What an entry is worth by all scorers.

    Returns:
        The figures, and one sentence for the scorers that failed, or None. The figures of the
        others are there all the same.
    """
    scores: list[Score] = []
    failed = []
    for scorer in scorers:
        try:
            scores += _scores(scorer.name, scorer.score(entry, case, prompt))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it was, the others go on
            told = " ".join(str(error).split())
            failed.append(f"the scorer {scorer.name!r} failed: {type(error).__name__}: {told}")
    return tuple(scores), "; ".join(failed) or None


def load_scorers(scorers: Mapping[str, Mapping[str, Any]]) -> dict[str, Scorer]:
    """The scorers of a set, by the names that the set gives them.

    Raises:
        InputError: There is no such scorer, it cannot take a parameter, or two give equal names.
    """
    loaded: dict[str, Scorer] = {}
    for name, parameters in scorers.items():
        scorer = _load(name, parameters)
        for other, one in loaded.items():
            if one.name == scorer.name:
                raise InputError(f"the figures of {other!r} and {name!r} have equal names")
        loaded[name] = scorer
    return loaded


def validate_scorers(scorers: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a scorer that does not exist, and a parameter that it cannot take.

    Raises:
        InputError: What is wrong, and what there is instead.
    """
    for name, parameters in scorers.items():
        if name == ALL or name in CHECKS:
            validate_checks(_wanted(name, parameters))
        else:
            _validate(name, _find(name)[0], parameters)


def validate_score(score: str, scorers: Iterable[str]) -> None:
    """Refuse the name of a figure that none of these scorers gives.

    Raises:
        InputError: What is wrong, and what there is instead.
    """
    names = {_called(name): name for name in scorers}
    scorer, _, figure = score.partition(".")
    if scorer not in names:
        raise InputError(
            f"no scorer of the set gives a score {score!r}", hint=near(scorer, names or ("none",))
        )
    known = names[scorer] in SCORERS or names[scorer] in _FIGURES
    figures = _FIGURES.get(scorer, ("",))
    if known and figure not in figures:
        there = [f"{scorer}.{one}" if one else scorer for one in figures]
        hint = near(score, there) if figure else f"There are {', '.join(there)}"
        raise InputError(f"the scorer {scorer!r} gives no {score!r}", hint=hint)


# --- how scorers are found -----------------------------------------------------------------------


def _load(name: str, parameters: Mapping[str, Any]) -> Scorer:
    settings = [f"{key}:{_told(value)}" for key, value in sorted(parameters.items())]
    if name == ALL or name in CHECKS:
        wanted = _wanted(name, parameters)
        validate_checks(wanted)
        signature = "|".join([*settings, f"version:{__version__}"])
        return Scorer(name, signature, partial(_of_checks, name, wanted))
    function, version = _find(name)
    _validate(name, function, parameters, whole=True)
    if sign := getattr(function, "signature", None):
        try:
            # Sacrebleu's own does not say everything that changes a figure.
            signature = "|".join([sign(**parameters), *settings])
        except InputError as error:
            raise InputError(f"{name}: {error.message}", hint=error.hint) from None
    else:
        signature = "|".join([*settings, f"version:{version}"])
    return Scorer(
        _called(name), signature, lambda entry, case, _: function(entry, case, **parameters)
    )


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _called(name: str) -> str:
    """What the figures of a scorer are called by: of `package.module:function`, the function."""
    return name.rpartition(":")[2]


def _find(name: str) -> tuple[Function, str]:
    """A scorer's function, and its version: of a function of the user's, a hash of its file."""
    if name in SCORERS:
        return _imported(SCORERS[name]), __version__
    if ":" in name:
        function = _imported(name)
        return function, _hash(function, sys.modules[name.partition(":")[0]])
    from importlib.metadata import entry_points

    for entry_point in entry_points(group=GROUP, name=name):
        version = entry_point.dist.version if entry_point.dist else "?"
        return _imported(entry_point.value), version
    known = (ALL, *CHECKS, *SCORERS, *entry_points(group=GROUP).names)
    raise InputError(
        f"there is no scorer {name!r}",
        hint=f"{near(name, known)}; one of your own is named `package.module:function`",
    )


def _imported(target: str) -> Function:
    """What an import string names; modules of the current folder are found too."""
    module, _, name = target.partition(":")
    path = list(sys.path)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  (sys.path holds strings)
    try:
        function = getattr(import_module(module), name, None)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a module of the user's may raise anything
        raise InputError(
            f"the scorer {target!r} cannot be imported: {type(error).__name__}: {error}",
            hint="Name it as `package.module:function`, from the current folder or an installed "
            "package",
        ) from None
    finally:
        sys.path[:] = path
    if not callable(function):
        raise InputError(f"the module {module!r} has no function {name!r}")
    found: Function = function
    return found


def _hash(*things: object) -> str:
    """A hash of the file of the first thing that has one; an object of a class has none."""
    for thing in things:
        with suppress(OSError, TypeError):
            source = Path(inspect.getsourcefile(thing) or "").read_bytes()  # type: ignore[arg-type]
            return hashlib.sha256(source).hexdigest()[:12]
    return "?"


def _validate(
    name: str, function: Function, parameters: Mapping[str, Any], *, whole: bool = False
) -> None:
    try:
        takes = inspect.signature(function)
        (takes.bind if whole else takes.bind_partial)(None, None, **parameters)
    except TypeError as error:
        raise InputError(
            f"the scorer {name!r} is called with an entry, its case and {dict(parameters)}: {error}"
        ) from None
    except ValueError:  # a compiled function may not say what it takes
        return


def _scores(name: str, figures: Figures) -> Iterator[Score]:
    """What a scorer gave, as scores."""
    if figures is None or isinstance(figures, int | float):
        figures = [_score(name, figures)]
    elif isinstance(figures, Mapping):
        figures = [_score(f"{name}.{key}", value) for key, value in figures.items()]
    for score in figures:
        if score.name != name and not score.name.startswith(f"{name}."):
            raise ValueError(f"a score is called {score.name!r}, not {name!r} or '{name}.…'")
        yield score


def _score(name: str, value: float | None) -> Score:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is {value}")
    return Score(name=name, value=value)


# --- checks as scorers ---------------------------------------------------------------------------


def wanted_checks(name: str, scorers: Mapping[str, Mapping[str, Any]]) -> Checks:
    """The checks whose findings a scorer of a set counts; none where it counts no findings."""
    of_checks = name in scorers and (name == ALL or name in CHECKS)
    return _wanted(name, scorers[name]) if of_checks else {}


def _wanted(name: str, parameters: Mapping[str, Any]) -> Checks:
    if name != ALL:
        return {name: parameters}
    if parameters:
        raise InputError(f"{ALL!r} has no parameters", hint="Name the checks that shall have some")
    return DEFAULT


def _of_checks(name: str, wanted: Checks, entry: Entry, case: Case, prompt: Prompt) -> Figures:
    """What checks found in the first answer, and what mending and repairs left of it.

    A prompt may choose its checks; a score may not depend on that choice, or a prompt could pass by
    checking less. So a check that the prompt has left out or set otherwise is run here.
    """
    del case
    chosen = DEFAULT if prompt.checks is None else prompt.checks
    again = {check: given for check, given in wanted.items() if chosen.get(check) != given}

    def found_in(summary: Summary | None, findings: Iterable[Finding]) -> list[Finding]:
        if summary is None:  # it could not be read, which is found before any check
            return list(findings) if name == ALL else []
        found = [f for f in findings if f.check in wanted and f.check not in again]
        if again:
            found += check_summary(
                entry.paper, summary, checks=again, language=prompt.language, basis=prompt.basis
            )
        return found

    first = first_answer(entry)
    if first.summary is None and name != ALL:
        return [Score(name=f"{name}.{figure}", value=None) for figure in _OF_A_CHECK]
    found = found_in(first.summary, first.findings)
    points = len(first.summary.points) if first.summary else 0
    marked = len({finding.point for finding in found if finding.point is not None})
    errors = sum(finding.severity == "error" for finding in found)
    left: Sequence[Finding] | None = found
    if entry.summary != first.summary:
        left = found_in(entry.summary, entry.findings) if entry.summary or name == ALL else None
    return (
        Score(name=f"{name}.clean", value=float(not found)),
        Score(name=f"{name}.clean_points", value=1 - marked / points if points else None),
        Score(name=f"{name}.errors", value=errors, better="lower"),
        Score(name=f"{name}.warnings", value=len(found) - errors, better="lower"),
        Score(name=f"{name}.error_rate", value=float(errors > 0), better="lower"),
        Score(name=f"{name}.left", value=None if left is None else len(left), better="lower"),
    )
