from __future__ import annotations

from pathlib import Path

import pytest

from summarizer.digest import Usage
from summarizer.errors import InputError, RecordingMiss
from summarizer.models import Answer, Message, Request, open_model
from summarizer.models.recordings import (
    handwritten,
    write_recordings,
)
from tests.recorded import PAPERS, WHEN, question, recording


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recordings.jsonl"


async def test_replay_answers_what_was_recorded(path: Path) -> None:
    answer = Answer(
        text="- 답", finish_reason="length", model="m-1", usage=Usage(prompt=3, completion=2)
    )
    write_recordings(path, [recording().model_copy(update={"answer": answer})])
    model = open_model(f"replay:{path}")
    assert model.name == "openai:m"
    assert await model.ask(question()) == answer
    relabelled = question().model_copy(update={"label": "another"})
    assert await model.ask(relabelled) == answer
    await model.aclose()


async def test_of_two_answers_to_one_question_the_first_counts(path: Path) -> None:
    write_recordings(path, [recording(text="- 하나"), recording(text="- 둘")])
    assert (await open_model(f"replay:{path}").ask(question())).text == "- 하나"


async def test_where_several_models_answered_one_is_chosen(path: Path) -> None:
    write_recordings(
        path, [recording(model="openai:a", text="- a"), recording(model="openai:b", text="- b")]
    )
    with pytest.raises(InputError, match=r"several models.*\?model=openai:a.*\?model=openai:b"):
        open_model(f"replay:{path}")
    model = open_model(f"replay:{path}?model=openai:b")
    assert model.name == "openai:b"
    assert (await model.ask(question())).text == "- b"
    with pytest.raises(InputError, match="openai:a"):
        open_model(f"replay:{path}?model=openai:aa")


def test_an_empty_file_answers_nothing(path: Path) -> None:
    path.touch()
    with pytest.raises(InputError, match="no recordings"):
        open_model(f"replay:{path}")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (question(system="Write good Korean."), "the system message says '…'"),
        (question(system="Write better."), "Write better."),
        (question(sample=2), "sample 2 instead of 0"),
        (question(temperature=1), "temperature is 1 instead of None"),
        (question().model_copy(update={"output_schema": None}), "the output schema changed"),
        (question("2402.9"), "nothing is recorded for this paper"),
        (question(prompt="digest-ko-lines", system="Lines."), f"({PAPERS[0]} digest-ko) differs"),
        (
            question().model_copy(
                update={
                    "messages": (
                        *question().messages,
                        Message(role="assistant", content="{}"),
                        Message(role="user", content="Answer again."),
                    ),
                    "label": f"{PAPERS[0]} digest-ko repair 1",
                }
            ),
            "4 messages instead of 2",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_miss_explains_itself(path: Path, asked: Request, says: str) -> None:
    write_recordings(path, [recording(question(paper)) for paper in PAPERS])
    with pytest.raises(RecordingMiss) as caught:
        await open_model(f"replay:{path}").ask(asked)
    told = str(caught.value)
    assert asked.label in told
    assert says.replace("'…'", "") in told
    assert f"`summarizer digest … --record {path} --model openai:m`" in told
    assert caught.value.exit_code == 2
    assert not caught.value.transient


async def test_a_miss_shows_where_texts_part_on_one_line(path: Path) -> None:
    old = question().messages[1].content
    changed = question().model_copy(
        update={
            "messages": (
                question().messages[0],
                Message(role="user", content=old.replace("7B", "\n\x1b[31m70B")),
            )
        }
    )
    write_recordings(path, [recording()])
    with pytest.raises(RecordingMiss) as caught:
        await open_model(f"replay:{path}").ask(changed)
    assert "the user message says" in str(caught.value)
    assert "70B" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


async def test_a_miss_without_labels_names_the_most_similar_question(path: Path) -> None:
    unlabelled = [question(p, system="x").model_copy(update={"label": ""}) for p in PAPERS]
    write_recordings(path, [recording(request) for request in unlabelled])
    asked = question(PAPERS[1], system="y").model_copy(update={"label": ""})
    with pytest.raises(RecordingMiss) as caught:
        await open_model(f"replay:{path}").ask(asked)
    assert "the system message says 'y' instead of 'x'" in str(caught.value)
    assert "user message" not in str(caught.value)


async def test_a_miss_among_handwritten_answers_points_to_rekey(path: Path) -> None:
    write_recordings(path, handwritten([(question(), "- 답")], recorded_at=WHEN))
    with pytest.raises(RecordingMiss, match=f"summarizer recordings rekey {path}"):
        await open_model(f"replay:{path}").ask(question(system="New."))
