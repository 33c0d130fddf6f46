from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from summarizer import shipped
from summarizer.errors import InputError

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty current folder, with the checkout's prompts as the shipped ones."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def find(name: str) -> Path:
    return shipped.find(name, "prompts", suffix=".prompty")


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def test_a_shipped_file_is_found_by_its_name():
    for name in ("digest-ko", "digest-ko.prompty"):
        assert find(name) == ROOT / "prompts" / "digest-ko.prompty"


def test_the_current_folder_wins_over_what_is_shipped(elsewhere):
    own = write(elsewhere / "prompts" / "digest-ko.prompty")
    assert find("digest-ko").resolve() == own.resolve()
    assert shipped.available("prompts", suffix=".prompty")["digest-ko"].resolve() == own.resolve()


def test_a_path_wins_over_a_name(elsewhere):
    write(elsewhere / "prompts" / "mine.prompty")
    beside = write(elsewhere / "mine.prompty")
    assert find("mine.prompty").resolve() == beside.resolve()
    assert find("prompts/mine.prompty").parent.name == "prompts"
    assert find(str(beside)) == beside


def test_names_are_listed_in_their_order_and_only_of_files_that_end_so(elsewhere):
    write(elsewhere / "prompts" / "zz.prompty")
    write(elsewhere / "prompts" / "aa.prompty")
    write(elsewhere / "prompts" / "notes.txt")
    (elsewhere / "prompts" / "folder.prompty").mkdir()
    names = list(shipped.available("prompts", suffix=".prompty"))
    assert names == sorted(names)
    assert {"aa", "zz", "digest-ko", "digest-ko-lines"} <= set(names)
    assert not {"notes", "folder"} & set(names)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../secret", "a/../../secret", "..\\secret", "~", "x" * 5000, "a\0b"]
)
def test_a_name_never_leads_out_of_the_folders(elsewhere, name):
    inside = elsewhere / "inside"
    write(inside / "prompts" / "own.prompty")
    write(elsewhere / "secret.prompty")
    with pytest.raises(InputError) as caught:
        find(name)
    assert caught.value.exit_code == 2


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"no 'digest-kr' among the prompts\. Did you mean"):
        find("digest-kr")
    with pytest.raises(InputError, match="There are digest-ko, digest-ko-lines"):
        find("zzzzzz")
    with pytest.raises(InputError, match="there is no file 'here/digest-ko'"):
        find("here/digest-ko")


def test_a_wheel_reads_what_lies_in_the_package_and_a_checkout_never_does(tmp_path):
    def root_of(package: Path) -> Path:
        package.mkdir(exist_ok=True)
        copied = Path(shutil.copy(shipped.__file__, package))
        spec = importlib.util.spec_from_file_location("copied_shipped", copied)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return Path(module.SHIPPED)

    site = tmp_path / "site-packages"
    (site / "prompts").mkdir(parents=True)  # someone else's
    assert root_of(site / "summarizer") == site / "summarizer" / "_shipped"

    checkout = tmp_path / "checkout"
    write(checkout / "pyproject.toml")
    write(checkout / "summarizer" / "_shipped" / "prompts" / "stale.prompty")
    assert root_of(checkout / "summarizer") == checkout
