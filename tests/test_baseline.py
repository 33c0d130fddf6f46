"""Accepted runs: written, read, refused, and read at a git ref."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.digest import Summary
from summarizer.errors import InputError
from summarizer.evals.baseline import accept, baseline_text, open_run, read_baseline
from summarizer.evals.compare import compare
from summarizer.evals.refs import at_ref, names_at
from summarizer.evals.runs import Run, signature
from tests.made_runs import case, eval_set, finding, result, run, unanswered

PATH = Path("little.baseline.jsonl")


def made() -> Run:
    cases = [case(1), case(2, target="- 요점")]
    return run(
        cases,
        [
            result(
                cases[0],
                {"chrf": 41.25, "numbers.errors": 1, "length.points": 1},
                findings=[finding()],
            ),
            result(cases[1], {"chrf": None, "numbers.errors": 0, "length.points": 2}),
        ],
    )


def round_trip(one: Run) -> Run:
    return read_baseline(baseline_text(one).encode(), PATH)


def test_a_baseline_compares_like_the_run_that_it_was() -> None:
    one = made()
    again = round_trip(one)
    assert again.header == one.header
    assert [set(r.scores) for r in again.results] == [set(r.scores) for r in one.results]
    comparison = compare(again, one)
    (system,) = comparison.systems
    assert (comparison.only_a, comparison.only_b) == ((), ())
    assert len(system.cases) == 2
    assert all(c.moved == 0 and not c.gained and not c.lost for c in system.cases)
    assert all(kind == "same" for c in system.cases for kind, _ in c.diff)
    # It is the same file when it is written again.
    assert baseline_text(again) == baseline_text(one)


def test_a_baseline_is_small_and_can_be_read_by_people() -> None:
    one = made()
    text = baseline_text(one)
    assert "We train" not in text  # the abstracts
    assert "모델을 학습한다." in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["kind"] for line in lines] == ["baseline", "case", "case", "result", "result"]
    assert lines[0]["signature"] == signature(one.header, 2)
    assert lines[3]["scores"]["chrf"] == 41.25
    assert all(list(line) == sorted(line) for line in lines)


def test_what_was_published_is_kept_where_it_is_not_what_was_answered() -> None:
    one = case(1)
    wrong = result(one, {"chrf": 1}, findings=[finding(fix="54%")])
    assert wrong.entry is not None
    mended = wrong.entry.model_copy(update={"summary": Summary(points=["고친 말."])})
    failed = wrong.entry.model_copy(
        update={"summary": None, "status": "failed", "cause": "findings", "reason": "why"}
    )
    for entry in (mended, failed):
        again = round_trip(run([one], [wrong.model_copy(update={"entry": entry})]))
        (restored,) = again.results
        assert restored.entry is not None
        assert restored.entry.summary == entry.summary
        assert (restored.entry.status, restored.entry.reason) == (entry.status, entry.reason)
        assert compare(again, again).systems[0].cases[0].text_a == "모델을 학습한다."


@given(st.text(st.characters(exclude_categories=[])), st.text(min_size=1))
def test_any_text_survives(point: str, title: str) -> None:
    one = case(1, metadata={"title": title})
    again = round_trip(run([one], [result(one, {"chrf": 1}, points=[point])]))
    (system,) = compare(again, again).systems
    assert (system.cases[0].text_a, system.cases[0].title) == (point, title)


def test_a_case_that_changed_is_no_longer_the_same() -> None:
    one = made()
    (first, second) = one.cases
    edited = one.model_copy(
        update={"cases": (first, second.model_copy(update={"target": "- 다른 요점"}))}
    )
    assert compare(round_trip(one), edited).only_b == (second.id,)


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("41.25", "48.25"),
        ("모델을", "모형을"),
        ('"repeats": 1', '"repeats": 2'),
        ('"lower"', '"higher"'),
        ("45%", "54%"),
    ],
)
def test_a_baseline_edited_by_hand_is_refused(old: str, new: str) -> None:
    text = baseline_text(made())
    assert old in text
    with pytest.raises(InputError, match="edited by hand"):
        read_baseline(text.replace(old, new).encode(), PATH)


@given(st.data())
def test_a_slip_in_a_baseline_changes_no_figure_unseen(data: st.DataObject) -> None:
    text = baseline_text(made())
    at = data.draw(st.integers(0, len(text) - 2))
    more = data.draw(st.sampled_from(["", text[at] * 2, "x"]))
    broken = text[:at] + more + text[at + 1 :]
    with suppress(InputError):  # white space in the first line alone says nothing
        assert read_baseline(broken.encode(), PATH) == round_trip(made())


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "nonsense", '"x"', "[" * 5000, "\udcff"])
def test_something_else_is_no_baseline(text: str) -> None:
    with pytest.raises(InputError, match="this is no baseline"):
        read_baseline(text.encode(errors="surrogateescape"), PATH)


def test_line_ends_of_another_system_are_no_edit() -> None:
    text = baseline_text(made())
    assert read_baseline(text.replace("\n", "\r\n").encode(), PATH) == round_trip(made())


@pytest.mark.parametrize(
    ("old", "new"), [('"version"', '"release"'), ('"scores": {', '"scores": "", "others": {')]
)
def test_a_baseline_of_a_later_version_is_told_as_such(old: str, new: str) -> None:
    head, _, body = baseline_text(made()).replace(old, new).partition("\n")
    from summarizer.evals.baseline import _checksum

    told = json.loads(head)
    del told["checksum"]
    told["checksum"] = _checksum(told, body)
    with pytest.raises(InputError, match="another version of summarizer"):
        read_baseline(f"{json.dumps(told)}\n{body}".encode(), PATH)


# --- accepting -----------------------------------------------------------------------------------


def test_a_run_becomes_the_baseline_of_its_set(tmp_path: Path) -> None:
    one = made()
    path = tmp_path / "little.baseline.jsonl"
    accepting = eval_set(one.cases, baseline=path)
    assert accept(accepting, one)
    assert open_run(path) == round_trip(one)
    assert not accept(accepting, one)


def test_runs_that_are_no_baseline(tmp_path: Path) -> None:
    one, two = case(1), case(2)
    path = tmp_path / "little.baseline.jsonl"
    whole = eval_set([one, two], baseline=path)
    good = result(one, {"chrf": 1})
    for reason, unfit, accepting in (
        ("does not say where", run([one], [good]), eval_set([one])),
        ("is another than", run([one], [good], set_hash="c" * 64), whole),
        ("1 of the set's 2 cases", run([one], [good]), whole),
        ("2401.00002: it was not asked yet", run([one, two], [good]), whole),
        ("2401.00002: no route", run([one, two], [good, unanswered(two, "no route")]), whole),
        (
            "2401.00002: a scorer failed",
            run([one, two], [good, result(two, {}, error="a scorer failed")]),
            whole,
        ),
    ):
        with pytest.raises(InputError, match=reason):
            accept(accepting, unfit)
    assert not path.exists()


def test_a_file_may_hold_a_run_or_a_baseline(tmp_path: Path) -> None:
    neither = tmp_path / "neither.jsonl"
    neither.write_text("[]\n")
    with pytest.raises(InputError):
        open_run(neither)
    with pytest.raises(InputError):
        open_run(tmp_path / "missing.jsonl")


# --- git refs ------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in whose main branch `evals/a.yaml` holds `strict`, and now `loose`."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    root = tmp_path / "repository"
    (root / "evals").mkdir(parents=True)
    (root / "evals" / "a.yaml").write_text("strict\n")
    (root / "evals" / "한글 b.yaml").write_text("b\n")

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", root, *who, *arguments], check=True, capture_output=True)

    git("init", "--initial-branch", "main")
    git("add", ".")
    git("commit", "--message", "first")
    (root / "evals" / "a.yaml").write_text("loose\n")
    return root


def test_a_file_as_a_ref_has_it(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = repository / "evals" / "a.yaml"
    assert at_ref(path, "main") == b"strict\n"
    path.unlink()
    assert at_ref(path, "HEAD") == b"strict\n"
    assert at_ref(repository / "evals" / "한글 b.yaml", "main") == b"b\n"
    monkeypatch.chdir(repository / "evals")
    assert at_ref(Path("../evals/a.yaml"), "main") == b"strict\n"
    assert names_at(Path(), "main", suffix=".yaml") == ["a", "한글 b"]


def test_a_folder_that_is_gone_is_still_at_the_ref(repository: Path) -> None:
    for path in (repository / "evals").iterdir():
        path.unlink()
    (repository / "evals").rmdir()
    assert at_ref(repository / "evals" / "a.yaml", "main") == b"strict\n"


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "nowhere",
        "--help",
        "-h",
        "--output=/tmp/x",
        "main:evals/a.yaml",
        "main\n",
        "a\0b",
        "; ls",
    ],
)
def test_what_is_no_ref_is_refused(repository: Path, ref: str) -> None:
    with pytest.raises(InputError, match="there is no git ref"):
        at_ref(repository / "evals" / "a.yaml", ref)


def test_what_a_ref_does_not_have(repository: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file at main"):
        at_ref(repository / "evals" / "new.yaml", "main")
    with pytest.raises(FileNotFoundError):  # a folder is no file
        at_ref(repository / "evals", "main")
    assert names_at(repository / "none", "main", suffix=".yaml") == []


def test_no_repository_and_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(InputError, match="in no git repository"):
        at_ref(tmp_path / "a.yaml", "main")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="git is not installed"):
        at_ref(tmp_path / "a.yaml", "main")
