"""How hard a model may be asked: so many questions at once, and again where that may help."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from summarizer.digest import Usage
from summarizer.errors import ModelError, ModelUnusable
from summarizer.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from summarizer.models import Answer, ChatModel, Request

RETRY = RetryPolicy()
"""How transient errors of a model are tried again, where nobody says otherwise."""


class Limits:
    """A `ChatModel` that asks another one with care.

    A question keeps its place while it waits to be asked again, so that a server that is too busy
    is asked less. After a `ModelUnusable` no further call starts: every other question that waits,
    and any later one, raises that same error.

    Args:
        model: Who is asked.
        concurrency: How many questions may be under way at once.
        retry: How often and how long to wait where a `ModelError` is transient.
        sleep: Waits for some seconds.
        jitter: Draws from [0, 1).

    Attributes:
        calls: How often the model was asked, retries included.
        usage: Tokens of its answers.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        concurrency: int = 8,
        retry: RetryPolicy = RETRY,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.calls = 0
        self.usage = Usage()
        self._model = model
        self._places = asyncio.Semaphore(concurrency)
        self._retry = retry
        self._sleep = sleep
        self._jitter = jitter
        self._unusable: ModelUnusable | None = None
        self._pauses: set[asyncio.Future[None]] = set()

    @property
    def name(self) -> str:
        """The name of the model that is asked."""
        return self._model.name

    async def ask(self, request: Request) -> Answer:
        """Ask when there is a place, and again while that may help.

        Raises:
            ModelError: The last one, when all tries failed or another one cannot help.
            ModelUnusable: The model refused this question, or an earlier one, for good.
        """
        async with self._places:
            tried = 0
            while True:
                if self._unusable is not None:
                    raise self._unusable.with_traceback(None)
                self.calls += 1
                tried += 1
                try:
                    answer = await self._model.ask(request)
                except ModelUnusable as error:
                    self._give_up(error)
                    raise
                except ModelError as error:
                    if not error.transient or tried >= self._retry.attempts:
                        raise
                    wait = self._retry.delay(
                        tried, jitter=self._jitter(), retry_after=error.retry_after
                    )
                else:
                    self.usage += answer.usage or Usage()
                    return answer
                await self._pause(wait)

    async def aclose(self) -> None:
        """Close the model that is asked."""
        await self._model.aclose()

    async def _pause(self, seconds: float) -> None:
        """Wait, or until nothing is left to wait for."""
        pause = asyncio.ensure_future(self._sleep(seconds))
        self._pauses.add(pause)
        try:
            await asyncio.wait({pause})
        finally:
            pause.cancel()
            self._pauses.discard(pause)

    def _give_up(self, error: ModelUnusable) -> None:
        if self._unusable is None:
            self._unusable = error
        for pause in self._pauses:
            pause.cancel()
