"""Runs: what is asked, what is not asked again, and a file that survives an interruption."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from summarizer import Prompt, load_prompt, regenerate
from summarizer.errors import DiskError, InputError, ModelUnusable, RecordingMiss
from summarizer.evals.answering import Ask
from summarizer.evals.changes import first_attempt
from summarizer.evals.evaluate import evaluate
from summarizer.evals.runs import Result, RunFile, read_run, signature
from summarizer.evals.sets import EvalSet, load_eval_set
from summarizer.models.recordings import (
    HANDWRITTEN,
    handwritten,
    read_recordings,
    write_recordings,
)
from summarizer.models.replay import Replay
from summarizer.store import Store
from tests.chat_server import ChatServer, Reply, error
from tests.disks import file_size_limit

WHEN = dt.datetime(2024, 1, 12, 9, 30, tzinfo=dt.UTC)
POINTS = (
    "이 논문은 이미지 분류(image classification)를 위한 작은 방법을 제안합니다.",
    "이 방법은 단순합니다.",
    "이 방법은 빠릅니다.",
    "이 방법은 공개되어 있습니다.",
)
IDS = ("2401.00001", "2401.00002", "2401.00003")
LIVE = "openai:test-1"

MakeSet = Callable[..., EvalSet]


def case(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "input": "We present a small method for image classification. It is simple, fast and open.",
        "target": "\n".join(POINTS),
        "metadata": {"title": f"A Small Method, {name}"},
    }


def text(points: tuple[str, ...] = POINTS, mark: object = "") -> str:
    """An answer; a mark tells it from others, and no check objects to it."""
    first = points[0].replace("이 논문은", f"이 논문은{mark}")
    return json.dumps({"points": [first, *points[1:]]}, ensure_ascii=False)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """A set in a file, three cases unless told otherwise."""

    def make(*lines: str, cases: list[dict[str, Any]] | None = None, **given: Any) -> EvalSet:
        known = {
            "prompts": "[digest-ko]",
            "models": f"[{HANDWRITTEN}]",
            "recordings": "answers.jsonl",
            "scorers": "{ok: , length: }",
            **given,
        }
        rows = [case(name) for name in IDS] if cases is None else cases
        written = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (tmp_path / "cases.jsonl").write_text("".join(written))
        told = [f"{key}: {value}" for key, value in known.items() if value is not None]
        path = tmp_path / "mine.yaml"
        path.write_text("\n".join(["cases: cases.jsonl", *told, *lines]) + "\n")
        return load_eval_set(path)

    return make


@pytest.fixture
def server(server: ChatServer) -> ChatServer:
    server.answers(lambda _: text())
    return server


@pytest.fixture
def prompt() -> Prompt:
    return load_prompt("digest-ko")


def record(
    eval_set: EvalSet, prompt: Prompt, *, model: str = HANDWRITTEN, repeats: int = 1
) -> Path:
    """Answers to all cases, as a person might write them."""
    path = eval_set.recordings[-1]
    answers = [
        (prompt.render(case.paper, sample=sample), text())
        for case in eval_set.cases
        for sample in range(repeats)
    ]
    write_recordings(path, handwritten(answers, recorded_at=WHEN, model=model))
    return path


# --- from recordings -----------------------------------------------------------------------------


async def test_the_flow_is_the_operators_and_results_come_in_order(
    make_set: MakeSet, prompt: Prompt
) -> None:
    eval_set = make_set()
    path = record(eval_set, prompt)
    seen: list[Result] = []
    run = await evaluate(eval_set, done=seen.append, now=lambda: WHEN)
    replay = Replay(read_recordings(path), path)
    papers = [one.paper for one in eval_set.cases]
    entries = [entry async for entry in regenerate(papers, prompt=prompt, model=replay)]
    assert [result.entry for result in run.results] == entries
    assert [result.case for result in run.results] == [*IDS]
    assert sorted(seen, key=lambda result: result.case) == [*run.results]
    assert {s.name: s.value for s in run.results[0].scores} == {
        "ok": 1,
        "length.characters": sum(map(len, POINTS)),
        "length.points": 4,
    }
    assert run.header.started_at == WHEN
    assert run.header.prompts == {"digest-ko": prompt.hash}
    assert run.header.texts == {prompt.hash: prompt.path.read_text()}
    assert not run.missing
    assert "prompt:digest-ko" in signature(run.header, 3)


async def test_prompts_and_models_are_crossed(make_set: MakeSet, prompt: Prompt) -> None:
    eval_set = make_set(prompts="[digest-ko, digest-ko-lines]", models=f"[{HANDWRITTEN}, {LIVE}]")
    lines, answers = load_prompt("digest-ko-lines"), []
    for model in eval_set.models:
        for one in (prompt, lines):
            asked = [(one.render(c.paper), text(mark=model)) for c in eval_set.cases]
            answers += handwritten(asked, recorded_at=WHEN, model=model)
    write_recordings(eval_set.recordings[-1], answers)
    run = await evaluate(eval_set)
    assert len(run.results) == 12
    assert len({result.system for result in run.results}) == 4
    only = await evaluate(eval_set, prompt="digest-ko", model=LIVE, only=IDS[1:2])
    assert [(r.system.prompt, r.system.model, r.case) for r in only.results] == [
        ("digest-ko", LIVE, IDS[1])
    ]
    assert [c.id for c in only.cases] == [IDS[1]]


async def test_a_missing_answer_is_named_with_the_one_command(
    make_set: MakeSet, prompt: Prompt, tmp_path: Path
) -> None:
    eval_set = make_set(models=f"[{LIVE}]")
    path = record(eval_set, prompt, model=LIVE)
    path.write_text(path.read_text().splitlines(keepends=True)[1])
    out = tmp_path / "run.jsonl"
    with pytest.raises(RecordingMiss) as missed:
        await evaluate(eval_set, out=out)
    assert missed.value.exit_code == 2
    told = (
        f"of 3 questions, 2 have no recorded answer: digest-ko of {LIVE} about {IDS[0]}, {IDS[2]}"
    )
    assert told in missed.value.message
    assert missed.value.hint == (
        f"Record them: `summarizer eval {eval_set.path} --out {out} --ask missing`"
    )
    assert [result.case for result in read_run(out).results] == [IDS[1]]


async def test_an_edited_prompt_is_told_what_changed(
    make_set: MakeSet, prompt: Prompt, tmp_path: Path
) -> None:
    eval_set = make_set()
    path = record(eval_set, prompt)
    edited = tmp_path / "edited.prompty"
    edited.write_text(prompt.path.read_text().replace("Give the main results", "Give all results"))
    with pytest.raises(RecordingMiss) as other:
        await evaluate(eval_set, prompt=str(edited))
    assert other.value.hint == (
        f"Ask a model: `summarizer eval {eval_set.path} --prompt {edited} --model openai:MODEL "
        "--ask missing`"
    )
    with pytest.raises(RecordingMiss) as missed:
        await evaluate(make_set(prompts=f"[{edited}]"))
    assert "of 3 questions, 3 have no recorded answer" in missed.value.message
    assert "Give all results" in missed.value.message
    hint = missed.value.hint or ""
    assert f"summarizer recordings rekey {path} --set {eval_set.path}" in hint
    assert "--model openai:MODEL --ask missing" in hint


async def test_a_set_without_recordings_says_so(make_set: MakeSet) -> None:
    place = "Add `recordings: mine.recordings.jsonl` to the set, which has no place for them. "
    for model in (LIVE, HANDWRITTEN):
        for recordings, told in ((None, place), ("not-there.jsonl", "")):
            with pytest.raises(RecordingMiss, match=f"nothing is recorded of {model}") as missed:
                await evaluate(make_set(recordings=recordings, models=f"[{model}]"))
            hint = missed.value.hint or ""
            assert hint.startswith((f"{told}Record them: ", f"{told}Ask a model: "))
            assert ("rekey" in hint) == (model == HANDWRITTEN and recordings is not None)


async def test_a_repair_that_is_not_recorded_fails_the_entry_and_not_the_run(
    make_set: MakeSet, prompt: Prompt
) -> None:
    eval_set = make_set()
    english = text(("It is small.", *POINTS[1:]))
    asked = [(prompt.render(one.paper), english) for one in eval_set.cases]
    write_recordings(eval_set.recordings[-1], handwritten(asked, recorded_at=WHEN))
    run = await evaluate(eval_set)
    for result in run.results:
        assert result.error is None
        assert result.entry
        assert (result.entry.status, result.entry.cause) == ("failed", "findings")
        # What is wrong comes first; that nobody was asked to mend it, second.
        assert re.match("the answer failed the checks: .*; .* repair 1", result.entry.reason or "")


async def test_what_is_unused_and_what_is_old_is_told(make_set: MakeSet, prompt: Prompt) -> None:
    eval_set = make_set("max_age: 30")
    path = record(eval_set, prompt)
    other = prompt.render(eval_set.cases[0].paper.model_copy(update={"title": "Another"}))
    kept = read_recordings(path)
    write_recordings(path, [*kept, *handwritten([(other, text())], recorded_at=WHEN)])
    told: list[str] = []
    day = dt.timedelta(days=1)
    await evaluate(eval_set, notice=told.append, now=lambda: WHEN + 30 * day)
    assert told == [
        f"{path}: 1 recording is used by nothing: {IDS[0]} digest-ko. `summarizer recordings "
        f"prune {path} --set {eval_set.path}` drops them; `summarizer recordings rekey {path} "
        f"--set {eval_set.path}` moves handwritten ones to an edited prompt"
    ]
    told.clear()
    await evaluate(eval_set, notice=told.append, only=IDS[:2], now=lambda: WHEN + 31 * day)
    assert told == [
        "mine: 2 recordings are older than 30 days, the oldest of 2024-01-12. "
        f"`summarizer eval {eval_set.path} --ask all` asks anew"
    ]


# --- asking --------------------------------------------------------------------------------------


async def test_only_what_is_missing_is_asked_and_then_it_is_recorded(
    make_set: MakeSet, prompt: Prompt, server: ChatServer
) -> None:
    eval_set = make_set(models=f"[{LIVE}]")
    path = record(eval_set, prompt, model=LIVE)
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    server.answers(lambda _: text(mark=" 새로"))
    run = await evaluate(eval_set, ask="missing", concurrency=2)
    assert len(server.requests) == 2
    assert [result.entry and result.entry.status for result in run.results] == ["ok"] * 3
    assert len(read_recordings(path)) == 3
    again = await evaluate(eval_set)
    assert again.results == run.results
    assert len(server.requests) == 2


async def test_repeats_are_questions_of_their_own(make_set: MakeSet, server: ChatServer) -> None:
    eval_set = make_set("repeats: 3", models=f"[{LIVE}]")
    server.answers(lambda _: text(mark=f" {'가나다라마바사아자'[len(server.requests) - 1]}"))
    run = await evaluate(eval_set, ask="missing", concurrency=1)
    assert len(server.requests) == 9
    answers = {result.entry.summary for result in run.results if result.entry}
    assert len(answers) == 9
    assert [result.sample for result in run.results] == [0, 1, 2] * 3
    assert len({r.fingerprint for r in read_recordings(eval_set.recordings[-1])}) == 9
    assert (await evaluate(eval_set)).results == run.results
    assert len((await evaluate(eval_set, repeats=2)).results) == 6


async def test_the_store_is_asked_before_the_model(
    make_set: MakeSet, server: ChatServer, tmp_path: Path
) -> None:
    eval_set = make_set(recordings=None, models=f"[{LIVE}]")
    with Store(tmp_path / "store") as store:
        for _ in range(2):
            run = await evaluate(eval_set, ask="missing", store=store)
    assert len(run.results) == len(server.requests) == 3


async def test_asking_all_replaces_recordings_when_nothing_is_missing(
    make_set: MakeSet, prompt: Prompt, server: ChatServer, tmp_path: Path
) -> None:
    eval_set = make_set(models=f"[{LIVE}]")
    path = record(eval_set, prompt, model=LIVE)
    before, files = path.read_bytes(), names(tmp_path) | {"store"}
    server.answers(lambda _: text(mark=" 새로"))
    server.script(Reply(json.loads(_completion()), 200), error(401, "no"))
    with Store(tmp_path / "store") as store:
        with pytest.raises(ModelUnusable):
            await evaluate(eval_set, ask="all", store=store, concurrency=1)
        assert path.read_bytes() == before
        assert len(server.requests) == 2
        run = await evaluate(eval_set, ask="all", store=store, concurrency=1)
    assert len(server.requests) == 4  # the first answer was paid for, and is not asked again
    assert all("새로" in one.answer.text for one in read_recordings(path))
    assert len(read_recordings(path)) == 3
    assert names(tmp_path) == files
    assert (await evaluate(eval_set)).results == run.results


async def test_asking_all_replaces_what_an_earlier_file_would_answer(
    make_set: MakeSet, prompt: Prompt, server: ChatServer, tmp_path: Path
) -> None:
    eval_set = make_set(models=f"[{LIVE}]", recordings="[old.jsonl, answers.jsonl]")
    old = record(eval_set, prompt, model=LIVE).rename(tmp_path / "old.jsonl")
    server.answers(lambda _: text(mark=" 새로"))
    run = await evaluate(eval_set, ask="all")
    assert (await evaluate(eval_set)).results == run.results
    assert all("새로" in one.answer.text for one in read_recordings(old))


async def test_what_was_asked_anew_waits_for_answers_and_for_nothing_else(
    make_set: MakeSet,
    prompt: Prompt,
    server: ChatServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "failing_scorer.py").write_text("def fails(entry, case): return 1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    bare = {"id": "bare", "input": ""}
    eval_set = make_set(
        models=f"[{LIVE}]",
        scorers="{failing_scorer:fails: }",
        cases=[*(case(name) for name in IDS), bare],
    )
    path = record(eval_set.model_copy(update={"cases": eval_set.cases[:3]}), prompt, model=LIVE)
    server.answers(lambda _: text(mark=" 새로"))
    server.script(error(422, "flagged"))
    told: list[str] = []
    await evaluate(eval_set, ask="all", notice=told.append)
    assert not any("새로" in one.answer.text for one in read_recordings(path))
    assert [line.partition(": what was answered anew takes")[0] for line in told] == [
        str(tmp_path / "answers.anew.jsonl")
    ]
    told.clear()
    await evaluate(eval_set, ask="all", notice=told.append)
    assert all("새로" in one.answer.text for one in read_recordings(path))
    assert len(server.requests) == 4
    assert told == []


@pytest.mark.parametrize("ask", ["missing", "all"])
async def test_two_prompts_of_one_text_are_one_question(
    ask: Ask, make_set: MakeSet, prompt: Prompt, server: ChatServer, tmp_path: Path
) -> None:
    twin = prompt.path.read_text().replace("name: digest-ko", "name: twin")
    (tmp_path / "twin.prompty").write_text(twin)
    eval_set = make_set(models=f"[{LIVE}]", prompts="[digest-ko, twin.prompty]")
    server.answers(lambda _: text(mark=f" {'가나다라마바사아자'[len(server.requests) - 1]}"))
    run = await evaluate(eval_set, ask=ask)
    assert len(server.requests) == 3
    assert (await evaluate(eval_set)).results == run.results


async def test_asking_all_leaves_what_a_person_wrote(
    make_set: MakeSet, prompt: Prompt, server: ChatServer
) -> None:
    eval_set = make_set(models=f"[{HANDWRITTEN}, {LIVE}]")
    path = record(eval_set, prompt)
    run = await evaluate(eval_set, ask="all")
    assert len(run.results) == 6
    assert len(server.requests) == 3
    assert sorted({one.model for one in read_recordings(path)}) == [HANDWRITTEN, LIVE]


def _completion() -> str:
    message = {"role": "assistant", "content": text(mark=" 새로")}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    )


async def test_a_run_that_asked_nobody_goes_on_to_ask_for_repairs(
    make_set: MakeSet, prompt: Prompt, server: ChatServer, tmp_path: Path
) -> None:
    eval_set, out = make_set(models=f"[{LIVE}]"), tmp_path / "run.jsonl"
    english = text(("It is small.", *POINTS[1:]))
    asked = [(prompt.render(one.paper), english) for one in eval_set.cases]
    write_recordings(eval_set.recordings[-1], handwritten(asked, recorded_at=WHEN, model=LIVE))
    run = await evaluate(eval_set, out=out)
    assert {r.entry.status for r in run.results if r.entry} == {"failed"}
    run = await evaluate(eval_set, out=out, ask="missing")
    assert {r.entry.status for r in run.results if r.entry} == {"ok"}
    assert len(server.requests) == 3
    assert read_run(out).results == run.results
    await evaluate(eval_set, out=out, ask="all")
    assert len(server.requests) == 6


async def test_what_is_under_way_when_the_model_refuses_is_kept(
    make_set: MakeSet, server: ChatServer, tmp_path: Path
) -> None:
    eval_set, out = make_set(models=f"[{LIVE}]"), tmp_path / "run.jsonl"

    def answers(_: object) -> Reply | str:
        server.delay = 0.1 if len(server.requests) < 3 else 0  # of this very answer
        return text() if len(server.requests) < 3 else error(401, "no")

    server.answers(answers)
    with pytest.raises(ModelUnusable):
        await evaluate(eval_set, ask="missing", out=out, concurrency=3)
    assert len(read_recordings(eval_set.recordings[-1])) == len(read_run(out).results) == 2


async def test_a_question_without_an_answer_is_a_result_and_is_asked_again(
    make_set: MakeSet, server: ChatServer, tmp_path: Path
) -> None:
    eval_set, out = make_set(models=f"[{LIVE}]"), tmp_path / "run.jsonl"
    server.script(error(422, "the prompt was flagged"))
    run = await evaluate(eval_set, ask="missing", out=out, concurrency=1)
    silent, *others = run.results
    assert silent.entry is None
    assert silent.scores == ()
    assert "the prompt was flagged" in (silent.error or "")
    assert [result.error for result in others] == [None, None]
    assert len(read_run(out).results) == 3
    run = await evaluate(eval_set, ask="missing", out=out)
    assert [result.error for result in run.results] == [None] * 3
    assert len(server.requests) == 4
    assert read_run(out) == run


async def test_a_repair_that_nobody_answered_leaves_the_first_answer_and_an_error(
    make_set: MakeSet, server: ChatServer
) -> None:
    eval_set = make_set(models=f"[{LIVE}]", cases=[case(IDS[0])])
    english = text(("It is small.", *POINTS[1:]))
    replies: list[Any] = [english, error(422, "flagged")]
    server.answers(lambda _: replies[len(server.requests) - 1])
    (result,) = (await evaluate(eval_set, ask="missing")).results
    assert result.entry
    assert result.entry.cause == "unanswered"
    assert "flagged" in (result.error or "")
    assert result.scores


async def test_answers_by_hand_cannot_be_asked_for(make_set: MakeSet) -> None:
    with pytest.raises(RecordingMiss, match=f"nothing is recorded of {HANDWRITTEN}"):
        await evaluate(make_set(), ask="missing")


# --- what goes wrong -----------------------------------------------------------------------------


async def test_a_case_that_cannot_be_asked_is_a_result(make_set: MakeSet, prompt: Prompt) -> None:
    eval_set = make_set(cases=[case(IDS[0]), {**case(IDS[1]), "input": " "}])
    only = eval_set.model_copy(update={"cases": eval_set.cases[:1]})
    record(only, prompt)
    good, bad = (await evaluate(eval_set)).results
    assert good.error is None
    assert bad.entry
    assert bad.entry.cause == "paper"
    assert "no abstract" in (bad.error or "")
    assert bad.scores == ()


async def test_a_scorer_that_raises_costs_its_own_figures_only(
    make_set: MakeSet, prompt: Prompt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picky.py").write_text(
        "def picky(entry, case):\n"
        "    if case.id.endswith('2'): raise LookupError('no such word')\n"
        "    return 1\n"
    )
    monkeypatch.chdir(tmp_path)
    eval_set = make_set(scorers="{'picky:picky': , ok: }")
    record(eval_set, prompt)
    results = (await evaluate(eval_set)).results
    assert [result.error for result in results] == [
        None,
        "the scorer 'picky' failed: LookupError: no such word",
        None,
    ]
    assert [len(result.scores) for result in results] == [2, 1, 2]


@pytest.mark.parametrize(
    ("given", "asked", "told"),
    [
        ({}, {"only": ["2401.0001"]}, f"no case '2401.0001'. Did you mean '{IDS[0]}'"),
        ({}, {"prompt": "no-such"}, "there is no 'no-such' among the prompts"),
        ({"prompts": "[]"}, {}, "the set names no prompt"),
        ({"models": "[]"}, {}, "the set names no model"),
        ({}, {"model": "replay:x"}, "a replay cannot be evaluated"),
        ({}, {"model": "openai:sk-abcdefghijklmnopqrst"}, "the model's name seems to carry a key"),
        ({"prompts": "[digest-ko, digest-ko]"}, {}, "two prompts are called 'digest-ko'"),
    ],
)
async def test_what_does_not_exist_is_refused(
    given: dict[str, str], asked: dict[str, Any], told: str, make_set: MakeSet
) -> None:
    with pytest.raises(InputError) as refused:
        await evaluate(make_set(**given), **asked)
    assert told in str(refused.value)


# --- the file ------------------------------------------------------------------------------------


async def test_a_run_comes_back_from_its_file(
    make_set: MakeSet, prompt: Prompt, tmp_path: Path
) -> None:
    eval_set, out = make_set(), tmp_path / "runs" / "a.jsonl"
    record(eval_set, prompt)
    run = await evaluate(eval_set, out=out)
    assert read_run(out) == run
    before = out.read_bytes()
    assert await evaluate(eval_set, out=out) == run
    assert out.read_bytes() == before


async def test_it_goes_on_from_wherever_it_was_cut_off(
    make_set: MakeSet, prompt: Prompt, tmp_path: Path
) -> None:
    """Cut at every 97th byte: what is whole is kept, and the rest is made again."""
    eval_set, out = make_set(), tmp_path / "run.jsonl"
    record(eval_set, prompt)
    run = await evaluate(eval_set, out=out, now=lambda: WHEN)
    whole = out.read_bytes()
    head = b"".join(whole.splitlines(keepends=True)[:4])
    for size in range(len(head), len(whole), 97):
        out.write_bytes(whole[:size])
        kept = read_run(out)
        lines = whole[len(head) : size].count(b"\n")
        assert len(kept.results) == lines
        assert len(kept.missing) == 3 - lines
        made: list[Result] = []
        assert await evaluate(eval_set, out=out, done=made.append) == run
        assert len(made) == 3 - lines
        assert out.read_bytes() == whole


async def test_a_recorded_answer_that_was_edited_is_judged_anew(
    make_set: MakeSet, prompt: Prompt, tmp_path: Path
) -> None:
    eval_set, out = make_set(), tmp_path / "run.jsonl"
    path = record(eval_set, prompt)
    before = await evaluate(eval_set, out=out)
    path.write_text(path.read_text().replace("단순합니다", "단순하다", 1))
    again = await evaluate(eval_set, out=out)
    assert [r.entry.status for r in again.results if r.entry] == ["failed", "ok", "ok"]
    assert again.results[1:] == before.results[1:]
    assert read_run(out) == again
    assert len(out.read_text().splitlines()) == 1 + 3 + 3 + 1


async def test_what_nobody_recorded_is_kept_as_it_was_answered(
    make_set: MakeSet, server: ChatServer, tmp_path: Path
) -> None:
    eval_set, out = make_set(models=f"[{LIVE}]", recordings=None), tmp_path / "run.jsonl"
    run = await evaluate(eval_set, ask="missing", out=out)
    assert await evaluate(eval_set, out=out) == run
    assert await evaluate(eval_set, ask="missing", out=out) == run
    assert len(server.requests) == 3


async def test_an_interruption_asks_nothing_twice(
    make_set: MakeSet, server: ChatServer, tmp_path: Path
) -> None:
    eval_set, out = make_set(models=f"[{LIVE}]"), tmp_path / "run.jsonl"
    cancelled = asyncio.Event()

    def stop(_: Result) -> None:
        cancelled.set()

    running = asyncio.create_task(
        evaluate(eval_set, ask="missing", out=out, done=stop, concurrency=1)
    )
    await cancelled.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert 1 <= len(read_run(out).results) < 3
    run = await evaluate(eval_set, ask="missing", out=out)
    assert not run.missing
    answered = {json.dumps(body["messages"]) for body in server.bodies}
    assert len(answered) == 3
    assert len(read_recordings(eval_set.recordings[-1])) == 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"repeats": 2}, "differs in repeats"),
        ({"only": IDS[:2]}, "differs in cases"),
        ({"model": LIVE}, "differs in models"),
    ],
)
async def test_another_run_is_not_continued(
    change: dict[str, Any], told: str, make_set: MakeSet, prompt: Prompt, tmp_path: Path
) -> None:
    eval_set, out = make_set(), tmp_path / "run.jsonl"
    record(eval_set, prompt)
    await evaluate(eval_set, out=out)
    before = out.read_bytes()
    with pytest.raises(InputError) as refused:
        await evaluate(eval_set, out=out, **change)
    assert told in refused.value.message
    assert "--out" in (refused.value.hint or "")
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("line", "damaged", "told"),
    [
        (1, "", "this line is not JSON"),
        (
            2,
            '{"kind": "case", "case": {"id": "a", "input": "", "metadata": {"votes": ""}}}',
            "no line",
        ),
        (1, '{"kind": "note"}', "this is no line of a run"),
        (2, "{", "this line is not JSON"),
        (3, "\udcff", "this line is not JSON"),
        (5, '{"kind": "result"}', "no line of a run: case: field required"),
        (6, '{"kind": "run"', "this line is not JSON"),
    ],
)
async def test_a_damaged_line_is_named(
    line: int, damaged: str, told: str, make_set: MakeSet, prompt: Prompt, tmp_path: Path
) -> None:
    eval_set, out = make_set(), tmp_path / "run.jsonl"
    record(eval_set, prompt)
    await evaluate(eval_set, out=out)
    lines = out.read_text().splitlines()
    lines[line - 1] = damaged
    data = "".join(f"{one}\n" for one in lines).encode(errors="surrogateescape")
    out.write_bytes(data)
    for look in (lambda: read_run(out), lambda: asyncio.run(evaluate(eval_set, out=out))):
        with pytest.raises(InputError) as refused:
            await asyncio.to_thread(look)
        assert (refused.value.path, refused.value.line) == (out, line)
        assert told in refused.value.message
    assert out.read_bytes() == data


def test_what_is_no_run_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    for text, told in (
        ("", "it is empty"),
        ('{"torn', "it is empty"),
        ('{"kind": "case", "case": {"id": "a", "input": ""}}\n', "it has no header"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=told):
            read_run(path)
    with pytest.raises(InputError, match="no such file"):
        read_run(tmp_path / "missing")


async def test_results_of_another_run_are_not_taken_in(
    make_set: MakeSet, prompt: Prompt, tmp_path: Path
) -> None:
    eval_set, out = make_set(), tmp_path / "run.jsonl"
    record(eval_set, prompt)
    await evaluate(eval_set, out=out)
    lines = out.read_text().splitlines(keepends=True)
    out.write_text("".join([*lines, lines[0]]))
    with pytest.raises(InputError, match="a second run begins here"):
        read_run(out)
    out.write_text("".join([*lines, lines[4].replace('"sample":0', '"sample":7')]))
    with pytest.raises(InputError, match="which this run does not ask"):
        read_run(out)


async def test_a_full_disk_is_said_and_costs_nothing_that_was_there(
    make_set: MakeSet, prompt: Prompt, tmp_path: Path
) -> None:
    eval_set, out = make_set(), tmp_path / "run.jsonl"
    record(eval_set, prompt)
    run = await evaluate(eval_set, out=out, now=lambda: WHEN)
    with (
        closing(RunFile(out, run.header, run.cases)) as file,
        file_size_limit(out.stat().st_size + 10),
        pytest.raises(DiskError, match="no space left"),
    ):
        file.add(run.results[0])
    assert read_run(out) == run
    with pytest.raises(DiskError):
        await evaluate(eval_set, out=Path("/dev/full/run.jsonl"))


async def test_half_a_surrogate_pair_survives(make_set: MakeSet, tmp_path: Path) -> None:
    eval_set = make_set(prompts="[digest-ko-lines]", scorers="{length: , ok: , rouge: }")
    lines = load_prompt("digest-ko-lines")
    half = "\n".join(f"- {point}" for point in (f"{POINTS[0]} \ud83d", *POINTS[1:]))
    asked = [(lines.render(one.paper), half) for one in eval_set.cases]
    write_recordings(eval_set.recordings[-1], handwritten(asked, recorded_at=WHEN))
    out = tmp_path / "run.jsonl"
    run = await evaluate(eval_set, out=out)
    assert read_run(out) == run
    attempt = first_attempt(run.results[0])
    assert attempt
    assert attempt.summary
    assert "\ud83d" in attempt.summary.points[0].text
