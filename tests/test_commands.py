"""The commands around `digest`: check, convert, prompts, recordings, schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from summarizer import __version__
from summarizer.models.recordings import read_recordings
from tests.conftest import Run

SHARED = Path(__file__).parents[2] / "shared"
ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "fixtures" / "2024-01-12"
PUBLISHED = sorted([*SHARED.glob("seed/*.md"), *SHARED.glob("real/*.md")])

REGULAR = """\
## Daily Papers (2024-01-02)

### [A Method](https://arxiv.org/abs/2401.00001)

Vote: 3

Authors: Ada Lovelace

- 이 논문은 방법을 제안합니다.
- 이 방법은 단순합니다.

"""


@pytest.fixture
def regular(tmp_path: Path) -> Path:
    path = tmp_path / "2024-01-02.md"
    path.write_text(REGULAR)
    return path


@pytest.mark.skipif(not PUBLISHED, reason="needs ../shared")
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_digests_come_back_byte_for_byte_through_json(
    path: Path, run: Run, tmp_path: Path
) -> None:
    there = run("convert", path, "--to", "json", "--out", tmp_path / "a")
    assert (there.code, there.err) == (0, "")
    back = run(
        "convert", tmp_path / "a" / f"{path.stem}.json", "--to", "md", "--out", tmp_path / "b"
    )
    assert (back.code, back.err) == (0, "")
    assert (tmp_path / "b" / path.name).read_bytes() == path.read_bytes()


def test_without_a_folder_a_digest_is_printed(run: Run, regular: Path) -> None:
    assert run("convert", regular, "--to", "md").out == REGULAR
    document = json.loads(run("convert", regular, "--to", "json").out)
    assert document["entries"][0]["paper"]["votes"] == 3
    assert run("convert", regular, regular, "--to", "md").code == 2
    assert "add --out DIR" in run("convert", regular, "--to", "json", "--json").err


def test_two_digests_of_one_day_are_not_mixed(run: Run, regular: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.md"
    other.write_text(REGULAR.replace("단순", "복잡"))
    ended = run("convert", regular, other, "--to", "json", "--out", tmp_path / "out")
    assert ended.code == 2
    assert "2024-01-02" in ended.err
    assert not (tmp_path / "out").exists()


def test_a_regular_digest_is_clean(run: Run, regular: Path) -> None:
    ended = run("check", regular)
    assert (ended.code, ended.out) == (0, "1 file: 0 errors, 0 warnings\n")


def test_departures_are_warnings_with_their_line_or_errors_with_strict(
    run: Run, regular: Path
) -> None:
    regular.write_text(REGULAR.replace("Vote: 3\n\n", ""))
    ended = run("check", regular)
    assert ended.code == 0
    assert (
        f"{regular}\n  2401.00001 A Method\n    line 3: warning: the line of votes is" in ended.out
    )
    strict = run("check", regular, "--strict", "--json")
    assert strict.code == 1
    assert [(f["line"], f["severity"], f["check"]) for f in json.loads(strict.out)] == [
        (3, "error", "format")
    ]


def test_a_wrong_point_is_named_with_its_line(run: Run, regular: Path) -> None:
    regular.write_text(REGULAR.replace("이 방법은 단순합니다.", "This method is simple."))
    ended = run("check", regular)
    assert ended.code == 1
    assert "    line 10: error: the point is not written in Korean (text)" in ended.out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.md", b"", "no digest"),
        ("page.md", b"<!doctype html>\n<p>hello</p>\n", "no digest"),
        ("latin.md", "## Daily Papers (2024-01-02)\n\ncaf\xe9".encode("latin-1"), ":3"),
        ("binary.md", b"\x00\x01\x02", "not a text file"),
        ("broken.json", b'{"date": ', "broken.json"),
        ("shape.json", b'{"date": 1}', "shape.json"),
        ("digest.txt", REGULAR.encode(), ".txt"),
    ],
)
@pytest.mark.parametrize(
    "command", [["check"], ["convert", "--to", "json"]], ids=["check", "convert"]
)
def test_what_is_no_digest_is_told_in_one_sentence(
    command: list[str], name: str, content: bytes, said: str, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ended = run(*command, path)
    assert ended.code == 2
    assert said in ended.err
    assert name in ended.err
    assert ended.out == ""
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "command", [["check"], ["convert", "--to", "json"]], ids=["check", "convert"]
)
def test_a_missing_file_and_a_folder_are_told_apart(
    command: list[str], run: Run, tmp_path: Path
) -> None:
    assert "there is no such file" in run(*command, tmp_path / "none.md").err
    (tmp_path / "folder.md").mkdir()
    assert "folder" in run(*command, tmp_path / "folder.md").err


def test_crlf_and_a_byte_order_mark_are_read_and_reported(run: Run, regular: Path) -> None:
    regular.write_bytes(b"\xef\xbb\xbf" + REGULAR.replace("\n", "\r\n").encode())
    ended = run("check", regular)
    assert ended.code == 0
    assert "byte order mark" in ended.out
    assert run("convert", regular, "--to", "md").out == REGULAR


def test_prompts_are_listed_shown_and_compared(run: Run) -> None:
    listed = json.loads(run("prompts", "list", "--json").out)
    assert [prompt["name"] for prompt in listed] == ["digest-ko", "digest-ko-lines"]
    assert "digest-ko-lines" in run("prompts", "list").out
    assert (
        run("prompts", "show", "digest-ko").out
        == (ROOT / "prompts" / "digest-ko.prompty").read_text()
    )
    assert json.loads(run("prompts", "show", "digest-ko", "--json").out)["repairs"] == 2
    changes = run("prompts", "diff", "digest-ko", "digest-ko-lines").out
    assert changes.startswith("--- digest-ko\n+++ digest-ko-lines\n")
    assert json.loads(run("prompts", "diff", "digest-ko", "digest-ko", "--json").out)["diff"] == []


def test_a_broken_prompt_does_not_hide_the_others(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "mine.prompty").write_text("no front matter")
    ended = run("prompts", "list")
    assert ended.code == 2
    assert "digest-ko-lines" in ended.out
    assert "mine.prompty" in ended.err


def test_render_shows_exactly_what_is_sent(run: Run) -> None:
    first = json.loads((SAMPLE / "papers.jsonl").read_text().splitlines()[1])
    recorded = {r.label.split()[0]: r for r in read_recordings(SAMPLE / "recordings.jsonl")}
    shown = run(
        "prompts", "render", "digest-ko", "--paper", SAMPLE / "papers.jsonl",
        "--id", first["arxiv_id"], "--json", "--model", "unknown",
    )  # fmt: skip
    request = json.loads(shown.out)
    wanted = recorded[first["arxiv_id"]]
    assert request["fingerprint"] == wanted.fingerprint
    assert first["abstract"] in request["messages"][1]["content"]
    assert request["tokens"] > 1000
    text = run(
        "prompts", "render", "digest-ko", "--paper", SAMPLE / "papers.jsonl", "--model", "unknown"
    ).out
    for message in wanted.request.messages[:1]:
        assert message.content in text
    assert "(an estimate)" in text
    assert (
        run("prompts", "render", "digest-ko", "--paper", SAMPLE / "papers.jsonl", "--id", "x").code
        == 2
    )


def test_handwritten_recordings_follow_an_edited_prompt(run: Run, tmp_path: Path) -> None:
    for name in ("papers.jsonl", "recordings.jsonl"):
        (tmp_path / name).write_bytes((SAMPLE / name).read_bytes())
    recordings = tmp_path / "recordings.jsonl"
    edited = tmp_path / "digest-ko.prompty"
    original = (ROOT / "prompts" / "digest-ko.prompty").read_text()
    edited.write_text(original.replace("Faithful\n", "Be faithful\n"))
    assert edited.read_text() != original

    assert f"{recordings}: 18 used" in run("recordings", "show", recordings).out
    with_edited = [recordings, "--prompt", edited]
    rows = json.loads(run("recordings", "show", *with_edited, "--json").out)
    assert {row["state"] for row in rows} == {"stale"}
    day = ["digest", "2024-01-12", "--from", tmp_path / "papers.jsonl", "--prompt", edited]
    replay = [*day, "--model", f"replay:{recordings}", "--out", tmp_path / "out"]
    missed = run(*replay)
    assert missed.code == 2
    assert "2401.05566" in missed.err
    assert "18 handwritten answers moved" in run("recordings", "rekey", *with_edited).out
    assert run(*replay).code == 0
    assert "0 recordings dropped" in run("recordings", "prune", *with_edited).out


@pytest.mark.parametrize("contract", ["digest", "eval-set"])
def test_the_schema_is_the_one_that_is_checked_in(run: Run, contract: str) -> None:
    checked_in = (ROOT / "docs" / f"{contract}.schema.json").read_text()
    assert run("schema", contract).out == checked_in
    if contract == "digest":
        assert run("schema").out == checked_in


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out == f"summarizer, version {__version__}\n"


@pytest.mark.parametrize("arguments", [["frobnicate"], ["digest", "--frobnicate"], ["convert"]])
def test_wrong_arguments_are_2_and_nothing_on_stdout(arguments: list[str], run: Run) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err


@pytest.mark.parametrize("group", [[], ["prompts"], ["recordings"], ["store"]])
def test_what_a_command_does_is_listed_whole(group: list[str], run: Run) -> None:
    listed = run(*group, "--help")
    assert listed.code == 0
    assert not [line for line in listed.out.partition("Commands:")[2].splitlines() if "..." in line]
