"""What servers keep cached is a prompt's beginning, so that must be the same for every paper."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from summarizer.digest import Paper
from summarizer.flow import summary_flow
from summarizer.models import Answer, Request
from summarizer.models.completions import FORMS, Dialect, write_body
from summarizer.prompts import load_prompt
from summarizer.shipped import SHIPPED

if TYPE_CHECKING:
    from summarizer.prompts import Prompt

SHIPPED_PROMPTS = [load_prompt(path) for path in sorted((SHIPPED / "prompts").glob("*.prompty"))]

# Nothing of one is like the other, from the first character on.
ONE = Paper(arxiv_id="2401.00001", title="Alpha", abstract="We halve the cost of a 7B model.")
OTHER = Paper(arxiv_id="2402.00002", title="Βeta", abstract="Results on 12 tasks are mixed.")


def sent(request: Request, dialect: Dialect) -> str:
    """The messages as a server reads them, one after another."""
    messages, _ = write_body(request, dialect)
    return "".join(f"<{message['role']}>{message['content']}" for message in messages)


def fixed_part(prompt: Prompt) -> str:
    """All that the prompt says before the first text of a paper."""
    text = ""
    for message in prompt.messages:
        text += f"<{message.role}>{message.parts[0]}"
        if len(message.parts) > 1:
            return text
    raise AssertionError


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("prompt", SHIPPED_PROMPTS, ids=lambda prompt: prompt.name)
def test_two_papers_questions_differ_only_in_what_is_the_papers(prompt, form):
    dialect = Dialect(form=form)
    questions = [sent(prompt.render(paper), dialect) for paper in (ONE, OTHER)]
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(*questions, strict=False))
    shared = "".join(one for one, _ in alike)
    if prompt.output_schema is None or form == "json_schema":
        assert shared == fixed_part(prompt)
    else:  # the schema is told in words, in the first message
        assert "must satisfy this JSON Schema" in shared
    for question, paper in zip(questions, (ONE, OTHER), strict=True):
        rest = question.removeprefix(shared)
        assert len(rest) <= len(paper.title) + len(paper.abstract or "") + 60
    assert len(shared) > 9 * max(len(question) - len(shared) for question in questions)
    settings = [write_body(prompt.render(paper), dialect)[1] for paper in (ONE, OTHER)]
    assert json.dumps(settings[0]) == json.dumps(settings[1])


@pytest.mark.parametrize("prompt", SHIPPED_PROMPTS, ids=lambda prompt: prompt.name)
def test_a_repair_begins_with_all_that_was_said_before(prompt):
    flow = summary_flow(ONE, prompt, repairs=2)
    answers = (Answer(text=text) for text in ("- 틀렸다", "- 또 틀렸다"))
    asked = [next(flow), *map(flow.send, answers)]
    flow.close()
    first, second, third = (sent(request, Dialect()) for request in asked)
    assert second.startswith(first)
    assert third.startswith(second)
    assert [message.content for message in asked[2].messages].count("- 또 틀렸다") == 1
