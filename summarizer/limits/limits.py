"""How hard a model may be asked: how many questions at once, how fast, and which of them again."""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import TYPE_CHECKING

from summarizer.errors import ModelError, ModelUnusable
from summarizer.limits.pacing import Bucket, Call, Places
from summarizer.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from summarizer.models import Answer, ChatModel, Request

RETRY = RetryPolicy()
"""How transient errors of a model are tried again, where nobody says otherwise."""

_BUDGET = 20
"""So many calls in a row may fail before calls go out one at a time, as probes."""
_EARNED = 4
"""So many failures an answer makes up for: a server that answers one call in five is no outage."""
_PROBES = 8
"""After so many probes without an answer, a minute in the mean, the server is taken for dead."""


class Limits:
    """A `ChatModel` that asks another one with care.

    - No faster than the server's `x-ratelimit-*` headers allow: a question waits where too few
      requests or tokens are left. Where the server is too busy, or names a time to come back, all
      questions wait.
    - As many at once as the server answers well, up to `concurrency` (`Places`).
    - Again, where that may help, after a wait of its own. Answers earn a budget that failures
      spend (retry throttling of gRPC, proposal A6); while it is empty, only one call at a time goes
      out, so that an outage does not multiply the load.
    - Not at all after a `ModelUnusable`, or where a dead server has answered no probe: no further
      call starts, and every question that waits, and any later one, raises that same error. Calls
      under way may end; their answers are returned.

    Nothing runs in the background: the question that is first in line does the waiting. A sleep
    that ended is believed, whatever the clock says.

    Args:
        model: Who is asked.
        concurrency: How many questions may be under way at once.
        retry: How often and how long to wait where a `ModelError` is transient.
        sleep: Waits for some seconds.
        jitter: Draws from [0, 1).
        clock: Seconds from some moment on; never runs backwards.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        concurrency: int,
        retry: RetryPolicy = RETRY,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._retry = retry
        self._sleep = sleep
        self._jitter = jitter
        self._clock = clock
        self._slept_until = -math.inf
        self._line = asyncio.Lock()
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()
        self._places = Places(concurrency)
        self._calls = 0
        self._under_way = 0
        self._answered = 0
        self._completion = 0  # tokens of all answers
        self._requests = Bucket("requests", retry.longest)
        self._tokens = Bucket("tokens", retry.longest)
        self._pause_until = -math.inf
        self._budget = _BUDGET
        self._probes = 0
        self._unusable: ModelUnusable | None = None

    @property
    def name(self) -> str:
        """The name of the model that is asked."""
        return self._model.name

    async def ask(self, request: Request) -> Answer:
        """Ask when it is this question's turn, and again while that may help.

        Raises:
            ModelError: The last one, when all tries failed or another one cannot help.
            ModelUnusable: The model refused this question, or an earlier one, for good, or its
                server no longer answers.
        """
        characters = sum(len(message.content) for message in request.messages)
        tried = 0
        while True:
            call = await self._turn(characters / 3)
            tried += 1
            try:
                answer = await self._model.ask(request)
            except ModelUnusable as error:
                self._give_up(error)
                raise
            except ModelError as error:
                wait = self._note_failure(error, call, tried)
                spent = not error.transient or tried >= self._retry.attempts
                if spent and self._unusable is None:
                    raise
            else:
                self._note_answer(answer, call)
                return answer
            finally:
                self._under_way -= 1
                self._changed.set()
            if wait and self._unusable is None:
                await self._wait(wait, self._stopped)

    async def aclose(self) -> None:
        """Close the model that is asked."""
        await self._model.aclose()

    async def _turn(self, prompt_tokens: float) -> Call:
        """Wait in line until a call may start, and start it."""
        async with self._line:
            while True:
                if self._unusable is not None:
                    raise self._unusable.with_traceback(None)
                tokens = prompt_tokens + self._completion / max(1, self._answered)
                now = self._now()
                start = max(
                    self._pause_until,
                    self._requests.ready(1, now),
                    self._tokens.ready(tokens, now),
                )
                self._changed.clear()
                if self._under_way >= (int(self._places.limit) if self._budget else 1):
                    await self._changed.wait()
                elif start - now > 1e-6:
                    await self._wait(start - now, self._changed)
                else:
                    break
            self._calls += 1
            self._under_way += 1
            self._requests.spend(1, now)
            self._tokens.spend(tokens, now)
            return Call(
                number=self._calls,
                began=self._clock(),
                probe=not self._budget,
                requests=self._requests.spent,
                tokens=self._tokens.spent,
            )

    def _note_answer(self, answer: Answer, call: Call) -> None:
        self._note_life()
        self._answered += 1
        self._completion += answer.usage.completion if answer.usage else 0
        self._places.note_answer(call, self._calls, self._clock())
        self._read(answer.headroom, call)

    def _note_failure(self, error: ModelError, call: Call, tried: int) -> float:
        """Returns the seconds that this question alone has to wait."""
        self._read(error.headroom, call)
        if not error.transient:  # that was an answer too
            self._note_life()
            return 0.0
        self._budget = max(0, self._budget - 1)
        if call.probe:
            self._probes += 1
            if self._probes >= _PROBES:
                self._give_up(
                    ModelUnusable(
                        f"{self.name} does not answer: {error.message}",
                        hint="Run the same command again later",
                        exit_code=3,
                    )
                )
        wait = self._retry.delay(
            self._probes if call.probe else tried,
            jitter=self._jitter(),
            retry_after=error.retry_after,
        )
        if error.busy or not self._budget:
            self._places.fall(0.5, call, self._calls)
        elif not error.retry_after:
            return wait
        self._pause_until = max(self._pause_until, self._now() + wait)
        return 0.0

    def _note_life(self) -> None:
        self._budget, self._probes = min(_BUDGET, self._budget + _EARNED), 0

    def _read(self, headroom: Mapping[str, str] | None, call: Call) -> None:
        if headroom:
            now = self._now()
            self._requests.read(headroom, call.number, call.requests, now)
            self._tokens.read(headroom, call.number, call.tokens, now)

    def _give_up(self, error: ModelUnusable) -> None:
        if self._unusable is None:
            self._unusable = error
        self._stopped.set()
        self._changed.set()

    def _now(self) -> float:
        return max(self._clock(), self._slept_until)

    async def _wait(self, seconds: float, event: asyncio.Event) -> None:
        """Wait so long, or until the event."""
        end = self._now() + seconds
        sleep = asyncio.ensure_future(self._sleep(seconds))
        other = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait((sleep, other), return_when=asyncio.FIRST_COMPLETED)
            if sleep.done():
                sleep.result()
                self._slept_until = max(self._slept_until, end)
        finally:
            sleep.cancel()
            other.cancel()
