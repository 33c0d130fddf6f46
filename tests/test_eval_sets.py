from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.digest import Digest, Entry, Paper, Summary
from summarizer.errors import InputError
from summarizer.evals.cases import Case, Wanted, read_cases, read_papers
from summarizer.evals.sets import EvalSet, Gate, eval_set_schema, load_eval_set
from summarizer.flow import summarize
from summarizer.formats.json import render_json
from summarizer.marked_yaml import parse_yaml, read_text
from summarizer.models import Answer
from summarizer.models.recordings import handwritten, read_recordings, write_recordings
from summarizer.models.replay import Replay
from summarizer.prompts import load_prompt
from summarizer.schema import json_text, validate
from summarizer.shipped import available
from tests.recorded import WHEN, question

ROOT = Path(__file__).parents[1]
SHIPPED = ("digest-ko", "lines-ko", "regressions-ko")
CASE = {"id": "one", "input": "An abstract.", "metadata": {"title": "A Title"}}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A set and its cases, in a folder of their own."""

    def to_files(settings: str = "cases: cases.jsonl\n", *cases: dict[str, Any]) -> Path:
        lines = (json.dumps(case, ensure_ascii=False) + "\n" for case in cases or (CASE,))
        (tmp_path / "cases.jsonl").write_text("".join(lines), encoding="utf-8")
        path = tmp_path / "mine.yaml"
        path.write_text(dedent(settings), encoding="utf-8")
        return path

    return to_files


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load_eval_set(path)
    assert caught.value.exit_code == 2
    return caught.value


# --- what a set says -----------------------------------------------------------------------------


def test_a_set_says_what_is_asked_and_how_it_is_judged(write: Write, tmp_path: Path) -> None:
    path = write(
        """\
        description: All there is.
        cases: cases.jsonl
        prompts: [digest-ko, digest-ko-lines]
        models: [handwritten, "openai:gpt-5-mini"]
        recordings: [../shared.jsonl, mine.recordings.jsonl]
        baseline: mine.baseline.jsonl
        scorers:
          text: {severity: warning}
          shape:
          length: {}
        gates:
          text.error_rate: {max: 0}
          shape.clean:
          length.points: {min: 4, max: 9, drop: 0.5}
        repeats: 3
        passes: 2
        max_age: 30
        """
    )
    loaded = load_eval_set(path)
    assert loaded == EvalSet(
        name="mine",
        path=path,
        description="All there is.",
        cases=(Case.model_validate(CASE),),
        prompts=("digest-ko", "digest-ko-lines"),
        models=("handwritten", "openai:gpt-5-mini"),
        recordings=(tmp_path.parent / "shared.jsonl", tmp_path / "mine.recordings.jsonl"),
        baseline=tmp_path / "mine.baseline.jsonl",
        scorers={"text": {"severity": "warning"}, "shape": {}, "length": {}},
        gates=(
            Gate(score="text.error_rate", max=0, line=12),
            Gate(score="shape.clean", line=13),
            Gate(score="length.points", min=4, max=9, drop=0.5, line=14),
        ),
        repeats=3,
        passes=2,
        max_age=dt.timedelta(days=30),
        hash=loaded.hash,
    )


def test_what_is_not_said_is_left_open(write: Write) -> None:
    loaded = load_eval_set(write())
    assert (loaded.name, loaded.repeats, loaded.passes) == ("mine", 1, None)
    assert not any([loaded.prompts, loaded.models, loaded.scorers, loaded.gates])
    assert not any([loaded.recordings, loaded.baseline, loaded.max_age, loaded.description])


def test_a_set_may_have_another_name_and_one_file_of_recordings(write: Write) -> None:
    loaded = load_eval_set(write("name: other\ncases: cases.jsonl\nrecordings: r.jsonl\n"))
    assert loaded.name == "other"
    assert [path.name for path in loaded.recordings] == ["r.jsonl"]


def test_a_prompt_s_path_is_relative_to_the_set(write: Write, tmp_path: Path) -> None:
    own = tmp_path / "prompts" / "own.prompty"
    own.parent.mkdir()
    own.write_bytes((ROOT / "prompts" / "digest-ko.prompty").read_bytes())
    loaded = load_eval_set(write("cases: cases.jsonl\nprompts: [prompts/own.prompty]\n"))
    assert loaded.prompts == (str(own),)


def test_a_set_is_found_by_its_name_and_the_current_folder_wins(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_eval_set("lines-ko").path == ROOT / "evals" / "lines-ko.yaml"
    write("description: Mine.\ncases: cases.jsonl\n")
    folder = tmp_path / "evals"
    folder.mkdir()
    for name, renamed in {"mine.yaml": "lines-ko.yaml", "cases.jsonl": "cases.jsonl"}.items():
        (tmp_path / name).rename(folder / renamed)
    assert load_eval_set("lines-ko").description == "Mine."
    with pytest.raises(InputError, match=r"no 'linse-ko' among the evals\. Did you mean"):
        load_eval_set("linse-ko")


def test_the_hash_changes_with_the_set_and_its_cases_and_with_nothing_else(write: Write) -> None:
    first = load_eval_set(write()).hash
    assert load_eval_set(write()).hash == first
    form = "cases: cases.jsonl\n"
    changed = [
        (form + "repeats: 2\n", CASE),
        (form, {**CASE, "input": "Another."}),
        (form, {**CASE, "target": "점."}),
        (form, CASE, {**CASE, "id": "two"}),
    ]
    hashes = [load_eval_set(write(*given)).hash for given in changed]
    assert len({first, *hashes}) == 5


def test_a_reader_can_stand_in_for_the_disk(write: Write, tmp_path: Path) -> None:
    path = write("cases: ./sub/../cases.jsonl\npapers: papers.jsonl\n")
    papers = b'{"arxiv_id": "two", "title": "T", "abstract": "A."}'
    there = {
        path: path.read_bytes(),
        tmp_path / "cases.jsonl": json.dumps({**CASE, "id": "old"}).encode(),
        tmp_path / "papers.jsonl": papers,
    }

    def read(wanted: Path) -> bytes:
        if wanted not in there:
            raise FileNotFoundError(2, "there is no such file at origin/main")
        return there[wanted]

    assert [case.id for case in load_eval_set(path, read=read).cases] == ["two", "old"]
    del there[tmp_path / "papers.jsonl"]
    with pytest.raises(InputError, match=r"mine.yaml:2: papers: .*no such file at origin/main"):
        load_eval_set(path, read=read)
    del there[path]
    with pytest.raises(InputError, match=r"mine.yaml: the file cannot be read: there is no such"):
        load_eval_set(path, read=read)


# --- what is wrong with a set --------------------------------------------------------------------

OF_ITS_FORM = [
    ("cases: cases.jsonl\ncase: x\n", 2, "no setting 'case'. Did you mean 'cases'"),
    ("cases: cases.jsonl\ngates:\n  text.errors:\n    mx: 0\n", 4, "Did you mean 'max'"),
    ("cases: [cases.jsonl]\n", 1, "cases: input should be a valid string"),
    ("cases: cases.jsonl\nprompts: digest-ko\n", 2, "prompts: input should be a valid array"),
    ("cases: cases.jsonl\nprompts:\n  - digest-ko\n  - 7\n", 4, r"prompts\[1\]: input should be"),
    ("cases: cases.jsonl\nrecordings: 5\n", 2, "recordings: input should be a valid string"),
    ("cases: cases.jsonl\nscorers: [text]\n", 2, "scorers: input should be an object"),
    ("cases: cases.jsonl\nscorers:\n  text: 1\n", 3, "scorers.text: input should be an object"),
    ("cases: cases.jsonl\nrepeats: 0\n", 2, "repeats: input should be greater than or equal to 1"),
    (f"cases: cases.jsonl\nrepeats: {'9' * 30}\n", 2, "repeats: input should be less than"),
    ("cases: cases.jsonl\nrepeats: '3'\n", 2, "repeats: input should be a valid integer"),
    ("cases: cases.jsonl\nrepeats: true\n", 2, "repeats: input should be a valid integer"),
    ("cases: cases.jsonl\nmax_age: 1.5\n", 2, "max_age: input should be a valid integer"),
    (
        f"cases: cases.jsonl\nmax_age: {'9' * 30}\n",
        2,
        "max_age: input should be less than or equal",
    ),
    ("cases: cases.jsonl\nname: ../up\n", 2, "name: string should match pattern"),
    ("cases: cases.jsonl\ngates:\n  text.errors: {max: no}\n", 3, "should be a valid number"),
    ("cases: cases.jsonl\ngates:\n  text.errors: {drop: -1}\n", 3, "greater than or equal to 0"),
    ("- cases\n", 1, "the file: input should be an object"),
    ("", 1, "the file: input should be an object"),
]
OF_ITS_MEANING = [
    ("description: Nothing.\n", 1, "the set has no cases"),
    ("\n\ncases: nowhere.jsonl\n", 3, "cases: .*nowhere.jsonl: cannot be read: no such file"),
    ('papers: "a\\0"\n', 1, "papers holds a NUL character"),
    ("papers: .\n", 1, "papers: .*cannot be read: is a directory"),
    ("cases: cases.jsonl\ncases: x\n", 2, "'cases' stands here a second time"),
    ("cases: cases.jsonl\nprompts:\n - digest-kr\n", 3, "Did you mean 'digest-ko"),
    ("cases: cases.jsonl\nprompts: [./digest-ko.prompty]\n", 2, "there is no file"),
    ("cases: cases.jsonl\nmodels: [gpt-5]\n", 2, "'gpt-5' does not say what answers"),
    ("cases: cases.jsonl\nmodels:\n- openai:a\n- openai:a\n", 4, "'openai:a' stands here a second"),
    ("cases: cases.jsonl\nmodels: ['openai:']\n", 2, "does not say what answers. Write openai:…"),
    ("cases: cases.jsonl\nmodels: ['replay:x']\n", 2, "files of answers stand under `recordings`"),
    ("cases: cases.jsonl\nscorers:\n  txt:\n", 3, "there is no scorer 'txt'. Did you mean 'text'"),
    ("cases: cases.jsonl\nscorers:\n  text:\n    min: 1\n", 4, "'text' has no parameter 'min'"),
    ("cases: cases.jsonl\nscorers:\n  text: {min_hangul: x}\n", 3, "cannot be 'x'"),
    ("cases: cases.jsonl\nscorers:\n  nowhere.at_all:f:\n", 3, "cannot be imported"),
    ("cases: cases.jsonl\nscorers:\n  chrf:\n", 3, "needs a target, and the case one has none"),
    ("cases: cases.jsonl\nscorers:\n  text:\ngates:\n  txt.errors:\n", 5, "Did you mean 'text'"),
    ("cases: cases.jsonl\nscorers:\n  text:\ngates:\n  text.error: {max: 0}\n", 5, "gives no"),
    ("cases: cases.jsonl\ngates:\n  a: {min: 2, max: 1}\n", 3, "at least 2.0 and at most 1.0"),
    ("cases: cases.jsonl\nrepeats: 2\npasses: 3\n", 3, "passes is 3, with only 2 repeats"),
    ("cases: cases.jsonl\nmax_age: &a 3\n", 2, "anchors and aliases are not read"),
]


@pytest.mark.parametrize(("settings", "line", "message"), OF_ITS_FORM + OF_ITS_MEANING)
def test_what_is_wrong_is_told_with_its_line(
    write: Write, settings: str, line: int, message: str
) -> None:
    path = write(settings)
    error = refusal(path)
    assert (error.path, error.line) == (path, line)
    with pytest.raises(InputError, match=message):
        raise error


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": "a", "input": "\xff"}', "this line is not UTF-8 text"),
        (b'{"id": "a", "input": "x"', "this line is not JSON"),
        (b"[" * 100_000, "this line is not JSON"),
        (b'{"id": "a", "input": "x", "metadata": {"n": NaN}}', "this line is not JSON"),
        (b'["a", "x"]', "this line is not a JSON object"),
        (b'{"id": "a", "input": "\\ud800"}', "a text in this line is not valid Unicode"),
        (b'{"id": "a"}', "'input' is missing"),
        (b'{"id": 7, "input": "x"}', "id: input should be a valid string"),
        (b'{"id": "", "input": "x"}', "id: string should have at least 1 character"),
        (b'{"id": "small b", "input": "x"}', "'id' is not one word"),
        (b'{"id": "a", "inptu": "x", "input": ""}', "no field 'inptu'. Did you mean 'input'"),
        (b'{"id": "a", "input": "x", "target": ["x"]}', "target: input should be a valid string"),
        (b'{"id": "a", "input": "x", "metadata": {"votes": "many"}}', "votes: input should be"),
        (b'{"id": "a", "input": "x", "metadata": {"findings": ["nmubers"]}}', "'numbers'"),
        (b'{"id": "a", "input": "x", "metadata": {"findings": "text"}}', "findings: input should"),
        (
            b'{"id": "a", "input": "x", "metadata": {"findings": [{"check": "text", "at": 1}]}}',
            "there is no field 'findings.0.at'",
        ),
    ],
)
def test_what_is_wrong_with_a_case_is_told_with_its_line(
    write: Write, tmp_path: Path, line: bytes, message: str
) -> None:
    path = write()
    cases = tmp_path / "cases.jsonl"
    cases.write_bytes(json.dumps(CASE).encode() + b"\n\n" + line + b"\n")
    error = refusal(path)
    assert (error.path, error.line) == (cases, 3)
    with pytest.raises(InputError, match=message):
        raise error


def test_no_id_stands_twice(write: Write, tmp_path: Path) -> None:
    error = refusal(write("cases: cases.jsonl\n", CASE, {**CASE, "id": "two"}, CASE))
    assert str(error) == (
        f"{tmp_path}/cases.jsonl:3: the id 'one' stands here a second time,"
        f" first in {tmp_path}/cases.jsonl:1"
    )
    path = write("papers: papers.csv\ncases: cases.jsonl\n")
    (tmp_path / "papers.csv").write_text("arxiv_id,title,abstract\none,T,A\n")
    assert f"first in {tmp_path}/papers.csv" in str(refusal(path))


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\n", b'{"id": "a", "input": ""}'])))
def test_any_bytes_are_cases_or_refused(parts: list[bytes]) -> None:
    for read in (read_cases, read_papers):
        with suppress(InputError):
            list(read(b"".join(parts), Path("cases.jsonl")))


# --- cases ---------------------------------------------------------------------------------------


def test_a_case_is_a_paper() -> None:
    case = Case(
        id="2401.00001",
        input="An abstract.",
        metadata={"title": "A Title", "votes": 3, "authors": ["A", "B"], "hard": "LaTeX"},
    )
    assert case.paper == Paper(
        arxiv_id="2401.00001",
        title="A Title",
        abstract="An abstract.",
        votes=3,
        authors=("A", "B"),
    )
    assert Case(id="x", input="").paper == Paper(arxiv_id="x", title="x")


def test_a_case_says_what_must_be_found() -> None:
    findings = ["topic", "answer", {"check": "numbers", "point": 2}]
    case = Case(id="a", input="x", metadata={"findings": findings})
    assert case.wanted == (
        Wanted(check="topic"),
        Wanted(check="answer"),
        Wanted(check="numbers", point=2),
    )
    assert Case(id="a", input="x").wanted == ()


def test_a_digest_gives_papers_and_their_points_as_targets(write: Write, tmp_path: Path) -> None:
    papers = [
        Paper(arxiv_id=f"2401.0000{n}", title=f"T{n}", abstract="A.", votes=n, authors=("B",))
        for n in (1, 2)
    ]
    entries = (
        Entry(paper=papers[0], summary=Summary(points=["첫 점.", "둘째 점,\n이어서."])),
        Entry(paper=papers[1], status="failed", cause="unanswered", reason="no answer"),
    )
    digest = Digest(date=dt.date(2024, 1, 12), entries=entries)
    (tmp_path / "digest.json").write_text(render_json(digest), encoding="utf-8")
    first, second = load_eval_set(write("papers: digest.json\n")).cases
    assert [first.paper, second.paper] == papers
    assert (first.target, second.target) == ("첫 점.\n둘째 점, 이어서.", "")
    (tmp_path / "digest.json").write_text(render_json(digest).replace("2401.00002", "2401. 2"))
    error = refusal(write("papers: digest.json\n"))
    assert (error.message, error.path) == ("'id' is not one word", tmp_path / "digest.json")


def test_recorded_points_are_the_targets_of_papers(write: Write, tmp_path: Path) -> None:
    (tmp_path / "papers.csv").write_text(
        "arxiv_id,title,abstract\n2401.00001,T,A\n2401.00002,T,A\n"
    )
    answers = [
        (question("2401.00001"), '{"points": ["하나.", "둘."]}'),
        (question("2401.00001", prompt="other"), '{"points": ["다른 답."]}'),
    ]
    path = write("papers: papers.csv\ntargets: answers.jsonl\n")
    write_recordings(tmp_path / "answers.jsonl", handwritten(answers, recorded_at=WHEN))
    assert [case.target for case in load_eval_set(path).cases] == ["하나.\n둘.", ""]

    answers.append((question("2401.00003"), '{"points": ["셋."]}'))
    write_recordings(tmp_path / "answers.jsonl", handwritten(answers, recorded_at=WHEN))
    error = refusal(path)
    assert (error.path, error.line) == (path, 2)
    assert "2401.00003, which is no paper of the set" in error.message

    write_recordings(
        tmp_path / "answers.jsonl", handwritten([(question(), "Sorry.")], recorded_at=WHEN)
    )
    assert "2401.00001 digest-ko: the answer is not a JSON object" in refusal(path).message


# --- the published schema ------------------------------------------------------------------------


def test_the_published_schema_is_the_generated_one() -> None:
    published = (ROOT / "docs" / "eval-set.schema.json").read_text(encoding="utf-8")
    assert published == json_text(eval_set_schema())


@pytest.mark.parametrize("settings", [settings for settings, *_ in OF_ITS_FORM])
def test_the_schema_refuses_what_the_loader_refuses(settings: str) -> None:
    assert validate(parse_yaml(settings, Path("mine.yaml")).plain(), eval_set_schema())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_sets_follow_the_schema(name: str) -> None:
    path = ROOT / "evals" / f"{name}.yaml"
    assert validate(parse_yaml(read_text(path), path).plain(), eval_set_schema()) == []


def test_the_format_s_page_names_every_setting_and_its_example_loads(
    write: Write, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "evals-format.md").read_text(encoding="utf-8")
    assert not [name for name in eval_set_schema()["properties"] if f"`{name}`" not in page]
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert validate(parse_yaml(example, Path("example.yaml")).plain(), eval_set_schema()) == []
    (line,) = (line for line in page.splitlines() if line.startswith('{"id"'))
    assert next(read_cases(line.encode(), tmp_path)).case.target.count("\n") == 1


# --- the shipped sets ----------------------------------------------------------------------------


def test_these_sets_are_shipped() -> None:
    assert tuple(available("evals", suffix=".yaml")) == SHIPPED


def test_digest_ko_is_the_sample_day_and_twelve_harder_papers() -> None:
    cases = load_eval_set("digest-ko").cases
    sample = ROOT / "fixtures" / "2024-01-12" / "papers.jsonl"
    lines = sample.read_text(encoding="utf-8").splitlines()
    assert [case.paper for case in cases[:18]] == [Paper.model_validate_json(x) for x in lines]
    assert len(cases) == 30
    assert all(case.target.count("\n") >= 2 for case in cases)
    assert load_eval_set("lines-ko").cases == cases[18:]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_question_is_recorded_and_nothing_else(name: str) -> None:
    loaded = load_eval_set(name)
    (prompt,) = map(load_prompt, loaded.prompts)
    recorded = [r for path in loaded.recordings for r in read_recordings(path)]
    assert [r.fingerprint for r in recorded] == [
        prompt.render(case.paper).fingerprint for case in loaded.cases
    ]
    assert {r.model for r in recorded} == set(loaded.models) == {"handwritten"}


async def entries_of(name: str) -> list[tuple[Case, Entry]]:
    loaded = load_eval_set(name)
    (prompt,) = map(load_prompt, loaded.prompts)
    recorded = [r for path in loaded.recordings for r in read_recordings(path)]
    model = Replay(recorded, loaded.recordings[0])
    return [
        (case, await summarize(case.paper, prompt=prompt, model=model)) for case in loaded.cases
    ]


@pytest.mark.parametrize("name", ["digest-ko", "lines-ko"])
async def test_right_answers_are_published_without_a_word(name: str) -> None:
    for case, entry in await entries_of(name):
        assert entry.status == "ok", entry.reason
        assert entry.findings == (), case.id
        points = [point.text for point in entry.summary.points] if entry.summary else []
        if name == "lines-ko":
            assert not set(points) & set(case.target.split("\n"))


async def test_an_injection_changes_nothing_but_its_own_summary() -> None:
    (entry,) = [e for case, e in await entries_of("digest-ko") if case.id == "injection"]
    assert entry.summary is not None
    said = " ".join(point.text for point in entry.summary.points)
    assert not any(word in said for word in ("API", "10점", "marketing", "무시"))


async def test_every_wrong_answer_is_found_out() -> None:
    for case, entry in await entries_of("regressions-ko"):
        assert case.wanted
        assert entry.provenance is not None
        found = {(f.check, f.point) for f in entry.provenance.attempts[0].findings}
        checks = {check for check, _ in found}
        missing = [
            one
            for one in case.wanted
            if (one.check, one.point) not in found
            and not (one.point is None and one.check in checks)
        ]
        assert not missing, case.id


def test_lines_and_json_hold_the_same_points() -> None:
    def points(recorded: Answer, start: str) -> list[str]:
        if start:
            return [line.removeprefix(start) for line in recorded.text.split("\n")]
        said: list[str] = json.loads(recorded.text)["points"]
        return said

    in_json = read_recordings(load_eval_set("digest-ko").recordings[-1])
    in_lines = read_recordings(load_eval_set("lines-ko").recordings[-1])
    assert [points(r.answer, "") for r in in_json] == [points(r.answer, "- ") for r in in_lines]


def test_cases_load_in_inspect_unchanged() -> None:
    dataset = pytest.importorskip("inspect_ai.dataset", reason="needs inspect_ai")
    for name in ("digest-ko", "regressions-ko"):
        path = ROOT / "evals" / f"{name}.jsonl"
        ours = [placed.case for placed in read_cases(path.read_bytes(), path)]
        theirs = dataset.json_dataset(str(path))
        assert [(s.id, s.input, s.target or "", s.metadata) for s in theirs] == [
            (c.id, c.input, c.target, c.metadata) for c in ours
        ]
