"""How long a report of 5,000 cases takes: to write, to open, to search, filter, sort and read.

    python -m benchmarks.report [CASES]

Two runs that were compared, with six points a case, one finding in ten, and twelve scores. What
happens in the browser (Debian's chromium, from disk) is measured by its own clock, until the frame
that shows it is drawn; medians of seven. Texts are made up from a fixed seed.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from summarizer.evals.compare import compare
from summarizer.evals.report import render_report
from tests.browser import chromium
from tests.made_runs import case, finding, result, run

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from summarizer.evals.cases import Case
    from summarizer.evals.runs import Run

ENGLISH = """
    we train models that find answers in long texts and show how much each part of them matters
""".split()
KOREAN = """
    모델은 긴 글에서 답을 찾고 각 부분이 얼마나 중요한지 보이며 기존 방법보다 빠르게 학습합니다
""".split()
SCORES = ("chrf", "numbers.error_rate", *(f"score.{number}" for number in range(10)))
TIMES = 7

_MEASURE = """
const done = arguments[arguments.length - 1];
const act = new Function(arguments[0]);
requestAnimationFrame(() => {
  const start = performance.now();
  act();
  document.body.getBoundingClientRect();
  const worked = performance.now() - start;
  requestAnimationFrame(() => setTimeout(() => done([worked, performance.now() - start])));
});
"""

_OPENED = """
const [page] = performance.getEntriesByType("navigation");
const paints = performance.getEntriesByType("paint").map(({ startTime }) => startTime);
return Math.max(page.loadEventEnd, ...paints);
"""

_SET = """
const field = document.querySelector({!r});
field.value = {!r};
field.dispatchEvent(new Event({!r}));
"""
_CLICK = "document.querySelector({!r}).click()"

ACTIONS = {
    "search words, texts not yet read": _SET.format("#search", "matters 빠르게", "input"),
    "search words": _SET.format("#search", "matters 찾고", "input"),
    "search what is nowhere": _SET.format("#search", "nowhere", "input"),
    "search nothing": _SET.format("#search", "", "input"),
    "filter by check": _SET.format("#check", "numbers", "change"),
    "filter by outcome": _SET.format("#state", "worse", "change"),
    "no filter": _CLICK.format(".filters button"),
    "sort by title": _CLICK.format(".cases thead th button"),
    "sort by a figure": _CLICK.format(".cases thead th.number button"),
    "open a case": _CLICK.format(".opens"),
}


def words(vocabulary: list[str], count: int, chance: random.Random) -> str:
    """So many words; every one of them stands in nearly every case."""
    return " ".join(chance.choices(vocabulary, k=count))


def made(cases: list[Case], seed: int) -> Run:
    """A run with other answers for each seed."""
    chance = random.Random(seed)
    results = []
    for one in cases:
        points = [words(KOREAN, 14, chance) for _ in range(6)]
        found = [finding(span=(3, 9), evidence="in long texts")] if chance.random() < 0.1 else []
        scores = {name: chance.gauss(50 + seed / 10, 10) for name in SCORES}
        results.append(result(one, scores, points=points, findings=found))
    return run(cases, results)


def measured(browser: Chrome, page: str) -> dict[str, list[float]]:
    """Milliseconds of opening the page and of each action, once."""
    browser.get("about:blank")
    browser.get(page)
    opened: float = browser.execute_script(_OPENED)
    found = {"open": [opened]}
    for name, action in ACTIONS.items():
        found[name] = browser.execute_async_script(_MEASURE, action)
    return found


def main(count: int) -> None:
    """Print one line for each thing that is measured."""
    chance = random.Random(1)
    cases = [case(n, input=words(ENGLISH, 200, chance)) for n in range(count)]
    before, now = made(cases, 1), made(cases, 2)
    comparison = compare(before, now)
    started = time.perf_counter()
    text = render_report(now, comparison=comparison)
    print(f"{count:,} cases: written in {time.perf_counter() - started:.1f} s")
    with tempfile.TemporaryDirectory() as name:
        page = Path(name, "report.html")
        page.write_text(text, encoding="utf-8")
        print(f"{page.stat().st_size / 1e6:.1f} MB")
        with chromium(Path(name, "profile")) as browser:
            rounds = [measured(browser, page.as_uri()) for _ in range(TIMES)]
    print(f"\n{'':34}{'script, ms':>12}{'drawn, ms':>12}")
    for name in rounds[0]:
        columns = zip(*(one[name] for one in rounds), strict=True)
        print(f"{name:34}", *(f"{statistics.median(column):11.0f}" for column in columns))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
