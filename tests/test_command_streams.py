"""Commands whose streams are closed, cut off or full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    ended = shell(f"{SAMPLE} --json | head -c 1", tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "{", "")


# Only Linux has it, and CI, which runs there, refuses a skip for this reason.
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_stdout_is_said(tmp_path: Path) -> None:
    ended = shell(f"{SAMPLE} >/dev/full", tmp_path)
    assert ended.returncode == 3
    assert ended.stderr.endswith(
        "Error: what is printed could not be written: No space left on device\n"
    )
    assert (tmp_path / "digests" / "2024-01-12.md").exists()
