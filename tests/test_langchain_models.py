from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
    FakeMessagesListChatModel,
)
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from summarizer.digest import Usage
from summarizer.errors import InputError, ModelError, ModelUnusable
from summarizer.langchain import LangChainModel
from summarizer.models import Answer, Message, Request, open_model

FAKE = "langchain:langchain_core.language_models.fake_chat_models:FakeListChatModel"


def question(**fields: Any) -> Request:
    messages = (
        Message(role="system", content="Be {brief}."),
        Message(role="user", content="Summarise."),
        Message(role="assistant", content="- 반"),
        Message(role="user", content="Again."),
    )
    return Request(messages=messages, **fields)


class Seen(FakeMessagesListChatModel):
    """A LangChain model that notes how it was called."""

    calls: list[Any] = []  # noqa: RUF012 - a pydantic field, copied for each object

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any):
        self.calls.append((messages, stop, kwargs))
        return super()._generate(messages, stop, run_manager)


class Failing(FakeListChatModel):
    error: Any

    def _call(self, *args: Any, **kwargs: Any) -> str:
        raise self.error


async def test_a_class_is_opened_by_its_name_and_arguments() -> None:
    spec = FAKE + '?responses=["- 하나","- 둘%26셋"]&sleep=0'
    model = open_model(spec)
    assert model.name == spec
    assert (await model.ask(question())).text == "- 하나"
    assert (await model.ask(question())).text == "- 둘&셋"
    await model.aclose()


async def test_messages_and_settings_reach_the_model() -> None:
    seen = Seen(responses=[AIMessage("- 답")])
    schema = {"type": "object", "properties": {}}
    model = LangChainModel(seen, name="langchain:x")
    params = {"temperature": 0, "max_completion_tokens": 9, "stop": ["END"]}
    answer = await model.ask(question(params=params, output_schema=schema))
    messages, stop, settings = seen.calls[0]
    assert [message.type for message in messages] == ["system", "human", "ai", "human"]
    assert messages[0].content.startswith("Be {brief}.")
    assert json.dumps(schema) in messages[0].content
    assert messages[3].content == "Again."
    assert stop == ["END"]
    assert settings == {"temperature": 0, "max_tokens": 9}
    assert answer == Answer(text="- 답", model="langchain:x")


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (
            AIMessage(
                "<think>hm</think>\n- 답",
                response_metadata={"finish_reason": "stop", "model_name": "m-1"},
                usage_metadata={
                    "input_tokens": 90,
                    "output_tokens": 30,
                    "total_tokens": 120,
                    "input_token_details": {"cache_read": 50},
                    "output_token_details": {"reasoning": 7},
                },
            ),
            Answer(
                text="- 답",
                model="m-1",
                usage=Usage(prompt=90, completion=30, cached=50, reasoning=7),
            ),
        ),
        (
            AIMessage(
                [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "- 답"}],
                response_metadata={"stop_reason": "end_turn", "model": "c-1"},
            ),
            Answer(text="- 답", model="c-1"),
        ),
        (
            AIMessage("- 반", response_metadata={"stop_reason": "max_tokens"}),
            Answer(text="- 반", finish_reason="length", model="x"),
        ),
        (
            AIMessage("", response_metadata={"finish_reason": "SAFETY"}),
            Answer(text="", finish_reason="content_filter", model="x"),
        ),
        (
            AIMessage("<think>so", response_metadata={"done_reason": "length"}),
            Answer(text="", finish_reason="thinking", model="x"),
        ),
    ],
)
async def test_what_vendors_call_things_is_understood(message: AIMessage, answer: Answer) -> None:
    model = LangChainModel(FakeMessagesListChatModel(responses=[message]), name="x")
    assert await model.ask(question()) == answer


class Status(Exception):
    def __init__(self, status: int, *, nested: bool = False) -> None:
        super().__init__(f"status {status}")
        if nested:
            self.response = Status(status)
        else:
            self.status_code = status


@pytest.mark.parametrize(
    ("raised", "unusable", "transient", "busy"),
    [
        (Status(401), True, False, False),
        (Status(404, nested=True), True, False, False),
        (Status(429), False, True, True),
        (Status(503, nested=True), False, True, True),
        (Status(500), False, True, False),
        (Status(400), False, False, False),
        (TimeoutError(), False, True, False),
        (ConnectionResetError("reset"), False, True, False),
        (type("APITimeoutError", (Exception,), {})("late"), False, True, False),
        (type("RateLimitError", (Exception,), {})("slow down"), False, True, True),
        (ValueError("odd"), False, False, False),
    ],
)
async def test_errors_of_vendors_are_told_apart(
    raised: Exception, unusable: bool, transient: bool, busy: bool
) -> None:
    model = LangChainModel(Failing(responses=[""], error=raised), name="langchain:x")
    with pytest.raises(ModelError, match="langchain:x failed") as caught:
        await model.ask(question())
    assert isinstance(caught.value, ModelUnusable) is unusable
    assert caught.value.transient is transient
    assert caught.value.busy is busy


async def test_what_no_answer_can_hold_is_neither_counted_nor_kept() -> None:
    usage = UsageMetadata(input_tokens=-5, output_tokens=3, total_tokens=-2)
    message = AIMessage("- \ud800 답", usage_metadata=usage)
    model = LangChainModel(FakeMessagesListChatModel(responses=[message]), name="x")
    answer = await model.ask(question())
    assert answer.text == "- \ufffd 답"
    assert answer.usage == Usage(prompt=0, completion=3)


async def test_no_key_of_the_environment_is_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_API_KEY", "odd:0123456789")
    model = LangChainModel(
        Failing(responses=[""], error=ValueError("odd:0123456789 sk-ant-REDACTED")), name="x"
    )
    with pytest.raises(ModelError) as caught:
        await model.ask(question())
    assert "0123456789" not in str(caught.value)
    assert "abcdefgh" not in str(caught.value)


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("no_such_package.module:Class", "needs the module 'no_such_package'"),
        ("langchain_core.language_models:NoSuchChat", "is no chat model class"),
        ("langchain_core.language_models", "is no chat model class"),
        (":X", "cannot be imported"),
        ("json:JSONDecoder", "is no chat model class"),
        ("json:loads", "is no chat model class"),
        (FAKE.removeprefix("langchain:"), "cannot be opened"),
        (FAKE.removeprefix("langchain:") + "?responses", "'responses' is not an argument"),
        (FAKE.removeprefix("langchain:") + "?a b=1", "'a b=1' is not an argument"),
        (FAKE.removeprefix("langchain:") + "?responses=7", "responses"),
    ],
)
def test_a_wrong_spec_is_one_sentence(rest: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        open_model(f"langchain:{rest}")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
