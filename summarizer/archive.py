"""An archive: a folder with one digest a day, in one or several formats.

`DATE.md` and `DATE.json` are a day that is whole; `DATE.partial.md` and `DATE.partial.json` lie
beside them as long as the last run for that day gave less.
"""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from summarizer.digest import Digest, Entry, Value
from summarizer.disk import read_text, system_reason, try_folder, write_files
from summarizer.errors import DiskError, InputError
from summarizer.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_FULLEST = "json"
"""The format that keeps all of a digest; Markdown drops abstracts and provenance."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Written:
    """Where a day lies now.

    Attributes:
        paths: The day's files, in the order of the formats asked for.
        changed: Those of them that were written; the others held the same bytes already.
        partial: Whether they are partial files, beside what was there.
        lost: Ids of papers that the standing digest publishes and the new one does not have.
        accounts: What became of each paper, held against the standing digest.
    """

    paths: tuple[Path, ...]
    changed: tuple[Path, ...]
    partial: bool
    lost: tuple[str, ...]
    accounts: tuple[Account, ...]


class Account(Value):
    """What became of one paper of a day.

    Attributes:
        status: Its summary is `"new"`, `"kept"` as it was, or `"changed"`; it `"failed"`; it is
            `"lost"`: the earlier digest publishes it and the later one does not have it; or it was
            `"skipped"` on purpose, since an earlier day has published it.
        reason: Why it failed, was lost or was skipped.
    """

    arxiv_id: str
    title: str
    status: Literal["new", "kept", "changed", "failed", "lost", "skipped"]
    reason: str | None = None


def days(folder: Path) -> list[dt.date]:
    """The days that a folder holds a whole digest of, earliest first.

    Raises:
        InputError: The folder cannot be read.
    """
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise _unreadable(folder, error) from error
    suffixes = {form.suffix for form in FORMATS.values()}
    found = set()
    for name in names:
        stem, dot, suffix = name.partition(".")
        if _DAY.fullmatch(stem) and dot + suffix in suffixes:
            with suppress(ValueError):
                found.add(dt.date.fromisoformat(stem))
    return sorted(found)


def read_day(folder: Path, date: dt.date) -> Digest | None:
    """Read a day's digest, from its fullest format; None where there is none.

    Raises:
        InputError: A file is there, and is no digest.
    """
    return next(_read(folder, date), None)


def read_partial(folder: Path, date: dt.date) -> Digest | None:
    """Read what the last run gave of a day that it could not make whole; None where it could.

    Failed entries are in it only where it was written in the fullest format, too.

    Raises:
        InputError: A file is there, and is no digest.
    """
    return next(_read(folder, date, infix=".partial"), None)


def is_whole(folder: Path, date: dt.date) -> bool:
    """Whether a day has a digest and no partial files; none of them is opened.

    Raises:
        InputError: The folder cannot be read.
    """
    suffixes = [form.suffix for form in FORMATS.values()]
    try:
        return any((folder / f"{date}{suffix}").exists() for suffix in suffixes) and not any(
            (folder / f"{date}.partial{suffix}").exists() for suffix in suffixes
        )
    except OSError as error:
        raise _unreadable(folder, error) from error


def prepare(folder: Path, date: dt.date) -> None:
    """Make sure that a day can be written, before anything is paid for.

    Raises:
        InputError: A file with the day's name is there, and is no digest; or one stands in the
            folder's place.
        DiskError: The folder cannot be made or written to.
    """
    for _ in _read(folder, date):
        pass
    try_folder(folder)


def write_day(
    folder: Path,
    digest: Digest,
    formats: Sequence[str] = ("md", "json"),
    *,
    skipped: Collection[str] = (),
) -> Written:
    """Write a day, and never a worse digest over a better one.

    A digest is whole when it has entries, none of them failed, and it publishes all that the
    standing one does. Then it takes its place, and partial files of that day are removed. If not,
    it is written as partial files, and the standing one stays as it is; so do partial files that
    publish more of what the same prompt has made. A digest without entries is not written.

    Args:
        skipped: Ids of papers that the day leaves out on purpose: they are not lost.

    Raises:
        InputError: A file of that name is there, and is no digest.
        DiskError: A file could not be written or removed.
    """
    texts = {name: FORMATS[name].render(digest) for name in formats if digest.entries}
    failed = any(entry.status == "failed" for entry in digest.entries)
    if not failed and _stands(folder, digest.date, texts):
        standing: tuple[Digest | None, ...] = (digest,)
    else:
        standing = tuple(_read(folder, digest.date)) or (None,)
    accounts = [
        tuple(row for row in account(before, digest) if row.arxiv_id not in skipped)
        for before in standing
    ]
    lost = dict.fromkeys(row.arxiv_id for rows in accounts for row in rows if row.status == "lost")
    partial = bool(lost or failed or not digest.entries)
    partials = [folder / f"{digest.date}.partial{form.suffix}" for form in FORMATS.values()]
    changed: tuple[Path, ...] = ()
    if partial and _gives_less(folder, digest, skipped):
        paths = tuple(path for path in partials if path.exists())
    else:
        infix = ".partial" if partial else ""
        files = {
            folder / f"{digest.date}{infix}{FORMATS[name].suffix}": texts[name] for name in texts
        }
        paths, changed = tuple(files), write_files(files)
    if not partial:
        for path in partials:
            _remove(path)
    return Written(
        paths=paths,
        changed=changed,
        partial=partial,
        lost=tuple(lost),
        accounts=accounts[0],
    )


def _gives_less(folder: Path, digest: Digest, skipped: Collection[str]) -> bool:
    """Whether the standing partial files publish papers by the same prompt that this one lacks."""
    try:
        standing = read_partial(folder, digest.date)
    except InputError:
        return False
    prompts = {entry.provenance.prompt_hash for entry in digest.entries if entry.provenance}
    there = {entry.paper.arxiv_id for entry in digest.entries if entry.status == "ok"}
    return standing is not None and any(
        entry.status == "ok"
        and entry.paper.arxiv_id not in there
        and entry.paper.arxiv_id not in skipped
        and (entry.provenance is None or entry.provenance.prompt_hash in prompts)
        for entry in standing.entries
    )


def account(before: Digest | None, after: Digest) -> tuple[Account, ...]:
    """Say of every paper what became of it, in the order of the later digest, lost ones last."""
    old = {
        entry.paper.arxiv_id: entry
        for entry in (before.entries if before else ())
        if entry.status == "ok"
    }
    rows = [_row(entry, old.get(entry.paper.arxiv_id)) for entry in after.entries]
    there = {row.arxiv_id for row in rows}
    gone = [entry.paper for entry in old.values() if entry.paper.arxiv_id not in there]
    return (
        *rows,
        *(
            Account(
                arxiv_id=paper.arxiv_id,
                title=paper.title,
                status="lost",
                reason="it is no longer among the papers",
            )
            for paper in gone
        ),
    )


def _row(entry: Entry, earlier: Entry | None) -> Account:
    status: Literal["new", "kept", "changed", "failed", "lost"]
    reason = entry.reason
    if entry.status == "failed":
        status = "failed"
    elif earlier is None:
        status = "new"
    elif entry.summary == earlier.summary:
        status = "kept"
    elif entry.summary and entry.summary.points:
        status = "changed"
    else:
        status, reason = "lost", "its summary no longer has points"
    return Account(
        arxiv_id=entry.paper.arxiv_id, title=entry.paper.title, status=status, reason=reason
    )


def _read(folder: Path, date: dt.date, *, infix: str = "") -> Iterator[Digest]:
    """What the day's files hold, the fullest format first; one that adds nothing is left out."""
    fullest: Digest | None = None
    for name in sorted(FORMATS, key=lambda name: name != _FULLEST):
        path = folder / f"{date}{infix}{FORMATS[name].suffix}"
        try:
            if not path.exists():
                continue
            text = read_text(path)
            if fullest is not None and text == FORMATS[name].render(fullest):
                continue  # which is found out in a quarter of the time that reading it takes
            digest = FORMATS[name].read(text)
            fullest = fullest or digest
            yield digest
        except (InputError, OSError) as error:
            said = system_reason(error) if isinstance(error, OSError) else error.message
            raise InputError(
                f"the file has a digest's name and cannot be read as one: {said}",
                hint="Move it away, or choose another folder",
                path=path,
                line=getattr(error, "line", None),
            ) from error


def _stands(folder: Path, date: dt.date, texts: Mapping[str, str]) -> bool:
    """Whether a day's whole files are these and no others: then none of them has to be read."""
    for name, form in FORMATS.items():
        try:
            there = (folder / f"{date}{form.suffix}").read_bytes()
        except FileNotFoundError:
            there = None
        except OSError:
            return False  # reading it will say what is wrong
        if there != (texts[name].encode() if name in texts else None):
            return False
    return bool(texts)


def _unreadable(folder: Path, error: OSError) -> InputError:
    return InputError(f"the folder cannot be read: {system_reason(error)}", path=folder)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DiskError(
            f"the file could not be removed: {system_reason(error)}", path=path
        ) from error
