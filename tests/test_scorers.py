"""Scorers: what one answer is worth, by checks, by overlap and by functions of the user's."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer import Answer, Prompt, load_prompt
from summarizer.checks import CHECKS
from summarizer.digest import Attempt, Entry, Finding, Summary, Usage
from summarizer.errors import InputError
from summarizer.evals.cases import Case
from summarizer.evals.overlap import _longest, rouge
from summarizer.evals.scorers import (
    ALL,
    NEED_TARGETS,
    SCORERS,
    load_scorers,
    score_entry,
    validate_score,
    validate_scorers,
)
from summarizer.flow import parse_summary, summary_flow

GOOD = (
    "이 논문은 작은 방법을 제안합니다.",
    "방법은 16개 과제에서 평가되었습니다.",
    "이 방법은 단순합니다.",
    "그중 14개 과제에서 더 나은 결과를 얻었습니다.",
)
CASE = Case(
    id="2401.00001",
    input="We present a small method. It is simple. It is evaluated on 16 tasks and wins on 14.",
    target="\n".join(GOOD),
    metadata={"title": "A Small Method"},
)


@pytest.fixture(scope="module")
def prompt() -> Prompt:
    return load_prompt("digest-ko")


def attempt(points: tuple[str, ...] | None = GOOD, *findings: Finding, **fields: Any) -> Attempt:
    summary = None if points is None else Summary(points=points)
    return Attempt(fingerprint="a", summary=summary, findings=findings, **fields)


def entry(*attempts: Attempt, case: Case = CASE, **fields: Any) -> Entry:
    """An entry that these attempts led to; the last one is what stands."""
    provenance = {
        "prompt": "digest-ko",
        "prompt_hash": "b",
        "model": fields.pop("model", "m"),
        "attempts": attempts,
        "tokens": fields.pop("tokens", Usage()),
    }
    given = {"summary": attempts[-1].summary, "findings": attempts[-1].findings, **fields}
    return Entry.model_validate({"paper": case.paper, "provenance": provenance, **given})


def found(check: str = "numbers", *, point: int | None = 0, severity: str = "error") -> Finding:
    return Finding.model_validate(
        {"check": check, "severity": severity, "message": "no", "point": point}
    )


def scores(
    name: str, entry: Entry, prompt: Prompt, case: Case = CASE, **parameters: Any
) -> dict[str, float | None]:
    scorers = load_scorers({name: parameters}).values()
    given, failed = score_entry(scorers, entry, case, prompt)
    assert failed is None
    return {score.name: score.value for score in given}


# --- checks --------------------------------------------------------------------------------------


def test_every_check_is_a_scorer_and_a_clean_answer_is_clean(prompt: Prompt) -> None:
    for check in (*CHECKS, ALL):
        told = scores(check, entry(attempt()), prompt)
        assert told == {
            f"{check}.clean": 1,
            f"{check}.clean_points": 1,
            f"{check}.errors": 0,
            f"{check}.warnings": 0,
            f"{check}.error_rate": 0,
            f"{check}.left": 0,
        }


def test_the_first_answer_is_judged_and_what_is_left_stands_beside_it(prompt: Prompt) -> None:
    wrong = attempt(
        GOOD, found(), found(), found(point=1, severity="warning"), found("josa", point=2)
    )
    mended = entry(wrong, attempt((*GOOD[:3], "더 나은 결과를 얻었습니다.")))
    assert scores("numbers", mended, prompt) == {
        "numbers.clean": 0,
        "numbers.clean_points": 0.5,
        "numbers.errors": 2,
        "numbers.warnings": 1,
        "numbers.error_rate": 1,
        "numbers.left": 0,
    }
    assert scores(ALL, mended, prompt)["checks.errors"] == 3
    as_it_was = entry(wrong)
    assert scores("numbers", as_it_was, prompt)["numbers.left"] == 3


def test_an_answer_that_cannot_be_read_is_wrong_but_no_check_can_say_more(prompt: Prompt) -> None:
    unread = attempt(None, found("answer", point=None))
    failed = entry(unread, status="failed", cause="findings", reason="empty")
    told = scores(ALL, failed, prompt)
    assert (told["checks.error_rate"], told["checks.clean_points"]) == (1, None)
    assert set(scores("numbers", failed, prompt).values()) == {None}
    repaired = entry(unread, attempt())
    assert scores(ALL, repaired, prompt)["checks.left"] == 0


def test_a_prompt_that_checks_less_scores_no_better(prompt: Prompt, tmp_path: Path) -> None:
    """Its own findings are empty; the scorer runs what the prompt left out or set otherwise."""
    text = prompt.path.read_text()
    start, end = text.index("  checks:"), text.index("  repairs:")
    path = tmp_path / "lax.prompty"
    path.write_text(text[:start] + "  checks: {text: {severity: warning}}\n" + text[end:])
    lax = load_prompt(path)
    english = (*GOOD[:3], "It wins on 14 of them.")
    answer = Answer(text="\n".join(f"- {point}" for point in english))
    summary = parse_summary(answer, lax)
    assert isinstance(summary, Summary)
    flow = summary_flow(CASE.paper, lax)
    next(flow)
    with pytest.raises(StopIteration) as ended:
        flow.send(answer)
    by_lax: Entry = ended.value.value
    assert by_lax.status == "ok"
    told = scores("text", by_lax, lax)
    assert (told["text.errors"], told["text.warnings"], told["text.left"]) == (1, 0, 1)
    assert scores("text", by_lax, lax, severity="warning")["text.warnings"] == 1


# --- the others ----------------------------------------------------------------------------------


def test_what_became_of_a_case_and_what_it_took(prompt: Prompt) -> None:
    failed = entry(
        attempt(None, found("answer")),
        attempt(GOOD, found()),
        status="failed",
        cause="findings",
        reason="no",
    )
    assert scores("ok", failed, prompt) == {"ok": 0}
    assert scores("attempts", failed, prompt) == {"attempts": 2}
    assert scores("repairs", failed, prompt) == {"repairs": 1}
    assert scores("ok", entry(attempt()), prompt) == {"ok": 1}
    assert scores("repairs", entry(attempt()), prompt) == {"repairs": 0}
    never = Entry(paper=CASE.paper, status="failed", cause="paper", reason="it has no abstract")
    assert scores("repairs", never, prompt) == {"repairs": 0}


def test_lengths_are_of_the_first_answer(prompt: Prompt) -> None:
    two = entry(attempt(("하나.", "둘.")), attempt())
    assert scores("length", two, prompt) == {"length.characters": 5, "length.points": 2}
    assert scores("compression", two, prompt) == {"compression": 5 / len(CASE.input)}
    bare = CASE.model_copy(update={"input": ""})
    assert scores("compression", entry(attempt(), case=bare), prompt, bare) == {"compression": None}


def test_tokens_and_dollars_are_left_out_where_nobody_said(prompt: Prompt) -> None:
    used = Usage(prompt=1_000_000, completion=1_000_000)
    priced = entry(attempt(), model="gpt-4o-mini", tokens=used)
    assert scores("tokens", priced, prompt)["tokens.prompt"] == 1_000_000
    assert scores("cost", priced, prompt)["cost"] == pytest.approx(0.75, rel=0.5)
    for unknown in (entry(attempt(), model="gpt-4o-mini"), entry(attempt(), tokens=used)):
        assert scores("cost", unknown, prompt) == {"cost": None}
    assert scores("tokens", entry(attempt()), prompt)["tokens.completion"] is None


def test_recall_is_the_share_of_the_results_figures(prompt: Prompt) -> None:
    case = CASE.model_copy(update={"input": "Accuracy rises by 4.5% and speed by 12.5%."})
    half = entry(attempt(("정확도가 4.5% 오릅니다.",)), case=case)
    assert scores("recall", half, prompt, case) == {"recall": 0.5}
    unread = entry(attempt(None), case=case, status="failed", cause="findings", reason="no")
    assert scores("recall", unread, prompt, case) == {"recall": 0}
    assert scores("recall", entry(attempt()), prompt) == {"recall": None}


@pytest.mark.parametrize(
    ("wanted", "share"),
    [
        ([], None),
        (["numbers"], 1),
        (["numbers", "links"], 0.5),
        ([{"check": "numbers", "point": 1}], 1),
        ([{"check": "numbers", "point": 0}], 0),
        (["answer"], 0),
    ],
)
def test_found_is_the_share_of_wanted_findings(
    wanted: list[Any], share: float | None, prompt: Prompt
) -> None:
    case = CASE.model_copy(update={"metadata": {"title": "T", "findings": wanted}})
    assert scores("found", entry(attempt(GOOD, found(point=1))), prompt, case) == {"found": share}


# --- overlap -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(NEED_TARGETS))
def test_overlap_is_all_for_the_reference_itself_and_none_for_nothing(
    name: str, prompt: Prompt
) -> None:
    assert set(scores(name, entry(attempt()), prompt).values()) == {100}
    unread = entry(attempt(None), status="failed", cause="findings", reason="no")
    assert set(scores(name, unread, prompt).values()) == {0}
    alien = entry(attempt(("wholly unlike",)))
    assert set(scores(name, alien, prompt).values()) == {0}
    bare = CASE.model_copy(update={"target": " \n"})
    assert set(scores(name, entry(attempt()), prompt, bare).values()) == {None}


@pytest.mark.parametrize("name", sorted(NEED_TARGETS))
def test_another_particle_costs_little_and_another_word_more(name: str, prompt: Prompt) -> None:
    case = CASE.model_copy(update={"target": "모델은 과제를 빠르게 해결합니다."})

    def worth(text: str) -> list[float]:
        told = scores(name, entry(attempt((text,))), prompt, case)
        return [value for value in told.values() if value is not None]

    particle, word = (
        worth("모델이 과제를 빠르게 해결합니다."),
        worth("모델은 문장을 자주 번역합니다."),
    )
    for close, far in zip(particle, word, strict=True):
        assert 100 > close > far > 0


def test_rouge_counts_by_hand() -> None:
    """모/델/은/7/b/입/니/다 against 모/델/이/7/b/다: five shared of eight and six."""
    case = CASE.model_copy(update={"target": "모델이 7B다"})
    told = rouge(entry(attempt(("모델은 7B입니다.",))), case)
    assert told == {
        "1": 200 * 5 / 14,
        "2": 200 * 2 / 12,
        "l": 200 * 5 / 14,
    }


tokens = st.lists(st.sampled_from("가나다라"), max_size=12)


@given(tokens, tokens)
def test_the_longest_common_subsequence_is_that_of_the_table(a: list[str], b: list[str]) -> None:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, j in product(range(len(a)), range(len(b))):
        longer = max(table[i][j + 1], table[i + 1][j])
        table[i + 1][j + 1] = table[i][j] + 1 if a[i] == b[j] else longer
    assert _longest(a, b) == table[-1][-1]


@given(st.text(), st.text())
def test_rouge_takes_any_text_and_never_leaves_its_range(said: str, wanted: str) -> None:
    case = CASE.model_copy(update={"target": wanted})
    for value in rouge(entry(attempt((said,))), case).values():
        assert value is None or 0 <= value <= 100


def test_a_signature_says_what_a_figure_depends_on() -> None:
    loaded = load_scorers(
        {
            "chrf": {"word_order": 0},
            "bleu": {},
            "rouge": {},
            "numbers": {"severity": "warning"},
            "ok": {},
        }
    )
    assert "nw:0" in loaded["chrf"].signature
    assert "tok:char" in loaded["bleu"].signature
    assert "tok:syllable" in loaded["rouge"].signature
    assert loaded["numbers"].signature.startswith("severity:warning|version:")
    assert all("version:" in scorer.signature for scorer in loaded.values())
    told = {"chrf": ({}, {"word_order": 0}, {"beta": 3}), "bleu": ({}, {"max_ngram_order": 2})}
    for name, settings in told.items():
        signatures = {load_scorers({name: one})[name].signature for one in settings}
        assert len(signatures) == len(settings)


def test_without_sacrebleu_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from summarizer.evals import overlap

    overlap._measure.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "sacrebleu"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(InputError, match=r"chrf: sacrebleu is not installed.*summarizer\[evals\]"):
        load_scorers({"chrf": {}})
    load_scorers({"rouge": {}})


# --- scorers of the user's own -------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module of the user's in the current folder."""
    path = tmp_path / "my_scorers.py"
    path.write_text(
        "from functools import partial\n"
        "from summarizer.evals.runs import Score\n"
        "def one(entry, case): return 0.5\n"
        "def several(entry, case, *, factor=1): return {'a': factor, 'b': None}\n"
        "def informing(entry, case):\n"
        "    yield Score(name='informing.x', value=3, better=None)\n"
        "def wrong(entry, case): return 1 / 0\n"
        "def ends(entry, case): raise SystemExit(0)\n"
        "def other(entry, case): yield Score(name='chrf', value=1)\n"
        "def nan(entry, case): return float('nan')\n"
        "def infinite(entry, case): return {'x': float('inf')}\n"
        "def told(entry, case): yield Score(name='told', value=float('nan'))\n"
        "def words(entry, case): return {'a': 'much'}\n"
        "def needy(entry, case, *, must): return must\n"
        "made = partial(several, factor=2)\n"
        "thing = 3\n"
    )
    (tmp_path / "broken_scorers.py").write_text("raise RuntimeError('not today')\n")
    (tmp_path / "ending_scorers.py").write_text("raise SystemExit(0)\n")
    (tmp_path / "more_scorers.py").write_text("def one(entry, case): return 1\n")
    monkeypatch.chdir(tmp_path)
    yield path
    for name in ("my_scorers", "more_scorers", "broken_scorers"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("own")
def test_a_function_of_ones_own_gives_a_number_several_or_scores(prompt: Prompt) -> None:
    good = entry(attempt())
    assert scores("my_scorers:one", good, prompt) == {"one": 0.5}
    told = scores("my_scorers:several", good, prompt, factor=7)
    assert told == {"several.a": 7, "several.b": None}
    given, _ = score_entry(load_scorers({"my_scorers:informing": {}}).values(), good, CASE, prompt)
    assert [(score.value, score.better) for score in given] == [(3, None)]
    assert str(Path.cwd()) not in sys.path


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wrong", "ZeroDivisionError: division by zero"),
        ("ends", "SystemExit: 0"),
        ("other", "a score is called 'chrf', not 'other' or 'other.…'"),
        ("nan", "nan is nan"),
        ("infinite", "infinite.x is inf"),
        ("told", "a finite number"),
        ("words", "ValidationError"),
    ],
)
def test_a_scorer_that_raises_says_so_and_the_others_go_on(
    name: str, reason: str, prompt: Prompt
) -> None:
    scorers = load_scorers({f"my_scorers:{name}": {}, "ok": {}}).values()
    given, failed = score_entry(scorers, entry(attempt()), CASE, prompt)
    assert [score.name for score in given] == ["ok"]
    assert failed
    assert failed.startswith(f"the scorer '{name}' failed: ")
    assert reason in failed
    assert "\n" not in failed


@pytest.mark.parametrize("name", ["my_scorers:one", "my_scorers:made"])
def test_a_change_of_its_file_changes_its_signature(own: Path, name: str) -> None:
    before = load_scorers({name: {}})[name].signature
    own.write_text(own.read_text() + "# changed\n")
    assert load_scorers({name: {}})[name].signature != before


def test_an_entry_point_is_a_scorer(
    own: Path, monkeypatch: pytest.MonkeyPatch, prompt: Prompt
) -> None:
    plugged = EntryPoint("polite", "my_scorers:one", "summarizer.scorers")
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda **how: EntryPoints([plugged]).select(**how)
    )
    assert scores("polite", entry(attempt()), prompt) == {"polite": 0.5}
    with pytest.raises(InputError, match="Did you mean 'polite'"):
        validate_scorers({"polit": {}})


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("scorers", "told"),
    [
        ({"numbrs": {}}, "no scorer 'numbrs'. Did you mean 'numbers'; one of your own is named"),
        ({"numbers": {"x": 1}}, "the check 'numbers' has no parameter 'x'"),
        ({"checks": {"severity": "error"}}, "'checks' has no parameters"),
        ({"length": {"x": 1}}, "unexpected keyword argument 'x'"),
        ({"chrf": {"x": 1}}, "cannot take"),
        ({"chrf": {"char_order": "many"}}, "cannot take"),
        ({"bleu": {"tokenize": "words"}}, "cannot take {'tokenize': 'words'}"),
        ({"my_scorers:needy": {}}, "argument: 'must'"),
        ({"my_scorers:nothing": {}}, "no function 'nothing'"),
        ({"my_scorers:thing": {}}, "no function 'thing'"),
        ({"no_such_module:one": {}}, "cannot be imported: ModuleNotFoundError"),
        ({"broken_scorers:one": {}}, "cannot be imported: RuntimeError: not today"),
        ({"ending_scorers:one": {}}, "cannot be imported: SystemExit: 0"),
        ({":": {}}, "cannot be imported"),
        ({"my_scorers:one": {}, "more_scorers:one": {}}, "have equal names"),
    ],
)
def test_a_scorer_that_is_not_there_is_refused(scorers: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as refused:
        load_scorers(scorers)
    assert told in str(refused.value)


def test_validating_looks_at_one_parameter_at_a_time(own: Path) -> None:
    validate_scorers({"my_scorers:needy": {}, "my_scorers:several": {"factor": 2}, "checks": {}})
    with pytest.raises(InputError):
        validate_scorers({"my_scorers:several": {"facto": 2}})


@pytest.mark.parametrize(
    "score", ["chrf", "numbers.error_rate", "rouge.l", "one", "one.anything", "checks.left"]
)
def test_a_gate_may_name_what_a_scorer_gives(score: str) -> None:
    validate_score(score, ["chrf", "numbers", "rouge", "checks", "a.b:one"])


@pytest.mark.parametrize(
    ("score", "hint"),
    [
        ("numbers.eror_rate", "Did you mean 'numbers.error_rate'"),
        ("numbers", "numbers.clean"),
        ("chrf.f", "Did you mean 'chrf'"),
        ("cherf", "Did you mean 'chrf'"),
        ("links.clean", "There are numbers, chrf"),
    ],
)
def test_a_gate_may_name_nothing_else(score: str, hint: str) -> None:
    with pytest.raises(InputError) as refused:
        validate_score(score, ["numbers", "chrf"])
    assert hint in (refused.value.hint or "")


def test_every_scorer_by_name_can_be_loaded(prompt: Prompt) -> None:
    loaded = load_scorers({name: {} for name in (*CHECKS, ALL, *SCORERS)})
    given, failed = score_entry(loaded.values(), entry(attempt()), CASE, prompt)
    assert failed is None
    assert len({score.name for score in given}) == len(given)
    for score in given:
        validate_score(score.name, loaded)
        assert score.value is None or math.isfinite(score.value)


@pytest.mark.usefixtures("own")
def test_every_scorer_is_documented_and_the_example_is_one(prompt: Prompt) -> None:
    page = (Path(__file__).parents[1] / "docs" / "evals-format.md").read_text()
    for name in (ALL, *SCORERS):
        assert f"`{name}`" in page, name
    Path("polite.py").write_text(page.split("```py\n")[1].split("```")[0])
    told = scores("polite:politeness", entry(attempt((*GOOD[:3], "끝이다."))), prompt)
    assert told == {"politeness": 0.75}
