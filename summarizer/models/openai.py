"""Models at OpenAI, or at any server that speaks its chat completions.

A request is first sent as it is wanted; where the server refuses the form of the answer or the
name of the token cap, it is asked again in a weaker dialect, which is said once and kept for the
rest of the run.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from summarizer.errors import InputError, ModelError, ModelUnusable, SummarizerError
from summarizer.models import Request
from summarizer.models.batches import NotThere, write_question
from summarizer.models.completions import (
    BUSY,
    CAPS,
    FORMS,
    Dialect,
    Refused,
    headroom,
    quoted,
    read_answer,
    read_body,
    weaker,
    write_body,
)
from summarizer.retry import retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from httpx2 import URL, AsyncClient, Headers
    from openai import AsyncOpenAI

    from summarizer.models import Answer

OPENAI = "https://api.openai.com/v1"

_NO_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_TRY_AGAIN = frozenset({408, 409, 425, 429})
_NOT_RUN = frozenset({*range(400, 500), 501}) | BUSY

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for the network.

    Attributes:
        connect: For a connection.
        read: For the first byte of an answer, and from there on for each next one.
        total: For one answer in all.
    """

    connect: float = 10.0
    read: float = 600.0
    total: float = 900.0


def open_openai(rest: str) -> OpenAIModel:
    """Open `openai:MODEL` with the key and the server that the environment names.

    Args:
        rest: The model's name as the server knows it: `gpt-5-mini`, `org/model:tag`.

    Raises:
        InputError: `OPENAI_API_KEY` or `OPENAI_BASE_URL` is missing or malformed.
    """
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    base_url = os.environ.get("OPENAI_BASE_URL", "").strip()
    if not key and not base_url:
        raise InputError(
            f"openai:{rest} needs a key, and OPENAI_API_KEY is not set",
            hint="Set it with `export OPENAI_API_KEY=…`, name a server of your own in "
            "OPENAI_BASE_URL, or do without: `summarizer digest --sample`, or `--model "
            "replay:PATH` for recorded answers",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(
            "OPENAI_API_KEY holds characters that no key has",
            hint="Copy the key again, without spaces or quotation marks around it",
        )
    return OpenAIModel(rest, key=key or None, base_url=base_url or OPENAI)


class _Connected(NamedTuple):
    """How a server is reached from one event loop.

    Questions go through the SDK's HTTP client and not through its methods, whose types and options
    take twice the time of the call itself; where to and with which headers is still the SDK's word.
    """

    sdk: AsyncOpenAI
    http: AsyncClient
    url: URL
    headers: Headers


class OpenAIModel:
    """A `ChatModel` behind an OpenAI-compatible server; it asks once and never retries.

    Args:
        model: The model's name as the server knows it.
        key: The server's key; None for a server that needs none.
        base_url: Where `/chat/completions` lies.
        now: The clock that a date in `Retry-After` is held against.

    Raises:
        InputError: The base URL is not an http(s) address.
    """

    def __init__(
        self,
        model: str,
        *,
        key: str | None = None,
        base_url: str = OPENAI,
        timeouts: Timeouts = Timeouts(),
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._key = key
        self._key_in_json = _in_json(key) if key else None
        self._base_url = base_url
        self._server = _server(base_url)
        self._timeouts = timeouts
        self._now = now
        self._dialect = Dialect()
        # Connections cannot leave the event loop that they began in.
        self._clients: dict[asyncio.AbstractEventLoop, _Connected] = {}

    async def ask(self, request: Request) -> Answer:
        """Ask once, in the strongest dialect that the server takes.

        Raises:
            ModelError: There is no answer; `transient` says whether to ask again.
            ModelUnusable: The key, the quota, the model's name or a setting of the prompt is
                refused, so no other question can succeed.
        """
        dialect, said = self._dialect, ""
        while True:
            try:
                answer = await self._send(request, dialect)
            except Refused as refused:
                next_dialect = weaker(dialect, request, refused)
                if next_dialect is None:
                    raise self._error(refused, request) from None
                dialect, said = next_dialect, self._quoted(refused.said)
            else:
                self._settle(dialect, said)
                return answer

    async def aclose(self) -> None:
        """Close the connections, whichever event loop they were made in."""
        while self._clients:
            loop, connected = self._clients.popitem()
            client = connected.sdk
            if loop is not asyncio.get_running_loop() and loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(client.close(), loop)
                await asyncio.wrap_future(closing)
            else:
                with suppress(RuntimeError):  # of a loop that is closed itself
                    await client.close()

    async def _connected(self) -> _Connected:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            from httpx2 import URL, Headers
            from openai import AsyncOpenAI, DefaultAioHttpClient, Timeout

            wait = self._timeouts
            timeout = Timeout(connect=wait.connect, read=wait.read, write=None, pool=None)
            http = DefaultAioHttpClient(timeout=timeout)
            key = self._key or "none"
            sdk = AsyncOpenAI(api_key=key, base_url=self._base_url, max_retries=0, http_client=http)
            told = {**sdk.default_headers, **sdk.auth_headers}
            headers = {name: value for name, value in told.items() if isinstance(value, str)}
            url = URL(f"{self._base_url.rstrip('/')}/chat/completions")
            self._clients[loop] = _Connected(sdk, http, url, Headers(headers))
            for ended in [other for other in list(self._clients) if other.is_closed()]:
                with suppress(RuntimeError):
                    await self._clients.pop(ended).sdk.close()
        return self._clients[loop]

    async def _send(self, request: Request, dialect: Dialect) -> Answer:
        from aiohttp import ClientConnectorError, ConnectionTimeoutError

        messages, settings = write_body(request, dialect)
        body = json.dumps({**settings, "model": self._model, "messages": messages})
        connected = await self._connected()
        try:
            async with asyncio.timeout(self._timeouts.total):
                response = await connected.http.post(
                    connected.url, content=body.encode(), headers=connected.headers
                )
        except TimeoutError:
            raise ModelError(
                f"{self._server} gave no answer within {self._timeouts.total:g} seconds",
                transient=True,
            ) from None
        except Exception as error:  # noqa: BLE001 - a client may quote the header with the key
            not_made = (ClientConnectorError, ConnectionTimeoutError)
            raise ModelError(
                f"the connection to {self._server} failed ({self._quoted(_cause(error))})",
                transient=True,
                billed=not any(isinstance(reason, not_made) for reason in _reasons(error)),
            ) from None
        told = read_body(self.masked(response.content))
        if not response.is_success:
            raise Refused(response.status_code, told, response.headers)
        return read_answer(told, response.headers)

    def _settle(self, dialect: Dialect, said: str) -> None:
        """Keep a weaker dialect that was answered; concurrent questions only ever weaken it."""
        known = self._dialect
        form = max(known.form, dialect.form, key=FORMS.index)
        if form != known.form:
            _log.warning(
                "%s takes no response_format %s (%s); from now on the schema is told in words, "
                "with response_format %s",
                self._server,
                known.form,
                said,
                form,
            )
        refused = dialect.refused_cap
        if refused and not known.refused_cap:
            _log.warning("%s takes no %s; %s is sent", self._server, refused, CAPS[refused])
        self._dialect = Dialect(form, known.refused_cap or refused)

    def _error(self, refused: Refused, request: Request) -> ModelError:
        """What a refusal means for people, and for the questions that would follow."""
        status, said = refused.status, self._quoted(refused.said)
        answer = f"HTTP {status}: {said}" if said else f"HTTP {status}"
        if status == 402 or refused.codes & _NO_QUOTA:
            return ModelUnusable(
                f"the quota at {self._server} is used up ({answer})",
                hint="Raise it there or choose another model, then run the same command again",
                exit_code=3,
            )
        if status in (401, 403) or (status == 400 and "api key" in said.lower()):
            return ModelUnusable(
                f"{self._server} does not accept the key ({answer})",
                hint=f"{'Check' if self._key else 'Set'} OPENAI_API_KEY",
            )
        if status in (404, 405) or "model_not_found" in refused.codes:
            return ModelUnusable(
                f"{self._server} has no model {self._model!r} ({answer})",
                hint="Check the model's name, and OPENAI_BASE_URL, which mostly ends in /v1",
            )
        if status in _TRY_AGAIN or (status >= 500 and status != 501):
            return ModelError(
                f"{self._server} {'is too busy' if status == 429 else 'failed'} ({answer})",
                transient=True,
                retry_after=retry_after(refused.headers, now=self._now()),
                billed=status not in _NOT_RUN,
                busy=status in BUSY,
                headroom=headroom(refused.headers),
            )
        for setting in request.params:
            if refused.names(setting):
                return ModelUnusable(
                    f"{self.name} refuses the prompt's setting {setting!r} ({answer})",
                    hint=f"Change or remove {setting} in the prompt, or choose another model",
                )
        return ModelError(
            f"{self.name} refused the question ({answer})", billed=status not in _NOT_RUN
        )

    # What follows serves the Batch API, which takes the same questions as lines of a file.

    @property
    def dialect(self) -> Dialect:
        """The one that questions are written in now."""
        return self._dialect

    def write_question(self, request: Request, dialect: Dialect) -> bytes:
        """A question as a line of a batch's file; raises what `ask` would."""
        return write_question(request, self._model, dialect)

    def masked(self, told: bytes) -> bytes:
        """What a server has sent as JSON, without the key, should it hold that."""
        return self._key_in_json.sub(b"***", told) if self._key_in_json else told

    def judge(self, refused: Refused, request: Request, dialect: Dialect) -> ModelError | None:
        """What the refusal of a question in a batch, written in a dialect, means.

        Returns:
            None where it may be taken in a weaker dialect, which is kept for what comes.
        """
        next_dialect = weaker(dialect, request, refused)
        if next_dialect is None:
            return self._error(refused, request)
        self._settle(next_dialect, self._quoted(refused.said))
        return None

    @asynccontextmanager
    async def batch_calls(self) -> AsyncIterator[AsyncOpenAI]:
        """The SDK's client, whatever it raises told as a `ModelError`."""
        from openai import APIStatusError

        try:
            yield (await self._connected()).sdk
        except APIStatusError as error:
            body = read_body(error.response.content)
            refused = Refused(error.status_code, body, error.response.headers)
            raise self._batch_error(refused) from None
        except SummarizerError:
            raise
        except Exception as error:  # noqa: BLE001 - the SDK wraps nothing of what breaks a stream
            raise ModelError(
                f"the call to {self._server} failed ({self._quoted(_cause(error))})", transient=True
            ) from None

    def _batch_error(self, refused: Refused) -> ModelError:
        if refused.status in (404, 405):
            said = self._quoted(refused.said) or f"HTTP {refused.status}"
            return NotThere(f"{self._server} has no such batch or file ({said})")
        return self._error(refused, Request(messages=()))

    def _quoted(self, text: str) -> str:
        return quoted(text, *([self._key] if self._key else []))


def _in_json(text: str) -> re.Pattern[bytes]:
    """Finds a text in JSON, whichever of its characters a server has escaped there."""
    letters = (rf"\\?(?:{re.escape(letter)}|u(?i:{ord(letter):04x}))" for letter in text)
    return re.compile("".join(letters).encode())


def _server(base_url: str) -> str:
    """The part of a server's address that may be shown."""
    try:
        parts = urlsplit(base_url)
        _ = parts.port, (parts.hostname or "").encode("idna")
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in base_url:
        raise InputError(
            "OPENAI_BASE_URL is not the address of a server",
            hint="Write it with http:// or https://, such as http://localhost:8000/v1",
        )
    if "@" in parts.netloc:
        raise InputError(
            "OPENAI_BASE_URL carries a user or a password",
            hint="Take it out, and put the key into OPENAI_API_KEY",
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _cause(error: BaseException) -> str:
    """The innermost reason; the outer ones only say that there was an error."""
    *_, innermost = _reasons(error)
    return str(innermost) or type(innermost).__name__


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what caused it, and so on."""
    while error is not None:
        yield error
        error = error.__cause__
