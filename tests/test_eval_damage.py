"""A recorded answer of a shipped set is damaged: the eval fails, and says which, where and why."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest

from summarizer.checks import CHECKS
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


def inflict(damage: Damage) -> None:
    recordings = recorded()
    answer = recordings[damage.case]["answer"]
    points = json.loads(answer["text"])["points"]
    points[damage.point], count = re.subn(
        damage.old, lambda _: damage.new, points[damage.point], count=1
    )
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


class Damage(NamedTuple):
    """What is written for what in a point of a case, and what is said of it there."""

    check: str
    case: str
    point: int
    old: str
    new: str
    reason: str


OPENING = (
    "교차 인코더(cross-encoder) 방식의 재순위 모델(reranker)은 "
    "구절 검색을 주도하고 있지만 느립니다."
)

DAMAGES = {
    "scale": Damage("numbers", "many-figures", 1, "13억", "1억 3,000만", "3,000만"),
    "figure": Damage("numbers", "many-figures", 3, r"59\.1", "59.7", "59.7"),
    "misspelt name": Damage("names", "names", 3, "OrchidMT", "OrchdiMT", "OrchdiMT"),
    "English": Damage("register", "names", 0, ".+", "Many systems are only tested on news.", ""),
    "register": Damage("register", "names", 0, "평가됩니다", "평가된다", ""),
    "wrong URL": Damage("links", "links", 4, "open-tundra", "open-tundar", "lost or changed"),
    "false friend": Damage(
        "senses", "many-figures", 6, r"지연 시간\(latency\)", "잠복기", "잠복기"
    ),
    "encoding": Damage("text", "many-figures", 0, "구절", "구\ufffd", "wrong encoding"),
    "bracket": Damage("text", "many-figures", 7, "질의에서는", "질의(query에서는", "not closed"),
    "bold": Damage("shape", "many-figures", 7, "질의에서는", "**질의에서는", "not closed"),
    "twice": Damage("shape", "many-figures", 7, ".+", OPENING, "what point 1 says"),
}
MENDED = {
    "glued URL": Damage("links", "links", 4, "html 에서", "html에서", "part of the link"),
    "particle": Damage("josa", "names", 3, "모듈을", "모듈를", "not '를'"),
}
OF_THE_WHOLE = {"topic": "swapped summaries", "results": "no figures"}


def test_every_check_has_its_damage() -> None:
    of_points = {damage.check for damage in (*DAMAGES.values(), *MENDED.values())}
    assert of_points | set(OF_THE_WHOLE) == set(CHECKS)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_point_is_told_everywhere(run: Run, tmp_path: Path, damage: Damage) -> None:
    inflict(damage)
    assert_told(run, tmp_path, f"{damage.case} point {damage.point + 1}: ", damage.reason)


@pytest.mark.parametrize("damage", MENDED.values(), ids=MENDED)
def test_what_mending_cures_is_told_all_the_same(run: Run, tmp_path: Path, damage: Damage) -> None:
    inflict(damage)
    assert_told(run, tmp_path, f"{damage.case} point {damage.point + 1}: ", damage.reason)
    (judged,) = json.loads(run("eval", "digest-ko", *ASKED, "--json").out)
    scores = {score["name"]: score["mean"] for score in judged["systems"][0]["scores"]}
    assert (scores["ok"], scores["checks.left"]) == (1, 0)
    assert scores["checks.clean"] < 1


def test_a_prompt_that_leaves_a_check_out_does_not_hide_what_it_finds(
    run: Run, tmp_path: Path
) -> None:
    shipped = (ROOT / "prompts" / "digest-ko.prompty").read_text()
    lenient, count = re.subn(r"(?m)^  checks:\n(    .*\n)+", "  checks: {topic: }\n", shipped)
    assert count == 1
    Path("prompts").mkdir()
    Path("prompts/digest-ko.prompty").write_text(lenient)
    inflict(DAMAGES["figure"])
    assert_told(run, tmp_path, "many-figures point 4: ", "59.7")


def test_results_that_are_left_out_are_told_everywhere(run: Run, tmp_path: Path) -> None:
    recordings = recorded()
    answer = recordings["many-figures"]["answer"]
    points = json.loads(answer["text"])["points"]
    kept = [
        points[0],
        points[7],
        "이 논문은 재순위 모델군 TesselRank를 소개합니다.",
        "이 모델은 빠릅니다.",
    ]
    answer["text"] = json.dumps({"points": kept}, ensure_ascii=False)
    save(recordings.values())
    assert_told(run, tmp_path, "many-figures: the abstract", "figures of its results")


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
