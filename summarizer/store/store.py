"""What is kept: answers, batches in flight, and which papers an archive has published."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from summarizer.digest import Value
from summarizer.errors import StoreError
from summarizer.models import Answer
from summarizer.store.database import PATIENCE, WITHOUT, Connection, Database, damage, text
from summarizer.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from summarizer.models import Request

_SELECT = "SELECT answer FROM answers WHERE fingerprint = ? AND model = ?"
_INSERT = """
    INSERT INTO answers (fingerprint, model, label, answer) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""


class Batch(Value):
    """Questions that were handed over to a server together and are not all answered yet.

    Attributes:
        ours: Its name here.
        server_id: Its name at the server; None until the server is known to have it.
        fingerprints: Of its questions, in order.
        labels: Theirs, in the same order.
        opened_at: When, in UTC (ISO 8601).
    """

    ours: str
    server_id: str | None
    fingerprints: tuple[str, ...]
    labels: tuple[str, ...]
    opened_at: str


class Store:
    """All answers ever paid for, by model and fingerprint, and what is needed to buy none twice.

    Use it as a context manager: leaving it commits what is still waiting. What is awaited has
    reached the disk when it returns, and cancelling does not take it back.

    Args:
        path: The file, made where it is missing; None stands for `default_path`.
        patience: Seconds to wait for another process that holds the file.

    Raises:
        InputError: The path names a folder or a device.
        StoreError: The file is no store, is damaged, locked, from a newer version, or its place
            cannot be written. Whatever lies there stays as it was.
    """

    def __init__(self, path: str | Path | None = None, *, patience: float = PATIENCE) -> None:
        self.path = default_path(os.environ, sys.platform) if path is None else Path(path)
        self._database = Database(self.path, patience=patience)
        self._writer = Writer(self._database.writing, self.path)

    def get(self, model: str, fingerprint: str) -> Answer | None:
        """Look an answer up; takes microseconds, and does not wait for whoever writes.

        Raises:
            StoreError: The store is damaged or locked.
        """
        rows = self._database.read(_SELECT, (fingerprint, text(model)))
        return self._parse(rows[0][0]) if rows else None

    async def put(self, model: str, request: Request, answer: Answer) -> Answer:
        """Keep an answer.

        Returns:
            The answer that stands: the given one, or the one that another process kept before it.

        Raises:
            StoreError: The answer could not be kept.
        """

        def insert(connection: Connection) -> str | None:
            key = (request.fingerprint, text(model))
            row = (*key, text(request.label), dump(answer))
            if connection.execute(_INSERT, row).rowcount:
                return None
            standing: str = connection.execute(_SELECT, key).fetchone()[0]
            return standing

        what = f"the answer for {request.label or 'one question'}"
        standing = await self._writer.write(what, insert)
        return answer if standing is None else self._parse(standing)

    async def put_many(self, model: str, answers: Iterable[tuple[str, str, Answer]]) -> None:
        """Keep many answers in one transaction; one that is there already stands.

        Args:
            answers: Each with the fingerprint and the label of its request.

        Raises:
            StoreError: The answers could not be kept; none of them was.
        """
        kept = list(answers)

        def insert(connection: Connection) -> None:
            connection.executemany(
                _INSERT,
                (
                    (fingerprint, text(model), text(label), dump(answer))
                    for fingerprint, label, answer in kept
                ),
            )

        await self._writer.write(f"{len(kept):,} answers", insert)

    async def open_batch(self, model: str, requests: Sequence[Request]) -> str:
        """Note that a batch is about to be handed over, before anything is.

        Args:
            requests: Its questions, in order; equal ones count once.

        Returns:
            Its name here: a new UUID as 32 hexadecimal digits.

        Raises:
            StoreError: It could not be kept.
        """
        ours = uuid4().hex
        questions = json.dumps({request.fingerprint: request.label for request in requests})

        def insert(connection: Connection) -> None:
            connection.execute(
                "INSERT INTO batches (ours, model, questions) VALUES (?, ?, ?)",
                (ours, text(model), questions),
            )

        await self._writer.write(f"a batch of {len(requests):,} questions", insert)
        return ours

    async def submitted(self, ours: str, server_id: str) -> None:
        """Note how the server names a batch.

        Raises:
            StoreError: It could not be kept, or the batch is no longer in flight.
        """

        def update(connection: Connection) -> int:
            return connection.execute(
                "UPDATE batches SET server_id = ? WHERE ours = ?", (text(server_id), text(ours))
            ).rowcount

        if not await self._writer.write(f"the server's name of the batch {ours}", update):
            raise StoreError(
                f"the batch {ours} is no longer in flight: it was closed or given up meanwhile",
                path=self.path,
            )

    def batches(self, model: str) -> tuple[Batch, ...]:
        """The batches of a model that are in flight, oldest first.

        Raises:
            StoreError: The store is damaged or locked.
        """
        rows = self._database.read(
            f"SELECT ours, server_id, questions, {iso('opened_at')} "  # noqa: S608 - ours
            "FROM batches WHERE model = ? ORDER BY rowid",
            (text(model),),
        )
        try:
            return tuple(
                Batch(
                    ours=ours,
                    server_id=server_id,
                    fingerprints=tuple(questions := load_questions(kept)),
                    labels=tuple(questions.values()),
                    opened_at=opened_at,
                )
                for ours, server_id, kept, opened_at in rows
            )
        except ValueError as error:
            raise damage(self.path) from error

    async def close_batch(self, ours: str) -> None:
        """Forget a batch: all its answers are kept, or given up.

        Raises:
            StoreError: It could not be kept.
        """

        def delete(connection: Connection) -> None:
            connection.execute("DELETE FROM batches WHERE ours = ?", (text(ours),))

        await self._writer.write(f"the end of the batch {ours}", delete)

    async def publish(self, archive: str, date: dt.date, arxiv_ids: Iterable[str]) -> None:
        """Note which papers a day of an archive publishes now, in place of what was noted before.

        Args:
            archive: The archive's folder, as a resolved path.

        Raises:
            StoreError: It could not be kept.
        """
        day = (text(archive), date.isoformat())
        papers = {text(arxiv_id) for arxiv_id in arxiv_ids}

        def replace(connection: Connection) -> None:
            connection.execute(
                "INSERT INTO days (archive, date) VALUES (?, ?) ON CONFLICT DO NOTHING", day
            )
            (number,) = connection.execute(
                "SELECT id FROM days WHERE archive = ? AND date = ?", day
            ).fetchone()
            noted = connection.execute("SELECT arxiv_id FROM published WHERE day = ?", (number,))
            if {arxiv_id for (arxiv_id,) in noted} == papers:
                return  # nothing is written, and nothing flushed
            connection.execute("DELETE FROM published WHERE day = ?", (number,))
            connection.executemany(
                "INSERT INTO published (arxiv_id, day) VALUES (?, ?)",
                ((arxiv_id, number) for arxiv_id in papers),
            )

        await self._writer.write(f"what {date} publishes", replace)

    def published(
        self, archive: str, arxiv_ids: Iterable[str], before: dt.date
    ) -> Mapping[str, dt.date]:
        """Which papers an earlier day of an archive has published, and the earliest such day.

        Raises:
            StoreError: The store is damaged or locked.
        """
        asked = {text(arxiv_id): arxiv_id for arxiv_id in arxiv_ids}
        rows = self._database.read(
            """
            SELECT arxiv_id, MIN(date)
            FROM json_each(?) CROSS JOIN published ON arxiv_id = value JOIN days ON days.id = day
            WHERE archive = ? AND date < ?
            GROUP BY arxiv_id
            """,
            (json.dumps(list(asked)), text(archive), before.isoformat()),
        )
        return {asked[arxiv_id]: self._date(date) for arxiv_id, date in rows}

    def days(self, archive: str) -> Mapping[dt.date, int]:
        """The days of an archive that are noted, earliest first, with how many papers each has.

        Raises:
            StoreError: The store is damaged or locked.
        """
        rows = self._database.read(
            "SELECT date, (SELECT COUNT(*) FROM published WHERE day = id) FROM days "
            "WHERE archive = ? ORDER BY date",
            (text(archive),),
        )
        return {self._date(date): count for date, count in rows}

    def close(self) -> None:
        """Commit what is still waiting and let go of the file."""
        self._writer.close()
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _parse(self, kept: str) -> Answer:
        try:
            return load(kept)
        except ValueError as error:
            raise damage(self.path) from error

    def _date(self, date: str) -> dt.date:
        try:
            return dt.date.fromisoformat(date)
        except (TypeError, ValueError) as error:
            raise damage(self.path) from error


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
        raise StoreError("there is no home directory for the store", hint=WITHOUT) from error
    return home / "summarizer" / "answers.sqlite3"


def iso(column: str) -> str:
    """SQL for one of SQLite's times as ISO 8601; NULL where it is none."""
    return f"strftime('%Y-%m-%dT%H:%M:%SZ', {column})"


def dump(answer: Answer) -> str:
    """An answer as it is kept: JSON."""
    # model_dump_json would refuse a lone surrogate, which a server's JSON may hold.
    return text(json.dumps(answer.model_dump(), ensure_ascii=False))


def load(kept: object) -> Answer:
    """The answer that was kept as this.

    Raises:
        ValueError: None was.
    """
    if not isinstance(kept, str):
        raise ValueError("an answer is kept as text")  # noqa: TRY004 - the file's fault, not ours
    try:
        return Answer.model_validate_json(kept)
    except ValueError:  # pydantic's reader of JSON, which is faster, knows no lone surrogates
        return Answer.model_validate(_json(kept))


def load_questions(kept: object) -> dict[str, str]:
    """The questions of a batch that were kept as this: their fingerprints and labels, in order.

    Raises:
        ValueError: None were.
    """
    questions = _json(kept) if isinstance(kept, str) else None
    if not isinstance(questions, dict):
        raise ValueError("the questions of a batch are kept as a JSON object")  # noqa: TRY004
    return questions


def _json(kept: str) -> Any:
    try:
        return json.loads(kept)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
