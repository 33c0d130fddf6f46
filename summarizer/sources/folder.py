"""A folder of days as a source: a file of papers for each day, or digests and their papers.

The papers of a day are those of its files of papers, which are named by the day: `DATE.json`,
`DATE.jsonl`, `DATE.papers.jsonl`, `DATE.csv`, `DATE.anything.xml`; several are merged. A day that
has only a digest, `DATE.md` or `DATE.json`, has the papers of the digest; what a digest does not
hold, such as abstracts, is taken from the folder's other files of papers by arXiv id: those with
`papers` in their name and no day in front, such as `papers.jsonl`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from summarizer.disk import read_text, system_reason
from summarizer.errors import InputError, NoListing
from summarizer.formats import FORMATS
from summarizer.sources.files import read_file
from summarizer.sources.normalise import Unreadable, normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from summarizer.digest import Paper

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=\.)", re.ASCII)
_PAPERS = frozenset({".json", ".jsonl", ".csv", ".atom", ".xml"})


class Folder:
    """A folder, looked through once; a day's files are read when that day is asked for.

    The papers that stand beside digests are read when the first digest needs them, and kept.

    Args:
        path: The folder.
        cross: Of listings of arXiv's, read cross-listed papers too.
        replaced: Of listings of arXiv's, read replaced papers too.
        notice: Is told what a file held that was left out.

    Raises:
        InputError: The folder cannot be read, or has no day at all.
    """

    def __init__(
        self, path: Path, *, cross: bool, replaced: bool, notice: Callable[[str], None]
    ) -> None:
        self._path = path
        self._cross, self._replaced, self._notice = cross, replaced, notice
        self._files: dict[dt.date, list[Path]] = {}
        self._beside: list[Path] = []
        self._known: Mapping[str, Paper] | InputError | None = None
        try:
            names = sorted(path.iterdir())
        except OSError as error:
            raise InputError(
                f"the folder cannot be read: {system_reason(error)}", path=path
            ) from error
        for file in names:
            day = _day(file.name)
            if day is not None and ".partial." not in file.name:
                self._files.setdefault(day, []).append(file)
            elif "papers" in file.name and file.suffix in _PAPERS:
                self._beside.append(file)
        if not self._files:
            raise InputError(
                "no file of this folder is named by a day",
                hint="Files of days are named YYYY-MM-DD.jsonl, or .md for a digest",
                path=path,
            )

    def read_day(self, date: dt.date | None) -> tuple[dt.date, list[Paper]]:
        """The papers of a day, and that day; of the latest one where none is asked for.

        Raises:
            InputError: A file of the day's cannot be read.
            NoListing: The folder has nothing for that day.
        """
        date = date or max(self._files)
        if date not in self._files:
            raise NoListing(f"{self._path} has no file for {date}")
        digests: list[Path] = []
        papers: list[Paper] = []
        for file in self._files[date]:
            if file.suffix == ".md" or (file.suffix == ".json" and _is_digest(file)):
                digests.append(file)
            elif file.suffix in _PAPERS:
                papers += self._papers_of(file)
        if not papers and digests:
            return date, self._of_digest(digests[0])
        if not papers:
            raise NoListing(f"{self._path} has no file of papers for {date}")
        return date, papers

    def _papers_of(self, file: Path) -> list[Paper]:
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise InputError("this is a device or a pipe, not a file", path=file)
        _, papers = read_file(
            str(file), cross=self._cross, replaced=self._replaced, notice=self._notice
        )
        return papers

    def _of_digest(self, file: Path) -> list[Paper]:
        """A digest's papers, in its order, and what is known of each beside it."""
        papers = []
        for entry in FORMATS[file.suffix[1:]].read(read_text(file), path=file).entries:
            try:
                paper = normalise(entry.paper)
            except Unreadable as fault:
                raise InputError(str(fault), path=file) from None
            papers.append(paper)
        if any(paper.abstract is None for paper in papers):
            known = self._read_beside()
            papers = [_filled(paper, known.get(paper.arxiv_id)) for paper in papers]
        if not papers:
            raise NoListing(f"{file} is a digest without papers")
        return papers

    def _read_beside(self) -> Mapping[str, Paper]:
        if self._known is None:
            try:
                self._known = {
                    paper.arxiv_id: paper
                    for file in self._beside
                    for paper in self._papers_of(file)
                }
            except InputError as fault:  # large files are not read again for each day
                self._known = fault
        if isinstance(self._known, InputError):
            raise self._known.with_traceback(None)
        return self._known


def _filled(listed: Paper, known: Paper | None) -> Paper:
    """The paper as its source knows it; votes and picture are the digest's, of that day."""
    if known is None:
        return listed
    told = {
        name: value for name in ("votes", "media") if (value := getattr(listed, name)) is not None
    }
    return known.model_copy(update=told)


def _day(name: str) -> dt.date | None:
    found = _DAY.match(name)
    with suppress(ValueError):
        return dt.date.fromisoformat(found[0]) if found else None
    return None


def _is_digest(file: Path) -> bool:
    with suppress(ValueError, RecursionError):
        document = json.loads(read_text(file))
        return isinstance(document, dict) and "entries" in document
    return False
