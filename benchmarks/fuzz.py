"""Look for text that breaks the checks or the Markdown parser, guided by the code it reaches.

    pip install atheris
    python benchmarks/fuzz.py check_summary -max_total_time=300
    python benchmarks/fuzz.py parse_markdown -max_total_time=300

What follows the name goes to libFuzzer (https://llvm.org/docs/LibFuzzer.html), which begins with
the sample day, keeps what reaches new code in `build/fuzz/`, and writes what breaks a promise to a
file here. A case worth keeping becomes one in `tests/test_fuzz_checks.py`, which tries the same
promises with hypothesis.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["summarizer"]):
    from benchmarks.corpus import ROOT, SAMPLE_DAY, read_corpus
    from benchmarks.promises import hold_markdown, hold_summary
    from summarizer.digest import Digest, Entry
    from summarizer.formats.markdown import render_markdown

    hold_summary("Every check is imported", "here.", ["그래야 모두 따라갈 수 있습니다."])

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_BETWEEN = "\x00"


def _hold_summary(text: str) -> None:
    """Title, abstract and points stand between NUL characters."""
    title, abstract, *points = (*text.split(_BETWEEN), "", "")
    # Bytes that are no UTF-8 are lone surrogates here, which a title refuses.
    title = title.encode("utf-8", "replace").decode()
    hold_summary(title or "-", abstract or None, points)


TARGETS: Mapping[str, Callable[[str], None]] = {
    "check_summary": _hold_summary,
    "parse_markdown": hold_markdown,
}


def _write_seeds(target: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for row in read_corpus():
        if row.source == SAMPLE_DAY:
            paper, texts = row.paper, row.texts
            seed = _BETWEEN.join([paper.title, paper.abstract or "", *texts])
            if target == "parse_markdown":
                entry = Entry(paper=paper, summary=row.summary)
                seed = render_markdown(
                    Digest.model_validate({"date": "2024-01-12", "entries": (entry,)})
                )
            (folder / paper.arxiv_id).write_text(seed, encoding="utf-8")


def main(target: str, *options: str) -> None:
    """Fuzz one target until libFuzzer stops."""
    seeds = ROOT / "build" / "fuzz" / target
    _write_seeds(target, seeds)
    hold = TARGETS[target]
    atheris.Setup(
        [sys.argv[0], *options, str(seeds)],
        lambda data: hold(data.decode("utf-8", "surrogateescape")),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
