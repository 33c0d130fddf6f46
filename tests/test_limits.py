from __future__ import annotations

import asyncio
import selectors
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from summarizer.digest import Usage
from summarizer.errors import ModelError, ModelUnusable
from summarizer.limits import Limits
from summarizer.models import Answer, Message, Request
from summarizer.retry import RetryPolicy, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

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
    """A clock that stands still, and a sleep that only notes how long it was to be."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_no_more_than_so_many_questions_are_under_way() -> None:
    model = Model(lambda *_: ANSWER)
    limits = Limits(model, concurrency=3)
    answers = await asyncio.gather(*(limits.ask(question(n)) for n in range(50)))
    assert answers == [ANSWER] * 50
    assert model.most == 3


async def test_a_transient_error_is_tried_again_with_growing_waits() -> None:
    model, clock = Model(lambda _, call: ANSWER if call > 3 else busy()), Clock()
    limits = Limits(model, concurrency=8, sleep=clock.sleep, jitter=lambda: 0.5)
    assert await limits.ask(question()) == ANSWER
    assert clock.slept == [0.5, 1.0, 2.0]
    assert len(model.asked) == 4


async def test_what_the_server_asks_to_wait_beats_the_policy_up_to_its_longest() -> None:
    waits = iter([7.0, 7200.0])
    model = Model(lambda _, call: busy(next(waits)) if call < 3 else ANSWER)
    clock = Clock()
    limits = Limits(
        model, concurrency=8, sleep=clock.sleep, clock=clock.now, retry=RetryPolicy(longest=60)
    )
    await limits.ask(question())
    assert clock.slept == [7.0, 60.0]


async def test_no_time_to_wait_is_no_word_of_when_to_come_back() -> None:
    """Such as a date that is past, where the clocks differ: the tries would be spent at once."""
    model, clock = Model(lambda _, call: ANSWER if call > 3 else busy(0.0)), Clock()
    limits = Limits(model, concurrency=8, sleep=clock.sleep, jitter=lambda: 0.5)
    assert await limits.ask(question()) == ANSWER
    assert clock.slept == [0.5, 1.0, 2.0]


async def test_after_all_tries_the_last_error_is_raised() -> None:
    model, clock = Model(lambda _, call: ModelError(f"busy {call}", transient=True)), Clock()
    with pytest.raises(ModelError, match="busy 3"):
        await Limits(model, concurrency=8, sleep=clock.sleep, retry=RetryPolicy(attempts=3)).ask(
            question()
        )
    assert len(model.asked) == 3
    assert len(clock.slept) == 2


async def test_an_error_about_one_question_is_not_tried_again_and_stops_no_other() -> None:
    model = Model(lambda r, _: ModelError("too long") if r == question(1) else ANSWER)
    limits = Limits(model, concurrency=8)
    got = await asyncio.gather(*(limits.ask(question(n)) for n in range(3)), return_exceptions=True)
    assert [type(answer) for answer in got] == [Answer, ModelError, Answer]
    assert len(model.asked) == 3


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
    assert len(model.asked) == 2


async def test_a_question_that_pauses_is_woken_when_the_model_turns_out_unusable() -> None:
    pausing = asyncio.Event()

    async def forever(_: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    model = Model(lambda r, _: busy() if r == question(0) else ModelUnusable("no quota"))
    limits = Limits(model, concurrency=8, sleep=forever)
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


async def test_it_is_named_and_closed_as_the_model_it_asks() -> None:
    model = Model(lambda *_: ANSWER)
    limits = Limits(model, concurrency=8)
    assert limits.name == "test:model"
    await limits.aclose()
    assert model.closed


def busy(retry_after: float | None = None) -> ModelError:
    return ModelError("busy", transient=True, retry_after=retry_after)


# -- servers in virtual time


class Jump(selectors.DefaultSelector):
    """Instead of waiting for so long, lets so much time have passed."""

    instant = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0 if timeout else timeout)
        if timeout and not found:
            self.instant += timeout
        return found


class VirtualTime(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next thing that is to happen."""

    def __init__(self) -> None:
        self._jump = Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.instant


def run(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=VirtualTime) as runner:
        return runner.run(work)


def now() -> float:
    return asyncio.get_running_loop().time()


class Server:
    """Answers after a while; `under_way` are the calls that it works on, `at` when each began."""

    name = "test:server"

    def __init__(
        self,
        latency: Callable[[Server], float] = lambda _: 1.0,
        *,
        answer: Callable[[], Answer] = lambda: ANSWER,
        admit: Callable[[Request], None] = lambda _: None,
    ) -> None:
        self.latency = latency
        self._answer, self._admit = answer, admit
        self.at: list[float] = []
        self.under_way = self.most = 0

    async def ask(self, request: Request) -> Answer:
        self.at.append(now())
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            self.admit(request)
            await asyncio.sleep(self.latency(self))
        finally:
            self.under_way -= 1
        return self.answer()

    def answer(self) -> Answer:
        return self._answer()

    def admit(self, request: Request) -> None:
        """Raises what the server refuses at once."""
        self._admit(request)

    async def aclose(self) -> None: ...


async def ask_many(limits: Limits, questions: int) -> list[Answer | BaseException]:
    return await asyncio.gather(
        *(limits.ask(question(n)) for n in range(questions)), return_exceptions=True
    )


def limited(server: Server, **how: Any) -> Limits:
    return Limits(server, clock=now, jitter=lambda: 0.5, **how)


class Metered(Server):
    """Refuses more than `limit` requests and tokens a minute, in a window or in a steady bucket."""

    def __init__(self, requests: int, tokens: int, *, steady: bool) -> None:
        super().__init__()
        self.allowed = {"requests": float(requests), "tokens": float(tokens)}
        self.left = dict(self.allowed)
        self.steady, self.since, self.refused = steady, 0.0, 0

    def admit(self, request: Request) -> None:
        passed = now() - self.since
        for kind, most in self.allowed.items():
            if self.steady:
                self.left[kind] = min(most, self.left[kind] + most * passed / 60)
            elif passed >= 60:
                self.left[kind] = most
        if self.steady or passed >= 60:
            self.since = now()
        asked = {"requests": 1, "tokens": len(request.messages[0].content) / 3 + 20}
        if any(self.left[kind] < cost for kind, cost in asked.items()):
            self.refused += 1
            raise ModelError("busy", transient=True, busy=True, headroom=self.headers())
        for kind, cost in asked.items():
            self.left[kind] -= cost

    def headers(self) -> dict[str, str]:
        told = {}
        for kind, most in self.allowed.items():
            full = (most - self.left[kind]) * 60 / most if self.steady else self.since + 60 - now()
            told[f"x-ratelimit-limit-{kind}"] = str(int(most))
            told[f"x-ratelimit-remaining-{kind}"] = str(int(self.left[kind]))
            told[f"x-ratelimit-reset-{kind}"] = f"{int(full // 60)}m{full % 60:.3f}s"
        return told

    def answer(self) -> Answer:
        return Answer(text="- 답", usage=Usage(completion=20), headroom=self.headers())


@pytest.mark.parametrize("steady", [True, False], ids=["bucket", "window"])
@pytest.mark.parametrize(("requests", "tokens"), [(60, 10**6), (10**6, 1500)])
def test_a_servers_limits_are_kept_and_used(requests: int, tokens: int, steady: bool) -> None:
    async def work() -> None:
        server = Metered(requests, tokens, steady=steady)
        answers = await ask_many(limited(server, concurrency=8), 300)
        assert all(isinstance(answer, Answer) for answer in answers)
        assert server.refused == 0
        assert now() <= 300  # a minute's worth is there at the start

    run(work())


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "1s"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-limit-requests": "0"},
        {"x-ratelimit-remaining-requests": "٣", "x-ratelimit-remaining-tokens": "1e3"},
        {"x-ratelimit-remaining-tokens": "9" * 5000},
        {"x-ratelimit-remaining-requests": "", "x-ratelimit-reset-requests": "soon"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "0s"},
    ],
)
def test_headers_without_sense_slow_nothing(headers: dict[str, str]) -> None:
    async def work() -> None:
        server = Server(answer=lambda: Answer(text="- 답", headroom=headers))
        await ask_many(limited(server, concurrency=10), 100)
        assert now() == 10

    run(work())


def test_a_reset_that_lies_far_off_is_not_waited_for_in_one_go() -> None:
    far = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "8h0m0s"}

    async def work() -> None:
        server = Server(answer=lambda: Answer(text="- 답", headroom=far))
        await ask_many(limited(server, concurrency=1), 3)
        assert server.at == [0, 61, 122]

    run(work())


def test_what_is_under_way_is_taken_off_what_the_server_says_is_left() -> None:
    left = {
        "x-ratelimit-limit-requests": "4",
        "x-ratelimit-remaining-requests": "3",
        "x-ratelimit-reset-requests": "59s",
    }

    async def work() -> None:
        told = iter([left])
        server = Server(
            lambda it: 1.0 if len(it.at) == 1 else 10.0,
            answer=lambda: Answer(text="- 답", headroom=next(told, None)),
        )
        await ask_many(limited(server, concurrency=4), 5)
        assert server.at == [0, 0, 0, 0, 60]

    run(work())


def test_the_longest_of_the_waits_that_a_server_asks_for_holds() -> None:
    async def work() -> None:
        waits = iter([30.0, 5.0])

        def answer() -> Answer:
            if seconds := next(waits, None):
                raise ModelError("busy", transient=True, busy=True, retry_after=seconds)
            return ANSWER

        server = Server(answer=answer)
        assert await ask_many(limited(server, concurrency=2), 2) == [ANSWER] * 2
        assert server.at == [0, 0, 31, 32]

    run(work())


@pytest.mark.parametrize("concurrency", [1, 8, 32, 256])
def test_a_server_that_takes_as_long_each_time_is_asked_as_much_as_allowed(
    concurrency: int,
) -> None:
    async def work() -> None:
        server = Server()
        await ask_many(limited(server, concurrency=concurrency), 20 * concurrency)
        assert now() == 20

    run(work())


def test_a_high_concurrency_is_reached_with_the_second_round() -> None:
    async def work() -> None:
        server = Server()
        await ask_many(limited(server, concurrency=1000), 5_000)
        assert server.at.count(0) == 256
        assert server.at.count(1) == 1000
        assert now() <= 6

    run(work())


def test_a_burst_of_refusals_halves_the_questions_under_way_once_and_they_recover() -> None:
    async def work() -> None:
        refused = ModelError("busy", transient=True, busy=True, retry_after=5)

        def answer() -> Answer:
            if now() == 10:
                raise refused
            return ANSWER

        server = Server(answer=answer)
        answers = await ask_many(limited(server, concurrency=16), 400)
        assert answers == [ANSWER] * 400
        at_once = [server.at.count(second) for second in range(26)]
        assert at_once[:10] == [16] * 10
        assert at_once[10:15] == [0] * 5  # all of them wait
        assert at_once[15:] == [8, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16]

    run(work())


def test_a_server_that_gets_slower_with_load_is_asked_less() -> None:
    async def work() -> None:
        server = Server(lambda it: 10.0 * max(1, it.under_way / (32 if now() < 1000 else 8)))
        limits = limited(server, concurrency=32)
        began = asyncio.ensure_future(ask_many(limits, 8000))
        await asyncio.sleep(900)
        assert server.under_way == 32
        seen = []
        for _ in range(20):
            await asyncio.sleep(200)
            seen.append(server.under_way)
        began.cancel()
        assert max(seen[3:]) <= 24
        assert min(seen) >= 8

    run(work())


def test_a_server_that_is_slower_at_any_load_is_soon_asked_as_much_as_before() -> None:
    async def work() -> None:
        server = Server(lambda _: 10.0 if now() < 1000 else 50.0)
        began = asyncio.ensure_future(ask_many(limited(server, concurrency=32), 9000))
        await asyncio.sleep(900)
        await asyncio.sleep(1600)
        assert server.under_way == 32
        began.cancel()

    run(work())


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("6m0s", 360),
        ("1s", 1),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("1d", 86400),
        ("1.25", 1.25),
        (" 7 ", 7),
        ("", None),
        ("soon", None),
        ("-1s", None),
        ("1m-2s", None),
        ("١s", None),
        ("1e9", None),
    ],
)
def test_durations_are_read_as_servers_write_them(value: str, seconds: float | None) -> None:
    assert duration(value) == seconds


VALUES = st.one_of(
    st.text(max_size=12),
    st.integers(-3, 90).map(str),
    st.from_regex(r"(\d{1,3}h)?(\d{1,3}m)?\d{1,3}(\.\d{1,3})?(s|ms)", fullmatch=True),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            f"x-ratelimit-{what}-{kind}"
            for what in ("limit", "remaining", "reset")
            for kind in ("requests", "tokens")
        ]
    ),
    VALUES,
)


@example([{}, {"x-ratelimit-limit-tokens": "1", "x-ratelimit-remaining-tokens": "0"}])
@given(st.lists(HEADERS, min_size=1, max_size=5))
@settings(max_examples=50)
def test_whatever_headers_say_every_question_is_answered(headers: list[dict[str, str]]) -> None:
    async def work() -> None:
        told = cycle(headers)
        server = Server(answer=lambda: Answer(text="- 답", headroom=next(told)))
        answers = await ask_many(limited(server, concurrency=3), 12)
        assert all(isinstance(answer, Answer) for answer in answers)
        assert now() <= 12 * 62  # no wait is longer than a minute

    run(work())


# -- servers that fail


@pytest.mark.parametrize("seed", range(5))
def test_a_server_that_fails_three_times_in_ten_loses_hardly_a_question(seed: int) -> None:
    chance = Random(seed)
    faults = [
        ModelError("busy", transient=True, busy=True, retry_after=2),
        ModelError("busy", transient=True, busy=True),
        ModelError("broken", transient=True),
        ModelError("the connection failed", transient=True),
    ]

    async def work() -> None:
        def admit(request: Request) -> None:
            if chance.random() < 0.3:
                raise chance.choice(faults)

        server = Server(lambda _: chance.uniform(0.5, 3), admit=admit)
        answers = await ask_many(limited(server, concurrency=16), 2000)
        assert not any(isinstance(answer, ModelUnusable) for answer in answers)
        assert answers.count(ANSWER) >= 1970  # 0.3 ** 5 of them fail at every try
        assert len(server.at) < 2000 * 1.6

    run(work())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("error", ["busy", "broken"])
def test_a_server_that_fails_two_times_in_three_is_not_taken_for_dead(
    seed: int, error: str
) -> None:
    chance = Random(seed)

    async def work() -> None:
        def admit(request: Request) -> None:
            if chance.random() < 2 / 3:
                raise ModelError(
                    error, transient=True, busy=error == "busy" and chance.random() < 0.3
                )

        server = Server(lambda _: 2.0, admit=admit)
        answers = await ask_many(limited(server, concurrency=16), 500)
        assert not any(isinstance(answer, ModelUnusable) for answer in answers)
        assert answers.count(ANSWER) >= 400  # 0.67 ** 5 of them fail at every try

    run(work())


def test_an_outage_does_not_multiply_the_load_and_is_outlived() -> None:
    async def work() -> None:
        def admit(request: Request) -> None:
            if 10 <= now() < 30:
                raise ModelError("the connection failed", transient=True)

        server = Server(admit=admit)
        answers = await ask_many(limited(server, concurrency=16), 400)
        assert answers == [ANSWER] * 400
        assert len([moment for moment in server.at if 10 <= moment < 30]) < 40
        assert now() < 75

    run(work())


def test_a_dead_server_ends_the_run_with_one_sentence() -> None:
    async def work() -> None:
        def admit(request: Request) -> None:
            if now() >= 10:
                raise ModelError("the connection to it failed", transient=True)

        server = Server(admit=admit)
        answers = await ask_many(limited(server, concurrency=16), 1000)
        assert answers.count(ANSWER) == 160
        ended = [answer for answer in answers if isinstance(answer, ModelUnusable)]
        assert {str(error) for error in ended} == {
            "test:server does not answer: the connection to it failed. "
            "Run the same command again later"
        }
        assert {error.exit_code for error in ended} == {3}
        assert len(ended) >= 800
        assert len(server.at) < 160 + 50
        assert 60 < now() < 120

    run(work())


def test_a_server_that_was_never_there_is_asked_28_times() -> None:
    async def work() -> None:
        def admit(request: Request) -> None:
            raise ModelError("the connection to it failed", transient=True)

        server = Server(admit=admit)
        await ask_many(limited(server, concurrency=1), 100)
        assert len(server.at) == 20 + 8  # the budget, and then the probes

    run(work())


def test_what_is_under_way_when_the_key_is_refused_is_still_returned() -> None:
    async def work() -> None:
        def admit(request: Request) -> None:
            if request == question(7):
                raise ModelUnusable("the key is wrong")

        server = Server(admit=admit)
        answers = await ask_many(limited(server, concurrency=8), 100)
        assert answers[:7] == [ANSWER] * 7
        assert {str(answer) for answer in answers[7:]} == {"the key is wrong"}
        assert len(server.at) == 8

    run(work())
