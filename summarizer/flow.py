"""Summarising one paper: render, ask, parse, check, mend, and ask again with what was wrong.

The flow is a generator that yields requests and is sent answers. It does no I/O: a live run, a
batch, a replay and an eval all drive this one.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, TypeAlias

from summarizer.answers import read_points
from summarizer.checks import check_summary, fixes, mend
from summarizer.digest import Attempt, Entry, Finding, Provenance, Summary, Usage
from summarizer.errors import ModelError, ModelUnusable, RecordingMiss
from summarizer.models import Answer, Message, Request, Unanswered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from summarizer.checks import Checks
    from summarizer.digest import Paper
    from summarizer.models import ChatModel
    from summarizer.prompts import Prompt

REPAIRS = 2
"""How often a failed answer is asked for again, where neither caller nor prompt says."""

Flow: TypeAlias = Generator[Request, Answer | Unanswered, Entry]

_UNREADABLE = {
    "length": "the answer was cut off at the token limit",
    "thinking": "thinking used up all tokens before an answer was written",
    "content_filter": "the server's content filter withheld the answer",
    "refusal": "the model refused to answer",
}
"""Finish reasons after which there is nothing to parse."""


def parse_summary(answer: Answer, prompt: Prompt) -> Summary | list[Finding]:
    """Read an answer as the summary that the prompt asked for.

    The finish reason is read first: what was cut off or withheld is never parsed.

    Returns:
        The summary, or findings of the check `answer` that say why there is none.
    """
    problem = _UNREADABLE.get(answer.finish_reason)
    if problem is None:
        points = read_points(answer.text, form=prompt.output)
        if isinstance(points, list):
            return Summary(points=points)
        problem = points
    return [Finding(check="answer", severity="error", message=problem)]


def summary_flow(
    paper: Paper,
    prompt: Prompt,
    *,
    checks: Checks | None = None,
    repairs: int | None = None,
    sample: int = 0,
) -> Flow:
    """Summarise one paper, asking whoever drives the generator.

    Args:
        checks: Exactly these run; None leaves it to the prompt, then to `checks.DEFAULT`.
        repairs: How often a failed answer is asked for again; None as above, then `REPAIRS`.
        sample: Which independent answer to the same question is wanted.

    Yields:
        What to ask; it must be sent what was answered, or `Unanswered`.

    Returns:
        The entry, with every attempt in its provenance; a wrong answer ends as a failed entry.
    """
    checks = prompt.checks if checks is None else checks
    repairs = next(n for n in (repairs, prompt.repairs, REPAIRS) if n is not None)
    if missing := prompt.missing(paper):
        reason = f"the source gives no {' and no '.join(missing)}, so there is nothing to summarise"
        return Entry(paper=paper, status="failed", cause="paper", reason=reason)

    asked = request = prompt.render(paper, sample=sample)
    attempts: list[Attempt] = []
    model, tokens = "", Usage()
    summary: Summary | None = None
    findings: list[Finding] = []
    errors: list[Finding] = []

    def entry(**outcome: str) -> Entry:
        provenance = Provenance(
            prompt=prompt.name,
            prompt_hash=prompt.hash,
            model=model,
            params=asked.params,
            basis=prompt.basis,
            attempts=tuple(attempts),
            tokens=tokens,
        )
        return Entry.model_validate(
            {
                "paper": paper,
                "summary": summary,
                "findings": findings,
                "provenance": provenance,
                **outcome,
            }
        )

    for repair in range(repairs + 1):
        answer = yield request
        if isinstance(answer, Unanswered):
            if not attempts or answer.asked:
                return entry(status="failed", cause="unanswered", reason=answer.reason)
            told = f"the answer failed the checks: {errors[0].message}; {answer.reason}"
            return entry(status="failed", cause="findings", reason=told)
        model, tokens = answer.model, tokens + (answer.usage or Usage())

        parsed = parse_summary(answer, prompt)
        mended: Sequence[Finding] = ()
        if isinstance(parsed, Summary):
            first = check_summary(
                paper, parsed, checks=checks, language=prompt.language, basis=prompt.basis
            )
            summary, findings, mended = parsed, first, fixes(first)
            if mended:
                summary = mend(parsed, mended)
                findings = check_summary(
                    paper, summary, checks=checks, language=prompt.language, basis=prompt.basis
                )
        else:
            summary, first = (
                None,
                [f.model_copy(update={"arxiv_id": paper.arxiv_id}) for f in parsed],
            )
            findings = first
        attempts.append(
            Attempt(
                fingerprint=request.fingerprint,
                summary=parsed if isinstance(parsed, Summary) else None,
                findings=tuple(first),
                mended=tuple(mended),
            )
        )
        errors = [finding for finding in findings if finding.severity == "error"]
        if not errors:
            return entry()
        label = f"{asked.label} repair {repair + 1}"
        request = _repair(request, answer, errors).model_copy(update={"label": label})

    tries = "the answer" if repairs == 0 else f"all {repairs + 1} answers"
    return entry(
        status="failed", cause="findings", reason=f"{tries} failed the checks: {errors[0].message}"
    )


def _repair(request: Request, answer: Answer, errors: Sequence[Finding]) -> Request:
    """The conversation so far, the answer it got, and one sentence for each thing that was wrong.

    It goes on from the last question, so that the same wrong answer is never the same question.
    """
    wrong = []
    for error in errors:
        place = "" if error.point is None else f"Point {error.point + 1}: "
        evidence = f" (The paper says: {error.evidence})" if error.evidence else ""
        wrong.append(f"- {place}{error.message}{evidence}")
    told = Message(
        role="user",
        content="\n".join(
            [
                "Your answer cannot be published yet:",
                *wrong,
                "Answer again, whole and in the same form. Change only what these sentences name.",
            ]
        ),
    )
    whole = answer.text.strip() and answer.finish_reason not in _UNREADABLE
    before = (Message(role="assistant", content=answer.text),) if whole else ()
    return request.model_copy(update={"messages": (*request.messages, *before, told)})


async def drive(flow: Flow, model: ChatModel) -> Entry:
    """Answer a flow's questions with a model until it ends.

    A `ModelError` about one question becomes `Unanswered`; whatever stops the whole run is raised.

    Raises:
        ModelUnusable: No question can be answered.
        RecordingMiss: A replay lacks the paper's first question.
    """
    first = True
    try:
        request = next(flow)
        while True:
            try:
                reply: Answer | Unanswered = await model.ask(request)
            except ModelUnusable:
                raise
            except RecordingMiss as error:
                if first:
                    raise
                reply = Unanswered(reason=error.message, asked=False)
            except ModelError as error:
                reply = Unanswered(reason=str(error))
            first = False
            request = flow.send(reply)
    except StopIteration as end:
        entry: Entry = end.value
        return entry
    finally:
        flow.close()


async def summarize(
    paper: Paper,
    *,
    prompt: Prompt,
    model: ChatModel,
    checks: Checks | None = None,
    repairs: int | None = None,
    sample: int = 0,
) -> Entry:
    """Summarise one paper with a model; the arguments are those of `summary_flow`.

    Raises:
        ModelUnusable: No question can be answered.
        RecordingMiss: A replay lacks the paper's first question.
    """
    flow = summary_flow(paper, prompt, checks=checks, repairs=repairs, sample=sample)
    return await drive(flow, model)
