"""Papers into entries: several under way at once, in order, however many there are."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from summarizer.digest import Entry, Paper
from summarizer.drivers.ahead import ahead
from summarizer.drivers.asking import Asking
from summarizer.errors import RecordingMiss, SummarizerError
from summarizer.flow import summarize

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
    from typing import Any, Unpack

    from summarizer.checks import Checks
    from summarizer.drivers.asking import How
    from summarizer.models import ChatModel
    from summarizer.prompts import Prompt
    from summarizer.store import Store

T = TypeVar("T")


class Unwritten(NamedTuple):
    """Stands in the place of an entry: why there is none of this paper."""

    paper: Paper
    error: SummarizerError


class Again(NamedTuple):
    """A paper that is asked about anew: its `sample`th independent answer is wanted."""

    paper: Paper
    sample: int


class Summaries:
    """One run over papers: how they are asked about, how many are under way, and what it costs.

    The arguments are those of `How`.

    Attributes:
        asking: Who is asked, and what it has cost.
        stopped: What ended the run: after it no paper is begun.
    """

    def __init__(
        self,
        *,
        prompt: Prompt,
        model: ChatModel,
        checks: Checks | None = None,
        repairs: int | None = None,
        store: Store | None = None,
        **asked: Any,
    ) -> None:
        self.prompt = prompt
        self.asking = Asking(model, store=store, **asked)
        self.stopped: SummarizerError | None = None
        self._checks, self._repairs = checks, repairs
        self._store = store

    async def entries(
        self, items: AsyncGenerator[Paper | Again | T, None], done: Callable[[Entry], None]
    ) -> AsyncGenerator[Entry | Unwritten | T, None]:
        """Summarise papers, several at once; what is no paper is given back in its place.

        Neither papers nor entries are held beyond those under way. Once the run has stopped, what
        is under way still ends, for it is paid for; leaving the generator cancels it.

        Args:
            items: Papers and whatever else stands between them; it is read ahead.
            done: Called with each entry as soon as it is there, in any order.
        """
        running: set[asyncio.Task[Entry | Unwritten]] = set()

        async def begun() -> AsyncGenerator[asyncio.Task[Entry | Unwritten] | T, None]:
            async with aclosing(items):
                async for item in items:
                    if self.stopped:
                        return
                    if isinstance(item, Paper | Again):
                        task = asyncio.create_task(self._one(item, done))
                        running.add(task)
                        task.add_done_callback(running.discard)
                        yield task
                    else:
                        yield item

        try:
            async with aclosing(ahead(begun(), self.asking.window)) as window:
                async for item in window:
                    # Shielded: a cancellation must reach all at once, or the place that one of them
                    # gives up would let another question go out.
                    yield await asyncio.shield(item) if isinstance(item, asyncio.Task) else item
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self.asking.aclose()

    async def _one(self, item: Paper | Again, done: Callable[[Entry], None]) -> Entry | Unwritten:
        paper, sample = item if isinstance(item, Again) else (item, 0)
        if self.stopped:
            return Unwritten(paper, self.stopped)
        try:
            entry = await self._summarize(paper, sample)
            # What was answered anew in an earlier run (`Again`) is what this run is given, too.
            while entry.cause == "findings" and self._holds(paper, sample + 1):
                sample += 1
                entry = await self._summarize(paper, sample)
        except RecordingMiss as miss:
            return Unwritten(paper, miss)
        except SummarizerError as error:
            self.stopped = self.stopped or error
            return Unwritten(paper, error)
        done(entry)
        return entry

    async def _summarize(self, paper: Paper, sample: int) -> Entry:
        return await summarize(
            paper,
            prompt=self.prompt,
            model=self.asking,
            checks=self._checks,
            repairs=self._repairs,
            sample=sample,
        )

    def _holds(self, paper: Paper, sample: int) -> bool:
        if self._store is None:
            return False
        question = self.prompt.render(paper, sample=sample)
        return self._store.get(self.asking.name, question.fingerprint) is not None


async def regenerate(
    papers: Iterable[Paper], *, done: Callable[[Entry], None] = lambda _: None, **how: Unpack[How]
) -> AsyncGenerator[Entry, None]:
    """Summarise papers, several at once; entries come in the papers' order.

    A paper whose answer is wrong or missing ends as a failed entry and takes no other with it.

    Args:
        papers: Read as far ahead as papers are under way, and no further.
        done: Called with each entry as soon as it is there, in any order.
        how: `prompt` and `model`, and what else `How` names.

    Raises:
        ModelUnusable: No further question can be answered; no further one is asked. This and the
            next two are raised when what was under way has ended, after the last entry.
        StoreError: An answer could not be kept.
        DiskError: An answer could not be recorded.
        RecordingMiss: A replay lacks first questions; it names all of them.
    """
    summaries = Summaries(**how)
    missing: list[Unwritten] = []

    async def items() -> AsyncGenerator[Paper, None]:
        for paper in papers:
            yield paper

    async with aclosing(summaries.entries(items(), done)) as entries:
        async for entry in entries:
            if isinstance(entry, Entry):
                yield entry
            else:
                missing.append(entry)
    if summaries.stopped:
        raise summaries.stopped
    if missing:
        raise all_of(missing)


def all_of(missing: Sequence[Unwritten]) -> SummarizerError:
    """One error that explains why the first paper has no entry, and names the others."""
    first = missing[0].error
    if len(missing) == 1:
        return first
    others = ", ".join(one.paper.arxiv_id for one in missing[1:])
    return RecordingMiss(f"{first.message}; nor is there a recording for {others}", hint=first.hint)
