"""`summarizer digest FIRST..LAST` against a server that speaks the protocol."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from summarizer import Digest, parse_markdown
from tests.batch_server import BatchServer
from tests.chat_server import ChatServer, completion, error
from tests.conftest import Run
from tests.days import (
    KEY,
    WEEK,
    WELL,
    asked_about,
    date_of,
    paper,
    serving,
    week_command,
    write_day,
    write_days,
)
from tests.disks import files

BAD = completion("Sorry, I cannot.")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    with serving(monkeypatch) as server:
        yield server


@pytest.fixture
def week(tmp_path: Path) -> list[str]:
    return week_command(tmp_path)


def json_of(run: Run, *command: object) -> Any:
    ended = run(*command, "--json")
    return json.loads(ended.out)


def test_each_day_is_written_and_told(run: Run, tmp_path: Path, week, server) -> None:
    ended = run(*week)
    assert ended.code == 0, ended.err
    names = [f"{date_of(day)}.{form}" for day in range(5) for form in ("json", "md")]
    assert list(files(tmp_path / "out")) == names
    for day in range(5):
        digest = parse_markdown((tmp_path / "out" / f"{date_of(day)}.md").read_text())
        wanted = [paper(day, number)["arxiv_id"] for number in range(3)]
        assert [entry.paper.arxiv_id for entry in digest.entries] == wanted
        assert f"{date_of(day)}  written: 3 new" in ended.out
    assert (
        "5 days: 5 written\n15 papers: 15 new\n2 days without papers: 2024-03-06, 2024-03-07\n"
        in ended.out
    )
    assert "15 calls, 0 answers from the store; 1,500 tokens in, 300 out" in ended.err
    assert len(server.requests) == 15


def test_a_second_run_asks_nothing_and_writes_nothing(
    run: Run, tmp_path: Path, week, server
) -> None:
    run(*week)
    for path in (tmp_path / "out").iterdir():
        os.utime(path, ns=(1, 1))
    ended = run(*week)
    assert ended.code == 0
    assert len(server.requests) == 15
    assert {path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == {1}
    assert ended.out.splitlines() == [
        "5 days: 5 unchanged",
        "15 papers: 15 kept",
        "2 days without papers: 2024-03-06, 2024-03-07",
    ]
    assert "0 calls, 15 answers from the store" in ended.err


def test_a_day_that_cannot_be_read_takes_no_other(run: Run, tmp_path: Path, week, server) -> None:
    (tmp_path / "papers" / f"{date_of(1)}.papers.jsonl").write_text(
        f'{json.dumps(paper(1, 0))}\n{{"arxiv_id": "2403.01001"}}\n'
    )
    (tmp_path / "out").mkdir()
    planned = run(*week, "--dry-run")
    assert planned.code == 2
    assert ".papers.jsonl:2: 'title' is missing" in " ".join(planned.out.split())
    (tmp_path / "out" / f"{date_of(3)}.md").write_text("# My diary\n")
    ended = run(*week)
    assert ended.code == 2
    assert f"{date_of(1)}  failed: " in ended.out
    assert ".papers.jsonl:2: 'title' is missing" in ended.out
    assert f"{date_of(3)}  failed: " in ended.out
    assert "cannot be read as one" in ended.out
    assert "5 days: 3 written, 2 failed" in ended.out
    assert (tmp_path / "out" / f"{date_of(3)}.md").read_text() == "# My diary\n"
    assert len(server.requests) == 9


def test_only_failed_asks_anew_and_keeps_what_is_good(
    run: Run, tmp_path: Path, week, server
) -> None:
    bad = {"Day 1 Part 0", "Day 3 Part 2"}
    server.answers(lambda body: BAD if asked_about(body) in bad else WELL)
    first = json_of(run, *week, "--repairs", 0)
    assert first["exit_code"] == 1
    assert first["counts"] == {"new": 13, "failed": 2}
    assert [day["state"] for day in first["days"]] == [
        "written", "partial", "written", "partial", "written",
    ]  # fmt: skip
    assert [row["arxiv_id"] for row in first["days"][1]["papers"]] == ["2403.01000"]

    # The store would answer as before; what failed its checks is asked for another answer.
    server.requests.clear()
    server.answers(lambda body: BAD if asked_about(body) == "Day 3 Part 2" else WELL)
    second = run(*week, "--repairs", 0, "--only", "failed")
    assert Counter(asked_about(body) for body in server.bodies) == Counter(bad)
    assert "2 days: 1 written, 1 partial" in second.out
    assert "3 days passed over, being whole" in second.out
    whole = files(tmp_path / "out")
    assert f"{date_of(1)}.md" in whole
    assert f"{date_of(1)}.partial.md" not in whole
    partial = Digest.model_validate(
        {
            name: value
            for name, value in json.loads(whole[f"{date_of(3)}.partial.json"]).items()
            if name != "$schema"
        }
    )
    assert [entry.status for entry in partial.entries] == ["ok", "ok", "failed"]
    for entry in partial.entries[:2]:
        assert entry.provenance
        assert entry.provenance.attempts

    # The plain command is given the answer that was bought last.
    server.requests.clear()
    third = json_of(run, *week, "--repairs", 0)
    assert not server.requests
    assert third["counts"] == {"kept": 12, "new": 2, "failed": 1}
    assert files(tmp_path / "out") == whole


def test_only_failed_without_a_store_keeps_the_good_entries(
    run: Run, tmp_path: Path, week, server
) -> None:
    week = [*week[:-2], "--no-store"]
    server.answers(lambda body: BAD if asked_about(body) == "Day 1 Part 0" else WELL)
    run(*week, "--repairs", 0)
    server.requests.clear()
    server.answers(lambda _: BAD)
    run(*week, "--repairs", 0, "--only", "failed")
    assert len(server.requests) == 1
    text = (tmp_path / "out" / f"{date_of(1)}.partial.md").read_text()
    assert len(parse_markdown(text).entries) == 2


def test_what_stops_the_model_leaves_whole_days_and_paid_answers(
    run: Run, tmp_path: Path, week, server
) -> None:
    refused = error(401, f"Incorrect API key provided: {KEY}", code="invalid_api_key")
    server.answers(lambda body: refused if asked_about(body) == "Day 2 Part 1" else WELL)
    report = json_of(run, *week, "--concurrency", 1)
    assert report["exit_code"] == 2
    assert [day["date"] for day in report["days"]] == [date_of(0), date_of(1)]
    assert report["left"] == 5
    assert report["tokens"]["prompt"] == 7 * 100  # the seventh answer is of a day that is left
    assert "key" in report["stopped"]
    assert KEY not in report["stopped"]
    assert len(server.requests) == 8
    server.answers(lambda _: WELL)
    ended = run(*week)
    assert ended.code == 0
    assert len(server.requests) == 8 + 15 - 7
    assert "5 days: 2 unchanged, 3 written" in ended.out


def test_a_range_that_stopped_says_where_it_stands(run: Run, week, server) -> None:
    server.answers(lambda _: error(401, "Incorrect API key provided"))
    ended = run(*week)
    assert ended.code == 2
    assert ended.out == "No day was done\n2 days without papers: 2024-03-06, 2024-03-07\n"
    assert "Error: " in ended.err
    assert "5 days left; the same command takes up where this one ended" in ended.err


@pytest.mark.parametrize("store", [True, False], ids=["store", "no store"])
def test_a_paper_that_an_earlier_day_has_published_is_said(
    store: bool, run: Run, tmp_path: Path, week, server
) -> None:
    again = paper(0, 1)
    write_day(tmp_path / "papers", 2, [again, paper(2, 0)])
    week = week if store else [*week[:-2], "--no-store"]
    kept = json_of(run, *week)
    assert kept["days"][2]["seen"] == {again["arxiv_id"]: date_of(0)}
    assert kept["counts"] == {"new": 14}
    said = run(*week).out
    assert "1 paper had been published on an earlier day, as the" in said
    assert ("store says" if store else "folder's digests say") in said


@pytest.mark.parametrize("first", [True, False], ids=["at once", "later"])
def test_a_paper_that_an_earlier_day_has_published_is_skipped(
    first: bool, run: Run, tmp_path: Path, week, server
) -> None:
    write_day(tmp_path / "papers", 2, [paper(0, 1), paper(2, 0)])
    write_day(tmp_path / "papers", 3, [paper(0, 1)])
    if not first:
        run(*week)
    skipped = json_of(run, *week, "--seen", "skip")
    assert skipped["exit_code"] == 0
    assert skipped["counts"]["skipped"] == 2
    assert skipped["days"][2]["papers"] == [
        {
            "arxiv_id": "2403.00001",
            "title": "A Method, Day 0 Part 1",
            "status": "skipped",
            "reason": f"it was published on {date_of(0)}",
        }
    ]
    text = (tmp_path / "out" / f"{date_of(2)}.md").read_text()
    assert [entry.paper.arxiv_id for entry in parse_markdown(text).entries] == ["2403.02000"]
    assert (tmp_path / "out" / f"{date_of(3)}.md").exists() is not first
    assert not list((tmp_path / "out").glob("*.partial.*"))
    assert len(server.requests) == 10
    assert json_of(run, *week, "--seen", "skip")["counts"] == {"kept": 10, "skipped": 2}


def test_an_archive_of_digests_plus_papers_is_a_source(
    run: Run, tmp_path: Path, week, server
) -> None:
    run(*week, "--format", "md")
    source = tmp_path / "archive"
    (tmp_path / "out").rename(source)
    with (source / "papers.jsonl").open("w") as file:
        for path in sorted((tmp_path / "papers").iterdir()):
            file.write(path.read_text())
    requests = len(server.requests)
    ended = run(*week[:3], source, *week[4:])
    assert ended.code == 0, ended.out
    assert "15 papers: 15 new" in ended.out
    assert len(server.requests) == requests


def test_a_dry_run_counts_each_day_and_asks_nothing(run: Run, tmp_path: Path, week, server) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text('"openai:test": {input: 1000, output: 2000, batch_discount: 0.5}\n')
    run("digest", date_of(0), *week[2:-4], "--out", tmp_path / "out", *week[-2:])
    requests = len(server.requests)
    write_day(tmp_path / "papers", 2, [paper(2, 0), {**paper(2, 1), "abstract": None}])
    before = files(tmp_path / "out")
    plan = json_of(run, *week, "--dry-run", "--prices", prices)
    counts = ("papers", "asked", "at_hand", "failed")
    assert [tuple(day[count] for count in counts) for day in plan["days"]] == [
        (3, 0, 3, 0), (3, 3, 0, 0), (2, 1, 0, 1), (3, 3, 0, 0), (3, 3, 0, 0),
    ]  # fmt: skip
    assert plan["unlisted"] == [date_of(5), date_of(6)]
    cost = float(plan["estimate"]["price"])
    usage = plan["estimate"]["usage"]
    assert cost == pytest.approx(usage["prompt"] / 1000 + usage["completion"] / 500)
    assert float(plan["estimate"]["batch_price"]) == pytest.approx(cost / 2)
    assert cost == pytest.approx(sum(float(day["estimate"]["price"]) for day in plan["days"]))
    shown = run(*week, "--dry-run", "--prices", prices).out
    assert f"10 of 14 papers would be asked of openai:test: {usage['prompt']:,} tokens in" in shown
    assert f"about ${cost:.4f}, about ${cost / 2:.4f} in batches" in shown
    assert len(server.requests) == requests
    assert files(tmp_path / "out") == before


def test_a_budget_ends_a_range_and_is_not_overrun(run: Run, tmp_path: Path, week, server) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text('"openai:test": {input: 1000, output: 1000}\n')  # an answer costs $0.12
    money = ["--prices", prices, "--budget"]
    most = json_of(run, *week, *money, 0, "--dry-run")["days"][0]["estimate"]["most"]
    budget = float(most) / 3 + 1
    report = json_of(run, *week, *money, budget)
    assert report["exit_code"] == 3
    assert "--budget" in report["stopped"]
    assert 0 < float(report["spent"]) <= budget
    bought = len(server.requests)
    assert float(report["spent"]) == pytest.approx(bought * 0.12)
    assert json_of(run, *week, *money, "1000")["exit_code"] == 0
    assert len(server.requests) == 15
    unknown = run(*week, "--budget", 5)
    assert unknown.code == 2
    assert "--prices FILE" in unknown.err


def test_batches_make_the_same_days_and_are_billed_as_batches(
    run: Run, tmp_path: Path, week, server, monkeypatch, no_waits
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text('"openai:test": {input: 1000, output: 1000, batch_discount: 0.5}\n')
    live = json_of(run, *week, "--prices", prices)
    with BatchServer() as batches:
        batches.answers(lambda _: WELL)
        monkeypatch.setenv("OPENAI_BASE_URL", batches.url)
        week = [*week[:-4], "--out", tmp_path / "batch", "--store", tmp_path / "other.sqlite3"]
        report = json_of(run, *week, "--engine", "batch", "--prices", prices)
        assert report["exit_code"] == 0, report
        assert set(batches.bought.values()) == {1}
        assert len(batches.bought) == report["asked"] == 15
        again = json_of(run, *week, "--engine", "batch", "--prices", prices)
        assert (again["asked"], again["reused"], float(again["spent"])) == (0, 15, 0)
    assert files(tmp_path / "batch") == files(tmp_path / "out")
    assert float(report["spent"]) == pytest.approx(float(live["spent"]) / 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["2024-03-02..2024-03-01"], "2024-03-01 is before 2024-03-02"),
        (["2024-03-02.."], "'' is not a day"),
        (["2024-03-02..2024-03-33"], "'2024-03-33' is not a day"),
        (["2024-03-01..2024-03-02", "--from", "papers.jsonl"], "has the papers of one day"),
        (["2024-03-01..2024-03-02", "--from", "nowhere"], "there is no folder 'nowhere'"),
        (["2024-03-01..2024-03-02", "--from", ""], "there is no folder ''"),
        (["2024-03-01..2024-03-02", "--from", "empty"], "empty: no file of this folder is named"),
        (["2024-03-01..2024-03-02", "--budget", "1e-2000"], "'1e-2000' is not an amount"),
        (["2024-03-01..2024-03-02", "--from", "arxiv:ids:2401.00001"], "has the papers of one day"),
        (["2024-03-01..2024-03-02", "--sample"], "--sample and DATE contradict"),
        (["2024-03-01", "--only", "failed"], "--only failed takes a range"),
        (["2024-03-01..2024-03-02", "--budget", "much"], "'much' is not an amount"),
        (["2024-03-01..2024-03-02", "--budget", "-1"], "'-1' is not an amount"),
        (["2024-03-01..2024-03-02", "--prices", "none.yaml"], "none.yaml: the file cannot be read"),
        (["2024-03-01..2024-03-02", "--engine", "batch", "--no-store"], "batches need the store"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_plain_sentence(
    words: list[str], said: str, run: Run, tmp_path: Path, server, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_days(tmp_path / "days", 1, 1)
    (tmp_path / "papers.jsonl").touch()
    (tmp_path / "empty").mkdir()
    source = [] if "--from" in words or "--sample" in words else ["--from", "days"]
    ended = run("digest", *words, *source, "--model", "openai:test")
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""
    assert "takes up" not in ended.err
    assert not server.requests


def test_a_batch_of_an_earlier_run_is_billed_in_the_one_that_takes_it_up(
    run: Run, tmp_path: Path, week, monkeypatch, caplog, no_waits
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text('"openai:test": {input: 1000, output: 1000, batch_discount: 0.5}\n')
    write_day(tmp_path / "papers", 0, [paper(0, 0)])
    day = ["digest", date_of(0), *week[2:], "--engine", "batch", "--prices", prices]
    with BatchServer() as batches:
        batches.answers(lambda _: WELL)
        monkeypatch.setenv("OPENAI_BASE_URL", batches.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        with monkeypatch.context() as interrupted:
            interrupted.setattr("summarizer.batch.in_flight.InFlight.ended", _interrupt)
            assert run(*day).code == 130
        run(*day[:-4], *day[-2:], "--budget", 0)
        assert "asked without --engine batch they are paid for again" in caplog.text
        ended = run(*day)
    assert ended.code == 0
    assert set(batches.bought.values()) == {1}
    assert ended.err == (
        "openai:test: 0 calls, 0 answers from the store; 100 tokens in, 20 out; $0.0600 spent\n"
    )


async def _interrupt(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)
    await asyncio.Event().wait()


def test_an_outage_of_batches_leaves_the_days_to_a_later_run(
    run: Run, tmp_path: Path, week, server, monkeypatch, no_waits
) -> None:
    with BatchServer() as batches:
        batches.answers(lambda _: WELL)
        monkeypatch.setenv("OPENAI_BASE_URL", batches.url)
        batches.fault("retrieve", *[503] * 2000)
        stopped = json_of(run, *week, "--engine", "batch")
        assert (stopped["exit_code"], stopped["days"]) == (3, [])
        assert "the same command takes it up" in stopped["stopped"]
        assert files(tmp_path / "out") == {}


def test_a_refused_budget_counts_no_call(run: Run, tmp_path: Path, week, server) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text('"openai:test": {input: 1000, output: 1000}\n')
    report = json_of(run, *week, "--prices", prices, "--budget", 0)
    assert (report["exit_code"], report["asked"]) == (3, 0)
    assert not server.requests


def test_a_dry_run_says_what_a_run_then_does(run: Run, tmp_path: Path, week, server) -> None:
    run("digest", date_of(4), *week[2:])  # the store is there
    write_day(tmp_path / "papers", 1, [paper(0, 1), paper(1, 0)])
    write_day(tmp_path / "papers", 2, [paper(1, 0)])
    before = len(server.requests)
    for seen in ("skip", "keep"):
        plan = json_of(run, *week, "--seen", seen, "--dry-run")
        asked = len(server.requests)
        report = json_of(run, *week, "--seen", seen)
        assert sum(day["asked"] for day in plan["days"]) == len(server.requests) - asked
        skipped = report["counts"].get("skipped", 0)
        assert sum(day["skipped"] for day in plan["days"]) == skipped == 2 * (seen == "skip")
    assert len(server.requests) - before == 3 + 1 + 3


def test_a_dry_run_of_one_day_leaves_out_what_an_earlier_day_has_published(
    run: Run, tmp_path: Path, week, server
) -> None:
    run("digest", date_of(0), *week[2:])
    write_day(tmp_path / "papers", 1, [paper(0, 1), paper(1, 0)])
    day = ["digest", date_of(1), *week[2:]]
    plan = json_of(run, *day, "--seen", "skip", "--dry-run")
    assert [one["state"] for one in plan["papers"]] == ["asked", "skipped"]
    assert plan["papers"][1]["reason"] == f"it was published on {date_of(0)}"
    assert [one["state"] for one in json_of(run, *day, "--dry-run")["papers"]] == [
        "asked", "at hand",
    ]  # fmt: skip


def test_a_worse_run_without_a_store_leaves_the_better_partial_day(
    run: Run, tmp_path: Path, week, server
) -> None:
    week = [*week[:-2], "--no-store", "--repairs", "0"]
    server.answers(lambda body: BAD if asked_about(body) == "Day 1 Part 0" else WELL)
    run(*week)
    better = files(tmp_path / "out")
    server.answers(lambda body: BAD if asked_about(body).startswith("Day 1") else WELL)
    report = json_of(run, *week)
    assert report["days"][1]["state"] == "partial"
    assert report["days"][1]["changed"] == []
    assert report["counts"] == {"kept": 12, "failed": 3}
    assert files(tmp_path / "out") == better


@pytest.mark.parametrize(
    ("days", "store", "said"),
    [
        (date_of(0), True, "Interrupted; the same command takes up where this one stopped"),
        (date_of(0), False, "Interrupted; no answer is kept without a store"),
        (WEEK, False, "Interrupted: no day is done yet; the same command with --only failed takes"),
    ],
    ids=["day", "day without a store", "range without a store"],
)
def test_an_interrupted_run_says_what_is_kept(
    days: str, store: bool, said: str, run: Run, week, server, monkeypatch
) -> None:
    monkeypatch.setattr("summarizer.drivers.entries.Summaries._summarize", _interrupt)
    ended = run(
        "digest", days, *week[2 : None if store else -2], *([] if store else ["--no-store"])
    )
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.startswith(said)
