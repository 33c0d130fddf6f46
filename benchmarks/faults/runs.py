"""Runs of the product over days of made papers: as a library, and as a command in a process."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, redirect_stderr, redirect_stdout
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from unittest import mock

from summarizer.cli import main
from summarizer.drivers import regenerate_range
from summarizer.formats.json import parse_json
from summarizer.models.openai import OpenAIModel
from summarizer.prompts import load_prompt
from summarizer.sources import read_days
from summarizer.store import Store
from tests import made_papers
from tests.chat_server import ChatServer
from tests.disks import files

if TYPE_CHECKING:
    from summarizer.digest import Digest
    from summarizer.drivers import Engine, RangeReport
    from summarizer.models import ChatModel

ROOT = Path(__file__).parents[2]
MODEL = "test-1"
AT_ONCE = 8
PROGRAM = (sys.executable, "-m", "summarizer")


class Days(NamedTuple):
    """Papers of some days, in a folder that is a source.

    Attributes:
        home: Where everything of one trial lies.
        span: The first and the last day, as the command line takes them.
    """

    home: Path
    span: str

    @property
    def source(self) -> Path:
        """The papers."""
        return self.home / "papers"

    @property
    def digests(self) -> Path:
        """The digests that are made of them."""
        return self.home / "digests"

    @property
    def store(self) -> Path:
        """The store of answers."""
        return self.home / "store.sqlite3"

    def words(self) -> list[str]:
        """The command that makes their digests, without the program's name."""
        words = ["digest", self.span, "--from", str(self.source), "--model", f"openai:{MODEL}"]
        words += ["--out", str(self.digests), "--store", str(self.store)]
        return [*words, "--concurrency", str(AT_ONCE)]


def make_days(home: Path, count: int, *, days: int) -> Days:
    """Write papers of some days into a new folder."""
    home.mkdir(parents=True)
    return Days(home, made_papers.write_days(home / "papers", count, days=days))


def environment(url: str, key: str | None = None, **more: str) -> dict[str, str]:
    """The environment of a command that asks this server."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    known |= {"OPENAI_BASE_URL": url, "PYTHONPATH": str(ROOT), **more}
    return known if key is None else known | {"OPENAI_API_KEY": key}


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run: TypeAlias = Callable[[Sequence[str], Mapping[str, str]], Ended]
"""Runs the command line, given its words and its environment."""


def run_apart(words: Sequence[str], environ: Mapping[str, str]) -> Ended:
    """Run the command line in a process of its own."""
    command = [*PROGRAM, *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def run_here(words: Sequence[str], environ: Mapping[str, str]) -> Ended:
    """Run the command line in this process, which is quicker."""
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
        mock.patch.dict(os.environ, environ, clear=True),
        mock.patch.object(sys, "argv", ["summarizer", *words]),
    ):
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


async def make_range(
    days: Days,
    model: ChatModel,
    *,
    engine: Engine = "live",
    concurrency: int = AT_ONCE,
    pace: float = 1.0,
    only_failed: bool = False,
) -> RangeReport:
    """Make the digests of days with the library; all its waits pass `pace` times as long."""
    first, last = map(dt.date.fromisoformat, days.span.split(".."))
    dates = [first + dt.timedelta(days=day) for day in range((last - first).days + 1)]

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds * pace)

    with Store(days.store) as store:
        return await regenerate_range(
            dates,
            partial(read_days, str(days.source)),
            folder=days.digests,
            only_failed=only_failed,
            prompt=load_prompt("digest-ko"),
            model=model,
            store=store,
            concurrency=concurrency,
            engine=engine,
            sleep=sleep,
        )


@cache
def uninterrupted(count: int, *, days: int) -> Mapping[str, bytes]:
    """The digests that a good server and a quiet life lead to."""

    async def ask(made: Days, url: str) -> RangeReport:
        async with aclosing(OpenAIModel(MODEL, base_url=url)) as model:
            return await make_range(made, model)

    with tempfile.TemporaryDirectory() as home, ChatServer() as server:
        made = make_days(Path(home, "quiet"), count, days=days)
        server.answers(made_papers.respond)
        report = asyncio.run(ask(made, server.url))
        if report.exit_code:
            raise RuntimeError(f"the run without faults failed: {report.stopped or report.counts}")
        return files(made.digests)


def digests(written: Mapping[str, bytes]) -> dict[str, tuple[str, Digest]]:
    """Digests by their days, whole and partial ones, with the names of their files."""
    return {
        name[:10]: (name, parse_json(content.decode()))
        for name, content in written.items()
        if name.endswith(".json")
    }
