"""Where the answers of an eval come from: recordings first, and a model for what has none.

What is asked anew goes into a file of its own beside the recordings (`NAME.anew.jsonl`) and takes
their place when nothing is missing: until then the old ones stand, and what an interruption leaves
is not asked a second time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, TypeAlias

from summarizer.errors import RecordingMiss
from summarizer.limits import Limits
from summarizer.models import open_model
from summarizer.models.recordings import (
    HANDWRITTEN,
    Recorder,
    paper_of,
    read_recordings,
    revise,
    write_recordings,
)
from summarizer.models.replay import Replay
from summarizer.store import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from summarizer.models import Answer, ChatModel, Request
    from summarizer.models.recordings import Recording
    from summarizer.store import Store

Ask: TypeAlias = Literal["none", "missing", "all"]
"""Whether a model is asked nothing, what has no recording, or everything anew."""


class Recorded:
    """The recordings of an eval, and the models that it asks over them.

    Args:
        paths: Files of recordings, looked through in this order; new ones go to the last.
        ask: What a model is asked.
        store: As for `drivers.regenerate`; not looked at where everything is asked anew.
        concurrency: How many questions to one model may be under way at once.

    Raises:
        InputError: A file cannot be read as recordings.

    Attributes:
        recordings: What answers, and the file that holds it.
        anew: Where new answers wait until `settle`; None where they need not.
    """

    def __init__(
        self, paths: Sequence[Path], *, ask: Ask, store: Store | None, concurrency: int
    ) -> None:
        self._paths = paths
        self._path = paths[-1] if paths else None
        self._ask = ask
        self._store = store if ask == "missing" else None
        self._concurrency = concurrency
        self.anew: Path | None = None
        if ask == "all" and self._path:
            self.anew = self._path.with_name(f"{self._path.stem}.anew{self._path.suffix}")
            paths = [*paths, self.anew]
        self.recordings: tuple[tuple[Path, Recording], ...] = tuple(
            (path, recording)
            for path in paths
            if path.exists()
            for recording in read_recordings(path)
            # Nobody can be asked anew for what a person wrote.
            if ask != "all" or path == self.anew or recording.model == HANDWRITTEN
        )

    def model(self, spec: str, *, hint: str) -> Answering:
        """The model to ask.

        Args:
            spec: Where a file has recordings of this name, they answer.
            hint: How to record what is missing, for the error that says so.
        """
        kept = [recording for _, recording in self.recordings if recording.model == spec]
        asks = self._ask != "none" and spec != HANDWRITTEN
        return Answering(
            spec, kept, self._path, hint=hint, behind=(lambda: self._open(spec)) if asks else None
        )

    def settle(self) -> None:
        """Let what was asked anew take the place of what was recorded before.

        Raises:
            DiskError: It could not be written; nothing is lost.
        """
        if not self._path or not self.anew or not self.anew.exists():
            return
        anew = {(r.model, r.fingerprint): r for r in read_recordings(self.anew)}

        def replaced(old: list[Recording]) -> Iterator[Recording]:
            for recording in old:
                yield anew.pop((recording.model, recording.fingerprint), recording)

        # A file that comes before the last would go on answering with what it has.
        for path in self._paths[:-1]:
            there = read_recordings(path) if path.exists() else []
            if any((recording.model, recording.fingerprint) in anew for recording in there):
                revise(path, replaced)
        if self._path.exists():
            revise(self._path, lambda old: [*replaced(old), *anew.values()])
        else:
            write_recordings(self._path, anew.values())
        self.anew.unlink()

    def _open(self, spec: str) -> ChatModel:
        model: ChatModel = Limits(open_model(spec), concurrency=self._concurrency)
        if self._store is not None:
            model = Stored(model, self._store)
        target = self.anew or self._path
        return Recorder(model, target) if target else model


class Answering:
    """A `ChatModel` that answers from recordings, and asks another one what they lack.

    Args:
        name: Whose answers they are.
        recordings: Where two answer the same question, the first counts.
        path: Where new ones go, for messages.
        hint: How to record what is missing.
        behind: Opens the model to ask, when it is first needed; None asks nobody.
    """

    def __init__(
        self,
        name: str,
        recordings: Sequence[Recording],
        path: Path | None,
        *,
        hint: str,
        behind: Callable[[], ChatModel] | None,
    ) -> None:
        self.name = name
        self._recordings = recordings
        self._answers: dict[str, Answer] = {}
        self._about: dict[str, list[Recording]] = {}
        for recording in recordings:
            self._answers.setdefault(recording.fingerprint, recording.answer)
            self._about.setdefault(paper_of(recording.request), []).append(recording)
        self._path = path
        self._hint = hint
        self._open = behind
        self._model: ChatModel | None = None
        self._asked: dict[str, asyncio.Future[Answer]] = {}

    async def ask(self, request: Request) -> Answer:
        """The recorded answer, or the model's.

        Raises:
            RecordingMiss: Nothing is recorded and nobody is asked; it says what is nearest.
            ModelError: The model gave no answer.
            InputError: There is no such model.
        """
        if recorded := self._answers.get(request.fingerprint):
            return recorded
        if self._open is None:
            raise RecordingMiss(await self._explained(request), hint=self._hint)
        if self._model is None:
            self._model = self._open()
        # Prompts of one text ask one question, which has one answer.
        asked = self._asked.get(request.fingerprint)
        if asked is None:
            asked = asyncio.ensure_future(self._model.ask(request))
            self._asked[request.fingerprint] = asked
        return await asked

    async def aclose(self) -> None:
        """Close the model, where one was opened."""
        if self._model is not None:
            await self._model.aclose()

    async def _explained(self, request: Request) -> str:
        """Why there is no recording: what is nearest, and how it differs."""
        if self._path is None or not self._recordings:
            return f"nothing is recorded of {self.name}"
        nearest = self._about.get(paper_of(request), self._recordings[:1])
        try:
            await Replay(nearest, self._path).ask(request)
        except RecordingMiss as miss:
            return miss.message
        raise AssertionError  # what a replay answers was found before
