"""Papers without number, each with a right answer that no other paper has.

They are as long and hold as many figures as real ones: 97 real abstracts have 1,299 characters and
5.6 figures in the mean, the points that were published of them 578 and 3.9.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

from summarizer.digest import Paper

_ABSTRACT = """\
We study how the width of a network changes what can be pruned from it, and present Study {n}, a \
method that ranks the channels of each layer by their share of the gradient. Earlier rankings \
look at weights alone, so that layers which are read often but written rarely lose channels that \
they need. Our ranking is computed in a single pass through the training data and needs no \
retraining. We evaluate it on {t} tasks of image classification, speech recognition and machine \
translation, with models of up to {l}M parameters. At a sparsity of {s}%, accuracy falls by {d} \
percentage points, where the best earlier ranking loses twice as much. Training the pruned models \
again closes a large part of that gap. On a single device the pruned models run {x}x as fast and \
take less memory. The gain is largest in the first layers, which hold few weights and many \
activations, and smallest in the last ones. We also find that the order in which layers are \
pruned matters less than earlier work holds: in most random orders the result is the same within \
the usual deviation. Ablations show that the share of the gradient explains most of the \
difference, and that the amount of data hardly matters. We discuss where the ranking fails, which \
is mostly in layers that are shared between branches of a model, and how that might be seen \
beforehand."""

_POINTS = (
    "이 논문은 신경망의 너비에 따라 무엇을 가지치기(pruning)할 수 있는지 살펴보고, "
    "각 층의 채널을 기울기에서 차지하는 비중으로 순위를 매기는 Study {n} 방법을 제안합니다.",
    "기존 순위는 가중치만 보기 때문에, 자주 읽히지만 드물게 쓰이는 층이 꼭 필요한 채널을 잃습니다.",
    "제안한 순위는 학습 데이터를 한 번 훑어 계산하며, 모델을 다시 학습할 필요가 없습니다.",
    "이미지 분류, 음성 인식, 기계 번역의 {t}개 과제에서 "
    "매개변수가 최대 {l}M인 모델들로 방법을 평가했습니다.",
    "희소성(sparsity) {s}%에서 정확도는 {d}%p 떨어지며, "
    "기존의 가장 좋은 순위는 그 두 배를 잃습니다.",
    "가지치기한 모델은 단일 장치에서 {x}배 빠르게 동작하고 메모리도 더 적게 사용합니다. "
    "층을 가지치기하는 순서는 기존 연구의 주장보다 덜 중요합니다.",
)


def paper(n: int) -> Paper:
    """The nth paper."""
    return Paper(
        arxiv_id=f"{2401 + n // 90_000:04}.{10_000 + n % 90_000}",
        title=f"Study {n}: Ranking Channels by Their Share of the Gradient",
        abstract=_ABSTRACT.format(**_figures(n)),
        votes=n % 40,
    )


def points(n: int) -> tuple[str, ...]:
    """What a right answer says of the nth paper."""
    figures = _figures(n)
    return tuple(point.format(**figures) for point in _POINTS)


def answer(n: int) -> str:
    """A right answer, as the shipped prompt wants it."""
    return json.dumps({"points": points(n)}, ensure_ascii=False)


def write_days(folder: Path, count: int, *, days: int) -> str:
    """Write the first papers as a folder of days, a source; returns the range that they make."""
    folder.mkdir()
    first = dt.date(2024, 3, 1)
    for day in range(days):
        lines = [f"{paper(n).model_dump_json()}\n" for n in range(day, count, days)]
        path = folder / f"{first + dt.timedelta(days=day)}.papers.jsonl"
        path.write_text("".join(lines), encoding="utf-8")
    return f"{first}..{first + dt.timedelta(days=days - 1)}"


def asked_about(body: dict[str, Any]) -> int:
    """Which paper a request's body asks about, in a repair too."""
    for message in body["messages"]:
        if message["role"] == "user" and (
            found := re.search(r"present Study (\d+),", message["content"])
        ):
            return int(found[1])
    raise AssertionError("this is no question about one of these papers")


def respond(body: dict[str, Any]) -> str:
    """The right answer to a request's body."""
    return answer(asked_about(body))


def _figures(n: int) -> dict[str, int | float]:
    """Figures that differ from paper to paper, and within a paper from each other."""
    return {
        "n": n,
        "t": 11 + n % 8,
        "l": 700 + n % 250,
        "s": 61 + n % 20,
        "d": (11 + n % 7) / 10,
        "x": (21 + n % 8) / 10,
    }
