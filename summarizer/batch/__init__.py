"""A model that answers in rounds, through OpenAI's Batch API: at half the price, within a day.

What is asked gathers into a round; once nothing more comes, the round becomes a batch at the
server, and each question returns when its batch has been answered. Who asks notes no difference
but the time: a repair is a later question and joins a later round.

Nothing is paid twice. The store knows of a batch before the server does, so whoever comes after a
crash finds it there, waits for it and keeps its answers:

    open_batch ─▶ upload ─▶ create ─▶ submitted ─▶ poll … ─▶ put_many ─▶ close_batch
                            (looked for by our id, where the server's word is lost)
"""

from __future__ import annotations

from summarizer.batch.rounds import Batched

__all__ = ["Batched"]
