"""`summarizer eval`, as a prompt author and as CI use it."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from summarizer import load_prompt
from summarizer.evals.runs import read_run
from summarizer.evals.sets import load_eval_set
from summarizer.models.recordings import handwritten, read_recordings, write_recordings
from tests.chat_server import HANG, ChatServer, Reply, error
from tests.conftest import Run, interrupt
from tests.test_runs import IDS, LIVE, POINTS, WHEN, case, text

WRONG_JOSA = (POINTS[0].replace("방법을", "방법를"), *POINTS[1:])
GATES = "gates: {checks.clean: {min: 1}}"

MakeSet = Callable[..., Path]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are relative, and no shipped set joins in."""
    folder = tmp_path / "work"
    (folder / "evals").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("summarizer.shipped.SHIPPED", tmp_path / "shipped")
    (tmp_path / "shipped" / "prompts").mkdir(parents=True)
    for prompt in (Path(__file__).parents[1] / "prompts").iterdir():
        (tmp_path / "shipped" / "prompts" / prompt.name).write_bytes(prompt.read_bytes())
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture
def make_set() -> MakeSet:
    """A set of evals/, with an answer to each of its cases."""

    def make(
        name: str = "mine", *, answers: dict[str, Any] | None = None, **given: str | None
    ) -> Path:
        known: dict[str, str | None] = {
            "cases": f"{name}.jsonl",
            "prompts": "[digest-ko]",
            "models": "[handwritten]",
            "recordings": f"{name}.recordings.jsonl",
            "baseline": f"{name}.baseline.jsonl",
            "scorers": "{checks: , rouge: , length: }",
            "gates": "{checks.clean: {min: 1}}",
            **given,
        }
        told = [f"{key}: {value}\n" for key, value in known.items() if value is not None]
        rows = (json.dumps(case(id_), ensure_ascii=False) + "\n" for id_ in IDS)
        Path(f"evals/{name}.jsonl").write_text("".join(rows))
        path = Path(f"evals/{name}.yaml")
        path.write_text("".join(told))
        answer(path, **(answers or {}))
        return path

    return make


def answer(path: Path, model: str = "handwritten", **answers: str | None) -> Path:
    """Record an answer to each case; `case1=…` is another one for the first, None leaves it out."""
    prompt = load_prompt("digest-ko")
    given = [answers.get(f"case{number}", text()) for number in (1, 2, 3)]
    asked = [
        (prompt.render(one.paper), said)
        for one, said in zip(load_eval_set(path).cases, given, strict=True)
        if said is not None
    ]
    recordings = path.with_suffix(".recordings.jsonl")
    write_recordings(recordings, handwritten(asked, recorded_at=WHEN, model=model))
    return recordings


def test_two_sets_of_one_name_are_told_apart(run: Run, make_set: MakeSet) -> None:
    make_set("mine")
    ours = make_set("ours")
    ours.write_text(f"name: mine\n{ours.read_text()}")
    Path("reports").mkdir()
    shown = run("eval", "mine", "ours", "--html", "reports")
    assert shown.code == 2
    assert "two sets are called 'mine': evals/mine.yaml and evals/ours.yaml" in shown.err
    assert [path.name for path in Path("reports").iterdir()] == ["mine.html"]


@pytest.fixture
def server(server: ChatServer) -> ChatServer:
    server.answers(lambda _: text())
    return server


# --- what it shows -------------------------------------------------------------------------------


def test_scores_the_verdict_and_the_signature_are_shown(run: Run, make_set: MakeSet) -> None:
    make_set()
    shown = run("eval", "mine")
    assert shown.code == 0
    rows = [line.split() for line in shown.out.splitlines()]
    assert ["checks.clean", "1", "3"] in rows
    assert ["rouge.l", "100", "3"] in rows
    assert shown.out.splitlines()[0] == "mine: digest-ko with handwritten"
    assert shown.out.splitlines()[-1].startswith("mine passed  set:mine|")
    assert (
        shown.err
        == "mine: there is no baseline yet, so nothing was compared (`summarizer eval accept`)\n"
    )


def test_a_damaged_answer_fails_though_mending_could_cure_it(
    run: Run, make_set: MakeSet, tmp_path: Path
) -> None:
    make_set(answers={"case2": text(WRONG_JOSA)})
    files = {name: tmp_path / name for name in ("junit", "sarif", "summary", "html")}
    shown = run(
        "eval", "mine", *(word for name, path in files.items() for word in (f"--{name}", path))
    )
    assert shown.code == 1
    assert "failed  checks.clean is 0.6667, less than 1 (digest-ko with handwritten)" in shown.out
    told = next(line for line in shown.out.splitlines() if f"{IDS[1]} point 1" in line)
    assert "를" in told
    assert "mine failed  set:mine" in shown.out
    rows = [line.split() for line in shown.out.splitlines()]
    assert ["checks.left", "0", "3"] in rows
    for name, path in files.items():
        assert IDS[1] in path.read_text(), name
    results = json.loads(files["sarif"].read_text())["runs"][0]["results"]
    assert {result["ruleId"] for result in results} == {"checks.clean", "josa"}


def test_json_is_one_document_and_nothing_else(run: Run, make_set: MakeSet) -> None:
    make_set(answers={"case1": text(WRONG_JOSA)})
    shown = run("eval", "--json")
    assert shown.code == 1
    (judged,) = json.loads(shown.out)
    assert (judged["set"], judged["passed"]) == ("mine", False)
    assert judged["failures"][0]["gate"] == "checks.clean"
    assert judged["failures"][0]["culprits"][0]["case"] == IDS[0]
    (system,) = judged["systems"]
    assert (system["prompt"], system["model"]) == ("digest-ko", "handwritten")
    assert {"name": "length.points", "mean": 4, "cases": 3} in system["scores"]


def test_differences_from_the_baseline_stand_beside_the_scores(run: Run, make_set: MakeSet) -> None:
    path = make_set()
    assert run("eval", "accept", "mine").code == 0
    same = run("eval", "mine")
    assert same.code == 0
    assert "the same in every case" in same.out
    answer(path, case1=text((*POINTS[:3], "이 방법은 누구나 쓸 수 있습니다.")))
    changed = run("eval", "mine")
    (row,) = [line for line in changed.out.splitlines() if line.strip().startswith("rouge.l")]
    assert "no evidence" in row
    assert "against the baseline: no evidence of a difference: too few cases" in changed.out
    assert float(row.split()[4]) < 0
    scores = json.loads(run("eval", "mine", "--json").out)[0]["systems"][0]["scores"]
    (score,) = [score for score in scores if score["name"] == "rouge.l"]
    assert score["baseline"] == 100
    assert score["difference"] < 0
    assert score["says"].startswith("no evidence of a difference: to see one of")


def test_a_baseline_that_does_not_fit_is_told_and_the_scores_are_shown_all_the_same(
    run: Run, make_set: MakeSet
) -> None:
    path = make_set()
    run("eval", "accept", "mine")
    baseline = path.with_suffix(".baseline.jsonl")
    baseline.write_text(baseline.read_text().replace('"rouge.l": 100.0', '"rouge.l": 99.0'))
    shown = run("eval", "mine")
    assert shown.code == 2
    assert "this baseline was edited by hand" in shown.err
    assert "there is no baseline" not in shown.err
    assert "rouge.l" in shown.out
    assert "mine failed" in shown.out
    summary = Path("summary.md")
    assert run("eval", "mine", "--summary", summary).code == 2
    assert "## Evals failed" in summary.read_text()


def test_a_set_that_lies_elsewhere_is_named_to_accept_its_run(run: Run, make_set: MakeSet) -> None:
    path = make_set(name="mine", description="x\nname: another")
    assert run("eval", "mine", "--out", "run.jsonl").code == 0
    refused = run("eval", "accept", "run.jsonl")
    assert refused.code == 2
    assert "run.jsonl: this run is of the set 'another', which is not in evals/" in refused.err
    assert "--set FILE" in refused.err
    assert run("eval", "accept", "run.jsonl", "--set", path).code == 0


def test_text_of_others_commands_no_terminal(run: Run, make_set: MakeSet) -> None:
    hostile = (POINTS[0].replace("작은", "\x1b[2J\x1b]0;owned\x07 200개의"), *POINTS[1:])
    make_set(answers={"case1": text(hostile)})
    shown = run("eval", "mine")
    assert "200" in shown.out
    assert "\x1b" not in shown.out
    assert "\x07" not in shown.out
    path = make_set(models=r'["openai:\e[2J\n::error::x"]')
    answer(path, "openai:\x1b[2J\n::error::x")
    shown = run("eval", "mine")
    assert shown.code == 0
    assert "\x1b" not in shown.out
    assert "\n::error" not in shown.out
    assert "\x1b" not in run("eval", "accept", "mine").out


def test_github_is_told_where_it_failed(
    run: Run, make_set: MakeSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_set(answers={"case2": text(WRONG_JOSA)})
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    shown = run("eval", "mine", "--json")
    assert "::error file=evals/mine.recordings.jsonl,line=2," in shown.err
    json.loads(shown.out)


# --- several sets --------------------------------------------------------------------------------


def test_every_set_is_run_and_the_worst_outcome_counts(
    run: Run, make_set: MakeSet, tmp_path: Path
) -> None:
    make_set("a")
    make_set("b", answers={"case1": text(WRONG_JOSA)})
    make_set("c", answers={"case2": None})
    shown = run("eval")
    assert shown.code == 2
    assert "a passed" in shown.out
    assert "b failed" in shown.out
    assert "Error: of 3 questions, 1 has no recorded answer" in shown.err
    assert run("eval", "a", "b").code == 1
    refused = run("eval", "a", "b", "--out", "runs")
    assert refused.code == 2
    assert "mkdir runs" in refused.err
    Path("runs").mkdir()
    assert run("eval", "a", "b", "--out", "runs", "--html", "runs").code == 1
    names = {path.name for path in Path("runs").iterdir()}
    assert names == {"a.jsonl", "b.jsonl", "a.html", "b.html"}


def test_a_set_that_cannot_be_run_stands_in_every_output_as_an_error(
    run: Run, make_set: MakeSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_set("a")
    make_set("b", answers={"case2": None})
    Path("evals/c.yaml").write_text("cases: a.jsonl\nscorers: {nothing: }\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    files = {name: tmp_path / name for name in ("junit", "sarif", "summary")}
    outputs = [word for name, path in files.items() for word in (f"--{name}", path)]
    for sets in (["a", "b", "c"], ["b"], ["c"]):
        shown = run("eval", *sets, "--json", *outputs)
        assert shown.code == 2
        documents = {one["set"]: one for one in json.loads(shown.out)}
        assert list(documents) == sets
        suites = {suite.get("name"): suite for suite in ET.parse(files["junit"]).getroot()}
        results = json.loads(files["sarif"].read_text())["runs"][0]["results"]
        places = {
            place["physicalLocation"]["artifactLocation"]["uri"]
            for result in results
            for place in result["locations"]
        }
        summary = files["summary"].read_text()
        assert "## Evals failed" in summary
        for name, told, where, line in (
            ("b", "1 has no recorded answer", "evals/b.yaml", 1),
            ("c", "there is no scorer 'nothing'", "evals/c.yaml", 2),
        ):
            if name not in sets:
                continue
            assert not documents[name]["passed"]
            assert told in documents[name]["failures"][0]["sentence"]
            assert suites[name].get("errors") == "1"
            (failure,) = suites[name].iter("error")
            assert told in failure.get("message", "")
            assert where in places
            assert f"### `{name}` could not be run" in summary
            assert told in summary
            assert f"::error file={where},line={line},title={name}%3A set::" in shown.err
        assert "summarizer eval b --model openai:MODEL --ask missing" in summary or sets == ["c"]


def test_without_any_set_it_says_where_they_go(run: Run) -> None:
    shown = run("eval")
    assert shown.code == 2
    assert "there are no eval sets here" in shown.err


# --- recording -----------------------------------------------------------------------------------


def test_the_command_that_is_named_records_what_is_missing(
    run: Run, make_set: MakeSet, server: ChatServer
) -> None:
    path = make_set(models=f"[{LIVE}]")
    recordings = answer(path, LIVE, case2=None)
    missed = run("eval", "mine", "--out", "run.jsonl")
    assert missed.code == 2
    assert f"about {IDS[1]};" in missed.err
    command = missed.err.split("`")[1].split()
    assert command == "summarizer eval mine --out run.jsonl --ask missing".split()
    assert run(*command[1:]).code == 0
    assert len(server.requests) == 1
    assert run("eval", "mine").code == 0
    assert len(read_recordings(recordings)) == 3
    assert len(read_run(Path("run.jsonl")).results) == 3


def test_an_impatient_interruption_is_one_sentence_and_loses_no_answer(
    run: Run, make_set: MakeSet, server: ChatServer
) -> None:
    path = make_set(models=f"[{LIVE}]")
    answer(path, LIVE, case1=None, case2=None, case3=None)
    held = threading.Event()

    def hang_on_the_second(_: object) -> str | Reply:
        if len(server.requests) < 2:
            return text()
        held.set()
        return HANG

    server.answers(hang_on_the_second)
    asked = ["eval", "mine", "--ask", "missing", "--concurrency", "1"]
    left = interrupt(asked, held)
    assert (left.code, left.out) == (130, "")
    assert left.err.strip() == "Interrupted; the same command takes up where this one stopped"
    server.answers(lambda _: text())
    assert run(*asked).code == 0
    assert len(server.requests) == 4


def test_a_contributor_without_a_key_is_told_what_to_record(run: Run, make_set: MakeSet) -> None:
    make_set(models=f"[{LIVE}]")
    shown = run("eval", "mine", "--ask", "missing")
    assert shown.code == 2
    assert "OPENAI_API_KEY is not set" in shown.err


def test_a_model_that_gives_no_answer_is_the_networks_fault(
    run: Run, make_set: MakeSet, server: ChatServer
) -> None:
    make_set(models=f"[{LIVE}]", recordings=None)
    server.script(error(422, "flagged"))
    shown = run("eval", "mine", "--ask", "missing", "--concurrency", 1)
    assert shown.code == 3
    assert "1 of 3 questions got no first answer" in shown.out
    assert "flagged" in shown.out
    assert run("eval", "mine", "--ask", "missing").code == 0
    assert len(server.requests) == 4
    assert run("eval", "mine", "--ask", "missing", "--no-store").code == 0
    assert len(server.requests) == 7


def test_a_case_that_cannot_be_asked_is_the_users(run: Run, make_set: MakeSet) -> None:
    path = make_set(scorers="{checks: }")
    cases = path.with_suffix(".jsonl")
    cases.write_text(cases.read_text() + '{"id": "empty", "input": ""}\n')
    shown = run("eval", "mine")
    assert shown.code == 2
    assert "no abstract" in shown.out


def test_recordings_are_looked_after_by_the_set_that_uses_them(run: Run, make_set: MakeSet) -> None:
    path = make_set(repeats="2", models=f"[{LIVE}]")
    recordings, prompt = path.with_suffix(".recordings.jsonl"), load_prompt("digest-ko")
    papers = [one.paper for one in load_eval_set(path).cases]
    asked = [
        (prompt.render(paper, sample=sample), text()) for paper in papers for sample in (0, 1, 2)
    ]
    write_recordings(recordings, handwritten(asked, recorded_at=WHEN, model=LIVE))
    recordings.write_text(recordings.read_text().replace('"handwritten"', '"model"'))
    with recordings.open("a") as file:
        file.write(recordings.read_text().splitlines(keepends=True)[0])
    rekeyed = prompt.render(papers[0].model_copy(update={"title": "Older"}))
    extra = handwritten([(rekeyed, text())], recorded_at=WHEN, model=LIVE)
    write_recordings(
        recordings,
        [*read_recordings(recordings), extra[0].model_copy(update={"origin": "model"})],
    )
    told = run("eval", "mine").err
    foreign = f"{recordings}: 3 recordings are of what the set does not ask by itself: sample 2\n"
    assert foreign in told
    assert f"{recordings}: 1 recording is used by nothing" in told
    command = told.split("`")[1].split()
    assert command[:3] == ["summarizer", "recordings", "prune"]
    assert run(*command[1:]).out.endswith("2 recordings dropped\n")
    told = run("eval", "mine").err
    assert "used by nothing" not in told
    assert foreign in told
    assert run("eval", "mine", "--repeats", 3).code == 0
    assert run(*command[1:], "--others").out.endswith("3 recordings dropped\n")
    assert "recording" not in run("eval", "mine").err


def test_answers_of_another_prompt_or_model_are_no_waste(
    run: Run, make_set: MakeSet, server: ChatServer
) -> None:
    path = make_set(answers={"case2": text(WRONG_JOSA)})
    recordings = path.with_suffix(".recordings.jsonl")
    shipped = load_prompt("digest-ko").path.read_text()
    other = shipped.replace("name: digest-ko", "name: other").replace("4 to 9", "3 to 9")
    Path("other.prompty").write_text(other)
    wrong = text((POINTS[0].replace("방법을", "방법을 97%로"), *POINTS[1:]))
    server.answers(lambda body: wrong if len(body["messages"]) == 2 else text())
    for given in (["--model", LIVE], ["--model", LIVE, "--prompt", "other.prompty"]):
        assert run("eval", "mine", *given, "--ask", "missing").code == 1
        asked = len(server.requests)
        again = run("eval", "mine", *given)
        assert again.code == 1
        assert f"{IDS[0]} point 1: " in again.out
        assert len(server.requests) == asked
    kept = read_recordings(recordings)
    assert len(kept) == 3 + 6 + 6  # each wrong answer, and its repair
    told = run("eval", "mine").err
    assert f"{recordings}: 12 recordings are of what the set does not ask by itself: {LIVE}" in told
    assert "used by nothing" not in told
    assert run("recordings", "prune", recordings, "--set", "mine").out.endswith(
        "0 recordings dropped\n"
    )
    assert read_recordings(recordings) == kept
    shown = run("recordings", "show", recordings, "--set", "mine", "--json").out
    states = [row["state"] for row in json.loads(shown)]
    assert states == ["used"] * 9 + ["other"] * 6


def test_a_set_cannot_prune_the_answers_of_another(run: Run, make_set: MakeSet) -> None:
    recordings = make_set("yours").with_suffix(".recordings.jsonl")
    make_set("mine")
    Path("evals/mine.jsonl").write_text(json.dumps(case("2401.00009")) + "\n")
    before = recordings.read_bytes()
    pruned = run("recordings", "prune", recordings, "--set", "mine")
    assert pruned.code == 2
    assert "the set 'mine' has no answers in this file" in pruned.err
    assert recordings.read_bytes() == before
    assert run("recordings", "prune", recordings.resolve(), "--set", "yours").code == 0


def test_both_say_what_is_asked(run: Run, make_set: MakeSet) -> None:
    recordings = make_set().with_suffix(".recordings.jsonl")
    both = run("recordings", "show", recordings, "--set", "mine", "--from", "x.jsonl")
    assert both.code == 2


# --- a git ref -----------------------------------------------------------------------------------


@pytest.fixture
def committed(make_set: MakeSet) -> Path:
    """A set that passes, under version control."""
    path = make_set()
    git("init", "--quiet", "--initial-branch=main")
    commit()
    return path


def git(*arguments: str) -> None:
    names = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *names, *arguments], check=True, capture_output=True)


def commit() -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message=x")


def test_a_change_cannot_loosen_the_gate_that_judges_it(run: Run, committed: Path) -> None:
    answer(committed, case1=text(WRONG_JOSA))
    committed.write_text(committed.read_text().replace("min: 1", "min: 0"))
    assert run("eval", "mine").code == 0
    shown = run("eval", "mine", "--baseline-ref", "main")
    assert shown.code == 1
    assert "less than 1" in shown.out
    commit()
    assert run("eval", "mine", "--baseline-ref", "main").code == 0
    assert run("eval", "mine", "--baseline-ref", "main~1").code == 1


def test_a_set_that_a_change_takes_away_is_missed(run: Run, committed: Path) -> None:
    committed.rename("evals/yours.yaml")
    assert run("eval").code == 0
    shown = run("eval", "--baseline-ref", "main")
    assert shown.code == 2
    assert "there is no 'mine' among the evals" in shown.err
    assert "evals/yours.yaml is not at main, so it is taken as it is here" in shown.err
    assert "yours passed" in shown.out


def test_a_shipped_set_does_not_stand_in_for_one_that_a_change_takes_away(
    run: Run, committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shipped").rename(tmp_path / "_shipped")
    monkeypatch.setattr("summarizer.shipped.SHIPPED", tmp_path / "_shipped")
    committed.parent.rename(tmp_path / "_shipped" / "evals")
    assert run("eval", "mine").code == 0
    shown = run("eval", "mine", "--baseline-ref", "main")
    assert shown.code == 2
    assert "evals/mine.yaml: the set is at main, but no longer here" in shown.err
    commit()
    assert run("eval", "mine", "--baseline-ref", "main").code == 0


@pytest.mark.usefixtures("committed")
def test_a_ref_that_is_not_there_is_said_to_be_none(run: Run) -> None:
    for arguments in (["mine"], []):
        shown = run("eval", *arguments, "--baseline-ref", "origin/main")
        assert shown.code == 2
        assert "there is no git ref 'origin/main'" in shown.err


# --- its words -----------------------------------------------------------------------------------


def test_a_first_word_that_is_a_command_is_one(run: Run, make_set: MakeSet) -> None:
    told = run("eval", "--help")
    assert told.code == 0
    assert "compare  " in told.out
    assert "accept  " in told.out
    assert run("eval", "compare", "--help").out.startswith("Usage: summarizer eval compare ")
    make_set("compare")
    assert run("eval", "evals/compare.yaml").code == 0


def test_two_runs_are_compared_by_their_files(run: Run, make_set: MakeSet) -> None:
    path = make_set()
    run("eval", "mine", "--out", "a.jsonl")
    answer(path, case1=text((*POINTS[:3], "이 방법은 누구나 쓸 수 있습니다.")))
    run("eval", "mine", "--out", "b.jsonl")
    shown = run("eval", "compare", "a.jsonl", "b.jsonl")
    assert shown.code == 0
    assert IDS[0] in shown.out
    refused = run("eval", "mine", "--out", "b.jsonl", "--repeats", 2)
    assert refused.code == 2
    assert "the file holds another run, which differs in repeats" in refused.err
