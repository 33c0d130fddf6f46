"""Every command and every program of the README and of docs/ is run, and what is shown compared.

A block `console` holds lines `$ command` and what each prints (stdout, then stderr); `…` stands
for anything. A block `python` is a program. A block of another language, named in a sentence that
says `Save this as`, is saved. All blocks of a page run in one folder, in order. Where the variable
SUMMARIZER_BIN names a folder, the `summarizer` and `python` there are run: a wheel's, for instance.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chat_server import ChatServer

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BIN = os.environ.get("SUMMARIZER_BIN", str(Path(sys.executable).parent))

BLOCK = re.compile(
    r"(?:Save this as `(?P<name>[^`]+)`[^\n]*\n\n)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
POINTS = [
    "이 논문은 작은 방법을 제안합니다.",
    "이 방법은 단순합니다.",
    "이 방법은 빠릅니다.",
    "이 방법은 공개되어 있습니다.",
]
PAPERS = [
    {
        "arxiv_id": f"2401.0000{number}",
        "title": f"A Small Method, Part {number}",
        "abstract": "We present a small method. It is simple. It is fast. It is open.",
        "authors": ["Ada Lovelace"],
        "votes": 4 - number,
    }
    for number in (1, 2, 3)
]


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what it is shown to print."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]


def matches(shown: str, printed: str) -> bool:
    wanted = ".*".join(re.escape(part) for part in shown.strip().split("…"))
    return re.fullmatch(wanted, printed.strip(), re.DOTALL) is not None


def execute(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in run.stderr, run.stderr
    return run.stdout + run.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_is_what_happens(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "papers.jsonl").write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS))
    with ChatServer() as server:
        server.answers(lambda _: json.dumps({"points": POINTS}, ensure_ascii=False))
        environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "OPENAI_BASE_URL": server.url,
        }
        for block in BLOCK.finditer(page.read_text()):
            if block["kind"] == "python":
                assert execute([f"{BIN}/python", "-c", block["body"]], folder, environment)
            elif block["kind"] == "console":
                for command, shown in commands(block["body"]):
                    # An export of the page names no real key and no real server; ours stay.
                    if not command.startswith("export "):
                        printed = execute(["bash", "-c", command], folder, environment)
                        assert matches(shown, printed), f"$ {command}\n{printed}\nshown:\n{shown}"
            elif block["name"]:
                (folder / block["name"]).parent.mkdir(exist_ok=True)
                (folder / block["name"]).write_text(block["body"])


def test_a_page_that_shows_something_else_would_fail() -> None:
    assert matches("1 file: … errors\n", "1 file: 0 errors\n")
    assert not matches("1 file: 0 errors\n", "1 file: 1 errors\n")
    assert commands("$ a\nx\ny\n$ b\n") == [("a", "x\ny\n"), ("b", "")]
