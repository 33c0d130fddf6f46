"""Runs: what a set's cases were answered, and how that was scored.

A run is one JSONL file that can be read while it grows: a `Header`, the cases, then a `Result` for
each case × prompt × model × sample, in the order in which they come.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, FiniteFloat, TypeAdapter, ValidationError

from summarizer.digest import Entry, Value
from summarizer.disk import system_reason, write_files
from summarizer.errors import DiskError, InputError
from summarizer.evals.cases import Case

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path


MOST_REPEATS = 1_000
"""More are a slip of the hand, and a run that does not end."""


class Score(Value):
    """One figure of one result.

    Attributes:
        name: `chrf`, `numbers.error_rate`: the scorer, and which of its figures.
        value: None where it does not apply to this case; such a case is left out of the mean.
        better: Which way is better; None for figures that only inform (length, tokens).
    """

    name: str
    value: FiniteFloat | None
    better: Literal["higher", "lower"] | None = "higher"


class System(Value):
    """A prompt and a model: what is evaluated."""

    prompt: str
    model: str


class Header(Value):
    """How a run was made; its signature says the same on one line.

    Attributes:
        prompts: Prompt name → hash.
        texts: Hash → text of the prompt's file, so that a report can show what changed in it.
        scorers: Scorer name → signature (name, version and parameters, as sacrebleu prints them).
        version: Of summarizer.
    """

    kind: Literal["run"] = "run"
    set: str
    set_hash: str
    prompts: Mapping[str, str]
    texts: Mapping[str, str] = {}
    models: tuple[str, ...]
    scorers: Mapping[str, str]
    repeats: int = Field(ge=1, le=MOST_REPEATS)
    version: str
    started_at: dt.datetime


class Question(NamedTuple):
    """One case asked of one system for the nth time."""

    case: str
    system: System
    sample: int


class Result(Value):
    """One answer of one system to one case, scored.

    Attributes:
        sample: 0, 1, …: which independent answer.
        entry: None where no first answer was to be had; then `error` says why.
        error: What kept this from being answered or scored, as one sentence.
    """

    kind: Literal["result"] = "result"
    case: str
    system: System
    sample: int
    entry: Entry | None
    scores: tuple[Score, ...] = ()
    error: str | None = None

    @property
    def question(self) -> Question:
        """What this is the answer to."""
        return Question(self.case, self.system, self.sample)


class Run(Value):
    """A whole run, or what there is of one that was interrupted.

    Attributes:
        cases: Those that were to be asked (inputs and targets, for reports).
        results: By prompt, model, case and sample.
    """

    header: Header
    cases: tuple[Case, ...]
    results: tuple[Result, ...]

    @property
    def missing(self) -> tuple[Question, ...]:
        """What has no result yet."""
        there = {result.question for result in self.results}
        return tuple(q for q in questions(self.header, self.cases) if q not in there)


def questions(header: Header, cases: tuple[Case, ...]) -> Iterator[Question]:
    """All questions of a run, by prompt, model, case and sample."""
    for prompt, model in product(header.prompts, header.models):
        system = System(prompt=prompt, model=model)
        for case, sample in product(cases, range(header.repeats)):
            yield Question(case.id, system, sample)


def signature(header: Header, cases: int) -> str:
    """How a run was made, on one line that says how to repeat it, in the manner of sacrebleu.

    Args:
        header: Of the run.
        cases: How many cases it has.
    """
    scorers = json.dumps(dict(header.scorers), sort_keys=True)
    parts = {
        "set": header.set,
        "h": header.set_hash[:8],
        "prompt": ",".join(sorted(header.prompts)),
        "p": ",".join(header.prompts[name][:8] for name in sorted(header.prompts)),
        "model": ",".join(header.models),
        "cases": cases,
        "repeats": header.repeats,
        "scorers": "+".join(sorted(header.scorers)),
        "s": hashlib.sha256(scorers.encode()).hexdigest()[:8],
        "v": header.version,
    }
    return "|".join(f"{name}:{value}" for name, value in parts.items())


# --- the file ------------------------------------------------------------------------------------


class _CaseLine(Value):
    kind: Literal["case"] = "case"
    case: Case


_LINE: TypeAdapter[Header | _CaseLine | Result] = TypeAdapter(
    Annotated[Header | _CaseLine | Result, Field(discriminator="kind")]
)


def read_run(path: Path) -> Run:
    """Read a run, also one that is being written; a last line that is not whole is left out.

    Raises:
        InputError: The file cannot be read, or a line of it is none of a run's.
    """
    return _read(path)[0]


class RunFile:
    """A run's file: begun, or continued where it broke off.

    Args:
        path: Made where it is missing.
        header: How the run is made.
        cases: What is asked.

    Raises:
        InputError: The file holds another run, or something else; it is left as it is.
        DiskError: The file cannot be written.

    Attributes:
        header: Of the file: of a run that is continued, when it was started.
        results: Those that are in the file already and say no error.
    """

    def __init__(self, path: Path, header: Header, cases: tuple[Case, ...]) -> None:
        self._path = path
        self._file: FileIO | None = None
        self.header = header
        self.results: tuple[Result, ...] = ()
        if not path.exists() or not path.stat().st_size:
            lines = [header, *(_CaseLine(case=case) for case in cases)]
            write_files({path: "".join(map(_line, lines))})
            return
        run, size = _read(path)
        _refuse_another(run, header, cases, path)
        self.header = run.header
        self.results = tuple(result for result in run.results if not result.error)
        with self._plainly():
            os.truncate(path, size)

    def add(self, result: Result) -> None:
        """Add a result; the system has it before this returns.

        Raises:
            DiskError: It could not be written.
        """
        line = _line(result).encode()
        with self._plainly():
            if self._file is None:
                self._file = self._path.open("ab", buffering=0)
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DiskError(
                f"the run could not be written: {system_reason(error)}",
                hint="The same command goes on with what is there",
                path=self._path,
            ) from error


def _line(value: Value) -> str:
    try:
        return value.model_dump_json() + "\n"
    except ValueError:  # a lone surrogate, which only an escape can say in UTF-8
        return json.dumps(value.model_dump(mode="json")) + "\n"


def _read(path: Path) -> tuple[Run, int]:
    """A run, and the size of the part of its file that is whole."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"the run cannot be read: {system_reason(error)}", path=path) from None
    size = data.rfind(b"\n") + 1
    header: Header | None = None
    cases: list[Case] = []
    results: dict[Question, Result] = {}
    for number, text in enumerate(data[:size].splitlines(), start=1):
        line = _parsed(text, path, number)
        if isinstance(line, Header) is not (header is None):
            told = "a second run begins here" if header else "this is no run: it has no header"
            raise InputError(told, hint=_MAKE, path=path, line=number)
        if isinstance(line, Header):
            header = line
        elif isinstance(line, _CaseLine):
            cases.append(line.case)
        else:
            results[line.question] = line
    if header is None:
        raise InputError("this is no run: it is empty", hint=_MAKE, path=path)
    ordered = [results.pop(q) for q in questions(header, tuple(cases)) if q in results]
    if results:
        other = next(iter(results))
        raise InputError(
            f"there is a result of {other.case}, {other.system.prompt} and {other.system.model}, "
            "which this run does not ask",
            hint=_MAKE,
            path=path,
        )
    return Run(header=header, cases=tuple(cases), results=tuple(ordered)), size


_MAKE = "Runs are written by `summarizer eval SET --out FILE`"


def _parsed(text: bytes, path: Path, number: int) -> Header | _CaseLine | Result:
    try:
        # Not validate_json, which refuses the escape of a lone surrogate.
        line = _LINE.validate_python(json.loads(text))
        if isinstance(line, _CaseLine):
            _ = line.case.paper, line.case.wanted  # which its metadata must make
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"][1:]))
        told = "this is no line of a run" + (f": {place}: {first['msg'].lower()}" if place else "")
    except (ValueError, RecursionError):
        told = "this line is not JSON"
    else:
        return line
    raise InputError(told, hint=_MAKE, path=path, line=number)


def _refuse_another(run: Run, header: Header, cases: tuple[Case, ...], path: Path) -> None:
    """Refuse to continue a run that was not made like this one."""
    same = run.header.model_copy(update={"started_at": header.started_at})
    if same == header and run.cases == cases:
        return
    fields = [name for name in Header.model_fields if getattr(same, name) != getattr(header, name)]
    others = ", ".join(name.replace("_", " ") for name in fields) or "cases"
    raise InputError(
        f"the file holds another run, which differs in {others}",
        hint="Name another file with --out, or move this one away",
        path=path,
    )
