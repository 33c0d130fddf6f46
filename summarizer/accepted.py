"""Accepted findings: what a person has decided to live with, so that only new faults fail.

The file is JSONL, one finding a line, for people to read, edit and keep under version control. A
finding is known by its paper, its check and the SHA-256 of the text that it is about: once that
text changes, the acceptance is stale.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from summarizer.digest import Value
from summarizer.disk import read_text, system_reason, write_files
from summarizer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from summarizer.review import Noted, Review


class Accepted(Value):
    """One finding that is accepted.

    Attributes:
        about: SHA-256 (hex, the first 16 digits) of the point, or of the line or summary.
        reason: Why it is accepted, for people.
        date: When it was accepted.
        expires: The last day that it is; None for always.
    """

    check: str
    arxiv_id: str | None = None
    about: str
    reason: str
    date: dt.date
    expires: dt.date | None = None

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What a finding must have for this to accept it."""
        return self.check, self.arxiv_id, self.about

    def is_valid(self, today: dt.date) -> bool:
        """Whether it has not expired."""
        return self.expires is None or today <= self.expires


def accept(review: Review, *, reason: str, date: dt.date) -> list[Accepted]:
    """Accept all findings of a review."""
    accepted = {
        (key := _key(review, noted)): Accepted(
            check=key[0], arxiv_id=key[1], about=key[2], reason=reason, date=date
        )
        for noted in review.noted
    }
    return list(accepted.values())


def reasons(
    review: Review, accepted: Iterable[Accepted], *, today: dt.date
) -> dict[Noted, Accepted]:
    """The findings of a review that are accepted today, each with its acceptance."""
    valid = {a.key: a for a in accepted if a.is_valid(today)}
    known = ((noted, valid.get(_key(review, noted))) for noted in review.noted)
    return {noted: found for noted, found in known if found}


def stale(reviews: Iterable[Review], accepted: Iterable[Accepted]) -> list[Accepted]:
    """Acceptances of papers and checks that were reviewed, which no finding needs any more."""
    found, looked = set(), set()
    for review in reviews:
        found |= {_key(review, noted) for noted in review.noted}
        read = {entry.paper.arxiv_id for entry in review.digest.entries} - set(review.unread)
        looked |= {(arxiv_id, check) for arxiv_id in read for check in review.checks}
    return [a for a in accepted if (a.arxiv_id, a.check) in looked and a.key not in found]


def read_accepted(path: Path) -> list[Accepted] | None:
    """Read a file of accepted findings; None where there is no such file.

    Raises:
        InputError: The file cannot be read, or a line of it accepts nothing.
    """
    try:
        if not path.exists():
            return None
    except OSError as error:  # its folder may not be looked into
        raise InputError(f"the file cannot be read: {system_reason(error)}", path=path) from error
    read = []
    # Not splitlines(): a reason may hold U+2028 and other ends of line.
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        try:
            read.append(Accepted.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(
                f"this line accepts no finding: {place} {first['msg'].lower()}".replace(
                    ":  ", ": "
                ),
                hint="Take the line away, or mend it",
                path=path,
                line=number,
            ) from None
    return read


def write_accepted(path: Path, accepted: Iterable[Accepted]) -> None:
    """Write a file of accepted findings, whole or not at all.

    Raises:
        DiskError: It could not be written; what was there before is unchanged.
    """
    lines = (a.model_dump(mode="json", exclude_none=True) for a in accepted)
    write_files({path: "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)})


def _key(review: Review, noted: Noted) -> tuple[str, str | None, str]:
    digest = hashlib.sha256(review.about(noted).encode()).hexdigest()
    return noted.finding.check, noted.finding.arxiv_id, digest[:16]
