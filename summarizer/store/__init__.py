"""The store: a private cache of every answer that was paid for, so that none is bought twice."""

from __future__ import annotations

from summarizer.store.store import Batch, Store, default_path
from summarizer.store.stored import Stored

__all__ = ["Batch", "Store", "Stored", "default_path"]
