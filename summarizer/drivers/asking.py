"""What is asked, composed of `ChatModel`s: each but the last stands before another one.

    live    Asking ─▶ Recorder ─▶ Stored ─▶ Limits ─▶ Budget ─▶ model
    batch   Asking ─▶ Recorder ─▶ Stored ─▶ Budget ─▶ Batched ─▶ model
    replay  Asking ─▶ Recorder ─▶ model

A replay costs nothing, and never touches a store.
"""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Required, TypeAlias, TypedDict

from summarizer.costs import Budget, find_rates
from summarizer.digest import Usage
from summarizer.errors import InputError
from summarizer.limits import Limits
from summarizer.models.recordings import Recorder
from summarizer.models.replay import Replay
from summarizer.store import Store, Stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from summarizer.batch import Batched
    from summarizer.checks import Checks
    from summarizer.costs import Prices
    from summarizer.models import Answer, ChatModel, Request
    from summarizer.prompts import Prompt

_log = logging.getLogger(__name__)

Engine: TypeAlias = Literal["live", "batch"]
"""One call for each question, or OpenAI's Batch API: half the price, within a day."""

CONCURRENCY = 8
"""How many questions may be under way at once, where nobody says otherwise."""

_AHEAD = 4
"""How many times `concurrency` papers may be begun before the first of them has ended."""

_IN_ROUNDS = 10_000
"""How many papers may be begun where questions gather into batches."""


class How(TypedDict, total=False):
    """How papers are asked about: the arguments that all drivers share.

    Attributes:
        model: Who is asked; the caller closes it.
        checks: As for `summarize`.
        repairs: As for `summarize`.
        store: Keeps every answer and is asked first; None goes without.
        record: A file of recordings that every answer it lacks is added to.
        concurrency: How many questions may be under way at once; batches have no such bound.
        engine: How the model is asked.
        budget: US dollars that may be spent; None sets no bound.
        prices: What is known better than list prices.
        sleep: Waits for some seconds, before questions are put again and while batches are run.
    """

    prompt: Required[Prompt]
    model: Required[ChatModel]
    checks: Checks | None
    repairs: int | None
    store: Store | None
    record: Path | None
    concurrency: int
    engine: Engine
    budget: Decimal | None
    prices: Prices | None
    sleep: Callable[[float], Awaitable[None]]


class Asking:
    """The model that one run asks, and what it has cost so far.

    The arguments are those of `How`. Questions are counted until their answers are kept: `Limits`
    counts them until they are answered, and an answer that is not in the store yet would be lost in
    a crash all the same, and bought again.

    Attributes:
        name: Who answers.
        tokens: Of all answers, those that came from the store included.
        window: How many papers may be begun before the first of them has ended.

    Raises:
        InputError: The model cannot be asked like this, or the record cannot be read.
        DiskError: The record cannot be written.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        store: Store | None = None,
        record: Path | None = None,
        concurrency: int = CONCURRENCY,
        engine: Engine = "live",
        budget: Decimal | None = None,
        prices: Prices | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = model.name
        self.tokens = Usage()
        self.window = _IN_ROUNDS if engine == "batch" else _AHEAD * concurrency
        self._places = asyncio.Semaphore(_IN_ROUNDS if engine == "batch" else concurrency)
        self._batched: Batched | None = None
        self._budget: Budget | None = None
        self._stored: Stored | None = None
        if not isinstance(model, Replay):
            rates = find_rates(model.name, batch=engine == "batch", prices=prices)
            if engine == "batch":
                self._batched = _in_rounds(model, store, sleep)
                model = self._budget = Budget(self._batched, budget, rates)
            else:
                if store is not None:
                    _warn_of_batches(model.name, store)
                self._budget = Budget(model, budget, rates)
                model = Limits(self._budget, concurrency=concurrency, sleep=sleep)
            if store is not None:
                model = self._stored = Stored(model, store)
        self._model = model if record is None else Recorder(model, record)

    async def ask(self, request: Request) -> Answer:
        """Ask as soon as there is a place.

        Raises:
            ModelError: There is no answer.
            ModelUnusable: There will be none to any other question either.
            StoreError: An answer could not be kept.
            DiskError: An answer could not be recorded.
        """
        async with self._places:
            answer = await self._model.ask(request)
        self.tokens += answer.usage or Usage()
        return answer

    async def aclose(self) -> None:
        """Leave batches that are under way to the server; the model is the caller's to close."""
        if self._batched:
            await self._batched.aclose()

    @property
    def asked(self) -> int:
        """Questions put to the model, later tries included."""
        counted = self._batched or self._budget
        return counted.calls if counted else 0

    @property
    def reused(self) -> int:
        """Answers that came from the store."""
        return self._stored.reused if self._stored else 0

    @property
    def spent(self) -> Decimal | None:
        """US dollars for the answers that were bought; None where their price is not known."""
        return self._budget.spent if self._budget else Decimal(0)

    @property
    def uncertain(self) -> Decimal:
        """US dollars that calls without an answer may have cost beside, at most."""
        return self._budget.uncertain if self._budget else Decimal(0)


def _warn_of_batches(model: str, store: Store) -> None:
    if under_way := sum(len(batch.fingerprints) for batch in store.batches(model)):
        _log.warning(
            "%s: batches that are under way hold %d of its questions; asked without --engine batch "
            "they are paid for again",
            model,
            under_way,
        )


def _in_rounds(
    model: ChatModel, store: Store | None, sleep: Callable[[float], Awaitable[None]]
) -> Batched:
    from summarizer.batch import Batched
    from summarizer.models.openai import OpenAIModel

    if not isinstance(model, OpenAIModel):
        raise InputError(
            f"{model.name} has no Batch API",
            hint="Ask an openai: model, or leave --engine batch out",
        )
    if store is None:
        raise InputError(
            "batches need the store, which knows of them between two runs",
            hint="Leave --no-store out",
        )
    return Batched(model, store, sleep=sleep)
