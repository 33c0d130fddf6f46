"""A budget: a model that is asked only while its answer can be paid for."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

from summarizer.costs.tokens import LONGEST_ANSWER, most_tokens
from summarizer.errors import BudgetReached, InputError

if TYPE_CHECKING:
    from summarizer.costs.prices import Rates
    from summarizer.models import Answer, ChatModel, Request


class Budget:
    """A `ChatModel` that asks another one, keeps account, and never spends more than it may.

    Before a question is asked, the most that its answer can cost is held back (`most_tokens`);
    afterwards what it did cost is settled. A question that could overrun the budget waits until
    those under way have settled, and is refused when none is under way any more. Questions are
    let through in the order in which they came.

    It stands next to the model, under whatever retries and over whatever collects questions into
    batches: each call counts, stored answers do not.

    Args:
        model: Who is asked.
        usd: What may be spent, in US dollars; None sets no bound, and only keeps account.
        rates: What the model's tokens cost; None where that is not known.

    Attributes:
        calls: How many questions were let through to the model.
        uncertain: US dollars that may have been charged beside `spent`, at most: for calls that
            were cut off, and for answers that do not tell their tokens.

    Raises:
        InputError: There is a budget, but no price to hold against it.
    """

    def __init__(self, model: ChatModel, usd: Decimal | None, rates: Rates | None) -> None:
        if usd is not None and rates is None:
            raise InputError(
                f"the price of {model.name} is not known, so no budget can be kept",
                hint="Write it into a file (with batch_discount for batches) and add --prices "
                "FILE, or go without --budget",
            )
        self.calls = 0
        self.uncertain = Decimal(0)
        self._model = model
        self._usd = usd
        self._rates = rates
        self._spent = Decimal(0)
        self._held = Decimal(0)
        self._under_way = 0
        self._turn = asyncio.Lock()
        self._settled = asyncio.Event()

    @property
    def name(self) -> str:
        """The name of the model that is asked."""
        return self._model.name

    @property
    def spent(self) -> Decimal | None:
        """US dollars for the tokens of all answers; None where their price is not known."""
        return None if self.calls and self._rates is None else self._spent

    async def ask(self, request: Request) -> Answer:
        """Ask as soon as the answer can be paid for.

        Raises:
            BudgetReached: It cannot be, and nothing is under way that could turn out cheaper.
            ModelError: The model gave no answer.
            ModelUnusable: It will give none to any other question either.
        """
        if self._usd is None or self._rates is None:
            return await self._pay(request)
        most = self._rates.most(most_tokens(request))
        await self._hold(most, self._usd, request)
        try:
            return await self._pay(request)
        finally:
            self._held -= most
            self._under_way -= 1
            self._settled.set()

    async def aclose(self) -> None:
        """Close the model that is asked."""
        await self._model.aclose()

    async def _pay(self, request: Request) -> Answer:
        """Ask, and settle what that has cost."""
        self.calls += 1
        try:
            answer = await self._model.ask(request)
        except BaseException as error:
            if getattr(error, "billed", True):  # a call that is cancelled may be charged too
                self._lose(request)
            raise
        usage = answer.usage
        if usage is None or not (usage.prompt and usage.completion):
            self._lose(request)
        elif self._rates is not None:
            self._spent += self._rates.cost(usage)
        return answer

    def _lose(self, request: Request) -> None:
        if self._rates is not None:
            self.uncertain += self._rates.most(most_tokens(request))

    async def _hold(self, most: Decimal, usd: Decimal, request: Request) -> None:
        """Hold back what a question can cost, as soon as there is that much."""
        async with self._turn:
            while self._spent + self.uncertain + self._held + most > usd:
                if not self._under_way:
                    raise self._reached(usd, most, request)
                self._settled.clear()
                await self._settled.wait()
            self._held += most
            self._under_way += 1

    def _reached(self, usd: Decimal, most: Decimal, request: Request) -> BudgetReached:
        lost = f", up to {_dollars(self.uncertain)} more lost" if self.uncertain else ""
        used = (
            f"used up: {_dollars(self._spent)} spent{lost},"
            if self._spent or lost
            else "too small:"
        )
        hint = "Raise --budget and run the same command again: what is paid for is kept"
        if most_tokens(request).completion == LONGEST_ANSWER:
            hint += ". Or set maxOutputTokens in the prompt, so that less is held back"
        return BudgetReached(
            f"the budget of {_dollars(usd)} is {used} "
            f"the next question may cost up to {_dollars(most)}",
            hint=hint,
        )


def _dollars(amount: Decimal) -> str:
    """For people: cents, or where that is nothing as many digits as show something."""
    digits = 2 if not amount or amount >= Decimal("0.1") else 1 - amount.adjusted()
    return f"${amount:.{digits}f}"
