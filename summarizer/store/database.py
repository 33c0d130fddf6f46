"""The store's file: opened with care, brought up to this version, its errors told to people.

Connections keep a write-ahead log with `synchronous=FULL`: what is committed is on the disk.

The file is told from other people's databases by its `application_id`, which is read before SQLite
may change anything; `user_version` counts the steps of the schema that it has been through.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from summarizer.errors import InputError, StoreError
from summarizer.store.schema import APPLICATION_ID, STEPS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection: TypeAlias = sqlite3.Connection

PATIENCE = 10.0
"""Seconds to wait for another process that holds the file, where nobody says otherwise."""

_NO_INDEX = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
)

# Of a UnicodeDecodeError: messages of SQLite that quote damaged bytes.
_FAILURES = (sqlite3.Error, OSError, UnicodeDecodeError)

_ELSEWHERE = "Move it away, name another one with --store, or go without one with --no-store"
WITHOUT = "Name another place with --store, or go without a store with --no-store"
"""What to do where there can be no store."""

_NAME_ONE = "Name one with --store; a run that asks a model makes it"
_DAMAGE = (
    "the store of answers is damaged",
    "`summarizer store verify` says where, `summarizer store recover NEW` makes a new one of what "
    "can be read",
)

_REASONS = {
    sqlite3.SQLITE_CORRUPT: _DAMAGE,
    sqlite3.SQLITE_NOTADB: ("the file is no store of answers, or is damaged", _ELSEWHERE),
    sqlite3.SQLITE_FULL: ("the disk is full", "Make room, then run the same command again"),
    sqlite3.SQLITE_IOERR: (
        "the disk that the store of answers is on fails, or is full",
        f"Look after the disk, then run the same command again. {WITHOUT}",
    ),
    sqlite3.SQLITE_READONLY: ("the store of answers cannot be written", WITHOUT),
    sqlite3.SQLITE_CANTOPEN: ("the store of answers cannot be opened or written", WITHOUT),
}


class Damaged(StoreError):
    """Something in the file is not what was put there."""


class Database:
    """One SQLite file that any number of processes and threads may share.

    Args:
        path: The file, made where it is missing.
        patience: Seconds to wait for another process that holds the file.

    Attributes:
        writing: The connection of whoever writes; for one thread at a time.

    Raises:
        InputError: The path names a folder or a device, or lies under a file.
        StoreError: The file is no store, is damaged, locked, from a newer version, or its place
            cannot be written. Whatever lies there stays as it was.
    """

    def __init__(self, path: Path, *, patience: float) -> None:
        self.path = path
        with plainly(path), ExitStack() as opened:
            _make_file(path)
            _refuse_others(path)
            self.writing = _connect(path, patience, opened)
            _bring_up(self.writing, path)
            self._reading = _connect(path, patience, opened)
            self._connections = opened.pop_all()
        self._reader = Lock()

    def read(self, select: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query; does not wait for whoever writes.

        Raises:
            StoreError: The store is damaged, locked or closed.
        """
        try:  # and not `plainly`, which would be a tenth of what looking up costs
            with self._reader:
                return self._reading.execute(select, values).fetchall()
        except _FAILURES as error:
            raise explain(error, self.path) from error

    def close(self) -> None:
        """Let go of the file, when nobody writes any more."""
        with self._reader:
            self._connections.close()


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """A connection to a store that is there, which sees it at one moment and never writes to it.

    SQLite may leave an empty log and its index beside the file, which mean nothing.

    Raises:
        InputError: There is no store.
        StoreError: As for `Database`.
    """
    with plainly(path):
        _refuse_missing(path)
        _refuse_others(path)
        with closing(_only_reading(path)) as connection:
            connection.execute("BEGIN")
            _refuse_unless_ours(connection, path)
            yield connection


@contextmanager
def altering(path: Path) -> Iterator[Connection]:
    """A connection that may change a store that is there, brought up to this version.

    Raises:
        InputError: There is no store.
        StoreError: As for `Database`.
    """
    with plainly(path), ExitStack() as opened:
        _refuse_missing(path)
        _refuse_others(path)
        connection = _connect(path, PATIENCE, opened)
        _bring_up(connection, path)
        yield connection


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Tell what the system and SQLite raise as a `SummarizerError` of this file."""
    try:
        yield
    except (NotADirectoryError, FileExistsError) as error:
        raise InputError(
            "the place of the store lies under a file", hint=WITHOUT, path=path
        ) from error
    except _FAILURES as error:
        raise explain(error, path) from error


def damage(path: Path) -> Damaged:
    """The error for something in a store that is not what was put there."""
    message, hint = _DAMAGE
    return Damaged(message, hint=hint, path=path)


def text(value: str) -> str:
    """The text as SQLite can hold it: a lone surrogate or a NUL becomes the escape of JSON's."""
    return value.encode(errors="backslashreplace").decode().replace("\0", "\\u0000")


def version_of(connection: Connection) -> int:
    """Which version of the file this is."""
    return _pragma(connection, "user_version")


def _make_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        # SQLite gives its companions (-wal, -shm) the mode of the file.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _refuse_missing(path: Path) -> None:
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        raise InputError("there is no store of answers", hint=_NAME_ONE, path=path)


def _refuse_others(path: Path) -> None:
    """Refuse what is not ours while it is still untouched.

    An immutable connection reads the file as it lies there, without locks, recovery or new files
    beside it. Reading the bytes ourselves would not do: closing the file would drop the locks of
    any other connection in this process (POSIX advisory locks).
    """
    if not path.is_file():
        raise InputError("this is a folder or a device, not a file", hint=WITHOUT, path=path)
    if path.stat().st_size == 0:
        return
    with closing(_connect_uri(path, "mode=ro&immutable=1")) as connection:
        try:
            _refuse_unless_ours(connection, path)
        except sqlite3.DatabaseError as error:
            # A file that another process is just growing looks damaged without locks; whoever
            # opens it looks again, with them.
            if _code(error) != sqlite3.SQLITE_CORRUPT:
                raise


def _refuse_unless_ours(connection: Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise StoreError("the file is a database of another program", hint=_ELSEWHERE, path=path)
    if (version := version_of(connection)) > VERSION:
        raise StoreError(
            f"the store of answers is from a newer version of summarizer ({version}, this one "
            f"knows {VERSION})",
            hint="Update summarizer, or name another store with --store",
            path=path,
        )


def _connect(path: Path, patience: float, opened: ExitStack) -> Connection:
    connection = sqlite3.connect(
        path, timeout=patience, isolation_level=None, check_same_thread=False
    )
    opened.callback(connection.close)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone stops at the drive's cache
    return connection


def _connect_uri(path: Path, how: str, patience: float = 0.0) -> Connection:
    address = f"{path.absolute().as_uri()}?{how}"
    connection = sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)
    # It writes nothing, but without it SQLite opens no file that was cut short (`lockBtree`).
    connection.execute("PRAGMA writable_schema = ON")
    return connection


def _only_reading(path: Path) -> Connection:
    connection = _connect_uri(path, "mode=ro", PATIENCE)
    try:
        version_of(connection)
    except sqlite3.Error as error:
        connection.close()
        # Readers of a write-ahead log share an index beside the file, which a full disk or a
        # folder that cannot be written does not let them make. Where no log waits, the file alone
        # says all.
        log = Path(f"{path}-wal")
        if _code(error) not in _NO_INDEX or (log.exists() and log.stat().st_size):
            raise
        return _connect_uri(path, "mode=ro&immutable=1")
    return connection


def _bring_up(connection: Connection, path: Path) -> None:
    """Bring the file up to this version, in one transaction; also shows that it is writable."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if _pragma(connection, "schema_version") == 0:  # the file is new
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _refuse_unless_ours(connection, path)
        for number in range(version_of(connection), VERSION):
            for statement in STEPS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        # BEGIN IMMEDIATE is content with reading where a file is read-only; this is not.
        connection.execute("DELETE FROM answers WHERE FALSE")
    # Only now, so that the application_id stands in the file and not in the log. Where another
    # process is at it too, or the file system cannot, the store works without; only slower.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")


def explain(error: Exception, path: Path, *, lost: str = "") -> StoreError:
    """What an error of SQLite or the system means to the user; `lost` is what was not kept."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        holders = ", ".join(map(str, _holders(path)))
        message = "another program holds the store of answers"
        message += f" (process {holders})" if holders else ""
        hint = "Wait for it or end it, or go without a store with --no-store"
    elif code in _REASONS:
        message, hint = _REASONS[code]
    else:
        reason = getattr(error, "strerror", None) or str(error)
        message, hint = f"the store of answers cannot be used: {reason.lower()}", WITHOUT
    if lost:
        message = f"{lost} could not be kept: {message}"
    kind = Damaged if code == sqlite3.SQLITE_CORRUPT else StoreError
    return kind(message, hint=hint, path=path)


def _pragma(connection: Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _code(error: Exception) -> int:
    """SQLite's primary result code."""
    # Python says that damaged bytes are no text by an error without a code, or by one of its own.
    undecodable = isinstance(error, UnicodeDecodeError | sqlite3.OperationalError)
    fallback = sqlite3.SQLITE_CORRUPT if undecodable else sqlite3.SQLITE_ERROR
    code: int = getattr(error, "sqlite_errorcode", fallback)
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
