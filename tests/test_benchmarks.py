"""The measurements measure what they say: damage in one place, judged errors, printed tables."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import re
from random import Random

import pytest

from benchmarks import checks, corpus, speed, throughput
from benchmarks.corpus import SAMPLE_DAY, SHARED, Row, read_corpus
from benchmarks.mutations import Lexicon, Target
from benchmarks.precision import find, read_adjudications, unjudged
from benchmarks.recall import KINDS, try_damages
from benchmarks.written import measure_written, read_written
from summarizer.checks import CHECKS, check_summary
from summarizer.digest import Paper, Summary

needs_shared = pytest.mark.skipif(not (SHARED / "real").is_dir(), reason="needs ../shared")

PAPER = Paper(
    arxiv_id="2601.00001",
    title="LanternLM: Small Models That Check Their Sources",
    abstract="LanternLM has 3.8B parameters. It beats Quill by up to 12.5%. See https://a.io/b/c.",
)
POINTS = [
    "LanternLM은 매개변수가 38억 개이고 두 가지 크기가 있습니다.",
    "메모리의 1/8로 Quill보다 정확도를 최대 12.5% 높이며 코드는 https://a.io/b/c 에 있습니다.",
    "코드의 크기를 작은 모델의 크기와 견줍니다.",
]
ROW = Row("invented", PAPER, Summary(points=POINTS))
LEXICON = Lexicon.of([ROW])
WHOLE = {"two numbers exchanged"}


def damages(kind, row, point, seed=0):
    target = Target(row, point, LEXICON, Random(seed))
    return list(KINDS[kind].mutation(target))


@pytest.mark.parametrize("kind", KINDS)
def test_a_point_is_damaged_in_exactly_the_place_that_is_named(kind):
    sample = [row for row in read_corpus() if row.source == SAMPLE_DAY]
    seen = 0
    for row in [ROW, *sample]:
        for point, text in enumerate(row.texts):
            for damage in damages(kind, row, point):
                start, end = damage.span
                tail = len(damage.text) - end
                assert damage.text != text
                assert damage.text[:start] == text[:start]
                assert damage.text[end:] == text[len(text) - tail :]
                assert start <= len(text) - tail
                seen += 1
    assert seen


@pytest.mark.parametrize(
    ("kind", "point", "damaged"),
    [
        ("times 10", 0, "매개변수가 380억 개"),
        ("times 10", 1, "최대 125%"),
        ("times 1,000", 0, "매개변수가 38000억 개"),
        ("만 for 억", 0, "매개변수가 38만 개"),
        ("% for %p", 1, "12.5%p"),
        ("fraction inverted", 1, "메모리의 8/1로"),
        ("bound reversed", 1, "최소 12.5%"),
        ("link glued", 1, "https://a.io/b/c에서 에"),
        ("particle swapped", 2, "크기을"),
        ("particle swapped", 2, "크기과"),
    ],
)
def test_damage_is_what_its_kind_says(kind, point, damaged):
    assert any(damaged in damage.text for damage in damages(kind, ROW, point))


@pytest.mark.parametrize("kind", ["digit changed", "name misspelt", "link damaged"])
def test_chance_is_seeded(kind):
    assert damages(kind, ROW, 1, seed=1) == damages(kind, ROW, 1, seed=1)
    assert damages(kind, ROW, 1, seed=1) != damages(kind, ROW, 1, seed=2)


def test_a_point_with_an_error_is_not_damaged():
    row = Row("invented", PAPER, Summary(points=["모델는 작습니다.", POINTS[0]]))
    texts = {trial.text for trial in try_damages([row], find([row]), LEXICON)}
    assert texts
    assert not any(text.startswith("모델") for text in texts)


def test_verdicts_are_well_formed_and_quote_nobody():
    verdicts = read_adjudications()
    keys = [verdict.key for verdict in verdicts]
    assert len(set(keys)) == len(keys)
    for verdict in verdicts:
        assert re.fullmatch("[0-9a-f]{12}", verdict.text), verdict
        assert 10 < len(verdict.why) < 200, verdict
        # A term or two in Hangul, and no sentence.
        assert len(re.findall("[가-힣]+", verdict.why)) <= 3, verdict


@needs_shared
def test_every_error_on_published_points_is_judged():
    assert unjudged(find(read_corpus())) == []


def test_without_published_digests_the_sample_day_is_measured(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(checks, "read_corpus", lambda: read_corpus(tmp_path))
    monkeypatch.setattr(
        checks, "measure_speed", lambda rows: speed.measure_speed(rows, runs=1, sizes=[10])
    )
    code = checks.main(["--json"])
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert "only the sample day" in err
    assert {one["check"] for one in document["precision"]} == set(CHECKS)
    assert document["speed"]["papers"] > 0
    assert document["unjudged"] == []
    assert code == bool(document["missed"])
    checks.main(["--half", "tune"])
    shown = capsys.readouterr().out
    assert "times 10" in shown
    assert "held" not in shown.splitlines()[1]


def test_what_was_missed_can_be_listed(monkeypatch, capsys):
    monkeypatch.setattr(checks, "read_corpus", lambda: [ROW, Row(SAMPLE_DAY, PAPER, ROW.summary)])
    assert checks.main(["--misses", "two numbers exchanged"]) == 0
    assert all(PAPER.arxiv_id in line for line in capsys.readouterr().out.splitlines())


def test_both_halves_hold_papers():
    assert {row.half for row in read_corpus(corpus.ROOT)} == {"tune", "held"}


# --- docs/checks.md ------------------------------------------------------------------------------

PAGE = (corpus.ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = [
    pytest.param(check, example, id=f"{check}-{number}")
    for check, section in SECTIONS.items()
    for block in re.findall(r"^```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    for number, example in enumerate(block.split("\n\n"))
]


def test_the_page_tells_of_every_check_and_every_parameter():
    assert list(SECTIONS) == list(CHECKS)
    for check, target in CHECKS.items():
        module, _, name = target.partition(":")
        function = getattr(importlib.import_module(module), name)
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY:
                shown = {None: "none", False: "false"}.get(parameter.default, parameter.default)
                assert re.search(rf"`{parameter.name}` \({shown}[;)]", SECTIONS[check]), parameter


@pytest.mark.parametrize(("check", "example"), EXAMPLES)
def test_every_example_of_the_page_is_found_as_shown(check, example):
    given = [line.partition(": ")[::2] for line in example.splitlines()]
    told = dict(given)
    paper = Paper(
        arxiv_id="2601.00001",
        title=told.get("title", "A Paper"),
        abstract=told.get("abstract", "A paper without much to say."),
    )
    findings = check_summary(
        paper,
        Summary(points=[value for name, value in given if name == "point"]),
        checks={check: {}},
        basis=told.get("basis", "abstract"),
    )
    found = [(f.severity, f"{f.message} → {f.fix}" if f.fix else f.message) for f in findings]
    shown = [(name, value.replace("␣", " ")) for name, value in given]
    assert found == [pair for pair in shown if pair[0] in ("error", "warning")]


def test_throughput_asks_for_every_paper_and_writes_what_came(tmp_path):
    with throughput.serving(0) as url:
        for work in (throughput.bare, throughput.ours):
            folder = tmp_path / work.__name__
            folder.mkdir()
            taken = asyncio.run(work(url, 5, 2, folder))
            assert taken.seconds > 0
    assert len(json.loads((tmp_path / "bare" / "digest.json").read_text())) == 5
    last = max((tmp_path / "ours").glob("*.json"))
    assert len(json.loads(last.read_text())["entries"]) == 5


def test_of_faithful_points_only_what_was_judged_is_an_error():
    rows = [row for row, _ in read_written()]
    assert sum(len(row.texts) for row in rows) > 1_000
    assert unjudged(find(rows)) == []


def test_most_mistakes_of_a_writer_are_told():
    table = measure_written(read_written())
    told = {one.kind: (one.errors + one.warnings) / one.damaged for one in table}
    sure = {"bound", "form", "invented", "language", "link", "name", "number", "particle"}
    assert {kind for kind in sure if told[kind] < 0.7} == set()
    assert told["link"] == told["register"] == 1
