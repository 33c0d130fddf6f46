"""A shipped set is asked of a real model: its answers are recorded, and then it runs offline."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from summarizer.evals.sets import load_eval_set
from summarizer.models.recordings import read_recordings
from tests.chat_server import ChatServer
from tests.conftest import Run

ROOT = Path(__file__).parents[1]
MODEL = ("--model", "openai:test-1")


@pytest.fixture
def server(server: ChatServer) -> ChatServer:
    """Answers as the handwritten recordings do, with a wrong figure in the answer to one case."""
    known = {
        recording.request.messages[-1].content: recording.answer.text
        for path in load_eval_set("lines-ko").recordings
        for recording in read_recordings(path)
    }

    def answer(body: dict[str, Any]) -> str:
        said = known[body["messages"][1]["content"]]
        return said if len(body["messages"]) > 2 else said.replace("59.1", "59.7")

    server.answers(answer)
    return server


def copied(folder: Path) -> Path:
    """What a wheel holds, or a checkout."""
    for name in ("evals", "prompts", "fixtures"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_asked_and_repeated(run: Run, server: ChatServer, recordings: Path) -> None:
    missing = run("eval", "lines-ko", *MODEL)
    assert missing.code == 2
    assert f"`summarizer eval lines-ko {' '.join(MODEL)} --ask missing`" in missing.err
    asked = run("eval", "lines-ko", *MODEL, "--ask", "missing")
    assert asked.code == 1
    assert "many-figures point 4: " in asked.out
    assert len(server.requests) == 13  # twelve cases, and the repair of one
    again = run("eval", "lines-ko", *MODEL)
    assert (again.code, again.out) == (1, asked.out)
    assert len(server.requests) == 13
    plain = run("eval", "lines-ko")
    assert plain.code == 0
    assert f"{recordings}: 13 recordings are of what the set does not ask by itself" in plain.err
    assert "used by nothing" not in plain.err
    pruned = run("recordings", "prune", recordings, "--set", "lines-ko")
    assert pruned.out.endswith("0 recordings dropped\n")


def test_of_a_checkout_they_are_recorded_beside_the_handwritten_answers(
    run: Run, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copied(tmp_path / "checkout"))
    assert_asked_and_repeated(run, server, Path("evals/lines-ko.recordings.jsonl"))


def test_handwritten_answers_still_move_to_an_edited_prompt_beside_those_of_a_model(
    run: Run, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copied(tmp_path / "checkout"))
    assert run("eval", "lines-ko", *MODEL, "--ask", "missing").code == 1
    prompt = Path("prompts/digest-ko-lines.prompty")
    prompt.write_text(prompt.read_text() + "\nWrite well.\n")
    missing = run("eval", "lines-ko")
    assert missing.code == 2
    command = missing.err.split("after a change of the prompt, `")[1].split("`")[0].split()
    assert run(*command[1:]).out.endswith("12 handwritten answers moved\n")
    assert run("eval", "lines-ko").code == 0


def test_of_an_installed_wheel_they_are_recorded_in_the_current_folder(
    run: Run, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = copied(tmp_path / "_shipped")
    monkeypatch.setattr("summarizer.shipped.SHIPPED", installed)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    before = files_of(installed)
    assert_asked_and_repeated(run, server, Path("evals/lines-ko.recordings.jsonl"))
    refused = run("eval", "accept", "lines-ko")
    assert refused.code == 2
    assert "Copy the set and its files to evals/ here" in refused.err
    assert files_of(installed) == before
