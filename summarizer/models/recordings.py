"""Recordings: answers in a file of the user's, made to be read, compared and versioned.

The file is JSON Lines: one question with its answer a line, keys sorted, UTF-8.
"""

from __future__ import annotations

import asyncio
import codecs
import datetime as dt
import json
import logging
import os
import threading
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, ValidationError

from summarizer.digest import Value
from summarizer.disk import system_reason, write_files
from summarizer.errors import DiskError, InputError
from summarizer.models import Answer, Request

try:
    import fcntl
except ImportError:  # Windows has no such lock; one process at a time records there
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from io import FileIO
    from pathlib import Path

    from summarizer.models import ChatModel

HANDWRITTEN = "handwritten"
"""The model that answers written by people are filed under, unless they are given another."""

_log = logging.getLogger(__name__)


class Recording(Value):
    """A question and its answer.

    Attributes:
        model: The name that it is filed under.
        origin: Whether a model answered, or a person wrote the answer.
        recorded_at: When, in UTC.
    """

    model: str
    request: Request
    answer: Answer
    origin: Literal["model", "handwritten"]
    recorded_at: AwareDatetime

    @property
    def fingerprint(self) -> str:
        """Of the request."""
        return self.request.fingerprint

    @property
    def label(self) -> str:
        """Paper and prompt, for people."""
        return self.request.label


def paper_of(request: Request) -> str:
    """The id of the paper that a request is about: its label begins with it."""
    return request.label.partition(" ")[0]


def prompt_of(request: Request) -> str:
    """The name of the prompt that asked: the second word of its label."""
    return request.label.partition(" ")[2].partition(" ")[0]


def handwritten(
    answers: Iterable[tuple[Request, str]], *, recorded_at: dt.datetime, model: str = HANDWRITTEN
) -> list[Recording]:
    """Recordings of answers that a person wrote."""
    return [
        Recording(
            model=model,
            request=request,
            answer=Answer(text=text, model=model),
            origin="handwritten",
            recorded_at=recorded_at,
        )
        for request, text in answers
    ]


def read_recordings(path: Path) -> list[Recording]:
    """Read a file of recordings; a last line that a crash has cut short is left out, and said.

    Raises:
        InputError: The file cannot be read, or a line of it is no recording or was changed by hand.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            "there is no such file of recordings",
            hint=f"Make one: `summarizer digest … --record {path} --model openai:MODEL`",
            path=path,
        ) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {system_reason(error)}", path=path) from None
    return parse_recordings(data, path)


def parse_recordings(data: bytes, path: Path) -> list[Recording]:
    """The recordings of a file's bytes, as `read_recordings` gives them.

    Raises:
        InputError: A line is no recording or was changed by hand.
    """
    recordings, torn = _read(data, path)
    if torn:
        _log.warning("%s: the last line was cut short and is left out", path)
    return recordings


def write_recordings(path: Path, recordings: Iterable[Recording]) -> None:
    """Write a file of recordings, whole or not at all.

    Raises:
        DiskError: It could not be written; what was there before is unchanged.
    """
    write_files({path: "".join(map(_line, recordings))})


def revise(path: Path, change: Callable[[list[Recording]], Iterable[Recording]]) -> None:
    """Replace the recordings of a file by others, while nobody else records there.

    Raises:
        InputError: The file cannot be read.
        DiskError: It could not be written; it is what it was before.
    """
    read_recordings(path)  # opening for the lock would make a file that is not there
    # Windows has no lock here, and does not replace a file that is open.
    with _plainly(path), _locked(path) if fcntl else nullcontext():
        write_recordings(path, change(read_recordings(path)))


class Recorder:
    """A `ChatModel` that adds to a file every answer of another one that the file lacks.

    A line is on the disk before its answer is given on. Other processes may record to the same
    file; a last line that a crash has cut short is taken away before the next is added.

    Args:
        model: Who answers.
        path: The file; it and its folder are made where they are missing.
        now: The clock that dates recordings.

    Raises:
        InputError: The file is there, and does not hold recordings.
        DiskError: It cannot be written.
    """

    def __init__(
        self,
        model: ChatModel,
        path: Path,
        *,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._model = model
        self._path = path
        self._now = now
        self._one_at_a_time = threading.Lock()
        self._known: set[tuple[str, str]] = set()
        self._file: tuple[int, int] | None = None
        self._bytes = self._lines = 0
        with _plainly(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not (path.is_file() or path.is_dir()):  # a device has no end
                raise InputError("this is no place for a file: it is a device", path=path)
            with _locked(path) as file:
                self._catch_up(file)

    @property
    def name(self) -> str:
        """The name of the model that answers."""
        return self._model.name

    async def ask(self, request: Request) -> Answer:
        """Ask the model, and record what it answers.

        Raises:
            ModelError: The model gave no answer.
            DiskError: The answer could not be recorded.
        """
        answer = await self._model.ask(request)
        if (self.name, request.fingerprint) not in self._known:
            recording = Recording(
                model=self.name,
                request=request,
                answer=answer,
                origin="handwritten" if self.name == HANDWRITTEN else "model",
                recorded_at=self._now().replace(microsecond=0),
            )
            await asyncio.to_thread(self._add, recording)
        return answer

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()

    def _add(self, recording: Recording) -> None:
        line = _line(recording).encode()
        with self._one_at_a_time, _plainly(self._path), _locked(self._path) as file:
            self._catch_up(file)
            if (recording.model, recording.fingerprint) in self._known:
                return
            try:
                _write_all(file, line)
            except OSError:
                with suppress(OSError):
                    file.truncate(self._bytes)
                raise
            self._note([recording], line)

    def _catch_up(self, file: FileIO) -> None:
        """Read what was added since the last look, and leave the file ready for one more line."""
        status = os.fstat(file.fileno())
        if self._file != (status.st_dev, status.st_ino) or status.st_size < self._bytes:
            self._file = (status.st_dev, status.st_ino)
            self._known, self._bytes, self._lines = set(), 0, 0
        file.seek(self._bytes)
        added = file.readall()
        recordings, torn = _read(added, self._path, first_line=self._lines + 1)
        self._note(recordings, added.removesuffix(torn))
        if torn:
            _log.warning("%s: the last line was cut short and is taken away", self._path)
            file.truncate(self._bytes)
        elif added and not added.endswith(b"\n"):
            _write_all(file, b"\n")
            self._note([], b"\n")

    def _note(self, recordings: list[Recording], data: bytes) -> None:
        self._known.update((r.model, r.fingerprint) for r in recordings)
        self._bytes += len(data)
        self._lines += data.count(b"\n")


def _line(recording: Recording) -> str:
    fields = {
        **recording.model_dump(exclude={"request": {"label"}}),
        "fingerprint": recording.fingerprint,
        "label": recording.label,
        "recorded_at": recording.recorded_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
    }
    line = json.dumps(fields, ensure_ascii=False, sort_keys=True) + "\n"
    # A lone surrogate becomes the escape that JSON reads; UTF-8 cannot hold it.
    return line.encode(errors="backslashreplace").decode()


def _read(data: bytes, path: Path, *, first_line: int = 1) -> tuple[list[Recording], bytes]:
    """The recordings of some lines, and the last line where a crash has cut it short."""
    *lines, last = data.removeprefix(codecs.BOM_UTF8).split(b"\n")
    torn = last.startswith(b"{") and not _is_json(last)
    recordings = [
        _recording(line, path, number)
        for number, line in enumerate(lines if torn else [*lines, last], start=first_line)
        if line.strip()
    ]
    return recordings, last if torn else b""


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _recording(line: bytes, path: Path, number: int) -> Recording:
    try:
        fields: Any = json.loads(line.decode())
    except UnicodeDecodeError:
        raise InputError("this line is not UTF-8 text", path=path, line=number) from None
    except (ValueError, RecursionError):
        raise InputError(
            "this line is not JSON, so it is no recording", path=path, line=number
        ) from None
    try:
        fingerprint, label = fields.pop("fingerprint"), fields.pop("label")
        recording = Recording.model_validate(
            {**fields, "request": {**fields["request"], "label": label}}
        )
    except (AttributeError, KeyError, TypeError, ValidationError) as error:
        raise InputError(
            f"this line is no recording: {_fault(error)}", path=path, line=number
        ) from None
    if fingerprint != recording.fingerprint:
        raise InputError(
            "the request of this recording was changed by hand: its fingerprint is another",
            hint="Restore the request; answers may be edited, and `summarizer recordings rekey` "
            "moves handwritten ones to an edited prompt",
            path=path,
            line=number,
        )
    return recording


def _fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}"
    return f"it has no {error}" if isinstance(error, KeyError) else "it is not a JSON object"


@contextmanager
def _locked(path: Path) -> Iterator[FileIO]:
    """A file, open for reading and appending, that no other process records to meanwhile."""
    while True:
        with path.open("a+b", buffering=0) as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever held the lock may have put another file in this one's place.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    yield file
                    return


def _write_all(file: FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
    os.fsync(file.fileno())


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise InputError(
            f"this is no place for a file: {system_reason(error)}", path=path
        ) from error
    except OSError as error:
        raise DiskError(
            f"the recordings cannot be written: {system_reason(error)}", path=path
        ) from error
