"""What a start costs: the modules it imports; and that every public name is there."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys

import pytest

import summarizer

HEAVY = {
    "aiohttp",
    "httpx2",
    "jsonschema",
    "langchain_core",
    "numpy",
    "openai",
    "pydantic",
    "rich",
    "sqlite3",
    "tiktoken",
    "yaml",
}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c", "import summarizer"),
        ("-m", "summarizer", "--help"),
        ("-m", "summarizer", "--version"),
    ],
    ids=" ".join,
)
def test_a_start_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    run = python(*arguments)
    imported = set(re.findall(r"^import time:.*\| +([^.\s]+)", run.stderr, re.MULTILINE))
    assert run.returncode == 0, run.stderr
    assert "summarizer" in imported
    assert imported & HEAVY == set()


def test_the_package_runs_as_a_module() -> None:
    run = python("-m", "summarizer", "--help")
    assert run.returncode == 0
    assert run.stdout.startswith("Usage: summarizer ")


@pytest.mark.parametrize("name", summarizer.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(summarizer, name) is not None


def test_no_module_takes_the_place_of_a_public_name() -> None:
    modules = {module.name for module in pkgutil.iter_modules(summarizer.__path__)}
    assert modules & set(summarizer.__all__) == set()


def test_all_and_dir_name_the_same() -> None:
    assert sorted(dir(summarizer)) == sorted(summarizer.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'summarise'"):
        _ = summarizer.summarise
