"""A digest as JSON: everything that is known of it, as the published schema describes it."""

from __future__ import annotations

import json
import math
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NoReturn, cast

from pydantic import ValidationError

from summarizer.digest import Digest
from summarizer.errors import InputError
from summarizer.schema import DIGEST_ID, Violation, digest_schema, json_text, validate

if TYPE_CHECKING:
    from pathlib import Path

_HINT = "`summarizer schema` prints what a digest holds"
_SHOWN = 3

_schema = cache(digest_schema)


def render_json(digest: Digest) -> str:
    """All of a digest; fields that hold their default are left out of its entries.

    A parameter of a model that is NaN or infinite becomes null, as JSON has no word for it.
    """
    return json_text(_document(digest))


def _document(digest: Digest) -> dict[str, object]:
    whole = digest.model_dump(mode="json", exclude_defaults=True)
    return {
        "$schema": DIGEST_ID,
        "date": whole["date"],
        "language": digest.language,
        "entries": whole.get("entries", []),
    }


def parse_json(text: str, *, path: str | Path | None = None) -> Digest:
    """Read a digest that follows the published schema.

    Args:
        text: The whole file.
        path: Where it was read; named in errors.

    Raises:
        InputError: It is not JSON, follows another schema, or does not follow its own.
    """
    try:
        return _parse(text, path)
    except RecursionError:
        raise InputError("this JSON is nested too deeply", hint=_HINT, path=path) from None


def _parse(text: str, path: str | Path | None) -> Digest:
    if not text.strip():
        raise InputError("this file is empty", hint=_HINT, path=path)
    document = _load(text, path)
    follows = document.get("$schema") if isinstance(document, dict) else None
    if isinstance(follows, str) and follows != DIGEST_ID:
        raise InputError(
            f"this JSON follows the schema {follows!r}, which this version does not know",
            hint=f"This version reads {DIGEST_ID}; a newer one may read it",
            path=path,
        )
    if digest := _as_written(document):
        return digest
    if violations := validate(document, _schema()):
        raise _refuse(violations, path)
    try:
        return _digest(document)
    except ValidationError as error:
        raise _refuse(
            [
                Violation(
                    "".join(f"/{step}" for step in problem["loc"]),
                    problem["msg"].removeprefix("Value error, "),
                )
                for problem in error.errors(include_url=False, include_input=False)
            ],
            path,
        ) from None


def _digest(document: object) -> Digest:
    fields = cast("dict[str, object]", document)
    return Digest.model_validate({key: fields[key] for key in fields if key != "$schema"})


def _as_written(document: object) -> Digest | None:
    """The digest, where the document is what `render_json` makes of it, and so follows the schema.

    All of our own files are; this takes a tenth of the time of holding them against the schema.
    """
    if not isinstance(document, dict):
        return None
    try:
        digest = _digest(document)
    except ValidationError:
        return None  # the schema words what is wrong
    # As text, for to Python true is 1 and 1.0 is 1; the models take what the schema does not.
    return digest if _compact(_document(digest)) == _compact(document) else None


def _refuse(violations: list[Violation], path: str | Path | None) -> InputError:
    told = "; ".join(map(str, violations[:_SHOWN]))
    more = len(violations) - _SHOWN
    return InputError(
        f"this is no digest: {told}" + (f"; and {more} more" if more > 0 else ""),
        hint=_HINT,
        path=path,
    )


def _load(text: str, path: str | Path | None) -> object:
    """JSON as RFC 8259 has it: no NaN, no key twice, no half of a surrogate pair."""
    try:
        document = json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
        _compact(document).encode()
    except json.JSONDecodeError as error:
        raise InputError(
            f"this is not JSON: {error.msg} (column {error.colno})",
            hint=_HINT,
            path=path,
            line=error.lineno,
        ) from None
    except UnicodeEncodeError:
        raise InputError(
            "a text in this JSON is not valid Unicode", hint=_HINT, path=path
        ) from None
    except ValueError as error:
        raise InputError(f"this JSON cannot be read: {error}", hint=_HINT, path=path) from None
    return document


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice[:60]!r} stands twice in one object")
    return read


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:60]} is too large")
    return number


def _whole(digits: str) -> int:
    if len(digits) > 4000:
        raise ValueError(f"a whole number has {len(digits)} digits")
    return int(digits)


def _compact(document: object) -> str:
    return json.dumps(document, ensure_ascii=False)
