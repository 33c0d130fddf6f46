"""Asks servers for documents: one at a time, bounded in time and size, again where it may help."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from typing import TYPE_CHECKING, TypeVar

import httpx2

from summarizer import __version__
from summarizer.errors import SourceError
from summarizer.retry import RetryPolicy, retry_after
from summarizer.sources.normalise import Unreadable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

T = TypeVar("T")

MAX_BYTES = 64 * 1024 * 1024
"""The largest answer that is read; a day's papers are a hundredth of it."""

# Timeout, too early, too many requests; every 5xx is tried again too.
_TRANSIENT = frozenset({408, 425, 429})


class Refused(SourceError):
    """The server understood the question and will not answer it, however often it is asked."""

    def __init__(self, message: str, *, status: int, body: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class _Failed(Exception):
    """One try failed, and another may succeed."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Fetch:
    """An HTTP client for sources; close it, or use it as an async context manager.

    Args:
        retry: How often and how long to wait; a server's `Retry-After` beats it.
        timeout: Seconds that one answer may take, the whole body included.
        now: The time, with its zone; sources ask it what day it is.
        sleep: Waits a number of seconds.
        jitter: Draws from [0, 1).
    """

    def __init__(
        self,
        *,
        retry: RetryPolicy = RetryPolicy(attempts=6, first=4.0, longest=120.0),  # noqa: B008 frozen
        timeout: float = 60.0,
        now: Callable[[], dt.datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.now = now
        self._retry = retry
        self._timeout = timeout
        self._sleep = sleep
        self._jitter = jitter
        self._one_at_a_time = asyncio.Lock()
        self._asked: dict[str, dt.datetime] = {}
        self._client = httpx2.AsyncClient(
            follow_redirects=True,
            headers={"User-Agent": f"summarizer/{__version__}"},
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
        )

    async def __aenter__(self) -> Fetch:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def get(
        self,
        url: str,
        params: Mapping[str, str],
        read: Callable[[bytes], T],
        *,
        notice: Callable[[str], None],
        spacing: float = 0.0,
    ) -> T:
        """Get a document and read it, again and again while that may help.

        Args:
            url: Where to ask.
            params: The question.
            read: Reads the answer's body; when it raises `Unreadable`, the question is asked again.
            notice: Is told, in words for people, of every wait.
            spacing: Seconds to keep between two questions to this server.

        Raises:
            Refused: The answer is an HTTP error that asking again will not change.
            SourceError: There is no answer, even after retries.
        """
        try:
            host = httpx2.URL(url).host
        except httpx2.InvalidURL:
            raise SourceError(f"{url!r} is not a web address") from None
        attempts = self._retry.attempts
        for tried in range(1, attempts + 1):
            try:
                async with self._one_at_a_time:
                    await self._keep_distance(host, spacing)
                    body = await self._ask(host, url, params)
                return read(body)
            except Unreadable as fault:
                failure = _Failed(f"sent an answer that cannot be read ({fault})")
            except _Failed as fault:
                failure = fault
            if tried < attempts:
                delay = self._retry.delay(
                    tried, jitter=self._jitter(), retry_after=failure.retry_after
                )
                delay = max(delay, spacing)
                notice(f"{host} {failure}; try {tried + 1} of {attempts} follows in {delay:.0f} s")
                await self._sleep(delay)
        raise SourceError(
            f"{host} {failure}, in each of {attempts} tries", hint="Run the same command later"
        )

    async def _keep_distance(self, host: str, spacing: float) -> None:
        if host in self._asked:
            left = spacing - (self.now() - self._asked[host]).total_seconds()
            if left > 0:
                await self._sleep(min(left, spacing))

    async def _ask(self, host: str, url: str, params: Mapping[str, str]) -> bytes:
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream("GET", url, params=params) as response,
            ):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise SourceError(f"{host} sent more than {MAX_BYTES >> 20} MB")
        except (TimeoutError, httpx2.TimeoutException):
            raise _Failed(f"did not answer within {self._timeout:.0f} s") from None
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL) as fault:
            raise SourceError(f"{host or url} cannot be asked: {fault}") from None
        except httpx2.ConnectError as fault:
            raise _Failed(f"could not be reached ({fault})") from None
        except (httpx2.TransportError, httpx2.DecodingError) as fault:
            raise _Failed(f"broke off its answer ({fault or type(fault).__name__})") from None
        except httpx2.RequestError as fault:
            raise SourceError(f"{host} gave no answer: {fault}") from None
        finally:
            self._asked[host] = self.now()
        if response.is_success:
            return bytes(body)
        status = f"{response.status_code} {response.reason_phrase}".strip()
        if response.status_code in _TRANSIENT or response.is_server_error:
            raise _Failed(
                f"answered {status}", retry_after=retry_after(response.headers, now=self.now())
            )
        raise Refused(f"{host} answered {status}", status=response.status_code, body=bytes(body))
