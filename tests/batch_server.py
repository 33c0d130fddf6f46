"""A strict Batch API on loopback, for tests.

    with BatchServer() as server:
        server.answers(lambda body: "- 답")              # what to answer, from a question's body
        server.end("expired")                            # how the next batches end
        server.fault("create", "lost")                   # how the next calls fail
        ...                                              # ask server.url
        server.bought["<fingerprint>"]                   # how often a question was run

A batch takes one step each time it is looked at: validating, in_progress (its questions are run,
and counted as bought), finalizing, and its end. Results stand in the reverse of the questions'
order. Unknown keys, wrong purposes and endpoints, bad lines and files beyond the limits are refused
as the real service refuses them.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, TypeAlias

from aiohttp import BodyPartReader, web

from tests.chat_server import Reply, completion, error, refusal

ENDPOINT = "/v1/chat/completions"
ENDPOINTS = ("/v1/responses", ENDPOINT, "/v1/embeddings", "/v1/completions")
ENDED = ("completed", "failed", "expired", "cancelled")
CREATE_KEYS = {"input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after"}

Call: TypeAlias = Literal["upload", "create", "retrieve", "list", "content", "delete"]
Fault: TypeAlias = int | Literal["reset", "lost", "torn", "html", "empty", "stall"]
"""A status; or the connection is reset before anything is done (`reset`) or after it (`lost`), half
of the answer is sent (`torn`), a page that is no JSON (`html`), an object without anything
(`empty`), or nothing ever (`stall`)."""
FAULTS: tuple[Fault, ...] = (429, 500, 503, "reset", "lost", "torn", "html", "empty")
Respond: TypeAlias = Callable[[dict[str, Any]], "Reply | str"]


@dataclass
class File:
    """One that was uploaded, or holds results."""

    purpose: str
    name: str
    content: bytes


@dataclass
class Job:
    """A batch.

    Attributes:
        end: How it is to end.
        ran: How many of its questions were run.
    """

    id: str
    created_at: int
    input_file_id: str
    metadata: Mapping[str, str] | None
    end: str | list[dict[str, Any]]
    status: str = "validating"
    problems: list[dict[str, Any]] = field(default_factory=list)
    output_file_id: str | None = None
    error_file_id: str | None = None
    ids: set[str] = field(default_factory=set)
    questions: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    ran: int = 0

    def told(self) -> dict[str, Any]:
        """As the service describes it."""
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": ENDPOINT,
            "errors": {"object": "list", "data": self.problems} if self.problems else None,
            "input_file_id": self.input_file_id,
            "completion_window": "24h",
            "status": self.status,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "created_at": self.created_at,
            "request_counts": {"total": len(self.questions), "completed": self.ran, "failed": 0},
            "metadata": self.metadata,
        }


class BatchServer:
    """A server in a thread of its own, listening at `url` while the `with` block runs.

    Args:
        key: The only bearer token let in; None lets everyone in.
        enqueued: How many questions may be under way at once, in all batches together.
        most_requests: How many questions one batch may hold.
        most_bytes: How long an uploaded file may be.
        noise: Adds to results what a client must not stumble over: a batch's answers twice,
            answers to what was not asked, lines that are empty, torn or no JSON objects.
        now: The server's clock, in seconds.

    Attributes:
        bought: How often each question was run, by its `custom_id`.
        uploads: The content of each file that was uploaded, also of those deleted since.
        calls: How often each call was made.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        enqueued: int | None = None,
        most_requests: int = 50_000,
        most_bytes: int = 200_000_000,
        noise: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.key, self.enqueued, self.noise = key, enqueued, noise
        self.most_requests, self.most_bytes = most_requests, most_bytes
        self.bought: Counter[str] = Counter()
        self.uploads: list[bytes] = []
        self.calls: Counter[Call] = Counter()
        self.files: dict[str, File] = {}
        self.batches: dict[str, Job] = {}
        self.held = False
        self.url = ""
        self._now = now
        self._numbers = count(1)
        self._respond: Respond = lambda _: "- 답"
        self._ends: deque[str | list[dict[str, Any]]] = deque()
        self._seen: Callable[[Call, bool], None] = lambda *_: None
        self._faults: dict[Call, deque[Fault]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="batch-server")
        self._ready = threading.Event()
        self._stop = asyncio.Event()

    def answers(self, respond: Respond) -> None:
        """Answer well-formed questions by this function of their body."""
        self._respond = respond

    def end(self, *ends: str | list[dict[str, Any]]) -> None:
        """Have the next batches end as `completed`, `expired`, `cancelled`, or with problems."""
        self._ends.extend(ends)

    def fault(self, call: Call, *faults: Fault) -> None:
        """Have the next calls of a kind fail."""
        self._faults.setdefault(call, deque()).extend(faults)

    def watch(self, seen: Callable[[Call, bool], None]) -> None:
        """Have each call told twice: when it came in, and when it is done and not yet answered."""
        self._seen = seen

    def hold(self, *, held: bool = True) -> None:
        """Let no batch take a step, whoever looks."""
        self.held = held

    def __enter__(self) -> BatchServer:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        app = web.Application(client_max_size=2 * self.most_bytes)
        app.add_routes(
            [
                web.post("/v1/files", self._calling("upload", self._upload)),
                web.get("/v1/files/{id}/content", self._calling("content", self._content)),
                web.delete("/v1/files/{id}", self._calling("delete", self._delete)),
                web.post("/v1/batches", self._calling("create", self._create)),
                web.get("/v1/batches", self._calling("list", self._list)),
                web.get("/v1/batches/{id}", self._calling("retrieve", self._retrieve)),
            ]
        )
        # To aiohttp 0 seconds are no limit at all.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    def _calling(
        self, call: Call, handle: Callable[[web.Request], Any]
    ) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.StreamResponse:
            self.calls[call] += 1
            self._seen(call, False)
            waiting = self._faults.get(call)
            fault = waiting.popleft() if waiting else None
            if fault == "reset":
                return _reset(request)
            if isinstance(fault, int):
                return _sent(error(fault, "The server had an error."))
            if fault == "empty":
                return web.json_response({})
            if fault == "html":
                return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if self.key is not None and token != self.key:
                return _sent(error(401, f"Incorrect API key: {token}.", code="invalid_api_key"))
            reply: Reply = await handle(request)
            self._seen(call, True)
            if fault == "lost":
                return _reset(request)
            if fault == "stall":
                await self._stop.wait()
            if fault == "torn":
                return await _torn(request, reply)
            return _sent(reply)

        return handler

    async def _upload(self, request: web.Request) -> Reply:
        fields: dict[str, Any] = {}
        name = ""
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            fields[str(part.name)] = bytes(await part.read(decode=False))
            name = part.filename or name
        if fields.keys() != {"file", "purpose"}:
            return error(400, f"Unknown parameters: {sorted(fields)}")
        if fields["purpose"] != b"batch":
            return error(400, f"Invalid purpose: {fields['purpose']!r}", param="purpose")
        if not name.endswith(".jsonl"):
            return error(400, f"Invalid file format: {name!r}", param="file")
        if len(fields["file"]) > self.most_bytes:
            return error(400, "File is too large.")
        file_id = self._keep("batch", name, fields["file"])
        self.uploads.append(fields["file"])
        return Reply({"id": file_id, "object": "file", "purpose": "batch", "filename": name})

    async def _content(self, request: web.Request) -> Reply:
        file = self.files.get(request.match_info["id"])
        if file is None:
            return error(404, f"No such File object: {request.match_info['id']}")
        return Reply(file.content)

    async def _delete(self, request: web.Request) -> Reply:
        file_id = request.match_info["id"]
        if self.files.pop(file_id, None) is None:
            return error(404, f"No such File object: {file_id}")
        return Reply({"id": file_id, "object": "file", "deleted": True})

    async def _create(self, request: web.Request) -> Reply:
        body = await request.json()
        if unknown := sorted(body.keys() - CREATE_KEYS):
            return error(400, f"Unknown parameter: '{unknown[0]}'.", param=unknown[0])
        if body.get("endpoint") not in ENDPOINTS:
            return error(400, f"Invalid endpoint: {body.get('endpoint')!r}", param="endpoint")
        if body.get("completion_window") != "24h":
            return error(400, "Invalid completion_window", param="completion_window")
        metadata = body.get("metadata")
        if metadata is not None and (
            len(metadata) > 16
            or not all(isinstance(value, str) and len(value) <= 512 for value in metadata.values())
            or any(len(key) > 64 for key in metadata)
        ):
            return error(400, "Invalid metadata", param="metadata")
        file = self.files.get(str(body.get("input_file_id")))
        if file is None or file.purpose != "batch":
            return error(400, "Invalid input_file_id", param="input_file_id")
        job = Job(
            id=f"batch_{next(self._numbers)}",
            created_at=int(self._now()),
            input_file_id=body["input_file_id"],
            metadata=metadata,
            end=self._ends.popleft() if self._ends else "completed",
        )
        self.batches[job.id] = job
        return Reply(job.told())

    async def _list(self, request: web.Request) -> Reply:
        if unknown := request.query.keys() - {"after", "limit"}:
            return error(400, f"Unknown parameters: {unknown}")
        limit = int(request.query.get("limit", 20))
        if not 1 <= limit <= 100:
            return error(400, "Invalid limit", param="limit")
        newest_first = list(reversed(self.batches))
        start = newest_first.index(after) + 1 if (after := request.query.get("after")) else 0
        page = newest_first[start : start + limit]
        return Reply(
            {
                "object": "list",
                "data": [self.batches[batch_id].told() for batch_id in page],
                "first_id": page[0] if page else None,
                "last_id": page[-1] if page else None,
                "has_more": start + limit < len(newest_first),
            }
        )

    async def _retrieve(self, request: web.Request) -> Reply:
        job = self.batches.get(request.match_info["id"])
        if job is None:
            return error(404, f"No batch found with id '{request.match_info['id']}'.")
        if not self.held:
            self._step(job)
        return Reply(job.told())

    def _step(self, job: Job) -> None:
        if job.status == "validating":
            self._validate(job)
        elif job.status == "in_progress":
            job.status = "finalizing"
        elif job.status == "finalizing":
            self._finish(job)

    def _validate(self, job: Job) -> None:
        lines = self.files[job.input_file_id].content.splitlines()
        if isinstance(job.end, list):
            job.problems, job.status = job.end, "failed"
            return
        if not 0 < len(lines) <= self.most_requests:
            job.problems = [problem("invalid_file", f"{len(lines)} requests", None)]
        else:
            for number, line in enumerate(lines, start=1):
                self._read(job, line, number)
        waiting = sum(
            len(other.questions) for other in self.batches.values() if other.status not in ENDED
        )
        if not job.problems and self.enqueued is not None and waiting > self.enqueued:
            said = f"Enqueued token limit reached for test-1. Limit: {self.enqueued} tokens."
            job.problems = [problem("token_limit_exceeded", said, None)]
        if job.problems:
            job.status, job.questions = "failed", []
            return
        job.status = "in_progress"
        half = (len(job.questions) + 1) // 2
        for place, question in enumerate(job.questions):
            if job.end == "completed" or place < half:
                job.results.append(self._answer(question))
                job.ran += 1
            else:
                told = {"code": f"batch_{job.end}", "message": "This request was not executed."}
                job.results.append(_result(question["custom_id"], None, told))

    def _read(self, job: Job, line: bytes, number: int) -> None:
        try:
            question = json.loads(line)
        except ValueError:
            job.problems.append(problem("invalid_json_line", "Not valid JSON.", number))
            return
        if question.keys() != {"custom_id", "method", "url", "body"}:
            job.problems.append(problem("invalid_request", f"{sorted(question)}", number))
        elif question["method"] != "POST" or question["url"] != ENDPOINT:
            job.problems.append(problem("mismatched_endpoint", question["url"], number))
        elif question["custom_id"] in job.ids:
            job.problems.append(problem("duplicate_custom_id", question["custom_id"], number))
        else:
            job.ids.add(question["custom_id"])
            job.questions.append(question)

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        body, key = question["body"], question["custom_id"]
        reply = refusal(body)
        if reply is None:
            self.bought[key] += 1
            told = self._respond(body)
            reply = completion(told, model=body["model"]) if isinstance(told, str) else told
        return _result(
            key,
            {"status_code": reply.status, "request_id": "req_1", "body": reply.body},
            None,
        )

    def _finish(self, job: Job) -> None:
        job.status = str(job.end)
        answered: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for result in reversed(job.results):
            well = result["response"] and result["response"]["status_code"] == 200
            (answered if well else failed).append(result)
        job.output_file_id = self._results(job, "output", answered)
        job.error_file_id = self._results(job, "error", failed)

    def _results(self, job: Job, kind: str, results: list[dict[str, Any]]) -> str | None:
        if not results:
            return None
        # Raw, as a service may send it: U+2028 within a text is no end of a line.
        lines = [json.dumps(result, ensure_ascii=False).encode() for result in results]
        if self.noise:
            other = _result("request-1", {"status_code": 200, "body": completion("?").body}, None)
            lines = [
                b"",
                json.dumps(other).encode(),
                lines[0][: len(lines[0]) // 2],
                b"[]",
                *lines,
                *lines,
                b"\xff\xfe",
            ]
        return self._keep("batch_output", f"{job.id}_{kind}.jsonl", b"\n".join(lines) + b"\n")

    def _keep(self, purpose: str, name: str, content: bytes) -> str:
        file_id = f"file-{next(self._numbers)}"
        self.files[file_id] = File(purpose, name, content)
        return file_id


def problem(code: str, message: str, line: int | None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": None, "line": line}


def _result(key: str, response: Any, error: Any) -> dict[str, Any]:
    return {"id": f"batch_req_{key[:8]}", "custom_id": key, "response": response, "error": error}


def _sent(reply: Reply) -> web.Response:
    if isinstance(reply.body, bytes):
        return web.Response(body=reply.body, content_type="application/octet-stream")
    return web.json_response(reply.body, status=reply.status, headers=dict(reply.headers))


async def _torn(request: web.Request, reply: Reply) -> web.StreamResponse:
    whole = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    response = web.StreamResponse()
    response.content_length = len(whole)
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    assert request.transport
    request.transport.close()
    return response


def _reset(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.abort()
    return web.Response()
