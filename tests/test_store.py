"""The store: nothing paid for is lost or bought twice, and no file of others is touched."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from summarizer.digest import Usage
from summarizer.errors import InputError, ModelError, StoreError, SummarizerError
from summarizer.models import Answer, Message, Request
from summarizer.store import Store, Stored, default_path
from tests.disks import Damage, damages, file_size_limit

LINUX = sys.platform == "linux"


def question(text: str, *, sample: int = 0) -> Request:
    return Request(
        messages=(Message(role="user", content=text),), sample=sample, label=f"{text} (digest-ko)"
    )


def answer(text: str) -> Answer:
    return Answer(text=text, model="served", usage=Usage(prompt=3, completion=2))


class Model:
    """Answers with the question, when it is let."""

    name = "model"

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.closed = False
        self.let = asyncio.Event()
        self.let.set()
        self.failures: list[Exception] = []

    async def ask(self, request: Request) -> Answer:
        self.questions.append(request.messages[0].content)
        await self.let.wait()
        if self.failures:
            raise self.failures.pop()
        return answer(f"to {request.messages[0].content}")

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite3"


@contextmanager
def locked(path: Path):
    """Another connection that is in the middle of writing."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")


async def settle() -> None:
    """Let every task run as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


def poll(condition: Callable[[], bool]) -> None:
    """Let other threads run until something holds."""
    while not condition():
        time.sleep(0)


def run_python(code: str, *arguments: object, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        **options,
    )


def contain(text: bytes, folder: Path) -> list[Path]:
    """The files of a folder that contain a text."""
    return [file for file in folder.iterdir() if text in file.read_bytes()]


# What is kept


async def test_an_answer_is_found_in_a_later_run(path: Path) -> None:
    kept = answer("- 답")
    with Store(path) as store:
        assert store.get("model", question("a").fingerprint) is None
        assert await store.put("model", question("a"), kept) == kept
        assert store.get("model", question("a").fingerprint) == kept
    with Store(path) as store:
        assert store.get("model", question("a").fingerprint) == kept
        assert store.get("model", question("a", sample=1).fingerprint) is None
        assert store.get("another", question("a").fingerprint) is None


async def test_the_server_s_rate_limits_are_not_kept(path: Path) -> None:
    with Store(path) as store:
        await store.put("m", question("a"), Answer(text="x", headroom={"x-ratelimit": "4711"}))
        kept = store.get("m", question("a").fingerprint)
        assert kept == Answer(text="x")
        assert not contain(b"4711", path.parent)


@settings(max_examples=50)
@given(text=st.text(st.characters(exclude_categories=())))
def test_any_text_comes_back(text: str) -> None:
    async def there_and_back() -> Answer | None:
        with tempfile.TemporaryDirectory() as folder, Store(Path(folder, "s")) as store:
            await store.put(text, question("a"), Answer(text=text))
            return store.get(text, question("a").fingerprint)

    kept = asyncio.run(there_and_back())
    assert kept is not None
    # A pair of lone surrogates is the character that it encodes.
    assert kept.text.encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")


async def test_the_first_answer_stands_and_both_askers_get_it(path: Path) -> None:
    with Store(path) as one, Store(path) as other:
        await one.put("m", question("a"), answer("first"))
        assert await other.put("m", question("a"), answer("second")) == answer("first")
        assert other.get("m", question("a").fingerprint) == answer("first")


async def test_no_key_reaches_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-that-must-not-leak")
    with Store(path) as store:
        await Stored(Model(), store).ask(question("a"))
        assert contain(b"digest-ko", path.parent)
        assert not contain(b"must-not-leak", path.parent)


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_only_the_user_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with Store(path.parent / "new" / "folder" / "s"):
            files = list((path.parent / "new" / "folder").iterdir())
            assert {file.name: file.stat().st_mode & 0o777 for file in files} == {
                "s": 0o600,
                "s-wal": 0o600,
                "s-shm": 0o600,
            }
            assert (path.parent / "new" / "folder").stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("environ", "platform", "place"),
    [
        ({}, "linux", "~/.local/share/summarizer/answers.sqlite3"),
        ({"XDG_DATA_HOME": "/data"}, "linux", "/data/summarizer/answers.sqlite3"),
        ({"XDG_DATA_HOME": "data"}, "linux", "~/.local/share/summarizer/answers.sqlite3"),
        ({}, "darwin", "~/Library/Application Support/summarizer/answers.sqlite3"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/summarizer/answers.sqlite3"),
        ({}, "win32", "~/AppData/Local/summarizer/answers.sqlite3"),
    ],
)
def test_it_lies_where_the_platform_wants_it(environ, platform: str, place: str) -> None:
    assert default_path(environ, platform) == Path(place).expanduser()


def test_without_a_home_directory_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(StoreError, match=r"no home directory for the store.*--no-store"):
        default_path({}, "linux")


def test_the_default_place_is_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not LINUX:
        pytest.skip("XDG_DATA_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(path.parent))
    with Store() as store:
        assert store.path == path.parent / "summarizer" / "answers.sqlite3"
        assert store.path.exists()


# Asking


async def test_the_same_question_is_never_paid_twice(path: Path) -> None:
    model = Model()
    with Store(path) as store:
        stored = Stored(model, store)
        first = await stored.ask(question("a"))
        assert await stored.ask(question("a")) == first
        await stored.ask(question("a", sample=1))
        assert (stored.asked, stored.reused) == (2, 1)
    with Store(path) as store:
        stored = Stored(model, store)
        assert await stored.ask(question("a")) == first
        assert (stored.asked, stored.reused) == (0, 1)
    assert model.questions == ["a", "a"]
    assert stored.name == "model"
    await stored.aclose()
    assert model.closed


async def test_equal_questions_at_once_are_asked_once(path: Path) -> None:
    model = Model()
    model.let.clear()
    with Store(path) as store:
        stored = Stored(model, store)
        asking = [asyncio.create_task(stored.ask(question("a"))) for _ in range(50)]
        await settle()
        model.let.set()
        assert set(await asyncio.gather(*asking)) == {answer("to a")}
        assert (stored.asked, stored.reused) == (1, 49)


async def test_when_the_asker_is_cancelled_the_next_one_asks(path: Path) -> None:
    model = Model()
    model.let.clear()
    with Store(path) as store:
        stored = Stored(model, store)
        first, second, third = (asyncio.create_task(stored.ask(question("a"))) for _ in range(3))
        await settle()
        first.cancel()
        await settle()
        model.let.set()
        assert await second == await third == answer("to a")
        assert first.cancelled()
        assert model.questions == ["a", "a"]


async def test_when_the_asker_fails_the_next_one_asks(path: Path) -> None:
    model = Model()
    model.failures = [ModelError("the server is away")]
    with Store(path) as store:
        stored = Stored(model, store)
        outcomes = await asyncio.gather(
            *(stored.ask(question("a")) for _ in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [ModelError, Answer, Answer]
        assert (stored.asked, stored.reused) == (1, 1)


async def test_an_asker_cancelled_during_the_commit_loses_nothing(path: Path) -> None:
    model = Model()
    with Store(path) as store:
        stored = Stored(model, store)
        with locked(path):
            first = asyncio.create_task(stored.ask(question("a")))
            second = asyncio.create_task(stored.ask(question("a")))
            await settle()
            first.cancel()
            await settle()
            assert not first.done()
        assert await second == answer("to a")
        assert first.cancelled()
        assert model.questions == ["a"]


async def test_a_question_cancelled_twice_still_lets_its_answer_be_kept(path: Path) -> None:
    with Store(path) as store:
        with locked(path):
            put = asyncio.create_task(store.put("m", question("a"), answer("x")))
            for _ in range(2):
                await settle()
                put.cancel()
            await asyncio.wait([put])
            assert put.cancelled()
        await store.put("m", question("b"), answer("y"))
        assert store.get("m", question("a").fingerprint) == answer("x")


def test_several_event_loops_may_ask_at_once(path: Path) -> None:
    calls = []

    class Slow(Model):
        async def ask(self, request: Request) -> Answer:
            calls.append(request.label)
            everyone.wait()
            return answer("x")

    everyone = threading.Event()
    with Store(path) as store:
        stored = Stored(Slow(), store)
        outcomes: list[Answer] = []
        threads = [
            threading.Thread(target=lambda: outcomes.append(asyncio.run(stored.ask(question("a")))))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        everyone.set()
        for thread in threads:
            thread.join()
    assert outcomes == [answer("x")] * 4
    assert len(calls) == 1


# Durability


async def test_answers_that_arrive_together_share_a_commit(path: Path) -> None:
    with Store(path) as store:
        before = commits(path)
        with locked(path):
            puts = [
                asyncio.create_task(store.put("m", question(f"{i}"), answer(f"{i}")))
                for i in range(200)
            ]
            await settle()
        await asyncio.gather(*puts)
        # Those that the writer found when it woke, and all the others.
        assert commits(path) - before <= 2
        assert all(store.get("m", question(f"{i}").fingerprint) for i in range(200))


def commits(path: Path) -> int:
    """Commit frames in a write-ahead log (SQLite file format, section 4.1)."""
    log = Path(f"{path}-wal").read_bytes()
    size = int.from_bytes(log[8:12])
    frames = range(32, len(log), 24 + size)
    return sum(1 for at in frames if log[at + 4 : at + 8] != bytes(4))


async def test_closing_commits_what_is_waiting(path: Path) -> None:
    with Store(path) as store:
        closing_it = threading.Thread(target=store.close)
        with locked(path):
            puts = []
            for i in range(20):
                puts.append(asyncio.create_task(store.put("m", question(f"{i}"), answer(f"{i}"))))
                if i == 0:
                    await settle()
                    poll(lambda: not store._writer._waiting)  # the writer has taken the first one
            await settle()
            closing_it.start()
            poll(lambda: store._writer._closed)
        closing_it.join()
        await asyncio.wait(puts, timeout=10)
        assert [put.done() for put in puts] == [True] * 20
    with pytest.raises(StoreError, match="closed"):
        await store.put("m", question("late"), answer("late"))
    with pytest.raises(StoreError, match="closed"):
        store.get("m", question("1").fingerprint)
    with Store(path) as store:
        assert all(store.get("m", question(f"{i}").fingerprint) for i in range(20))


WRITE = """
import asyncio, sys
from summarizer.models import Answer, Message, Request
from summarizer.store import Store

async def main(path, start, end, own):
    with Store(path) as store:
        free = asyncio.Semaphore(50)
        async def put(i):
            request = Request(messages=(Message(role="user", content=str(i)),))
            async with free:
                kept = await store.put("m", request, Answer(text=f"{own} {i}"))
                print(i, kept.text, flush=True)
        await asyncio.gather(*(put(i) for i in range(start, end)))

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
"""


def test_two_processes_write_at_once(path: Path) -> None:
    processes = [
        run_python(WRITE, path, 0, 300, "one"),
        run_python(WRITE, path, 200, 500, "two"),
    ]
    said = [dict(line.split(" ", 1) for line in p.communicate()[0].splitlines()) for p in processes]
    assert [p.returncode for p in processes] == [0, 0]
    with Store(path) as store:
        kept = {str(i): store.get("m", question(str(i)).fingerprint) for i in range(500)}
    assert {i: found and found.text for i, found in kept.items()} == said[0] | said[1]
    # What both bought is one answer for both.
    assert {i: said[0][i] for i in map(str, range(200, 300))} == {
        i: said[1][i] for i in map(str, range(200, 300))
    }


@pytest.mark.parametrize("lines", [1, 40, 150])
def test_what_was_committed_survives_a_kill(path: Path, lines: int) -> None:
    with run_python(WRITE, path, 0, 5_000, "x") as process:
        assert process.stdout
        said = [process.stdout.readline().split()[0] for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
        said += [line.split()[0] for line in rest.splitlines() if line.endswith(line.split()[0])]
    assert process.returncode == -signal.SIGKILL
    with Store(path) as store:
        assert [i for i in said if not store.get("m", question(i).fingerprint)] == []


def test_stores_opened_at_once_agree_on_one_file(path: Path) -> None:
    start = threading.Barrier(8)
    outcomes = []

    def open_and_put(i: int) -> None:
        start.wait()
        with Store(path) as store:
            outcomes.append(asyncio.run(store.put("m", question(f"{i}"), answer(f"{i}"))))

    threads = [threading.Thread(target=open_and_put, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store(path) as store:
        assert [store.get("m", question(f"{i}").fingerprint) for i in range(8)] == [
            answer(f"{i}") for i in range(8)
        ]


async def test_a_second_store_in_one_process_takes_no_lock_away(path: Path) -> None:
    """On POSIX, closing any descriptor of a file drops all of a process's locks on it."""
    with Store(path) as store:
        await store.put("m", question("before"), answer("kept"))
        with Store(path):
            pass
        # A process that finds the file unlocked takes itself for the last one, and removes the log.
        with run_python(WRITE, path, 0, 3, "x") as process:
            assert process.communicate()[0].count("x") == 3
        await store.put("m", question("after"), answer("kept"))
        shutil.copytree(path.parent, path.parent / "copy")
    with Store(path.parent / "copy" / path.name) as copy:
        assert copy.get("m", question("after").fingerprint) == answer("kept")


# What is refused


def snapshot(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def refused(
    path: Path, match: str, *, exit_code: int = 3, patience: float = 10.0
) -> SummarizerError:
    before = snapshot(path.parent)
    with pytest.raises(SummarizerError, match=match) as caught:
        Store(path, patience=patience)
    assert snapshot(path.parent) == before
    assert caught.value.exit_code == exit_code
    assert caught.value.hint
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_the_database_of_another_program_is_not_touched(path: Path, mode: str) -> None:
    copy = path.parent / "copy" / path.name
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE more (x)")
        shutil.copytree(path.parent, copy.parent)  # as if that program had been killed
    assert Path(f"{copy}-wal").exists() == (mode == "wal")
    refused(copy, "database of another program")


@pytest.mark.parametrize(
    "content", [b"notes of mine\n", b"\x89PNG\r\n\x1a\n" + bytes(5000), b"SQLite format 3\0"]
)
def test_a_file_that_is_no_database_is_not_touched(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refused(path, "no store of answers")


def test_a_wrong_place_is_the_user_s_to_mend(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes").write_text("notes")
    refused(tmp_path / "folder", "not a file", exit_code=2)
    for place in (tmp_path / "notes" / "s", tmp_path / "notes" / "folder" / "s"):
        with pytest.raises(InputError, match="lies under a file"):
            Store(place)
    assert (tmp_path / "notes").read_text() == "notes"
    with pytest.raises(InputError, match="not a file"):
        Store("/dev/null")


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with Store(path) as store:
        assert store.get("m", "f") is None


def test_a_store_from_a_newer_version_is_not_touched(path: Path) -> None:
    with Store(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    error = refused(path, "newer version of summarizer")
    assert "Update summarizer" in str(error)


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


async def test_a_locked_store_says_who_holds_it(path: Path) -> None:
    with Store(path, patience=0.01) as store:
        with run_python(HOLD, path, stdin=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            error = refused(path, "another program holds the store", patience=0.01)
            if LINUX:
                assert f"(process {process.pid})" in str(error)
            assert "--no-store" in str(error)
            assert store.get("m", "f") is None  # reading goes on
            with pytest.raises(StoreError, match=r"the answer for a \(digest-ko\) could not be"):
                await store.put("m", question("a"), answer("x"))
        await store.put("m", question("a"), answer("x"))


async def test_nothing_more_is_bought_once_an_answer_could_not_be_kept(path: Path) -> None:
    model = Model()
    with Store(path, patience=0.01) as store:
        stored = Stored(model, store)
        await stored.ask(question("before"))
        with locked(path), pytest.raises(StoreError, match="the answer for a"):
            await stored.ask(question("a"))
        with pytest.raises(StoreError, match="the answer for a"):
            await stored.ask(question("b"))
        assert model.questions == ["before", "a"]
        assert await stored.ask(question("before")) == answer("to before")


async def test_a_file_that_may_not_grow_loses_no_earlier_answer(path: Path) -> None:
    with Store(path) as store:
        await store.put("m", question("a"), answer("kept"))
        with file_size_limit(40_000):
            outcomes = await asyncio.gather(
                *(store.put("m", question(f"{i}"), answer("x" * 5000)) for i in range(20)),
                return_exceptions=True,
            )
            failures = [outcome for outcome in outcomes if isinstance(outcome, StoreError)]
            assert failures
            assert "could not be kept" in str(failures[0])
        await store.put("m", question("b"), answer("later"))
    with Store(path) as store:
        assert store.get("m", question("a").fingerprint) == answer("kept")
        assert store.get("m", question("b").fingerprint) == answer("later")
        found = [store.get("m", question(f"{i}").fingerprint) is not None for i in range(20)]
        assert found == [isinstance(outcome, Answer) for outcome in outcomes]


async def test_a_full_disk_is_named(path: Path) -> None:
    with Store(path) as store:
        store._database.writing.execute(
            "PRAGMA max_page_count = 8"
        )  # SQLITE_FULL, as a full disk gives it
        with pytest.raises(StoreError, match=r"for a \(digest-ko\) could not be kept: the disk is"):
            await store.put("m", question("a"), answer("x" * 50_000))
        store._database.writing.execute("PRAGMA max_page_count = 8000")
        await store.put("m", question("a"), answer("x" * 50_000))


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_bought(
    unprivileged: Path,
) -> None:
    path = unprivileged / "place" / "answers.sqlite3"
    with Store(path):
        pass
    path.parent.chmod(0o500)
    refused(path, "cannot be opened or written|cannot be written")
    refused(path.with_name("new"), "permission denied")
    path.parent.chmod(0o700)
    path.chmod(0o400)
    with pytest.raises(StoreError, match="cannot be written"):
        Store(path)


# Damage


async def filled(path: Path) -> None:
    with Store(path) as store:
        await asyncio.gather(
            *(store.put("m", question(f"{i}"), answer("- 답이다. " * 30)) for i in range(40))
        )


def test_a_damaged_answer_is_said_and_the_file_is_left(path: Path) -> None:
    asyncio.run(filled(path))
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with Store(path) as store, pytest.raises(StoreError, match="the store of answers is damaged"):
        store.get("m", question("1").fingerprint)
    assert path.read_bytes()[4096:] == b"\xff" * (len(whole) - 4096)


def test_an_answer_that_is_no_longer_one_is_damage(path: Path) -> None:
    asyncio.run(filled(path))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE answers SET answer = '{}' WHERE rowid = 1")
        connection.execute("UPDATE answers SET answer = x'ff00' WHERE rowid = 2")
        connection.execute("UPDATE answers SET answer = CAST(x'ff00' AS TEXT) WHERE rowid = 3")
    with Store(path) as store:
        for i in range(3):
            with pytest.raises(StoreError, match="damaged") as caught:
                store.get("m", question(f"{i}").fingerprint)
            assert "decode" not in str(caught.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "answers.sqlite3"
    asyncio.run(filled(path))
    return path


@settings(max_examples=60)
@example(Damage(4011, b"\x80"))  # in the text of the schema
@example(Damage(43816, b"\x00"))  # an answer becomes NULL
@given(damages)
def test_any_damage_is_a_store_error_or_no_harm(whole: Path, damage: Damage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers.sqlite3")
        path.write_bytes(damage.of(whole.read_bytes()))
        with suppress(StoreError), Store(path, patience=0.01) as store:
            for i in range(40):
                kept = store.get("m", question(f"{i}").fingerprint)
                assert kept is None or kept.model
            asyncio.run(store.put("m", question("new"), answer("new")))
        assert path.exists()
