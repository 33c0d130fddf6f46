"""A model that answers from recordings and from nothing else, and explains what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from summarizer.errors import InputError, RecordingMiss, near
from summarizer.models.recordings import Recording, paper_of, read_recordings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from summarizer.models import Answer, Request

_MODEL = "?model="


def open_replay(rest: str) -> Replay:
    """Open `replay:PATH`, or `replay:PATH?model=NAME` where a file holds several models' answers.

    Raises:
        InputError: The file cannot be read, or it is not clear whose answers are meant.
    """
    name, _, model = rest.partition(_MODEL)
    path = Path(name)
    return Replay(read_recordings(path), path, model=model or None)


class Replay:
    """A `ChatModel` that gives recorded answers; it is named as the model that gave them.

    Args:
        recordings: Where two answer the same question, the first counts.
        path: Where they come from.
        model: Whose answers to give; None where they are all of one model.

    Raises:
        InputError: There are none, none of that model, or of several where none is named.
    """

    def __init__(
        self, recordings: Iterable[Recording], path: Path, *, model: str | None = None
    ) -> None:
        recordings = list(recordings)
        models = sorted({recording.model for recording in recordings})
        if not models:
            raise InputError("the file holds no recordings", path=path)
        if model is None and len(models) > 1:
            choices = ", ".join(f"replay:{path}{_MODEL}{name}" for name in models)
            raise InputError(
                "the file holds answers of several models", hint=f"Say whose: {choices}", path=path
            )
        if model is not None and model not in models:
            raise InputError(
                f"the file holds no answer of {model!r}", hint=near(model, models), path=path
            )
        self.name = model or models[0]
        self._path = path
        self._recordings: dict[str, Recording] = {}
        for recording in recordings:
            if recording.model == self.name:
                self._recordings.setdefault(recording.fingerprint, recording)

    async def ask(self, request: Request) -> Answer:
        """The recorded answer.

        Raises:
            RecordingMiss: There is none; it says what is nearest and how that differs.
        """
        found = self._recordings.get(request.fingerprint)
        if found is None:
            raise self._miss(request)
        return found.answer

    async def aclose(self) -> None:
        """Nothing is open."""

    def _miss(self, request: Request) -> RecordingMiss:
        written = any(r.origin == "handwritten" for r in self._recordings.values())
        model = "openai:MODEL" if written else self.name
        hint = f"Record it: `summarizer digest … --record {self._path} --model {model}`"
        if written:
            hint += (
                f"; after a change of the prompt, `summarizer recordings rekey {self._path}` moves "
                "handwritten answers to it"
            )
        recorded = [recording.request for recording in self._recordings.values()]
        return RecordingMiss(
            f"{self._path} has no answer to {request.label or 'this question'}: "
            f"{_nearest(request, recorded)}",
            hint=hint,
        )


def _nearest(asked: Request, recorded: Sequence[Request]) -> str:
    """What the nearest recorded question is, and how it differs from the one asked."""
    if asked.label:
        recorded = [request for request in recorded if paper_of(request) == paper_of(asked)]
        if not recorded:
            return "nothing is recorded for this paper"
    nearest = max(recorded, key=lambda request: _nearness(asked, request))
    name = "" if nearest.label == asked.label else f" ({nearest.label or 'without a label'})"
    told = "; ".join(_differences(asked, nearest))
    return f"the nearest recording{name} differs: {told}"


def _nearness(asked: Request, recorded: Request) -> tuple[bool, int, bool, int]:
    a, b = (
        "\n".join(message.content for message in request.messages) for request in (asked, recorded)
    )
    return (
        recorded.label == asked.label,
        -abs(len(recorded.messages) - len(asked.messages)),
        recorded.sample == asked.sample,
        _shared(a, b) + _shared(a[::-1], b[::-1]),
    )


def _shared(a: str, b: str) -> int:
    """How many characters two texts begin with alike."""
    unlike = (place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
    return next(unlike, min(len(a), len(b)))


def _differences(asked: Request, recorded: Request) -> Iterator[str]:
    if len(asked.messages) != len(recorded.messages):
        yield f"{len(asked.messages)} messages instead of {len(recorded.messages)}"
    for new, old in zip(asked.messages, recorded.messages, strict=False):
        if new.role != old.role:
            yield f"a message is the {new.role}'s instead of the {old.role}'s"
        if new.content != old.content:
            start = max(0, _shared(new.content, old.content) - 20)
            here, there = _snippet(new.content, start), _snippet(old.content, start)
            yield f"the {new.role} message says {here} instead of {there}"
    for name in sorted(asked.params.keys() | recorded.params.keys()):
        values = (asked.params.get(name), recorded.params.get(name))
        if values[0] != values[1]:
            yield f"{name} is {values[0]!r} instead of {values[1]!r}"
    if asked.output_schema != recorded.output_schema:
        yield "the output schema changed"
    if asked.sample != recorded.sample:
        yield f"sample {asked.sample} instead of {recorded.sample}"


def _snippet(text: str, start: int, size: int = 60) -> str:
    before, after = "…" if start else "", "…" if len(text) > start + size else ""
    return repr(before + text[start : start + size] + after)
