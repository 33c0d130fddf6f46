"""What lies in a folder, and what goes wrong on a disk.

Files that may not grow, and bytes that are not what was written.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def finished(folder: Path) -> dict[str, bytes]:
    """Its files, without what a process that was killed had not finished writing."""
    return {name: data for name, data in files(folder).items() if not name.endswith(".tmp")}


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """This process cannot make a file grow beyond so many bytes (RLIMIT_FSIZE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@dataclass(frozen=True)
class Damage:
    """Noise from some byte on, and after it what stood there or, where the file is cut, nothing."""

    at: int
    noise: bytes
    cut: bool = False

    def of(self, content: bytes) -> bytes:
        at = self.at % len(content)
        return content[:at] + self.noise + (b"" if self.cut else content[at + len(self.noise) :])


damages = st.builds(
    Damage,
    at=st.integers(0, 2**20),
    noise=st.binary(min_size=1, max_size=200),
    cut=st.booleans(),
)
