"""Chat completions as they travel: a request as a body, a body as an answer. No network here.

Servers differ in what they take, so a request can be put in weaker dialects; what it is filed
under stays the fingerprint of what was wanted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from summarizer.digest import Usage
from summarizer.errors import ModelError, ModelUnusable
from summarizer.models import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from summarizer.models import Request

Form: TypeAlias = Literal["json_schema", "json_object", "text"]

FORMS: tuple[Form, ...] = ("json_schema", "json_object", "text")
CAPS = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}
"""Both names of the token cap, each with the other: old servers and new models differ."""

BUSY = frozenset({429, 503, 529})
"""HTTP statuses of a server that has too much to do; some vendors say 529 for "overloaded"."""

_OURS = frozenset({"messages", "model", "n", "response_format", "stream"})
_FORMAT = re.compile(
    r"response[ _]?format|json[ _]?(schema|object|mode)|structured[ _]output|grammar"
)
_UNSUPPORTED = re.compile(
    r"unsupported|un(known|recogni[sz]ed|expected)|not (supported|permitted|allowed)"
)
_FINISH = {"max_tokens": "length", "model_length": "length"}
_SECRET = re.compile(r"\bBearer \S+|\b(?:(?:sk|pk|rk|gsk|xai|hf)[-_]|AIza)[A-Za-z0-9_*-]{8,}")
_HEADROOM = tuple(
    f"x-ratelimit-{what}-{kind}"
    for what in ("limit", "remaining", "reset")
    for kind in ("requests", "tokens")
)
_SURROGATE = re.compile("[\ud800-\udfff]")

# Thinking comes first. Some servers send its end alone, because their template opened it; a tag
# inside a point is the paper's text and stays.
_THOUGHT = re.compile(r"\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
_END_OF_THOUGHT = re.compile(r"^[ \t]*</think>|</think>[ \t]*\n[ \t]*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server is known to take: the form of an answer, and a token cap that it refused."""

    form: Form = "json_schema"
    refused_cap: str | None = None


class Refused(Exception):
    """What a server answered instead of a completion; another dialect may still be taken.

    Attributes:
        status: The HTTP status, or the one that an error inside a completion names.
        said: The server's own sentence, as it came; empty for a page of HTML.
        codes: Its `code` and `type`.
        param: The field of the request that it complains about, or "".
    """

    def __init__(self, status: int, body: object, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        told = body.get("error", body) if isinstance(body, dict) else body
        fields = told if isinstance(told, dict) else {}
        self.said = _sentence(told)
        self.codes = frozenset(str(fields.get(key)) for key in ("code", "type"))
        self.param = str(fields.get("param") or "")

    def names(self, setting: str) -> bool:
        """Whether it is about this setting of the request."""
        if self.param:
            return self.param == setting
        quotes = "['\"`:,.]"
        return bool(re.search(rf"({quotes} ?){re.escape(setting)}({quotes}|$)", self.said))

    @property
    def is_about_format(self) -> bool:
        """Whether it is about `response_format`."""
        if self.status not in (400, 404, 415, 422, 501):
            return False
        if self.param:
            return self.param.startswith("response_format")
        return self._finds(_FORMAT)

    @property
    def is_about_support(self) -> bool:
        """Whether it says that something is not known here, rather than wrong."""
        return self._finds(_UNSUPPORTED)

    def _finds(self, pattern: re.Pattern[str]) -> bool:
        return bool(pattern.search(self.said.lower()))


def weaker(dialect: Dialect, request: Request, refused: Refused) -> Dialect | None:
    """The dialect to try after a refusal, or None where the refusal is about something else."""
    if request.output_schema is not None and refused.is_about_format and dialect.form != "text":
        return replace(dialect, form=FORMS[FORMS.index(dialect.form) + 1])
    if dialect.refused_cap is None and refused.is_about_support:
        for cap in CAPS:
            if cap in request.params and refused.names(cap):
                return replace(dialect, refused_cap=cap)
    return None


def write_body(request: Request, dialect: Dialect) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """The messages of a request, and everything that is sent beside them but the model.

    Raises:
        ModelUnusable: The prompt sets what the run decides.
    """
    if ours := sorted(_OURS & request.params.keys()):
        raise ModelUnusable(
            f"the prompt's setting {ours[0]!r} cannot be sent",
            hint="Remove it from the prompt: the run decides it",
        )
    messages = [
        {"role": message.role, "content": encodable(message.content)}
        for message in request.messages
    ]
    settings = {
        CAPS[name] if name == dialect.refused_cap else name: value
        for name, value in request.params.items()
    }
    schema = request.output_schema
    if schema is not None and dialect.form == "json_schema":
        wanted = {"name": "answer", "strict": True, "schema": schema}
        settings["response_format"] = {"type": "json_schema", "json_schema": wanted}
    elif schema is not None:
        # In the first message, whatever its role: not every server takes one more message.
        messages[0]["content"] += (
            "\n\nAnswer with one JSON object and nothing else. It must satisfy this JSON Schema:\n"
            + json.dumps(schema, ensure_ascii=False)
        )
        if dialect.form == "json_object":
            settings["response_format"] = {"type": "json_object"}
    return messages, settings


def read_body(content: bytes) -> object:
    """The JSON of a response, or its text where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")


def read_answer(body: object, headers: Mapping[str, str]) -> Answer:
    """Read a completion.

    Returns:
        The answer without thinking. Beside the server's own finish reasons there are `thinking`
        (it used up all tokens, and nothing was answered) and `refusal`.

    Raises:
        Refused: The completion holds an error instead, as relays send it with status 200.
        ModelError: The body is no completion.
    """
    completion = body if isinstance(body, dict) else {}
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else {}
    choice = choice if isinstance(choice, dict) else {}
    problem = choice.get("error") or (not choice and completion.get("error"))
    if problem or choice.get("finish_reason") == "error":
        code = problem.get("code") if isinstance(problem, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        raise Refused(status, {"error": problem}, headers)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise ModelError("the server sent something other than a chat completion", transient=True)
    usage = _usage(completion.get("usage"))
    content = _text(message.get("content"))
    text = without_thinking(content)
    finish_reason = str(choice.get("finish_reason") or "stop")
    finish_reason = _FINISH.get(finish_reason, finish_reason)
    if refusal := _text(message.get("refusal")):
        text, finish_reason = text or refusal, "refusal"
    elif finish_reason == "length" and not text.strip():
        thoughts = (content, message.get("reasoning_content"), message.get("reasoning"))
        if any(thoughts) or (usage and usage.reasoning):
            finish_reason = "thinking"
    return Answer(
        text=encodable(text),
        finish_reason=finish_reason,
        model=encodable(str(completion.get("model") or "")),
        usage=usage,
        headroom=headroom(headers),
    )


def headroom(headers: Mapping[str, str]) -> Mapping[str, str] | None:
    """What a response's headers say of the server's rate limits, if anything."""
    told = {name: value for name in _HEADROOM if (value := headers.get(name)) is not None}
    return told or None


def without_thinking(text: str) -> str:
    """An answer's text without the `<think>…</think>` that it begins with."""
    start = 0
    while thought := _THOUGHT.match(text, start):
        start = thought.end()
    end = _END_OF_THOUGHT.search(text, start)
    if end and text.find("<think>", start, end.start()) < 0:
        start = end.end()
    return text[start:].strip() if start else text


def quoted(text: str, *secrets: str) -> str:
    """A server's words for people: one short line, without secrets or what looks like a key."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = " ".join(_SECRET.sub("***", encodable(text)).split()).rstrip(".")
    return text if len(text) <= 300 else text[:299] + "…"


def tokens(place: object, name: str) -> int:
    """A number of tokens as a server tells it; what no answer can have taken is not counted."""
    value = place.get(name) if isinstance(place, dict) else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
        return value
    return 0


def encodable(text: str) -> str:
    """Without lone surrogates, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()  # trying takes a tenth of the time that looking takes
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def _text(content: object) -> str:
    """A message's text; some servers send it in parts, thinking being one of another type."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(str(part.get("text", "")) for part in parts)
    return content if isinstance(content, str) else ""


def _usage(told: object) -> Usage | None:
    if not isinstance(told, dict):
        return None
    return Usage(
        prompt=tokens(told, "prompt_tokens"),
        completion=tokens(told, "completion_tokens"),
        cached=tokens(told.get("prompt_tokens_details"), "cached_tokens"),
        reasoning=tokens(told.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _sentence(told: object, depth: int = 5) -> str:
    """What a server said, in the shapes that servers have."""
    if isinstance(told, str):
        return "" if "<html" in told.lower() or "<!doctype" in told.lower() else told
    if isinstance(told, list) and depth:
        return "; ".join(filter(None, (_sentence(part, depth - 1) for part in told)))
    if isinstance(told, dict) and depth:
        if isinstance(place := told.get("loc"), list):
            return f"{'.'.join(map(str, place))}: {told.get('msg', '')}"
        said = (_sentence(told.get(key), depth - 1) for key in ("message", "detail"))
        return next(filter(None, said), "")
    return ""
