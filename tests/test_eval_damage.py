"""One recorded answer of a shipped set is damaged: the eval fails, and says which, where and why."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import Run

ROOT = Path(__file__).parents[1]
DAY = "fixtures/2024-01-12"
RECORDINGS = Path("evals/digest-ko.recordings.jsonl")


@pytest.fixture(autouse=True)
def _copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The set and all that it names, in a folder of their own."""
    folder = tmp_path / "copy"
    shutil.copytree(ROOT / "evals", folder / "evals")
    shutil.copytree(ROOT / DAY, folder / DAY)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def recorded() -> dict[str, dict[str, Any]]:
    """Case → its recording."""
    lines = map(json.loads, RECORDINGS.read_text().splitlines())
    return {line["label"].split()[0]: line for line in lines}


def save(recordings: Iterable[dict[str, Any]]) -> None:
    RECORDINGS.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in recordings))


def damage(case: str, point: int, old: str, new: str) -> None:
    """Write `new` for `old` in a point of the answer, counted from 0."""
    recordings = recorded()
    answer = recordings[case]["answer"]
    points = json.loads(answer["text"])["points"]
    points[point], count = re.subn(old, lambda _: new, points[point], count=1)
    assert count == 1
    answer["text"] = json.dumps({"points": points}, ensure_ascii=False)
    save(recordings.values())


def assert_told(run: Run, tmp_path: Path, place: str, reason: str) -> None:
    """The eval fails; the terminal, JUnit and the report say where (case and point) and why."""
    junit, report = tmp_path / "junit.xml", tmp_path / "report.html"
    shown = run("eval", "digest-ko", *ASKED, "--junit", junit, "--html", report)
    assert shown.code == 1, shown.err
    assert "failed  checks.clean is " in shown.out
    (told,) = {line.strip() for line in shown.out.splitlines() if line.strip().startswith(place)}
    assert reason in told
    failures = [failure.get("message", "") for failure in ET.parse(junit).iter("failure")]
    assert any(message.startswith(told) for message in failures), failures
    case, _, message = told.partition(": ")
    case, _, point = case.partition(" point ")
    finding = {"message": message, "arxiv_id": case, "point": int(point) - 1 if point else None}
    assert finding in [
        {key: one[key] for key in finding} for one in findings(report.read_text())
    ]


def test_undamaged_it_passes(run: Run) -> None:
    assert run("eval", "digest-ko").code == 0


@pytest.mark.parametrize(
    ("case", "point", "old", "new", "reason"),
    [
        pytest.param("many-figures", 1, "13억", "1억 3,000만", "1억 3,000만", id="scale"),
        pytest.param("many-figures", 3, r"59\.1", "59.7", "59.7", id="figure"),
        pytest.param("names", 3, "OrchidMT", "OrchdiMT", "OrchdiMT", id="misspelt name"),
        pytest.param(
            "names", 0, ".+", "Many systems are only tested on news.", "Korean", id="English"
        ),
        pytest.param("names", 0, "평가됩니다", "평가된다", "다", id="register"),
        pytest.param("links", 4, r"html 에서", "html에서", "index.html", id="glued URL"),
        pytest.param("links", 4, "open-tundra", "open-tundar", "open-tundar", id="wrong URL"),
        pytest.param("names", 2, "HarborTalk는", "HarborTalk은", "은", id="particle"),
    ],
)
def test_a_damaged_point_is_told_everywhere(
    run: Run, tmp_path: Path, case: str, point: int, old: str, new: str, reason: str
) -> None:
    damage(case, point, old, new)
    told = told_everywhere(run, tmp_path, case)
    assert any(f"{case} point {point + 1}: " in line and reason in line for line in told), told


@pytest.mark.parametrize(
    ("case", "point", "old", "new"),
    [
        pytest.param("links", 4, r"html 에서", "html에서", id="glued URL"),
        pytest.param("names", 2, "HarborTalk는", "HarborTalk은", id="particle"),
    ],
)
def test_mending_could_have_cured_it(run: Run, case: str, point: int, old: str, new: str) -> None:
    damage(case, point, old, new)
    (judged,) = json.loads(run("eval", "digest-ko", "--only", case, "--json").out)
    scores = {score["name"]: score["mean"] for score in judged["systems"][0]["scores"]}
    assert scores["ok"] == 1
    assert scores["checks.left"] == 0
    assert scores["checks.clean"] == 0
    assert not judged["passed"]


def test_swapped_summaries_are_told_everywhere(run: Run, tmp_path: Path) -> None:
    recordings = recorded()
    one, other = recordings["many-figures"], recordings["links"]
    one["answer"], other["answer"] = other["answer"], one["answer"]
    save(recordings.values())
    for case in ("many-figures", "links"):
        assert any("another paper" in line for line in told_everywhere(run, tmp_path, case))


def test_an_answer_that_cannot_be_read_is_told_everywhere(run: Run, tmp_path: Path) -> None:
    recordings = recorded()
    recordings["links"]["answer"]["text"] = "I cannot help with that."
    save(recordings.values())
    assert told_everywhere(run, tmp_path, "links")
