"""What is handed on: the wheel, the editable install and the source archive."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.build import build_editable, build_sdist, build_wheel

import summarizer

ROOT = Path(__file__).parents[1]
SHIPPED = ("prompts", "evals", "fixtures/2024-01-12")

# An index of packages, or a folder of somebody's machine; e-mail and URLs have no such start.
PRIVATE = re.compile(
    rb"https?://[^\s/]+/(?:\S*/)?simple\b|(?<![\w.~-])/(?:home|root|Users|work)/\w"
)


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_package_and_what_it_ships(tmp_path: Path) -> None:
    held = names(tmp_path / build_wheel(str(tmp_path)))
    shipped = {
        f"summarizer/_shipped/{path.relative_to(ROOT).as_posix()}"
        for folder in SHIPPED
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    assert {name for name in held if "/_shipped/" in name} == shipped
    assert "summarizer/_shipped/prompts/digest-ko.prompty" in shipped
    assert "summarizer/_shipped/fixtures/2024-01-12/papers.jsonl" in shipped
    assert "summarizer/py.typed" in held
    assert {name.split("/")[0] for name in held} == {
        "summarizer",
        f"summarizer-{summarizer.__version__}.dist-info",
    }


def test_an_editable_install_holds_no_copy_of_anything(tmp_path: Path) -> None:
    held = names(tmp_path / build_editable(str(tmp_path)))
    assert [name for name in held if ".dist-info/" not in name] == ["_summarizer.pth"]


def test_the_source_archive_names_no_machine_and_no_package_index(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / build_sdist(str(tmp_path))) as archive:
        texts = {file.name: archive.extractfile(file) for file in archive if file.isfile()}
        told = {name: PRIVATE.search(text.read()) for name, text in texts.items() if text}
    assert len(told) > 20
    assert {name: match[0] for name, match in told.items() if match} == {}
