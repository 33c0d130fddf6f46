"""Prompts: one file says what is asked about a paper, in what form, and how the answer is held.

The format is Prompty 2 (https://prompty.ai), a part of it: settings in YAML between two lines
`---`, then messages that begin with a line `system:`, `user:` or `assistant:` and hold `{{name}}`
where a text of the paper belongs. Our own settings stand under `metadata`. A file is split at roles
and names once, when it is loaded; what is put in afterwards is never read as either.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from summarizer.checks import DEFAULT, validate_checks
from summarizer.errors import InputError, near
from summarizer.marked_yaml import Marked, optional, parse_yaml, read_text
from summarizer.models import MODELS, Request
from summarizer.shipped import available, find
from summarizer.templates import split_messages

if TYPE_CHECKING:
    from pathlib import Path

    from summarizer.checks import Checks
    from summarizer.digest import Basis, Paper
    from summarizer.templates import MessageTemplate

Register: TypeAlias = Literal["합니다체", "한다체", "명사형"]

INPUTS = ("arxiv_id", "title", "abstract")
"""The texts of a paper that a prompt may ask for."""

_BASES: tuple[Basis, ...] = ("abstract", "paper")
_REGISTERS: tuple[Register, ...] = get_args(Register)

_OPTIONS: Mapping[str, tuple[str, Callable[[Marked], Any]]] = {
    "temperature": ("temperature", Marked.number),
    "topP": ("top_p", Marked.number),
    "maxOutputTokens": ("max_completion_tokens", lambda option: option.integer(least=1)),
    "reasoningEffort": ("reasoning_effort", Marked.text),
    "seed": ("seed", Marked.integer),
    "frequencyPenalty": ("frequency_penalty", Marked.number),
    "presencePenalty": ("presence_penalty", Marked.number),
    "stopSequences": ("stop", lambda option: [stop.text() for stop in option.sequence()]),
}
"""Prompty's names of the model's options, what OpenAI's protocol calls them, how they are read."""

# What `additionalProperties` may not say: it is said elsewhere, or could carry a key.
_RESERVED = {"messages", "model", "n", "response_format", "stream", "api_key"}
_RESERVED |= {"extra_headers", *(wire for wire, _ in _OPTIONS.values())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is asked about a paper, and how the answer is held against it.

    Attributes:
        path: The file it was loaded from.
        hash: SHA-256 (hex) of the file's bytes.
        inputs: The texts of a paper that the messages use, each with what stands in for it where
            the paper has none; None where a paper without it cannot be asked about.
        output: `"points"` is a JSON object of the form `output_schema`, `"lines"` are plain lines
            that begin with `- `.
        output_schema: JSON Schema of the answer; None for lines.
        params: What is sent beside the messages, as OpenAI's protocol calls it.
        model: Spec of the model that the prompt was written for, if it names one.
        language: Of the summary, as a BCP 47 tag.
        register: Speech level that the prompt asks for.
        checks: Exactly these hold the answers; None leaves it to the default.
        repairs: How often a failed answer is asked for again; None leaves it to the default.
        basis: What the points are written from.
    """

    name: str
    description: str
    path: Path
    hash: str
    messages: tuple[MessageTemplate, ...]
    inputs: Mapping[str, str | None]
    output: Literal["points", "lines"]
    output_schema: Mapping[str, Any] | None
    params: Mapping[str, Any]
    model: str | None
    language: str
    register: Register | None
    checks: Checks | None
    repairs: int | None
    basis: Basis

    def missing(self, paper: Paper) -> list[str]:
        """The texts without which nothing can be asked, and which the paper lacks."""
        return [
            name
            for name, default in self.inputs.items()
            if default is None and not _text_of(paper, name)
        ]

    def render(self, paper: Paper, *, sample: int = 0) -> Request:
        """The question about a paper.

        Args:
            paper: Its texts are put in as they are.
            sample: Which independent answer is wanted.

        Raises:
            InputError: The paper lacks a text that the prompt needs.
        """
        if missing := self.missing(paper):
            raise InputError(
                f"the paper {paper.arxiv_id} has no {' and no '.join(missing)}",
                hint=f"The prompt {self.name!r} cannot do without",
            )
        values = {
            name: _text_of(paper, name) or default or "" for name, default in self.inputs.items()
        }
        return Request(
            messages=tuple(message.fill(values) for message in self.messages),
            params=self.params,
            output_schema=self.output_schema,
            sample=sample,
            label=f"{paper.arxiv_id} {self.name}",
        )


def _text_of(paper: Paper, name: str) -> str:
    text: str | None = getattr(paper, name)
    return text if text and text.strip() else ""


def list_prompts() -> dict[str, Path]:
    """The prompts that can be loaded by name: those of `prompts/` here, and the shipped ones."""
    return available("prompts", suffix=".prompty")


def diff_prompts(a: Prompt, b: Prompt) -> str:
    """What changes from one prompt to another, as a unified diff; empty where nothing does."""
    names = (a.name, b.name) if a.name != b.name else (str(a.path), str(b.path))
    return "\n".join(difflib.unified_diff(_lines(a), _lines(b), *names, lineterm=""))


def _lines(prompt: Prompt) -> list[str]:
    apart = ("name", "description", "path", "hash", "messages")
    settings = [field.name for field in fields(prompt) if field.name not in apart]
    lines = [
        f"{name}: {json.dumps(getattr(prompt, name), ensure_ascii=False)}" for name in settings
    ]
    for message in prompt.messages:
        text = "".join(f"{{{{{p}}}}}" if i % 2 else p for i, p in enumerate(message.parts))
        lines += ["", f"{message.role}:", *text.split("\n")]
    return lines


def load_prompt(name_or_path: str | Path) -> Prompt:
    """Load a prompt by its path or by its name.

    Raises:
        InputError: There is no such file, or it is not a prompt; with file and line.
    """
    path = find(str(name_or_path), "prompts", suffix=".prompty")
    text = read_text(path)
    settings, body = _split(text, path)
    known = ("name", "description", "model", "inputs", "outputs", "template", "metadata")
    given = settings.mapping(known, required=["name"])
    for scalar in settings.scalars():
        if isinstance(scalar.content, str) and scalar.content.startswith("${"):
            raise scalar.error("references are not read", hint="Write the value itself")
    optional(given, "template", _check_template, None)
    inputs: Mapping[str, Marked] = optional(given, "inputs", _inputs, {})
    messages = tuple(split_messages(body, list(inputs)))
    used = {part for message in messages for part in message.parts[1::2]}
    for unused in [declaration for name, declaration in inputs.items() if name not in used]:
        raise unused.error(
            "no message uses this input",
            hint="Write its name in {{ }} where it belongs, or drop it",
        )
    schema = optional(given, "outputs", _output_schema, None)
    model, params = _model(given["model"]) if "model" in given else (None, {})
    metadata: Mapping[str, Marked] = optional(given, "metadata", _metadata, {})
    register = optional(metadata, "register", lambda chosen: chosen.one_of(_REGISTERS), None)
    return Prompt(
        name=_matching(given["name"], r"\w[\w.-]*", "a name of letters, digits, '.', '-' and '_'"),
        description=optional(given, "description", Marked.text, ""),
        path=path,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        messages=messages,
        inputs={name: _default(declaration) for name, declaration in inputs.items()},
        output="points" if schema else "lines",
        output_schema=schema,
        params=params,
        model=model,
        language=optional(metadata, "language", _language, "ko"),
        register=register,
        checks=_in_register(optional(metadata, "checks", _checks, None), register),
        repairs=optional(metadata, "repairs", lambda number: number.integer(least=0), None),
        basis=optional(metadata, "basis", lambda chosen: chosen.one_of(_BASES), "abstract"),
    )


def _split(text: str, path: Path) -> tuple[Marked, list[Marked]]:
    """The settings, and the lines of the body."""
    lines = [Marked(line, path, number) for number, line in enumerate(text.split("\n"), 1)]
    if not text.strip():
        raise InputError("the file is empty", path=path)
    if text.partition("\n")[0].rstrip() != "---":
        raise lines[0].error("the file does not begin with settings", hint="Begin it with `---`")
    for line in lines[1:]:
        content = str(line.content)
        if content.rstrip() == "---":
            body = lines[line.line :]
            if not any(str(line.content).strip() for line in body):
                raise line.error("the prompt has no message", hint="Add one under a line `user:`")
            before = "\n".join(text.split("\n")[1 : line.line - 1])
            return parse_yaml(before, path, first_line=2), body
        if "---" in content or "+++" in content:
            raise line.error("Prompty takes `---` and `+++` for the settings' end", hint="Drop it")
    raise lines[-1].error("the settings do not end", hint="End them with a line `---`")


def _matching(value: Marked, pattern: str, wanted: str) -> str:
    if not re.fullmatch(pattern, value.text()):
        raise value.error(f"{value.text()!r} is not {wanted}")
    return value.text()


def _language(value: Marked) -> str:
    return _matching(value, r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*", "a language tag such as ko")


def _declared(declarations: Marked) -> Mapping[str, Marked]:
    """What Prompty's `inputs` or `outputs` declare: a list of mappings, or a mapping by name."""
    if isinstance(declarations.content, Mapping):
        return declarations.mapping()
    declared: dict[str, Marked] = {}
    for declaration in declarations.sequence():
        name = declaration.mapping(required=["name"])["name"].text()
        if name in declared:
            raise declaration.error(f"{name!r} is declared a second time")
        declared[name] = declaration
    return declared


def _kind(members: Mapping[str, Marked]) -> object:
    return members["kind"].content if "kind" in members else None


def _inputs(declarations: Marked) -> Mapping[str, Marked]:
    inputs = _declared(declarations)
    for name, declaration in inputs.items():
        if name not in INPUTS:
            raise declaration.error(f"a paper has no text {name!r}", hint=near(name, INPUTS))
        known = ("name", "kind", "description", "required", "default", "example")
        if _kind(declaration.mapping(known)) != "string":
            raise declaration.error(f"the input {name!r} is not text", hint="Add `kind: string`")
    return inputs


def _default(declaration: Marked) -> str | None:
    members = declaration.mapping()
    spared = "required" in members and not members["required"].boolean()
    return optional(members, "default", Marked.text, "" if spared else None)


def _output_schema(outputs: Marked) -> dict[str, Any]:
    """The schema that Prompty itself sends for these outputs, in OpenAI's strict form."""
    declared = _declared(outputs)
    if list(declared) != ["points"]:
        raise outputs.error(
            "the outputs are not `points` alone",
            hint="Declare `points`, an array of strings; without outputs, lines are wanted",
        )
    points = declared["points"].mapping(("name", "kind", "description", "required", "items"))
    items = points["items"].mapping(("kind", "description")) if "items" in points else {}
    if (_kind(points), _kind(items)) != ("array", "string"):
        raise declared["points"].error(
            "`points` is not an array of strings",
            hint="Write `kind: array` and `items: {kind: string}`",
        )
    if "required" in points and not points["required"].boolean():
        raise points["required"].error("`points` cannot be optional", hint="Write `required: true`")
    schema: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    if "description" in points:
        schema["description"] = points["description"].text()
    return {
        "type": "object",
        "properties": {"points": schema},
        "required": ["points"],
        "additionalProperties": False,
    }


def _check_template(template: Marked) -> None:
    """Only Jinja's `{{name}}` is read; Mustache's would turn `&` into `&amp;`."""
    engines = {"format": "jinja2", "parser": "prompty"}
    for part, engine in template.mapping(engines).items():
        whole = isinstance(engine.content, Mapping)
        kind = engine.mapping(("kind",)).get("kind", engine) if whole else engine
        kind.one_of([engines[part]])


def _model(model: Marked) -> tuple[str | None, dict[str, Any]]:
    if isinstance(model.content, str):
        return _spec(model, model.text()), {}
    members = model.mapping(("id", "provider", "apiType", "options"))
    spec = None
    if "id" in members:
        provider = optional(members, "provider", lambda provider: provider.text() + ":", "")
        spec = _spec(members["id"], provider + members["id"].text())
    optional(members, "apiType", lambda kind: kind.one_of(["chat"]), None)
    return spec, optional(members, "options", _params, {})


def _spec(model: Marked, spec: str) -> str:
    kind, colon, _ = spec.partition(":")
    if kind not in MODELS or not colon:
        kinds = " or ".join(f"{kind}:…" for kind in MODELS)
        raise model.error(f"{spec!r} does not say what answers", hint=f"Write {kinds}")
    return spec


def _params(options: Marked) -> dict[str, Any]:
    given = options.mapping([*_OPTIONS, "additionalProperties"])
    params = {wire: read(given[name]) for name, (wire, read) in _OPTIONS.items() if name in given}
    others = given["additionalProperties"].mapping() if "additionalProperties" in given else {}
    for name, value in others.items():
        if name in _RESERVED:
            raise value.error(f"{name!r} cannot be set here")
        params[name] = value.plain()
    return params


def _metadata(metadata: Marked) -> Mapping[str, Marked]:
    ours = ("language", "register", "checks", "repairs", "basis")
    return metadata.mapping((*ours, "authors", "tags"))


def _checks(checks: Marked) -> Checks | None:
    """Which checks run, with their parameters; nothing written is not the same as none: `{}`."""
    if checks.content is None:
        return None
    wanted: dict[str, dict[str, Any]] = {}
    for name, check in checks.mapping().items():
        _validate(check, {name: {}})
        for parameter, value in check.mapping().items():
            _validate(value, {name: {parameter: value.plain()}})
        wanted[name] = {parameter: value.plain() for parameter, value in check.mapping().items()}
    return wanted


def _in_register(checks: Checks | None, register: Register | None) -> Checks | None:
    """The checks, that of the register told which one the prompt asks for."""
    wanted = DEFAULT if checks is None else checks
    if register is None or "register" not in wanted:
        return checks
    return {**wanted, "register": {"wanted": register, **wanted["register"]}}


def _validate(place: Marked, checks: Checks) -> None:
    try:
        validate_checks(checks)
    except InputError as error:
        raise place.error(error.message, hint=error.hint) from None
