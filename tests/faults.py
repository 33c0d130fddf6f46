"""What goes wrong between a client and a model's server, drawn from a seed.

    faults = Faults(made_papers.answer, seed=7, rate=0.3)
    server.answers(faults)
    ...
    faults.counts                    # how often each kind was drawn

Which fault a question meets hangs on the seed, on the question and on how often it was asked
before, and not on who asks first: the same seed gives the same faults at every speed.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.chat_server import CUT, HANG, RESET, Reply, completion, error
from tests.made_papers import asked_about

_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

_DATE = "Mon, 04 Mar 2024 12:00:00 GMT"

_Fault = Callable[[int, Callable[[int], str]], Reply]

KINDS: Mapping[str, _Fault] = {
    "429 with Retry-After": lambda *_: error(429, "slow down", headers={"retry-after": "2"}),
    "429 with a date": lambda *_: error(429, "slow down", headers={"retry-after": _DATE}),
    "429 without": lambda *_: error(429, "slow down"),
    "500": lambda *_: error(500, "the server had an error"),
    "502 with HTML": lambda *_: Reply(_PAGE, status=502),
    "connections refused": lambda *_: Reply(cut=0, deaf=0.02),
    "connection closed": lambda *_: CUT,
    "connection reset": lambda *_: RESET,
    "stall before the first byte": lambda *_: HANG,
    "stall in the middle": lambda n, answer: _part(answer(n), hang=True),
    "truncated body": lambda n, answer: _part(answer(n), hang=False),
    "invalid JSON": lambda n, answer: Reply(answer(n).encode()[1:]),
    "no choices": lambda *_: Reply({"object": "chat.completion", "model": "test-1", "choices": []}),
    "cut at the token limit": lambda n, answer: completion(answer(n)[:-40], finish_reason="length"),
    "withheld by a filter": lambda *_: completion(None, finish_reason="content_filter"),
    "thinking without an answer": lambda *_: completion(
        "<think>Let me see.", finish_reason="length"
    ),
    "answer for another paper": lambda n, answer: completion(answer(n + 1)),
    "answer given twice": lambda n, answer: completion(f"{answer(n)}\n{answer(n)}"),
}
"""Each kind of fault, from a paper's number and its right answer."""

IN_BATCHES = (
    "429 without",
    "500",
    "no choices",
    "cut at the token limit",
    "withheld by a filter",
    "thinking without an answer",
    "answer for another paper",
    "answer given twice",
)
"""The kinds that the result of one question in a batch can be."""


def _part(text: str, *, hang: bool) -> Reply:
    return Reply(completion(text).body, cut=400, hang=hang)


class Faults:
    """Answers as a server would, and at a given rate as a bad day would.

    Args:
        answer: The right answer about a paper, by its number.
        seed: What is drawn from.
        rate: The share of requests that meet a fault.
        kinds: Names in `KINDS`; all of them where none is given.

    Attributes:
        counts: How often each kind was drawn.
    """

    def __init__(
        self,
        answer: Callable[[int], str],
        *,
        seed: int,
        rate: float,
        kinds: tuple[str, ...] = tuple(KINDS),
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._answer = answer
        self._seed, self._rate, self._kinds = seed, rate, kinds
        self._asked: Counter[str] = Counter()

    def __call__(self, body: dict[str, Any]) -> Reply | str:
        """Answer one request, by its body."""
        n = asked_about(body)
        question = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        self._asked[question] += 1
        drawn = random.Random(f"{self._seed} {question} {self._asked[question]}")
        if drawn.random() >= self._rate:
            return self._answer(n)
        kind = drawn.choice(self._kinds)
        self.counts[kind] += 1
        return KINDS[kind](n, self._answer)
