"""The one seam to whatever answers questions: a model, a recording, a store, a limit."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib import import_module
from typing import Any, Literal, Protocol, Self, TypeAlias

from pydantic import Field

from summarizer.digest import Usage, Value
from summarizer.errors import InputError

Role: TypeAlias = Literal["system", "user", "assistant"]

MODELS: Mapping[str, str] = {
    "openai": "summarizer.models.openai:open_openai",
    "replay": "summarizer.models.replay:open_replay",
    "langchain": "summarizer.langchain:open_langchain",
}
"""What a model spec's first word opens; each is a function from the rest of the spec."""

# Shapes of keys that vendors hand out; a spec is printed and kept, so it must not hold one.
_KEY = re.compile(
    r"\b(sk|pk|key|xai|gsk|hf|AIza)[-_]?[A-Za-z0-9_-]{16,}|(api[-_]?key|token)=", re.IGNORECASE
)


_KEPT = 16  # instructions of prompts


class Message(Value):
    """One message of a chat."""

    role: Role
    content: str


class Request(Value):
    """A question to a model.

    Attributes:
        messages: The chat, in order.
        params: What is sent beside them (`temperature`, `max_completion_tokens`, …).
        output_schema: The JSON Schema that the answer must satisfy; None for free text.
        sample: 0, 1, …: the nth independent answer to the same question; not sent.
        label: Paper and prompt, for people; not sent, and no part of the question.
    """

    messages: tuple[Message, ...]
    params: Mapping[str, Any] = Field(default_factory=dict)
    output_schema: Mapping[str, Any] | None = None
    sample: int = Field(default=0, ge=0)
    label: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the canonical JSON of messages, params, schema and sample."""
        asked = {"params": self.params, "sample": self.sample, "schema": self.output_schema}
        rest = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        messages = ",".join(map(_canonical, self.messages))
        return hashlib.sha256(f'{{"messages":[{messages}],{rest[1:]}'.encode()).hexdigest()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A changed copy; pydantic's own would keep the fingerprint of the question it was."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("fingerprint", None)
        return copied


def _canonical(message: Message) -> str:
    # All questions of a prompt share its instructions, which are longer than most abstracts.
    content = _instructions(message.content) if message.role == "system" else _json(message.content)
    return f'["{message.role}",{content}]'


_json = json.JSONEncoder().encode
_instructions = lru_cache(maxsize=_KEPT)(_json)


class Answer(Value):
    """What a model answered.

    Attributes:
        text: The answer, without a model's thinking.
        finish_reason: `stop`, `length`, `content_filter`, …, as the server named it; `thinking`
            where thinking used up all tokens, `refusal` where the model refused.
        model: As the server named it.
        usage: None where the server did not say.
        headroom: The server's rate limits as it sent them; neither stored nor recorded.
    """

    text: str
    finish_reason: str = "stop"
    model: str = ""
    usage: Usage | None = None
    headroom: Mapping[str, str] | None = Field(default=None, exclude=True)


class Unanswered(Value):
    """Sent into a flow in place of an answer: there is none, and why.

    Attributes:
        asked: False where nobody was asked: a replay lacks the question.
    """

    reason: str
    asked: bool = True


class ChatModel(Protocol):
    """Answers requests; a store, a recording or a limit wraps one and is one."""

    @property
    def name(self) -> str:
        """What answers are filed under, with `Request.fingerprint`."""

    async def ask(self, request: Request) -> Answer:
        """Answer one request.

        Raises:
            ModelError: There is no answer to this one.
            ModelUnusable: There will be none to any other either.
        """

    async def aclose(self) -> None:
        """Let go of connections and files."""


def open_model(spec: str) -> ChatModel:
    """Open what a model spec names: `openai:gpt-5-mini`, `replay:PATH`, `langchain:pkg.mod:Class`.

    Raises:
        InputError: The spec is unknown, incomplete or carries a key.
    """
    refuse_key(spec)
    kind, _, rest = spec.partition(":")
    if kind not in MODELS or not rest:
        raise InputError(
            f"there is no model {spec!r}",
            hint=f"Write one of {', '.join(f'{kind}:…' for kind in MODELS)}",
        )
    module, _, name = MODELS[kind].partition(":")
    opened: ChatModel = getattr(import_module(module), name)(rest)
    return opened


def refuse_key(spec: str) -> None:
    """Refuse a spec that carries a key, before it is printed or kept.

    Raises:
        InputError: It seems to carry one; the message does not repeat it.
    """
    if _KEY.search(spec):
        raise InputError(
            "the model's name seems to carry a key",
            hint="Put the key into the environment (OPENAI_API_KEY) and leave it out of the name",
        )
