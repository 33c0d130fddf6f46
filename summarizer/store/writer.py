"""Group commit: one flush to the disk for all changes that wait while another one is under way."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from summarizer.errors import StoreError
from summarizer.store.database import explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from summarizer.store.database import Connection

T = TypeVar("T")


class _Change(NamedTuple):
    """A change that waits for its commit, and who is told of it."""

    what: str
    make: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


class Writer:
    """Changes a store in a thread of its own, for any number of event loops.

    A change counts as kept once the transaction it is part of is committed; changes that arrive
    meanwhile share the next one.

    Args:
        connection: Used by nobody else.
        path: The file, for errors.
    """

    def __init__(self, connection: Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._changed = Condition()
        self._waiting: list[_Change] = []
        self._closed = False
        self._thread = Thread(target=self._run, name="summarizer-store", daemon=True)
        self._thread.start()

    async def write(self, what: str, make: Callable[[Connection], T]) -> T:
        """Change the file; returns when the change has reached the disk.

        Cancelling does not take it back: the cancellation waits for the commit.

        Args:
            what: What is lost if this fails, as the subject of a sentence.
            make: Makes the change, in the writer's thread.

        Returns:
            What `make` returned.

        Raises:
            StoreError: The change could not be kept.
        """
        try:
            return await self._wait_for(what, make)
        except asyncio.CancelledError:
            # Changes are made in order: when this one has had its turn, so has the other.
            with suppress(StoreError):
                await self._wait_for("", lambda _: None)
            raise

    def close(self) -> None:
        """Commit what is still waiting, and take no more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _wait_for(self, what: str, make: Callable[[Connection], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        with self._changed:
            if self._closed:
                raise StoreError("the store of answers is closed", path=self._path)
            self._waiting.append(_Change(what, make, loop, done))
            self._changed.notify()
        return done

    def _run(self) -> None:
        """Commit what is waiting, all in one transaction, until the store is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                group, self._waiting = self._waiting, []
            if not group:
                return
            outcomes: list[Any]
            try:
                with self._connection:
                    self._connection.execute("BEGIN IMMEDIATE")
                    outcomes = [change.make(self._connection) for change in group]
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                outcomes = [explain(error, self._path, lost=change.what) for change in group]
                for failure in outcomes:
                    failure.__cause__ = error
            self._tell(group, outcomes)

    @staticmethod
    def _tell(group: list[_Change], outcomes: list[Any]) -> None:
        """Wake each event loop once, however many changes of its were in the group."""
        told = defaultdict(list)
        for change, outcome in zip(group, outcomes, strict=True):
            told[change.loop].append((change.done, outcome))
        for loop, waiting in told.items():
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(_settle, waiting)


def _settle(waiting: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for done, outcome in waiting:
        if done.done():  # cancelled
            continue
        if isinstance(outcome, StoreError):
            done.set_exception(outcome)
        else:
            done.set_result(outcome)
