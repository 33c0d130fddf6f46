"""A model with a memory: what its store holds is not asked again."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING

from summarizer.errors import StoreError

if TYPE_CHECKING:
    from summarizer.models import Answer, ChatModel, Request
    from summarizer.store.store import Store


class Stored:
    """A model that asks only what its store does not hold, and returns only what is kept.

    Equal questions that are asked at once are asked once. Closing it closes the model; the store
    may serve others and is closed by whoever opened it.

    Attributes:
        reused: How many questions the store has answered.
        asked: How many answers the model has given.
    """

    def __init__(self, model: ChatModel, store: Store) -> None:
        self._model = model
        self._store = store
        self._underway: dict[str, Future[None]] = {}
        self._failure: StoreError | None = None
        self.reused = 0
        self.asked = 0

    @property
    def name(self) -> str:
        """The model's: what its answers are filed under."""
        return self._model.name

    async def ask(self, request: Request) -> Answer:
        """Answer from the store, or ask the model and commit its answer first.

        Raises:
            ModelError: The model gave no answer.
            StoreError: The store failed. Once an answer could not be kept, no further one is
                bought.
        """
        # A thread's future, not an event loop's: a chain may ask from several loops.
        mine: Future[None] = Future()
        key = request.fingerprint
        while (other := self._underway.setdefault(key, mine)) is not mine:
            # Whoever asks may be cancelled or fail; then the next in line asks.
            await asyncio.wait([asyncio.wrap_future(other)])
        try:
            answer = self._store.get(self.name, key)
            if answer is not None:
                self.reused += 1
                return answer
            if self._failure is not None:
                raise self._failure
            answer = await self._model.ask(request)
            self.asked += 1
            try:
                return await self._store.put(self.name, request, answer)
            except StoreError as error:
                self._failure = error
                raise
        finally:
            del self._underway[key]
            mine.set_result(None)

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()
