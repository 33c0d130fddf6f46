"""The rounds: questions that wait gather into batches, and each learns what became of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from summarizer.batch.in_flight import OUTAGE, InFlight
from summarizer.batch.question import Question, temporary_file
from summarizer.digest import Usage
from summarizer.errors import ModelError, ModelUnusable, StoreError
from summarizer.limits import RETRY
from summarizer.models.batches import MOST_BYTES, MOST_REQUESTS, BatchAPI, NotThere

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from summarizer.models import Answer, Request
    from summarizer.models.batches import BatchState
    from summarizer.models.completions import Dialect
    from summarizer.models.openai import OpenAIModel
    from summarizer.store import Batch, Store

_CLOCKS = dt.timedelta(days=1)
"""How far the server's clock and ours may be apart."""

_CROWDED = 60.0
"""Seconds to wait where the server holds too much already, and none of it is ours."""

_PARTING = 10.0
"""Seconds that batches whose answers are kept have for their last calls, when all is closed."""

_LATER = "The batch is under way at the server; the same command takes it up"

_log = logging.getLogger(__name__)


class Batched:
    """A `ChatModel` that answers through the Batch API; it belongs to one event loop.

    A question that a batch leaves without an answer joins the next round, and is put into at most
    `RETRY.attempts` batches. What another run has in flight in the same store is waited for and
    not asked again. Closing it leaves batches at the server, where a later run finds them.

    Args:
        model: Who is asked, and in which dialect.
        store: Where answers are kept, and which batches are in flight.
        quiet: A round closes when no question has come for that many seconds.
        most_requests: How many questions one batch may hold.
        most_bytes: How long one batch's file may be.
        sleep: Waits for some seconds.
        now: The clock that says when a batch was made.

    Attributes:
        calls: How many questions were put into batches, later tries included.
        usage: Tokens of the answers that were fetched.
    """

    def __init__(
        self,
        model: OpenAIModel,
        store: Store,
        *,
        quiet: float = 1.0,
        most_requests: int = MOST_REQUESTS,
        most_bytes: int = MOST_BYTES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.calls = 0
        self.usage = Usage()
        self._model = model
        self._api = BatchAPI(model)
        self._store = store
        self._quiet = quiet
        self._limit = self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._sleep = sleep
        self._now = now
        self._questions: dict[str, Question] = {}
        self._round: dict[str, Question] = {}  # who waits for the next batch
        self._joined = 0
        self._seen: set[str] = set()  # batches, by our ids
        self._batches: dict[str, InFlight] = {}
        self._in_flight: set[str] = set()  # their questions
        self._fetching = self._fetched = 0
        self._crowded = False
        self._ended = asyncio.Event()
        self._making = False
        self._tasks: dict[asyncio.Task[None], InFlight | None] = {}
        self._failure: Exception | None = None

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    async def ask(self, request: Request) -> Answer:
        """Have a question answered with the next batch, or with one that is in flight.

        Raises:
            ModelError: There is no answer, and asking again has been tried.
            ModelUnusable: The server refuses the key, the quota or the model, or takes no batches.
            StoreError: The store failed.
            DiskError: A batch's file could not be written.
        """
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        if not self._joined and not self._seen:
            self._take_up()
        key = request.fingerprint
        question = self._questions.get(key)
        if question is None or not question.waiting:
            question = self._questions[key] = Question(request)
            if key not in self._in_flight:
                self._join(question)
        try:
            return await question.wait()
        finally:
            if not question.waiting and self._questions.get(key) is question:
                del self._questions[key]

    async def aclose(self) -> None:
        """Stop waiting, say what is left at the server, and close the model."""
        if parting := [task for task, batch in self._tasks.items() if batch and not batch.left]:
            await asyncio.wait(parting, timeout=_PARTING)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._batches:
            _log.warning(
                "%s: %d questions are under way at the server; the same command takes them up",
                self.name,
                sum(len(batch.left) for batch in self._batches.values()),
            )
        await self._model.aclose()

    def _join(self, question: Question) -> None:
        """Have a question asked with the next batch."""
        # Once, though several batches that have left it may end: two runs may have made one each.
        self._round[question.request.fingerprint] = question
        self._joined += 1
        if not self._making:
            self._making = True
            self._begin(self._make_batches())

    async def _make_batches(self) -> None:
        """Turn the questions that wait into batches, one after the other."""
        try:
            while self._round:
                await self._until_quiet()
                while self._crowded:
                    self._crowded = False
                    self._ended.clear()
                    await (self._ended.wait() if self._batches else self._sleep(_CROWDED))
                await self._submit()
        finally:
            self._making = False

    async def _until_quiet(self) -> None:
        while len(self._round) < self._most_requests:
            joined, fetched = self._joined, self._fetched
            await self._sleep(self._quiet)
            # Answers that came in just now may lead to questions a moment later.
            if (joined, fetched) == (self._joined, self._fetched) and not self._fetching:
                return

    async def _submit(self) -> None:
        """Make one batch of the questions that wait, as many as it may hold."""
        self._take_up()
        waiting = [
            question
            for key, question in self._round.items()
            if question.waiting and key not in self._in_flight
        ]
        self._round = {}
        dialect = self._model.dialect
        with temporary_file() as file:
            asked, found = await asyncio.to_thread(self._write, file, waiting, dialect)
            for question, answer in found:
                question.settle(answer)
            later = waiting[len(asked) + len(found) :]
            self._round = {
                question.request.fingerprint: question for question in later
            } | self._round
            if asked:
                await self._place(file, asked, dialect)

    def _write(
        self, file: BinaryIO, questions: Sequence[Question], dialect: Dialect
    ) -> tuple[list[Question], list[tuple[Question, Answer]]]:
        """Write a batch's file; returns what stands in it, and what the store answers instead."""
        asked: list[Question] = []
        found: list[tuple[Question, Answer]] = []
        size = 0
        for question in questions:
            if answer := self._store.get(self.name, question.request.fingerprint):
                found.append((question, answer))
                continue
            line = self._model.write_question(question.request, dialect)
            size += len(line)
            if len(asked) == self._most_requests or (asked and size > self._most_bytes):
                break
            file.write(line)
            asked.append(question)
        file.flush()
        return asked, found

    async def _place(self, file: BinaryIO, questions: Sequence[Question], dialect: Dialect) -> None:
        """Bring a batch to the server, known to the store before and after."""
        requests = [question.request for question in questions]
        since = self._now() - _CLOCKS
        ours = await self._store.open_batch(self.name, requests)
        labels = {request.fingerprint: request.label for request in requests}
        batch = self._enter(ours, labels, dialect, since)
        try:
            # A server that has never answered is not waited for.
            state = await batch.create(file, attempts=OUTAGE if self.calls else RETRY.attempts)
        except ModelError as error:
            if batch.in_doubt:
                raise
            if isinstance(error, NotThere):
                error = ModelUnusable(f"{self.name} takes no batches: {error.message}")
            elif error.transient:
                error = _outage(error, "Run the same command again later")
            await self._close(batch, dict.fromkeys(labels, error))
            if isinstance(error, ModelUnusable):
                raise error from None
            return
        self.calls += len(questions)
        _log.info("%s: %d questions are in %s", self.name, len(questions), state.id)
        await self._note(ours, state)
        self._begin(self._follow(batch, state.id), batch)

    async def _note(self, ours: str, state: BatchState) -> None:
        try:
            await self._store.submitted(ours, state.id)
        except StoreError:
            # Another run may have seen it through, or have taken a long upload for a lost one and
            # given it up: at any moment, so that looking first would not do.
            if any(noted.ours == ours for noted in self._store.batches(self.name)):
                raise

    def _take_up(self) -> None:
        """Wait for whatever the store has in flight and we do not know of yet."""
        for noted in self._store.batches(self.name):
            if noted.ours not in self._seen:
                labels = dict(zip(noted.fingerprints, noted.labels, strict=True))
                since = dt.datetime.fromisoformat(noted.opened_at) - _CLOCKS
                batch = self._enter(noted.ours, labels, self._model.dialect, since)
                self._begin(self._resume(batch, noted), batch)

    async def _resume(self, batch: InFlight, noted: Batch) -> None:
        count = len(batch.labels)
        _log.info("%s: %d questions of %s are taken up", self.name, count, noted.opened_at)
        server_id = noted.server_id
        if server_id is None:
            state = await batch.find()
            if state is None:
                _log.info("%s: they have never reached the server", self.name)
                await self._close(batch)
                return
            await self._note(batch.ours, state)
            server_id = state.id
        await self._follow(batch, server_id)

    async def _follow(self, batch: InFlight, server_id: str) -> None:
        """Wait until a batch has ended, keep its answers and hand them out."""

        async def keep(answers: Mapping[str, Answer]) -> None:
            rows = [(key, batch.labels[key], answer) for key, answer in answers.items()]
            await self._store.put_many(self.name, rows)
            for key, _, answer in rows:
                self.usage += answer.usage or Usage()
                if question := self._questions.get(key):
                    question.settle(answer)

        try:
            state = await batch.ended(server_id)
        except NotThere as error:
            _log.warning("%s; its questions are asked again", error.message)
            await self._close(batch)
            return
        self._fetching += 1
        try:
            await batch.fetch(state, keep)
        finally:
            self._fetching -= 1
            self._fetched += 1
        failures = self._failures(batch, state)
        await self._close(batch, failures)
        if unusable := next((f for f in failures.values() if isinstance(f, ModelUnusable)), None):
            raise unusable
        with suppress(ModelError):  # its results stay there: a second copy of what was paid for
            await self._api.delete_file(state.input_file)

    def _failures(self, batch: InFlight, state: BatchState) -> dict[str, ModelError]:
        """Why the questions that a batch has left failed, but for those to be asked again."""
        if state.exceeds_limit:
            return self._make_room(batch)
        self._most_requests = min(self._limit, 2 * self._most_requests)
        failures = {}
        for key, reason in batch.reasons(state).items():
            question = self._questions.get(key)
            if isinstance(reason, ModelError):
                failures[key] = reason
            elif question and (
                failure := self._model.judge(reason, question.request, batch.dialect)
            ):
                failures[key] = failure
        return failures

    def _make_room(self, batch: InFlight) -> dict[str, ModelError]:
        """Ask for less at once: the server holds as many tokens as it may."""
        self._crowded = True
        if len(self._batches) > 1:
            return {}
        self._most_requests = max(1, len(batch.labels) // 2)
        if len(batch.labels) > 1:
            return {}
        full = ModelError("the server's limit of enqueued tokens is reached", transient=True)
        return dict.fromkeys(batch.left, full)

    async def _close(
        self, batch: InFlight, failures: Mapping[str, ModelError] | None = None
    ) -> None:
        """End a batch; a question without an answer fails for good, or joins the next one."""
        await self._store.close_batch(batch.ours)
        del self._batches[batch.ours]
        self._in_flight = {key for other in self._batches.values() for key in other.labels}
        self._ended.set()
        for key in batch.labels:
            question = self._questions.get(key)
            if question is None or not question.waiting:
                continue
            failure = (failures or {}).get(key)
            if failure is not None:
                question.tried += 1
                if not failure.transient or question.tried == RETRY.attempts:
                    question.settle(_final(failure))
                    continue
            self._join(question)

    def _enter(
        self, ours: str, labels: Mapping[str, str], dialect: Dialect, since: dt.datetime
    ) -> InFlight:
        batch = InFlight(
            ours, labels, dialect=dialect, since=since, api=self._api, sleep=self._sleep
        )
        self._seen.add(ours)
        self._batches[ours] = batch
        self._in_flight.update(labels)
        return batch

    def _begin(self, work: Coroutine[None, None, None], batch: InFlight | None = None) -> None:
        task = asyncio.create_task(self._watched(work))
        self._tasks[task] = batch
        task.add_done_callback(lambda _: self._tasks.pop(task))

    async def _watched(self, work: Coroutine[None, None, None]) -> None:
        """Work in the background; where it fails, nothing more is asked and all hear why."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            if isinstance(error, ModelError) and not isinstance(error, ModelUnusable):
                error = _outage(error, _LATER)
            self._failure = self._failure or error
            for question in self._questions.values():
                question.settle(self._failure)


def _outage(error: ModelError, hint: str) -> ModelUnusable:
    """The error of a call that has been made as often as may help: no question is to blame."""
    return ModelUnusable(error.message, hint=hint, exit_code=3)


def _final(error: ModelError) -> ModelError:
    """The error, without the offer to ask again."""
    return ModelError(error.message, hint=error.hint) if error.transient else error
