"""Which papers an archive has published, and on which day first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from summarizer import archive
from summarizer.errors import InputError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from summarizer.digest import Digest
    from summarizer.store import Store


class Ledger:
    """What the days of a folder publish, as the store notes it, or as the digests say.

    The folder has the last word: days that it holds and the store does not know are read, once;
    those that it no longer holds are forgotten. Without a store all its digests are read.

    Args:
        folder: The archive.
        store: Where it is noted.
    """

    def __init__(self, folder: Path, store: Store | None) -> None:
        self._folder = folder
        self._archive = str(folder.resolve())
        self._store = store
        self._days: dict[str, set[dt.date]] = {}

    async def catch_up(self) -> None:
        """Read the days that are not known.

        Raises:
            InputError: The folder cannot be read.
            StoreError: The store cannot be read or written.
        """
        # In this order: another process may write a day meanwhile, and notes it afterwards.
        noted = self._store.days(self._archive) if self._store else {}
        known = {date for date, papers in noted.items() if papers}
        there = set(archive.days(self._folder)) if self._folder.is_dir() else set()
        for date in sorted(there - known):
            try:
                digest = await asyncio.to_thread(archive.read_day, self._folder, date)
            except InputError:
                continue  # whoever makes that day will say so
            if digest is not None:
                await self.publish(date, published_in(digest))
        for date in sorted(known - there):
            await self.publish(date, ())

    async def publish(self, date: dt.date, arxiv_ids: Iterable[str]) -> None:
        """Note what a day publishes now.

        Raises:
            StoreError: It could not be noted.
        """
        if self._store:
            await self._store.publish(self._archive, date, arxiv_ids)
        else:
            for arxiv_id in arxiv_ids:
                self._days.setdefault(arxiv_id, set()).add(date)

    def earlier(self, arxiv_ids: Iterable[str], before: dt.date) -> Mapping[str, dt.date]:
        """Those of the papers that an earlier day has published, each with the earliest such day.

        Raises:
            StoreError: The store is damaged or locked.
        """
        if self._store:
            return self._store.published(self._archive, arxiv_ids, before)
        found = {
            arxiv_id: min(self._days.get(arxiv_id, ()), default=before) for arxiv_id in arxiv_ids
        }
        return {arxiv_id: date for arxiv_id, date in found.items() if date < before}


def published_in(digest: Digest) -> list[str]:
    """Ids of the papers that a digest publishes."""
    return [entry.paper.arxiv_id for entry in digest.entries if entry.status == "ok"]
