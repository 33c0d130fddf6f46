from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from summarizer.digest import Usage
from summarizer.errors import ModelError, ModelUnusable
from summarizer.limits import Limits
from summarizer.models import Answer, Message, Request
from summarizer.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWER = Answer(text="- 답")


def question(number: int = 0) -> Request:
    return Request(messages=(Message(role="user", content=f"question {number}"),))


class Model:
    """Answers by a function of the request and of how many calls there have been."""

    name = "test:model"

    def __init__(self, respond: Callable[[Request, int], Answer | ModelError]) -> None:
        self.respond = respond
        self.asked: list[Request] = []
        self.under_way = self.most = 0
        self.closed = False

    async def ask(self, request: Request) -> Answer:
        self.asked.append(request)
        call = len(self.asked)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        answer = self.respond(request, call)
        if isinstance(answer, ModelError):
            raise answer
        return answer

    async def aclose(self) -> None:
        self.closed = True


class Clock:
    """A sleep that only notes how long it was to be."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_no_more_than_so_many_questions_are_under_way() -> None:
    model = Model(lambda *_: ANSWER)
    limits = Limits(model, concurrency=3)
    answers = await asyncio.gather(*(limits.ask(question(n)) for n in range(50)))
    assert answers == [ANSWER] * 50
    assert model.most == 3
    assert limits.calls == 50


async def test_a_transient_error_is_tried_again_with_growing_waits() -> None:
    model, clock = Model(lambda _, call: ANSWER if call > 3 else busy()), Clock()
    limits = Limits(model, sleep=clock.sleep, jitter=lambda: 0.5)
    assert await limits.ask(question()) == ANSWER
    assert clock.slept == [0.5, 1.0, 2.0]
    assert limits.calls == 4


async def test_what_the_server_asks_to_wait_beats_the_policy_up_to_its_longest() -> None:
    waits = iter([7.0, 7200.0])
    model = Model(lambda _, call: busy(next(waits)) if call < 3 else ANSWER)
    clock = Clock()
    await Limits(model, sleep=clock.sleep, retry=RetryPolicy(longest=60)).ask(question())
    assert clock.slept == [7.0, 60.0]


async def test_after_all_tries_the_last_error_is_raised() -> None:
    model, clock = Model(lambda _, call: ModelError(f"busy {call}", transient=True)), Clock()
    with pytest.raises(ModelError, match="busy 3"):
        await Limits(model, sleep=clock.sleep, retry=RetryPolicy(attempts=3)).ask(question())
    assert len(model.asked) == 3
    assert len(clock.slept) == 2


async def test_an_error_about_one_question_is_not_tried_again_and_stops_no_other() -> None:
    model = Model(lambda r, _: ModelError("too long") if r == question(1) else ANSWER)
    limits = Limits(model)
    got = await asyncio.gather(*(limits.ask(question(n)) for n in range(3)), return_exceptions=True)
    assert [type(answer) for answer in got] == [Answer, ModelError, Answer]
    assert limits.calls == 3


async def test_after_an_unusable_model_no_call_starts_and_all_waiting_raise_the_same_error() -> (
    None
):
    model = Model(lambda *_: ModelUnusable("the key is wrong"))
    limits = Limits(model, concurrency=2)
    got = await asyncio.gather(
        *(limits.ask(question(n)) for n in range(40)), return_exceptions=True
    )
    assert len(model.asked) == 2  # those that were under way already
    assert {str(error) for error in got} == {"the key is wrong"}
    assert len({id(error) for error in got}) <= 2
    with pytest.raises(ModelUnusable):
        await limits.ask(question())
    assert limits.calls == 2


async def test_a_question_that_pauses_is_woken_when_the_model_turns_out_unusable() -> None:
    pausing = asyncio.Event()

    async def forever(_: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    model = Model(lambda r, _: busy() if r == question(0) else ModelUnusable("no quota"))
    limits = Limits(model, sleep=forever)
    first = asyncio.create_task(limits.ask(question(0)))
    await pausing.wait()
    with pytest.raises(ModelUnusable, match="no quota"):
        await limits.ask(question(1))
    with pytest.raises(ModelUnusable, match="no quota"):
        await first
    assert len(model.asked) == 2


async def test_cancelling_gives_the_place_back() -> None:
    async def forever(_: float) -> None:
        await asyncio.Event().wait()

    model = Model(lambda r, _: busy() if r == question(0) else ANSWER)
    limits = Limits(model, concurrency=1, sleep=forever)
    stuck = asyncio.create_task(limits.ask(question(0)))
    await asyncio.sleep(0.001)
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stuck
    assert await limits.ask(question(1)) == ANSWER


async def test_the_tokens_of_all_answers_are_counted() -> None:
    used = Answer(text="- 답", usage=Usage(prompt=10, completion=2))
    model = Model(lambda _, call: (ANSWER, used, busy(), used)[call - 1])
    limits = Limits(model, sleep=Clock().sleep)
    for number in range(3):
        await limits.ask(question(number))
    assert limits.usage == Usage(prompt=20, completion=4)


async def test_it_is_named_and_closed_as_the_model_it_asks() -> None:
    model = Model(lambda *_: ANSWER)
    limits = Limits(model)
    assert limits.name == "test:model"
    await limits.aclose()
    assert model.closed


def busy(retry_after: float | None = None) -> ModelError:
    return ModelError("busy", transient=True, retry_after=retry_after)
