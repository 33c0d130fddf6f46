"""Reading all of a store, answer by answer: whether it is sound, and saving what can be read."""

from __future__ import annotations

import datetime as dt
import json
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from summarizer.digest import Value
from summarizer.disk import write_lines
from summarizer.errors import InputError
from summarizer.models import Answer
from summarizer.store.database import (
    PATIENCE,
    Damaged,
    Database,
    plainly,
    reading,
    text,
    version_of,
)
from summarizer.store.schema import NOTES
from summarizer.store.store import dump, iso, load, load_questions

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from summarizer.store.database import Connection

_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Kept(Value):
    """An answer as the store holds it; the question itself is not kept, but its fingerprint is."""

    model: str
    fingerprint: str
    label: str
    answer: Answer
    stored_at: str

    @property
    def line(self) -> str:
        """As a line of JSON, keys sorted, with its line end."""
        return text(json.dumps(self.model_dump(), ensure_ascii=False, sort_keys=True)) + "\n"


class Fault(Value):
    """Something in a store that is wrong.

    Attributes:
        where: The answer, the batch or the part of the file.
    """

    where: str
    message: str


class Verified(Value):
    """What a look at everything has found; the store is sound where there are no `faults`.

    Attributes:
        answers: How many can be read.
    """

    path: Path
    answers: int
    faults: tuple[Fault, ...]


def verify(path: Path) -> Verified:
    """Look at all of a store: SQLite's own check, and whether everything reads as what it is.

    Never writes. The time goes with the size of the file.

    Raises:
        InputError: There is no store.
        StoreError: It cannot be read at all.
    """
    readable = 0
    with reading(path) as connection:
        faults = list(_structure(connection, path))
        for found in _answers(connection, path):
            if isinstance(found, Fault):
                faults.append(found)
            else:
                readable += 1
        if version_of(connection) > 1:
            faults += _notes(connection, path)
    return Verified(path=path, answers=readable, faults=tuple(faults))


def answers(path: Path) -> Generator[Kept | Fault, None, None]:
    """All answers, in the order in which they were kept; a damaged one takes no other with it.

    Raises:
        InputError: There is no store.
        StoreError: It cannot be read at all.
    """
    with reading(path) as connection:
        yield from _answers(connection, path)


def export(path: Path, file: Path) -> list[Fault]:
    """Write all answers to a file of JSON Lines, whole or not at all.

    Returns:
        What is left out, since it cannot be read.

    Raises:
        InputError: There is no store, or the file is part of it.
        StoreError: It cannot be read at all.
        DiskError: The file could not be written; it is what it was before.
    """
    if file.resolve() in {Path(f"{path.resolve()}{end}") for end in ("", "-wal", "-shm")}:
        raise InputError("this is the store itself", hint="Name another file", path=file)
    faults: list[Fault] = []

    def lines() -> Generator[str, None, None]:
        for found in answers(path):
            if isinstance(found, Fault):
                faults.append(found)
            else:
                yield found.line

    with closing(lines()) as written:
        write_lines(file, written)
    return faults


def recover(path: Path, new: Path) -> list[Fault]:
    """Make a new store of all that can be read of a damaged one, which stays as it is.

    Returns:
        What is left out, since it cannot be read.

    Raises:
        InputError: There is no store, or the new file is there already.
        StoreError: The store cannot be read at all, or the new one not written; then there is none.
    """
    with plainly(new):
        if new.exists():
            raise InputError("the file is there already", hint="Name a new one", path=new)
    faults = []
    with reading(path) as old:
        try:
            with closing(Database(new, patience=PATIENCE)) as database, plainly(new):
                faults = list(_copy(old, path, database.writing))
        except BaseException:
            for end in ("", "-wal", "-shm"):
                Path(f"{new}{end}").unlink(missing_ok=True)
            raise
    return faults


def _copy(old: Connection, path: Path, new: Connection) -> Iterator[Fault]:
    """Copy, in one transaction, what can be read; yields what cannot."""
    with new:
        new.execute("BEGIN IMMEDIATE")
        for found in _answers(old, path):
            if isinstance(found, Fault):
                yield found
                continue
            new.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, datetime(?)) ON CONFLICT DO NOTHING",
                (
                    text(found.model),
                    found.fingerprint,
                    text(found.label),
                    dump(found.answer),
                    found.stored_at,
                ),
            )
        for table in NOTES if version_of(old) > 1 else ():
            try:
                with plainly(path):
                    rows = old.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - ours
            except Damaged:
                yield Fault(where=f"the {table}", message="they cannot be read")
            else:
                for row in rows:
                    places = ", ".join("?" * len(row))
                    new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)  # noqa: S608


def _structure(connection: Connection, path: Path) -> Iterator[Fault]:
    """What SQLite's own check has to say."""
    try:
        with plainly(path):
            for (said,) in connection.execute("PRAGMA integrity_check"):
                if said != "ok":
                    for line in str(said).splitlines():
                        yield Fault(where="the file", message=line)
    except Damaged:
        yield Fault(where="the file", message="it is so damaged that it cannot be checked")


def _answers(connection: Connection, path: Path) -> Iterator[Kept | Fault]:
    """Every answer, looked up on its own, so that damage to one page spares those of others."""
    numbers: set[int] = set()
    failures = []
    # The index and the table both number the answers; where one is damaged, the other may not be.
    sources = ("INDEXED BY sqlite_autoindex_answers_1", "NOT INDEXED")
    for source in sources:
        try:
            with plainly(path):
                rows = connection.execute(f"SELECT rowid FROM answers {source}")  # noqa: S608
                numbers.update(number for (number,) in rows)
        except Damaged as error:
            failures.append(error)
    if len(failures) == len(sources):
        if not numbers:
            raise failures[0]
        yield Fault(where="the file", message="there may be answers that are not found any more")
    for number in sorted(numbers):
        yield _answer(connection, path, number)


def _answer(connection: Connection, path: Path, number: int) -> Kept | Fault:
    where = f"answer {number}"
    try:
        with plainly(path):
            row = connection.execute(
                "SELECT model, fingerprint, label, answer, "  # noqa: S608 - ours
                f"{iso('stored_at')} FROM answers WHERE rowid = ?",
                (number,),
            ).fetchone()
    except Damaged:
        return Fault(where=where, message="it cannot be read")
    if row is None:
        return Fault(where=where, message="it stands in the index and not in the table")
    model, fingerprint, label, answer, stored_at = row
    if isinstance(label, str) and label:
        where += f" ({label})"
    try:
        answer = load(answer)
    except ValueError:
        return Fault(where=where, message="its text is no answer")
    if not (isinstance(model, str) and model):
        return Fault(where=where, message="it names no model")
    if not (isinstance(fingerprint, str) and _FINGERPRINT.fullmatch(fingerprint)):
        return Fault(where=where, message="its fingerprint is no SHA-256")
    if stored_at is None or not isinstance(label, str):
        return Fault(where=where, message="its label or its date is not readable")
    return Kept(
        model=model, fingerprint=fingerprint, label=label, answer=answer, stored_at=stored_at
    )


def _notes(connection: Connection, path: Path) -> Iterator[Fault]:
    """What is wrong with batches and with the ledger."""
    try:
        with plainly(path):
            for ours, questions in connection.execute("SELECT ours, questions FROM batches"):
                try:
                    load_questions(questions)
                except ValueError:
                    yield Fault(where=f"batch {ours}", message="its questions cannot be read")
            for (date,) in connection.execute("SELECT date FROM days"):
                try:
                    dt.date.fromisoformat(date)
                except (TypeError, ValueError):
                    yield Fault(where=f"the ledger, day {date}", message="it is no date")
            for (arxiv_id,) in connection.execute(
                "SELECT arxiv_id FROM published WHERE day NOT IN (SELECT id FROM days)"
            ):
                yield Fault(where=f"the ledger, paper {arxiv_id}", message="it belongs to no day")
    except Damaged:
        yield Fault(where="the batches and the ledger", message="they cannot all be read")
