from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from summarizer import Digest, Entry, Media, Paper, Summary, lint_markdown, parse_markdown
from summarizer.errors import InputError
from summarizer.formats import FORMATS, format_of
from summarizer.formats.markdown import point_lines, render_markdown
from tests.strategies import digests, points

SHARED = Path(__file__).parents[2] / "shared"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
COMMONMARK = MarkdownIt("commonmark")

REGULAR = """\
## Daily Papers (2024-03-04)

### [Counting Sheep: Sleep in Large Models](https://arxiv.org/abs/2403.00001)

![](https://example.org/sheep.png)

Vote: 12

Authors: Ada Lovelace, Grace Hopper, +

- 양을 세는 새로운 방법을 제안한다.
- 세 단계로 이루어진다:
  1. 양을 찾는다.
  2. 양을 센다.
- ***Results***: 정확도가 71.5%에서 80.2%로 올랐다.

### [$ε$-Greedy [Revisited]: Let's <think>](https://arxiv.org/abs/hep-th/9901001v2)

[Watch Video](https://example.org/think.mp4)
<div><video controls src="https://example.org/think.mp4" muted="false"></video></div>

Vote: -

Authors: -

- 생각을 줄인다.

"""


def of(*papers: Paper | Entry) -> Digest:
    entries = (
        p if isinstance(p, Entry) else Entry(paper=p, summary=Summary(points=["x"])) for p in papers
    )
    return Digest(date=dt.date(2024, 3, 4), entries=tuple(entries))


def paper(**fields: Any) -> Paper:
    return Paper(**{"arxiv_id": "2403.00001", "title": "A Title", **fields})


def with_points(*texts: str) -> Digest:
    return of(Entry(paper=paper(), summary=Summary(points=texts)))


def test_the_regular_form_is_read() -> None:
    digest = parse_markdown(REGULAR)
    first, second = digest.entries
    assert digest.date == dt.date(2024, 3, 4)
    assert first.paper == Paper(
        arxiv_id="2403.00001",
        title="Counting Sheep: Sleep in Large Models",
        authors=("Ada Lovelace", "Grace Hopper", "+"),
        votes=12,
        media=Media(kind="image", url="https://example.org/sheep.png"),
    )
    assert first.summary is not None
    assert [point.label for point in first.summary.points] == [None, None, "Results"]
    assert (
        first.summary.points[1].text == "세 단계로 이루어진다:\n  1. 양을 찾는다.\n  2. 양을 센다."
    )
    assert second.paper == Paper(
        arxiv_id="hep-th/9901001",
        title="$ε$-Greedy [Revisited]: Let's <think>",
        media=Media(kind="video", url="https://example.org/think.mp4"),
        url="https://arxiv.org/abs/hep-th/9901001v2",
    )
    assert render_markdown(digest) == REGULAR
    assert lint_markdown(REGULAR) == []


@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "seed/2024-01-12.md",
        "real/2024-01-03.md",
        "real/2024-05-29.md",
        "real/2025-04-11.md",
        "real/2025-04-28.md",
    ],
)
def test_published_digests_come_back_byte_for_byte(name: str) -> None:
    text = (SHARED / name).read_bytes().decode()
    assert lint_markdown(text) == []
    digest = FORMATS["md"].read(text)
    through_json = FORMATS["json"].read(FORMATS["json"].render(digest))
    assert FORMATS["md"].render(digest) == text
    assert FORMATS["md"].render(through_json) == text


@settings(max_examples=100)
@given(digests)
def test_what_is_rendered_is_read_back(digest: Digest) -> None:
    text = render_markdown(digest)
    assert parse_markdown(text) == digest
    assert [f for f in lint_markdown(text) if f.message != "this paper has no point"] == []


@settings(max_examples=100)
@given(digests)
def test_no_text_changes_what_a_commonmark_parser_sees(digest: Digest) -> None:
    text = render_markdown(digest)
    tokens = COMMONMARK.parse(text)
    headings = [
        tokens[number + 1].children or []
        for number, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    assert len(headings) == 1 + len(digest.entries)
    for children in headings[1:]:
        kinds = [token.type for token in children]
        assert kinds[0] == "link_open"
        assert kinds[-1] == "link_close"
        assert kinds.count("link_open") == 1
        assert "image" not in kinds
    items = {t.map[0] + 1 for t in tokens if t.type == "list_item_open" and t.level == 1 and t.map}
    assert items.issuperset(line for entry in point_lines(text) for line in entry)


@given(st.lists(st.sampled_from([*"[]():'\",.$ε7 가", "](", "Word", "[A] "]), min_size=1))
def test_a_title_is_the_text_of_its_link(pieces: list[str]) -> None:
    title = "".join(pieces)
    text = render_markdown(of(paper(title=title)))
    inline = next(t for t in COMMONMARK.parse(text) if t.type == "inline" and "](" in t.content)
    assert inline.children is not None
    assert inline.children[0].attrs["href"] == "https://arxiv.org/abs/2403.00001"
    assert "".join(t.content for t in inline.children) == title


@pytest.mark.parametrize(
    ("title", "rendered"),
    [
        ("A [B] {C} (D): \"E\" 'F' $ε$ $\\epsilon$ *G*", None),
        ("Let's <think> about it</think>", None),
        ("If x<y, 1<2 and $a<b$", None),
        ("[Re] A [B [C]]", None),
        ("Odd ] one", "Odd \\] one"),
        ("Odd [ one", "Odd \\[ one"),
        ("a](javascript:alert(1))", "a\\](javascript:alert(1))"),
        ("[a](https://evil.example)", "\\[a\\](https://evil.example)"),
        ("a `]` b", "a `\\]` b"),
        ("ends in \\", "ends in \\\\"),
        ("\\[x]", "\\\\[x]"),
        ("<a href=x>y</a>", "\\<a href=x>y\\</a>"),
        ("<https://x.example> <me@x.example>", "\\<https://x.example> \\<me@x.example>"),
        ("If x<y and n>m", "If x\\<y and n>m"),
        ("never <!-- closed", "never \\<!-- closed"),
    ],
)
def test_titles_are_escaped_only_where_they_would_end_the_link(
    title: str, rendered: str | None
) -> None:
    digest = of(paper(title=title))
    text = render_markdown(digest)
    assert f"### [{rendered or title}](https://arxiv.org/abs/2403.00001)" in text.split("\n")
    assert parse_markdown(text) == digest


@pytest.mark.parametrize(
    ("authors", "rendered"),
    [
        (("Ada Lovelace", "Ada Lovelace", "al.", "+"), "Ada Lovelace, Ada Lovelace, al., +"),
        (("Sammy Davis, Jr.", "B"), "Sammy Davis\\, Jr., B"),
        (("-",), "\\-"),
        (("\\-",), "\\\\-"),
        (("['A', 'B']",), "['A'\\, 'B']"),
        (("['A']",), "\\['A']"),
        (("A\\", "B"), "A\\\\, B"),
        (("[x](https://evil.example)",), "\\[x\\](https://evil.example)"),
        ((), "-"),
    ],
)
def test_names_are_kept(authors: tuple[str, ...], rendered: str) -> None:
    digest = of(paper(authors=authors))
    text = render_markdown(digest)
    assert f"Authors: {rendered}" in text.split("\n")
    assert parse_markdown(text) == digest


@pytest.mark.parametrize(
    ("point", "rendered"),
    [
        ("a\n- b", "- a\n\\- b"),
        ("a\n\\- b", "- a\n\\\\- b"),
        ("a\n  - b\n    ```\n    - c\n    ```", "- a\n  - b\n    ```\n    - c\n    ```"),
        ("a\n### [x](https://x.example)", "- a\n\\### [x](https://x.example)"),
        ("a\n## Daily Papers (2024-01-01)", "- a\n\\## Daily Papers (2024-01-01)"),
        ("### a", "- \\### a"),
        ("a\n\nb\n===", "- a\n\nb\n\\==="),
        ("a\n```\n<!--", "- a\n\\```\n\\<!--"),
        ("a\n| x | y |\n|---|---|\n| 1 | 2 |", "- a\n| x | y |\n|---|---|\n| 1 | 2 |"),
        ("a\n1. b\n2. c\n\n$$x^2$$", "- a\n1. b\n2. c\n\n$$x^2$$"),
        ("[x]: https://evil.example", "- [x]\\: https://evil.example"),
        ("[x]: 한 낱말보다 길다", "- [x]: 한 낱말보다 길다"),
        ("", "- \\"),
        ("\\", "- \\\\"),
        ("-", "- \\-"),
        (" a ", "-  a "),
        ("a\n", "- a\n"),
    ],
)
def test_points_are_escaped_only_where_they_would_break_out(point: str, rendered: str) -> None:
    digest = with_points(point, "next")
    text = render_markdown(digest)
    assert text.endswith(f"\n\n{rendered}\n- next\n\n")
    assert parse_markdown(text) == digest


@given(st.lists(points, min_size=2, max_size=5), st.data())
def test_changing_a_point_changes_its_lines_and_no_other(texts: list[str], data: Any) -> None:
    changed = data.draw(st.integers(0, len(texts) - 1))
    before = render_markdown(with_points(*texts)).split("\n")
    texts[changed] = data.draw(points)
    after = render_markdown(with_points(*texts)).split("\n")
    start, *_ = point_lines("\n".join(after))[0][changed:]
    rest = sum(text.count("\n") + 1 for text in texts[changed + 1 :]) + 2
    assert before[: start - 1] == after[: start - 1]
    assert before[-rest:] == after[-rest:]


def test_the_lines_of_points_are_told() -> None:
    assert point_lines(REGULAR) == [[11, 12, 15], [26]]


def test_what_markdown_cannot_hold_is_left_out_or_tidied() -> None:
    digest = of(
        paper(
            title="Two\r\nlines",
            authors=(" Ada\nLovelace ", ""),
            url="javascript:alert(1)",
            media=Media(kind="video", url="javascript:alert(1)"),
            abstract="Not in the file.",
        ),
        Entry(paper=paper(), status="failed", cause="unanswered", reason="no answer"),
    )
    text = render_markdown(digest)
    assert "javascript" not in text
    (entry,) = parse_markdown(text).entries
    assert entry.paper == paper(title="Two lines", authors=("Ada Lovelace",))


def test_line_breaks_of_other_systems_become_ordinary_ones() -> None:
    text = render_markdown(with_points("a\r\nb\r### c"))
    assert text.endswith("- a\nb\n\\### c\n\n")
    assert parse_markdown(text) == with_points("a\nb\n### c")


@pytest.mark.parametrize(
    ("link", "arxiv_id"),
    [
        ("https://arxiv.org/abs/2401.05561v2", "2401.05561"),
        ("https://arxiv.org/pdf/2401.05561", "2401.05561"),
        ("https://arxiv.org/pdf/2401.05561v1.pdf", "2401.05561"),
        ("http://arxiv.org/abs/2401.05561", "2401.05561"),
        ("https://huggingface.co/papers/2401.05561", "2401.05561"),
        ("https://doi.org/10.48550/arXiv.2401.05561", "2401.05561"),
        ("https://doi.org/10.48550/arXiv.hep-th/9901001", "hep-th/9901001"),
        ("https://arxiv.org/abs/math.GT/0309136v3", "math.GT/0309136"),
        ("https://arxiv.org/abs/cond-mat.mes-hall/9901001", "cond-mat.mes-hall/9901001"),
    ],
)
def test_a_link_tells_the_paper(link: str, arxiv_id: str) -> None:
    text = REGULAR.replace("https://arxiv.org/abs/2403.00001", link)
    digest = parse_markdown(text)
    found = digest.entries[0].paper
    assert (found.arxiv_id, found.url or found.link) == (arxiv_id, link)
    assert render_markdown(digest) == text


@pytest.mark.parametrize(
    ("fields", "link"),
    [
        ({"url": "https://example.org/a b"}, 'https://example.org/a%20b "2403.00001"'),
        ({"url": "https://example.org/a)"}, 'https://example.org/a%29 "2403.00001"'),
        ({"arxiv_id": "a b](c"}, "https://arxiv.org/abs/a%20b%5D%28c"),
        ({"arxiv_id": "x-2403.00001"}, 'https://arxiv.org/abs/x-2403.00001 "x-2403.00001"'),
    ],
)
def test_a_link_that_does_not_tell_the_paper_is_followed_by_it(
    fields: dict[str, str], link: str
) -> None:
    digest = of(paper(**fields))
    text = render_markdown(digest)
    assert f"### [A Title]({link})" in text
    assert parse_markdown(text).entries[0].paper.arxiv_id == digest.entries[0].paper.arxiv_id
    assert render_markdown(parse_markdown(text)) == text


def test_a_format_is_known_by_its_suffix() -> None:
    assert format_of("a/2024-03-04.md") is FORMATS["md"]
    assert format_of(Path("2024-03-04.partial.JSON")) is FORMATS["json"]
    with pytest.raises(InputError, match=r"no digest has the suffix '\.txt'"):
        format_of("notes.txt")
