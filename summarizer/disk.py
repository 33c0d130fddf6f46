"""Text files of the user's: read with care, and replaced whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from stat import S_IMODE
from typing import TYPE_CHECKING

from summarizer.errors import DiskError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


_STALE = 60.0
"""Seconds after which an unfinished file is nobody's any more; it takes its place in moments."""


def read_text(path: Path) -> str:
    """Read a UTF-8 file as it is: line ends and a byte order mark are kept.

    Raises:
        InputError: There is no such file, it cannot be read, or it is not UTF-8 text.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError("this is a device or a pipe, not a file", path=path)
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no such file", path=path) from None
    except IsADirectoryError:
        raise InputError("this is a folder, not a file", path=path) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {system_reason(error)}", path=path) from error
    if b"\0" in data:
        raise InputError(
            "this is not a text file: it holds a NUL byte",
            hint="If it is text, save it as UTF-8",
            path=path,
            line=data.count(b"\n", 0, data.index(b"\0")) + 1,
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} of the file (0x{data[error.start]:02x}) is not UTF-8",
            hint="Save the file as UTF-8",
            path=path,
            line=data.count(b"\n", 0, error.start) + 1,
        ) from error


def write_files(texts: Mapping[Path, str]) -> tuple[Path, ...]:
    """Replace files as UTF-8, each whole or not at all; missing folders are made.

    All of them are written beside their places and flushed before the first takes its place, so
    that a full disk changes none. A file that holds its text already is not touched. What a run
    that was killed has left beside one of the files is removed.

    Returns:
        The files that changed.

    Raises:
        InputError: A path names something that is there and no file.
        DiskError: A file could not be written; it is what it was before.
    """
    staged: dict[Path, Path] = {}
    path: Path | None = None
    try:
        for path, text in texts.items():
            if path.exists() and not path.is_file():
                raise InputError("a device, a pipe or a folder is no file to write to", path=path)
            data = text.encode()
            if not _holds(path, data):
                path.parent.mkdir(parents=True, exist_ok=True)
                place = path.resolve()  # a link stays one
                staged[path] = place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")
                _create(staged[path], [data])
        for path, temporary in staged.items():
            _remove_stale(temporary)
            _take_place(temporary, path.resolve())
        for folder in {temporary.parent for temporary in staged.values()}:
            _flush(folder)
    except OSError as error:
        raise _unwritten(error, path) from error
    finally:
        for temporary in staged.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    return tuple(staged)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Replace a file by lines that are written as they come, whole or not at all.

    Args:
        path: The file; missing folders are made.
        lines: Each with its line end. What they raise leaves the file as it was.

    Raises:
        InputError: The path names something that is there and no file.
        DiskError: The file could not be written; it is what it was before.
    """
    place = path.resolve()  # a link stays one
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")
    try:
        if path.exists() and not path.is_file():
            raise InputError("a device, a pipe or a folder is no file to write to", path=path)
        place.parent.mkdir(parents=True, exist_ok=True)
        _create(temporary, (line.encode() for line in lines))
        _take_place(temporary, place)
        _flush(place.parent)
    except OSError as error:
        raise _unwritten(error, path) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def try_folder(folder: Path) -> None:
    """Make a folder and write to it, leaving nothing behind.

    Raises:
        InputError: A file stands where the folder should be.
        DiskError: One of the two cannot be done.
    """
    probe = folder / f".{secrets.token_hex(4)}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except (FileExistsError, NotADirectoryError):
        raise InputError("a file stands in the place of this folder", path=folder) from None
    except OSError as error:
        raise DiskError(
            f"the folder cannot be written to: {system_reason(error)}", path=folder
        ) from error


def _unwritten(error: OSError, path: Path | None) -> DiskError:
    return DiskError(
        f"the file could not be written: {system_reason(error)}",
        hint="What was there before is unchanged",
        path=path,
    )


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _create(path: Path, parts: Iterable[bytes]) -> None:
    # tempfile would make it private; like this the umask decides.
    with path.open("xb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def _take_place(temporary: Path, place: Path) -> None:
    with suppress(OSError):  # it is new, or on a disk that has no modes
        temporary.chmod(S_IMODE(place.stat().st_mode))
    temporary.replace(place)


def _remove_stale(temporary: Path) -> None:
    """Remove older unfinished copies of the same file; those of other runs at work are newer."""
    place, dot, _ = temporary.stem.rpartition(".")
    with suppress(OSError):
        now = temporary.stat().st_mtime  # the disk's clock, which need not be ours
        for name in os.listdir(temporary.parent):  # noqa: PTH208 - for one name among thousands
            if len(name) == len(temporary.name) and name.startswith(place + dot):
                other = temporary.with_name(name)
                if other.suffix == temporary.suffix and now - other.stat().st_mtime > _STALE:
                    other.unlink()


def _flush(folder: Path) -> None:
    """Make new names outlast a power cut, where the system has a call for it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def system_reason(error: OSError) -> str:
    """What the system says, fit for the end of a sentence: `permission denied`."""
    return (error.strerror or str(error)).lower()
