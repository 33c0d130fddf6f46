"""Reading ahead: the next items are made ready while earlier ones are still in use."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

T = TypeVar("T")


class _End(NamedTuple):
    """The end of what was read, and what ended it."""

    error: Exception | None


async def ahead(items: AsyncGenerator[T, None], most: int) -> AsyncGenerator[T, None]:
    """The same items, up to `most` of them read before they are wanted.

    Leaving the generator ends the reading.
    """
    queue: asyncio.Queue[T | _End] = asyncio.Queue(most)

    async def fill() -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    await queue.put(item)
        except Exception as error:  # noqa: BLE001 - it is raised again where the items are used
            await queue.put(_End(error))
        else:
            await queue.put(_End(None))

    reading = asyncio.create_task(fill())
    try:
        while not isinstance(item := await queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
