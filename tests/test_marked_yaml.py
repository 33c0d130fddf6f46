from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.errors import InputError
from summarizer.marked_yaml import LARGEST, Marked, optional, parse_yaml, read_text

HERE = Path("settings.yaml")


def parse(text: str, first_line: int = 1) -> Marked:
    return parse_yaml(text, HERE, first_line=first_line)


def failure(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-17", -17),
        ("1.5", 1.5),
        ("2e3", 2000.0),
        ("12345678901234567890", 12345678901234567890),
        ("yes", "yes"),
        ("off", "off"),
        ("No", "No"),
        ("2024-01-12", "2024-01-12"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("007", "007"),
        ("0x1f", "0x1f"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        (".5", ".5"),
        ("'7'", "7"),
        ('"true"', "true"),
        ("|\n  two\n  lines", "two\nlines"),
        ("합니다체", "합니다체"),
    ],
)
def test_a_scalar_is_json_s_or_text(written, read):
    value = parse(f"key: {written}").mapping()["key"]
    assert value.plain() == read
    assert type(value.plain()) is type(read)


def test_every_value_knows_its_line_and_its_name():
    whole = parse("a: 1\nb:\n  - x\n  - c: 2\n\nd: {e: 3}\n", first_line=10)
    members = whole.mapping()
    assert {name: member.line for name, member in members.items()} == {"a": 10, "b": 11, "d": 15}
    second = members["b"].sequence()[1].mapping()["c"]
    assert (second.line, second.name) == (13, "b[1].c")
    assert members["d"].mapping()["e"].name == "d.e"
    assert [scalar.plain() for scalar in whole.scalars()] == [1, "x", 2, 3]
    assert whole.plain() == {"a": 1, "b": ["x", {"c": 2}], "d": {"e": 3}}


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n"])
def test_nothing_is_an_empty_mapping(text):
    assert parse(text).mapping() == {}
    assert parse(text).sequence() == ()


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\nb: 2\na: 3", 3, "'a' stands here a second time, first on line 1"),
        ("a: &x 1\nb: *x", 1, "anchors and aliases"),
        ("a: 1\nb: *x", 2, "anchors and aliases"),
        ("a: 1\n&k b: 2", 2, "a key is not plain text"),
        ("a: 1\nb: !!python/name:os.system x", 2, "tags are not read"),
        ("a: !own {b: 1}", 1, "tags are not read"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("? [a, b]\n: 1", 1, "a key is not plain text"),
        ("a: 1\n\tb: 2", 2, "not valid YAML"),
        ("a: 'open\nb: 2", 2, "not valid YAML"),
        ("a: b: c", 1, "not valid YAML"),
        ("a: [1, 2", 1, "not valid YAML"),
        ("a:\n  b: 1\n c: 2", 3, "not valid YAML"),
        ("a: 1\nb: 1e999", 2, "too large"),
        ("a: " + "[" * 40 + "]" * 40, 1, "deeper than 16"),
    ],
)
def test_what_is_refused_names_its_line(text, line, part):
    error = failure(text)
    assert part in str(error)
    assert (error.path, error.line) == (HERE, line)


def test_a_bomb_of_aliases_is_refused_before_it_grows():
    bomb = "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n"
    assert failure(bomb).line == 1


def test_an_unknown_setting_names_the_nearest():
    settings = parse("name: x\nmodle: y\n")
    with pytest.raises(InputError) as caught:
        settings.mapping(["name", "model"])
    assert str(caught.value) == (
        "settings.yaml:2: there is no setting 'modle'. Did you mean 'model'"
    )
    with pytest.raises(InputError, match=r"in 'a'\. There are b, c"):
        parse("a: {zzz: 1}").mapping()["a"].mapping(["b", "c"])


def test_a_setting_that_must_be_there_is_asked_for():
    with pytest.raises(InputError, match=r"the file has no 'name'\. Add a line `name: …`"):
        parse("model: y\n").mapping(["name", "model"], required=["name"])
    assert parse("name: y\n").mapping(["name"], required=["name"])["name"].text() == "y"


@pytest.mark.parametrize(
    ("read", "written", "message"),
    [
        (Marked.text, "7", "key is 7, not text. Put it in quotes"),
        (Marked.text, "true", "key is True, not text. Put it in quotes"),
        (Marked.text, "", "key is empty, not text"),
        (Marked.text, "'  '", "key is '  ', not text"),
        (Marked.text, "[a]", "key is a list, not text"),
        (Marked.integer, "1.0", "key is 1.0, not a whole number"),
        (Marked.integer, "true", "key is True, not a whole number"),
        (Marked.number, "warm", "key is 'warm', not a number"),
        (Marked.number, "false", "key is False, not a number"),
        (Marked.boolean, "yes", "key is 'yes', not true or false"),
        (Marked.mapping, "x", "key is 'x', not a mapping"),
        (Marked.sequence, "{a: 1}", "key is a mapping, not a list"),
        (lambda value: value.integer(least=1), "0", "key is 0, not at least 1"),
        (lambda value: value.one_of(["a", "b"]), "c", "key is 'c', not a or b"),
        (Marked.number, "x" * 90, "key is '" + "x" * 40 + "…', not a number"),
    ],
)
def test_a_wrong_type_is_told_with_what_was_found(read, written, message):
    value = parse(f"# one\nkey: {written}").mapping()["key"]
    with pytest.raises(InputError) as caught:
        read(value)
    assert str(caught.value) == f"settings.yaml:2: {message}"


def test_right_types_are_given_as_they_are():
    members = parse("a: x\nb: 3\nc: 2.5\nd: false\ne: [1]\n").mapping()
    assert members["a"].text() == members["a"].one_of(["x", "y"]) == "x"
    assert members["b"].integer(least=3) == members["b"].number() == 3
    assert members["c"].number() == 2.5
    assert members["d"].boolean() is False
    assert optional(members, "a", Marked.text, "z") == "x"
    assert optional(members, "f", Marked.text, "z") == "z"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcé한 :#-'\"{[", max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_json_is_read_as_json_reads_it(value):
    assert parse(json.dumps({"key": value}, ensure_ascii=False)).plain() == {"key": value}


@given(st.text(max_size=200) | st.text("ab:-[]{}&*!|>'\"#%@? \n\t,", max_size=60))
def test_whatever_is_written_it_is_read_or_refused(text):
    with suppress(InputError):
        parse(text).plain()


def test_a_file_is_read_as_it_is(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes("키: 값\n\ttab\n".encode())
    assert read_text(path) == "키: 값\n\ttab\n"


@pytest.mark.parametrize(
    ("data", "line", "part"),
    [
        (b"\xef\xbb\xbfa: 1\n", 1, "byte order mark"),
        (b"a: 1\nb: 2\r\nc: 3\r\n", 2, "does not end in LF alone"),
        (b"a: 1\nb: \xff\xfe\n", 2, "not UTF-8"),
        ("가: 1\n나: \x00\n".encode(), 2, "control character"),
        ("a: 1\nb: x\u2028y\n".encode(), 2, "control character"),
        (b"a" * (LARGEST + 1), None, "larger than 256 KB"),
    ],
)
def test_a_file_that_is_no_such_text_is_refused(tmp_path, data, line, part):
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_text(path)
    assert part in str(caught.value)
    assert (caught.value.path, caught.value.line) == (path, line)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read: no such file"):
        read_text(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        read_text(tmp_path)
