"""Every error that a user can meet.

SummarizerError                what was wrong, where, what to do next; one exit code
├── InputError            (2)  a file, an argument or a setting is wrong
├── SourceError           (3)  papers could not be fetched
│   ├── NoListing         (0)  the source has nothing for that day, and never will
│   └── NotYetListed      (3)  the source has nothing for that day yet
├── ModelError            (3)  a model gave no answer to one question
│   ├── RecordingMiss     (2)  a replay has no answer to this question
│   └── ModelUnusable     (2, 3)  no further question can succeed: key, quota, model name
│       └── BudgetReached (3)  another question could cost more than may be spent
├── StoreError            (3)  the store of answers is locked, damaged or from a newer version
└── DiskError             (3)  a file could not be written

What a *model* got wrong is not an error: it is a `Finding` in an `Entry`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class SummarizerError(Exception):
    """Something that the operator, the disk or the network got wrong, told as one sentence.

    Args:
        message: What was wrong, without a closing full stop.
        hint: What to do next, as a sentence of its own.
        path: The file it happened in.
        line: The line of that file, counted from 1.
    """

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        path: str | Path | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path
        self.line = line

    def __str__(self) -> str:
        """The place, the sentence and what to do next, on one line."""
        place = "" if self.path is None else str(self.path)
        if self.line is not None:
            place += f":{self.line}" if place else f"line {self.line}"
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}. {self.hint}" if self.hint else text


class InputError(SummarizerError):
    """A file, an argument or a setting is wrong; the user must change it."""

    exit_code = 2


class SourceError(SummarizerError):
    """Papers could not be fetched, after retries."""


class NoListing(SourceError):
    """The source has no papers for that day (a weekend, a holiday), and never will."""

    exit_code = 0


class NotYetListed(SourceError):
    """The source has no papers for that day yet; the same command will work later."""


class ModelError(SummarizerError):
    """A model gave no answer to one question.

    Args:
        message: What happened.
        transient: Whether the same question may succeed when asked again.
        retry_after: Seconds that the server asked to wait, if it said so.
        billed: Whether the question may have been charged all the same, as when the connection was
            cut; not where it was refused.
        busy: Whether the server has too much to do, so that other questions should wait as well.
        headroom: The server's rate limits as it sent them, if it did.
        hint: What to do next.
    """

    def __init__(
        self,
        message: str,
        *,
        transient: bool = False,
        retry_after: float | None = None,
        billed: bool = True,
        busy: bool = False,
        headroom: Mapping[str, str] | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.transient = transient
        self.retry_after = retry_after
        self.billed = billed
        self.busy = busy
        self.headroom = headroom


class RecordingMiss(ModelError):
    """A replay was asked a question that its recordings do not answer."""

    exit_code = 2


class ModelUnusable(ModelError):
    """No further question can succeed: the key is wrong, the quota spent or the model unknown.

    A wrong key or name is the user's to mend (exit code 2); a spent quota or a server that no
    longer answers is not (3).
    """

    def __init__(self, message: str, *, hint: str | None = None, exit_code: int = 2) -> None:
        super().__init__(message, billed=False, hint=hint)
        self.exit_code = exit_code


class BudgetReached(ModelUnusable):
    """Another question could cost more than may be spent; what is paid for is kept."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, exit_code=3)


class StoreError(SummarizerError):
    """The store of answers is locked, damaged or written by a newer version."""


class DiskError(SummarizerError):
    """A file could not be written; what was there before is untouched."""


def near(word: str, known: Iterable[str]) -> str:
    """The hint for a word that is not known: the one it resembles, or all there are."""
    from difflib import get_close_matches

    names = list(known)
    close = get_close_matches(word, names, n=1)
    return f"Did you mean {close[0]!r}" if close else f"There are {', '.join(names)}"
