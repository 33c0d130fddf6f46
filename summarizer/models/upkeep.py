"""Looking after a file of recordings: what is still asked, what is not, what can be moved."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import AwareDatetime

from summarizer.digest import Value
from summarizer.models.recordings import Recording, paper_of, prompt_of, revise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from summarizer.models import Request


State: TypeAlias = Literal["used", "stale", "other", "unused"]


class Row(Value):
    """What there is to say of one recording.

    Attributes:
        state: `"used"` is asked now; `"stale"` answers an earlier wording of what is asked about a
            paper, `"other"` another prompt or a further sample; `"unused"` is about no paper that
            is asked about, or an earlier line answers the same question.
    """

    label: str
    model: str
    origin: Literal["model", "handwritten"]
    recorded_at: AwareDatetime
    sample: int
    state: State


class Moved(Value):
    """A handwritten answer before and after it was moved to another question."""

    before: Recording
    after: Recording


def show(recordings: Iterable[Recording], wanted: Iterable[Request]) -> list[Row]:
    """A row for each recording, in the file's order.

    Args:
        recordings: Those of one file.
        wanted: Every question that is asked now.
    """
    return [
        Row(
            label=recording.label,
            model=recording.model,
            origin=recording.origin,
            recorded_at=recording.recorded_at,
            sample=recording.request.sample,
            state=state,
        )
        for recording, state in _states(recordings, wanted)
    ]


def prune(path: Path, wanted: Iterable[Request], *, others: bool = False) -> list[Recording]:
    """Drop the recordings that answer nothing that is asked now.

    Stale ones go too, but for handwritten ones: `rekey` can still move those.

    Args:
        path: The file.
        wanted: Every question that is asked now.
        others: Whether answers to other prompts and to further samples go too.

    Returns:
        What was dropped.

    Raises:
        InputError: The file cannot be read.
        DiskError: It could not be written; it is what it was before.
    """
    wanted = list(wanted)
    dropped: list[Recording] = []
    kept = {"used"} if others else {"used", "other"}

    def keep(recordings: list[Recording]) -> Iterator[Recording]:
        for recording, state in _states(recordings, wanted):
            if state in kept or (state == "stale" and recording.origin == "handwritten"):
                yield recording
            else:
                dropped.append(recording)

    revise(path, keep)
    return dropped


def rekey(path: Path, wanted: Iterable[Request]) -> list[Moved]:
    """Move handwritten answers to the questions that are asked now about the same papers.

    A recording moves where the prompt of its label asks about its paper, or else where only one
    question about it is left without an answer. A model's answers never move: they would claim to
    answer what the model was never asked.

    Returns:
        What was moved.

    Raises:
        InputError: The file cannot be read.
        DiskError: It could not be written; it is what it was before.
    """
    # What a repair asks follows from an answer, so it cannot be asked first.
    questions: dict[str, list[Request]] = {}
    for request in filter(_is_first, wanted):
        questions.setdefault(paper_of(request), []).append(request)
    fingerprints = {request.fingerprint for about in questions.values() for request in about}
    moved: list[Moved] = []

    def move(recordings: list[Recording]) -> Iterator[Recording]:
        answered = {(r.model, r.fingerprint) for r in recordings}
        for recording in recordings:
            target = None
            if recording.origin == "handwritten" and recording.fingerprint not in fingerprints:
                about = questions.get(paper_of(recording.request), [])
                target = _target(recording, about, answered)
            if target is None:
                yield recording
                continue
            after = recording.model_copy(update={"request": target})
            answered.add((after.model, after.fingerprint))
            moved.append(Moved(before=recording, after=after))
            yield after

    revise(path, move)
    return moved


def _states(
    recordings: Iterable[Recording], wanted: Iterable[Request]
) -> Iterator[tuple[Recording, State]]:
    fingerprints: set[str] = set()
    papers: set[str] = set()
    asked: set[tuple[str, int]] = set()
    for request in wanted:
        fingerprints.add(request.fingerprint)
        papers.add(paper_of(request))
        asked.add((prompt_of(request), request.sample))
    seen = set()
    for recording in recordings:
        key = (recording.model, recording.fingerprint)
        if key in seen:
            yield recording, "unused"
        elif recording.fingerprint in fingerprints:
            yield recording, "used"
        elif paper_of(recording.request) not in papers:
            yield recording, "unused"
        else:
            one = prompt_of(recording.request), recording.request.sample
            yield recording, "stale" if one in asked else "other"
        seen.add(key)


def _target(
    recording: Recording, questions: list[Request], answered: set[tuple[str, str]]
) -> Request | None:
    """The one question about its paper that a handwritten answer can be moved to."""
    possible = [
        request
        for request in questions
        if _is_first(recording.request)
        and request.sample == recording.request.sample
        and (recording.model, request.fingerprint) not in answered
    ]
    of_its_prompt = [request for request in possible if request.label == recording.label]
    choices = of_its_prompt or possible
    return choices[0] if len(choices) == 1 else None


def _is_first(request: Request) -> bool:
    return not re.search(r" repair \d+$", request.label)
