"""`summarizer eval compare` and `summarizer eval accept`, from a set and its recordings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from summarizer.evals.sets import load_eval_set
from summarizer.models.recordings import handwritten, write_recordings
from summarizer.prompts import load_prompt
from tests.conftest import Run
from tests.recorded import WHEN

ABSTRACTS = {
    "2401.00001": "We train a model of 7B parameters. It reaches 71% accuracy.",
    "2401.00002": "We release a corpus of 12 languages.",
    "2401.00003": "We train a small model on two machines.",
}
GOOD = {
    "2401.00001": "- 파라미터 7B 규모의 모델을 학습하였습니다.\n- 정확도 71%에 도달했습니다.\n",
    "2401.00002": "- 12개 언어의 말뭉치를 공개하였습니다.\n",
    "2401.00003": "- 두 대의 기계에서 작은 모델을 학습하였습니다.\n",
}
WRONG = GOOD | {"2401.00001": GOOD["2401.00001"].replace("71%", "78%")}

SET = """\
cases: cases.jsonl
prompts: [digest-ko-lines]
models: [handwritten]
recordings: recordings.jsonl
baseline: little.baseline.jsonl
scorers:
  numbers:
  length:
gates:
  numbers.errors: {max: 0}
"""


def write_set(folder: Path, answers: Mapping[str, str] = GOOD) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "little.yaml"
    path.write_text(SET)
    cases = [
        {"id": name, "input": abstract, "target": "", "metadata": {"title": f"Paper {name}"}}
        for name, abstract in ABSTRACTS.items()
    ]
    (folder / "cases.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in cases))
    answer(folder, answers)
    return path


def answer(folder: Path, answers: Mapping[str, str]) -> None:
    prompt = load_prompt("digest-ko-lines")
    asked = [
        (prompt.render(c.paper), answers[c.id]) for c in load_eval_set(folder / "little.yaml").cases
    ]
    write_recordings(folder / "recordings.jsonl", handwritten(asked, recorded_at=WHEN))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_set(tmp_path / "evals")
    return tmp_path / "evals"


def test_a_change_is_accepted_compared_and_judged(folder: Path, run: Run) -> None:
    accepted = run("eval", "accept", "little")
    assert accepted.code == 0
    assert accepted.out.startswith("evals/little.baseline.jsonl is the baseline now  set:little|")
    assert "was the baseline already" in run("eval", "accept", "little").out

    assert run("eval", "little", "--out", "good.jsonl").code == 0
    answer(folder, WRONG)
    judged = run("eval", "little", "--out", "wrong.jsonl")
    assert judged.code == 1
    assert "2401.00001 point 2: " in judged.out

    compared = run("eval", "compare", "good.jsonl", "wrong.jsonl")
    assert compared.code == 0
    assert "worse  2401.00001  Paper 2401.00001" in compared.out
    assert "new: point 2: " in compared.out
    assert "| - 정확도" not in compared.out
    assert "| 정확도 [-71%에-] {+78%에+} 도달했습니다." in compared.out
    assert "no evidence of a difference: too few cases to show one (3)" in compared.out
    assert "1 other line the same" in compared.out
    run("eval", "compare", "good.jsonl", "wrong.jsonl", "--html", "report.html")
    assert "78%" in Path("report.html").read_text()
    # A baseline compares like the run that it was.
    against = run("eval", "compare", folder / "little.baseline.jsonl", "wrong.jsonl")
    assert against.out.splitlines()[2:] == compared.out.splitlines()[2:]


@pytest.mark.parametrize("before", ["before.jsonl", "evals/little.baseline.jsonl"])
def test_a_report_shows_what_changed_in_a_prompt_that_was_edited(
    before: str, folder: Path, run: Run
) -> None:
    prompt = Path("prompts/digest-ko-lines.prompty")
    prompt.parent.mkdir()
    prompt.write_text(load_prompt("digest-ko-lines").path.read_text())
    run("eval", "little", "--out", "before.jsonl")
    run("eval", "accept", "before.jsonl")
    prompt.write_text(prompt.read_text() + "Be brief.\n")
    answer(folder, GOOD)
    run("eval", "little", "--out", "now.jsonl", "--html", "judged.html")
    run("eval", "compare", before, "now.jsonl", "--html", "compared.html")
    for report in ("judged.html", "compared.html"):
        assert '"+Be brief."' in Path(report).read_text()


def test_a_comparison_as_json(folder: Path, run: Run) -> None:
    run("eval", "little", "--out", "good.jsonl")
    answer(folder, WRONG)
    run("eval", "little", "--out", "wrong.jsonl")
    document = json.loads(run("eval", "compare", "good.jsonl", "wrong.jsonl", "--json").out)
    (system,) = document["systems"]
    assert system["cases"][0]["case"] == "2401.00001"
    assert ["added", "78%에 "] in system["cases"][0]["diff"]
    scores = {score["name"]: score for score in system["scores"]}
    assert scores["numbers.errors"]["losses"] == 1
    assert scores["numbers.errors"]["says"].startswith("no evidence")
    assert document["signature_a"].startswith("set:little|")


def test_no_text_of_a_run_moves_the_cursor(folder: Path, run: Run) -> None:
    run("eval", "little", "--out", "good.jsonl")
    answer(folder, WRONG)
    run("eval", "little", "--out", "wrong.jsonl")
    for path in map(Path, ("good.jsonl", "wrong.jsonl")):
        text = path.read_text()
        for word in ("handwritten", "numbers.errors", "little"):
            text = text.replace(f'"{word}"', f'"{word}\\u001b[2J"')
        path.write_text(text)
    compared = run("eval", "compare", "good.jsonl", "wrong.jsonl")
    assert "handwritten\\x1b[2J" in compared.out
    assert "\x1b" not in compared.out


def test_runs_without_anything_in_common(folder: Path, run: Run, tmp_path: Path) -> None:
    run("eval", "little", "--out", "one.jsonl", "--only", "2401.00001")
    run("eval", "little", "--out", "two.jsonl", "--only", "2401.00002")
    compared = run("eval", "compare", "one.jsonl", "two.jsonl")
    assert compared.code == 2
    assert "have nothing in common" in compared.err
    missing = run("eval", "compare", "one.jsonl", "none.jsonl")
    assert (missing.code, "none.jsonl" in missing.err) == (2, True)


def test_a_run_that_fails_is_accepted_aloud(folder: Path, run: Run) -> None:
    answer(folder, WRONG)
    accepted = run("eval", "accept", "little", "--json")
    assert accepted.code == 0
    assert "accepted all the same: numbers.errors is 0.3333, more than 0" in accepted.err
    document = json.loads(accepted.out)
    assert (document["changed"], len(document["failures"])) == (True, 2)


def test_a_part_of_a_set_is_no_baseline(folder: Path, run: Run) -> None:
    run("eval", "little", "--out", "part.jsonl", "--only", "2401.00001")
    refused = run("eval", "accept", "part.jsonl")
    assert refused.code == 2
    assert "the run has 1 of the set's 3 cases" in refused.err


def test_a_run_names_its_set_or_is_told_it(folder: Path, run: Run, tmp_path: Path) -> None:
    moved = write_set(tmp_path / "elsewhere")
    run("eval", moved, "--out", "run.jsonl")
    assert run("eval", "accept", "run.jsonl", "--set", moved).code == 0
    assert (tmp_path / "elsewhere" / "little.baseline.jsonl").exists()


def test_a_baseline_edited_by_hand_ends_with_2(folder: Path, run: Run) -> None:
    run("eval", "accept", "little")
    path = folder / "little.baseline.jsonl"
    path.write_text(path.read_text().replace("71%", "17%"))
    judged = run("eval", "little")
    assert judged.code == 2
    assert "this baseline was edited by hand" in judged.err


def test_text_of_others_does_not_command_the_terminal(folder: Path, run: Run) -> None:
    run("eval", "little", "--out", "good.jsonl")
    answer(folder, GOOD | {"2401.00002": "- 12개 \x1b[2J언어의 말뭉치를 공개하였습니다.\n"})
    run("eval", "little", "--out", "changed.jsonl")
    compared = run("eval", "compare", "good.jsonl", "changed.jsonl")
    assert "\x1b[2J" not in compared.out
