from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer import Digest, Entry, Paper, Summary
from summarizer.errors import InputError
from summarizer.formats.json import parse_json, render_json
from summarizer.schema import digest_schema, validate
from tests.strategies import full_digests

ID = "urn:summarizer:digest:1"
PAPER = {"arxiv_id": "2403.00001", "title": "A Title"}


def document(**fields: Any) -> dict[str, Any]:
    entry = {"paper": PAPER, "summary": {"points": [{"text": "한 점이다."}]}}
    return {"$schema": ID, "date": "2024-03-04", "entries": [entry], **fields}


@settings(max_examples=100)
@given(full_digests)
def test_everything_comes_back_and_follows_the_schema(digest: Digest) -> None:
    text = render_json(digest)
    assert parse_json(text) == digest
    assert validate(json.loads(text), digest_schema()) == []


def test_the_text_is_small_readable_and_ends_its_line() -> None:
    entry = Entry(paper=Paper(arxiv_id="2403.00001", title="A"), summary=Summary(points=["한 점"]))
    text = render_json(Digest(date=dt.date(2024, 3, 4), entries=(entry,)))
    assert text == (
        '{\n  "$schema": "urn:summarizer:digest:1",\n  "date": "2024-03-04",\n'
        '  "language": "ko",\n  "entries": [\n    {\n      "paper": {\n'
        '        "arxiv_id": "2403.00001",\n        "title": "A"\n      },\n'
        '      "summary": {\n        "points": [\n          {\n            "text": "한 점"\n'
        "          }\n        ]\n      }\n    }\n  ]\n}\n"
    )


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert parse_json("\ufeff" + json.dumps(document())) == parse_json(json.dumps(document()))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"$schema": "urn:summarizer:digest:2"}, "follows the schema 'urn:summarizer:digest:2'"),
        ({"$schema": "https://example.org/feed"}, "follows the schema 'https://example.org/feed'"),
        ({"$schema": 1}, "/$schema: should be 'urn:summarizer:digest:1', is 1"),
        ({"date": "2024-02-30"}, "/date: should be a day that exists"),
        ({"entries": {}}, "/entries: should be a list, is an object"),
        ({"entries": [{}]}, "/entries/0: lacks 'paper'"),
        ({"entries": [{"paper": PAPER}]}, "/entries/0: an entry that is ok has a summary"),
        ({"pages": 1}, "the document: has 'pages', which is not known here"),
    ],
)
def test_another_shape_is_refused_by_pointer(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parse_json(json.dumps(document(**fields)), path="some/file.json")
    assert caught.value.path == "some/file.json"
    assert caught.value.hint


def test_only_the_first_violations_are_told() -> None:
    broken = document(entries=[{"paper": {**PAPER, "votes": "many"}}] * 9)
    with pytest.raises(InputError, match="and 6 more") as caught:
        parse_json(json.dumps(broken))
    assert "/entries/0/paper/votes: should be a whole number, is 'many'" in caught.value.message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "this file is empty"),
        ("[]", None, "the document: should be an object, is a list"),
        ("null", None, "the document: should be an object, is null"),
        ('{\n  "date": }', 2, "this is not JSON: Expecting value (column 11)"),
        ("{}\n{}\n", 2, "this is not JSON: Extra data (column 1)"),
        ("## Daily Papers (2024-03-04)\n", 1, "this is not JSON"),
        ('{"date": "2024-03-04", "date": "2024-03-05"}', None, "the key 'date' stands twice"),
        ('{"date": NaN}', None, "NaN is not a number in JSON"),
        ('{"date": -Infinity}', None, "-Infinity is not a number in JSON"),
        ('{"date": 1e999}', None, "the number 1e999 is too large"),
        ('{"date": ' + "1" * 5000 + "}", None, "a whole number has 5000 digits"),
        ('{"date": "\\ud800"}', None, "not valid Unicode"),
        ("[" * 100_000, None, "nested too deeply"),
        ('{"date": ' + "[" * 900 + "]" * 900 + "}", None, "/date: should be a text, is a list"),
        ("{" + '"a":0,' * 50_000 + '"a":0}', None, "the key 'a' stands twice"),
    ],
)
def test_what_is_no_json_document_is_refused(text: str, line: int | None, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parse_json(text)
    assert caught.value.line == line


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
PLACES = ["$schema", "date", "language", "entries", "paper", "summary", "findings", "arxiv_id"]


@settings(max_examples=150)
@given(st.sampled_from(PLACES), ANY_JSON)
def test_a_document_is_read_or_refused_as_its_schema_says(place: str, value: Any) -> None:
    entry = {"paper": PAPER, "summary": {}}
    broken = document()
    if place in broken:
        broken[place] = value
    elif place == "arxiv_id":
        broken["entries"] = [{**entry, "paper": {**PAPER, place: value}}]
    else:
        broken["entries"] = [{**entry, place: value}]
    try:
        parse_json(json.dumps(broken))
    except InputError:
        return
    assert validate(broken, digest_schema()) == []


def places(value: Any) -> list[tuple[Any, Any]]:
    """Each list or object of a document with each of its keys."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    return [place for key in keys for place in [(value, key), *places(value[key])]]


@settings(max_examples=200)
@given(full_digests, st.data())
def test_one_change_anywhere_is_taken_as_the_schema_takes_it(
    digest: Digest, data: st.DataObject
) -> None:
    document = json.loads(render_json(digest))
    inside, key = data.draw(st.sampled_from(places(document)))
    inside[key] = data.draw(
        ANY_JSON | st.just(str(inside[key])) | st.sampled_from([True, 1.0, "2024-01-12T00:00:00"])
    )
    try:
        parse_json(json.dumps(document))
    except InputError:
        return
    assert validate(document, digest_schema()) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"arxiv_id": "2403.00001", "title": "A", "votes": True}, "votes: should be a whole"),
        ({"arxiv_id": "2403.00001", "title": "A", "votes": "3"}, "votes: should be a whole"),
    ],
)
def test_what_the_models_would_convert_is_refused(fields: dict[str, Any], message: str) -> None:
    entry = {"paper": fields, "summary": {"points": [{"text": "한 점이다."}]}}
    with pytest.raises(InputError, match=message):
        parse_json(json.dumps(document(language="ko", entries=[entry])))


def test_points_as_plain_texts_are_refused() -> None:
    entry = {"paper": PAPER, "summary": {"points": ["한 점이다."]}}
    with pytest.raises(InputError, match="points/0: should be an object"):
        parse_json(json.dumps(document(language="ko", entries=[entry])))


def test_a_file_of_ours_is_not_held_against_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    def validated(*_: object) -> None:
        raise AssertionError("this takes ten times as long")

    entry = Entry(paper=Paper(arxiv_id="2403.00001", title="A", votes=3), summary=Summary())
    digest = Digest(date=dt.date(2024, 3, 4), entries=(entry,))
    monkeypatch.setattr("summarizer.formats.json.validate", validated)
    assert parse_json(render_json(digest)) == digest
