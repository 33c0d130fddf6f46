"""What lies in the store's file, version by version."""

from __future__ import annotations

APPLICATION_ID = int.from_bytes(b"SmzA")
"""What tells a store from other people's SQLite files (bytes 68 to 71 of the file)."""

# The nth step brings a store from version n to n + 1. Whatever changes the meaning of what is kept,
# a new field of `Answer` too, is a new step: an older program then refuses the store.
STEPS = (
    (
        """
        CREATE TABLE answers (
            model TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            label TEXT NOT NULL,
            answer TEXT NOT NULL,
            stored_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
            PRIMARY KEY (fingerprint, model)
        )
        """,
    ),
    (
        # questions: a JSON object, each fingerprint with its label
        """
        CREATE TABLE batches (
            ours TEXT NOT NULL UNIQUE,
            model TEXT NOT NULL,
            server_id TEXT,
            questions TEXT NOT NULL,
            opened_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
        )
        """,
        """
        CREATE TABLE days (
            id INTEGER PRIMARY KEY,
            archive TEXT NOT NULL,
            date TEXT NOT NULL,
            UNIQUE (archive, date)
        )
        """,
        """
        CREATE TABLE published (
            arxiv_id TEXT NOT NULL,
            day INTEGER NOT NULL,
            PRIMARY KEY (arxiv_id, day)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX published_by_day ON published (day)",
    ),
)

VERSION = len(STEPS)
"""The version of the file that this program writes."""

NOTES = ("batches", "days", "published")
"""The tables beside the answers, which the first version does not have."""
