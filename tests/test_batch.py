from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.batch import Batched
from summarizer.errors import DiskError, ModelError, ModelUnusable, StoreError
from summarizer.limits import RETRY
from summarizer.models import Answer, Message, Request
from summarizer.models.batches import read_result, read_state
from summarizer.models.openai import OpenAIModel, Timeouts
from summarizer.store import Store, Stored
from tests.batch_server import FAULTS, BatchServer, Call, Fault, Job, problem
from tests.chat_server import Reply, completion, error

KEY = "sk-proj-Zm9vYmFyYmF6cXV4"
NAME = "openai:test-1"
SCHEMA = {
    "type": "object",
    "properties": {"points": {"type": "array", "items": {"type": "string"}}},
    "required": ["points"],
    "additionalProperties": False,
}


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(key=KEY) as server:
        server.answers(echo)
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "answers.sqlite3") as store:
        yield store


async def passing(seconds: float) -> None:
    """A sleep that takes no time."""
    await asyncio.sleep(0)


async def until(said: Callable[[], bool]) -> None:
    """Wait for what another thread brings about, and not for ever."""
    for _ in range(10_000):
        if said():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it has not happened")


def batched(server: BatchServer, store: Store, *, key: str = KEY, **options: Any) -> Batched:
    model = OpenAIModel("test-1", key=key, base_url=server.url)
    return Batched(model, store, sleep=passing, **options)


def question(text: object = "one", *, schema: bool = False, **params: Any) -> Request:
    return Request(
        messages=(Message(role="user", content=f"Answer in JSON: {text}"),),
        params=params,
        output_schema=SCHEMA if schema else None,
        label=f"label {text}",
    )


def questions(count: int) -> list[Request]:
    return [question(number) for number in range(count)]


def echo(body: dict[str, Any]) -> str:
    return f"to {body['messages'][0]['content']}"


def echoed(request: Request) -> str:
    return f"to {request.messages[0].content}"


async def ask(model: Batched, *requests: Request) -> list[Answer | BaseException]:
    try:
        return await asyncio.gather(*map(model.ask, requests), return_exceptions=True)
    finally:
        await model.aclose()


def texts(answers: list[Answer | BaseException]) -> list[str]:
    return [answer.text if isinstance(answer, Answer) else repr(answer) for answer in answers]


async def test_all_that_is_asked_together_is_one_batch(server: BatchServer, store: Store) -> None:
    asked = [question("가\u2028나", temperature=0), *questions(3)]
    model = batched(server, store)
    answers = await ask(model, *asked, asked[0])
    assert texts(answers) == [echoed(request) for request in [*asked, asked[0]]]
    assert [json.loads(line) for line in server.uploads[0].split(b"\n")[:-1]] == [
        {
            "custom_id": request.fingerprint,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {
                "model": "test-1",
                "messages": [{"role": "user", "content": request.messages[0].content}],
                **request.params,
            },
        }
        for request in asked
    ]
    assert server.calls["create"] == 1
    assert set(server.bought.values()) == {1}
    assert (model.calls, model.usage.prompt) == (4, 400)
    # Its questions have no more use at the server; its answers are a second copy.
    assert [file.purpose for file in server.files.values()] == ["batch_output"]
    assert store.batches(NAME) == ()


async def test_answers_are_kept_before_they_are_given(server: BatchServer, store: Store) -> None:
    asked = questions(3)
    await ask(batched(server, store), *asked)
    kept = [store.get(NAME, request.fingerprint) for request in asked]
    assert [answer and answer.text for answer in kept] == [echoed(request) for request in asked]
    # Whoever comes later is answered without the server, with or without `Stored`.
    server.calls.clear()
    assert texts(await ask(batched(server, store), *asked)) == [echoed(r) for r in asked]
    assert not server.calls


async def test_a_question_that_two_batches_have_left_stands_once_in_the_next(
    server: BatchServer, store: Store
) -> None:
    server.end([], [])  # the first two fail, with no word
    server.hold()

    def run(quiet: asyncio.Event) -> Batched:
        async def sleep(seconds: float) -> None:
            await passing(seconds)
            if seconds == 0.5:
                await quiet.wait()

        model = OpenAIModel("test-1", key=KEY, base_url=server.url)
        return Batched(model, store, quiet=0.5, sleep=sleep)

    quiet = asyncio.Event(), asyncio.Event()
    one, other = map(run, quiet)
    first, second = questions(2)
    asked = [asyncio.create_task(model.ask(first)) for model in (one, other)]
    for event in quiet:
        event.set()
    await until(lambda: server.calls["create"] == 2)
    asked.append(asyncio.create_task(one.ask(second)))  # and now it knows of both batches
    await until(lambda: server.calls["create"] == 3)
    for event in quiet:
        event.clear()
    server.hold(held=False)
    await until(lambda: store.batches(NAME) == ())
    await asyncio.sleep(0.05)  # until both runs have seen it
    quiet[0].set()
    await asked[0]
    quiet[1].set()
    answers = await asyncio.gather(*asked)
    await asyncio.gather(one.aclose(), other.aclose())
    assert [answer.text for answer in answers] == list(map(echoed, (first, first, second)))
    for upload in server.uploads:
        ids = [json.loads(line)["custom_id"] for line in upload.split(b"\n")[:-1]]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("limit", [{"most_requests": 2}, {"most_bytes": 500}])
async def test_a_round_beyond_the_limits_becomes_several_batches(
    store: Store, limit: dict[str, Any]
) -> None:
    with BatchServer(**limit) as server:
        server.answers(echo)
        asked = questions(5)
        assert texts(await ask(batched(server, store, **limit), *asked)) == list(map(echoed, asked))
        assert server.calls["upload"] == server.calls["create"] == 3
        assert server.bought.total() == 5


async def test_a_question_that_no_batch_can_hold_fails_alone(store: Store) -> None:
    with BatchServer(most_bytes=1000) as server:
        server.answers(echo)
        asked = [question("x" * 1000), question()]
        large, small = await ask(batched(server, store, most_bytes=1000), *asked)
        assert isinstance(large, ModelError)
        assert "File is too large" in large.message
        assert isinstance(small, Answer)
        assert store.batches(NAME) == ()


async def test_results_are_read_past_what_does_not_belong_there(store: Store) -> None:
    with BatchServer(noise=True) as server:
        server.answers(echo)
        asked = questions(4)
        assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))


async def test_a_question_the_server_failed_at_joins_the_next_round(
    server: BatchServer, store: Store
) -> None:
    failing = iter([error(429, "busy"), error(500, "oops"), Reply({"error": {"code": 502}})])
    server.answers(
        lambda body: next(failing, echo(body)) if "0" in body["messages"][0]["content"] else "- 답"
    )
    model = batched(server, store)
    asked = questions(3)
    assert texts(await ask(model, *asked)) == [echoed(asked[0]), "- 답", "- 답"]
    assert [len(upload.splitlines()) for upload in server.uploads] == [3, 1, 1, 1]
    assert model.calls == 6


async def test_a_question_is_not_asked_without_end(server: BatchServer, store: Store) -> None:
    server.answers(lambda _: error(503, "overloaded"))
    (failure,) = await ask(batched(server, store), question())
    assert isinstance(failure, ModelError)
    assert "overloaded" in failure.message
    assert not failure.transient  # whoever wraps this need not try again
    assert server.calls["create"] == RETRY.attempts


async def test_a_bad_question_does_not_sink_its_batch(server: BatchServer, store: Store) -> None:
    bad = error(400, "maximum context length exceeded", code="context_length_exceeded")
    server.answers(lambda body: bad if "0" in body["messages"][0]["content"] else echo(body))
    asked = questions(3)
    refused, *others = await ask(batched(server, store), *asked)
    assert isinstance(refused, ModelError)
    assert not isinstance(refused, ModelUnusable)
    assert "maximum context length" in refused.message
    assert texts(others) == list(map(echoed, asked[1:]))
    assert server.calls["create"] == 1


async def test_a_refused_form_of_answer_is_weakened_for_all(
    server: BatchServer, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    forms: list[Any] = []

    def respond(body: dict[str, Any]) -> Reply | str:
        forms.append(form := body.get("response_format", {}).get("type"))
        if form == "json_schema":
            return error(400, "response_format json_schema is not supported")
        return "{}"

    server.answers(respond)
    asked = [question(number, schema=True) for number in range(3)]
    assert texts(await ask(batched(server, store), *asked)) == ["{}"] * 3
    assert forms == ["json_schema"] * 3 + ["json_object"] * 3
    assert caplog.text.count("takes no response_format json_schema") == 1


async def test_a_spent_quota_ends_it_all_but_loses_nothing(
    server: BatchServer, store: Store
) -> None:
    spent = error(429, "You exceeded your current quota", code="insufficient_quota")
    server.answers(lambda body: spent if "1" in body["messages"][0]["content"] else echo(body))
    model = batched(server, store)
    asked = questions(3)
    answers = await asyncio.gather(*map(model.ask, asked), return_exceptions=True)
    assert isinstance(answers[1], ModelUnusable)
    assert store.get(NAME, asked[0].fingerprint)
    assert store.get(NAME, asked[2].fingerprint)
    assert store.batches(NAME) == ()
    server.calls.clear()
    with pytest.raises(ModelUnusable, match="quota"):
        await model.ask(question("later"))
    assert not server.calls
    await model.aclose()


async def test_a_wrong_key_ends_it_at_once(server: BatchServer, store: Store) -> None:
    wrong = "sk-proj-d3Jvbmdrd3Jvbmdr"
    answers = await ask(batched(server, store, key=wrong), *questions(2))
    assert all(isinstance(answer, ModelUnusable) for answer in answers)
    assert wrong not in str(answers[0])
    assert store.batches(NAME) == ()
    assert server.calls == {"upload": 1}


async def test_a_server_without_batches_is_named(server: BatchServer, store: Store) -> None:
    server.fault("upload", 404)
    (failure,) = await ask(batched(server, store), question())
    assert isinstance(failure, ModelUnusable)
    assert f"{NAME} takes no batches" in failure.message


async def test_what_an_expired_batch_has_answered_is_kept(
    server: BatchServer, store: Store
) -> None:
    server.end("expired")
    asked = questions(5)
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert [len(upload.splitlines()) for upload in server.uploads] == [5, 2]
    assert set(server.bought.values()) == {1}


async def test_what_somebody_cancelled_is_not_asked_again(
    server: BatchServer, store: Store
) -> None:
    server.end("cancelled")
    first, last = await ask(batched(server, store), *questions(2))
    assert isinstance(first, Answer)
    assert isinstance(last, ModelError)
    assert "cancelled" in last.message
    assert server.calls["create"] == 1
    assert store.batches(NAME) == ()


async def test_a_batch_that_fails_as_a_whole_is_tried_again(
    server: BatchServer, store: Store
) -> None:
    server.end([], [problem("odd", "Not one of its lines.", 99)])
    server.end([problem("server_error", "Try again.", None)])
    asked = questions(2)
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert server.calls["create"] == 4


async def test_a_batch_is_not_tried_again_without_end(server: BatchServer, store: Store) -> None:
    server.end(*[[problem("odd", "Not today.", None)]] * 9)
    answers = await ask(batched(server, store), *questions(2))
    assert all("Not today" in str(answer) for answer in answers)
    assert server.calls["create"] == RETRY.attempts


async def test_a_spent_quota_that_fails_a_whole_batch_ends_it_all(
    server: BatchServer, store: Store
) -> None:
    server.end([problem("billing_hard_limit_reached", "Billing hard limit.", None)])
    answers = await ask(batched(server, store), *questions(2))
    assert all(isinstance(answer, ModelUnusable) for answer in answers)
    assert server.calls["create"] == 1


async def test_only_the_lines_that_failed_a_batch_fail(server: BatchServer, store: Store) -> None:
    server.end([problem("invalid_request", "No such thing.", 2), problem("odd", "Odd.", 99)])
    asked = questions(3)
    answers = await ask(batched(server, store), *asked)
    assert "No such thing" in str(answers[1])
    assert texts([answers[0], answers[2]]) == [echoed(asked[0]), echoed(asked[2])]
    assert [len(upload.splitlines()) for upload in server.uploads] == [3, 2]


async def test_a_model_that_is_not_there_ends_it_all(server: BatchServer, store: Store) -> None:
    server.end([problem("model_not_found", "The model `test-1` does not exist.", 1)])
    answers = await ask(batched(server, store), *questions(3))
    assert all(isinstance(answer, ModelUnusable) for answer in answers)


@pytest.mark.parametrize("most_requests", [2, 100])
async def test_the_limit_of_enqueued_tokens_is_kept(store: Store, most_requests: int) -> None:
    with BatchServer(enqueued=3) as server:
        server.answers(echo)
        asked = questions(13)
        model = batched(server, store, most_requests=most_requests)
        assert texts(await ask(model, *asked)) == list(map(echoed, asked))
        assert set(server.bought.values()) == {1}


async def test_after_a_full_queue_batches_grow_again(store: Store) -> None:
    with BatchServer(enqueued=2) as server:
        server.answers(echo)
        model = batched(server, store)
        await asyncio.gather(*map(model.ask, questions(4)))
        server.enqueued = None
        await ask(model, *map(question, "abcd"))
        assert [upload.count(b"\n") for upload in server.uploads] == [4, 2, 2, 4]


async def test_what_is_asked_while_answers_come_in_waits_for_what_they_lead_to(
    server: BatchServer, store: Store
) -> None:
    fetching, go_on = threading.Event(), threading.Event()

    def hold_the_answers(call: Call, done: bool) -> None:
        if call == "content" and not done:
            fetching.set()
            assert go_on.wait(10)

    async def and_again() -> None:
        await model.ask(question("first"))
        await model.ask(question("again"))

    async def slowly(_: float) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    server.watch(hold_the_answers)
    model = Batched(OpenAIModel("test-1", key=KEY, base_url=server.url), store, sleep=slowly)
    first = asyncio.create_task(and_again())
    await until(fetching.is_set)
    other = asyncio.create_task(model.ask(question("other")))
    for _ in range(10):
        await slowly(0)
    server.watch(lambda *_: None)
    go_on.set()
    await asyncio.gather(first, other)
    await model.aclose()
    assert [upload.count(b"\n") for upload in server.uploads] == [1, 2]


async def test_what_another_run_has_asked_meanwhile_is_not_asked_again(
    server: BatchServer, store: Store
) -> None:
    quiet = asyncio.Event()

    async def until_quiet(_: float) -> None:
        await quiet.wait()
        await asyncio.sleep(0)

    server.hold()
    late = Batched(OpenAIModel("test-1", key=KEY, base_url=server.url), store, sleep=until_quiet)
    waiting = asyncio.create_task(late.ask(question()))
    await asyncio.sleep(0)
    early = batched(server, store)
    asked = asyncio.create_task(early.ask(question()))
    await until(lambda: [batch.server_id for batch in store.batches(NAME)] == ["batch_2"])
    quiet.set()
    await until(lambda: server.calls["retrieve"] > 20)
    server.hold(held=False)
    assert await asked == await waiting
    await asyncio.gather(early.aclose(), late.aclose())
    assert server.calls["create"] == 1


async def test_a_full_queue_of_others_fails_with_its_reason(store: Store) -> None:
    with BatchServer(enqueued=0) as server:
        answers = await ask(batched(server, store), *questions(2))
        assert all("limit of enqueued tokens" in str(answer) for answer in answers)


@pytest.mark.parametrize("call", get_args(Call))
@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_of_one_call_loses_or_buys_anything_twice(
    server: BatchServer, store: Store, call: Call, fault: Fault
) -> None:
    server.fault(call, fault, fault)
    if call == "list":
        server.fault("create", "lost")
    if call == "content":
        server.fault("content", "torn")
    asked = questions(3)
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert set(server.bought.values()) == {1}
    assert store.batches(NAME) == ()


@pytest.mark.parametrize("fault", ["html", "empty"])
async def test_what_is_no_list_of_batches_is_no_word_that_one_is_missing(
    server: BatchServer, store: Store, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    server.fault("create", "lost")
    server.fault("list", *[fault] * 20)
    asked = questions(3)
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert server.calls["create"] == 1
    assert "the server sent something other than a list of batches; it is tried" in caplog.text


@pytest.mark.parametrize("call", ["upload", "create", "retrieve", "content"])
async def test_a_server_that_stalls_is_asked_again(
    server: BatchServer, store: Store, call: Call
) -> None:
    server.fault(call, "stall")
    waits = Timeouts(read=0.2)
    model = OpenAIModel("test-1", key=KEY, base_url=server.url, timeouts=waits)
    asked = questions(2)
    answers = await ask(Batched(model, store, sleep=passing), *asked)
    assert texts(answers) == list(map(echoed, asked))
    assert set(server.bought.values()) == {1}


async def test_a_batch_whose_creation_got_lost_is_found_again(
    server: BatchServer, store: Store
) -> None:
    server.fault("create", "lost")
    server.fault("list", 500)
    await ask(batched(server, store), *questions(2))
    assert len(server.batches) == server.calls["create"] == 1


async def at_the_server(store: Store) -> None:
    """Wait until the store knows of a batch there."""
    await until(lambda: any(batch.server_id for batch in store.batches(NAME)))


async def test_a_batch_in_doubt_is_left_to_a_later_run(server: BatchServer, store: Store) -> None:
    server.fault("create", "lost")
    server.fault("list", *[503] * 100)
    asked = questions(2)
    failure, _ = await ask(batched(server, store), *asked)
    assert "the same command takes it up" in str(failure)
    assert [batch.server_id for batch in store.batches(NAME)] == [None]
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert set(server.bought.values()) == {1}


async def in_flight(server: BatchServer, store: Store, *requests: Request) -> None:
    """Have questions asked by a run that is ended once its batch is at the server."""
    server.hold()
    model = batched(server, store)
    asking = [asyncio.create_task(model.ask(request)) for request in requests]
    await at_the_server(store)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await model.aclose()
    server.hold(held=False)


async def test_what_an_ended_run_has_asked_is_taken_up(
    server: BatchServer, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    asked = questions(3)
    await in_flight(server, store, *asked)
    said = [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]
    assert said == [
        f"{NAME}: 3 questions are under way at the server; the same command takes them up"
    ]
    new = question("new")
    answers = await ask(batched(server, store), asked[1], new)
    assert texts(answers) == [echoed(asked[1]), echoed(new)]
    assert [len(upload.splitlines()) for upload in server.uploads] == [3, 1]
    # Nobody has asked the others in this run.
    assert all(store.get(NAME, request.fingerprint) for request in asked)
    assert store.batches(NAME) == ()


async def test_two_runs_at_once_buy_nothing_twice(
    server: BatchServer, store: Store, tmp_path: Path
) -> None:
    asked = questions(6)
    with Store(store.path) as other:
        server.hold()
        first, second = batched(server, store), batched(server, other)
        asking = [asyncio.create_task(first.ask(request)) for request in asked[:4]]
        await at_the_server(store)
        asking += [asyncio.create_task(second.ask(request)) for request in asked[2:]]
        server.hold(held=False)
        answers = await asyncio.gather(*asking)
        await first.aclose()
        await second.aclose()
    assert [a.text for a in answers] == [echoed(r) for r in (*asked[:4], *asked[2:])]
    assert set(server.bought.values()) == {1}
    assert store.batches(NAME) == ()


async def test_what_never_reached_the_server_is_asked(server: BatchServer, store: Store) -> None:
    asked = questions(2)
    await store.open_batch(NAME, asked)
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert server.calls["list"] > 1  # it might still have come
    assert store.batches(NAME) == ()


async def test_what_reached_the_server_unnoted_is_found(server: BatchServer, store: Store) -> None:
    asked = questions(2)
    await in_flight(server, store, *asked)
    (noted,) = store.batches(NAME)
    await store.close_batch(noted.ours)
    ours = await store.open_batch(NAME, asked)
    (job,) = server.batches.values()
    job.metadata = {"summarizer_batch": ours}
    for number in range(150):  # others' are listed before it, on two pages
        other = Job(f"other_{number}", job.created_at, job.input_file_id, None, "completed")
        server.batches[other.id] = other
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert set(server.bought.values()) == {1}
    assert len(server.batches) == 151


async def test_a_batch_that_the_server_has_forgotten_is_asked_again(
    server: BatchServer, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    asked = questions(2)
    await in_flight(server, store, *asked)
    server.batches.clear()
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert "its questions are asked again" in caplog.text


async def test_results_that_are_gone_are_asked_again(server: BatchServer, store: Store) -> None:
    server.fault("content", 404)
    asked = questions(2)
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert server.calls["create"] == 2


async def test_an_outage_leaves_the_batch_to_a_later_run(server: BatchServer, store: Store) -> None:
    server.fault("retrieve", *[503] * 100)
    asked = questions(2)
    failure, _ = await ask(batched(server, store), *asked)
    assert isinstance(failure, ModelUnusable)  # or each paper that follows would fail
    assert failure.exit_code == 3
    assert "the same command takes it up" in str(failure)
    assert len(store.batches(NAME)) == 1
    assert texts(await ask(batched(server, store), *asked)) == list(map(echoed, asked))
    assert set(server.bought.values()) == {1}


async def test_a_server_that_never_answers_is_not_waited_for(
    server: BatchServer, store: Store
) -> None:
    server.fault("upload", *[503] * RETRY.attempts)
    (failure,) = await ask(batched(server, store), question())
    assert isinstance(failure, ModelUnusable)
    assert failure.exit_code == 3
    assert "HTTP 503" in failure.message
    assert store.batches(NAME) == ()


async def test_a_question_that_nobody_waits_for_is_not_asked(
    server: BatchServer, store: Store
) -> None:
    model = batched(server, store)
    kept, dropped = (asyncio.create_task(model.ask(request)) for request in questions(2))
    await asyncio.sleep(0)
    dropped.cancel()
    await kept
    await model.aclose()
    assert server.bought.total() == 1


async def test_a_store_that_fails_stops_it_and_the_batch_stays(
    server: BatchServer, store: Store, tmp_path: Path
) -> None:
    with Store(tmp_path / "answers.sqlite3") as broken:
        server.hold()
        model = batched(server, broken)
        asking = asyncio.create_task(model.ask(question()))
        await at_the_server(broken)
        broken.close()
        server.hold(held=False)
        with pytest.raises(StoreError):
            await asking
        with pytest.raises(StoreError):
            await model.ask(question("another"))
        await model.aclose()
    assert len(store.batches(NAME)) == 1


async def test_a_full_disk_is_said(
    server: BatchServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("summarizer.batch.question.TemporaryFile", full)
    (failure,) = await ask(batched(server, store), question())
    assert isinstance(failure, DiskError)
    assert "No space left" in str(failure)


async def test_the_key_reaches_neither_store_nor_log(
    server: BatchServer, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers(
        lambda body: (
            error(400, f"bad key {KEY}") if "0" in body["messages"][0]["content"] else f"- {KEY}"
        )
    )
    failure, answer = await ask(batched(server, store), *questions(2))
    assert isinstance(answer, Answer)
    store.close()
    kept = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    for text in (str(failure), answer.text, caplog.text, kept.decode("latin-1")):
        assert KEY not in text


async def test_over_it_stands_a_store_like_over_any_model(
    server: BatchServer, store: Store
) -> None:
    stored = Stored(batched(server, store), store)
    asked = questions(3)
    answers = await asyncio.gather(*map(stored.ask, [*asked, *asked]))
    assert [answer.text for answer in answers] == list(map(echoed, [*asked, *asked]))
    await stored.aclose()
    assert (stored.asked, stored.reused, server.bought.total()) == (3, 3, 3)


async def test_a_setting_that_the_run_decides_is_refused(server: BatchServer, store: Store) -> None:
    (failure,) = await ask(batched(server, store), question(n=2))
    assert isinstance(failure, ModelUnusable)
    assert not server.calls


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "id status errors data line metadata custom_id response error code status_code "
                "body choices message content output_file_id".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_a_server_sends_is_a_state_or_an_error(body: Any) -> None:
    with suppress(ModelError):
        state = read_state(body)
        assert isinstance(state.has_ended, bool)
        assert isinstance(state.exceeds_limit, bool)


@given(JSON.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=40))
def test_whatever_a_line_holds_is_read_or_passed_over(line: bytes) -> None:
    result = read_result(line)
    assert result is None or isinstance(result[0], str)


def test_a_completion_within_a_line_is_read() -> None:
    line = {"custom_id": "a", "response": {"status_code": 200, "body": completion("- 답").body}}
    result = read_result(json.dumps(line).encode())
    assert result is not None
    assert isinstance(result[1], Answer)
    assert result[1].text == "- 답"
