"""An eval: every case of a set, asked of every prompt and model, and scored.

Each paper goes through the very flow that an operator runs (`flow.summarize`).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from contextlib import AsyncExitStack, closing
from itertools import product
from typing import TYPE_CHECKING, Any

from summarizer import __version__, drivers
from summarizer.disk import read_text
from summarizer.errors import InputError, RecordingMiss, SummarizerError, near
from summarizer.evals.advice import how_to_record, of_misses, tell_of_recordings
from summarizer.evals.answering import Recorded
from summarizer.evals.runs import Header, Result, Run, RunFile, questions
from summarizer.evals.scorers import load_scorers, score_entry
from summarizer.flow import REPAIRS, summarize
from summarizer.models import refuse_key
from summarizer.prompts import load_prompt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from summarizer.digest import Entry
    from summarizer.evals.answering import Ask
    from summarizer.evals.cases import Case
    from summarizer.evals.runs import Question
    from summarizer.evals.scorers import Scorer
    from summarizer.evals.sets import EvalSet
    from summarizer.models import Request
    from summarizer.models.recordings import Recording
    from summarizer.prompts import Prompt
    from summarizer.store import Store


def _ignore(_: object) -> None: ...


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


async def evaluate(
    eval_set: EvalSet,
    *,
    prompt: str | None = None,
    model: str | None = None,
    repeats: int | None = None,
    only: Sequence[str] = (),
    ask: Ask = "none",
    store: Store | None = None,
    out: Path | None = None,
    concurrency: int = drivers.CONCURRENCY,
    done: Callable[[Result], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
    now: Callable[[], dt.datetime] = _now,
) -> Run:
    """Ask every case of every prompt and model, and score what is answered.

    What recordings or the store hold is not asked again. A case whose answer is wrong ends as a
    failed entry; one that gets no answer, or whose scorer raises, as a result that says why.

    Args:
        eval_set: What is asked, and how it is scored.
        prompt: Name or path of the one prompt to ask; None leaves it to the set.
        model: Spec of the one model to ask; None leaves it to the set.
        repeats: How many independent answers each case is asked for; None leaves it to the set.
        only: Ids of the cases to ask; none stands for all.
        ask: Whether a model is asked nothing, what has no recording, or everything anew; what it
            answers is recorded.
        store: Keeps what is asked, and is looked into before; None goes without.
        out: The run's file; one that is there already is continued. What is recorded is judged
            anew; what is not stays as it was answered.
        concurrency: How many questions to one model may be under way at once.
        done: Called with each new result as soon as it is there, in any order.
        notice: Called with a sentence about recordings that are old, or that nothing uses.
        now: The clock.

    Raises:
        InputError: Something that the set or an argument names does not exist, or `out` holds
            another run.
        RecordingMiss: Nobody is asked, and recordings lack first answers; it names all of them and
            the command that records them. What else there is stands in `out`.
        ModelUnusable: No further question can be answered; no further one is asked.
        DiskError: A result or an answer could not be written.
    """
    prompts = load_prompts(eval_set, prompt)
    models = _models(eval_set, model)
    cases = _cases(eval_set, only)
    scorers = _scorers(eval_set)
    header = Header(
        set=eval_set.name,
        set_hash=eval_set.hash,
        prompts={name: one.hash for name, one in prompts.items()},
        texts={one.hash: read_text(one.path) for one in prompts.values()},
        models=models,
        scorers={name: scorer.signature for name, scorer in scorers.items()},
        repeats=repeats or eval_set.repeats,
        version=__version__,
        started_at=now(),
    )
    hint = how_to_record(
        eval_set, models, prompt=prompt, model=model, repeats=repeats, only=only, out=out
    )
    recorded = Recorded(eval_set.recordings, ask=ask, store=store, concurrency=concurrency)
    asked = {spec: recorded.model(spec, hint=hint) for spec in models}
    stands = _standing(ask, recorded, prompts)
    every = list(questions(header, cases))
    papers = {case.id: (case, case.paper) for case in cases}
    misses: list[tuple[Question, RecordingMiss]] = []
    async with AsyncExitStack() as opened:
        for one in asked.values():
            opened.push_async_callback(one.aclose)
        file = opened.enter_context(closing(RunFile(out, header, cases))) if out else None
        before = {result.question: result for result in (file.results if file else ())}
        results = {question: result for question, result in before.items() if stands(result)}

        async def answer(question: Question) -> None:
            case, paper = papers[question.case]
            system, sample = question.system, question.sample
            try:
                entry = await summarize(
                    paper, prompt=prompts[system.prompt], model=asked[system.model], sample=sample
                )
            except RecordingMiss as miss:
                misses.append((question, miss))
                return
            result = _scored(question, entry, case, prompts[system.prompt], scorers)
            results[question] = result
            if result != before.get(question):
                if file:
                    file.add(result)
                done(result)

        await _each((q for q in every if q not in results), answer, workers=concurrency)
    if misses:
        raise of_misses(misses, len(every), hint)
    run = Run(
        header=file.header if file else header,
        cases=cases,
        results=tuple(results[question] for question in every),
    )
    silent = any(r.entry is None or r.entry.cause == "unanswered" for r in run.results)
    if not silent:
        recorded.settle()
    elif (anew := recorded.anew) and anew.exists():
        notice(
            f"{anew}: what was answered anew takes the place of the recordings when nothing is "
            "missing; the same command asks for the rest"
        )
    whole = not (prompt or model or only) and header.repeats >= eval_set.repeats
    tell_of_recordings(eval_set, run, recorded.recordings, whole=whole, notice=notice, now=now())
    return run


async def wanted(eval_set: EvalSet, recordings: Iterable[Recording]) -> list[Request]:
    """Every question that a set asks of its own models and of those that are recorded.

    Repairs of recorded answers are included; a question to several models is there once.

    Args:
        eval_set: What is asked.
        recordings: The answers that there are, of any model.
    """
    papers = [case.paper for case in eval_set.cases]
    there = list(recordings)
    models = dict.fromkeys([*eval_set.models, *(recording.model for recording in there)])
    asked = [
        request
        for prompt, model in product(load_prompts(eval_set).values(), models)
        for request in await drivers.questions(
            papers, prompt, [r for r in there if r.model == model], samples=eval_set.repeats
        )
    ]
    return list({(request.fingerprint, request.label): request for request in asked}.values())


# --- what is asked -------------------------------------------------------------------------------


def load_prompts(eval_set: EvalSet, prompt: str | None = None) -> dict[str, Prompt]:
    """The prompts of a set by their names, or the one that is asked instead.

    Raises:
        InputError: There is none, it cannot be read, or two have one name.
    """
    prompts: dict[str, Prompt] = {}
    for name in (prompt,) if prompt else eval_set.prompts:
        one = load_prompt(name)
        if one.name in prompts:
            raise InputError(
                f"two prompts are called {one.name!r}: {prompts[one.name].path} and {one.path}",
                hint="Give one of them another name",
                path=eval_set.path,
            )
        prompts[one.name] = one
    if not prompts:
        raise InputError(
            "the set names no prompt", hint="Add --prompt NAME, or `prompts`", path=eval_set.path
        )
    return prompts


def _models(eval_set: EvalSet, model: str | None) -> tuple[str, ...]:
    models = (model,) if model else eval_set.models
    if not models:
        raise InputError(
            "the set names no model",
            hint="Add --model openai:MODEL, or `models`",
            path=eval_set.path,
        )
    for spec in models:
        refuse_key(spec)
    if model and model.startswith("replay:"):
        raise InputError(
            "a replay cannot be evaluated as a model",
            hint="Name its file under `recordings` of the set, and its model with --model",
        )
    return models


def _cases(eval_set: EvalSet, only: Sequence[str]) -> tuple[Case, ...]:
    known = {case.id: case for case in eval_set.cases}
    for name in only:
        if name not in known:
            raise InputError(
                f"the set has no case {name!r}", hint=near(name, known), path=eval_set.path
            )
    return tuple(case for case in eval_set.cases if not only or case.id in only)


def _scorers(eval_set: EvalSet) -> dict[str, Scorer]:
    try:
        return load_scorers(eval_set.scorers)
    except InputError as error:
        raise InputError(error.message, hint=error.hint, path=eval_set.path) from None


def _standing(ask: Ask, recorded: Recorded, prompts: dict[str, Prompt]) -> Callable[[Result], bool]:
    """Whether a result of a run that is continued is kept as it is.

    What is recorded costs nothing to be judged again, and may be another answer by now.
    """
    known = {(recording.model, recording.fingerprint) for _, recording in recorded.recordings}

    def stands(result: Result) -> bool:
        entry = result.entry
        attempts = entry.provenance.attempts if entry and entry.provenance else ()
        if ask == "all" or all((result.system.model, a.fingerprint) in known for a in attempts):
            return False
        repairs = prompts[result.system.prompt].repairs
        limit = REPAIRS if repairs is None else repairs
        unrepaired = entry is not None and entry.cause == "findings" and len(attempts) <= limit
        return ask == "none" or not unrepaired

    return stands


async def _each(
    asked: Iterable[Question], answer: Callable[[Question], Awaitable[None]], *, workers: int
) -> None:
    """Answer all questions, several at once.

    After an error no further one is asked; what is under way still ends, for it is paid for.
    """
    waiting = iter(asked)
    errors: list[SummarizerError] = []

    async def work() -> None:
        for question in waiting:
            try:
                await answer(question)
            except SummarizerError as error:
                errors.append(error)
            if errors:
                return
            await asyncio.sleep(0)  # recordings never wait, and Ctrl-C must be heard

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if errors:
        raise errors[0]


def _scored(
    question: Question, entry: Entry, case: Case, prompt: Prompt, scorers: Mapping[str, Scorer]
) -> Result:
    known: dict[str, Any] = question._asdict()
    if not entry.provenance or not entry.provenance.attempts:
        kept = entry if entry.cause == "paper" else None
        return Result(**known, entry=kept, error=entry.reason)
    scores, failed = score_entry(scorers.values(), entry, case, prompt)
    errors = [entry.reason if entry.cause == "unanswered" else None, failed]
    told = "; ".join(error for error in errors if error)
    return Result(**known, entry=entry, scores=scores, error=told or None)
