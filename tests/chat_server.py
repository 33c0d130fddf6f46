"""A strict chat-completions server on loopback, for tests and benchmarks; standard library only.

    with ChatServer() as server:
        server.answers(lambda body: "- 답")          # what to answer, from the request's body
        server.script(error(503, "busy"), CUT)       # what comes first, in order
        ...                                          # ask server.url
        server.requests[0].body["messages"]

It refuses, in the shape of OpenAI's errors, whatever the real service would refuse: unknown keys,
bad roles, a schema that is not strict, `json_object` without the word JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

KEYS = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "n",
        "presence_penalty",
        "prompt_cache_key",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "temperature",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
    }
)
ROLES = ("system", "developer", "user", "assistant")


@dataclass(frozen=True)
class Reply:
    """One HTTP answer, or a fault.

    Attributes:
        body: Sent as it is; a mapping is sent as JSON.
        cut: Send no more than that many bytes of the answer, and close the connection.
        hang: Keep the connection instead of closing it; nothing more comes.
        reset: Close it the hard way (RST), as a crashed server's machine does.
        deaf: Refuse every new connection for that many seconds.
    """

    body: Mapping[str, Any] | bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang: bool = False
    reset: bool = False
    deaf: float = 0


CUT = Reply(cut=0)
"""The connection is closed without a word."""
HANG = Reply(cut=0, hang=True)
RESET = Reply(cut=0, reset=True)


@dataclass(frozen=True)
class Seen:
    """A request as it came in; `body` is None where it was not JSON."""

    path: str
    headers: Mapping[str, str]
    body: Any


Respond: TypeAlias = Callable[[dict[str, Any]], "Reply | str"]


def completion(
    text: str | None,
    *,
    model: str = "test-1",
    finish_reason: str = "stop",
    usage: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    **message: Any,
) -> Reply:
    """A well-formed answer; further keywords become fields of its message."""
    tokens = usage or {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
        "usage": tokens,
    }
    return Reply(body, headers=headers or {})


def error(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """An error as OpenAI words it."""
    kind = "invalid_request_error" if status < 429 else "server_error"
    told = {"message": message, "type": kind, "param": param, "code": code}
    return Reply({"error": told}, status=status, headers=headers or {})


class ChatServer:
    """A server in a thread of its own, listening at `url` while the `with` block runs.

    Args:
        key: The only bearer token let in; None lets everyone in.
        model: The only model there is; None answers for every name.
        lacks: Names of settings that are refused (`max_completion_tokens`, `temperature`, …), and
            forms of `response_format` (`json_schema`, `json_object`).
        delay: Seconds before each answer.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        model: str | None = None,
        lacks: tuple[str, ...] = (),
        delay: float = 0.0,
    ) -> None:
        self.key, self.model, self.lacks, self.delay = key, model, lacks, delay
        self.requests: list[Seen] = []
        self.connections = 0
        self._respond: Respond = lambda _: "- 답"
        self._script: deque[Reply] = deque()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="chat-server")
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._deaf: asyncio.Queue[float] = asyncio.Queue()  # seconds; none of them ends it all
        self.url = ""

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of all requests so far, in order."""
        return [request.body for request in self.requests]

    def answers(self, respond: Respond) -> None:
        """Answer well-formed requests by this function of their body."""
        self._respond = respond

    def script(self, *replies: Reply) -> None:
        """Answer the next requests by these, whatever they ask."""
        self._script.extend(replies)

    def __enter__(self) -> ChatServer:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._deaf.put_nowait, 0)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        open_connections: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = self._loop.create_task(self._converse(reader, writer))
            open_connections.add(task)
            task.add_done_callback(open_connections.discard)
            task.add_done_callback(lambda _: writer.close())  # also of one that never began

        async def listen(port: int) -> asyncio.Server:
            return await asyncio.start_server(connected, "127.0.0.1", port, backlog=2048)

        async def close(server: asyncio.Server) -> None:
            # asyncio leaks what it has accepted and not yet told of when its server is closed.
            mine = {asyncio.current_task()}
            while accepted := asyncio.all_tasks() - open_connections - mine:
                await asyncio.wait(accepted)
            server.close()

        server = await listen(0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        self._ready.set()
        while deaf := await self._deaf.get():
            await close(server)
            await asyncio.sleep(deaf)
            server = await listen(port)
        self._stop.set()
        await close(server)
        for task in list(open_connections):
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)
        await asyncio.sleep(0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while seen := await _read_request(reader):
                self.requests.append(seen)
                reply = self._script.popleft() if self._script else self._reply(seen)
                if reply.deaf:
                    self._deaf.put_nowait(reply.deaf)
                if self.delay and not reply.hang:
                    await asyncio.sleep(self.delay)
                writer.write(_wire(reply))
                await writer.drain()
                if reply.hang:
                    await self._stop.wait()
                if reply.reset:
                    _reset(writer)
                if reply.cut is not None:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _reply(self, seen: Seen) -> Reply:
        if seen.path != "/v1/chat/completions":
            return error(404, f"Invalid URL (POST {seen.path})")
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if self.key is not None and token != self.key:
            return error(
                401, f"Incorrect API key provided: {token}.", code="invalid_api_key", param=None
            )
        refused = refusal(seen.body) or self._lacking(seen.body)
        if refused:
            return refused
        answer = self._respond(seen.body)
        return completion(answer, model=seen.body["model"]) if isinstance(answer, str) else answer

    def _lacking(self, body: dict[str, Any]) -> Reply | None:
        if self.model is not None and body["model"] != self.model:
            return error(404, f"The model `{body['model']}` does not exist", code="model_not_found")
        form = body.get("response_format", {}).get("type")
        if form in self.lacks:
            return error(
                400,
                f"Invalid parameter: 'response_format' of type '{form}' is not supported",
                param="response_format",
            )
        for name in set(self.lacks) & body.keys():
            return error(
                400,
                f"Unsupported parameter: '{name}' is not supported with this model.",
                code="unsupported_parameter",
                param=name,
            )
        return None


def refusal(body: Any) -> Reply | None:
    """What the service would refuse in any request."""
    if not isinstance(body, dict):
        return error(400, "We could not parse the JSON body of your request.")
    if unknown := sorted(body.keys() - KEYS):
        return error(
            400,
            f"Unrecognized request argument supplied: {unknown[0]}",
            code="unknown_parameter",
            param=unknown[0],
        )
    if not isinstance(body.get("model"), str) or not body["model"]:
        return error(400, "you must provide a model parameter", param="model")
    return (
        _messages_refusal(body.get("messages")) or _settings_refusal(body) or _format_refusal(body)
    )


def _messages_refusal(messages: Any) -> Reply | None:
    if not isinstance(messages, list) or not messages:
        return error(400, "Invalid 'messages': empty array", param="messages")
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or message.keys() != {"role", "content"}:
            return error(400, f"Invalid 'messages[{place}]'", param=f"messages[{place}]")
        if message["role"] not in ROLES:
            return error(
                400,
                f"Invalid value: '{message['role']}'. Supported values are: {ROLES}",
                code="invalid_value",
                param=f"messages[{place}].role",
            )
        if not isinstance(message["content"], str):
            return error(400, "Invalid type for content", param=f"messages[{place}].content")
    return None


def _settings_refusal(body: dict[str, Any]) -> Reply | None:
    if (temperature := body.get("temperature")) is not None and not (
        isinstance(temperature, int | float) and 0 <= temperature <= 2
    ):
        return error(400, f"Invalid 'temperature': {temperature}", param="temperature")
    if "max_tokens" in body and "max_completion_tokens" in body:
        return error(400, "Setting 'max_tokens' and 'max_completion_tokens' at the same time")
    for name in {"max_tokens", "max_completion_tokens"} & body.keys():
        if not isinstance(body[name], int) or body[name] < 1:
            return error(400, f"Invalid '{name}': {body[name]}", param=name)
    return None


def _format_refusal(body: dict[str, Any]) -> Reply | None:
    if "response_format" not in body:
        return None
    wanted = body["response_format"]
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "json_object":
        if not re.search("json", json.dumps(body["messages"]), re.IGNORECASE):
            return error(
                400,
                "'messages' must contain the word 'json' in some form, to use 'response_format' "
                "of type 'json_object'.",
                param="messages",
            )
        return None
    if kind != "json_schema":
        return error(400, f"Invalid value: {kind!r}", param="response_format.type")
    schema = wanted.get("json_schema", {})
    if not re.fullmatch("[A-Za-z0-9_-]{1,64}", str(schema.get("name", ""))):
        return error(400, "Invalid 'response_format.json_schema.name'", param="response_format")
    if schema.keys() - {"name", "strict", "schema", "description"}:
        return error(400, "Unknown parameter in json_schema", param="response_format")
    if schema.get("strict") and (place := _not_strict(schema.get("schema"), "()")):
        return error(
            400,
            f"Invalid schema for response_format '{schema['name']}': In context={place}, "
            "'additionalProperties' is required to be false and 'required' to name every property",
            code="invalid_json_schema",
            param="response_format",
        )
    return None


def _not_strict(schema: Any, place: str) -> str | None:
    """The place where a schema breaks the rules of strict mode, or None."""
    if not isinstance(schema, dict):
        return place
    if schema.get("type") == "object":
        known = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(
            schema.get("required", ())
        ) != set(known):
            return place
        for name, inner in known.items():
            if found := _not_strict(inner, f"{place}.{name}"):
                return found
    return _not_strict(schema["items"], f"{place}[]") if "items" in schema else None


async def _read_request(reader: asyncio.StreamReader) -> Seen | None:
    """The next request of a connection, or None where it ends."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    return Seen(head[0].split(" ")[1], headers, body)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection without the usual end: what lies unsent is thrown away (SO_LINGER 0)."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _wire(reply: Reply) -> bytes:
    body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    kind = "text/html" if isinstance(reply.body, bytes) else "application/json"
    headers = {"content-type": kind, "content-length": str(len(body)), **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} {'OK' if reply.status < 300 else 'No'}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    sent = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    return sent[: reply.cut]
