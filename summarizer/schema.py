"""The published JSON Schemas, and what is wrong with a document that should follow one.

JSON Schema 2020-12, generated from the models. A schema's `$id` carries its version: a document
says in `$schema` which one it follows.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from summarizer.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema.exceptions import ValidationError
    from pydantic import BaseModel

Schema: TypeAlias = "Mapping[str, Any]"

DIGEST_ID = "urn:summarizer:digest:1"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ATTRIBUTE = re.compile(r"^(\w+): ((?:.+\n?)(?:^ +.+\n?)*)", re.MULTILINE)
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a text",
}


class Violation(NamedTuple):
    """One thing that is wrong with a document.

    Attributes:
        pointer: Where, as a JSON Pointer (RFC 6901); empty for the whole document.
        message: What should be there and what is, as half a sentence.
    """

    pointer: str
    message: str

    def __str__(self) -> str:
        """`/entries/0/paper/votes: should be a whole number, is 'many'`."""
        return f"{self.pointer or 'the document'}: {self.message}"


def digest_schema() -> dict[str, Any]:
    """The schema of a digest's JSON."""
    schema = published(Digest, DIGEST_ID)
    schema["properties"] = {"$schema": {"const": DIGEST_ID}} | schema["properties"]
    schema["required"] = ["$schema", *schema["required"]]
    return schema


def digest_schema_text() -> str:
    """The schema of a digest's JSON as text: what `docs/digest.schema.json` holds."""
    return json_text(digest_schema())


def json_text(document: object) -> str:
    """JSON as every file of the project holds it: indented, readable, with a last line break.

    Raises:
        ValueError: It holds NaN or an infinite number.
    """
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def validate(document: object, schema: Schema) -> list[Violation]:
    """What is wrong with a document, each thing once; nothing where it follows the schema."""
    from jsonschema import Draft202012Validator, FormatChecker

    validator = Draft202012Validator(schema, format_checker=FormatChecker(["date"]))
    violations: dict[Violation, None] = {}
    for error in validator.iter_errors(document):
        violations |= dict.fromkeys(_violations(error))
    return list(violations)


def published(model: type[BaseModel], identity: str) -> dict[str, Any]:
    """A model's schema, its descriptions taken from the docstrings.

    Args:
        model: Has models among its fields, and says under `Attributes` what needs saying of each.
        identity: The schema's `$id`.
    """
    generated = model.model_json_schema()
    for part in (generated, *generated["$defs"].values()):
        docstring = inspect.cleandoc(part.get("description", ""))
        text, _, attributes = docstring.partition("\n\nAttributes:\n")
        part["description"] = _one_line(text)
        told = dict(_ATTRIBUTE.findall(inspect.cleandoc(attributes)))
        for name, member in part["properties"].items():
            member.pop("title", None)
            if name in told:
                member["description"] = _one_line(told[name])
    definitions = generated.pop("$defs")
    return {"$schema": _DIALECT, "$id": identity, **generated, "$defs": definitions}


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("None", "null")


def _violations(error: ValidationError) -> Iterator[Violation]:
    if error.validator == "anyOf":
        # A field that may be null: what counts is what is wrong with the value it should have.
        for inner in error.context or ():
            if inner.validator_value != "null":
                yield from _violations(inner)
        return
    pointer = "".join(
        "/" + str(step).replace("~", "~0").replace("/", "~1") for step in error.absolute_path
    )
    yield Violation(pointer, _message(error))


def _message(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    found: Any = error.instance
    match error.validator:
        case "type":
            types = [wanted] if isinstance(wanted, str) else wanted
            return f"should be {' or '.join(_TYPES[t] for t in types)}, is {_shown(found)}"
        case "const":
            return f"should be {wanted!r}, is {_shown(found)}"
        case "enum":
            return f"should be {' or '.join(map(repr, wanted))}, is {_shown(found)}"
        case "format":
            return f"should be a day that exists, as YYYY-MM-DD, is {_shown(found)}"
        case "required":
            return f"lacks {', '.join(repr(key) for key in wanted if key not in found)}"
        case "additionalProperties":
            known: Any = error.schema
            extra = (_shown(key) for key in found if key not in known.get("properties", ()))
            return f"has {', '.join(extra)}, which is not known here"
        case "minLength":
            return "should not be empty"
        case "minimum":
            return f"should be {wanted} or more, is {_shown(found)}"
        case "minItems" | "maxItems":
            return f"should hold {wanted} values, holds {len(found)}"
    return f"does not satisfy {error.validator}: {_shown(wanted)}"


def _shown(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
