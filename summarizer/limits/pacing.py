"""How fast, and how many at once: what a server's headers and the times of its answers teach."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from summarizer.retry import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

_START = 256
"""How many calls may be under way before the server has shown that it can take more."""
_RAMP = 8
"""How many more each answer allows, until the first sign of strain."""
_WINDOW = 50
"""How many answers, at least, a judgement on latency rests on."""
_SLACK = 1.0
"""Seconds of latency that are no sign of strain: this process itself may cause them."""


class Call(NamedTuple):
    """A call that has begun.

    Attributes:
        number: Calls are counted from 1.
        began: When.
        probe: Whether it tries a server that seems to be dead.
        requests: What had been spent by then of the bucket of requests, this call included.
        tokens: The same of tokens.
    """

    number: int
    began: float
    probe: bool
    requests: float
    tokens: float


class Bucket:
    """What is left of one of the server's limits: what its headers said, less what was asked since.

    It is taken to be empty until the moment when the server says that it is full again, which is
    right for windows and careful for buckets that fill steadily. No wait is longer than `longest`:
    after that the server is asked to say again.
    """

    def __init__(self, kind: str, longest: float) -> None:
        self._kind = kind
        self._longest = longest
        self._limit = self._left = math.inf
        self._full_at = self._spent_at = -math.inf
        self._newest = 0
        self._mark = self.spent = 0.0

    def ready(self, amount: float, now: float) -> float:
        """The moment from which on there is so much, or, of more than all, all."""
        if now >= self._full_at:  # but for what was asked since
            rested = now >= self._spent_at + self._longest
            since = 0.0 if rested else self.spent - self._mark
            self._left, self._mark = self._limit - since, self.spent
            self._full_at = now + self._longest
        return now if self._left >= min(amount, self._limit) else self._full_at

    def spend(self, amount: float, now: float) -> None:
        """Note that so much is asked for now, or, where it is more than all, all."""
        amount = min(amount, self._limit)
        self._spent_at = now
        self.spent += amount
        self._left -= amount

    def read(self, headers: Mapping[str, str], call: int, spent: float, now: float) -> None:
        """Learn from the headers that a call brought; so much had been spent when it began."""
        limit, remaining = (
            _count(headers.get(f"x-ratelimit-{name}-{self._kind}", ""))
            for name in ("limit", "remaining")
        )
        if remaining is None or limit == 0 or call < self._newest:
            return
        self._newest, self._mark = call, spent
        if limit is not None:
            self._limit = max(limit, remaining)
        self._left = remaining - (self.spent - spent)
        reset = duration(headers.get(f"x-ratelimit-reset-{self._kind}", ""))
        self._full_at = now + min(self._longest if reset is None else reset, self._longest)


def _count(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 16 else None


class Places:
    """How many questions may be under way at once: between 1 and `most`.

    Half as many after a busy server (additive increase, multiplicative decrease: Chiu and Jain,
    1989), once for all calls that were under way then. Fewer when answers take more than twice as
    long as at best and no more of them come (the gradient of Netflix's concurrency-limits, after
    TCP Vegas: Brakmo and Peterson, 1995). Where that does not make them faster, the load is not
    ours: what they take now is the new best. A sixteenth of `most` more for each round of answers.
    """

    def __init__(self, most: int) -> None:
        self.limit = float(min(most, _START))
        self._most = most
        self._ramping = most > _START
        self._before_fall = 0  # calls up to this number began before the last fall
        self._best = self._strained = math.inf
        self._suspected = False
        self._rate = 0.0
        self._begin_window(-math.inf)

    def _begin_window(self, now: float) -> None:
        self._since, self._count, self._sum = now, 0, 0.0
        self._size = max(_WINDOW, int(self.limit))

    def fall(self, factor: float, call: Call, calls: int) -> None:
        """Allow fewer, unless the call began before the last fall; `calls` have begun so far."""
        if call.number > self._before_fall:
            self._before_fall = calls
            self._ramping = False
            self.limit = max(1.0, self.limit * factor)
            self._begin_window(-math.inf)

    def note_answer(self, call: Call, calls: int, now: float) -> None:
        """Learn from how long an answer took."""
        if not self._suspected:
            more = _RAMP if self._ramping else max(1, self._most / 16) / self.limit
            self.limit = min(float(self._most), self.limit + more)
        if call.number <= self._before_fall:
            return
        if self._since == -math.inf:
            self._since = call.began
        self._count += 1
        self._sum += now - call.began
        if self._count < self._size:
            return
        latency, rate = self._sum / self._count, self._count / max(1e-9, now - self._since)
        no_more, self._rate = rate <= 1.1 * self._rate, rate
        self._begin_window(now)
        good = 2 * self._best + _SLACK
        slower = latency > good and no_more
        if not slower:
            self._best = min(self._best, latency)
        elif latency > 0.875 * self._strained:
            self._best = latency
        elif not self._suspected:  # half of these answers may be from before
            self._suspected = True
            return
        else:
            self._strained = latency
            self.fall(min(0.75, max(0.5, good / latency)), call, calls)
            return
        self._suspected, self._strained = False, math.inf
