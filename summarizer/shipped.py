"""Finds the files that come with summarizer: prompts, eval sets and the sample day.

They lie beside the package in a checkout (an editable install included), in the package in a wheel.
"""

from __future__ import annotations

from pathlib import Path

from summarizer.errors import InputError, near

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent

SHIPPED = _CHECKOUT if (_CHECKOUT / "pyproject.toml").is_file() else _PACKAGE / "_shipped"
"""The folder that holds `prompts/`, `evals/` and `fixtures/`."""


def is_installed(path: Path) -> bool:
    """Whether a file came in a wheel, whose updates replace it: nothing is written beside it."""
    return SHIPPED.name == "_shipped" and path.is_relative_to(SHIPPED)


def available(folder: str, *, suffix: str) -> dict[str, Path]:
    """The files that can be called by name, in the order of their names.

    Args:
        folder: `prompts` or `evals`, in the current folder and shipped; the current one wins.
        suffix: How the files end; it is no part of the names.
    """
    places = (SHIPPED / folder, Path(folder))
    files = [path for place in places for path in place.glob(f"*{suffix}") if path.is_file()]
    return dict(sorted((path.name.removesuffix(suffix), path) for path in files))


def find(name: str, folder: str, *, suffix: str) -> Path:
    """Find the file that a user called by its path or by its name.

    A path to a file comes first, then the current folder's files, then the shipped ones. A name is
    only ever compared with the names of `available`: no path is made of it.

    Args:
        name: `my/own.prompty`, `digest-ko` or `digest-ko.prompty`.
        folder: As in `available`.
        suffix: As in `available`.

    Raises:
        InputError: There is no such file.
    """
    path = Path(name)
    if _is_file(path):
        return path
    files = available(folder, suffix=suffix)
    if found := files.get(name.removesuffix(suffix)):
        return found
    if any(separator in name for separator in "/\\"):
        raise InputError(f"there is no file {name!r}")
    raise InputError(f"there is no {name!r} among the {folder}", hint=near(name, files))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder that may not be entered
        return False
