"""Run a module as a program with every logger at DEBUG, into a file.

python -m benchmarks.faults.loud LOG client|reader|none MODULE ARGUMENT...

The second word says what breaks: the HTTP client, once, as one that does not like a header and
quotes it; or what reads answers, which nobody expects.
"""

from __future__ import annotations

import logging
import runpy
import sys
from contextlib import nullcontext
from typing import Any, NoReturn
from unittest import mock

import aiohttp

_request = aiohttp.ClientSession._request  # noqa: SLF001
_broken: list[str] = []


async def _break_once(session: aiohttp.ClientSession, *words: Any, **how: Any) -> Any:
    if _broken:
        return await _request(session, *words, **how)
    _broken.append("once")
    raise RuntimeError(f"Illegal header in { {**session.headers, **(how.get('headers') or {})} }")


def _break(*_: object) -> NoReturn:
    raise RuntimeError("a bug")


_BREAKS = {
    "client": ("aiohttp.ClientSession._request", _break_once),
    "reader": ("summarizer.models.openai.read_answer", _break),
}

if __name__ == "__main__":
    log, breaks, *sys.argv = sys.argv[1:]
    logging.basicConfig(filename=log, level=logging.DEBUG)
    with mock.patch(*_BREAKS[breaks]) if breaks in _BREAKS else nullcontext():
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
