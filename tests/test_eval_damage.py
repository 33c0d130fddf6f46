"""A recorded answer of a shipped set is damaged: the eval fails, and says which, where and why."""

from __future__ import annotations

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
ASKED = ("--only", "many-figures", "--only", "names", "--only", "links")
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
    data = re.search(r'id="page">(.*?)</script>', report.read_text(), re.DOTALL)
    assert data
    failed = json.loads(data[1])["verdict"]["failures"]
    shown_there = [f"{c['place']}: {c['reason']}" for one in failed for c in one["culprits"]]
    assert told in shown_there


def test_undamaged_it_passes(run: Run) -> None:
    assert run("eval", "digest-ko", *ASKED).code == 0


@pytest.mark.parametrize(
    ("case", "point", "old", "new", "reason"),
    [
        pytest.param("many-figures", 1, "13억", "1억 3,000만", "3,000만", id="scale"),
        pytest.param("many-figures", 3, r"59\.1", "59.7", "59.7", id="figure"),
        pytest.param("names", 3, "OrchidMT", "OrchdiMT", "OrchdiMT", id="misspelt name"),
        pytest.param("names", 0, ".+", "Many systems are only tested on news.", "", id="English"),
        pytest.param("names", 0, "평가됩니다", "평가된다", "", id="register"),
        pytest.param("links", 4, "open-tundra", "open-tundar", "lost or changed", id="wrong URL"),
    ],
)
def test_a_damaged_point_is_told_everywhere(
    run: Run, tmp_path: Path, case: str, point: int, old: str, new: str, reason: str
) -> None:
    damage(case, point, old, new)
    assert_told(run, tmp_path, f"{case} point {point + 1}: ", reason)


@pytest.mark.parametrize(
    ("case", "point", "old", "new", "reason"),
    [
        pytest.param("links", 4, "html 에서", "html에서", "part of the link", id="glued URL"),
        pytest.param("names", 3, "모듈을", "모듈를", "not '를'", id="particle"),
    ],
)
def test_what_mending_cures_is_told_all_the_same(
    run: Run, tmp_path: Path, case: str, point: int, old: str, new: str, reason: str
) -> None:
    damage(case, point, old, new)
    assert_told(run, tmp_path, f"{case} point {point + 1}: ", reason)
    (judged,) = json.loads(run("eval", "digest-ko", *ASKED, "--json").out)
    scores = {score["name"]: score["mean"] for score in judged["systems"][0]["scores"]}
    assert (scores["ok"], scores["checks.left"]) == (1, 0)
    assert scores["checks.clean"] < 1


def test_swapped_summaries_are_told_everywhere(run: Run, tmp_path: Path) -> None:
    recordings = recorded()
    one, other = recordings["many-figures"], recordings["links"]
    one["answer"], other["answer"] = other["answer"], one["answer"]
    save(recordings.values())
    for case in ("many-figures", "links"):
        assert_told(run, tmp_path, f"{case}: the summary is about another paper", "")


def test_an_answer_that_cannot_be_read_is_told_everywhere(run: Run, tmp_path: Path) -> None:
    recordings = recorded()
    recordings["links"]["answer"]["text"] = "I cannot help with that."
    save(recordings.values())
    assert_told(run, tmp_path, "links: the answer is not a JSON object", "")
