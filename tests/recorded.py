"""Questions, recordings and a model that several tests share."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from summarizer.models import Answer, Message, Request
from summarizer.models.recordings import Recording

WHEN = dt.datetime(2024, 1, 12, 9, 30, tzinfo=dt.UTC)
PAPERS = ("2401.00001", "2401.00002", "hep-th/9901001")


def question(
    paper: str = PAPERS[0],
    *,
    system: str = "Write Korean.",
    prompt: str = "digest-ko",
    sample: int = 0,
    **params: Any,
) -> Request:
    return Request(
        messages=(
            Message(role="system", content=system),
            Message(role="user", content=f"Abstract of {paper}: we train 7B models."),
        ),
        params=params,
        output_schema={"type": "object"},
        sample=sample,
        label=f"{paper} {prompt}",
    )


def recording(request: Request | None = None, text: str = "- 답", **fields: Any) -> Recording:
    given = {"model": "openai:m", "origin": "model", "recorded_at": WHEN, **fields}
    return Recording(request=request or question(), answer=Answer(text=text), **given)


class Model:
    """Answers `- 1`, `- 2`, … in the order of asking."""

    name = "openai:m"

    def __init__(self) -> None:
        self.asked = 0
        self.closed = False

    async def ask(self, request: Request) -> Answer:
        self.asked += 1
        answer = Answer(text=f"- {self.asked}", headroom={"x-ratelimit-remaining-tokens": "9"})
        await asyncio.sleep(0)
        return answer

    async def aclose(self) -> None:
        self.closed = True
