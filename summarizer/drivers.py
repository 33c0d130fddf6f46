"""The drivers: papers into entries, a day into a digest, and what became of each paper.

What is asked is composed here: a recording over the store over the limits over the model, each of
them a `ChatModel`. A replay is asked as it is: it costs nothing, and never touches a store.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter, deque
from contextlib import aclosing, suppress
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from summarizer.archive import Account, prepare, write_day
from summarizer.costs import Estimate, count_tokens, estimate, price
from summarizer.digest import Digest, Entry, Usage, Value
from summarizer.errors import RecordingMiss
from summarizer.flow import summarize
from summarizer.limits import Limits
from summarizer.models.recordings import Recorder
from summarizer.models.replay import Replay
from summarizer.store import Store, Stored

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence

    from summarizer.checks import Checks
    from summarizer.digest import Paper
    from summarizer.models import Answer, ChatModel, Request
    from summarizer.models.recordings import Recording
    from summarizer.prompts import Prompt

CONCURRENCY = 8
"""How many papers are asked about at once, where nobody says otherwise."""

_AHEAD = 4
"""How many times `CONCURRENCY` papers may be begun before the first of them has ended."""

_EXIT_CODES = {"findings": 1, "paper": 2, "unanswered": 3}
"""What each cause of a failed entry makes of a run; the higher wins."""


class DayReport(Value):
    """What a run did for one day; money and counts stand here and never in an entry.

    Attributes:
        date: The day.
        model: Who answered.
        papers: What became of each paper, in the order of the digest, lost ones last.
        files: Where the day lies now: `DATE.partial.*` where papers failed or were lost.
        changed: Those of the files that were written; the others held the same bytes already.
        partial: Whether they are partial files beside an older digest, or instead of one.
        asked: Calls to the model, retries included.
        reused: Answers that came from the store.
        tokens: Of all answers, reused ones included.
        spent: US dollars at list price for the answers that were not reused; None where the price
            is not known.
        exit_code: 0 when every paper is in the digest, else the cause that weighs most.
    """

    date: dt.date
    model: str
    papers: tuple[Account, ...]
    files: tuple[Path, ...]
    changed: tuple[Path, ...]
    partial: bool
    asked: int
    reused: int
    tokens: Usage
    spent: Decimal | None
    exit_code: int

    @property
    def counts(self) -> Counter[str]:
        """How many papers are new, kept, changed, failed and lost."""
        return Counter(paper.status for paper in self.papers)


class PlannedPaper(Value):
    """One paper of a plan; `tokens` is 0 where nothing can be asked."""

    arxiv_id: str
    title: str
    tokens: int
    state: Literal["asked", "at hand", "failed"]
    reason: str | None = None


class Plan(Value):
    """What a run would ask, found out without asking.

    Attributes:
        papers: Each with the tokens of its question, and whether its answer is at hand already or,
            where nothing can be asked, why.
        estimate: Of the questions whose answers are not at hand.
    """

    model: str
    papers: tuple[PlannedPaper, ...]
    estimate: Estimate


def _ignore(_: Entry) -> None: ...


class _Asked:
    """What is asked, composed, and what it has counted."""

    def __init__(
        self, model: ChatModel, *, store: Store | None, record: Path | None, concurrency: int
    ) -> None:
        self.model = model
        self.limits: Limits | None = None
        self.stored: Stored | None = None
        if not isinstance(model, Replay):
            self.model = self.limits = Limits(model, concurrency=concurrency)
            if store is not None:
                self.model = self.stored = Stored(self.limits, store)
        if record is not None:
            self.model = Recorder(self.model, record)


async def regenerate(
    papers: Iterable[Paper],
    *,
    prompt: Prompt,
    model: ChatModel,
    checks: Checks | None = None,
    repairs: int | None = None,
    store: Store | None = None,
    record: Path | None = None,
    concurrency: int = CONCURRENCY,
    done: Callable[[Entry], None] = _ignore,
) -> AsyncIterator[Entry]:
    """Summarise papers, several at once; entries come in the papers' order.

    A paper whose answer is wrong or missing ends as a failed entry and takes no other with it.

    Args:
        model: Who is asked; the caller closes it.
        checks: As for `summarize`.
        repairs: As for `summarize`.
        store: Keeps every answer and is asked first; None goes without.
        record: A file of recordings that every answer it lacks is added to.
        concurrency: How many questions may be under way at once.
        done: Called with each entry as soon as it is there, in any order.

    Raises:
        ModelUnusable: No further question can be answered; no further one is asked.
        RecordingMiss: A replay lacks first questions; it names all of them.
        StoreError: An answer could not be kept.
        DiskError: An answer could not be recorded.
    """
    asked = _Asked(model, store=store, record=record, concurrency=concurrency)
    async with aclosing(
        _entries(
            papers, asked.model, concurrency, done, prompt=prompt, checks=checks, repairs=repairs
        )
    ) as entries:
        async for entry in entries:
            yield entry


async def _entries(
    papers: Iterable[Paper],
    model: ChatModel,
    concurrency: int,
    done: Callable[[Entry], None],
    **how: Any,
) -> AsyncGenerator[Entry, None]:
    misses: list[tuple[Paper, RecordingMiss]] = []

    async def one(paper: Paper) -> Entry | None:
        try:
            entry = await summarize(paper, model=model, **how)
        except RecordingMiss as miss:
            misses.append((paper, miss))
            return None
        done(entry)
        return entry

    begun: deque[asyncio.Task[Entry | None]] = deque()
    try:
        for paper in papers:
            begun.append(asyncio.create_task(one(paper)))
            if len(begun) >= _AHEAD * concurrency and (entry := await begun.popleft()):
                yield entry
        while begun:
            if entry := await begun.popleft():
                yield entry
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
    if misses:
        raise _all_of(misses)


def _all_of(misses: Sequence[tuple[Paper, RecordingMiss]]) -> RecordingMiss:
    """One miss that explains the first and names the others."""
    _, first = misses[0]
    if len(misses) == 1:
        return first
    others = ", ".join(paper.arxiv_id for paper, _ in misses[1:])
    return RecordingMiss(f"{first.message}; nor is there a recording for {others}", hint=first.hint)


async def regenerate_day(
    date: dt.date,
    papers: Sequence[Paper],
    *,
    prompt: Prompt,
    model: ChatModel,
    folder: Path,
    formats: Sequence[str] = ("md", "json"),
    checks: Checks | None = None,
    repairs: int | None = None,
    store: Store | None = None,
    record: Path | None = None,
    concurrency: int = CONCURRENCY,
    done: Callable[[Entry], None] = _ignore,
) -> DayReport:
    """Summarise a day's papers and write its digest, whole or as partial files (`write_day`).

    The arguments are those of `regenerate`. The folder is tried before anything is asked.

    Raises:
        SummarizerError: What `regenerate` and `write_day` raise.
    """
    prepare(folder, date)
    asked = _Asked(model, store=store, record=record, concurrency=concurrency)
    entries = [
        entry
        async for entry in _entries(
            papers, asked.model, concurrency, done, prompt=prompt, checks=checks, repairs=repairs
        )
    ]
    written = write_day(
        folder, Digest(date=date, language=prompt.language, entries=tuple(entries)), formats
    )
    tokens = sum((e.provenance.tokens for e in entries if e.provenance), start=Usage())
    calls = asked.limits.calls if asked.limits else 0
    bought = asked.limits.usage if asked.limits else Usage()
    codes = [_EXIT_CODES[entry.cause] for entry in entries if entry.cause]
    return DayReport(
        date=date,
        model=model.name,
        papers=written.accounts,
        files=written.paths,
        changed=written.changed,
        partial=written.partial,
        asked=calls,
        reused=asked.stored.reused if asked.stored else 0,
        tokens=tokens,
        spent=price(bought, model.name) if calls else Decimal(0),
        exit_code=max([*codes, 1 if written.lost else 0]),
    )


def plan(papers: Iterable[Paper], *, prompt: Prompt, model: str, store: Store | None) -> Plan:
    """What a run would ask and cost; nothing is asked.

    Args:
        model: The model's spec. A replay has all answers at hand, or says what it lacks when it
            runs.
    """
    planned, requests = [], []
    for paper in papers:
        if missing := prompt.missing(paper):
            tokens, state, reason = 0, "failed", f"it has no {' and no '.join(missing)}"
        else:
            request = prompt.render(paper)
            tokens, state, reason = count_tokens(request, model).tokens, "asked", None
            if model.startswith("replay:") or (store and store.get(model, request.fingerprint)):
                state = "at hand"
            else:
                requests.append(request)
        planned.append(
            PlannedPaper.model_validate(
                {
                    "arxiv_id": paper.arxiv_id,
                    "title": paper.title,
                    "tokens": tokens,
                    "state": state,
                    "reason": reason,
                }
            )
        )
    return Plan(model=model, papers=tuple(planned), estimate=estimate(requests, model))


class _Noting:
    """A replay that notes what it is asked."""

    def __init__(self, recordings: Iterable[Recording]) -> None:
        self.name = "recordings"
        self.noted: list[Request] = []
        self._answers = {recording.fingerprint: recording.answer for recording in recordings}

    async def ask(self, request: Request) -> Answer:
        self.noted.append(request)
        if answer := self._answers.get(request.fingerprint):
            return answer
        raise RecordingMiss(f"there is no recording for {request.label}")

    async def aclose(self) -> None:
        """Nothing is open."""


async def questions(
    papers: Iterable[Paper], prompt: Prompt, recordings: Iterable[Recording], *, samples: int = 1
) -> list[Request]:
    """Every question that is asked about papers now, repairs of recorded answers included.

    Args:
        papers: What is asked about.
        prompt: What is asked.
        recordings: The answers that there are, of one model.
        samples: How many independent answers to each question are wanted.
    """
    noting = _Noting(recordings)
    for paper, sample in product(papers, range(samples)):
        with suppress(RecordingMiss):
            await summarize(paper, prompt=prompt, model=noting, sample=sample)
    return noting.noted
