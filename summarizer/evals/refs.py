"""Files as they are at a git ref, so that a change cannot loosen the gate that judges it."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

from summarizer.errors import InputError


def at_ref(path: Path, ref: str) -> bytes:
    """What a file holds at a ref; a reader like `Path.read_bytes`, but not of the working tree.

    Args:
        path: The file, in a git repository; it need not exist now.
        ref: A branch, a tag or a commit: `origin/main`.

    Raises:
        InputError: There is no git, no repository or no such ref.
        FileNotFoundError: There is no such file at the ref.
    """
    folder, thing = _at(path, ref)
    data = _git(folder, "cat-file", "blob", thing)
    if data is None:
        raise FileNotFoundError(errno.ENOENT, f"there is no such file at {ref}", str(path))
    return data


def names_at(folder: Path, ref: str, *, suffix: str) -> list[str]:
    """The names of a folder's files at a ref, without their suffix; none where it has no folder.

    Raises:
        InputError: As for `at_ref`.
    """
    inside, thing = _at(folder, ref)
    listed = _git(inside, "ls-tree", "--name-only", "-z", thing) or b""
    names = map(os.fsdecode, listed.split(b"\0"))
    return [name.removesuffix(suffix) for name in names if name.endswith(suffix)]


def _at(path: Path, ref: str) -> tuple[Path, str]:
    """A folder of the repository, and what git calls a path at a ref."""
    path = Path(os.path.normpath(path.absolute()))
    folder = next(parent for parent in path.parents if parent.is_dir())
    inside = _git(folder, "rev-parse", "--show-prefix")
    if inside is None:
        raise InputError(
            f"{folder} is in no git repository that git will read",
            hint="A ref needs one; `git status` there says more",
        )
    # What the ref means is settled first: a commit's hash can be no option, and no path.
    commit = ref.isprintable() and _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
    )
    if not commit:
        raise InputError(
            f"there is no git ref {ref!r}",
            hint="Fetch it first; a shallow clone holds one branch only",
        )
    name = _line(inside) + path.relative_to(folder).as_posix()
    return folder, f"{_line(commit)}:{name}"


def _line(output: bytes) -> str:
    return os.fsdecode(output.removesuffix(b"\n"))


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints; None where it fails."""
    try:
        done = subprocess.run(  # noqa: S603  (no shell, and the ref stands behind --end-of-options)
            ["git", "-C", str(folder), *arguments],  # noqa: S607  (git is where the user has it)
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError:
        raise InputError("git is not installed, so no ref can be read") from None
    return done.stdout if done.returncode == 0 else None
