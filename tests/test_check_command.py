"""`summarizer check` over an archive: abstracts, fixes, accepted findings, SARIF."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import pytest

from summarizer import parse_markdown
from summarizer.accepted import Accepted
from summarizer.formats.json import render_json
from tests.conftest import Run

URL = "https://example.org/code"
TEXT = f"""\
## Daily Papers (2024-01-02)

### [A Method](https://arxiv.org/abs/2401.00001)

Vote: 3

Authors: Ada Lovelace

- 이 논문은 방법를 제안합니다.
- 코드는 {URL}에서 공개되어 있습니다.
- 이 방법은 세 단계입니다:
  1. 자료을 모읍니다.
  2. 모델을 학습합니다.

### [Another](https://arxiv.org/abs/2401.00002)

Vote: 1

Authors: Alan Turing

- 이 논문은 다른 방법을 제안합니다.

"""
ABSTRACTS = {
    "2401.00001": f"We present a method of three steps. Code is at {URL}.",
    "2401.00002": "We present another method.",
}
CHECKS = "links,josa,text,shape,register"


# Of each text that stands in `TEXT`, what is right in its place.
RIGHT = {"방법를": "방법을", "자료을": "자료를", "code에서": "code 에서"}


def mended(text: str) -> str:
    for wrong, right in RIGHT.items():
        text = text.replace(wrong, right)
    return text


@pytest.fixture
def digest(tmp_path: Path) -> Path:
    path = tmp_path / "2024-01-02.md"
    path.write_text(TEXT)
    return path


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    path = tmp_path / "papers.jsonl"
    rows = [{"arxiv_id": i, "title": "T", "abstract": a} for i, a in ABSTRACTS.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_findings_are_grouped_by_paper_with_their_place(
    run: Run, digest: Path, papers: Path
) -> None:
    ended = run("check", digest, "--papers", papers, "--only", CHECKS)
    assert ended.code == 1
    assert ended.out.startswith(f"{digest}\n  2401.00001 A Method\n    line 9: error: ")
    assert "2401.00002" not in ended.out
    assert "    line 9: error: " in ended.out
    assert "    line 10: error: " in ended.out
    assert "    line 12: error: " in ended.out
    assert "        point:   이 논문은 방법⟦를⟧ 제안합니다." in ended.out
    assert "taken to be written from the abstract. Say otherwise with --basis" in ended.err


def test_without_abstracts_it_says_what_it_cannot_check(run: Run, digest: Path) -> None:
    ended = run("check", digest)
    assert "the abstracts of its papers are not known" in ended.err
    assert {f["check"] for f in json.loads(run("check", digest, "--json").out)} == {"josa"}


def test_fixing_changes_only_the_lines_it_mends(run: Run, digest: Path, papers: Path) -> None:
    ended = run("check", digest, "--papers", papers, "--only", CHECKS, "--fix")
    assert ended.code == 0
    assert "3 findings mended" in ended.err
    assert digest.read_text() == mended(TEXT)


@pytest.mark.parametrize("drift", ["\r\n", "irregular"])
def test_every_other_byte_stays_in_a_drifted_file(
    drift: str, run: Run, digest: Path, papers: Path
) -> None:
    def drifted(text: str) -> bytes:
        if drift == "\r\n":
            return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
        return text.replace("Vote: 3\n\n", "").replace("\n- ", "\n* ").encode()

    digest.write_bytes(drifted(TEXT))
    run("check", digest, "--papers", papers, "--only", CHECKS, "--fix")
    assert digest.read_bytes() == drifted(mended(TEXT))


def test_json_digests_are_mended_too(run: Run, tmp_path: Path, papers: Path) -> None:
    path = tmp_path / "2024-01-02.json"
    path.write_text(render_json(parse_markdown(TEXT)))
    ended = run("check", path, "--papers", papers, "--only", CHECKS, "--fix")
    assert ended.code == 0, ended.out
    assert "방법을 제안" in path.read_text()
    assert "자료를" in path.read_text()


def test_an_archive_is_adopted_and_only_new_faults_fail(
    run: Run, digest: Path, papers: Path, tmp_path: Path
) -> None:
    accepted = tmp_path / "accepted.jsonl"
    check = ["check", digest, "--papers", papers, "--only", CHECKS, "--accept", accepted]
    first = run(*check)
    assert first.code == 0
    assert "3 accepted" in first.out
    lines = [json.loads(line) for line in accepted.read_text().splitlines()]
    assert {line["check"] for line in lines} == {"josa", "links"}
    assert run(*check).code == 0

    digest.write_text(TEXT.replace("다른 방법을", "다른 방법를"))
    fresh = run(*check)
    assert fresh.code == 1
    assert "1 error, 0 warnings" in fresh.out
    assert run(*check, "--reason", "known since 2024").code == 0
    assert "known since 2024" in accepted.read_text()

    digest.write_text(TEXT)
    after = run(*check)
    assert after.code == 0
    assert "nothing needs this any more: 2401.00002 josa" in after.err


def test_an_acceptance_is_read_back_whatever_its_reason_says(
    run: Run, digest: Path, papers: Path, tmp_path: Path
) -> None:
    accepted = tmp_path / "accepted.jsonl"
    check = ["check", digest, "--papers", papers, "--only", CHECKS, "--accept", accepted]
    assert run(*check, "--reason", "as it was\u2028in print\x85").code == 0
    accepted.write_bytes(b"\xef\xbb\xbf" + accepted.read_bytes().replace(b"\n", b"\r\n"))
    again = run(*check)
    assert (again.code, "3 accepted" in again.out) == (0, True)


def test_an_acceptance_may_expire(run: Run, digest: Path, papers: Path, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.jsonl"
    check = ["check", digest, "--papers", papers, "--only", CHECKS, "--accept", accepted]
    run(*check)
    lines = [
        json.loads(line) | {"expires": "2025-01-01"} for line in accepted.read_text().splitlines()
    ]
    accepted.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(*check).code == 1


def test_an_acceptance_holds_on_its_last_day() -> None:
    day = dt.date(2025, 1, 1)
    one = Accepted(check="josa", about="", reason="", date=day, expires=day)
    assert one.is_valid(day)
    assert not one.is_valid(day + dt.timedelta(days=1))


def test_a_broken_acceptance_is_named_with_its_line(run: Run, digest: Path, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.jsonl"
    accepted.write_text('\n{"check": "josa"}\n')
    ended = run("check", digest, "--accept", accepted)
    assert ended.code == 2
    assert f"{accepted}:2: " in ended.err
    assert accepted.read_text() == '\n{"check": "josa"}\n'


def test_sarif_names_files_as_uris(run: Run, digest: Path, papers: Path, tmp_path: Path) -> None:
    sarif, moved = tmp_path / "findings.sarif", tmp_path / "1월 #2\udcff.md"
    digest.rename(moved)
    run("check", moved, "--papers", papers, "--only", CHECKS, "--sarif", sarif)
    result = json.loads(sarif.read_text())["runs"][0]["results"][0]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.endswith("/1%EC%9B%94%20%232%FF.md")


def test_sarif_names_the_lines_and_carries_suppressions(
    run: Run, digest: Path, papers: Path, tmp_path: Path
) -> None:
    accepted, sarif = tmp_path / "accepted.jsonl", tmp_path / "findings.sarif"
    check = ["check", digest, "--papers", papers, "--only", CHECKS]
    run(*check, "--accept", accepted)
    digest.write_text(TEXT.replace("다른 방법을", "다른 방법를"))
    run(*check, "--accept", accepted, "--sarif", sarif)
    (log,) = json.loads(sarif.read_text())["runs"]
    results = {
        r["locations"][0]["physicalLocation"]["region"]["startLine"]: r for r in log["results"]
    }
    assert sorted(results) == [9, 10, 12, 21]
    assert [line for line, result in results.items() if "suppressions" in result] == [9, 10, 12]
    assert {rule["id"] for rule in log["tool"]["driver"]["rules"]} == {"josa", "links"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "jossa"], "Did you mean 'josa'"),
        (["--reason", "because"], "Add --accept FILE"),
        (["--accept", "a.jsonl", "--reason", "\udcc0"], "this is not UTF-8"),
        (["--papers", "none.jsonl"], "none.jsonl"),
    ],
)
def test_wrong_use_is_told(arguments: list[str], said: str, run: Run, digest: Path) -> None:
    ended = run("check", digest, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert digest.read_text() == TEXT


def test_a_folder_that_may_not_be_looked_into_is_told(run: Run, unprivileged: Path) -> None:
    digest = unprivileged / "2024-01-02.md"
    digest.write_text(TEXT)
    locked = unprivileged / "locked"
    locked.mkdir(mode=0)
    ended = run("check", digest, "--accept", locked / "accepted.jsonl")
    assert (ended.code, ended.out) == (2, "")
    assert "accepted.jsonl: the file cannot be read: permission denied" in ended.err


def test_of_two_entries_with_one_id_each_is_mended_by_its_own(
    run: Run, digest: Path, papers: Path
) -> None:
    second = "### [Another](https://arxiv.org/abs/2401.00002)"
    twice = TEXT.replace(second, second.replace("00002", "00001"))
    digest.write_text(twice)
    run("check", digest, "--papers", papers, "--only", CHECKS, "--fix")
    assert digest.read_text() == mended(twice)


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_line_ends_of_every_kind_stay(end: str, run: Run, digest: Path, papers: Path) -> None:
    digest.write_bytes(TEXT.replace("\n", end).encode())
    run("check", digest, "--papers", papers, "--only", CHECKS, "--fix")
    assert digest.read_bytes() == mended(TEXT).replace("\n", end).encode()


def test_fixing_json_adds_no_abstracts(run: Run, tmp_path: Path, papers: Path) -> None:
    path = tmp_path / "2024-01-02.json"
    path.write_text(render_json(parse_markdown(TEXT)))
    run("check", path, "--papers", papers, "--only", CHECKS, "--fix")
    assert "We present" not in path.read_text()


def test_what_did_not_run_makes_no_acceptance_stale(
    run: Run, digest: Path, papers: Path, tmp_path: Path
) -> None:
    accepted = tmp_path / "accepted.jsonl"
    run("check", digest, "--papers", papers, "--only", CHECKS, "--accept", accepted)
    ended = run("check", digest, "--papers", papers, "--only", "text", "--accept", accepted)
    assert "nothing needs this" not in ended.err
    assert "nothing needs this" not in run("check", digest, "--accept", accepted).err


def test_an_expired_acceptance_can_be_renewed(
    run: Run, digest: Path, papers: Path, tmp_path: Path
) -> None:
    accepted = tmp_path / "accepted.jsonl"
    check = ["check", digest, "--papers", papers, "--only", CHECKS, "--accept", accepted]
    run(*check)
    old = [
        json.loads(line) | {"expires": "2025-01-01"} for line in accepted.read_text().splitlines()
    ]
    accepted.write_text("".join(json.dumps(line) + "\n" for line in old))
    assert run(*check, "--reason", "again").code == 0
    assert run(*check).code == 0


@pytest.mark.parametrize("reason", [[], ["--reason", "known"]])
def test_what_can_be_mended_is_not_accepted_instead(
    reason: list[str], run: Run, digest: Path, papers: Path, tmp_path: Path
) -> None:
    accepted = tmp_path / "a.jsonl"
    check = ["check", digest, "--papers", papers, "--only", CHECKS, "--accept", accepted]
    ended = run(*check, *reason, "--fix")
    assert "3 findings mended" in ended.err
    assert accepted.read_text() == ""


def test_accepted_findings_are_not_mended(
    run: Run, digest: Path, papers: Path, tmp_path: Path
) -> None:
    check = ["check", digest, "--papers", papers, "--only", CHECKS]
    run(*check, "--accept", tmp_path / "a.jsonl")
    run(*check, "--accept", tmp_path / "a.jsonl", "--fix")
    assert digest.read_text() == TEXT


def test_special_files_are_refused_and_stay(run: Run, digest: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.md"
    os.mkfifo(pipe)
    assert "a pipe" in run("check", pipe).err
    assert run("check", digest, "--sarif", pipe).code == 2
    assert pipe.is_fifo()


def test_an_empty_list_of_checks_is_no_gate_passed(run: Run, digest: Path) -> None:
    assert run("check", digest, "--only", "").code == 2
