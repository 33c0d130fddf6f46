"""Draws docs/digest.png, the sample digest as a reader sees it.

Needs Chromium and a Korean font (Debian: chromium, fonts-noto-cjk), and markdown-it-py.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
SHOWN = "https://arxiv.org/abs/2401.06104"
STYLE = """
body { margin: 32px 48px; max-width: 860px; color: #1f2328; background: #fff;
       font: 16px/1.6 "Noto Sans CJK KR", sans-serif; }
h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: .3em; }
a { color: #0969da; text-decoration: none; }
li { margin: .25em 0; }
/* The paper's own picture is fetched from elsewhere, and is not ours. */
img { display: none; }
"""


def main() -> None:
    """Regenerate the sample day and draw the top of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            ["summarizer", "digest", "--sample", "--out", folder], check=True, capture_output=True
        )
        text = (folder / "2024-01-12.md").read_text()
        day, *entries = text.split("\n### ")
        (shown,) = (entry for entry in entries if SHOWN in entry)
        body = MarkdownIt().render(f"{day}\n### {shown}")
        page = folder / "page.html"
        page.write_text(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{body}")
        subprocess.run(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                f"--user-data-dir={folder / 'profile'}", "--window-size=960,620",
                "--force-device-scale-factor=1.5", f"--screenshot={ROOT / 'docs' / 'digest.png'}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
