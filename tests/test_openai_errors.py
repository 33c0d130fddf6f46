from __future__ import annotations

import asyncio
import datetime as dt
import logging
import socket
import threading
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from summarizer.errors import InputError, ModelError, ModelUnusable
from summarizer.limits import Limits
from summarizer.models import Request, open_model
from summarizer.models.openai import OpenAIModel, Timeouts
from summarizer.retry import RetryPolicy
from tests.chat_server import CUT, HANG, ChatServer, Reply, completion, error
from tests.test_openai_model import KEY, ask, question

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


async def failure(server: ChatServer, reply: Reply, request: Request | None = None) -> ModelError:
    server.script(reply)
    with pytest.raises(ModelError) as caught:
        await ask(server, request, key=KEY)
    assert len(server.requests) == 1, "it asks once"
    return caught.value


@pytest.mark.parametrize(
    ("reply", "billed"),
    [
        (error(400, "no"), False),
        (error(401, "no"), False),
        (error(429, "slow down"), False),
        (error(503, "overloaded"), False),
        (error(500, "oops"), True),
        (error(504, "the gateway gave up"), True),
        (Reply(body=b"{}"), True),
        (CUT, True),
    ],
)
async def test_what_may_have_been_charged_says_so(
    server: ChatServer, reply: Reply, *, billed: bool
) -> None:
    assert (await failure(server, reply)).billed is billed


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_key_stops_the_run(server: ChatServer, status: int) -> None:
    told = await failure(server, error(status, "Incorrect API key"))
    assert isinstance(told, ModelUnusable)
    assert told.exit_code == 2
    assert "Check OPENAI_API_KEY" in str(told)


async def test_a_missing_model_is_named_with_its_server() -> None:
    with ChatServer(model="other") as server, pytest.raises(ModelUnusable) as caught:
        await ask(server)
    assert caught.value.exit_code == 2
    assert "'test-1'" in str(caught.value)
    assert server.url in str(caught.value)


async def test_a_base_url_without_its_path_is_hinted_at(server: ChatServer) -> None:
    model = OpenAIModel("test-1", base_url=server.url.removesuffix("/v1"))
    with pytest.raises(ModelUnusable, match="/v1"):
        await model.ask(question())
    await model.aclose()


@pytest.mark.parametrize(
    "reply",
    [error(429, "You exceeded your quota", code="insufficient_quota"), error(402, "Pay first")],
)
async def test_a_spent_quota_stops_the_run_with_another_code(
    server: ChatServer, reply: Reply
) -> None:
    told = await failure(server, reply)
    assert isinstance(told, ModelUnusable)
    assert told.exit_code == 3


async def test_what_a_server_says_can_be_written_to_a_file(server: ChatServer) -> None:
    told = await failure(server, error(400, "bad \ud800 thing"))
    assert "bad \ufffd thing" in str(told)


NOW = dt.datetime(2024, 1, 12, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("20", 20.0),
        ("Fri, 12 Jan 2024 12:00:30 GMT", 30.0),
        ("soon", None),
        ("Fri, 12 Jan 99999999999999999999 12:00:30 GMT", None),
    ],
)
async def test_a_busy_server_says_when_to_come_back(
    server: ChatServer, value: str, seconds: float | None
) -> None:
    server.script(error(429, "Rate limit reached", headers={"Retry-After": value}))
    with pytest.raises(ModelError, match="too busy") as caught:
        await ask(server, now=lambda: NOW)
    assert caught.value.transient
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    "reply",
    [
        error(500, "oops"),
        error(503, "loading"),
        error(408, "slow"),
        Reply(b"<!DOCTYPE html><html><title>502 Bad Gateway</title></html>", status=502),
        Reply(b"<html>ok</html>"),
        Reply(b'{"choices": ['),
        Reply(b"[" * 100_000),
        Reply(b'{"message":' * 600 + b"1" + b"}" * 600, status=500),
        Reply({}),
        Reply({"choices": []}),
        Reply({"choices": [None]}),
        Reply({"choices": [{"finish_reason": "stop"}]}),
        Reply({"error": {"code": 503, "message": "upstream is overloaded"}}),
        completion("half", finish_reason="error"),
        CUT,
        Reply({"choices": []}, cut=40),
        Reply(completion("- 답").body, cut=300),
        Reply(b"x", headers={"content-length": "100"}, cut=500),
    ],
)
async def test_what_may_pass_is_transient(server: ChatServer, reply: Reply) -> None:
    told = await failure(server, reply)
    assert told.transient
    assert not isinstance(told, ModelUnusable)
    assert "html" not in str(told).lower()
    assert "\n" not in str(told)


async def test_no_http_at_all_is_transient() -> None:
    async def mumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(mumble, "127.0.0.1", 0) as odd:
        port = odd.sockets[0].getsockname()[1]
        model = OpenAIModel("test-1", base_url=f"http://127.0.0.1:{port}/v1")
        with pytest.raises(ModelError, match="connection to") as caught:
            await model.ask(question())
        await model.aclose()
    assert caught.value.transient


async def test_a_server_that_is_gone_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    model = OpenAIModel("test-1", base_url=url)
    with pytest.raises(ModelError) as caught:
        await model.ask(question())
    await model.aclose()
    assert caught.value.transient
    assert not caught.value.billed
    assert url in str(caught.value)


@pytest.mark.parametrize("timeouts", [Timeouts(read=0.05), Timeouts(total=0.05)])
@pytest.mark.parametrize(
    "reply",
    [
        HANG,
        replace(completion("- 답"), cut=30, hang=True),
        replace(completion(""), cut=200, hang=True),
    ],
    ids=["before the first byte", "within the headers", "within the body"],
)
async def test_a_server_that_stalls_is_waited_for_only_so_long(
    server: ChatServer, timeouts: Timeouts, reply: Reply
) -> None:
    server.script(reply)
    with pytest.raises(ModelError) as caught:
        await ask(server, timeouts=timeouts)
    assert caught.value.transient
    assert caught.value.billed
    assert server.url in str(caught.value)


async def test_a_connection_that_is_never_made_is_waited_for_only_so_long() -> None:
    with socket.socket() as deaf, socket.socket() as first:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        first.connect(deaf.getsockname())  # and now its queue is full
        with socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(deaf.getsockname())
            url = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
            model = OpenAIModel("test-1", base_url=url, timeouts=Timeouts(connect=0.05))
            with pytest.raises(ModelError, match="connection to") as caught:
                await model.ask(question())
            await model.aclose()
    assert caught.value.transient


@pytest.mark.parametrize(("status", "busy"), [(429, True), (503, True), (529, True), (500, False)])
async def test_a_refusal_says_whether_others_should_wait_and_what_is_left(
    server: ChatServer, status: int, busy: bool
) -> None:
    left = {"X-RateLimit-Remaining-Requests": "0", "X-Request-Id": "7"}
    told = await failure(server, error(status, "no", headers=left))
    assert told.busy is busy
    assert told.headroom == {"x-ratelimit-remaining-requests": "0"}


async def test_connections_are_neither_capped_nor_wasted(server: ChatServer) -> None:
    server.delay = 0.2
    model = OpenAIModel("test-1", base_url=server.url)
    await asyncio.gather(*(model.ask(question(str(n))) for n in range(300)))
    await asyncio.gather(*(model.ask(question(str(n))) for n in range(300)))
    await model.aclose()
    assert server.connections == 300


async def test_a_server_is_asked_through_the_proxy_that_the_environment_names(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1").removeprefix("http://"))
    monkeypatch.setenv("no_proxy", "direct.invalid")
    for host, met in (("models.invalid", ModelUnusable), ("direct.invalid", ModelError)):
        model = OpenAIModel("test-1", base_url=f"http://{host}/v1")
        with pytest.raises(met) as caught:
            await model.ask(question())
        assert isinstance(caught.value, ModelUnusable) is (met is ModelUnusable)
        await model.aclose()
    assert [seen.path for seen in server.requests] == ["http://models.invalid/v1/chat/completions"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # how the SDK uses aiohttp
async def test_the_password_of_a_proxy_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "http://me:hunter22@127.0.0.1:9")
    model = OpenAIModel("test-1", base_url="http://models.invalid/v1")
    with pytest.raises(ModelError) as caught:
        await model.ask(question())
    await model.aclose()
    assert "hunter22" not in str(caught.value)


async def test_a_refused_question_is_told_in_the_servers_words_and_short(
    server: ChatServer,
) -> None:
    told = await failure(
        server, error(400, "context length exceeded " * 100, code="context_length_exceeded")
    )
    assert not told.transient
    assert not isinstance(told, ModelUnusable)
    assert "context length exceeded" in str(told)
    assert len(str(told)) < 400


async def test_a_cap_that_is_only_too_high_is_not_renamed(server: ChatServer) -> None:
    told = await failure(
        server,
        error(400, "max_tokens is too large: 99999", param="max_tokens"),
        question(max_tokens=99999),
    )
    assert isinstance(told, ModelUnusable)
    assert "'max_tokens'" in str(told)


async def test_a_refused_setting_is_named_as_the_prompts() -> None:
    with ChatServer(lacks=("temperature",)) as server, pytest.raises(ModelUnusable) as caught:
        await ask(server, question(temperature=0))
    assert "refuses the prompt's setting 'temperature'" in str(caught.value)
    assert "Change or remove temperature in the prompt" in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("setting", ["model", "messages", "stream", "response_format", "n"])
async def test_a_prompt_cannot_replace_what_the_run_decides(
    server: ChatServer, setting: str
) -> None:
    with pytest.raises(ModelUnusable, match=setting):
        await ask(server, question(**{setting: "other"}))
    assert not server.requests


# -- keys and servers of the environment


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500])
@pytest.mark.parametrize(
    "echo", [f"your key {KEY} is odd", f"Bearer {KEY}", "sk-other-0123456789abcdef is odd"]
)
async def test_no_key_is_in_an_error_or_its_traceback(
    server: ChatServer, status: int, echo: str
) -> None:
    told = await failure(server, error(status, echo), question(schema=True))
    shown = str(told) + "".join(traceback.format_exception(told)) + repr(told)
    assert KEY not in shown
    assert "0123456789abcdef" not in shown


async def test_no_key_is_in_an_answer_or_a_notice(
    server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers(lambda _: f"- {KEY}")
    server.script(error(400, f"response_format of {KEY} is unsupported"))
    with caplog.at_level(logging.DEBUG):
        answer = await ask(server, question(schema=True), key=KEY)
    assert answer.text == "- ***"
    assert caplog.messages
    assert KEY not in caplog.text


async def test_a_redirection_takes_no_key_to_another_server(server: ChatServer) -> None:
    with ChatServer() as other:
        there = {"location": f"{other.url}/chat/completions"}
        server.script(Reply(status=307, headers=there), Reply(status=307, headers=there))
        answer = await ask(server, key=KEY)
    assert answer.text == "- 답"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    "reply",
    [
        completion(f"- {KEY}", model=KEY, finish_reason=KEY, headers={"x-request-id": KEY}),
        error(401, f"Incorrect API key provided: {KEY}"),
        error(429, f"{KEY} has asked too much", headers={"x-ratelimit-key": KEY}),
        Reply(KEY.encode(), status=500),
        CUT,
        replace(completion(KEY), cut=200, hang=True),
    ],
)
async def test_no_key_is_anywhere_even_where_everything_is_logged(
    server: ChatServer, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    for name in ("", "openai", "httpx2", "httpcore2", "aiohttp", "asyncio", "summarizer"):
        caplog.set_level(logging.DEBUG, logger=name)
    model = OpenAIModel("test-1", base_url=server.url, key=KEY, timeouts=Timeouts(total=0.2))
    limits = Limits(model, concurrency=8, retry=RetryPolicy(attempts=2, first=0))
    shown = [repr(model), repr(limits)]
    server.script(reply, reply)
    try:
        shown.append(repr(await limits.ask(question(schema=True))))
    except ModelError as error:
        shown += [traceback.format_exc(), repr(error), str(error), repr(vars(error))]
    await limits.aclose()
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in caplog.text
    assert KEY not in str(shown)


async def test_the_environment_gives_key_and_server(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY + "\n")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url + "/")
    model = open_model("openai:org/model:tag")
    assert model.name == "openai:org/model:tag"
    await model.ask(question())
    await model.aclose()
    assert server.bodies[0]["model"] == "org/model:tag"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_server_of_ones_own_needs_no_key(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    model = open_model("openai:test-1")
    assert (await model.ask(question())).text == "- 답"
    server.script(error(401, "no key given"))
    with pytest.raises(ModelUnusable, match="Set OPENAI_API_KEY"):
        await model.ask(question())
    await model.aclose()


def test_without_key_and_server_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(InputError) as caught:
        open_model("openai:gpt-5-mini")
    for word in ("OPENAI_API_KEY", "--sample", "replay:"):
        assert word in str(caught.value)


@pytest.mark.parametrize("key", ["열쇠", "two words", "a\tb"])
def test_a_key_that_can_be_none_is_refused_unseen(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(InputError, match="characters") as caught:
        open_model("openai:gpt-5-mini")
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000/v1",
        "ftp://host/v1",
        "http://",
        "http://a b/v1",
        "http://h:x/v1",
        "http://a..b/v1",
        f"http://{'a' * 70}/v1",
    ],
)
def test_a_base_url_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(InputError, match="OPENAI_BASE_URL"):
        open_model("openai:test-1")


def test_a_base_url_with_a_password_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:hunter22@localhost/v1")
    with pytest.raises(InputError, match="password") as caught:
        open_model("openai:test-1")
    assert "hunter22" not in str(caught.value)


def test_one_model_serves_one_event_loop_after_another(server: ChatServer) -> None:
    model = OpenAIModel("test-1", base_url=server.url)

    async def once() -> str:
        try:
            return (await model.ask(question())).text
        finally:
            await model.aclose()

    assert [asyncio.run(once()) for _ in range(3)] == ["- 답"] * 3


def test_one_model_serves_two_event_loops_at_once(server: ChatServer) -> None:
    model = OpenAIModel("test-1", base_url=server.url)
    other = asyncio.new_event_loop()
    thread = threading.Thread(target=other.run_forever)
    thread.start()

    async def both() -> list[str]:
        there = [asyncio.run_coroutine_threadsafe(model.ask(question()), other) for _ in range(9)]
        here = await asyncio.gather(*(model.ask(question()) for _ in range(9)))
        answers = [*here, *(await asyncio.gather(*map(asyncio.wrap_future, there)))]
        await model.aclose()
        return [answer.text for answer in answers]

    assert asyncio.run(both()) == ["- 답"] * 18
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), other).result()  # sockets close late
    other.call_soon_threadsafe(other.stop)
    thread.join()
    other.close()
