"""Reads papers from a file or from standard input: JSON, JSON Lines, CSV or Atom, told by content.

A paper is an object with the fields of `Paper`, or an item of the Hugging Face API as it came.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from summarizer.digest import Paper
from summarizer.errors import InputError
from summarizer.sources import huggingface
from summarizer.sources.atom import announced, read_feed
from summarizer.sources.normalise import (
    Unreadable,
    decode,
    media_at,
    normalise,
    papers_from,
    shown,
    validated,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence

MAX_BYTES = 256 * 1024 * 1024
"""The largest file that is read, so that an endless one ends in an error."""

_LISTS = ("authors", "categories")


def read_file(
    name: str, *, cross: bool, replaced: bool, notice: Callable[[str], None]
) -> tuple[dt.date | None, list[Paper]]:
    """The papers of a file, and the day that it says they are of, if it says so.

    Args:
        name: A path, or `-` for standard input.
        cross: Of a listing of arXiv's, read cross-listed papers too.
        replaced: Of a listing of arXiv's, read replaced papers too.
        notice: Is told what a listing held that was left out.

    Raises:
        InputError: The file cannot be read, or something in it is not as it should be.
    """
    place = "standard input" if name == "-" else name
    try:
        text = decode(_bytes(name))
        if text.lstrip().startswith("<"):
            day, papers = _from_atom(text, cross=cross, replaced=replaced, notice=notice)
        else:
            day, papers = _from_text(text)
    except Unreadable as fault:
        raise InputError(str(fault), path=place, line=fault.line) from None
    if not papers:
        raise InputError("there is no paper in it", path=place)
    return day, papers


def parse_papers(text: str) -> list[Paper]:
    """The papers of JSON, JSON Lines or CSV.

    Raises:
        Unreadable: Something in it is not as it should be.
    """
    return _from_text(text)[1]


def _bytes(name: str) -> bytes:
    if not name:  # to Path it is the current folder
        raise _no_file(name)
    try:
        if name == "-":
            if sys.stdin is None:  # it was closed when the program began
                raise InputError("nothing can be read: it is closed", path="standard input")
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _no_file(name) from None
    except IsADirectoryError:
        raise InputError("this is a directory, not a file of papers", path=name) from None
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise InputError(f"cannot be read: {reason}", path=name) from None
    if len(data) > MAX_BYTES:
        raise Unreadable(f"it is larger than {MAX_BYTES >> 20} MB")
    return data


def _no_file(name: str) -> InputError:
    return InputError(
        f"there is no file {name!r}",
        hint="Papers come from hf, arxiv:CATEGORY, arxiv:ids:A,B, a file or - (standard input)",
    )


def _from_atom(
    text: str, *, cross: bool, replaced: bool, notice: Callable[[str], None]
) -> tuple[dt.date | None, list[Paper]]:
    feed = read_feed(text)
    if feed.error:
        raise Unreadable(f"arXiv answered with an error: {feed.error}")
    is_listing = any(entry.announced for entry in feed.entries)
    papers = announced(feed, cross=cross, replaced=replaced, notice=notice)
    return feed.day if is_listing else None, papers


def _from_text(text: str) -> tuple[dt.date | None, list[Paper]]:
    start = text.lstrip()[:1]
    if not start:
        raise Unreadable("it is empty")
    if start not in "[{":
        return None, list(_from_csv(text))
    try:
        document = json.loads(text)
    except json.JSONDecodeError as fault:
        if start == "{" and fault.msg == "Extra data":
            return None, list(_from_lines(text))
        raise Unreadable(
            f"it is not JSON: {fault.msg} in column {fault.colno}", line=fault.lineno
        ) from None
    except (ValueError, RecursionError) as fault:
        raise Unreadable(f"its JSON cannot be read: {_excess(fault)}") from None
    items = _items(document)
    days = huggingface.days_of(items)
    return days.pop() if len(days) == 1 else None, papers_from(items, _paper)


def _excess(fault: ValueError | RecursionError) -> str:
    """What JSON has too much of, which Python tells in its own terms."""
    nested = isinstance(fault, RecursionError)
    return "it is nested too deeply" if nested else "a number in it has thousands of digits"


def _items(document: list[object] | dict[str, object]) -> list[object]:
    if isinstance(document, list):
        return document
    papers = document.get("papers")
    if isinstance(papers, list):
        return papers
    if "arxiv_id" in document or "paper" in document:
        return [document]
    for key, value in document.items():
        if isinstance(value, list) and value and _is_printed(value[0]):
            raise Unreadable(
                f"{shown(key)} holds Python objects printed as text ({{'…': …}}), not JSON objects;"
                " save them with json.dump"
            )
    raise Unreadable(
        "it is neither a list of papers nor an object with a list of 'papers';"
        f" it has {', '.join(map(shown, islice(document, 8))) or 'nothing'}"
    )


def _is_printed(item: object) -> bool:
    """Whether this is a Python dictionary that was turned into text."""
    return isinstance(item, str) and item.startswith("{'")


def _from_lines(text: str) -> Iterator[Paper]:
    # Not splitlines(): JSON strings may hold U+2028 and other ends of line.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield normalise(_paper(json.loads(line)))
        except json.JSONDecodeError as fault:
            raise Unreadable(
                f"it is not JSON: {fault.msg} in column {fault.colno}", line=number
            ) from None
        except Unreadable as fault:
            raise Unreadable(str(fault), line=number) from None
        except (ValueError, RecursionError) as fault:
            raise Unreadable(f"its JSON cannot be read: {_excess(fault)}", line=number) from None


def _from_csv(text: str) -> Iterator[Paper]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        _require_columns(rows.fieldnames or ())
        for row in rows:
            yield normalise(_paper(_from_cells(row)))
    except csv.Error as fault:
        raise Unreadable(f"it is not CSV: {fault}", line=rows.line_num) from None
    except Unreadable as fault:
        raise Unreadable(str(fault), line=fault.line or rows.line_num) from None


def _require_columns(columns: Sequence[str]) -> None:
    if "arxiv_id" not in columns or "title" not in columns:
        raise Unreadable(
            "it is not JSON, JSON Lines or Atom, nor CSV whose first line names the columns"
            " arxiv_id and title"
        )


def _from_cells(row: dict[str | None, Any]) -> dict[str, object]:
    if None in row:
        raise Unreadable("this row has more cells than there are columns")
    fields: dict[str, object] = {}
    for name, cell in row.items():
        if name is None or not cell:
            continue
        if name in _LISTS:
            fields[name] = tuple(cell.split(";"))
        elif name == "media":
            fields[name] = media_at(cell)
        else:
            fields[name] = cell
    return fields


def _paper(item: object) -> Paper:
    if _is_printed(item):
        raise Unreadable("this is a Python object printed as text, not a JSON object")
    if isinstance(item, dict) and "paper" in item:
        return huggingface.paper_of(item)
    return validated(Paper.model_validate, item)
