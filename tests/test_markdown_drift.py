from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from summarizer import Entry, Summary, lint_markdown, parse_markdown
from summarizer.errors import InputError
from summarizer.formats.markdown import render_markdown
from tests.strategies import digests, lines
from tests.test_markdown import REGULAR, of, paper

NO_POINT = "this paper has no point"
IMAGE = "![](https://example.org/sheep.png)\n"
VIDEO = REGULAR[REGULAR.index("[Watch Video]") : REGULAR.index("\nVote: -")]
FILM = "https://example.org/think.mp4"


def drifts(text: str) -> list[tuple[int | None, str]]:
    return [(finding.line, finding.message) for finding in lint_markdown(text)]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("Vote: 12\n\n", "", [(3, "the line of votes is missing")]),
        ("\nAuthors: -\n", "", [(17, "the line of authors is missing")]),
        (
            "Authors: Ada Lovelace, Grace Hopper, +",
            "Authors: ['Ada Lovelace', \"Grace Hopper\", '+']",
            [(9, "the authors are written as a Python list")],
        ),
        ("Authors: -", "Authors: []", [(24, "the authors are written as a Python list")]),
        (VIDEO, f"[Watch Video] {FILM}\n", [(19, "video")]),
        (VIDEO, f"[Watch Video]{FILM}\n{VIDEO.splitlines()[1]}\n", [(19, "video")]),
        (VIDEO, f"[Watch Video]\n{FILM}\n", [(19, "video")]),
        (VIDEO, f'<video src="{FILM}" controls></video>\n', [(19, "video")]),
        (VIDEO, f"<iframe src={FILM} ></iframe>\n", [(19, "video")]),
        (
            VIDEO,
            f'<iframe src="{FILM}"></iframe>\n\n'
            f'<video width="320" controls>\n  <source src="{FILM}" type="video/mp4">\n</video>\n',
            [(19, "video")],
        ),
        (IMAGE, IMAGE.replace("[]", "[sheep]"), [(5, "picture")]),
        ("\n" + IMAGE, IMAGE, [(4, "no blank line stands before the picture or video")]),
        ("\nAuthors: -", "Authors: -", [(23, "no blank line stands before the line of authors")]),
        ("\n\n- 생각", "\n- 생각", [(25, "no blank line stands before the points")]),
        ("\nVote: 12", "\n\n\nVote: 12", [(9, "3 blank lines stand before the line of votes")]),
        ("올랐다.\n\n", "올랐다.\n", [(15, "no blank line stands before the next heading")]),
        ("줄인다.\n\n", "줄인다.\n", [(26, "no blank line stands before the end of the file")]),
        ("줄인다.\n\n", "줄인다.", [(26, "no blank line stands before the end of the file")]),
        ("\n### [$", "\n## Daily Papers (2024-03-04)\n\n### [$", [(17, "second heading")]),
        ("\n### [$", "\n## Daily Papers (2024-03-05)\n\n### [$", [(17, "as of 2024-03-04")]),
        ("\n", "\r\n", [(1, "lines end in CR LF or CR instead of LF")]),
        ("## Daily", "\ufeff## Daily", [(1, "the file begins with a byte order mark")]),
        ("Vote: 12", "Vote: 12 ", [(7, "spaces stand at the end of this line")]),
        ("Vote: 12", "Votes: 12", [(7, "it should read `Vote: 12`")]),
        ("- 양을", "* 양을", [(11, "this point does not begin with `- `")]),
        ("- 양을", " - 양을", [(11, "this point does not begin with `- `")]),
        ("/2403.00001)\n", "/2403.00001)  \n", [(3, "line 3 differs from the regular form")]),
        ("## Daily Papers (", "##  Daily papers(", [(1, "line 1 differs from the regular form")]),
        ("## Daily", "\n\n## Daily", [(1, "line 1 differs from the regular form")]),
        ("## Daily", "# Digests\n\nA preface.\n\n## Daily", [(1, "is not kept")]),
        ("줄인다.\n\n", "줄인다.\n\n## License\n\nOurs.\n", [(28, "is not kept")]),
    ],
)
def test_drift_is_read_and_told(old: str, new: str, found: list[tuple[int, str]]) -> None:
    drifted = REGULAR.replace(old, new)
    assert drifted != REGULAR
    expected = parse_markdown(REGULAR)
    if new == "":
        field = {"votes": None} if "Vote" in old else {}
        first, second = expected.entries
        first = first.model_copy(update={"paper": first.paper.model_copy(update=field)})
        expected = expected.model_copy(update={"entries": (first, second)})
    assert parse_markdown(drifted) == expected
    told = drifts(drifted)
    assert [line for line, _ in told] == [line for line, _ in found]
    for (_, message), (_, part) in zip(told, found, strict=True):
        assert part in message
    assert lint_markdown(render_markdown(parse_markdown(drifted))) == []


def test_a_finding_names_its_paper_and_only_warns() -> None:
    (finding,) = lint_markdown(REGULAR.replace("Vote: -\n\n", ""))
    assert (finding.check, finding.severity, finding.arxiv_id, finding.line) == (
        "format",
        "warning",
        "hep-th/9901001",
        17,
    )


def test_every_drift_of_a_file_is_told() -> None:
    drifted = REGULAR.replace("Vote: 12\n\n", "").replace("\nAuthors: -", "Authors: -")
    drifted = drifted.replace("- 생각", "* 생각")
    assert [line for line, _ in drifts(drifted)] == [3, 21, 23]


@pytest.mark.parametrize(
    ("written", "votes"),
    [("1,234", 1234), ("+5", 5), ("12 votes", 12), ("twelve", None), ("", None)],
)
def test_odd_votes_are_read_as_far_as_they_are_numbers(written: str, votes: int | None) -> None:
    drifted = REGULAR.replace("Vote: 12", f"Vote: {written}")
    assert parse_markdown(drifted).entries[0].paper.votes == votes
    assert [line for line, _ in drifts(drifted)] == [7]


def test_a_paper_without_points_is_kept_and_told() -> None:
    text = render_markdown(of(Entry(paper=paper(), summary=Summary())))
    (entry,) = parse_markdown(text).entries
    assert (entry.status, entry.summary) == ("ok", Summary())
    assert drifts(text) == [(3, NO_POINT)]
    assert render_markdown(parse_markdown(text)) == text


def test_stray_text_and_a_second_picture_become_points_and_are_told() -> None:
    stray = "한 문단이다.\n두 줄이다."
    picture = "![](https://example.org/another.png)"
    drifted = REGULAR.replace("Vote: 12\n", f"{stray}\n\nVote: 12\n\nVote: 13\n\n{picture}\n")
    summary = parse_markdown(drifted).entries[0].summary
    assert summary is not None
    assert [p.text for p in summary.points[:3]] == [stray, "Vote: 13", picture]
    assert [line for line, _ in drifts(drifted)] == [7, 12, 14]


def test_loose_lists_and_trailing_spaces_in_points_are_kept() -> None:
    text = REGULAR.replace("제안한다.\n", "제안한다. \n\n")
    summary = parse_markdown(text).entries[0].summary
    assert summary is not None
    assert summary.points[0].text == "양을 세는 새로운 방법을 제안한다. \n"
    assert render_markdown(parse_markdown(text)) == text
    assert lint_markdown(text) == []


EDITS = ["", " ", "Vote: 3", "Authors: ['A']", "[Watch Video]", FILM, "## License", "\\", "####"]


@st.composite
def edited(draw: st.DrawFn) -> str:
    written = render_markdown(draw(digests)).split("\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(written) - 1))
        new = draw(st.sampled_from(EDITS) | lines)
        kept = written[at : at + 1]
        written[at : at + 1] = draw(
            st.sampled_from([[], [new], [new, *kept], kept * 2, [f" {kept[0]}"], [f"{kept[0]} "]])
        ) or [""]
    ending = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
    return ending.join(written)


@settings(max_examples=150)
@given(edited())
@example("## Daily Papers (2024-03-04)\n\n#### x\n")
@example("#### x\n\n## Daily Papers (2024-03-04)\n\n")
def test_a_file_is_regular_exactly_where_nothing_is_told(text: str) -> None:
    try:
        digest = parse_markdown(text)
    except InputError:
        return
    told = [f for f in lint_markdown(text) if f.message != NO_POINT]
    assert (told == []) == (render_markdown(digest) == text)
    assert all(1 <= (f.line or 0) <= text.count("\n") + 1 for f in told)
    assert parse_markdown(render_markdown(digest)) == digest


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "this is no digest: the file is empty"),
        (" \n\n", 1, "this is no digest: the file is empty"),
        ("# A readme\n\n- It has points.\n", 1, "this is no digest: no line reads"),
        ("<!doctype html>\n<html></html>\n", 1, "this is no digest: no line reads"),
        ("\x00\x01PK\x03\x04", 1, "this is no digest: no line reads"),
        ('{"date": "2024-03-04"}', 1, "this is no digest: no line reads"),
        ("\n### [T](https://arxiv.org/abs/2403.00001)\n", 2, "no line `## Daily Papers (DATE)`"),
        (REGULAR.replace("03-04", "02-30"), 1, "this heading names no day that exists"),
        (REGULAR.replace(" (2024-03-04)", ""), 1, "this heading names no day that exists"),
        (REGULAR.replace("arxiv.org/abs/2403.00001", "example.org"), 3, "does not link a title"),
        (REGULAR.replace("Counting Sheep: Sleep in Large Models", ""), 3, "has no title"),
        (REGULAR + "### A bare title\n", 28, "does not link a title"),
        (REGULAR.replace("양을 세는", "양을\ud800 세는"), 11, "is not valid Unicode"),
    ],
)
def test_what_is_no_digest_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"some/file.md:{line}: ")) as caught:
        parse_markdown(text, path="some/file.md")
    assert message in caught.value.message
    assert caught.value.hint
    with pytest.raises(InputError):
        lint_markdown(text)


HEAD = "## Daily Papers (2024-03-04)\n\n"
ENTRY = "### [T](https://arxiv.org/abs/2403.00001)\n\nVote: 1\n\nAuthors: A\n\n"
MANY = 50_000


@pytest.mark.parametrize(
    "text",
    [
        "[" * MANY,
        HEAD + "### [" + "[" * MANY + "](https://arxiv.org/abs/2403.00001)\n\n",
        HEAD + "### [" + "<a " * MANY + ">](https://arxiv.org/abs/2403.00001)\n\n",
        HEAD + "### [" + "\\" * MANY + "x](https://arxiv.org/abs/2403.00001)\n\n",
        HEAD + "### [T](" + ")" * MANY + "\n\n",
        HEAD + "### [T](https://arxiv.org/" + "a-" * MANY + ")\n\n",
        HEAD + ENTRY.replace(": A", ": [" + "'" * MANY),
        HEAD + ENTRY.replace(": A", ": " + "," * MANY),
        HEAD + ENTRY.replace(": 1", ": " + "1" * MANY),
        HEAD + ENTRY + "- " + "> " * MANY + "\n\n",
        HEAD + ENTRY + "- " + "\\" * MANY + "\n\n",
        HEAD + ENTRY + "- [" + "]:" * MANY + " a b\n\n",
        HEAD + ENTRY + "- a" + " " * MANY + "\n" * MANY,
    ],
)
def test_no_input_takes_more_than_linear_time(text: str) -> None:
    with suppress(InputError):
        assert parse_markdown(render_markdown(parse_markdown(text))) == parse_markdown(text)
