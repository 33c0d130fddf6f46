"""A day's digest over a server that others wrote, and the faults that it can be told to have."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.disks import files
from tests.peers.aimock import KEY, Aimock, Seen

DATE = "2024-03-04"
SUBJECTS = {
    "image captioning": "그림 설명",
    "speech recognition": "음성 인식",
    "machine translation": "기계 번역",
    "document summarization": "문서 요약",
    "passage retrieval": "단락 검색",
    "topic classification": "주제 분류",
    "music generation": "음악 생성",
    "causal reasoning": "인과 추론",
    "motion planning": "동작 계획",
    "model compression": "모델 압축",
    "word alignment": "단어 정렬",
    "view synthesis": "시점 합성",
    "traffic forecasting": "교통량 예측",
    "book recommendation": "도서 추천",
    "tree search": "트리 탐색",
    "theorem proving": "정리 증명",
}
PAPERS = [
    {
        "arxiv_id": f"2403.{number:05}",
        "title": f"A Small Method for {subject.title()}",
        "abstract": f"We present a small method for {subject}. It needs no labels. It beats the "
        "strongest baseline on every task that we tried. Our code is open.",
        "authors": ["Ada Lovelace", "Alan Turing"],
        "votes": 100 - number,
    }
    for number, subject in enumerate(SUBJECTS, start=1)
]
TITLES = {str(paper["title"]): str(paper["arxiv_id"]) for paper in PAPERS}
IDS = list(TITLES.values())
MENDED = IDS[-1]
"""The paper whose first answer is wrong, and its second right."""

RATES = {"malformedRate": 0.3, "rateLimitRate": 0.3, "disconnectRate": 0.3}
"""How often a question meets each fault; in one of eight cases all tries at it meet one."""
TRIES = 5
SAID = {
    "malformed": "the server sent something other than a chat completion",
    "rateLimit": "is too busy (HTTP 429: Chaos: rate limit exceeded)",
    "disconnect": "the connection to http://127.0.0.1:",
}
"""What a paper's reason says when its last try met this fault."""
DOOMED = dict(zip(IDS, SAID, strict=False))
"""Papers about which every question meets the same fault."""


def points(subject: str) -> dict[str, list[str]]:
    return {
        "points": [
            f"이 논문은 {subject}에 쓸 작은 방법을 제안합니다.",
            "이 방법은 레이블이 필요하지 않습니다.",
            "저자들이 시도한 모든 과제에서 가장 강한 기준 방법을 앞섭니다.",
            "저자들은 코드를 공개합니다.",
        ]
    }


def answers(doomed: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is answered about each paper, and the fault that some papers always meet."""
    fixtures: list[dict[str, Any]] = [
        {"match": {"userMessage": title}, "response": {"content": points(subject)}}
        for title, subject in zip(TITLES, SUBJECTS.values(), strict=True)
    ]
    for paper, fault in doomed.items():
        fixtures[IDS.index(paper)]["chaos"] = {**dict.fromkeys(RATES, 0), f"{fault}Rate": 1}
    mended = fixtures[IDS.index(MENDED)]
    repair = {"match": {"turnIndex": 1}, "response": mended["response"]}
    mended["response"] = {"content": "I would rather not."}
    return [repair, *fixtures]


def paper_of(seen: Seen) -> str:
    asked = seen.body["messages"][1]["content"]
    return next(paper for title, paper in TITLES.items() if title in asked)


def question(seen: Seen) -> str:
    """What two tries at the same question have in common."""
    return json.dumps(seen.body["messages"])


def entries(path: Path) -> dict[str, Any]:
    return {entry["paper"]["arxiv_id"]: entry for entry in json.loads(path.read_text())["entries"]}


@dataclass(frozen=True)
class Ended:
    code: int
    report: dict[str, Any]

    @property
    def failed(self) -> dict[str, str]:
        """The reason of each paper that failed."""
        papers = self.report["papers"]
        return {p["arxiv_id"]: p["reason"] for p in papers if p["status"] == "failed"}


MakeDigest = Callable[..., Ended]


@pytest.fixture
def aimock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aimock]:
    (tmp_path / "aimock").mkdir()
    with Aimock(tmp_path / "aimock") as aimock:
        monkeypatch.setenv("OPENAI_BASE_URL", aimock.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        aimock.serve(answers({}))
        yield aimock


@pytest.fixture
def digest(run: Run, tmp_path: Path, no_waits: None) -> MakeDigest:
    """Make the day's digest in a folder; every paper must be accounted for.

    Refusals of aimock say that tokens are there again in six minutes, which nobody waits for here.
    """
    source = tmp_path / "papers.jsonl"
    source.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS))

    def call(folder: str, *arguments: object, model: str = "openai:peer") -> Ended:
        ended = run(
            "digest", DATE, "--from", source, "--model", model, "--out", tmp_path / folder,
            "--concurrency", len(PAPERS), "--json", *arguments,
        )  # fmt: skip
        assert ended.err == ""
        report = json.loads(ended.out)
        assert report["exit_code"] == ended.code
        assert [paper["arxiv_id"] for paper in report["papers"]] == IDS
        return Ended(ended.code, report)

    return call


def test_a_day_is_asked_once_recorded_and_replayed(
    aimock: Aimock, digest: MakeDigest, tmp_path: Path
) -> None:
    first = digest("live")
    assert (first.code, first.failed) == (0, {})
    asked = aimock.seen()
    assert Counter(map(paper_of, asked)) == {**dict.fromkeys(IDS, 1), MENDED: 2}
    assert first.report["asked"] == len(asked) == len(PAPERS) + 1
    abstracts = {paper["arxiv_id"]: str(paper["abstract"]) for paper in PAPERS}
    for seen in asked:
        assert seen.body["model"] == "peer"
        assert seen.body["response_format"]["type"] == "json_schema"
        assert [message["role"] for message in seen.body["messages"][:2]] == ["system", "user"]
        assert abstracts[paper_of(seen)] in seen.body["messages"][1]["content"]
    assert {
        paper: [point["text"] for point in entry["summary"]["points"]]
        for paper, entry in entries(tmp_path / "live" / f"{DATE}.json").items()
    } == dict(zip(IDS, (points(s)["points"] for s in SUBJECTS.values()), strict=True))

    live = files(tmp_path / "live")
    record = tmp_path / "recordings.jsonl"
    again = digest("again", "--record", record)
    assert (again.code, again.report["asked"]) == (0, 0)
    assert aimock.seen() == asked
    aimock.stop()
    assert digest("replayed", model=f"replay:{record}").code == 0
    assert files(tmp_path / "replayed") == files(tmp_path / "again") == live


def test_under_faults_every_paper_ends_right_or_failed_with_its_reason(
    aimock: Aimock, digest: MakeDigest, tmp_path: Path
) -> None:
    assert digest("calm", "--no-store").code == 0
    calm = files(tmp_path / "calm")
    questions = Counter(map(question, aimock.seen()))

    aimock.serve(answers(DOOMED), RATES)
    faulty = digest("faulty")
    seen = aimock.seen()
    assert {one.fault for one in seen} == {None, *SAID}
    assert faulty.report["asked"] == len(seen)
    tries = Counter(map(question, seen))
    last = {paper_of(one): one for one in seen}
    met = {paper: one.fault for paper, one in last.items() if one.fault}
    assert {tries[question(last[paper])] for paper in met} == {TRIES}
    assert met.items() >= DOOMED.items()
    assert faulty.failed.keys() == met.keys()
    for paper, fault in met.items():
        assert SAID[fault] in faulty.failed[paper]
    assert faulty.code == 3
    ended = entries(tmp_path / "faulty" / f"{DATE}.partial.json")
    for paper, entry in entries(tmp_path / "calm" / f"{DATE}.json").items():
        assert (ended[paper] == entry) is (paper not in met)

    aimock.serve(answers({}))
    assert digest("faulty").code == 0
    answered = Counter(question(one) for one in seen if one.fault is None)
    assert Counter(map(question, aimock.seen())) == questions - answered
    assert files(tmp_path / "faulty") == calm
