from __future__ import annotations

import asyncio
import datetime as dt
import fcntl
import hashlib
import json
import logging
import subprocess
import sys
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarizer.digest import Usage
from summarizer.errors import DiskError, InputError, ModelError
from summarizer.models import Answer, Message, Request, open_model
from summarizer.models.recordings import (
    Recorder,
    Recording,
    handwritten,
    read_recordings,
    write_recordings,
)
from summarizer.models.replay import Replay
from tests.disks import file_size_limit
from tests.recorded import PAPERS, WHEN, Model, question, recording


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recordings.jsonl"


# -- the file


texts = st.text() | st.text(alphabet='\ud800\u2028\u0085\x00\r\n"\\한😀')
requests = st.builds(
    Request,
    messages=st.lists(
        st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=texts),
        min_size=1,
        max_size=3,
    ).map(tuple),
    params=st.dictionaries(
        texts, st.none() | st.booleans() | st.integers() | st.lists(texts, max_size=2), max_size=2
    ),
    output_schema=st.none() | st.just({"type": "object", "required": []}),
    sample=st.integers(0, 3),
    label=texts,
)
recordings = st.builds(
    Recording,
    model=st.sampled_from(["openai:a", "handwritten"]),
    request=requests,
    answer=st.builds(
        Answer, text=texts, model=texts, usage=st.none() | st.builds(Usage, prompt=st.integers(0))
    ),
    origin=st.sampled_from(["model", "handwritten"]),
    recorded_at=st.datetimes(timezones=st.just(dt.UTC)),
)


@settings(max_examples=60)
@given(st.lists(recordings, max_size=4))
def test_a_file_gives_back_what_was_written(given_recordings: list[Recording]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "r.jsonl"
        write_recordings(path, given_recordings)
        read = read_recordings(path)
    assert read == given_recordings
    assert [r.fingerprint for r in read] == [r.fingerprint for r in given_recordings]


@given(requests)
def test_a_fingerprint_is_the_hash_of_the_canonical_question(asked: Request) -> None:
    whole = {
        "messages": [[message.role, message.content] for message in asked.messages],
        "params": asked.params,
        "schema": asked.output_schema,
        "sample": asked.sample,
    }
    canonical = json.dumps(whole, sort_keys=True, separators=(",", ":"))
    assert asked.fingerprint == hashlib.sha256(canonical.encode()).hexdigest()


def test_a_line_is_readable_and_sorted(path: Path) -> None:
    write_recordings(path, [recording(text="한 문장.")])
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert "한 문장." in text
    fields = json.loads(text)
    assert list(fields) == [
        "answer",
        "fingerprint",
        "label",
        "model",
        "origin",
        "recorded_at",
        "request",
    ]
    assert fields["recorded_at"] == "2024-01-12T09:30:00Z"
    assert fields["fingerprint"] == question().fingerprint
    assert "headroom" not in text


def line(**changes: Any) -> bytes:
    fields = json.loads(_text(recording()))
    for name, value in changes.items():
        if value is None:
            del fields[name]
        else:
            fields[name] = value
    return json.dumps(fields).encode() + b"\n"


def _text(*given: Recording) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "r.jsonl"
        write_recordings(path, given)
        return path.read_text(encoding="utf-8")


def held(path: Path) -> bytes:
    return path.read_bytes()


def hold(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"not json\n", "not JSON"),
        (b"\x89PNG\x00\xff\n", "not UTF-8"),
        (b"[1]\n", "no recording"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (line(model=None), "model: field required"),
        (line(fingerprint=None), "it has no 'fingerprint'"),
        (line(request=None), "it has no 'request'"),
        (line(request=3), "no recording"),
        (line(origin="elsewhere"), "origin"),
        (line(recorded_at="yesterday"), "recorded_at"),
        (line(extra=1), "extra"),
        (line(answer={"text": 3}), "answer.text"),
        (line(fingerprint="0" * 64), "changed by hand"),
        (line().replace(b"7B", b"8B"), "changed by hand"),
    ],
)
def test_a_bad_line_is_named(path: Path, bad: bytes, says: str) -> None:
    path.write_bytes(line() + b"\n" + bad + line())
    with pytest.raises(InputError) as caught:
        read_recordings(path)
    assert f"{path}:3: " in str(caught.value)
    assert says in str(caught.value)
    before = path.read_bytes()
    with pytest.raises(InputError):
        Recorder(Model(), path)
    assert path.read_bytes() == before


def test_byte_order_mark_crlf_and_a_missing_last_newline_are_read(path: Path) -> None:
    first = line().rstrip(b"\n")
    path.write_bytes(b"\xef\xbb\xbf" + first + b"\r\n" + first)
    assert len(read_recordings(path)) == 2


@pytest.mark.parametrize("where", ["missing.jsonl", "."])
def test_an_unreadable_file_is_the_users_to_mend(tmp_path: Path, where: str) -> None:
    with pytest.raises(InputError) as caught:
        open_model(f"replay:{tmp_path / where}")
    assert str(tmp_path) in str(caught.value)


# -- recording


async def test_every_answer_that_the_file_lacks_is_added_once(path: Path) -> None:
    path = path.parent / "new" / "folder" / path.name
    model = Model()
    recorder = Recorder(model, path, now=lambda: WHEN.replace(microsecond=5))
    assert recorder.name == "openai:m"
    asked = [question(paper) for paper in PAPERS]
    first = [await recorder.ask(request) for request in asked]
    again = [await recorder.ask(request) for request in asked]
    assert [answer.text for answer in first + again] == [f"- {n}" for n in range(1, 7)]
    recorded = read_recordings(path)
    assert [r.request for r in recorded] == asked
    assert [r.answer for r in recorded] == [a.model_copy(update={"headroom": None}) for a in first]
    assert {(r.model, r.origin, r.recorded_at) for r in recorded} == {("openai:m", "model", WHEN)}
    later = Recorder(model, path)
    await later.ask(question(sample=1))
    await later.ask(question())
    assert [r.request.sample for r in read_recordings(path)] == [0, 0, 0, 1]
    await later.aclose()
    assert model.closed


async def test_what_is_recorded_is_replayed(path: Path) -> None:
    recorder = Recorder(Model(), path)
    live = [await recorder.ask(question(paper)) for paper in PAPERS]
    replay = open_model(f"replay:{path}")
    assert [(await replay.ask(question(paper))).text for paper in PAPERS] == [
        answer.text for answer in live
    ]


async def test_a_thousand_concurrent_answers_are_whole_lines(path: Path) -> None:
    recorder = Recorder(Model(), path)
    asked = [question(f"2401.{n % 200:05}") for n in range(1000)]
    await asyncio.gather(*(recorder.ask(request) for request in asked))
    recorded = read_recordings(path)
    assert len(recorded) == 200
    assert {r.fingerprint for r in recorded} == {request.fingerprint for request in asked}


async def test_a_handwritten_answer_that_is_recorded_again_stays_handwritten(path: Path) -> None:
    given = handwritten([(question(), "- 답")], recorded_at=WHEN)
    recorder = Recorder(Replay(given, Path("given.jsonl")), path, now=lambda: WHEN)
    await recorder.ask(question())
    assert read_recordings(path) == given


async def test_an_error_is_not_recorded(path: Path) -> None:
    class Broken(Model):
        async def ask(self, request: Request) -> Answer:
            raise ModelError("busy")

    with pytest.raises(ModelError):
        await Recorder(Broken(), path).ask(question())
    assert held(path) == b""


@pytest.mark.parametrize("cut", [1, 30, 400, -2])
async def test_a_torn_last_line_is_survived(
    path: Path, caplog: pytest.LogCaptureFixture, cut: int
) -> None:
    whole, torn = line(), _text(recording(question(PAPERS[1]))).encode()[:cut]
    hold(path, whole + torn)
    with caplog.at_level(logging.WARNING):
        assert [r.request for r in read_recordings(path)] == [question()]
    assert "cut short" in caplog.text
    assert held(path) == whole + torn, "reading changes nothing"
    await Recorder(Model(), path).ask(question(PAPERS[2]))
    assert held(path).startswith(whole)
    assert [r.request for r in read_recordings(path)] == [question(), question(PAPERS[2])]


async def test_a_last_line_without_its_newline_is_kept(path: Path) -> None:
    hold(path, line().rstrip(b"\n"))
    await Recorder(Model(), path).ask(question(PAPERS[1]))
    assert [r.request for r in read_recordings(path)] == [question(), question(PAPERS[1])]


async def test_a_file_that_was_replaced_is_read_anew(path: Path) -> None:
    recorder = Recorder(Model(), path)
    await recorder.ask(question())
    other = [recording(question(PAPERS[1])), recording(text="- 다른 답" * 99)]
    write_recordings(path, other)
    for paper in PAPERS[1:]:
        await recorder.ask(question(paper))
    assert [r.request for r in read_recordings(path)[2:]] == [question(PAPERS[2])]
    assert read_recordings(path)[:2] == other


async def test_a_file_that_is_replaced_while_its_lock_is_waited_for_gets_the_answer(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(Model(), path)
    lock, other = fcntl.flock, [recording(question(PAPERS[1]))]

    def replaced_meanwhile(file: FileIO, how: int) -> None:
        if not read_recordings(path):
            write_recordings(path, other)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", replaced_meanwhile)
    await recorder.ask(question())
    assert [r.request for r in read_recordings(path)] == [question(PAPERS[1]), question()]


async def test_a_full_disk_loses_nothing_and_leaves_no_half_line(path: Path) -> None:
    recorder = Recorder(Model(), path)
    await recorder.ask(question())
    before = held(path)
    limit = file_size_limit(len(before) + 50)
    with limit, pytest.raises(DiskError, match="file too large") as caught:
        await recorder.ask(question(PAPERS[1]))
    assert caught.value.exit_code == 3
    assert held(path) == before
    await recorder.ask(question(PAPERS[2]))
    assert [r.request for r in read_recordings(path)] == [question(), question(PAPERS[2])]


@pytest.mark.parametrize("where", [".", "file/recordings.jsonl", "/dev/null"])
def test_a_place_that_cannot_be_written_is_said_before_anything_is_asked(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="this is no place for a file"):
        Recorder(Model(), tmp_path / where)


RECORD = """
import asyncio, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tempfile import TemporaryDirectory
from tests.recorded import Model, question
from summarizer.models.recordings import Recorder

async def main():
    recorder = Recorder(Model(), Path({path!r}))
    for n in range({first}, {first} + 60):
        await recorder.ask(question(f"2401.{{n:05}}"))
asyncio.run(main())
"""


def test_two_processes_record_to_one_file(path: Path) -> None:
    root = str(Path(__file__).parents[1])
    scripts = [RECORD.format(root=root, path=str(path), first=first) for first in (0, 30)]
    running = [subprocess.Popen([sys.executable, "-c", script]) for script in scripts]
    assert [process.wait() for process in running] == [0, 0]
    labels = [r.label for r in read_recordings(path)]
    assert sorted(labels) == [f"2401.{n:05} digest-ko" for n in range(90)]
