from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer.costs import Budget, Rates
from summarizer.costs.tokens import most_tokens
from summarizer.digest import Usage
from summarizer.errors import BudgetReached, InputError, ModelError, ModelUnusable
from summarizer.limits import Limits
from summarizer.models import Answer, Message, Request
from summarizer.retry import RetryPolicy
from summarizer.store import Store, Stored

if TYPE_CHECKING:
    from pathlib import Path

RATES = Rates(input=Decimal(1), cached_input=Decimal("0.1"), output=Decimal(4))
CAP = 1000


def question(number: int = 0, *, cap: int | None = CAP) -> Request:
    params = {} if cap is None else {"max_completion_tokens": cap}
    return Request(messages=(Message(role="user", content=f"question {number:06}"),), params=params)


def most(request: Request) -> Decimal:
    return RATES.cost(most_tokens(request))


MOST = most(question())
SMALL = Usage(prompt=10, completion=10)
"""A real answer costs far less than what is held back for it."""


@dataclass
class Model:
    """Answers when it is told to, as a server does that takes its time."""

    usage: Usage | None = SMALL
    name: str = "test:model"
    waiting: list[asyncio.Future[Answer]] = field(default_factory=list)
    calls: int = 0

    async def ask(self, request: Request) -> Answer:
        self.calls += 1
        self.waiting.append(asyncio.get_running_loop().create_future())
        return await self.waiting[-1]

    def answer(self) -> None:
        self.waiting.pop(0).set_result(Answer(text="- 답", usage=self.usage))

    def fail(self, error: ModelError) -> None:
        self.waiting.pop(0).set_exception(error)

    async def aclose(self) -> None: ...


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def asked(budget: Budget | Limits, count: int) -> list[asyncio.Task[Answer]]:
    return [asyncio.create_task(budget.ask(question(number))) for number in range(count)]


async def test_what_answers_cost_is_added_up_exactly() -> None:
    model = Model()
    budget = Budget(model, Decimal(5), RATES)
    tasks = asked(budget, 3)
    await settle()
    for usage in (SMALL, Usage(prompt=10, cached=8, completion=1), Usage(prompt=1, completion=1)):
        model.usage = usage
        model.answer()
    await asyncio.gather(*tasks)
    assert budget.spent == Decimal("0.000050") + Decimal("0.0000068") + Decimal("0.000005")
    assert budget.uncertain == 0
    assert budget.name == "test:model"


async def test_many_short_prompts_are_not_charged_as_one_long_prompt() -> None:
    long = Rates(input=Decimal(9), cached_input=Decimal(9), output=Decimal(9))
    rates = Rates(Decimal(1), Decimal(1), Decimal(4), longer=((1000, long),))
    model = Model(usage=Usage(prompt=900, completion=10))
    budget = Budget(model, None, rates)
    tasks = asked(budget, 50)
    await settle()
    for _ in tasks:
        model.answer()
    await asyncio.gather(*tasks)
    assert budget.spent == 50 * Decimal("0.00094")
    assert budget.spent < rates.cost(Usage(prompt=50 * 900, completion=500))


async def test_a_question_that_could_overrun_waits_for_those_under_way() -> None:
    model = Model()
    budget = Budget(model, MOST * 2 + Decimal("0.001"), RATES)
    tasks = asked(budget, 4)
    await settle()
    assert model.calls == 2, "the third could overrun"
    model.answer()
    await settle()
    assert model.calls == 3, "the first was cheaper than feared"
    model.answer()
    await settle()
    model.answer()
    await settle()
    model.answer()
    await asyncio.gather(*tasks)
    assert budget.spent == 4 * RATES.cost(SMALL)


async def test_when_nothing_is_under_way_that_could_help_it_stops() -> None:
    model = Model(usage=Usage(prompt=10, completion=CAP))
    budget = Budget(model, Decimal("0.01"), RATES)
    tasks = asked(budget, 5)
    await settle()
    while model.waiting:
        model.answer()
        await settle()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    answers = [one for one in results if isinstance(one, Answer)]
    refused = [one for one in results if isinstance(one, BudgetReached)]
    assert (len(answers), len(refused)) == (model.calls, 3)
    told = str(refused[0])
    assert refused[0].exit_code == 3
    assert told == (
        "the budget of $0.010 is used up: $0.0080 spent, the next question may cost up to $0.0043. "
        "Raise --budget and run the same command again: what is paid for is kept"
    )


async def test_without_a_cap_it_says_what_would_hold_back_less() -> None:
    with pytest.raises(BudgetReached, match="Or set maxOutputTokens"):
        await Budget(Model(), Decimal("0.5"), RATES).ask(question(cap=None))
    with pytest.raises(BudgetReached, match=r"of \$0\.00 is too small: the next question"):
        await Budget(Model(), Decimal(0), RATES).ask(question())


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (ModelError("refused", billed=False), Decimal(0)),
        (ModelUnusable("no such model"), Decimal(0)),
        (ModelError("cut off", transient=True), MOST),
        (RuntimeError("a bug"), MOST),
    ],
)
async def test_what_ended_in_an_error_is_counted_as_far_as_it_may_have_been_charged(
    error: ModelError, lost: Decimal
) -> None:
    model = Model()
    budget = Budget(model, Decimal(1), RATES)
    [task] = asked(budget, 1)
    await settle()
    model.fail(error)
    with pytest.raises(type(error)):
        await task
    assert (budget.spent, budget.uncertain) == (Decimal(0), lost)


@pytest.mark.parametrize("usage", [None, Usage(), Usage(completion=3), Usage(prompt=3)])
async def test_an_answer_that_does_not_tell_its_tokens_may_have_cost_the_most(
    usage: Usage | None,
) -> None:
    model = Model(usage=usage)
    budget = Budget(model, MOST, RATES)
    [task] = asked(budget, 1)
    await settle()
    model.answer()
    assert (await task).usage == usage
    assert (budget.spent, budget.uncertain) == (Decimal(0), MOST)
    with pytest.raises(BudgetReached, match=r"\$0\.00 spent, up to \$0\.0043 more lost"):
        await budget.ask(question())


async def test_a_cancelled_question_may_have_been_charged_and_a_waiting_one_was_not() -> None:
    model = Model()
    budget = Budget(model, MOST * 2, RATES)
    tasks = asked(budget, 4)
    await settle()
    tasks[2].cancel()
    tasks[0].cancel()
    await settle()
    assert budget.uncertain == MOST
    assert model.calls == 2
    model.waiting.pop(0)  # nobody waits for it any more
    model.answer()
    await settle()
    with pytest.raises(BudgetReached):
        await tasks[3]
    assert [task.done() for task in tasks] == [True] * 4


async def test_a_stopped_budget_lets_what_is_under_way_end() -> None:
    """Under `Limits`, which ask nothing more after the first refusal."""
    model = Model(usage=Usage(prompt=10, completion=CAP))
    limits = Limits(Budget(model, MOST * 2, RATES), concurrency=10)
    tasks = asked(limits, 6)
    await settle()
    model.answer()
    await settle()
    assert not any(task.done() for task in tasks[1:])
    model.answer()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(one, BudgetReached) for one in results] == [False] * 2 + [True] * 4
    with pytest.raises(BudgetReached):
        await limits.ask(question(9))
    assert model.calls == 2


async def test_retries_are_counted_and_stored_answers_are_not(tmp_path: Path) -> None:
    async def at_once(_: float) -> None: ...

    class Flaky(Model):
        async def ask(self, request: Request) -> Answer:
            self.calls += 1
            if self.calls == 1:
                raise ModelError("the connection was cut", transient=True)
            return Answer(text="- 답", usage=SMALL)

    budget = Budget(Flaky(), Decimal(1), RATES)
    limits = Limits(budget, concurrency=8, retry=RetryPolicy(), sleep=at_once)
    with Store(tmp_path / "store.db") as store:
        stored = Stored(limits, store)
        await stored.ask(question())
        await stored.ask(question())
    assert (budget.spent, budget.uncertain) == (RATES.cost(SMALL), MOST)


def test_a_budget_needs_a_price() -> None:
    with pytest.raises(
        InputError, match=r"price of test:model is not known.*--prices FILE"
    ) as told:
        Budget(Model(), Decimal(5), None)
    assert told.value.exit_code == 2


@pytest.mark.parametrize("rates", [RATES, None])
async def test_without_a_bound_it_keeps_account(rates: Rates | None) -> None:
    model = Model()
    budget = Budget(model, None, rates)
    assert budget.spent == 0, "nothing was asked"
    tasks = asked(budget, 100)
    await settle()
    assert model.calls == 100
    for _ in range(100):
        model.answer()
    await asyncio.gather(*tasks)
    assert budget.spent == (rates and 100 * rates.cost(SMALL))


class Rounds:
    """Collects questions until no further one comes, then answers them all: a Batch API."""

    name = "test:batch"

    def __init__(self) -> None:
        self.rounds: list[int] = []
        self._open: list[asyncio.Future[Answer]] = []
        self._closing: asyncio.Task[None] | None = None

    async def ask(self, request: Request) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._open.append(answer)
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        return await answer

    async def _close(self) -> None:
        size = 0
        while size != len(self._open):
            size = len(self._open)
            await settle()
        self._closing, batch, self._open = None, self._open, []
        self.rounds.append(len(batch))
        for answer in batch:
            answer.set_result(Answer(text="- 답", usage=SMALL))

    async def aclose(self) -> None: ...


async def test_a_batch_is_as_large_as_can_be_paid_for_and_the_rest_joins_the_next() -> None:
    model = Rounds()
    budget = Budget(model, MOST * 100, RATES)
    async with asyncio.timeout(5):
        await asyncio.gather(*asked(budget, 1000))
    assert sum(model.rounds) == 1000
    assert model.rounds[0] == 100
    assert len(model.rounds) < 15
    assert budget.spent == 1000 * RATES.cost(SMALL)


# The promise


@dataclass(frozen=True)
class Fate:
    """What becomes of one question."""

    end: Literal["answered", "untold", "refused", "cut", "cancelled"]
    begins: int
    takes: int
    share: float
    cap: int


FATES = st.builds(
    Fate,
    end=st.sampled_from(["answered", "answered", "untold", "refused", "cut", "cancelled"]),
    begins=st.integers(0, 20),
    takes=st.integers(0, 12),
    share=st.floats(0, 1),
    cap=st.integers(1, 5000),
)


class Billing:
    """A server that keeps the true bill; it charges also for what nobody hears of."""

    name = "test:billing"

    def __init__(self, fates: list[Fate]) -> None:
        self.fates = fates
        self.bill = self.told = self.at_risk = Decimal(0)
        self.highest = Decimal(0)

    async def ask(self, request: Request) -> Answer:
        fate = self.fates[int(request.label)]
        bound = most_tokens(request)
        usage = Usage(
            prompt=max(1, int(bound.prompt * fate.share)),
            completion=max(1, int(bound.completion * fate.share)),
            cached=int(bound.prompt * fate.share / 2),
        )
        risk, charged = RATES.cost(bound), RATES.cost(usage)
        self.at_risk += risk
        self.highest = max(self.highest, self.bill + self.at_risk)
        try:
            for _ in range(fate.takes):
                await asyncio.sleep(0)
            if fate.end == "refused":
                charged = Decimal(0)
                raise ModelError("refused", billed=False)
            if fate.end == "cut":
                raise ModelError("cut off", transient=True)
        finally:
            self.at_risk -= risk
            self.bill += charged
        if fate.end == "untold":
            return Answer(text="- 답")
        self.told += charged
        return Answer(text="- 답", usage=usage)

    async def aclose(self) -> None: ...


@given(st.lists(FATES, min_size=1, max_size=40), st.decimals(0, "0.2", places=4))
@settings(max_examples=200)
def test_the_bill_never_exceeds_the_budget(fates: list[Fate], usd: Decimal) -> None:
    model = Billing(fates)

    async def run() -> tuple[Budget, list[Answer | BaseException | None]]:
        budget = Budget(model, usd, RATES)

        async def one(number: int, fate: Fate) -> Answer:
            for _ in range(fate.begins):
                await asyncio.sleep(0)
            request = question(number, cap=fate.cap).model_copy(update={"label": str(number)})
            return await budget.ask(request)

        async def cancel(task: asyncio.Task[Answer], fate: Fate) -> None:
            for _ in range(fate.begins + fate.takes // 2 + 1):
                await asyncio.sleep(0)
            task.cancel()

        tasks = [asyncio.create_task(one(number, fate)) for number, fate in enumerate(fates)]
        pairs = zip(tasks, fates, strict=True)
        cancelling = [cancel(task, fate) for task, fate in pairs if fate.end == "cancelled"]
        async with asyncio.timeout(10):  # nobody waits for ever
            results = await asyncio.gather(*tasks, *cancelling, return_exceptions=True)
        return budget, results[: len(tasks)]

    budget, results = asyncio.run(run())
    assert model.highest <= usd, "not even if all under way had cost the most"
    assert model.bill <= usd
    assert budget.spent is not None
    assert budget.spent == model.told
    assert model.bill <= budget.spent + budget.uncertain <= usd
    for number, (result, fate) in enumerate(zip(results, fates, strict=True)):
        if isinstance(result, BudgetReached):
            assert budget.spent + budget.uncertain + most(question(number, cap=fate.cap)) > usd
        elif isinstance(result, Answer):
            assert fate.end in ("answered", "untold", "cancelled")
        else:
            assert isinstance(result, ModelError | asyncio.CancelledError)
