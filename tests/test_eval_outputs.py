"""What CI is told of an eval, read back as those read it who are told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from summarizer.evals.ci import MARKER, Judged, github_annotations, junit, sarif, summary
from summarizer.evals.gates import judge
from summarizer.evals.runs import Run
from summarizer.evals.sets import Gate
from tests.made_runs import MINE, case, eval_set, finding, result, run, scored, unanswered

GATES = [Gate(score="numbers.errors", max=0, line=12), Gate(score="chrf", min=10, line=13)]


def judged(
    made: Run, gates: Iterable[Gate] = GATES, baseline: Run | None = None, **fields: Any
) -> Judged:
    its_set = eval_set(made.cases, gates, **fields)
    return Judged(
        its_set, made, judge(its_set, made, baseline), {"mine": Path("prompts/mine.prompty")}
    )


def wrong(message: str = "45% is not in the abstract", title: str = "Paper 1") -> Run:
    one, two = case(1, metadata={"title": title}), case(2)
    return run(
        [one, two],
        [
            result(
                one,
                {"numbers.errors": 1, "numbers.error_rate": 1, "chrf": 50},
                findings=[finding(message, point=2)],
            ),
            result(two, {"numbers.errors": 0, "numbers.error_rate": 0, "chrf": 50}),
        ],
    )


# --- JUnit ---------------------------------------------------------------------------------------


def test_junit_names_case_point_and_reason() -> None:
    (suite,) = ET.fromstring(junit([judged(wrong())]))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "0")
    failed = {test.get("name"): test[0] for test in suite.iter("testcase") if len(test)}
    assert set(failed) == {"2401.00001 Paper 1", "gate numbers.errors"}
    assert failed["2401.00001 Paper 1"].get("message") == (
        "2401.00001 point 3: 45% is not in the abstract (mine, openai:m)"
    )
    assert failed["gate numbers.errors"].text == (
        "evals/little.yaml:12: numbers.errors: numbers.errors is 0.5, more than 0 (mine, openai:m)"
    )


def test_a_case_without_an_answer_is_an_error() -> None:
    one = case(1)
    root = ET.fromstring(junit([judged(run([one], [unanswered(one, "no route")]), ())]))
    errors = [error.get("message") for error in root.iter("error")]
    assert (
        errors
        == [
            "2401.00001: no route (mine, openai:m)",
            "1 of 1 questions got no first answer",
            "nothing was scored",
        ][: len(errors)]
    )
    assert root[0].get("errors") == str(len(errors)) != "0"


@given(st.text(st.characters(exclude_categories=[])), st.text(min_size=1))
def test_junit_is_xml_whatever_a_model_wrote(message: str, title: str) -> None:
    root = ET.fromstring(junit([judged(wrong(message, title))]).encode(errors="strict"))
    assert [element.tag for element in root.iter()].count("testcase") == 4


def test_junitparser_reads_it() -> None:
    junitparser = pytest.importorskip("junitparser", reason="needs junitparser")
    text = junit([judged(wrong("<b>&\x1b[31m45%\x00]]>")), judged(scored([50.0]), ())])
    first, second = junitparser.JUnitXml.fromstring(text.encode())
    assert (first.name, first.tests, first.failures, second.tests) == ("little", 4, 2, 1)
    failed = [(test.name, test.result[0].message) for test in first if test.result]
    assert failed[0] == (
        "2401.00001 Paper 1",
        "2401.00001 point 3: <b>&\\u001b[31m45%\\u0000]]> (mine, openai:m)",
    )
    assert next(iter(first.properties())).value.startswith("set:little|h:bbbbbbbb|prompt:mine|")


# --- places --------------------------------------------------------------------------------------


def test_annotations_point_at_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "little.recordings.jsonl"
    lines = [
        {"model": "openai:other", "fingerprint": "2401.00001/0"},
        {"model": MINE.model, "fingerprint": "2401.00001/0"},
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '\n{"model": "ope')
    one = judged(wrong(), recordings=(tmp_path / "missing.jsonl", path))
    assert github_annotations([one]) == [
        "::error file=evals/little.yaml,line=12,title=little%3A numbers.errors::"
        "numbers.errors is 0.5, more than 0 (mine, openai:m)",
        "::error file=little.recordings.jsonl,line=2,title=little%3A numbers.errors::"
        "2401.00001 point 3: 45%25 is not in the abstract (mine, openai:m)",
    ]


def test_annotations_point_at_the_prompt_where_nothing_is_recorded() -> None:
    assert github_annotations([judged(wrong())])[1].startswith(
        "::error file=prompts/mine.prompty,line=1,"
    )


@given(st.text())
def test_an_annotation_stays_on_its_line(message: str) -> None:
    for line in github_annotations([judged(wrong(message))]):
        assert line.startswith("::error ")
        assert not set(line) & {"\n", "\r"}


def test_sarif_has_a_result_for_each_gate_and_case() -> None:
    (sarif_run,) = sarif([judged(wrong())])["runs"]
    told = [
        (
            one["ruleId"],
            one["message"]["text"],
            one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            one["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for one in sarif_run["results"]
    ]
    assert told == [
        (
            "numbers.errors",
            "numbers.errors is 0.5, more than 0 (mine, openai:m)",
            "evals/little.yaml",
            12,
        ),
        (
            "numbers",
            "2401.00001 point 3: 45% is not in the abstract (mine, openai:m)",
            "prompts/mine.prompty",
            1,
        ),
    ]


@pytest.mark.parametrize(
    ("name", "uri"),
    [("evals/내 set#1.yaml", "evals/%EB%82%B4%20set%231.yaml"), ("50%.yaml", "50%25.yaml")],
)
def test_sarif_names_files_by_uris(name: str, uri: str) -> None:
    (sarif_run,) = sarif([judged(wrong(), path=Path(name))])["runs"]
    place = sarif_run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri


def test_what_several_gates_say_of_one_place_is_told_once() -> None:
    gates = [Gate(score="numbers.errors", max=0), Gate(score="numbers.error_rate", max=0)]
    one = judged(wrong(), gates)
    told = [line.partition("::2401")[2] for line in github_annotations([one])]
    assert told == ["", ".00001 point 3: 45%25 is not in the abstract (mine, openai:m)", ""]
    assert len(sarif([one])["runs"][0]["results"]) == 3
    failures = [failure.text or "" for failure in ET.fromstring(junit([one])).iter("failure")]
    assert sorted(text.count("point 3") for text in failures) == [0, 0, 2]


def test_a_run_that_passed_has_nothing_to_say() -> None:
    one = judged(scored([50.0]), ())
    assert github_annotations([one]) == []
    assert sarif([one])["runs"][0]["results"] == []


# --- the summary ---------------------------------------------------------------------------------

GFM = MarkdownIt("gfm-like", {"linkify": False})


def test_a_summary_is_never_too_long_for_a_comment() -> None:
    text = summary([judged(wrong("45% " * 100))] * 200)
    assert text.startswith(f"{MARKER}\n\n## Evals failed\n")
    assert 50_000 < len(text) < 65_536
    assert text.endswith("\n\nThe rest is too long to be shown here.\n")


def test_a_summary_shows_scores_with_difference_and_interval() -> None:
    after = scored([51.0 + i % 3 for i in range(8)])
    text = summary([judged(after, [Gate(score="chrf")], scored([50.0] * 8))])
    assert text.startswith(f"{MARKER}\n\n## Evals passed\n")
    assert "| `chrf` | 50 | 51.88 | 1.875 | 1.25 to 2.62 | 8 / 0 / 0 | better |" in text
    assert "<table>" in GFM.render(text)


def test_a_summary_without_a_baseline_shows_gated_scores() -> None:
    text = summary([judged(wrong())])
    assert "## Evals failed" in text
    assert "  - `2401.00001 point 3: 45% is not in the abstract`" in text
    assert "| `numbers.errors` | 0.5 | 2 |" in text


def test_a_summary_names_some_cases_and_counts_the_others() -> None:
    text = summary([judged(scored([5.0] * 30), [Gate(score="chrf", min=10)])])
    assert text.count("chrf is 5`") == 10
    assert "  - and 20 more" in text


HOSTILE = [
    "<script>alert(1)</script>",
    "![x](http://x.y/z.png) [a](http://x.y)",
    "`code` `` two `` ```\nfence",
    "@everyone closes #1",
    "a | b | c",
    "# heading\n\n- list\n<!-- summarizer eval -->",
    "\\` | \\",
    "http://example.org <http://example.org>",
    "```",
    "   ",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_others_stays_text(text: str) -> None:
    hostile(text)


@given(
    st.lists(st.sampled_from([*HOSTILE, "`", "\n", "|", "~~~", "&amp;", "\x1b", "x"])).map("".join)
)
def test_text_of_others_stays_text_however_it_is_put_together(text: str) -> None:
    hostile(text)


def hostile(text: str) -> None:
    """A summary with and without a hostile title and finding is the same but for code spans."""

    def tokens(title: str, message: str) -> list[str]:
        before = scored([50.0])
        one = case(0, metadata={"title": title or "x"})
        after = run([one], [result(one, {"chrf": 5}, findings=[finding(message, check="chrf")])])
        before = run([one], [result(one, {"chrf": 50})])
        told = summary([judged(after, [Gate(score="chrf", min=10)], before)])
        return [
            token.type for block in GFM.parse(told) for token in (block, *(block.children or ()))
        ]

    assert tokens(text, text) == tokens("Plain", "plain")


def test_sarif_tools_reads_the_sarif_back(tmp_path: Path) -> None:
    loader = pytest.importorskip("sarif.loader", reason="needs sarif-tools")
    path = tmp_path / "eval.sarif"
    path.write_text(json.dumps(sarif([judged(wrong())])))
    read = loader.load_sarif_file(str(path))
    assert read.get_result_count() == len(sarif([judged(wrong())])["runs"][0]["results"])
    assert read.get_distinct_tool_names() == ["summarizer"]
