"""Files of the user's: read with care, replaced whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.disk import read_text, try_folder, write_files, write_lines
from summarizer.errors import DiskError, InputError
from tests.disks import file_size_limit


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Reading


@given(st.text().filter(lambda text: "\0" not in text))
def test_text_is_read_as_it_is(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(text.encode())
        assert read_text(path) == text


@given(st.binary())
def test_any_bytes_are_text_or_an_input_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(data)
        with suppress(InputError):
            assert read_text(path).encode() == data


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        (b"one\ntwo \xed\xa0\x80\n", r"byte 8 of the file \(0xed\) is not UTF-8", 2),
        ("가나".encode("euc-kr"), r"byte 0 of the file \(0xb0\) is not UTF-8", 1),
        ("가나\n".encode("utf-16"), "not a text file: it holds a NUL byte", 1),
        (b"\x89PNG\r\n\x1a\n\0\0", "not a text file", 3),
    ],
)
def test_what_is_no_utf_8_text_is_named_with_its_place(
    tmp_path: Path, data: bytes, message: str, line: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        read_text(path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert "UTF-8" in str(caught.value.hint)


def test_what_cannot_be_read_is_said(tmp_path: Path, unprivileged: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_text(unprivileged / "missing")
    with pytest.raises(InputError, match="a folder, not a file"):
        read_text(unprivileged)
    with pytest.raises(InputError, match="cannot be read: file name too long"):
        read_text(unprivileged / ("x" * 1000))
    secret = unprivileged / "secret"
    secret.touch(mode=0)
    with pytest.raises(InputError, match="cannot be read: permission denied"):
        read_text(secret)


# Writing


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    assert write_files({path: "가\r\n나"}) == (path,)
    assert path.read_bytes() == "가\r\n나".encode()
    assert names(path.parent) == ["file"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_decides_who_may_read(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_files({tmp_path / "file": "text"})
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("mode", [0o664, 0o600])
def test_who_may_read_and_write_a_file_stays_as_it_was(tmp_path: Path, mode: int) -> None:
    text, lines = tmp_path / "text", tmp_path / "lines"
    for path in (text, lines):
        path.touch()
        path.chmod(mode)
    write_files({text: "new"})
    write_lines(lines, ["new\n"])
    assert [path.stat().st_mode & 0o777 for path in (text, lines)] == [mode, mode]


def test_a_file_that_holds_its_text_is_not_touched(tmp_path: Path) -> None:
    same, other = tmp_path / "same", tmp_path / "other"
    write_files({same: "text", other: "old"})
    os.utime(same, ns=(1, 1))
    assert write_files({same: "text", other: "new"}) == (other,)
    assert same.stat().st_mtime_ns == 1
    assert other.read_text() == "new"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/file")
    write_files({tmp_path / "link": "new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "file").read_text() == "new"
    assert names(tmp_path / "folder") == ["file"]


def test_lines_are_written_as_they_come_and_take_their_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    (tmp_path / "new").mkdir()
    path.write_text("old")

    def lines():
        for number in range(3):
            assert path.read_text() == "old"
            yield f"가 {number}\n"

    write_lines(path, lines())
    assert path.read_text() == "가 0\n가 1\n가 2\n"
    write_lines(tmp_path / "other" / "file", [])
    assert (tmp_path / "other" / "file").read_bytes() == b""
    assert names(path.parent) == ["file"]


def test_lines_that_fail_leave_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines():
        yield "new\n"
        raise InputError("there is no more")

    (tmp_path / "file").write_text("old")
    with pytest.raises(InputError, match="no more"):
        write_lines(tmp_path / "file", lines())
    monkeypatch.setattr(os, "fsync", failing(1))
    with pytest.raises(DiskError, match="could not be written: no space left on device"):
        write_lines(tmp_path / "file", ["new"])
    with pytest.raises(InputError, match="no file to write to"):
        write_lines(tmp_path, ["new"])
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def failing(number: int):
    """A function that fails as a full disk does when it is called for the nth time."""
    calls = 0

    def fail(*arguments: object, **options: object) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            raise OSError(28, "No space left on device")

    return fail


@pytest.mark.parametrize("number", [1, 2])
def test_a_disk_that_is_full_changes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write_files({tmp_path / "a": "old", tmp_path / "b": "old"})
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises(DiskError, match="could not be written: no space left on device") as caught:
        write_files({tmp_path / "a": "new", tmp_path / "b": "new"})
    assert caught.value.path == tmp_path / "ab"[number - 1]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old", "b": "old"}


def test_a_file_that_may_not_grow_changes_no_file(tmp_path: Path) -> None:
    write_files({tmp_path / "a": "old"})
    with (
        file_size_limit(1000),
        pytest.raises(DiskError, match="could not be written: file too large"),
    ):
        write_files({tmp_path / "a": "new", tmp_path / "b": "x" * 2000})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


def test_a_file_that_cannot_be_replaced_is_named_and_every_file_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files({tmp_path / "a": "old", tmp_path / "b": "old"})
    replace = Path.replace

    def fail(path: Path, target: Path) -> Path:
        if target.name == "b":
            raise PermissionError(13, "Permission denied")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(DiskError, match="permission denied") as caught:
        write_files({tmp_path / "a": "new", tmp_path / "b": "new"})
    assert caught.value.path == tmp_path / "b"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "new", "b": "old"}


def test_an_interruption_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_files({tmp_path / "a": "new"})
    assert names(tmp_path) == []


def test_a_place_that_cannot_be_written_is_said(unprivileged: Path) -> None:
    (unprivileged / "file").write_text("mine")
    with pytest.raises(DiskError, match=r"not a directory|file exists"):
        write_files({unprivileged / "file" / "a": "new"})
    assert (unprivileged / "file").read_text() == "mine"
    (unprivileged / "folder").mkdir()
    with pytest.raises(InputError, match="a folder is no file"):
        write_files({unprivileged / "folder": "new"})
    (unprivileged / "folder").chmod(0o500)
    with pytest.raises(DiskError, match="permission denied") as caught:
        write_files({unprivileged / "folder" / "a": "new"})
    assert caught.value.exit_code == 3
    with pytest.raises(DiskError, match="permission denied"):
        write_files({unprivileged / "folder" / "new" / "a": "new"})
    for folder in (unprivileged / "folder", unprivileged / "folder" / "new"):
        with pytest.raises(DiskError, match="cannot be written to: permission denied"):
            try_folder(folder)
    assert names(unprivileged / "folder") == []


def test_what_a_killed_run_has_left_is_removed_and_what_others_write_now_is_not(
    tmp_path: Path,
) -> None:
    left = [".file.0123abcd.tmp", ".other.0123abcd.tmp", ".file.old.tmp", "file.0123abcd.tmp"]
    for name in left:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ns=(1, 1))
    (tmp_path / ".file.4567cdef.tmp").touch()
    write_files({tmp_path / "file": "text"})
    assert names(tmp_path) == sorted([".file.4567cdef.tmp", "file", *left[1:]])
