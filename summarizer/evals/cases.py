"""Cases: the papers of an eval set, from lines in the form of Inspect's datasets or from papers."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, ValidationError

from summarizer.answers import read_points
from summarizer.checks import CHECKS
from summarizer.digest import Paper, Value
from summarizer.errors import InputError, near
from summarizer.models.recordings import paper_of, parse_recordings

if TYPE_CHECKING:
    from pathlib import Path

    from summarizer.digest import Finding

_FINDERS = ("answer", *CHECKS)  # an answer that cannot be read is found before any check


class Wanted(Value):
    """A finding that a wrong answer must be given.

    Attributes:
        check: Its name; `answer` where the answer cannot even be read.
        point: Which point it must be on, counted from 0; None for any, or for the whole summary.
    """

    check: str
    point: int | None = Field(default=None, ge=0)

    def is_in(self, findings: Iterable[Finding]) -> bool:
        """Whether it was given."""
        return any(f.check == self.check and self.point in (None, f.point) for f in findings)


def _as_wanted(value: object) -> object:
    return {"check": value} if isinstance(value, str) else value


class _Findings(Value, extra="ignore"):
    findings: tuple[Annotated[Wanted, BeforeValidator(_as_wanted)], ...] = ()


class Case(Value):
    """One paper of a set, in the fields of Inspect's datasets.

    Attributes:
        id: One word, unique in its set; the paper's arXiv id where it has one.
        input: The abstract.
        target: Reference points, one a line; empty where there are none.
        metadata: `title`, and what else of a `Paper` is known (`authors`, `votes`, …); `findings`
            in sets of wrong answers, each the name of a check that must find something or such a
            name with the point, `{"check": "numbers", "point": 2}`; anything else is kept.
    """

    id: str = Field(min_length=1, pattern=r"^\S+$")  # labels of recordings begin with it
    input: str
    target: str = ""
    metadata: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def paper(self) -> Paper:
        """The paper that the flow is given."""
        known = {k: v for k, v in self.metadata.items() if k in Paper.model_fields}
        return Paper.model_validate(
            {"title": self.id, **known, "arxiv_id": self.id, "abstract": self.input or None}
        )

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """What must be found in the answer to this case."""
        return _Findings.model_validate(dict(self.metadata)).findings


class Placed(NamedTuple):
    """A case and where it stands; papers are not found again by their line."""

    case: Case
    path: Path
    line: int | None = None

    def __str__(self) -> str:
        """`evals/mine.jsonl:3`."""
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"


def read_cases(data: bytes, path: Path) -> Iterator[Placed]:
    """Read JSON Lines with the fields of `Case`.

    Args:
        data: The file's bytes.
        path: Where they are from, for messages.

    Raises:
        InputError: A line is no case; with file and line.
    """
    for value, line in _json_lines(data, path):
        with _told(path, line):
            case = Case.model_validate(value)
            _, findings = case.paper, case.wanted
        for finding in findings:
            if finding.check not in _FINDERS:
                raise InputError(
                    f"there is no check {finding.check!r}",
                    hint=near(finding.check, _FINDERS),
                    path=path,
                    line=line,
                )
        yield Placed(case, path, line)


def read_papers(data: bytes, path: Path) -> Iterator[Placed]:
    """Read papers as cases; those of a digest's JSON have its points as their targets.

    Args:
        data: The file's bytes: a digest, or papers as JSON, JSON Lines or CSV.
        path: Where they are from, for messages.

    Raises:
        InputError: They are none.
    """
    from summarizer.formats.json import parse_json
    from summarizer.sources.files import parse_papers
    from summarizer.sources.normalise import Unreadable, decode

    try:
        text = decode(data)
        if not _is_digest(text):
            for paper in parse_papers(text):
                yield Placed(_case(paper, ()), path)
            return
    except Unreadable as fault:
        raise InputError(str(fault), path=path, line=fault.line) from None
    for entry in parse_json(text, path=path).entries:
        summary = entry.summary if entry.status == "ok" else None
        with _told(path):
            case = _case(entry.paper, [p.text for p in summary.points] if summary else ())
        yield Placed(case, path)


def _is_digest(text: str) -> bool:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "entries" in document


def _case(paper: Paper, points: Iterable[str]) -> Case:
    known = paper.model_dump(mode="json", exclude={"arxiv_id", "abstract"}, exclude_defaults=True)
    return Case(
        id=paper.arxiv_id, input=paper.abstract or "", target=_as_target(points), metadata=known
    )


def _as_target(points: Iterable[str]) -> str:
    """Points, one a line."""
    return "\n".join(" ".join(point.split()) for point in points)


def read_targets(data: bytes, path: Path) -> dict[str, str]:
    """Read recorded answers as targets: id of the paper → target; the first of a paper counts.

    Args:
        data: The file's bytes.
        path: Where they are from, for messages.

    Raises:
        InputError: A line is no recording, or holds no points.
    """
    targets: dict[str, str] = {}
    for recording in parse_recordings(data, path):
        points = read_points(recording.answer.text, form="points")
        if isinstance(points, str):
            raise InputError(f"{recording.label}: {points}", path=path)
        targets.setdefault(paper_of(recording.request), _as_target(points))
    return targets


def distinct(placed: Iterable[Placed]) -> tuple[Case, ...]:
    """The cases, of which no two may have one id.

    Raises:
        InputError: Two have; with the places of both.
    """
    first: dict[str, Placed] = {}
    for one in placed:
        before = first.setdefault(one.case.id, one)
        if before is not one:
            raise InputError(
                f"the id {one.case.id!r} stands here a second time, first in {before}",
                path=one.path,
                line=one.line,
            )
    return tuple(one.case for one in first.values())


@contextmanager
def _told(path: Path, line: int | None = None) -> Iterator[None]:
    """Say in one sentence what is wrong with a case, and where."""
    try:
        yield
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        field, hint = ".".join(map(str, fault["loc"])), None
        match fault["type"]:
            case "missing":
                message = f"{field!r} is missing"
            case "extra_forbidden":
                message = f"there is no field {field!r}"
                hint = near(field, Case.model_fields) if len(fault["loc"]) == 1 else None
            case "string_pattern_mismatch":
                message = f"{field!r} is not one word"
            case "model_type":
                message = "this line is not a JSON object"
            case _:
                message = f"{field}: {fault['msg'].lower()}"
        raise InputError(message, hint=hint, path=path, line=line) from None


def _json_lines(data: bytes, path: Path) -> Iterator[tuple[object, int]]:
    """The values of JSON Lines, each with its line; blank lines are passed over."""
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line.decode())
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeDecodeError:
            message = "this line is not UTF-8 text"
        except UnicodeEncodeError:
            message = "a text in this line is not valid Unicode"
        except (ValueError, RecursionError):
            message = "this line is not JSON"
        else:
            yield value, number
            continue
        raise InputError(message, path=path, line=number)
