"""A question that somebody waits for, and the file that such questions are written to."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from summarizer.errors import DiskError
from summarizer.models import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from summarizer.models import Request


@dataclass(slots=True, eq=False)
class Question:
    """What is asked, and who waits for the answer.

    Attributes:
        waiting: One future for each who waits; empty once it is settled.
        tried: In how many batches it went without an answer.
    """

    request: Request
    waiting: list[asyncio.Future[Answer]] = field(default_factory=list)
    tried: int = 0

    async def wait(self) -> Answer:
        """Wait for the answer; whoever is cancelled waits no longer."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        try:
            return await answer
        finally:
            if answer in self.waiting:
                self.waiting.remove(answer)

    def settle(self, outcome: Answer | Exception) -> None:
        """Tell whoever waits."""
        waiting, self.waiting = self.waiting, []
        for answer in waiting:
            if answer.done():
                continue
            if isinstance(outcome, Answer):
                answer.set_result(outcome)
            else:
                answer.set_exception(outcome)


@contextmanager
def temporary_file() -> Iterator[BinaryIO]:
    """A file of no name; what it does not take is told as a `DiskError`."""
    try:
        with TemporaryFile() as file:
            yield file
    except OSError as error:
        raise DiskError(
            f"a batch's questions could not be written to a file ({error.strerror or error})",
            hint="Make room where temporary files lie (TMPDIR), then run the same command again",
        ) from error
