"""The server that the tests of batches trust refuses what the real one refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.batch_server import BatchServer

CREATE = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
BODY = {"model": "test-1", "messages": [{"role": "user", "content": "Hello."}]}


@pytest.fixture(scope="module")
def server() -> Iterator[BatchServer]:
    with BatchServer(most_requests=2, most_bytes=1000) as server:
        yield server


def line(key: str = "a", /, **changed: Any) -> dict[str, Any]:
    return {
        "custom_id": key,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": BODY,
        **changed,
    }


def upload(server: BatchServer, *lines: object, **fields: str) -> httpx2.Response:
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return httpx2.post(
        f"{server.url}/files",
        data={"purpose": "batch", **fields},
        files={"file": ("questions.jsonl", content)},
    )


def create(server: BatchServer, *lines: object, **changed: Any) -> httpx2.Response:
    file_id = upload(server, *lines).raise_for_status().json()["id"]
    return httpx2.post(
        f"{server.url}/batches", json={"input_file_id": file_id, **CREATE, **changed}
    )


def ended(server: BatchServer, *lines: object) -> dict[str, Any]:
    batch: dict[str, Any] = create(server, *lines).raise_for_status().json()
    while batch["status"] not in ("completed", "failed"):
        batch = httpx2.get(f"{server.url}/batches/{batch['id']}").json()
    return batch


@pytest.mark.parametrize(
    ("lines", "fields"),
    [([line()], {"purpose": "assistants"}), ([line()], {"extra": "1"}), (["x" * 1000], {})],
)
def test_a_file_of_the_wrong_kind_is_refused(
    server: BatchServer, lines: list[object], fields: dict[str, str]
) -> None:
    assert upload(server, *lines, **fields).status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"endpoint": "/v1/nothing"},
        {"completion_window": "1h"},
        {"extra": 1},
        {"metadata": {"a": 1}},
        {"metadata": {"a": "x" * 513}},
        {"input_file_id": "file-0"},
    ],
)
def test_a_wrong_batch_is_refused(server: BatchServer, changed: dict[str, Any]) -> None:
    assert create(server, line(), **changed).status_code == 400


@pytest.mark.parametrize(
    ("lines", "code", "place"),
    [
        ([line(), line()], "duplicate_custom_id", 2),
        ([line(), line("b", extra=1)], "invalid_request", 2),
        ([line(url="/v1/embeddings")], "mismatched_endpoint", 1),
        ([line(method="GET")], "mismatched_endpoint", 1),
        ([line("a"), line("b"), line("c")], "invalid_file", None),
        ([], "invalid_file", None),
    ],
)
def test_a_wrong_line_fails_the_batch(
    server: BatchServer, lines: list[object], code: str, place: int | None
) -> None:
    batch = ended(server, *lines)
    assert batch["status"] == "failed"
    assert [(error["code"], error["line"]) for error in batch["errors"]["data"]] == [(code, place)]


@pytest.mark.parametrize(
    "changed",
    [{"extra": 1}, {"messages": [{"role": "tool", "content": "Hello."}]}, {"messages": []}],
)
def test_a_wrong_question_is_an_error_line(server: BatchServer, changed: dict[str, Any]) -> None:
    batch = ended(server, line("bad", body={**BODY, **changed}), line("good"))
    assert batch["status"] == "completed"
    assert server.bought["bad"] == 0
    errors = httpx2.get(f"{server.url}/files/{batch['error_file_id']}/content").json()
    assert (errors["custom_id"], errors["response"]["status_code"]) == ("bad", 400)
