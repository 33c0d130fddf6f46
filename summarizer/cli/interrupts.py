"""Ctrl-C while something is asked: heard once, and told in one sentence."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, or to the first Ctrl-C; what it still has to do then is not interrupted.

    `asyncio.run` lets a second Ctrl-C break into any line, and tells it as tracebacks.

    Raises:
        KeyboardInterrupt: It was interrupted.
    """

    async def until_interrupted() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def end() -> None:
            loop.add_signal_handler(signal.SIGINT, lambda: None)
            if task is not None:
                task.cancel()

        with suppress(NotImplementedError):  # on Windows
            loop.add_signal_handler(signal.SIGINT, end)
        return await work

    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    try:
        return asyncio.run(until_interrupted() if heard else work)
    except asyncio.CancelledError:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt from None
