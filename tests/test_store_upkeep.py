"""`summarizer store`: what is kept is shown, verified, dropped and exported, and never harmed."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings

from summarizer.digest import Usage
from summarizer.errors import DiskError, InputError, StoreError
from summarizer.models import Answer, Message, Request
from summarizer.store import Store, audit, database, upkeep
from tests.conftest import Run
from tests.disks import Damage, damages, file_size_limit

MINI, LARGE = "openai:gpt-5-mini", "openai:gpt-5"


def question(number: int) -> Request:
    return Request(
        messages=(Message(role="user", content=f"{number}"),),
        label=f"2401.{number:05} digest-ko",
    )


def answer(number: int) -> Answer:
    return Answer(
        text=f"- 답 {number}이다. " * 30,
        model="served",
        usage=Usage(prompt=1_000, completion=100, cached=10),
    )


async def filled(path: Path, mini: int = 40, large: int = 20) -> None:
    """Answers of two models, two batches and two days."""
    with Store(path) as store:
        for model, numbers in ((MINI, range(mini)), (LARGE, range(large))):
            await store.put_many(
                model, [(question(i).fingerprint, question(i).label, answer(i)) for i in numbers]
            )
        await store.submitted(await store.open_batch(MINI, [question(90)]), "batch_1")
        await store.open_batch(LARGE, [question(91), question(92)])
        await store.publish("/archive", dt.date(2024, 1, 1), ["2401.00001", "2401.00002"])
        await store.publish("/archive", dt.date(2024, 1, 2), ["2401.00003"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "answers.sqlite3"
    asyncio.run(filled(path))
    return path


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def kept(path: Path) -> dict[str, int]:
    return {holding.model: holding.answers for holding in upkeep.info(path).models}


# info


def test_info_says_what_is_kept(path: Path, run: Run) -> None:
    change(path, "UPDATE answers SET stored_at = '2024-01-12 09:30:00' WHERE rowid = 1")
    found = json.loads(run("store", "info", "--store", path, "--json").out)
    today = found["models"][1]["last"]
    assert abs(dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(today)) < dt.timedelta(hours=1)
    usage = {"prompt": 40_000, "completion": 4_000, "cached": 400, "reasoning": 0}
    assert found["models"][1] == {
        "model": MINI,
        "answers": 40,
        "tokens": usage,
        "first": "2024-01-12T09:30:00Z",
        "last": today,
    }
    assert [(b["model"], b["server_id"], b["questions"]) for b in found["batches"]] == [
        (MINI, "batch_1", 1),
        (LARGE, None, 2),
    ]
    assert found["archives"] == [
        {
            "archive": "/archive",
            "days": 2,
            "papers": 3,
            "first": "2024-01-01",
            "last": "2024-01-02",
        }
    ]
    assert found["version"] == 2
    assert found["bytes"] >= path.stat().st_size
    said = run("store", "info", "--store", path)
    assert (said.code, said.err) == (0, "")
    for text in (f"{path}: version 2, ", "60 answers", "40,000", "batch_1", "/archive"):
        assert text in said.out


def test_an_answer_without_usage_counts_no_tokens(tmp_path: Path) -> None:
    async def put() -> None:
        with Store(tmp_path / "s") as store:
            await store.put(MINI, question(1), Answer(text="- 답"))

    asyncio.run(put())
    assert upkeep.info(tmp_path / "s").models[0].tokens == Usage()


def test_the_default_store_is_looked_after(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "data" / "summarizer" / "answers.sqlite3"
    missing = run("store", "info")
    assert missing.code == 2
    assert f"{place}: there is no store of answers" in missing.err
    asyncio.run(filled(place))
    assert run("store", "info").out.startswith(f"{place}: ")


@pytest.mark.parametrize("command", ["info", "verify", "export", "gc"])
def test_what_is_no_store_is_refused_and_not_touched(
    run: Run, tmp_path: Path, command: str
) -> None:
    def place(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name / "s"

    empty, folder = place("empty"), place("folder")
    empty.touch()
    folder.mkdir()
    theirs, newer, text = place("theirs"), place("newer"), place("text")
    change(theirs, "CREATE TABLE theirs (x)")
    asyncio.run(filled(newer))
    change(newer, "PRAGMA user_version = 99")
    text.write_text("notes of mine")
    more = ["--model", MINI, "--yes"] if command == "gc" else []
    for wrong, code, said in (
        (place("missing"), 2, "there is no store"),
        (empty, 2, "there is no store"),
        (folder, 2, "not a file"),
        (text / "s", 2, "there is no store"),
        (theirs, 3, "database of another program"),
        (newer, 3, "newer version of summarizer"),
        (text, 3, "no store of answers"),
    ):
        before = wrong.read_bytes() if wrong.is_file() else None
        ended = run("store", command, "--store", wrong, *more)
        assert (ended.code, said in ended.err, ended.out) == (code, True, "")
        assert (wrong.read_bytes() if wrong.is_file() else None) == before
        assert not (tmp_path / "missing" / "s").exists()


async def test_a_store_in_use_is_looked_at_as_it_stands(path: Path) -> None:
    with Store(path) as store:
        await store.put(MINI, question(500), answer(500))
        assert kept(path) == {LARGE: 20, MINI: 41}
        assert audit.verify(path).faults == ()
        await store.put(MINI, question(501), answer(501))


def test_an_older_store_is_looked_at_and_left_as_it_is(path: Path, run: Run) -> None:
    change(
        path,
        "DROP TABLE batches",
        "DROP TABLE days",
        "DROP TABLE published",
        "PRAGMA user_version = 1",
    )
    before = path.read_bytes()
    found = upkeep.info(path)
    assert (found.version, found.batches, found.archives) == (1, (), ())
    assert kept(path) == {LARGE: 20, MINI: 40}
    assert run("store", "verify", "--store", path).code == 0
    assert run("store", "gc", "--store", path, "--batches").code == 0
    assert run("store", "gc", "--store", path, "--model", MINI).code == 0
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_a_store_in_a_folder_that_cannot_be_written_is_read(unprivileged: Path) -> None:
    path = unprivileged / "place" / "s"
    asyncio.run(filled(path))
    path.chmod(0o400)
    path.parent.chmod(0o500)
    assert kept(path) == {LARGE: 20, MINI: 40}
    assert audit.verify(path).faults == ()
    assert [file.name for file in path.parent.iterdir()] == ["s"]
    with pytest.raises(StoreError, match=r"cannot be (opened or )?written"):
        upkeep.gc(path, model=MINI, drop=True)
    assert kept(path) == {LARGE: 20, MINI: 40}


def test_a_folder_as_store_is_wrong_use(run: Run, tmp_path: Path) -> None:
    papers = Path(__file__).parents[1] / "fixtures" / "2024-01-12" / "papers.jsonl"
    asked = ["--from", papers, "--model", "openai:gpt-5-mini", "--dry-run", "--store", tmp_path]
    ended = run("digest", "2024-01-12", *asked)
    assert ended.code == 2
    assert f"{tmp_path}: this is a folder or a device, not a file" in ended.err


# verify


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE answers SET answer = '{}' WHERE rowid = 3", "answer 3 (2401.00002 digest-ko): "),
        ("UPDATE answers SET answer = x'ff00' WHERE rowid = 3", "its text is no answer"),
        ("UPDATE answers SET answer = CAST(x'ff00' AS TEXT) WHERE rowid = 3", "cannot be read"),
        ("UPDATE answers SET answer = '[[[' WHERE rowid = 3", "its text is no answer"),
        (f"UPDATE answers SET answer = '{'[' * 90_000}' WHERE rowid = 3", "its text is no answer"),
        ("UPDATE answers SET model = '' WHERE rowid = 3", "it names no model"),
        ("UPDATE answers SET fingerprint = 'abc' WHERE rowid = 3", "its fingerprint is no SHA-256"),
        ("UPDATE answers SET stored_at = 'soon' WHERE rowid = 3", "its date is not readable"),
        ("UPDATE batches SET questions = '3' WHERE rowid = 1", "its questions cannot be read"),
        ("UPDATE days SET date = '2024-02-30' WHERE id = 1", "day 2024-02-30: it is no date"),
        ("DELETE FROM days WHERE id = 2", "paper 2401.00003: it belongs to no day"),
    ],
)
def test_verify_says_what_is_wrong_where_and_writes_nothing(
    path: Path, run: Run, statement: str, said: str
) -> None:
    assert run("store", "verify", "--store", path).out == f"{path}: 60 answers, all well\n"
    change(path, statement)
    before = path.read_bytes()
    ended = run("store", "verify", "--store", path)
    assert ended.code == 1
    assert said in ended.out
    readable = 60 if "answers" not in statement else 59
    assert ended.out.endswith(f"{readable} answers, 1 fault\n")
    assert "summarizer store recover NEW" in ended.err
    found = json.loads(run("store", "verify", "--store", path, "--json").out)
    assert (found["answers"], len(found["faults"])) == (readable, 1)
    assert path.read_bytes() == before


def pages(path: Path, kind: int) -> list[int]:
    """Where the pages of a kind lie (SQLite file format, section 1.6)."""
    content = path.read_bytes()
    size = int.from_bytes(content[16:18])
    return [at for at in range(size, len(content), size) if content[at] == kind]


def test_a_damaged_page_takes_no_answer_of_another_with_it(path: Path, run: Run) -> None:
    leaf = 13
    content = bytearray(path.read_bytes())
    at = pages(path, leaf)[3]
    content[at : at + 4096] = bytes(4096)
    path.write_bytes(content)
    ended = run("store", "verify", "--store", path)
    assert ended.code == 1
    exported = run("store", "export", "--store", path)
    assert exported.code == 1
    found = [json.loads(line) for line in exported.out.splitlines()]
    assert 40 < len(found) < 60
    assert f"not all could be read ({60 - len(found)} faults)" in exported.err
    assert all(Answer.model_validate(line["answer"]) in map(answer, range(40)) for line in found)


def test_a_damaged_store_is_recovered_into_a_new_one(path: Path, run: Run, tmp_path: Path) -> None:
    change(path, "UPDATE answers SET stored_at = '2024-01-12 09:30:00' WHERE rowid = 1")
    content = bytearray(path.read_bytes())
    at = pages(path, 13)[3]
    content[at : at + 4096] = bytes(4096)
    path.write_bytes(content)
    new = tmp_path / "new" / "s"
    ended = run("store", "recover", "--store", path, new)
    assert ended.code == 1
    before, after = (upkeep.info(new), audit.verify(new))
    assert ended.out == f"{new}: {after.answers} answers of {path}\n"
    assert f"not all could be read ({60 - after.answers} faults)" in ended.err
    assert (after.faults, 40 < after.answers < 60) == ((), True)
    assert before.models[1].first == "2024-01-12T09:30:00Z"
    assert [(b.server_id, b.questions) for b in before.batches] == [("batch_1", 1), (None, 2)]
    assert [(a.days, a.papers) for a in before.archives] == [(2, 3)]
    again = run("store", "recover", "--store", path, new)
    assert again.code == 2
    assert "is there already" in again.err
    assert path.read_bytes() == content
    assert run("store", "recover", "--store", new, tmp_path / "newer").code == 0


def test_a_store_that_was_cut_short_is_recovered_as_far_as_it_goes(
    path: Path, run: Run, tmp_path: Path
) -> None:
    asyncio.run(filled(path, mini=400))
    content = path.read_bytes()
    content = content[: len(content) * 3 // 4]
    path.write_bytes(content)
    ended = run("store", "verify", "--store", path)
    assert (ended.code, "the file: " in ended.out) == (1, True)
    assert run("store", "recover", "--store", path, tmp_path / "new").code == 1
    after = audit.verify(tmp_path / "new")
    assert (after.faults, after.answers > 100) == ((), True)
    assert path.read_bytes() == content


def test_a_recovery_that_fails_leaves_nothing(path: Path, tmp_path: Path) -> None:
    asyncio.run(filled(path, mini=400))
    with file_size_limit(100_000), pytest.raises(StoreError, match="fails, or is full"):
        audit.recover(path, tmp_path / "new" / "s")
    assert list((tmp_path / "new").iterdir()) == []


@settings(max_examples=60)
@example(Damage(100, b"\0" * 200))
@given(damages)
def test_any_damage_is_told_and_never_a_traceback(whole: Path, damage: Damage) -> None:
    damaged = damage.of(whole.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s")
        path.write_bytes(damaged)
        with suppress(StoreError, InputError):  # a file cut to nothing is no store
            upkeep.info(path)
        with suppress(StoreError, InputError):
            found = audit.verify(path)
            assert found.answers == 60 or found.faults
            found_again = list(audit.answers(path))
            assert sum(isinstance(one, audit.Kept) for one in found_again) == found.answers
            assert len(found_again) >= 60 or audit.Fault in map(type, found_again)
        assert path.read_bytes() == damaged


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "answers.sqlite3"
    asyncio.run(filled(path))
    return path


# gc


def test_nothing_goes_without_yes(path: Path, run: Run) -> None:
    before = path.read_bytes()
    ended = run("store", "gc", "--store", path, "--model", MINI)
    assert (ended.code, ended.err) == (0, "")
    assert "40 answers would go; nothing was dropped, --yes does it" in ended.out
    assert path.read_bytes() == before
    found = json.loads(run("store", "gc", "--store", path, "--batches", "--json").out)
    assert [batch["questions"] for batch in found["batches"]] == [1, 2]
    assert (found["models"], found["bytes_after"]) == ([], None)
    assert path.read_bytes() == before


def test_gc_must_be_told_what_can_go(path: Path, run: Run) -> None:
    for wrong in ([], ["--yes"], ["--older-than", "-1"], ["--older-than", "x"]):
        assert run("store", "gc", "--store", path, *wrong).code == 2
    unknown = run("store", "gc", "--store", path, "--model", "openai:gpt-5-min", "--yes")
    assert unknown.code == 2
    assert f"nothing of openai:gpt-5-min. Did you mean '{MINI}'" in unknown.err
    assert kept(path) == {LARGE: 20, MINI: 40}


def test_answers_of_a_model_go_and_the_file_shrinks(path: Path, run: Run) -> None:
    before = path.stat().st_size
    ended = run("store", "gc", "--store", path, "--model", MINI, "--yes")
    assert ended.code == 0
    assert "40 answers dropped" in ended.out
    assert kept(path) == {LARGE: 20}
    assert path.stat().st_size < 0.6 * before
    assert len(upkeep.info(path).batches) == 2
    assert audit.verify(path).faults == ()
    again = run("store", "gc", "--store", path, "--model", MINI, "--yes", "--batches")
    assert "1 of the batches in flight dropped" in again.out
    assert [batch.model for batch in upkeep.info(path).batches] == [LARGE]


def test_answers_go_by_age(path: Path) -> None:
    change(
        path,
        "UPDATE answers SET stored_at = '2024-01-12 09:30:00' WHERE rowid <= 5",
        "UPDATE answers SET stored_at = '2024-01-12 09:30:01' WHERE rowid = 6",
    )
    korea = dt.timezone(dt.timedelta(hours=9))
    before = dt.datetime(2024, 1, 12, 18, 30, 1, tzinfo=korea)
    assert upkeep.gc(path, model=LARGE, before=before).models == ()
    (would,) = upkeep.gc(path, before=before).models
    assert (would.model, would.answers, would.last) == (MINI, 5, "2024-01-12T09:30:00Z")
    assert kept(path) == {LARGE: 20, MINI: 40}
    found = upkeep.gc(path, before=before, drop=True)
    assert found.models == (would,)
    assert kept(path) == {LARGE: 20, MINI: 35}


async def test_gc_while_the_store_is_in_use_takes_only_what_was_said(path: Path) -> None:
    with Store(path) as store:
        await store.put(MINI, question(500), answer(500))
        upkeep.gc(path, model=LARGE, drop=True)
        assert store.get(LARGE, question(1).fingerprint) is None
        assert store.get(MINI, question(500).fingerprint) == answer(500)
        await store.put(LARGE, question(1), answer(1))
        assert store.get(LARGE, question(1).fingerprint) == answer(1)


def test_a_store_that_somebody_writes_to_is_waited_for_and_then_said(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program holds the store"):
            upkeep.gc(path, model=MINI, drop=True)
        assert kept(path) == {LARGE: 20, MINI: 40}
        other.execute("ROLLBACK")


def test_a_file_that_cannot_shrink_is_said_and_is_sound(path: Path) -> None:
    asyncio.run(filled(path, mini=400))
    with file_size_limit(100_000), pytest.raises(StoreError, match="but the file is not smaller"):
        upkeep.gc(path, model=LARGE, drop=True)
    assert kept(path) == {MINI: 400}
    assert audit.verify(path).faults == ()


# export


def test_every_answer_is_exported_as_a_line(path: Path, run: Run, tmp_path: Path) -> None:
    printed = run("store", "export", "--store", path)
    assert (printed.code, printed.err) == (0, "")
    lines = printed.out.splitlines()
    assert len(lines) == 60
    first = json.loads(lines[0])
    assert list(first) == ["answer", "fingerprint", "label", "model", "stored_at"]
    assert dt.datetime.fromisoformat(first["stored_at"]).tzinfo
    assert first == {
        "answer": answer(0).model_dump(),
        "fingerprint": question(0).fingerprint,
        "label": question(0).label,
        "model": MINI,
        "stored_at": first["stored_at"],
    }
    out = tmp_path / "new" / "out.jsonl"
    assert run("store", "export", "--store", path, out).code == 0
    assert out.read_text() == printed.out


async def test_any_text_is_exported_as_text(tmp_path: Path) -> None:
    path = tmp_path / "s"
    text = "\ud800 \u2028 \n {{name}} system: </script> \x1b[2J"
    with Store(path) as store:
        await store.put(MINI, question(1), Answer(text=text))
    audit.export(path, tmp_path / "out")
    line, end = lines_of(tmp_path / "out")
    assert end == ""
    assert json.loads(line)["answer"]["text"] == text


def lines_of(path: Path) -> list[str]:
    return path.read_bytes().decode().split("\n")


@pytest.mark.parametrize("companion", ["", "-wal", "-shm"])
def test_the_store_is_not_overwritten_by_its_export(path: Path, run: Run, companion: str) -> None:
    before = path.read_bytes()
    link = path.with_name("link")
    link.symlink_to(f"{path}{companion}")
    for file in (f"{path}{companion}", link):
        ended = run("store", "export", "--store", path, file)
        assert ended.code == 2
        assert "this is the store itself" in ended.err
    assert path.read_bytes() == before


def test_an_export_that_fails_leaves_the_file_as_it_was(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    with file_size_limit(10_000), pytest.raises(DiskError, match="could not be written"):
        audit.export(path, out)
    assert out.read_text() == "old"
    with pytest.raises(InputError, match="no file to write to"):
        audit.export(path, tmp_path)
    before = sorted(file.name for file in tmp_path.iterdir())
    content = bytearray(path.read_bytes())
    content[100:200] = b"\xff" * 100  # the first page's tree
    path.write_bytes(content)
    with pytest.raises(StoreError):
        audit.export(path, out)
    assert out.read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == before


Look = Callable[[Path], object]


@pytest.mark.parametrize("look", [upkeep.info, audit.verify])
def test_looking_changes_no_byte(path: Path, look: Look) -> None:
    before = path.read_bytes(), path.stat().st_mtime_ns
    look(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
