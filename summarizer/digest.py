"""The contract: what a paper, a summary, a finding, an entry and a digest are.

All values are frozen; `Digest.model_validate_json(digest.model_dump_json())` gives an equal digest.
The published JSON Schema (`summarizer.schema`) is generated from these models.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Severity: TypeAlias = Literal["error", "warning"]
Basis: TypeAlias = Literal["abstract", "paper"]

ARXIV_ABS = "https://arxiv.org/abs/"

_LABEL = re.compile(r"(\*{2,3})(?=\S)(.+?)(?<=\S)\1(?!\*)")


class Value(BaseModel):
    """A frozen value that knows its fields and refuses all others."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Media(Value):
    """The picture or the film that stands above a paper's summary."""

    kind: Literal["image", "video"]
    url: str


class Paper(Value):
    """A paper as a source gave it; nothing here is normalised (sources do that).

    Attributes:
        arxiv_id: Without a version: `2401.05561`, `hep-th/9901001`.
        abstract: English, as the source wrote it; None where the source has none.
        authors: In the paper's order.
        published: Day of the first version.
        url: Where the title links to, when that is not the plain arXiv page of `arxiv_id`.
    """

    arxiv_id: str = Field(min_length=1)
    title: str = Field(min_length=1)
    abstract: str | None = None
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    published: dt.date | None = None
    votes: int | None = None
    media: Media | None = None
    url: str | None = None

    @property
    def link(self) -> str:
        """The address that the title links to."""
        return self.url or ARXIV_ABS + self.arxiv_id


class Point(Value):
    """One bullet of a summary: Markdown, lossless, without its leading `- `."""

    text: str

    @property
    def label(self) -> str | None:
        """The leading bold or bold-italic run (`***What's New***: …`), or None."""
        found = _LABEL.match(self.text)
        return found[2] if found else None


def _as_point(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


class Summary(Value):
    """What a digest says of one paper; `Summary(points=["…"])` takes plain strings."""

    points: tuple[Annotated[Point, BeforeValidator(_as_point)], ...] = ()

    if TYPE_CHECKING:

        def __init__(self, *, points: Iterable[Point | str] = ()) -> None: ...


class Finding(Value):
    """What a check, a parser or a validator has to say of one place.

    Attributes:
        check: The check's name (`numbers`, `shape`, `format`, …).
        severity: `"error"` fails an entry, `"warning"` only shows.
        arxiv_id: The paper it is about.
        point: The point's place in the summary, counted from 0; None for the whole summary.
        span: Start and end in code points of the point's text (of the line, in a file).
        message: One plain sentence, for people and for a model that must repair it.
        evidence: What the abstract says instead.
        fix: What belongs in the span; only where exactly one answer is right.
        line: Line of the file that was read, counted from 1.
    """

    check: str
    severity: Severity
    message: str
    arxiv_id: str | None = None
    point: int | None = Field(default=None, ge=0)
    span: tuple[int, int] | None = None
    evidence: str | None = None
    fix: str | None = None
    line: int | None = Field(default=None, ge=1)


class Usage(Value):
    """Tokens of one answer or of several; cached ones are part of `prompt`."""

    prompt: int = Field(default=0, ge=0)
    completion: int = Field(default=0, ge=0)
    cached: int = Field(default=0, ge=0)
    reasoning: int = Field(default=0, ge=0)

    def __add__(self, other: Usage) -> Usage:
        """The sum, field by field."""
        return Usage(
            prompt=self.prompt + other.prompt,
            completion=self.completion + other.completion,
            cached=self.cached + other.cached,
            reasoning=self.reasoning + other.reasoning,
        )


class Attempt(Value):
    """One question that was answered, and what became of the answer.

    Attributes:
        fingerprint: Of the request; finds the answer in a store or a recording.
        summary: As the model gave it, before mending; None where it could not be read.
        findings: On that summary.
        mended: Those of the findings whose fix was applied.
    """

    fingerprint: str
    summary: Summary | None = None
    findings: tuple[Finding, ...] = ()
    mended: tuple[Finding, ...] = ()


class Provenance(Value):
    """How an entry came to be; without money and time, so that equal inputs give equal bytes."""

    prompt: str
    prompt_hash: str
    model: str
    params: Mapping[str, Any] = Field(default_factory=dict)
    basis: Basis = "abstract"
    attempts: tuple[Attempt, ...] = ()
    tokens: Usage = Usage()


class Entry(Value):
    """A paper and its summary, or the reason why it has none.

    Attributes:
        status: `"ok"` is published, `"failed"` is not.
        cause: What failed it: its last `findings`, a model that gave no answer (`unanswered`), or
            a `paper` from which nothing can be asked.
        reason: The same for people, as one sentence.
        findings: What remains to be said of the summary (of the last answer, where it failed).
        provenance: None for an entry that was read from a file.
    """

    paper: Paper
    summary: Summary | None = None
    status: Literal["ok", "failed"] = "ok"
    cause: Literal["findings", "unanswered", "paper"] | None = None
    reason: str | None = None
    findings: tuple[Finding, ...] = ()
    provenance: Provenance | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Entry:
        if self.status == "ok" and (self.summary is None or self.cause or self.reason):
            raise ValueError("an entry that is ok has a summary, and neither cause nor reason")
        if self.status == "failed" and not (self.cause and self.reason):
            raise ValueError("an entry that failed says its cause and its reason")
        return self


class Digest(Value):
    """A day's papers with their summaries, in the order in which a reader meets them."""

    date: dt.date
    language: str = "ko"
    entries: tuple[Entry, ...] = ()
