"""What is asked about papers now, found by answering from recordings."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

from summarizer.errors import RecordingMiss
from summarizer.flow import summarize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from summarizer.digest import Paper
    from summarizer.models import Answer, Request
    from summarizer.models.recordings import Recording
    from summarizer.prompts import Prompt


class _Noting:
    """A replay that notes what it is asked."""

    def __init__(self, recordings: Iterable[Recording]) -> None:
        self.name = "recordings"
        self.noted: list[Request] = []
        self._answers = {recording.fingerprint: recording.answer for recording in recordings}

    async def ask(self, request: Request) -> Answer:
        self.noted.append(request)
        if answer := self._answers.get(request.fingerprint):
            return answer
        raise RecordingMiss(f"there is no recording for {request.label}")

    async def aclose(self) -> None:
        """Nothing is open."""


async def questions(
    papers: Iterable[Paper], prompt: Prompt, recordings: Iterable[Recording], *, samples: int = 1
) -> list[Request]:
    """Every question that is asked about papers now, repairs of recorded answers included.

    Args:
        papers: What is asked about.
        prompt: What is asked.
        recordings: The answers that there are, of one model.
        samples: How many independent answers to each question are wanted.
    """
    noting = _Noting(recordings)
    for paper, sample in product(papers, range(samples)):
        with suppress(RecordingMiss):
            await summarize(paper, prompt=prompt, model=noting, sample=sample)
    return noting.noted
