"""Commands whose streams are closed, cut off or full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from summarizer import load_prompt

SAMPLE = f"{sys.executable} -m summarizer digest --sample"


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    whole = f"set -o pipefail; {command}"
    return subprocess.run(
        ["bash", "-c", whole], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("more", ["", "--dry-run", "--json"])
def test_closed_streams_are_no_obstacle(closed: str, more: str, tmp_path: Path) -> None:
    ended = shell(f"{SAMPLE} {more} {closed}", tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "digests" / "2024-01-12.md").exists() is (more != "--dry-run")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["--version", "schema", "prompts list", "digest --sample"])
def test_a_reader_that_has_seen_enough_is_no_error(
    command: str, unbuffered: str, tmp_path: Path
) -> None:
    program = f"PYTHONUNBUFFERED={unbuffered} {sys.executable} -m summarizer"
    ended = shell(f"{program} {command} | true", tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_model_class_that_leaves_the_program_is_no_reader_that_has_seen_enough(
    tmp_path: Path,
) -> None:
    (tmp_path / "leaver.py").write_text("raise SystemExit('no licence')\n")
    ended = shell(f"PYTHONPATH=. {SAMPLE} --model langchain:leaver:Chat", tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "no licence\n")


def test_the_beginning_of_a_document_can_be_read_alone(tmp_path: Path) -> None:
    ended = shell(f"{SAMPLE} --json | head -c 1", tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "{", "")


# Blocks of a kilobyte: enough for all files of a day. One that is larger already may not grow,
# which is told as a full disk is, on every POSIX system.
LIMITED = "ulimit -f 8192;"


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A file that may not grow any more."""
    path = tmp_path / "full"
    path.touch()
    os.truncate(path, 16 * 2**20)
    return path


def test_a_full_disk_under_stdout_is_said(tmp_path: Path, full: Path) -> None:
    ended = shell(f"{LIMITED} {SAMPLE} >>{full}", tmp_path)
    assert ended.returncode == 3
    assert ended.stderr.endswith("Error: what is printed could not be written: File too large\n")
    assert (tmp_path / "digests" / "2024-01-12.md").exists()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_fills_under_stdout_is_said(unbuffered: str, tmp_path: Path) -> None:
    # A file that may not grow: the shell's limit is told like a full disk, on every POSIX system.
    program = f"PYTHONUNBUFFERED={unbuffered} {sys.executable} -m summarizer"
    ended = shell(f"ulimit -f 1; {program} schema > printed", tmp_path)
    assert ended.returncode == 3
    assert ended.stderr.startswith("Error: what is printed could not be written")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("command", "code"), [("check nowhere.md", 2), ("chekc", 2), ("digest --sample --limit 1", 0)]
)
def test_a_full_disk_under_stderr_changes_no_exit_code(
    command: str, code: int, unbuffered: str, tmp_path: Path, full: Path
) -> None:
    program = f"PYTHONUNBUFFERED={unbuffered} {sys.executable} -m summarizer"
    assert shell(f"{LIMITED} {program} {command} 2>>{full}", tmp_path).returncode == code
    assert full.stat().st_size == 16 * 2**20


@pytest.mark.parametrize("command", ["prompts show digest-ko", "prompts show digest-ko --json"])
def test_what_is_for_programs_is_utf8_whatever_the_encoding(command: str, tmp_path: Path) -> None:
    program = f"PYTHONIOENCODING=cp949 {sys.executable} -m summarizer"
    ended = shell(f"{program} {command} > printed", tmp_path)
    assert ended.returncode == 0
    printed = (tmp_path / "printed").read_text(encoding="utf-8")
    text = load_prompt("digest-ko").path.read_text(encoding="utf-8")
    assert json.loads(printed)["name"] == "digest-ko" if "--json" in command else printed == text


def test_json_sends_no_control_to_a_terminal_and_still_holds_all(tmp_path: Path) -> None:
    folder = "\x9b2J\u202e"
    ended = shell(f"{SAMPLE} --json --out {folder}", tmp_path)
    assert not {"\x9b", "\u202e"} & set(ended.stdout)
    assert json.loads(ended.stdout)["files"][0] == f"{folder}/2024-01-12.md"


def test_bash_completes_what_the_readme_says_it_does(tmp_path: Path) -> None:
    bin_ = Path(sys.executable).parent
    ended = shell(
        f'PATH={bin_}:$PATH; eval "$(_SUMMARIZER_COMPLETE=bash_source summarizer)"; '
        "COMP_WORDS=(summarizer che) COMP_CWORD=1; _summarizer_completion summarizer; "
        'echo "${COMPREPLY[@]}"',
        tmp_path,
    )
    assert (ended.returncode, ended.stdout) == (0, "check\n")
