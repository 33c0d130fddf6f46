"""Asking a server that fails in every usual way."""

from __future__ import annotations

import json
import socket

import pytest

from summarizer.errors import SourceError
from summarizer.retry import RetryPolicy
from summarizer.sources import fetch as fetch_module
from summarizer.sources.fetch import Fetch, Refused
from summarizer.sources.normalise import Unreadable, decode
from tests.loopback import Clock, Loopback, Reply

WELL = Reply(body={"papers": 3})


def as_json(body: bytes) -> object:
    text = decode(body)
    try:
        return json.loads(text)
    except ValueError as fault:
        raise Unreadable(f"no JSON: {fault}") from None


class Asked:
    """One question asked of a scripted server, and what came of it."""

    def __init__(self, *replies: Reply, timeout: float = 5.0, attempts: int = 3) -> None:
        self.replies = replies
        self.timeout = timeout
        self.attempts = attempts
        self.clock = Clock("2025-08-20T12:00:00+00:00")
        self.notices: list[str] = []
        self.requests = 0

    async def get(self, path: str = "/papers", **options: float) -> object:
        policy = RetryPolicy(attempts=self.attempts, first=4.0, longest=60.0)
        clock = self.clock
        with Loopback() as server:
            server.script("/papers", *self.replies)
            try:
                async with Fetch(
                    retry=policy,
                    timeout=self.timeout,
                    now=clock.now,
                    sleep=clock.sleep,
                    jitter=lambda: 0.5,
                ) as fetch:
                    return await fetch.get(
                        server.url + path, {}, as_json, notice=self.notices.append, **options
                    )
            finally:
                self.requests = len(server.requests)


async def test_an_answer_is_read_and_nothing_said():
    asked = Asked(WELL)
    assert await asked.get() == {"papers": 3}
    assert (asked.notices, asked.clock.waits) == ([], [])


async def test_the_question_and_the_asker_are_named():
    with Loopback() as server:
        server.script("/papers", WELL)
        async with Fetch() as fetch:
            await fetch.get(server.url + "/papers", {"q": "a b&c"}, as_json, notice=print)
    (request,) = server.requests
    assert request.query == {"q": "a b&c"}
    assert request.headers["user-agent"].startswith("summarizer/")


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (Reply(429), "429 Too Many Requests"),
        (Reply(500), "500 Internal Server Error"),
        (Reply(502, body="<html>Bad gateway</html>"), "502 Bad Gateway"),
        (Reply(body='{"papers": '), "cannot be read"),
        (Reply(body="<html>Sorry</html>"), "cannot be read (this is a web page"),
        (Reply(body={"papers": 3}, fault="truncate"), "broke off its answer"),
        (Reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}), "broke off its answer"),
        (Reply(fault="reset"), "broke off its answer"),
    ],
)
async def test_a_passing_failure_is_told_waited_for_and_tried_again(failure, told):
    asked = Asked(failure, failure, WELL)
    assert await asked.get() == {"papers": 3}
    assert asked.clock.waits == [2.0, 4.0]
    assert len(asked.notices) == 2
    assert told in asked.notices[0]
    assert asked.notices[0].endswith("try 2 of 3 follows in 2 s")


async def test_a_stalled_server_is_given_up():
    asked = Asked(Reply(fault="stall"), WELL, timeout=0.2)
    assert await asked.get() == {"papers": 3}
    assert "did not answer within" in asked.notices[0]


@pytest.mark.parametrize(
    ("retry_after", "waited"),
    [("7", 7.0), ("Wed, 20 Aug 2025 12:00:30 GMT", 30.0), ("3600", 60.0), ("soon", 2.0)],
)
async def test_a_server_says_how_long_to_wait(retry_after, waited):
    asked = Asked(Reply(429, headers={"Retry-After": retry_after}), WELL)
    await asked.get()
    assert asked.clock.waits == [waited]


async def test_after_the_last_try_one_sentence_is_left():
    asked = Asked(Reply(503))
    with pytest.raises(SourceError) as caught:
        await asked.get()
    assert str(caught.value) == (
        "127.0.0.1 answered 503 Service Unavailable, in each of 3 tries. Run the same command later"
    )
    assert asked.requests == 3
    assert caught.value.exit_code == 3


async def test_a_refusal_is_not_tried_again():
    asked = Asked(Reply(403, body="go away"))
    with pytest.raises(Refused) as caught:
        await asked.get()
    assert (caught.value.status, caught.value.body) == (403, b"go away")
    assert asked.requests == 1


async def test_requests_keep_their_distance():
    clock = Clock("2025-08-20T12:00:00+00:00")
    with Loopback() as server:
        server.script("/papers", WELL)
        async with Fetch(now=clock.now, sleep=clock.sleep) as fetch:
            for _ in range(3):
                await fetch.get(server.url + "/papers", {}, as_json, notice=print, spacing=3.0)
    assert clock.waits == [3.0, 3.0]


async def test_a_retry_keeps_the_distance_too():
    asked = Asked(Reply(429, headers={"Retry-After": "0"}), WELL)
    await asked.get(spacing=3.0)
    assert asked.clock.waits == [3.0]


async def test_redirects_are_followed():
    asked = Asked(Reply(302, headers={"Location": "/papers?moved=1"}), WELL)
    assert await asked.get() == {"papers": 3}
    assert asked.requests == 2


async def test_redirects_in_a_circle_end():
    asked = Asked(Reply(302, headers={"Location": "/papers"}))
    with pytest.raises(SourceError, match="redirects"):
        await asked.get()
    assert asked.clock.waits == []


async def test_an_answer_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(fetch_module, "MAX_BYTES", 1 << 20)
    asked = Asked(Reply(body=b"x" * ((1 << 20) + 1)))
    with pytest.raises(SourceError, match="more than 1 MB"):
        await asked.get()
    assert asked.requests == 1


async def test_no_server_at_all_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        clock = Clock("2025-08-20T12:00:00+00:00")
        async with Fetch(retry=RetryPolicy(attempts=2), now=clock.now, sleep=clock.sleep) as fetch:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(SourceError, match="could not be reached"):
                await fetch.get(url, {}, as_json, notice=print)
    assert len(clock.waits) == 1


@pytest.mark.parametrize("url", ["ftp://example.org/x", "papers", "http://[", "http://a b/"])
async def test_what_is_no_web_address_is_not_asked(url):
    clock = Clock("2025-08-20T12:00:00+00:00")
    async with Fetch(now=clock.now, sleep=clock.sleep, retry=RetryPolicy(attempts=1)) as fetch:
        with pytest.raises(SourceError):
            await fetch.get(url, {}, as_json, notice=print)
