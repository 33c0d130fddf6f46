"""Papers from files and standard input, whole and broken."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from summarizer.digest import Media, Paper
from summarizer.errors import InputError
from summarizer.sources import Listing, files, read_listing, read_papers

SHARED = Path(__file__).parents[2] / "shared"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")

ONE = {
    "arxiv_id": "2401.00001v2",
    "title": "Counting  sheep",
    "abstract": "We count\nsheep.",
    "authors": ["Ann Lee", "Bo Re"],
    "categories": ["cs.CL"],
    "published": "2024-01-02",
    "votes": 3,
    "media": {"kind": "video", "url": "https://e.org/sheep.mp4"},
}
TWO = {"arxiv_id": "hep-th/9901001", "title": "Strings “and” knots", "votes": 12}
READ = (
    Paper(arxiv_id="hep-th/9901001", title="Strings “and” knots", votes=12),
    Paper(
        arxiv_id="2401.00001",
        title="Counting sheep",
        abstract="We count sheep.",
        authors=("Ann Lee", "Bo Re"),
        categories=("cs.CL",),
        published=dt.date(2024, 1, 2),
        votes=3,
        media=Media(kind="video", url="https://e.org/sheep.mp4"),
        url="https://arxiv.org/abs/2401.00001v2",
    ),
)
ITEM: dict[str, Any] = {
    "paper": {
        "id": "2401.00003",
        "title": "Hubs",
        "summary": "On hubs.",
        "authors": [{"name": "Cy Do", "hidden": False}, {"name": "Di Fu", "hidden": True}],
        "publishedAt": "2024-01-02T23:59:00.000Z",
        "submittedOnDailyAt": "2024-01-04T00:00:00.000Z",
        "upvotes": 0,
        "ai_keywords": ["hub"],
    },
    "thumbnail": "https://e.org/3.png",
}
HUB = Paper(
    arxiv_id="2401.00003",
    title="Hubs",
    abstract="On hubs.",
    authors=("Cy Do",),
    published=dt.date(2024, 1, 2),
    votes=0,
    media=Media(kind="image", url="https://e.org/3.png"),
)


def as_csv(*papers: dict[str, object]) -> str:
    out = io.StringIO()
    rows = csv.DictWriter(out, fieldnames=list(ONE))
    rows.writeheader()
    for paper in papers:
        cells = {
            name: ";".join(value) if isinstance(value, list) else value
            for name, value in paper.items()
        }
        if "media" in cells:
            cells["media"] = "https://e.org/sheep.mp4"
        rows.writerow(cells)
    return out.getvalue()


@pytest.fixture
def read(tmp_path):
    async def read(content: str | bytes, **options: Any) -> Listing:
        path = tmp_path / "papers"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return await read_listing(str(path), **options)

    return read


@pytest.fixture
def refusal(read):
    async def refusal(content: str | bytes) -> str:
        with pytest.raises(InputError) as caught:
            await read(content)
        assert caught.value.exit_code == 2
        text = str(caught.value)
        assert "\n" not in text
        return text.partition("/papers")[2]

    return refusal


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([ONE, TWO]),
        json.dumps({"papers": [ONE, TWO]}, indent=2),
        json.dumps(ONE) + "\n" + json.dumps(TWO),
        json.dumps(ONE) + "\n\n" + json.dumps(TWO, ensure_ascii=False) + "\n",
        as_csv(ONE, TWO),
    ],
)
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_every_form_gives_the_same_papers(read, content, bom, end):
    text = bom + content.replace("\r\n", "\n").replace("\n", end)
    assert await read(text) == Listing(None, READ)


async def test_one_paper_is_enough(read):
    assert (await read(json.dumps(TWO))).papers == READ[:1]


async def test_an_answer_of_the_hub_is_read_as_it_came(read):
    day = dt.date(2024, 1, 4)
    assert await read(json.dumps([ITEM])) == Listing(day, (HUB,))
    assert (await read(json.dumps(ITEM) + "\n" + json.dumps(TWO))).papers == (READ[0], HUB)
    later = {**ITEM, "paper": {**ITEM["paper"], "submittedOnDailyAt": "2024-01-05T00:00:00Z"}}
    assert (await read(json.dumps([ITEM, later]))).date is None


async def test_the_day_asked_for_beats_the_file_and_that_is_told(read):
    told: list[str] = []
    asked = dt.date(2024, 1, 5)
    assert (await read(json.dumps([ITEM]), date=asked, notice=told.append)).date == asked
    assert "of 2024-01-04; they are taken as of 2024-01-05" in told[0]


async def test_line_separators_inside_a_string_end_no_line(read):
    line = json.dumps({"arxiv_id": "1", "title": "a\u2028b\x85c"}, ensure_ascii=False)
    assert [p.title for p in (await read(f"{line}\n{line}\n")).papers] == ["a b c"]


async def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(as_csv(ONE, TWO).encode())))
    assert tuple([paper async for paper in read_papers("-")]) == READ
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InputError, match=r"^standard input: it is empty$"):
        await read_listing("-")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", ": it is empty"),
        (" \n\t\n", ": it is empty"),
        ("[]", ": there is no paper in it"),
        (b"\x89PNG\r\n\x1a\n\0\0", ": this is binary data, not text"),
        ("[]".encode("utf-16"), ": this text is UTF-16, not UTF-8"),
        (b"[\n\n \xff]", ":3: byte 5 (0xff) is not UTF-8"),
        ("[{]", ":1: it is not JSON"),
        ("[" * 100_000, ": its JSON cannot be read: it is nested too deeply"),
        ("[" + "9" * 5000 + "]", ": its JSON cannot be read: a number in it has thousands of dig"),
        ("[1]", ": paper 1: this is not a JSON object"),
        (json.dumps([TWO, {"arxiv_id": "2"}]), ": paper 2: 'title' is missing"),
        (json.dumps([TWO, {**TWO, "title": " "}]), ": paper 2: 'title' is empty"),
        (json.dumps([{**TWO, "arxiv_id": 2401.1}]), ": paper 1: 'arxiv_id'"),
        (json.dumps([{**TWO, "year": 2024}]), ": paper 1: there is no field 'year' (known are arx"),
        (json.dumps([{**TWO, "published": "2024-02-30"}]), ": paper 1: 'published'"),
        (json.dumps([{**TWO, "title": "\ud800"}]), ": paper 1: 'title'"),
        (json.dumps([{**TWO, "\ud800": 1}]), ": paper 1: this: Input should be a valid string"),
        (json.dumps([{**TWO, "\n\x1b": 1}]), r": paper 1: there is no field '\n\x1b'"),
        (json.dumps([{**TWO, "url": "javascript:x"}]), ": paper 1: 'javascript:x' is not a plain"),
        (json.dumps([{"paper": 7}]), ": paper 1: 'paper' is not a JSON object"),
        (json.dumps([{"paper": {"id": "1"}}]), ": paper 1: 'paper.title' is missing"),
        (json.dumps({"data": []}), ": it is neither a list of papers nor an object with a list of"),
        (
            json.dumps({"entries": [{"paper": {}}]}),
            ": it is neither a list of papers nor an object",
        ),
        (json.dumps({"papers": 3}), ": it is neither a list of papers nor an object with a list"),
        (json.dumps({"data": ["{'paper': {}}"]}), ": 'data' holds Python objects printed as text"),
        (json.dumps(["{'paper': {}}"]), ": paper 1: this is a Python object printed as text"),
        (json.dumps(ONE) + "\n" + '{"arxiv_id": ', ":2: it is not JSON"),
        (json.dumps(ONE) + "\n\n" + '{"title": "x"}', ":3: 'arxiv_id' is missing"),
        (json.dumps(ONE) + "\n[]", ":2: this is not a JSON object"),
        (json.dumps(ONE) + "\n" + "[" * 100_000, ":2: its JSON cannot be read"),
        ("arxiv_id,title\n1,A\n2\n", ":3: 'title' is missing"),
        ("arxiv_id,title\n1,A,B\n", ":2: this row has more cells"),
        ('arxiv_id,title\n1,"A\nB"\n2,"C', ":3: it is not CSV"),
        ("arxiv_id,title,year\n1,A,2024\n", ":2: there is no field 'year'"),
        ("arxiv_id,title,votes\n1,A,many\n", ":2: 'votes'"),
        ("id,name\n1,A\n", ":1: it is not JSON, JSON Lines or Atom, nor CSV"),
        ("hello", ":1: it is not JSON, JSON Lines or Atom, nor CSV"),
        ("<!DOCTYPE html>\n<p>Log in</p>", ": this is a web page"),
        ("\n<HTML lang=en><p>Log in</p>", ": this is a web page"),
        ("<htm/>", ": it is not an Atom feed, but 'htm'"),
        ("<feed", ":1: it is not XML"),
    ],
)
async def test_bad_files_are_told_in_one_sentence(refusal, content, told):
    assert (await refusal(content)).startswith(told)


async def test_what_is_no_file_is_told(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"there is no file .*\. Papers come from hf, arxiv:"):
        await read_listing(str(tmp_path / "missing.json"))
    with pytest.raises(InputError, match="there is no file ''"):
        await read_listing("")
    with pytest.raises(InputError, match="no file of this folder is named by a day"):
        await read_listing(str(tmp_path))
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input: nothing can be read: it is closed"):
        await read_listing("-")
    (tmp_path / "locked").touch()

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(InputError, match="locked: cannot be read: Permission denied"):
        await read_listing(str(tmp_path / "locked"))


async def test_a_file_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 1 << 20)
    with pytest.raises(InputError, match="larger than 1 MB"):
        await read_listing("/dev/zero")


async def test_an_entity_bomb_is_refused(refusal):
    bomb = '<!DOCTYPE f [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><feed>&b;</feed>'
    assert "DOCTYPE" in await refusal(bomb)
    assert "DOCTYPE" in await refusal('<!DOCTYPE f SYSTEM "file:///etc/passwd"><f/>')


async def test_a_feed_is_utf_8_whatever_it_declares(read):
    feed = (
        '<?xml version="1.0" encoding="ISO-8859-1"?><feed xmlns="http://www.w3.org/2005/Atom">'
        "<entry><id>http://arxiv.org/abs/2401.00001v1</id><title>Café</title></entry></feed>"
    )
    assert (await read(feed)).papers == (Paper(arxiv_id="2401.00001", title="Café"),)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=100).map(str.encode),
        st.recursive(
            st.none()
            | st.booleans()
            | st.floats()
            | st.integers()
            | st.text(max_size=5)
            | st.sampled_from([ONE, TWO, ITEM]),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from([*ONE, "paper", "papers", "id", "hidden", "name", "kind"]),
                    inner,
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
        st.binary(max_size=40).map(b'arxiv_id,title,"votes"\n'.__add__),
        st.binary(max_size=60).map(b"<feed xmlns='http://www.w3.org/2005/Atom'><entry>".__add__),
    )
)
@example(json.dumps([{**ITEM, "paper": {**ITEM["paper"], "submittedOnDailyAt": 1e300}}]).encode())
@example(b'[{"paper":{"id":"1","title":"a","submittedOnDailyAt":"9999-12-31T23:59:59-12:00"}}]')
def test_any_bytes_give_papers_or_one_sentence(tmp_path, content):
    path = tmp_path / "papers"
    path.write_bytes(content)
    try:
        _, papers = files.read_file(str(path), cross=True, replaced=True, notice=lambda _: None)
    except InputError as refused:
        said = str(refused)
    else:
        said = papers[0].arxiv_id
    assert said.isprintable()


@needs_shared
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("seed/2024-01-12.papers.jsonl", 18),
        ("real/2024-01-03.papers.jsonl", 11),
        ("real/2025-04-11.papers.jsonl", 14),
        ("real/2025-04-28.papers.jsonl", 11),
        ("real/2024-05-29.hf-api.json", 8),
        ("real/2025-04-24.hf-api.json", 10),
        ("real/arxiv-api.atom.xml", 10),
        ("real/arxiv-listing.atom.xml", 2),
    ],
)
async def test_real_files_are_read(name, count):
    told: list[str] = []
    papers = (await read_listing(str(SHARED / name), notice=told.append)).papers
    assert len(papers) == count
    assert all(paper.abstract and paper.authors for paper in papers)
    assert told == (["left out of the listing: 5 cross-listed"] if "listing" in name else [])


@needs_shared
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("malformed.hf-dump.json", "'data' holds Python objects printed as text"),
        ("arxiv-api.empty.atom.xml", "arXiv answered with an error: 'incorrect id format for abc'"),
        ("2024-05-29.md", "it is not JSON, JSON Lines or Atom, nor CSV"),
    ],
)
async def test_real_broken_files_are_told(name, told):
    with pytest.raises(InputError, match=told):
        await read_listing(str(SHARED / "real" / name))


@needs_shared
async def test_the_seed_keeps_its_order_and_its_authors():
    path = SHARED / "seed" / "2024-01-12.papers.jsonl"
    raw = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    papers = (await read_listing(str(path))).papers
    assert [p.arxiv_id for p in papers] == [row["arxiv_id"] for row in raw]
    assert [list(p.authors) for p in papers] == [row["authors"] for row in raw]
