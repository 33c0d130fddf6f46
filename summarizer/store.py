"""The store: a private cache of every answer that was paid for, so that none is bought twice.

It is one SQLite file that any number of processes may share. An answer counts as kept once the
transaction it is part of has reached the disk (write-ahead log, `synchronous=FULL`); answers that
arrive while one transaction is being written share the next (group commit).

The file is told from other people's databases by its `application_id`, which is read before SQLite
may change anything; `user_version` counts the steps of `_SCHEMA` that it has been through.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING, TypeAlias

from summarizer.errors import StoreError
from summarizer.models import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from summarizer.models import ChatModel, Request

_APPLICATION_ID = int.from_bytes(b"SmzA")

# The nth statement brings a store from version n to n + 1. Whatever changes the meaning of what is
# kept, a new field of `Answer` too, is a new step: an older program then refuses the store.
_SCHEMA = (
    """
    CREATE TABLE answers (
        model TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        label TEXT NOT NULL,
        answer TEXT NOT NULL,
        stored_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (fingerprint, model)
    )
    """,
)

_Row: TypeAlias = tuple[str, str, str, str]
_SELECT = "SELECT answer FROM answers WHERE fingerprint = ? AND model = ?"
_INSERT = """
    INSERT INTO answers (fingerprint, model, label, answer) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""

_ELSEWHERE = "Move it away, name another one with --store, or go without one with --no-store"
_WITHOUT = "Name another place with --store, or go without a store with --no-store"

_REASONS = {
    sqlite3.SQLITE_CORRUPT: ("the store of answers is damaged", _ELSEWHERE),
    sqlite3.SQLITE_NOTADB: ("the file is no store of answers, or is damaged", _ELSEWHERE),
    sqlite3.SQLITE_FULL: ("the disk is full", "Make room, then run the same command again"),
    sqlite3.SQLITE_READONLY: ("the store of answers cannot be written", _WITHOUT),
    sqlite3.SQLITE_CANTOPEN: ("the store of answers cannot be opened or written", _WITHOUT),
}


class Store:
    """All answers ever paid for, by model and fingerprint.

    Use it as a context manager: leaving it commits what is still waiting.

    Args:
        path: The file, made where it is missing; None stands for `default_path`.
        patience: Seconds to wait for another process that holds the file.

    Raises:
        StoreError: The file is no store, is damaged, locked, from a newer version, or its place
            cannot be written. Whatever lies there stays as it was.
    """

    def __init__(self, path: str | Path | None = None, *, patience: float = 10.0) -> None:
        self.path = default_path(os.environ, sys.platform) if path is None else Path(path)
        self._patience = patience
        with self._plainly(), ExitStack() as opened:
            self._make_file()
            self._refuse_others()
            self._writing = self._connect(opened)
            self._prepare()
            self._reading = self._connect(opened)
            self._connections = opened.pop_all()
        self._reader = Lock()
        self._changed = Condition()
        self._waiting: list[tuple[_Row, Future[str | None]]] = []
        self._closed = False
        self._writer = Thread(target=self._write, name="summarizer-store", daemon=True)
        self._writer.start()

    def get(self, model: str, fingerprint: str) -> Answer | None:
        """Look an answer up; takes microseconds, and does not wait for whoever writes.

        Raises:
            StoreError: The store is damaged or locked.
        """
        with self._plainly(), self._reader:
            row = self._reading.execute(_SELECT, (fingerprint, _text(model))).fetchone()
        return None if row is None else self._parse(row[0])

    async def put(self, model: str, request: Request, answer: Answer) -> Answer:
        """Keep an answer; returns when it has reached the disk.

        Cancelling does not take it back: the cancellation waits for the commit.

        Returns:
            The answer that stands: the given one, or the one that another process kept before it.

        Raises:
            StoreError: The answer could not be kept.
        """
        row = (request.fingerprint, _text(model), _text(request.label), _dump(answer))
        done: Future[str | None] = Future()
        done.set_running_or_notify_cancel()  # from here on it cannot be cancelled
        with self._changed:
            if self._closed:
                raise StoreError("the store of answers is closed", path=self.path)
            self._waiting.append((row, done))
            self._changed.notify()
        committed = asyncio.wrap_future(done)
        try:
            standing = await asyncio.shield(committed)
        except asyncio.CancelledError:
            with suppress(StoreError):
                await committed
            raise
        return answer if standing is None else self._parse(standing)

    def close(self) -> None:
        """Commit what is still waiting and let go of the file."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._writer.join()
        with self._reader:
            self._connections.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make_file(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            # SQLite gives its companions (-wal, -shm) the mode of the file.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL, 0o600))

    def _refuse_others(self) -> None:
        """Refuse what is not ours while it is still untouched.

        An immutable connection reads the file as it lies there, without locks, recovery or new
        files beside it. Reading the bytes ourselves would not do: closing the file would drop the
        locks of any other connection in this process (POSIX advisory locks).
        """
        if not self.path.is_file():
            raise StoreError("this is not a file", hint=_WITHOUT, path=self.path)
        if self.path.stat().st_size == 0:
            return
        address = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            try:
                self._refuse_unless_ours(connection)
            except sqlite3.DatabaseError as error:
                # A file that another process is just growing looks damaged without locks;
                # _prepare looks again, with them.
                if _code(error) != sqlite3.SQLITE_CORRUPT:
                    raise

    def _refuse_unless_ours(self, connection: sqlite3.Connection) -> None:
        if _pragma(connection, "application_id") != _APPLICATION_ID:
            raise StoreError(
                "the file is a database of another program", hint=_ELSEWHERE, path=self.path
            )

    def _connect(self, opened: ExitStack) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        opened.callback(connection.close)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone stops at the drive's cache
        return connection

    def _prepare(self) -> None:
        """Bring the file up to this version, in one transaction; also shows that it is writable."""
        connection = self._writing
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if _pragma(connection, "schema_version") == 0:  # the file is new
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._refuse_unless_ours(connection)
            version = _pragma(connection, "user_version")
            if version > len(_SCHEMA):
                raise StoreError(
                    f"the store of answers is from a newer version of summarizer ({version}, "
                    f"this one knows {len(_SCHEMA)})",
                    hint="Update summarizer, or name another store with --store",
                    path=self.path,
                )
            for number, statement in enumerate(_SCHEMA[version:], start=version + 1):
                connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
            # BEGIN IMMEDIATE is content with reading where a file is read-only; this is not.
            connection.execute("DELETE FROM answers WHERE FALSE")
        # Only now, so that the application_id stands in the file and not in the log. Where another
        # process is at it too, or the file system cannot, the store works without; only slower.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")

    def _write(self) -> None:
        """Commit what is waiting, all in one transaction, until the store is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                batch, self._waiting = self._waiting, []
            if not batch:
                return
            try:
                with self._writing:
                    self._writing.execute("BEGIN IMMEDIATE")
                    standing = [self._insert(row) for row, _ in batch]
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                for row, done in batch:
                    failure = self._explain(error, lost=row[2])
                    failure.__cause__ = error
                    done.set_exception(failure)
            else:
                for text, (_, done) in zip(standing, batch, strict=True):
                    done.set_result(text)

    def _insert(self, row: _Row) -> str | None:
        """Insert an answer; returns the one that stands there already, if one does."""
        if self._writing.execute(_INSERT, row).rowcount:
            return None
        text: str = self._writing.execute(_SELECT, row[:2]).fetchone()[0]
        return text

    def _parse(self, text: str) -> Answer:
        try:
            return Answer.model_validate(json.loads(text))
        except ValueError as error:
            message, hint = _REASONS[sqlite3.SQLITE_CORRUPT]
            raise StoreError(message, hint=hint, path=self.path) from error

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception, *, lost: str | None = None) -> StoreError:
        code = _code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            holders = ", ".join(map(str, _holders(self.path)))
            message = "another program holds the store of answers"
            message += f" (process {holders})" if holders else ""
            hint = "Wait for it or end it, or go without a store with --no-store"
        elif code in _REASONS:
            message, hint = _REASONS[code]
        else:
            reason = getattr(error, "strerror", None) or str(error)
            message, hint = f"the store of answers cannot be used: {reason.lower()}", _WITHOUT
        if lost is not None:
            message = f"the answer for {lost or 'one question'} could not be kept: {message}"
        return StoreError(message, hint=hint, path=self.path)


class Stored:
    """A model that asks only what its store does not hold, and returns only what is kept.

    Equal questions that are asked at once are asked once. Closing it closes the model; the store
    may serve others and is closed by whoever opened it.

    Attributes:
        reused: How many questions the store has answered.
        asked: How many answers the model has given.
    """

    def __init__(self, model: ChatModel, store: Store) -> None:
        self._model = model
        self._store = store
        self._underway: dict[str, Future[None]] = {}
        self._failure: StoreError | None = None
        self.reused = 0
        self.asked = 0

    @property
    def name(self) -> str:
        """The model's: what its answers are filed under."""
        return self._model.name

    async def ask(self, request: Request) -> Answer:
        """Answer from the store, or ask the model and commit its answer first.

        Raises:
            ModelError: The model gave no answer.
            StoreError: The store failed. Once an answer could not be kept, no further one is
                bought.
        """
        # A thread's future, not an event loop's: a chain may ask from several loops.
        mine: Future[None] = Future()
        key = request.fingerprint
        while (other := self._underway.setdefault(key, mine)) is not mine:
            # Whoever asks may be cancelled or fail; then the next in line asks.
            await asyncio.wait([asyncio.wrap_future(other)])
        try:
            answer = self._store.get(self.name, key)
            if answer is not None:
                self.reused += 1
                return answer
            if self._failure is not None:
                raise self._failure
            answer = await self._model.ask(request)
            self.asked += 1
            try:
                return await self._store.put(self.name, request, answer)
            except StoreError as error:
                self._failure = error
                raise
        finally:
            del self._underway[key]
            mine.set_result(None)

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()


def default_path(environ: Mapping[str, str], platform: str) -> Path:
    """Where the store lies when nobody says.

    The data home of the XDG Base Directory Specification, `~/Library/Application Support` on
    macOS, `%LOCALAPPDATA%` on Windows.

    Raises:
        StoreError: There is no home directory.
    """
    try:
        if platform == "win32":
            home = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif platform == "darwin":
            home = Path.home() / "Library" / "Application Support"
        else:
            # The specification wants a relative path ignored.
            named = Path(environ.get("XDG_DATA_HOME", ""))
            home = named if named.is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError as error:
        raise StoreError("there is no home directory for the store", hint=_WITHOUT) from error
    return home / "summarizer" / "answers.sqlite3"


def _dump(answer: Answer) -> str:
    # model_dump_json would refuse a lone surrogate, which a server's JSON may hold.
    return _text(json.dumps(answer.model_dump(), ensure_ascii=False))


def _text(text: str) -> str:
    """The text as SQLite can hold it; a lone surrogate becomes the escape that JSON reads."""
    return text.encode(errors="backslashreplace").decode()


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _code(error: Exception) -> int:
    """SQLite's primary result code."""
    if isinstance(error, UnicodeDecodeError):  # of a message that quotes damaged bytes
        return sqlite3.SQLITE_CORRUPT
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


def _holders(path: Path) -> list[int]:
    """Ids of the processes that hold a write lock on a store, where the system tells (Linux)."""
    found = set()
    with suppress(OSError):
        inodes = {file.stat().st_ino for file in (path, Path(f"{path}-shm")) if file.exists()}
        for line in Path("/proc/locks").read_text().splitlines():
            # 1: POSIX  ADVISORY  WRITE 4711 fe:00:1310733 120 120
            match line.split():
                case [_, _, _, "WRITE", pid, file, *_]:
                    if int(file.rpartition(":")[2]) in inodes:
                        found.add(int(pid))
    return sorted(found)
