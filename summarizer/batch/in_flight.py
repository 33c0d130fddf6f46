"""One batch in flight: brought to the server, waited for, its answers fetched.

The calls are made again while that may help; what becomes of the questions is decided elsewhere.
"""

from __future__ import annotations

import logging
from contextlib import aclosing
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from summarizer.errors import ModelError
from summarizer.models import Answer
from summarizer.models.batches import NotThere

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from summarizer.models.batches import BatchAPI, BatchState
    from summarizer.models.completions import Dialect, Refused

_T = TypeVar("_T")

_FIRST = 5.0
_LONGEST = 60.0
"""Seconds to wait before the server is asked about a batch again, growing from one to the other."""

OUTAGE = 100
"""How often in a row a call may fail at a server that has answered before: 1.5 hours' worth."""

_LOOKS = 7
"""How often a batch whose creation is in doubt is looked for again: for two to three minutes."""

_KEPT_AT_ONCE = 500
"""How many answers share one transaction of the store."""

_log = logging.getLogger(__name__)


class InFlight:
    """A batch from the moment that the store knows of it until all its answers are kept.

    Args:
        ours: Our id for it: in the store and, as metadata, at the server.
        labels: Those of its questions by fingerprint, in the order of its file.
        dialect: The one that the questions are written in.
        since: A moment before which it was not made, by the server's clock.
        sleep: Waits for some seconds.

    Attributes:
        left: Fingerprints of the questions whose answers are not kept yet.
        failures: Why questions have no answer, as far as the server's files say.
        in_doubt: Whether the server may have it and has not said so.
    """

    def __init__(
        self,
        ours: str,
        labels: Mapping[str, str],
        *,
        dialect: Dialect,
        since: dt.datetime,
        api: BatchAPI,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.ours = ours
        self.labels = labels
        self.dialect = dialect
        self.left = set(labels)
        self.failures: dict[str, Refused | ModelError] = {}
        self.in_doubt = False
        self._since = since
        self._api = api
        self._sleep = sleep

    async def create(self, file: BinaryIO, *, attempts: int) -> BatchState:
        """Bring it to the server; when this fails, `in_doubt` says whether it may be there."""
        name = f"summarizer-{self.ours}.jsonl"
        uploaded = await self._patiently(partial(self._api.upload, file, name), attempts)
        tried = 0
        while True:
            tried += 1
            self.in_doubt = True
            try:
                return await self._api.create(uploaded, self.ours)
            except ModelError as error:
                if error.transient and (state := await self.find()):
                    return state
                self.in_doubt = False
                if not error.transient or tried >= attempts:
                    raise

    async def find(self) -> BatchState | None:
        """Look for it at the server, for as long as it may still turn up."""
        waits = islice(_waits(), _LOOKS)
        while True:
            if state := await self._patiently(partial(self._api.find, self.ours, self._since)):
                return state
            wait = next(waits, None)
            if wait is None:
                return None
            await self._sleep(wait)

    async def ended(self, server_id: str) -> BatchState:
        """Wait until it has ended."""
        waits = _waits()
        while True:
            state = await self._patiently(partial(self._api.retrieve, server_id))
            if state.has_ended:
                _log.info("%s is %s", server_id, state.status)
                return state
            await self._sleep(next(waits))

    async def fetch(
        self, state: BatchState, keep: Callable[[Mapping[str, Answer]], Awaitable[None]]
    ) -> None:
        """Read the files of results, whose lines come in any order.

        Args:
            keep: Called with some answers at a time, which are kept when it returns.
        """
        for file_id in state.result_files:
            if self.left:
                try:
                    await self._patiently(partial(self._read, file_id, keep))
                except NotThere as error:
                    _log.warning("%s; what it held is asked again", error.message)

    def reasons(self, state: BatchState) -> dict[str, Refused | ModelError]:
        """Why the questions that are left have no answer, once it has ended."""
        if state.status == "cancelled":
            return dict.fromkeys(self.left, ModelError("the batch was cancelled at the server"))
        if state.status != "failed":
            unsaid = ModelError("the batch ended without an answer", transient=True)
            return dict.fromkeys(self.left, unsaid) | self.failures
        found: dict[str, Refused | ModelError] = {}
        keys = list(self.labels)
        for line, problem in state.problems:
            for key in keys if line is None else keys[line - 1 : line]:
                found.setdefault(key, problem)
        unsaid = ModelError("the server could not begin the batch", transient=True)
        return found or dict.fromkeys(keys, unsaid)

    async def _read(
        self, file_id: str, keep: Callable[[Mapping[str, Answer]], Awaitable[None]]
    ) -> None:
        answers: dict[str, Answer] = {}

        async def keep_them() -> None:
            await keep(answers)
            self.left.difference_update(answers)
            answers.clear()

        async with aclosing(self._api.results(file_id)) as results:
            async for key, outcome in results:
                if key not in self.left or key in answers:
                    continue
                if not isinstance(outcome, Answer):
                    self.failures[key] = outcome
                    continue
                answers[key] = outcome
                if len(answers) == _KEPT_AT_ONCE:
                    await keep_them()
        if answers:
            await keep_them()

    async def _patiently(self, call: Callable[[], Awaitable[_T]], attempts: int = OUTAGE) -> _T:
        """Call, and call again while that may help."""
        waits, tried = _waits(), 0
        while True:
            tried += 1
            try:
                return await call()
            except ModelError as error:
                if not error.transient or tried >= attempts:
                    raise
                if tried == 1:
                    _log.warning("%s; it is tried again", error.message)
                await self._sleep(min(error.retry_after or next(waits), _LONGEST))


def _waits() -> Iterator[float]:
    """Seconds between one look at a batch and the next."""
    wait = _FIRST
    while True:
        yield wait
        wait = min(wait * 1.5, _LONGEST)
