"""How hard a model may be asked: how many questions at once, how fast, and which of them again."""

from __future__ import annotations

from summarizer.limits.limits import RETRY, Limits

__all__ = ["RETRY", "Limits"]
