"""Eval sets: which cases are asked with which prompts and models, and how answers are judged."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import Field, ValidationError

from summarizer.digest import Value
from summarizer.errors import InputError, near
from summarizer.evals.cases import (
    Case,
    Placed,
    distinct,
    read_cases,
    read_papers,
    read_targets,
)
from summarizer.evals.runs import MOST_REPEATS
from summarizer.evals.scorers import NEED_TARGETS, validate_score, validate_scorers
from summarizer.marked_yaml import Marked, decode, parse_yaml
from summarizer.models import MODELS
from summarizer.models.recordings import HANDWRITTEN
from summarizer.schema import published
from summarizer.shipped import find, is_installed

SET_ID = "urn:summarizer:eval-set:1"

Read: TypeAlias = Callable[[Path], bytes]


class Gate(Value):
    """What one score must be for a run to pass.

    Attributes:
        score: Name of a score, `numbers.error_rate`.
        min: The mean over cases may not be lower.
        max: It may not be higher.
        drop: It may not be worse than the baseline's by more than this, where the difference is
            real by the paired test; None leaves it to the test alone; noise never fails.
        line: Where it stands in the set's file.
    """

    score: str
    min: float | None = None
    max: float | None = None
    drop: float | None = None
    line: int = 1


class EvalSet(Value):
    """A set as its file says; paths are resolved against the file's folder.

    Attributes:
        path: The YAML file.
        prompts: Names or paths; crossed with `models`.
        models: Names that recordings are filed under, and model specs; where `recordings` has a
            model's answers, nobody else is asked.
        scorers: Scorer name or `package.module:function` → its parameters.
        passes: How many of a case's `repeats` must be ok for the case to pass; None for all.
        recordings: Files of answers, looked through in this order; new ones go to the last. They
            need not exist yet. A set of an installed wheel has one more, in the current folder.
        baseline: The accepted run; it need not exist yet.
        hash: SHA-256 (hex) over the set's file and its cases; part of every signature.
    """

    name: str
    path: Path
    description: str = ""
    cases: tuple[Case, ...]
    prompts: tuple[str, ...]
    models: tuple[str, ...]
    scorers: Mapping[str, Mapping[str, Any]]
    gates: tuple[Gate, ...] = ()
    repeats: int = 1
    passes: int | None = None
    recordings: tuple[Path, ...] = ()
    baseline: Path | None = None
    max_age: dt.timedelta | None = None
    hash: str


# --- the file, as people write it ----------------------------------------------------------------


class SetGate(Value):
    """What a score must be for a run to pass; with nothing in it, only not really worse.

    Attributes:
        min: The mean over cases may not be lower.
        max: The mean over cases may not be higher.
        drop: It may not be worse than the baseline's by more than this, where the difference is
            real by the paired test; without it, no real difference for the worse passes.
    """

    min: float | None = None
    max: float | None = None
    drop: float | None = Field(default=None, ge=0)


class SetFile(Value):
    """An eval set. Paths are relative to the file that names them.

    Attributes:
        name: What reports call it; the file's name without its ending where it is not given.
        description: For people.
        cases: JSON Lines: an object a line with `id`, `input` (the abstract), `target` (reference
            points, one a line) and `metadata` (`title`, and more of the paper).
        papers: Papers as cases, instead of those or before them: JSON, JSON Lines or CSV; or a
            digest's JSON, whose points are the targets.
        targets: Recorded answers, whose points are the targets of the papers.
        prompts: Names, or paths of prompt files.
        models: Names that recordings are filed under, or model specs.
        recordings: Files of recorded answers, looked through in this order; new ones go to the
            last.
        baseline: The accepted run; `summarizer eval accept` writes it.
        scorers: Names, or `package.module:function`, each with its parameters.
        gates: Names of scores, each with what it must be.
        repeats: How many independent answers each case is asked for.
        passes: How many of them must be ok for the case to pass; all, where it is not given.
        max_age: Days after which a recording is told to be old.
    """

    name: str | None = Field(default=None, pattern=r"^\w[\w.-]*$")
    description: str = ""
    cases: str | None = None
    papers: str | None = None
    targets: str | None = None
    prompts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    recordings: str | tuple[str, ...] = ()
    baseline: str | None = None
    scorers: Mapping[str, Mapping[str, Any] | None] = Field(default_factory=dict)
    gates: Mapping[str, SetGate | None] = Field(default_factory=dict)
    repeats: int = Field(default=1, ge=1, le=MOST_REPEATS)
    passes: int | None = Field(default=None, ge=1)
    max_age: int | None = Field(default=None, ge=1, le=36_500)


def eval_set_schema() -> dict[str, Any]:
    """The JSON Schema of a set's file: what `docs/eval-set.schema.json` holds."""
    return published(SetFile, SET_ID)


def load_eval_set(name_or_path: str | Path, *, read: Read = Path.read_bytes) -> EvalSet:
    """Load a set by its path or by its name.

    Args:
        name_or_path: The set's file, or its name in `evals/` here or among the shipped sets.
        read: Reads the set and its cases; a reader of a git ref can stand in for the disk.

    Raises:
        InputError: There is no such set, or something in it is wrong; with file and line.
    """
    path = find(str(name_or_path), "evals", suffix=".yaml")
    try:
        data = read(path)
    except OSError as error:
        raise InputError(f"the file {_reason(error)}", path=path) from None
    whole = parse_yaml(decode(data, path), path)
    files = _Files(path, read)
    given = _validated(whole)
    at = whole.mapping()
    cases = _cases(given, at, files)
    if not cases:
        raise whole.error("the set has no cases", hint="Name a file of them: `cases: NAME.jsonl`")
    scorers = {name: dict(parameters or {}) for name, parameters in given.scorers.items()}
    _check_scorers(scorers, at, cases)
    if given.passes and given.passes > given.repeats:
        raise at["passes"].error(f"passes is {given.passes}, with only {given.repeats} repeats")
    named = (given.recordings,) if isinstance(given.recordings, str) else given.recordings
    recordings = tuple(map(files.path, named))
    if recordings and is_installed(recordings[-1]):
        recordings += (Path("evals", recordings[-1].name),)
    return EvalSet(
        name=given.name or path.name.removesuffix(".yaml"),
        path=path,
        description=given.description,
        cases=cases,
        prompts=tuple(map(_prompt, at["prompts"].sequence() if "prompts" in at else ())),
        models=_models(at["models"].sequence() if "models" in at else ()),
        scorers=scorers,
        gates=tuple(_gates(given.gates, at, scorers)),
        repeats=given.repeats,
        passes=given.passes,
        recordings=recordings,
        baseline=files.path(given.baseline) if given.baseline else None,
        max_age=dt.timedelta(days=given.max_age) if given.max_age else None,
        hash=_hash(data, cases),
    )


class _Files:
    """The files that a set names, beside its own."""

    def __init__(self, path: Path, read: Read) -> None:
        self._folder = path.parent
        self._read = read

    def path(self, name: str) -> Path:
        return Path(os.path.normpath(self._folder / name))

    def read(self, named: Marked) -> tuple[bytes, Path]:
        """What the file that is named there holds, and where it lies."""
        path = self.path(named.text())
        try:
            return self._read(path), path
        except OSError as error:
            raise named.error(f"{named.name}: {path}: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return f"cannot be read: {(error.strerror or str(error)).lower()}"


def _validated(whole: Marked) -> SetFile:
    """What the file says, held against its schema."""
    for scalar in whole.scalars():
        if "\0" in str(scalar.content):
            raise scalar.error(f"{scalar.name} holds a NUL character", hint="Take it out")
    try:
        return SetFile.model_validate_json(json.dumps(whole.plain()), strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
    place = whole
    for step in fault["loc"]:  # a choice of types adds steps of its own
        if isinstance(place.content, Mapping):
            place = place.content.get(str(step), place)
        elif isinstance(place.content, tuple) and isinstance(step, int):
            place = place.content[step]
    if fault["type"] == "extra_forbidden":
        known = SetGate if len(fault["loc"]) > 1 else SetFile
        hint = near(str(fault["loc"][-1]), known.model_fields)
        raise place.error(f"there is no setting {place.name!r}", hint=hint)
    raise place.error(f"{place.name or 'the file'}: {fault['msg'].lower()}")


def _cases(given: SetFile, at: Mapping[str, Marked], files: _Files) -> tuple[Case, ...]:
    placed: list[Placed] = []
    if given.papers:
        placed += read_papers(*files.read(at["papers"]))
    if given.targets:
        targets = read_targets(*files.read(at["targets"]))
        for index, one in enumerate(placed):
            target = targets.pop(one.case.id, one.case.target)
            placed[index] = one._replace(case=one.case.model_copy(update={"target": target}))
        if targets:
            raise at["targets"].error(
                f"targets: there are points of {next(iter(targets))}, which is no paper of the set"
            )
    if given.cases:
        placed += read_cases(*files.read(at["cases"]))
    return distinct(placed)


def _hash(data: bytes, cases: tuple[Case, ...]) -> str:
    told = json.dumps([case.model_dump(mode="json") for case in cases], sort_keys=True)
    return hashlib.sha256(data + told.encode()).hexdigest()


def _prompt(value: Marked) -> str:
    """A prompt's name, or where its file lies."""
    name = value.text()
    if "/" in name or name.endswith(".prompty"):
        name = os.path.normpath(value.path.parent / name)
    try:
        find(name, "prompts", suffix=".prompty")
    except InputError as error:
        raise value.error(error.message, hint=error.hint) from None
    return name


def _models(values: tuple[Marked, ...]) -> tuple[str, ...]:
    models: dict[str, Marked] = {}
    for value in values:
        if models.setdefault(_model(value), value) is not value:
            raise value.error(f"the model {value.text()!r} stands here a second time")
    return tuple(models)


def _model(value: Marked) -> str:
    kind, colon, rest = value.text().partition(":")
    if value.content == HANDWRITTEN or (kind in MODELS and kind != "replay" and colon and rest):
        return value.text()
    kinds = ", ".join(f"{kind}:…" for kind in MODELS if kind != "replay")
    raise value.error(
        f"{value.text()!r} does not say what answers",
        hint=f"Write {kinds} or {HANDWRITTEN}; files of answers stand under `recordings`",
    )


def _check_scorers(
    scorers: Mapping[str, Mapping[str, Any]], at: Mapping[str, Marked], cases: tuple[Case, ...]
) -> None:
    for name, parameters in scorers.items():
        place = at["scorers"].mapping()[name]
        try:
            validate_scorers({name: {}})
            for parameter, value in parameters.items():
                place = at["scorers"].mapping()[name].mapping()[parameter]
                validate_scorers({name: {parameter: value}})
        except InputError as error:
            raise place.error(error.message, hint=error.hint) from None
        bare = next((case.id for case in cases if not case.target.strip()), None)
        if bare and name in NEED_TARGETS:
            raise place.error(
                f"the scorer {name!r} needs a target, and the case {bare} has none",
                hint="Write its reference points into `target`, one a line",
            )


def _gates(
    gates: Mapping[str, SetGate | None], at: Mapping[str, Marked], scorers: Mapping[str, object]
) -> Iterator[Gate]:
    for score, given in gates.items():
        place = at["gates"].mapping()[score]
        limits = given or SetGate()
        if limits.min is not None and limits.max is not None and limits.min > limits.max:
            raise place.error(f"nothing is at least {limits.min} and at most {limits.max}")
        try:
            validate_score(score, scorers)
        except InputError as error:
            raise place.error(error.message, hint=error.hint) from None
        yield Gate(score=score, line=place.line, **limits.model_dump())
