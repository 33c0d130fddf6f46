"""One retry policy, for sources and for models.

Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture
Blog, 2015); a server's own `Retry-After` (RFC 9110, section 10.2.3) beats it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_DURATION = re.compile(
    r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d*)?)s)?(?:(\d+(?:\.\d*)?)ms)?", re.ASCII
)
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to wait before the same thing is tried again.

    Attributes:
        attempts: Tries in all, the first one included.
        first: Upper bound of the first wait, in seconds; it doubles with each try.
        longest: Upper bound of any wait, in seconds, also of one that a server asks for.
    """

    attempts: int = 5
    first: float = 1.0
    longest: float = 60.0

    def delay(self, tried: int, *, jitter: float, retry_after: float | None = None) -> float:
        """Seconds to wait after the `tried`-th failure (from 1); `jitter` is drawn from [0, 1).

        A server that asks for no wait at all, or whose clock has passed its own date, is waited for
        as one that says nothing.
        """
        if retry_after:
            return min(retry_after, self.longest)
        return min(self.longest, self.first * 2.0 ** (tried - 1)) * jitter


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks to wait: a number or an HTTP date; else None."""
    value = headers.get("retry-after", "").strip()
    if value.replace(".", "", 1).isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def duration(value: str) -> float | None:
    """Seconds of `6m0s`, `1s`, `20ms` or `1.5`, as `x-ratelimit-reset-*` headers say; else None."""
    if found := _DURATION.fullmatch(value := value.strip()):
        parts = zip(found.groups(), _UNITS, strict=True)
        return sum(float(part) * unit for part, unit in parts if part) if value else None
    return float(value) if re.fullmatch(r"\d+(\.\d*)?", value, re.ASCII) else None
