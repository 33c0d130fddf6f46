from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from summarizer.schema import Violation, digest_schema, digest_schema_text, json_text, validate

CHECKED_IN = Path(__file__).parents[1] / "docs" / "digest.schema.json"
PAPER: dict[str, Any] = {"arxiv_id": "2403.00001", "title": "A Title"}


def with_entry(**fields: Any) -> dict[str, Any]:
    return {
        "$schema": "urn:summarizer:digest:1",
        "date": "2024-03-04",
        "entries": [{"paper": PAPER, "summary": {}, **fields}],
    }


def test_the_checked_in_schema_is_the_generated_one() -> None:
    assert CHECKED_IN.read_text(encoding="utf-8") == digest_schema_text()


def test_the_schema_is_one_and_says_its_version() -> None:
    schema = digest_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == "urn:summarizer:digest:1"
    assert schema["properties"]["$schema"] == {"const": "urn:summarizer:digest:1"}


def test_descriptions_come_from_the_docstrings() -> None:
    entry = digest_schema()["$defs"]["Entry"]
    assert entry["description"] == "A paper and its summary, or the reason why it has none."
    assert entry["properties"]["provenance"]["description"] == (
        "null for an entry that was read from a file."
    )


def test_what_follows_the_schema_has_no_violation() -> None:
    assert validate(with_entry(), digest_schema()) == []


@pytest.mark.parametrize(
    ("fields", "pointer", "message"),
    [
        ({"paper": {**PAPER, "votes": "many"}}, "/paper/votes", "a whole number, is 'many'"),
        ({"paper": {**PAPER, "votes": True}}, "/paper/votes", "a whole number, is true"),
        ({"paper": {**PAPER, "title": ""}}, "/paper/title", "should not be empty"),
        ({"paper": {**PAPER, "a/b~c": 1}}, "/paper", "has 'a/b~c', which is not known here"),
        ({"paper": {"title": "T"}}, "/paper", "lacks 'arxiv_id'"),
        ({"status": "fine"}, "/status", "should be 'ok' or 'failed', is 'fine'"),
        ({"summary": {"points": ["x"]}}, "/summary/points/0", "should be an object, is 'x'"),
        ({"summary": "x" * 99}, "/summary", "should be an object, is '" + "x" * 56 + "…"),
        (
            {"paper": {**PAPER, "published": "2024-3-4"}},
            "/paper/published",
            "should be a day that exists, as YYYY-MM-DD, is '2024-3-4'",
        ),
        (
            {"findings": [{"check": "c", "severity": "error", "message": "m", "span": [1]}]},
            "/findings/0/span",
            "should hold 2 values, holds 1",
        ),
        (
            {"findings": [{"check": "c", "severity": "error", "message": "m", "line": 0}]},
            "/findings/0/line",
            "should be 1 or more, is 0",
        ),
    ],
)
def test_a_violation_has_a_pointer_and_a_plain_sentence(
    fields: dict[str, Any], pointer: str, message: str
) -> None:
    (violation,) = validate(with_entry(**fields), digest_schema())
    assert violation.pointer == f"/entries/0{pointer}"
    assert violation.message.endswith(message)


def test_every_violation_is_told_once() -> None:
    violations = validate(with_entry(paper={}, status=1), digest_schema())
    assert violations == [
        Violation("/entries/0/paper", "lacks 'arxiv_id', 'title'"),
        Violation("/entries/0/status", "should be 'ok' or 'failed', is 1"),
        Violation("/entries/0/status", "should be a text, is 1"),
    ]


def test_any_schema_will_do_and_keys_are_escaped_in_pointers() -> None:
    schema = {
        "type": "object",
        "additionalProperties": {"type": ["string", "null"], "pattern": "^a"},
    }
    assert validate({"a/b~c": 1, "d": None}, schema) == [
        Violation("/a~1b~0c", "should be a text or null, is 1")
    ]
    assert str(*validate([], schema)) == "the document: should be an object, is a list"
    assert validate({"d": "b"}, schema) == [Violation("/d", "does not satisfy pattern: '^a'")]


def test_json_is_written_readably() -> None:
    assert json_text({"b": "가", "a": [1]}) == '{\n  "b": "가",\n  "a": [\n    1\n  ]\n}\n'
    assert json.loads(json_text(digest_schema())) == digest_schema()
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(float("nan"))
