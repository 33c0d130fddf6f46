"""A digest as text: pure functions between strings and `Digest`, one file a format."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from summarizer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from summarizer.digest import Digest


@cache
def _load(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


class Format(NamedTuple):
    """How a digest is written to text and read from it.

    Attributes:
        suffix: Of its files, with the dot.
        reader: Import string of a function `(text, *, path=None) -> Digest`.
        renderer: Import string of a function `(digest) -> text`.
    """

    suffix: str
    reader: str
    renderer: str

    def read(self, text: str, *, path: str | Path | None = None) -> Digest:
        """The digest that a file holds; `path` is only named in errors.

        Raises:
            InputError: The text is no digest in this format.
        """
        digest: Digest = _load(self.reader)(text, path=path)
        return digest

    def render(self, digest: Digest) -> str:
        """The whole text of a digest's file."""
        text: str = _load(self.renderer)(digest)
        return text


FORMATS: Mapping[str, Format] = {
    "md": Format(
        ".md",
        "summarizer.formats.markdown:parse_markdown",
        "summarizer.formats.markdown:render_markdown",
    ),
    "json": Format(
        ".json",
        "summarizer.formats.json:parse_json",
        "summarizer.formats.json:render_json",
    ),
}
"""Every format by the name that people type."""


def format_of(path: str | Path) -> Format:
    """The format of a file, by its suffix.

    Raises:
        InputError: No format has that suffix.
    """
    suffix = Path(path).suffix.lower()
    for known in FORMATS.values():
        if known.suffix == suffix:
            return known
    raise InputError(
        f"no digest has the suffix {suffix!r}",
        hint=f"Name a file that ends in {' or '.join(known.suffix for known in FORMATS.values())}",
        path=path,
    )
