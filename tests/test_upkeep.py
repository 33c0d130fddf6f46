from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from summarizer.errors import InputError
from summarizer.models.recordings import (
    Recorder,
    handwritten,
    read_recordings,
    write_recordings,
)
from summarizer.models.replay import Replay
from summarizer.models.upkeep import prune, rekey, show
from tests.recorded import PAPERS, WHEN, Model, question, recording


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recordings.jsonl"


def test_show_tells_used_stale_and_unused_apart() -> None:
    old = question(system="Old.")
    given = [
        recording(),
        recording(question(sample=1), model="openai:b"),
        recording(old, origin="handwritten"),
        recording(question(PAPERS[1])),
        recording(text="- again"),
        recording(question(prompt="mine", system="Mine.")),
        recording(question(sample=2, prompt="digest-ko repair 1")),
    ]
    rows = show(given, [question(), question(sample=1)])
    states = ["used", "used", "stale", "unused", "unused", "other", "other"]
    assert [row.state for row in rows] == states
    assert rows[1].model_dump(mode="json") == {
        "label": f"{PAPERS[0]} digest-ko",
        "model": "openai:b",
        "origin": "model",
        "recorded_at": "2024-01-12T09:30:00Z",
        "sample": 1,
        "state": "used",
    }


def test_prune_drops_what_is_not_asked_but_no_handwritten_answer_that_can_move(path: Path) -> None:
    used, unused = recording(), recording(question(PAPERS[1]))
    stale = recording(question(system="Old."))
    written = recording(question(system="Old."), origin="handwritten", model="handwritten")
    write_recordings(path, [used, unused, stale, written, used])
    assert prune(path, [question()]) == [unused, stale, used]
    assert read_recordings(path) == [used, written]
    assert list(path.parent.iterdir()) == [path]


def test_prune_is_told_to_drop_answers_to_other_prompts_and_further_samples(path: Path) -> None:
    used, sample = recording(), recording(question(sample=1))
    prompt = recording(question(prompt="mine", system="Mine."))
    write_recordings(path, [used, sample, prompt])
    assert prune(path, [question()]) == []
    assert read_recordings(path) == [used, sample, prompt]
    assert prune(path, [question()], others=True) == [sample, prompt]
    assert read_recordings(path) == [used]


def test_rekey_moves_handwritten_answers_by_paper_and_no_others(path: Path) -> None:
    old = [question(paper, system="Old.") for paper in PAPERS]
    new = [question(paper) for paper in PAPERS]
    written = handwritten([(old[0], "- 하나"), (old[1], "- 둘")], recorded_at=WHEN)
    models = recording(old[2])
    write_recordings(path, [*written, models])
    moved = rekey(path, new)
    assert [(m.before, m.after.request) for m in moved] == [
        (written[0], new[0]),
        (written[1], new[1]),
    ]
    after = read_recordings(path)
    assert [r.request for r in after] == [new[0], new[1], old[2]]
    assert [r.answer for r in after] == [r.answer for r in [*written, models]]
    assert [r.recorded_at for r in after] == [WHEN] * 3
    before = path.read_bytes()
    assert rekey(path, new) == []
    assert path.read_bytes() == before


def test_rekey_takes_the_same_prompt_first_and_does_not_guess(path: Path) -> None:
    old = [question(system="Old."), question(PAPERS[1], system="Old.", prompt="gone")]
    new = [question(prompt=prompt) for prompt in ("digest-ko-lines", "digest-ko")]
    new += [question(PAPERS[1], prompt=prompt) for prompt in ("digest-ko-lines", "digest-ko")]
    new[0] = new[0].model_copy(update={"params": {"seed": 1}})
    new[2] = new[2].model_copy(update={"params": {"seed": 1}})
    write_recordings(path, handwritten([(r, "- 답") for r in old], recorded_at=WHEN))
    assert [m.after.label for m in rekey(path, new)] == [f"{PAPERS[0]} digest-ko"]
    assert [r.request for r in read_recordings(path)] == [new[1], old[1]]


def test_rekey_follows_a_renamed_prompt_and_a_sample(path: Path) -> None:
    old = question(prompt="draft", sample=1)
    new = [question(prompt="digest-ko", seed=3), question(prompt="digest-ko", seed=3, sample=1)]
    write_recordings(path, handwritten([(old, "- 답")], recorded_at=WHEN))
    rekey(path, new)
    assert [r.request for r in read_recordings(path)] == [new[1]]


def test_rekey_never_overwrites_an_answer_and_moves_no_repair(path: Path) -> None:
    repair = question(PAPERS[2], system="Old.", prompt="digest-ko repair 1")
    write_recordings(
        path,
        handwritten(
            [
                (question(), "- 새것"),
                (question(system="Old."), "- 옛것"),
                (repair, "- 고친 것"),
                (question(PAPERS[1], system="Old."), "- 하나"),
                (question(PAPERS[1], system="Older."), "- 둘"),
            ],
            recorded_at=WHEN,
        ),
    )
    moved = rekey(path, [question(paper) for paper in PAPERS])
    assert [m.before.answer.text for m in moved] == ["- 하나"]


def test_upkeep_of_a_missing_file_makes_none(path: Path) -> None:
    for tend in (prune, rekey):
        with pytest.raises(InputError, match="no such file"):
            tend(path, [question()])
    assert not path.exists()


async def test_recording_goes_on_after_a_prune_by_someone_else(path: Path) -> None:
    recorder = Recorder(Model(), path)
    for paper in PAPERS:
        await recorder.ask(question(paper))
    prune(path, [question(PAPERS[1])])
    await recorder.ask(question("2401.00009"))
    assert [r.label.split()[0] for r in read_recordings(path)] == [PAPERS[1], "2401.00009"]


def test_replay_takes_recordings_from_anywhere() -> None:
    model = Replay([recording()], Path("elsewhere.jsonl"))
    assert asyncio.run(model.ask(question())).text == "- 답"
