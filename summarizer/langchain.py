"""The doors to LangChain: its chat models here, and our models, prompts and summaries there.

    chain = as_prompt_template(prompt) | as_chat_model(open_model("replay:answers.jsonl"))
    runnable = as_runnable(prompt=prompt, model=open_model("openai:gpt-5-mini"))

What is called synchronously runs in one event loop in a thread of its own, so that a model's
connections stay in the loop that they began in.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import threading
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, get_args
from urllib.parse import unquote
from weakref import WeakSet

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda

from summarizer.digest import Entry, Paper, Usage
from summarizer.errors import InputError, ModelError, ModelUnusable, SummarizerError
from summarizer.flow import summarize
from summarizer.models import Answer, Message, Request, Role
from summarizer.models.completions import (
    BUSY,
    Dialect,
    encodable,
    quoted,
    tokens,
    without_thinking,
    write_body,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun

    from summarizer.checks import Checks
    from summarizer.models import ChatModel
    from summarizer.prompts import Prompt

T = TypeVar("T")

_open: WeakSet[ChatModel] = WeakSet()

_ROLES: Mapping[str, Role] = {"human": "user", "ai": "assistant"}
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "safety": "content_filter",
}
_PLAIN = Dialect(form="text", refused_cap="max_completion_tokens")
"""What every LangChain model takes: the schema in words, and LangChain's name of the token cap."""


def open_langchain(rest: str) -> LangChainModel:
    """Open `langchain:package.module:Class?arg=value&…`, any chat model class of LangChain.

    Args:
        rest: The class and what it is made with. Values are read as JSON where they are JSON
            (`temperature=0`, `streaming=false`), else as text; `%26` stands for `&`.

    Raises:
        InputError: There is no such class, or it cannot be made with these arguments.
    """
    path, _, query = rest.partition("?")
    module, _, name = path.partition(":")
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        raise InputError(
            f"langchain:{path} needs the module {error.name!r}, which is not installed",
            hint="Install the package that the class comes from",
        ) from None
    except Exception as error:  # noqa: BLE001 - a module may fail in any way
        raise InputError(f"langchain:{path} cannot be imported: {_told(error)}") from None
    if not (isinstance(found, type) and issubclass(found, BaseChatModel)):
        raise InputError(
            f"langchain:{path} is no chat model class of LangChain",
            hint="Write langchain:package.module:Class, such as langchain_ollama:ChatOllama",
        )
    arguments = dict(_argument(part) for part in query.split("&") if part)
    try:
        model = found(**arguments)
    except Exception as error:  # noqa: BLE001 - each class has errors of its own
        raise InputError(f"langchain:{path} cannot be opened: {_told(error)}") from None
    return LangChainModel(model, name=f"langchain:{rest}")


class LangChainModel:
    """A LangChain chat model as a `ChatModel`.

    An output schema is told in words and not through `with_structured_output`, which needs tools
    in many classes and does not keep the text that was answered.

    Args:
        model: Who answers.
        name: What its answers are filed under.
    """

    def __init__(self, model: BaseChatModel, *, name: str) -> None:
        self.name = name
        self._model = model

    async def ask(self, request: Request) -> Answer:
        """Ask once; the callbacks and tags of a running chain are seen by the model.

        Raises:
            ModelError: There is no answer; `transient` says whether to ask again.
            ModelUnusable: The key or the model's name is refused.
        """
        messages, settings = write_body(request, _PLAIN)
        try:
            message = await self._model.ainvoke(messages, **settings)
        except SummarizerError:
            raise
        except Exception as error:  # noqa: BLE001 - each class has errors of its own
            raise self._error(error) from None
        return _answer(message, self.name)

    async def aclose(self) -> None:
        """LangChain's models close themselves."""

    def _error(self, error: Exception) -> ModelError:
        status = getattr(error, "status_code", None)
        if status is None:
            status = getattr(getattr(error, "response", None), "status_code", None)
        said = f"{self.name} failed: {_told(error)}"
        if status in (401, 403, 404):
            return ModelUnusable(said, hint="Check the key and the model's name")
        kind = type(error).__name__.lower()
        busy = bool(re.search("ratelimit|overloaded", kind))
        transient = busy or isinstance(error, TimeoutError | ConnectionError)
        transient = transient or bool(re.search("timeout|connection", kind))
        if isinstance(status, int):
            busy = status in BUSY
            transient = status in (408, 409, 425, 429) or status >= 500
        refused = isinstance(status, int) and 400 <= status < 500
        return ModelError(said, transient=transient, billed=not refused, busy=busy)


def as_chat_model(model: ChatModel) -> BaseChatModel:
    """A `ChatModel` as LangChain's, so that a replay serves other people's chains.

    What a chain binds becomes part of the question: settings by name, `stop`, a JSON Schema as
    `response_format={"type": "json_schema", …}`, and `sample`.
    """
    _close_at_exit(model)
    return _Served(served=model)


def as_prompt_template(prompt: Prompt) -> ChatPromptTemplate:
    """A `Prompt` as LangChain's; filled with a paper's texts it gives the same messages."""
    messages = []
    for message in prompt.messages:
        parts = [
            f"{{{part}}}" if place % 2 else part.replace("{", "{{").replace("}", "}}")
            for place, part in enumerate(message.parts)
        ]
        messages.append((message.role, "".join(parts)))
    defaults = {name: text for name, text in prompt.inputs.items() if text is not None}
    return ChatPromptTemplate(messages, template_format="f-string").partial(**defaults)


def as_runnable(
    *,
    prompt: Prompt,
    model: ChatModel,
    checks: Checks | None = None,
    repairs: int | None = None,
    sample: int = 0,
) -> Runnable[Paper, Entry]:
    """`summarize` as a `Runnable`; the arguments are those of `summarize`.

    A LangChain model that answers sees the callbacks, tags and metadata that it is invoked with.
    """
    _close_at_exit(model)

    async def summarize_paper(paper: Paper) -> Entry:
        return await summarize(
            paper, prompt=prompt, model=model, checks=checks, repairs=repairs, sample=sample
        )

    def wait_for_summary(paper: Paper) -> Entry:
        return _wait(summarize_paper(paper))

    runnable = RunnableLambda(wait_for_summary, afunc=summarize_paper, name="summarize")
    return runnable.with_types(input_type=Paper, output_type=Entry)


class _Served(BaseChatModel):
    served: Any

    @property
    def _llm_type(self) -> str:
        return "summarizer"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.served.name}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: object,
    ) -> ChatResult:
        return _wait(self._agenerate(messages, stop, None, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: object,
    ) -> ChatResult:
        answer = await self.served.ask(_request(messages, stop, kwargs))
        return ChatResult(generations=[ChatGeneration(message=_ai_message(answer))])


def _request(
    messages: list[BaseMessage], stop: list[str] | None, settings: Mapping[str, Any]
) -> Request:
    params = {**settings, "stop": stop} if stop else dict(settings)
    sample = params.pop("sample", 0)
    match params.get("response_format"):
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            del params["response_format"]
        case _:
            schema = None
    return Request(
        messages=tuple(map(_message, messages)), params=params, output_schema=schema, sample=sample
    )


def _message(message: BaseMessage) -> Message:
    role = message.role if isinstance(message, ChatMessage) else message.type
    role = _ROLES.get(role, role)
    if role not in get_args(Role):
        raise InputError(
            f"a {message.type} message cannot be asked here", hint="Leave tools out of the chain"
        )
    return Message.model_validate({"role": role, "content": str(message.text)})


def _ai_message(answer: Answer) -> AIMessage:
    usage = answer.usage
    return AIMessage(
        content=answer.text,
        response_metadata={"finish_reason": answer.finish_reason, "model_name": answer.model},
        usage_metadata=None
        if usage is None
        else {
            "input_tokens": usage.prompt,
            "output_tokens": usage.completion,
            "total_tokens": usage.prompt + usage.completion,
            "input_token_details": {"cache_read": usage.cached},
            "output_token_details": {"reasoning": usage.reasoning},
        },
    )


def _answer(message: AIMessage, name: str) -> Answer:
    told = message.response_metadata
    content = str(message.text)
    text = without_thinking(content)
    reasons = (
        told.get(key) for key in ("finish_reason", "stop_reason", "stopReason", "done_reason")
    )
    finish_reason = str(next(filter(None, reasons), "stop")).lower()
    finish_reason = _FINISH.get(finish_reason, finish_reason)
    usage = None
    if counted := message.usage_metadata:
        usage = Usage(
            prompt=tokens(counted, "input_tokens"),
            completion=tokens(counted, "output_tokens"),
            cached=tokens(counted.get("input_token_details"), "cache_read"),
            reasoning=tokens(counted.get("output_token_details"), "reasoning"),
        )
    if finish_reason == "length" and not text.strip() and (content or (usage and usage.reasoning)):
        finish_reason = "thinking"
    return Answer(
        text=encodable(text),
        finish_reason=finish_reason,
        model=encodable(str(told.get("model_name") or told.get("model") or name)),
        usage=usage,
    )


def _argument(part: str) -> tuple[str, Any]:
    name, equals, value = part.partition("=")
    if not equals or not name.isidentifier():
        raise InputError(f"{part!r} is not an argument of a class", hint="Write name=value")
    value = unquote(value)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _told(error: Exception) -> str:
    """An error's first words, without the keys that the environment holds."""
    secrets = [
        value
        for name, value in os.environ.items()
        if re.search("KEY|TOKEN|SECRET|PASSWORD", name.upper()) and len(value) >= 8
    ]
    return quoted(str(error) or type(error).__name__, *secrets)


def _wait(coroutine: Coroutine[Any, Any, T]) -> T:
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="summarizer-langchain").start()
    atexit.register(_close_all)
    return loop


def _close_at_exit(model: ChatModel) -> None:
    """A chain has no place to close a model, and an open connection would be complained of."""
    with suppress(TypeError):  # of one that takes no weak reference
        _open.add(model)


def _close_all() -> None:
    for model in list(_open):
        _wait(model.aclose())
