"""What is to be said of an eval's recordings: which are missing, old or unused, and what to do."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from summarizer.errors import RecordingMiss
from summarizer.models.recordings import HANDWRITTEN, prompt_of
from summarizer.shipped import available

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from summarizer.evals.runs import Header, Question, Run
    from summarizer.evals.sets import EvalSet
    from summarizer.models.recordings import Recording


def command(eval_set: EvalSet, **options: Any) -> str:
    """The command line of an eval; an option is left out for None, and repeated for several."""
    named = available("evals", suffix=".yaml").get(eval_set.name)
    words = ["summarizer", "eval", eval_set.name if named == eval_set.path else str(eval_set.path)]
    for name, value in options.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            words += [f"--{name}", str(one)] if one is not None else []
    return shlex.join(words)


def how_to_record(eval_set: EvalSet, models: Iterable[str], **given: Any) -> str:
    """What to do about missing recordings, where an eval was asked for with these options."""
    place = f"recordings: {eval_set.name}.recordings.jsonl"
    add = f"Add `{place}` to the set, which has no place for them. "
    first = "" if eval_set.recordings else add
    if HANDWRITTEN not in models:
        return f"{first}Record them: `{command(eval_set, **given, ask='missing')}`"
    asking = command(eval_set, **{**given, "model": "openai:MODEL"}, ask="missing")
    told = f"{first}Ask a model: `{asking}`"
    if given["prompt"] is None and eval_set.recordings:
        rekey = _upkeep("rekey", eval_set)
        told += f"; after a change of the prompt, `{rekey}` moves handwritten answers to it"
    return told


def _upkeep(action: str, eval_set: EvalSet) -> str:
    """The command line that looks after the set's own recordings."""
    file, of = str(eval_set.recordings[-1]), str(eval_set.path)
    return shlex.join(["summarizer", "recordings", action, file, "--set", of])


def of_misses(
    misses: Sequence[tuple[Question, RecordingMiss]], total: int, hint: str
) -> RecordingMiss:
    """One miss that names all, by what was asked of whom, and explains the first."""
    named: dict[str, list[str]] = {}
    for question, _ in misses:
        sample = f" (sample {question.sample})" if question.sample else ""
        system = f"{question.system.prompt} of {question.system.model}"
        named.setdefault(system, []).append(f"{question.case}{sample}")
    told = "; ".join(f"{system} about {', '.join(cases)}" for system, cases in named.items())
    return RecordingMiss(
        f"of {total} questions, {len(misses)} {'has' if len(misses) == 1 else 'have'} no recorded "
        f"answer: {told}; "
        f"{misses[0][1].message}",
        hint=hint,
    )


def tell_of_recordings(
    eval_set: EvalSet,
    run: Run,
    recordings: Iterable[tuple[Path, Recording]],
    *,
    whole: bool,
    notice: Callable[[str], None],
    now: dt.datetime,
) -> None:
    """Name recordings that are old, and those of the set's own file that nothing uses."""
    used = {
        (result.system.model, attempt.fingerprint)
        for result in run.results
        if result.entry and result.entry.provenance
        for attempt in result.entry.provenance.attempts
    }
    states = [
        (path, recording, (recording.model, recording.fingerprint) in used)
        for path, recording in recordings
    ]
    own = eval_set.recordings[-1:]
    idle = [recording for path, recording, use in states if path in own and not use]
    unused = [recording for recording in idle if not _foreign(recording, run.header)]
    foreign = [why for recording in idle if (why := _foreign(recording, run.header))]
    if whole and foreign:
        told = ", ".join(dict.fromkeys(foreign))
        notice(f"{own[0]}: {_are(len(foreign))} of what the set does not ask by itself: {told}")
    if whole and unused:
        told = f"`{_upkeep('prune', eval_set)}` drops them"
        if any(recording.origin == "handwritten" for recording in unused):
            told += f"; `{_upkeep('rekey', eval_set)}` moves handwritten ones to an edited prompt"
        labels = ", ".join(recording.label for recording in unused)
        notice(f"{own[0]}: {_are(len(unused))} used by nothing: {labels}. {told}")
    if eval_set.max_age is None:
        return
    dates = [
        r.recorded_at for _, r, use in states if use and now - r.recorded_at > eval_set.max_age
    ]
    if dates:
        again = command(eval_set, ask="all")
        notice(
            f"{eval_set.name}: {_are(len(dates))} older than {eval_set.max_age.days} days, the "
            f"oldest of {min(dates):%Y-%m-%d}. `{again}` asks anew"
        )


def _foreign(recording: Recording, header: Header) -> str | None:
    """The model, prompt or sample of a recording that this run did not ask; None where it did."""
    prompt, sample = prompt_of(recording.request), recording.request.sample
    if recording.model not in header.models:
        return recording.model
    if prompt not in header.prompts:
        return prompt
    return f"sample {sample}" if sample >= header.repeats else None


def _are(number: int) -> str:
    return "1 recording is" if number == 1 else f"{number} recordings are"
