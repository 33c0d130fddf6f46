from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.errors import ModelError
from summarizer.models import Answer, Message, Request
from summarizer.models.completions import without_thinking
from summarizer.models.openai import OpenAIModel
from tests.chat_server import ChatServer, Reply, completion, error

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-proj-Zm9vYmFyYmF6cXV4"
SCHEMA = {
    "type": "object",
    "properties": {"points": {"type": "array", "items": {"type": "string"}}},
    "required": ["points"],
    "additionalProperties": False,
}
POINTS = '{"points": ["한 문장입니다."]}'


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


def question(text: str = "Summarise.", /, *, schema: Any = False, **params: Any) -> Request:
    return Request(
        messages=(Message(role="system", content="Be brief."), Message(role="user", content=text)),
        params=params,
        output_schema=SCHEMA if schema else None,
        label="2401.05561 · digest-ko",
    )


async def ask(server: ChatServer, request: Request | None = None, **options: Any) -> Answer:
    model = OpenAIModel("test-1", base_url=server.url, **options)
    try:
        return await model.ask(request or question())
    finally:
        await model.aclose()


async def test_sends_the_request_as_it_is_wanted(server: ChatServer) -> None:
    server.answers(lambda _: POINTS)
    request = question(schema=True, temperature=0, max_completion_tokens=500, seed=7)
    answer = await ask(server, request, key=KEY)
    assert answer.text == POINTS
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.bodies == [
        {
            "model": "test-1",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Summarise."},
            ],
            "temperature": 0,
            "max_completion_tokens": 500,
            "seed": 7,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
            },
        }
    ]


async def test_reads_usage_model_and_headroom(server: ChatServer) -> None:
    usage = {
        "prompt_tokens": 900,
        "completion_tokens": 300,
        "total_tokens": 1200,
        "prompt_tokens_details": {"cached_tokens": 512},
        "completion_tokens_details": {"reasoning_tokens": 128},
    }
    headers = {
        "X-RateLimit-Remaining-Requests": "41",
        "x-ratelimit-reset-tokens": "6m0s",
        "Retry-After": "2",
        "Set-Cookie": "a=b",
    }
    server.script(completion("- 답", model="test-1-2026", usage=usage, headers=headers))
    answer = await ask(server)
    assert answer.model == "test-1-2026"
    assert answer.usage is not None
    assert answer.usage.model_dump() == {
        "prompt": 900,
        "completion": 300,
        "cached": 512,
        "reasoning": 128,
    }
    assert answer.headroom == {
        "x-ratelimit-remaining-requests": "41",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert "headroom" not in answer.model_dump()


@pytest.mark.parametrize("usage", [{"prompt_tokens": None}, {"prompt_tokens_details": 3}])
async def test_odd_usage_is_no_reason_to_lose_an_answer(server: ChatServer, usage: Any) -> None:
    server.script(completion("- 답", usage=usage))
    assert (await ask(server)).text == "- 답"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("<think>8억?</think>\n\n- 답", "- 답"),
        ("\n<think>\n- a\n</think>\n<think>b</think>- 답\n", "- 답"),
        ("<think>never ends", ""),
        ("Let me see.\n\n- maybe\n</think>\n\n- 답", "- 답"),
        ("Let me see.</think>\n\n- 답", "- 답"),
        ("</think>{}", "{}"),
        ("- `<think>`와 `</think>` 사이의 글", "- `<think>`와 `</think>` 사이의 글"),
        ("- `</think>`까지 생성합니다.\n- 둘", "- `</think>`까지 생성합니다.\n- 둘"),
        ('{"points": ["<think> 없이\\n\\n"]}', '{"points": ["<think> 없이\\n\\n"]}'),
        (" - 답 ", " - 답 "),
    ],
)
async def test_thinking_is_no_answer_and_a_tag_within_one_stays(
    server: ChatServer, sent: str, read: str
) -> None:
    server.script(completion(sent))
    assert (await ask(server)).text == read


@given(st.text(alphabet="</think>\n x", max_size=60))
def test_removing_thinking_leaves_an_end_of_the_text(text: str) -> None:
    left = without_thinking(text)
    assert text.rstrip().endswith(left) or left == text
    assert without_thinking("<think>" + text.replace("</think>", "") + "</think>- 답") == "- 답"


def test_removing_much_thinking_does_not_hang() -> None:
    assert without_thinking("<think></think>" * 100_000 + "- 답") == "- 답"
    assert without_thinking("</think> \t" * 100_000).startswith("</think>")


@pytest.mark.parametrize(
    ("reply", "finish_reason", "text"),
    [
        (completion("- 반", finish_reason="length"), "length", "- 반"),
        (completion(None, finish_reason="content_filter"), "content_filter", ""),
        (completion("- 답", finish_reason="eos"), "eos", "- 답"),
        (completion("- 반", finish_reason="model_length"), "length", "- 반"),
        (completion(None, refusal="I cannot."), "refusal", "I cannot."),
        (completion("<think>so long", finish_reason="length"), "thinking", ""),
        (completion("", finish_reason="length", reasoning_content="hm"), "thinking", ""),
        (completion(None, finish_reason="length", reasoning="hm"), "thinking", ""),
        (
            completion(
                "",
                finish_reason="length",
                usage={"completion_tokens_details": {"reasoning_tokens": 9}},
            ),
            "thinking",
            "",
        ),
        (completion("", finish_reason="length"), "length", ""),
        (completion("- 답", reasoning_content="hm"), "stop", "- 답"),
    ],
)
async def test_the_finish_reason_names_what_happened(
    server: ChatServer, reply: Reply, finish_reason: str, text: str
) -> None:
    server.script(reply)
    answer = await ask(server)
    assert (answer.finish_reason, answer.text) == (finish_reason, text)


async def test_text_in_parts_is_joined_without_the_thinking_parts(server: ChatServer) -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "- 하나\n"},
        {"type": "text", "text": "- 둘"},
    ]
    server.script(completion(None, content=parts))
    assert (await ask(server)).text == "- 하나\n- 둘"


async def test_lone_surrogates_reach_neither_server_nor_answer(server: ChatServer) -> None:
    server.answers(lambda _: "- 답 \ud83d")
    answer = await ask(server, question("cut \udc00 here"))
    assert server.bodies[0]["messages"][1]["content"] == "cut \ufffd here"
    assert answer.text == "- 답 \ufffd"


# -- servers that take less


@pytest.mark.parametrize(
    ("lacks", "form"), [(("json_schema",), "json_object"), (("json_schema", "json_object"), "text")]
)
async def test_a_weaker_form_of_answer_is_asked_for_once_and_said_once(
    caplog: pytest.LogCaptureFixture, lacks: tuple[str, ...], form: str
) -> None:
    request = question(schema=True)
    before = request.fingerprint
    with ChatServer(lacks=lacks) as server:
        server.answers(lambda _: POINTS)
        model = OpenAIModel("test-1", base_url=server.url, key=KEY)
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                assert (await model.ask(request)).text == POINTS
        await model.aclose()
    sent = [body.get("response_format", {"type": "text"})["type"] for body in server.bodies]
    assert sent == ["json_schema", "json_object", "text"][: len(lacks) + 1] + [form] * 2
    told = server.bodies[-1]["messages"]
    assert json.dumps(SCHEMA) in told[0]["content"]
    assert told[1] == {"role": "user", "content": "Summarise."}
    assert len(caplog.messages) == 1
    assert server.url in caplog.text
    assert "is not supported" in caplog.text
    assert request.fingerprint == before


async def test_a_thousand_concurrent_questions_degrade_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ChatServer(lacks=("json_schema",)) as server:
        server.answers(lambda _: POINTS)
        model = OpenAIModel("test-1", base_url=server.url)
        request = question(schema=True)
        answers = await asyncio.gather(*(model.ask(request) for _ in range(1000)))
        await model.aclose()
    assert {answer.text for answer in answers} == {POINTS}
    assert len(server.requests) <= 2000
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    "said",
    [
        {"detail": [{"loc": ["body", "response_format", "type"], "msg": "unexpected value"}]},
        {"error": "json_schema is not implemented"},
        {"error": {"message": "This response_format type is unavailable now", "param": None}},
        {"error": {"message": "no", "param": "response_format.json_schema"}},
        {"message": "Failed to parse grammar"},
    ],
)
@pytest.mark.parametrize("status", [400, 404, 422, 501])
async def test_refusals_of_a_form_in_the_words_of_many_servers(
    server: ChatServer, said: dict[str, Any], status: int
) -> None:
    server.script(Reply(said, status=status))
    await ask(server, question(schema=True))
    assert [b["response_format"]["type"] for b in server.bodies] == ["json_schema", "json_object"]


async def test_a_refusal_of_every_form_ends(server: ChatServer) -> None:
    refusal = error(400, "response_format is broken here")
    server.script(refusal, refusal, refusal, refusal)
    with pytest.raises(ModelError, match="response_format is broken here") as caught:
        await ask(server, question(schema=True))
    assert len(server.requests) == 3
    assert not caught.value.transient


async def test_a_paper_that_is_refused_degrades_no_other(
    server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    model = OpenAIModel("test-1", base_url=server.url)
    echo = error(400, "too long: {'response_format': …}")
    server.script(echo, echo, echo)
    with pytest.raises(ModelError, match="too long"):
        await model.ask(question(schema=True))
    await model.ask(question(schema=True))
    await model.aclose()
    assert server.bodies[-1]["response_format"]["type"] == "json_schema"
    assert not caplog.messages


@pytest.mark.parametrize(
    ("lacks", "sent"),
    [("max_completion_tokens", "max_tokens"), ("max_tokens", "max_completion_tokens")],
)
async def test_the_token_cap_is_sent_under_the_name_that_the_server_knows(
    caplog: pytest.LogCaptureFixture, lacks: str, sent: str
) -> None:
    with ChatServer(lacks=(lacks,)) as server:
        model = OpenAIModel("test-1", base_url=server.url)
        for _ in range(2):
            await model.ask(question(**{lacks: 300}))
        await model.ask(question(**{sent: 300}))
        await model.aclose()
    assert [(lacks in body, body.get(sent)) for body in server.bodies] == [
        (True, None),
        (False, 300),
        (False, 300),
        (False, 300),
    ]
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"message": "Unrecognized request argument supplied: max_completion_tokens"}},
        {"detail": [{"loc": ["body", "max_completion_tokens"], "msg": "Extra: not permitted"}]},
        {"error": "unknown field `max_completion_tokens`"},
        {"object": "error", "message": "Unexpected keyword 'max_completion_tokens'"},
    ],
)
async def test_refusals_of_a_cap_in_the_words_of_many_servers(
    server: ChatServer, said: dict[str, Any]
) -> None:
    server.script(Reply(said, status=422))
    await ask(server, question(max_completion_tokens=300))
    assert server.bodies[1]["max_tokens"] == 300
