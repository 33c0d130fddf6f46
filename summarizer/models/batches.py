"""OpenAI's Batch API: questions and answers as lines of files, a batch's state, and its calls.

https://developers.openai.com/api/docs/guides/batch
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from summarizer.errors import ModelError
from summarizer.models.completions import Refused, read_answer, read_body, write_body

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from typing import Any, BinaryIO

    from summarizer.models import Answer, Request
    from summarizer.models.completions import Dialect
    from summarizer.models.openai import OpenAIModel

MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000
"""What one batch may hold: questions, and bytes of its file."""

ENDPOINT: Final = "/v1/chat/completions"
MARK = "summarizer_batch"
"""The key of a batch's metadata that carries our own id for it."""

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_UNFINISHED = {
    "batch_expired": "the batch expired before this question's turn",
    "batch_cancelled": "the batch was cancelled before this question's turn",
}


class NotThere(ModelError):
    """The server knows no batch or file of that name, or takes no batches at all."""


@dataclass(frozen=True, slots=True)
class BatchState:
    """What the server says about a batch.

    Attributes:
        id: The server's name for it.
        status: `validating`, `in_progress`, `finalizing`, `completed`, `failed`, `expired`,
            `cancelling` or `cancelled`.
        input_file: The file of its questions.
        result_files: The files of its answers and of its errors, as far as there are any.
        problems: Why it failed, each with the line of the file that it is about (from 1), or None.
        mark: Our own id for it, or "".
    """

    id: str
    status: str
    input_file: str = ""
    result_files: tuple[str, ...] = ()
    problems: tuple[tuple[int | None, Refused], ...] = ()
    mark: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing about it will change any more."""
        return self.status in _ENDED

    @property
    def exceeds_limit(self) -> bool:
        """Whether it failed because too many tokens are waiting at the server already."""
        return any(
            "token_limit_exceeded" in problem.codes or "enqueued token" in problem.said.lower()
            for _, problem in self.problems
        )


class BatchAPI:
    """The calls of the Batch API, each made once, at the server of a model.

    All of them raise `ModelError`: `transient` where the same call may succeed later, `NotThere`
    where what it names is not there, `ModelUnusable` where the key or the quota is refused.
    """

    def __init__(self, model: OpenAIModel) -> None:
        self._model = model

    async def upload(self, file: BinaryIO, name: str) -> str:
        """Upload a batch's file from its beginning; returns the server's id for it."""
        file.seek(0)
        async with self._model.batch_calls() as client:
            raw = await client.files.with_raw_response.create(file=(name, file), purpose="batch")
        body = _body(raw)
        if not isinstance(body, dict) or not isinstance(body.get("id"), str):
            raise ModelError("the server sent something other than a file's id", transient=True)
        uploaded: str = body["id"]
        return uploaded

    async def create(self, file_id: str, mark: str) -> BatchState:
        """Have an uploaded file answered; `mark` is kept with the batch, to find it again."""
        async with self._model.batch_calls() as client:
            raw = await client.batches.with_raw_response.create(
                input_file_id=file_id,
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={MARK: mark},
            )
        return read_state(_body(raw))

    async def retrieve(self, batch_id: str) -> BatchState:
        """How a batch stands."""
        async with self._model.batch_calls() as client:
            raw = await client.batches.with_raw_response.retrieve(batch_id)
        return read_state(_body(raw))

    async def find(self, mark: str, since: dt.datetime) -> BatchState | None:
        """The batch that carries a mark, among those made since then; newest are listed first."""
        query: dict[str, Any] = {"limit": 100}
        while True:
            async with self._model.batch_calls() as client:
                raw = await client.batches.with_raw_response.list(**query)
            body = _body(raw)
            page = body if isinstance(body, dict) else {}
            batches = page.get("data")
            if not isinstance(batches, list):
                raise ModelError(
                    "the server sent something other than a list of batches", transient=True
                )
            for batch in batches:
                state = read_state(batch)
                if state.mark == mark:
                    return state
                made = batch.get("created_at")
                if isinstance(made, int) and made < since.timestamp():
                    return None
            if not (batches and page.get("has_more")):
                return None
            query["after"] = state.id

    async def results(
        self, file_id: str
    ) -> AsyncGenerator[tuple[str, Answer | Refused | ModelError], None]:
        """Read a file of results as it comes in; lines that name no question are left out."""
        async with (
            self._model.batch_calls() as client,
            client.files.with_streaming_response.content(file_id) as response,
        ):
            empty = True
            async for line in _lines(response.iter_bytes()):
                if result := read_result(self._model.masked(line)):
                    empty = False
                    yield result
        if empty:  # which no batch's file is
            raise ModelError("the server sent something other than results", transient=True)

    async def delete_file(self, file_id: str) -> None:
        """Delete a file at the server."""
        async with self._model.batch_calls() as client:
            await client.files.with_raw_response.delete(file_id)


def read_state(body: object) -> BatchState:
    """Read a batch as the server describes it.

    Raises:
        ModelError: It is no batch.
    """
    told = body if isinstance(body, dict) else {}
    if not isinstance(told.get("id"), str) or not isinstance(told.get("status"), str):
        raise ModelError("the server sent something other than a batch", transient=True)
    errors = told.get("errors")
    problems = errors.get("data") if isinstance(errors, dict) else None
    metadata = told.get("metadata")
    files = (told.get("output_file_id"), told.get("error_file_id"))
    return BatchState(
        id=told["id"],
        status=told["status"],
        input_file=str(told.get("input_file_id") or ""),
        result_files=tuple(file for file in files if isinstance(file, str) and file),
        problems=tuple(
            # What names no line is the server's own failure, unless its code says otherwise.
            (line := _line(problem.get("line")), _refused(400 if line else 500, problem))
            for problem in (problems if isinstance(problems, list) else ())
            if isinstance(problem, dict)
        ),
        mark=str(metadata.get(MARK) or "") if isinstance(metadata, dict) else "",
    )


def write_question(request: Request, model: str, dialect: Dialect) -> bytes:
    """A question as a line of a batch's file; its fingerprint names it there."""
    messages, settings = write_body(request, dialect)
    line = {
        "custom_id": request.fingerprint,
        "method": "POST",
        "url": ENDPOINT,
        "body": {**settings, "model": model, "messages": messages},
    }
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def read_result(line: bytes) -> tuple[str, Answer | Refused | ModelError] | None:
    """Read a line of a batch's results.

    Returns:
        The question's fingerprint, and its answer or why there is none; None where the line names
        no question.
    """
    result = read_body(line)
    if not isinstance(result, dict) or not isinstance(key := result.get("custom_id"), str):
        return None
    error, response = result.get("error"), result.get("response")
    if isinstance(error, dict) and error:
        if reason := _UNFINISHED.get(str(error.get("code"))):
            return key, ModelError(reason, transient=True)
        return key, _refused(500, error)
    response = response if isinstance(response, dict) else {}
    status, body = response.get("status_code"), response.get("body")
    if isinstance(status, int) and status >= 400:
        return key, Refused(status, body, {})
    try:
        return key, read_answer(body, {})
    except (Refused, ModelError) as problem:
        return key, problem


def _refused(status: int, error: Mapping[str, object]) -> Refused:
    return Refused(status, {"error": error}, {})


def _line(told: object) -> int | None:
    return told if isinstance(told, int) and told > 0 else None


def _body(raw: Any) -> object:
    # Read here and not by the SDK, which trusts that a server sends what it should.
    return read_body(raw.http_response.content)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    # The SDK's own also end at U+2028 and the like, which a text may hold.
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    yield rest
