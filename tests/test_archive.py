"""An archive: a worse digest never stands where a better one did."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from summarizer.archive import (
    Account,
    account,
    days,
    is_whole,
    prepare,
    read_day,
    read_partial,
    write_day,
)
from summarizer.digest import Digest, Entry, Paper, Provenance, Summary
from summarizer.errors import DiskError, InputError
from tests.disks import files

DAY = dt.date(2024, 1, 12)
SHARED = Path(__file__).parents[2] / "shared"


def ok(number: int, *points: str) -> Entry:
    return Entry(
        paper=Paper(arxiv_id=f"2401.{number:05}", title=f"Paper {number}", authors=("A. Author",)),
        summary=Summary(points=points or ("요점이다.",)),
    )


def failed(number: int, reason: str = "the answer was empty") -> Entry:
    return Entry(
        paper=Paper(arxiv_id=f"2401.{number:05}", title=f"Paper {number}"),
        status="failed",
        cause="findings",
        reason=reason,
    )


def day(*entries: Entry) -> Digest:
    return Digest(date=DAY, entries=entries)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Writing a day


def test_a_day_is_written_and_read(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    written = write_day(folder, day(ok(1), ok(2)))
    assert written.paths == (folder / "2024-01-12.md", folder / "2024-01-12.json")
    assert written.changed == written.paths
    assert not written.partial
    assert names(folder) == ["2024-01-12.json", "2024-01-12.md"]
    assert read_day(folder, DAY) == day(ok(1), ok(2))
    assert [row.status for row in written.accounts] == ["new", "new"]


def test_only_the_formats_asked_for_are_written(tmp_path: Path) -> None:
    assert write_day(tmp_path, day(ok(1)), ("md",)).paths == (tmp_path / "2024-01-12.md",)
    assert names(tmp_path) == ["2024-01-12.md"]
    read = read_day(tmp_path, DAY)
    assert read
    assert read.entries[0].summary == ok(1).summary


def test_the_same_day_again_touches_nothing(tmp_path: Path) -> None:
    for path in write_day(tmp_path, day(ok(1))).paths:
        os.utime(path, ns=(1, 1))
    written = write_day(tmp_path, day(ok(1)))
    assert written.changed == ()
    assert [path.stat().st_mtime_ns for path in written.paths] == [1, 1]
    assert [row.status for row in written.accounts] == ["kept"]


def test_a_day_with_failures_is_written_beside_the_standing_one(tmp_path: Path) -> None:
    write_day(tmp_path, day(ok(1), ok(2)))
    standing = files(tmp_path)
    written = write_day(tmp_path, day(ok(1, "더 나은 요점이다."), failed(2)))
    assert written.partial
    assert written.lost == ()
    assert [path.name for path in written.paths] == [
        "2024-01-12.partial.md",
        "2024-01-12.partial.json",
    ]
    assert files(tmp_path).items() >= standing.items()
    assert "Paper 2" not in (tmp_path / "2024-01-12.partial.md").read_text()
    assert "the answer was empty" in (tmp_path / "2024-01-12.partial.json").read_text()
    assert read_day(tmp_path, DAY) == day(ok(1), ok(2))


def test_a_first_day_with_failures_takes_no_whole_day_s_name(tmp_path: Path) -> None:
    write_day(tmp_path, day(failed(1)))
    assert names(tmp_path) == ["2024-01-12.partial.json", "2024-01-12.partial.md"]
    assert "Paper 1" not in (tmp_path / "2024-01-12.partial.md").read_text()
    assert read_day(tmp_path, DAY) is None
    assert days(tmp_path) == []


def test_a_day_that_became_whole_leaves_no_partial_files(tmp_path: Path) -> None:
    write_day(tmp_path, day(ok(1), failed(2)))
    assert not write_day(tmp_path, day(ok(1), ok(2)), ("md",)).partial
    assert names(tmp_path) == ["2024-01-12.md"]


def test_partial_files_that_an_interruption_left_are_removed_later(tmp_path: Path) -> None:
    write_day(tmp_path, day(ok(1)))
    (tmp_path / "2024-01-12.partial.md").touch()
    assert write_day(tmp_path, day(ok(1))).changed == ()
    assert names(tmp_path) == ["2024-01-12.json", "2024-01-12.md"]


@pytest.mark.parametrize("standing", [("md",), ("json",), ("md", "json")])
def test_a_digest_that_lacks_published_papers_is_worse(
    tmp_path: Path, standing: tuple[str, ...]
) -> None:
    write_day(tmp_path, day(ok(1), ok(2), ok(3)), standing)
    before = files(tmp_path)
    written = write_day(tmp_path, day(ok(2), ok(4)))
    assert written.partial
    assert written.lost == ("2401.00001", "2401.00003")
    assert files(tmp_path).items() >= before.items()


def test_papers_of_either_standing_format_count(tmp_path: Path) -> None:
    write_day(tmp_path, day(ok(1)), ("json",))
    write_day(tmp_path, day(ok(1), ok(2)), ("md",))
    assert write_day(tmp_path, day(ok(1), ok(3))).lost == ("2401.00002",)


def test_a_summary_that_lost_its_points_is_worse(tmp_path: Path) -> None:
    write_day(tmp_path, day(ok(1)), ("json",))
    empty = Entry(paper=ok(1).paper, summary=Summary())
    assert write_day(tmp_path, day(empty), ("json",)).lost == ("2401.00001",)


def test_a_digest_without_entries_is_not_written(tmp_path: Path) -> None:
    assert write_day(tmp_path, day()).paths == ()
    assert names(tmp_path) == []
    write_day(tmp_path, day(ok(1)))
    assert write_day(tmp_path, day()).lost == ("2401.00001",)
    assert names(tmp_path) == ["2024-01-12.json", "2024-01-12.md"]


@pytest.mark.parametrize("name", ["2024-01-12.md", "2024-01-12.json"])
@pytest.mark.parametrize("content", [b"my notes\n", b"", b"\xff\xfe\0", b'{"date": 3}'])
def test_a_file_that_is_no_digest_is_not_overwritten(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}.*cannot be read as one.*Move it away") as caught:
        write_day(tmp_path, day(ok(1)))
    assert caught.value.path == tmp_path / name
    with pytest.raises(InputError, match="cannot be read as one"):
        prepare(tmp_path, DAY)
    with pytest.raises(InputError, match="cannot be read as one"):
        read_day(tmp_path, DAY)
    assert files(tmp_path) == {name: content}


def test_a_folder_in_a_digest_s_place_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "2024-01-12.json").mkdir()
    with pytest.raises(InputError, match="a folder, not a file"):
        write_day(tmp_path, day(ok(1)))
    assert names(tmp_path) == ["2024-01-12.json"]


def test_a_full_disk_leaves_the_archive_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_day(tmp_path, day(ok(1)))
    before = files(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for worse_or_better in (day(ok(1), ok(2)), day(failed(1))):
        with pytest.raises(DiskError, match="no space left on device") as caught:
            write_day(tmp_path, worse_or_better)
        assert caught.value.exit_code == 3
        assert files(tmp_path) == before


def test_an_archive_that_cannot_be_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DiskError, match=r"not a directory|file exists"):
        write_day(tmp_path / "file", day(ok(1)))
    with pytest.raises(InputError, match="a file stands in the place of this folder"):
        prepare(tmp_path / "file", DAY)
    with pytest.raises(InputError, match="the folder cannot be read: not a directory"):
        days(tmp_path / "file")
    with pytest.raises(InputError, match="the folder cannot be read: no such file"):
        days(tmp_path / "missing")


def test_partial_files_that_cannot_be_removed_are_named(tmp_path: Path) -> None:
    (tmp_path / "2024-01-12.partial.md").mkdir()
    with pytest.raises(DiskError, match=r"2024-01-12\.partial\.md: the file could not be removed"):
        write_day(tmp_path, day(ok(1)))
    assert read_day(tmp_path, DAY) == day(ok(1))


def test_preparing_makes_the_folder_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    prepare(tmp_path / "new" / "folder", DAY)
    assert names(tmp_path / "new" / "folder") == []
    write_day(tmp_path / "archive", day(ok(1)))
    before = files(tmp_path / "archive")
    prepare(tmp_path / "archive", DAY)
    assert files(tmp_path / "archive") == before


# Reading


def test_days_are_those_that_are_whole(tmp_path: Path) -> None:
    for name in (
        "2024-05-29.md",
        "2024-01-12.json",
        "2024-01-12.md",
        "2024-01-13.partial.md",
        "2024-02-30.md",
        "20240114.md",
        "2024-01-15.md.bak",
        "2024-01-16",
        ".2024-01-17.md.0a1b2c3d.tmp",
        "README.md",
        "２０２４-01-18.md",
    ):
        (tmp_path / name).touch()
    assert days(tmp_path) == [DAY, dt.date(2024, 5, 29)]


def test_a_missing_day_is_none(tmp_path: Path) -> None:
    assert read_day(tmp_path, DAY) is None
    assert read_day(tmp_path / "missing", DAY) is None


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_a_published_day_is_read_and_guarded(tmp_path: Path) -> None:
    name = f"{DAY}.md"
    published = (SHARED / "seed" / name).read_bytes()
    (tmp_path / name).write_bytes(published)
    digest = read_day(tmp_path, DAY)
    assert digest
    assert len(digest.entries) == 18
    assert write_day(tmp_path, digest, ("md",)).changed == ()
    fewer = digest.model_copy(update={"entries": digest.entries[:-1]})
    assert write_day(tmp_path, fewer).lost == (digest.entries[-1].paper.arxiv_id,)
    assert (tmp_path / name).read_bytes() == published


# Accounting


def test_every_paper_is_accounted_for() -> None:
    before = day(ok(1), ok(2), ok(3), ok(6), failed(7), failed(8))
    after = day(ok(5), ok(2, "다른 요점이다."), failed(3, "no answer"), ok(1), failed(4), ok(7))
    assert [(row.arxiv_id[-1], row.status, row.reason) for row in account(before, after)] == [
        ("5", "new", None),
        ("2", "changed", None),
        ("3", "failed", "no answer"),
        ("1", "kept", None),
        ("4", "failed", "the answer was empty"),
        ("7", "new", None),
        ("6", "lost", "it is no longer among the papers"),
    ]


def test_without_an_earlier_digest_all_papers_are_new() -> None:
    rows = account(None, day(ok(1), failed(2)))
    assert rows == (
        Account(arxiv_id="2401.00001", title="Paper 1", status="new"),
        Account(
            arxiv_id="2401.00002", title="Paper 2", status="failed", reason="the answer was empty"
        ),
    )


def test_facts_that_change_leave_a_summary_kept() -> None:
    later = ok(1).model_copy(update={"paper": ok(1).paper.model_copy(update={"votes": 9})})
    assert [row.status for row in account(day(ok(1)), day(later))] == ["kept"]


def by(prompt: str, entry: Entry) -> Entry:
    told = Provenance(prompt=prompt, prompt_hash=prompt, model="m", basis="abstract")
    return entry.model_copy(update={"provenance": told})


@pytest.mark.parametrize("formats", [("md", "json"), ("json",), ("md",)])
def test_a_better_partial_day_stands_before_a_worse_one(
    tmp_path: Path, formats: tuple[str, ...]
) -> None:
    better = [by("a", ok(1)), by("a", ok(2)), by("a", failed(3))]
    paths = write_day(tmp_path, day(*better), formats).paths
    standing = files(tmp_path)
    worse = [by("a", ok(1, "새 요점이다.")), by("a", failed(2)), by("a", ok(3))]
    written = write_day(tmp_path, day(*worse), formats)
    assert (written.partial, written.paths, written.changed) == (True, paths, ())
    assert [row.status for row in written.accounts] == ["new", "failed", "new"]
    assert files(tmp_path) == standing


def test_a_partial_day_gives_way_to_another_prompt_a_fuller_and_a_whole_one(
    tmp_path: Path,
) -> None:
    write_day(tmp_path, day(by("a", ok(1)), by("a", failed(2))))
    other = day(by("b", failed(1)), by("b", ok(2)))
    assert write_day(tmp_path, other).changed
    assert read_partial(tmp_path, DAY) == other
    skipping = day(by("b", failed(3)), by("b", ok(4)))
    assert not write_day(tmp_path, skipping).changed
    assert write_day(tmp_path, skipping, skipped={ok(2).paper.arxiv_id}).changed
    fuller = day(by("b", failed(3)), by("b", ok(4)), by("b", ok(5)))
    assert write_day(tmp_path, fuller).changed
    assert not write_day(tmp_path, day(by("b", ok(6)))).partial
    assert names(tmp_path) == ["2024-01-12.json", "2024-01-12.md"]


def test_a_damaged_partial_file_gives_way(tmp_path: Path) -> None:
    (tmp_path / "2024-01-12.partial.json").write_text("{")
    assert write_day(tmp_path, day(ok(1), failed(2))).changed


def test_markdown_that_says_more_than_the_json_beside_it_counts(tmp_path: Path) -> None:
    write_day(tmp_path, day(ok(1), ok(2)), ("md",))
    write_day(tmp_path / "new", day(ok(1)), ("json",))
    (tmp_path / "new" / "2024-01-12.json").rename(tmp_path / "2024-01-12.json")
    written = write_day(tmp_path, day(ok(1)))
    assert (written.partial, written.lost) == (True, (ok(2).paper.arxiv_id,))


def test_a_folder_that_cannot_be_read_is_said(unprivileged: Path) -> None:
    folder = unprivileged / "out"
    folder.mkdir()
    folder.chmod(0)
    with pytest.raises(InputError, match="the folder cannot be read: permission denied"):
        is_whole(folder, DAY)
    folder.chmod(0o700)
