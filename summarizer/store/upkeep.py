"""Looking after a store: what it holds, and dropping what is no longer wanted."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from summarizer.digest import Usage, Value
from summarizer.errors import InputError, StoreError, near
from summarizer.store.database import altering, damage, plainly, reading, text, version_of
from summarizer.store.store import iso, load_questions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from summarizer.store.database import Connection

_TOKENS = ", ".join(
    f"CAST(SUM(CASE WHEN json_valid(answer) THEN json_extract(answer, '$.usage.{field}') END) AS "
    "INTEGER)"
    for field in Usage.model_fields
)


class Holding(Value):
    """What a store holds of one model's answers.

    Attributes:
        tokens: Of all of them, as far as the server said.
        first: When the earliest was kept, in UTC (ISO 8601).
        last: When the latest was.
    """

    model: str
    answers: int
    tokens: Usage
    first: str | None
    last: str | None


class InFlight(Value):
    """A batch that is not closed, with how many questions it holds."""

    model: str
    ours: str
    server_id: str | None
    questions: int
    opened_at: str | None


class Archive(Value):
    """What the ledger knows of one archive: `papers` counts a paper once for each day."""

    archive: str
    days: int
    papers: int
    first: dt.date
    last: dt.date


class Info(Value):
    """What a store holds.

    Attributes:
        version: Of the file.
        bytes: On the disk, the write-ahead log included.
    """

    path: Path
    version: int
    bytes: int
    models: tuple[Holding, ...]
    batches: tuple[InFlight, ...]
    archives: tuple[Archive, ...]


class Collected(Value):
    """What `gc` drops or would drop.

    Attributes:
        bytes_before: The size on the disk before.
        bytes_after: The same afterwards; None where it was only said what would go.
    """

    path: Path
    models: tuple[Holding, ...]
    batches: tuple[InFlight, ...]
    bytes_before: int
    bytes_after: int | None = None


def info(path: Path) -> Info:
    """Say what a store holds; never writes.

    Raises:
        InputError: There is no store.
        StoreError: It cannot be read.
    """
    with reading(path) as connection, _sound(path):
        version = version_of(connection)
        return Info(
            path=path,
            version=version,
            bytes=_size(path),
            models=_holdings(connection),
            batches=_in_flight(connection) if version > 1 else (),
            archives=_archives(connection) if version > 1 else (),
        )


def gc(
    path: Path,
    *,
    model: str | None = None,
    before: dt.datetime | None = None,
    batches: bool = False,
    drop: bool = False,
) -> Collected:
    """Drop answers, or give up batches, and make the file smaller.

    Args:
        model: Only of this model.
        before: Only what was kept (a batch: opened) before this time.
        batches: Give up batches that are in flight, and leave the answers alone. What a server
            still answers to them is not fetched any more.
        drop: Do it; else only say what would go, and write nothing.

    Raises:
        InputError: There is no store, or it holds nothing of that model.
        StoreError: It cannot be read or written. A file that could not be made smaller has lost
            what was to be dropped, and uses its room for later answers.
    """
    table, since = ("batches", "opened_at") if batches else ("answers", "stored_at")
    which = f"WHERE (:model IS NULL OR model = :model) AND (:before IS NULL OR {since} < :before)"
    values = {
        "model": None if model is None else text(model),
        "before": before and f"{before.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}",
    }
    size = _size(path)
    with (altering if drop else reading)(path) as connection, _sound(path):
        if drop:
            connection.execute("BEGIN IMMEDIATE")
        old = version_of(connection) == 1
        if model is not None:
            _refuse_unknown(connection, path, model, () if old else ("batches",))
        held = () if batches else _holdings(connection, which, values)
        given_up = _in_flight(connection, which, values) if batches and not old else ()
        if drop:
            connection.execute(f"DELETE FROM {table} {which}", values)  # noqa: S608 - ours, both
            connection.execute("COMMIT")
            if held or given_up:
                _shrink(connection, path)
    return Collected(
        path=path,
        models=held,
        batches=given_up,
        bytes_before=size,
        bytes_after=_size(path) if drop else None,
    )


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    """What is found in the file must fit our values."""
    try:
        yield
    except ValidationError as error:
        raise damage(path) from error


def _size(path: Path) -> int:
    size = 0
    for file in (path, Path(f"{path}-wal")):
        with suppress(OSError):
            size += file.stat().st_size
    return size


def _holdings(
    connection: Connection, which: str = "", values: Mapping[str, Any] | None = None
) -> tuple[Holding, ...]:
    rows = connection.execute(
        f"SELECT model, COUNT(*), {iso('MIN(stored_at)')}, "  # noqa: S608 - ours
        f"{iso('MAX(stored_at)')}, {_TOKENS} FROM answers {which} "
        "GROUP BY model ORDER BY model",
        values or {},
    )
    return tuple(
        Holding(
            model=model,
            answers=count,
            tokens=Usage(
                **{f: max(n or 0, 0) for f, n in zip(Usage.model_fields, tokens, strict=True)}
            ),
            first=first,
            last=last,
        )
        for model, count, first, last, *tokens in rows
    )


def _in_flight(
    connection: Connection, which: str = "", values: Mapping[str, Any] | None = None
) -> tuple[InFlight, ...]:
    rows = connection.execute(
        f"SELECT model, ours, server_id, questions, {iso('opened_at')} "  # noqa: S608
        f"FROM batches {which} ORDER BY rowid",
        values or {},
    )
    batches = []
    for model, ours, server_id, questions, opened_at in rows:
        try:
            count = len(load_questions(questions))
        except ValueError:  # what is damaged can be given up all the same
            count = 0
        batches.append(
            InFlight(
                model=model, ours=ours, server_id=server_id, questions=count, opened_at=opened_at
            )
        )
    return tuple(batches)


def _archives(connection: Connection) -> tuple[Archive, ...]:
    rows = connection.execute(
        "SELECT archive, COUNT(*), SUM((SELECT COUNT(*) FROM published WHERE day = id)), "
        "MIN(date), MAX(date) FROM days GROUP BY archive ORDER BY archive"
    )
    return tuple(
        Archive(archive=archive, days=days, papers=papers, first=first, last=last)
        for archive, days, papers, first, last in rows
    )


def _refuse_unknown(
    connection: Connection, path: Path, model: str, others: tuple[str, ...]
) -> None:
    tables = " UNION ".join(f"SELECT model FROM {table}" for table in ("answers", *others))  # noqa: S608
    known = [name for (name,) in connection.execute(tables)]
    if text(model) not in known:
        raise InputError(
            f"the store holds nothing of {model}",
            hint=near(model, known) if known else None,
            path=path,
        )


def _shrink(connection: Connection, path: Path) -> None:
    try:
        with plainly(path):
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except StoreError as error:
        raise StoreError(
            f"what was to be dropped is gone, but the file is not smaller: {error.message}",
            hint="Its free room will be used for later answers; or make room and run this again",
            path=path,
        ) from error
