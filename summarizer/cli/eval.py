"""`summarizer eval`: what prompts and models are worth, by cases, scorers and gates."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from summarizer.cli.options import PATH, of_answers
from summarizer.errors import InputError, SummarizerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from summarizer.evals.answering import Ask
    from summarizer.evals.ci import Outcome
    from summarizer.evals.gates import Verdict
    from summarizer.evals.runs import Run
    from summarizer.evals.sets import EvalSet

SUBCOMMANDS: Mapping[str, str] = {
    "compare": "summarizer.cli.eval_compare:compare",
    "accept": "summarizer.cli.eval_accept:accept",
}


class _Eval(click.Command):
    """A command whose first word may be another one; every other word is a set."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        if args and args[0] in SUBCOMMANDS:
            name = f"{info_name} {args[0]}"
            return _subcommand(args[0]).make_context(name, args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, _subcommand(name).get_short_help_str()) for name in SUBCOMMANDS]
            )


def _subcommand(name: str) -> click.Command:
    module, _, function = SUBCOMMANDS[name].partition(":")
    command: click.Command = getattr(import_module(module), function)
    return command


@click.command(cls=_Eval, name="eval")
@click.argument("sets", nargs=-1, metavar="[SET]...")
@click.option("--prompt", metavar="NAME|FILE", help="Ask this prompt instead of the set's.")
@click.option("--model", metavar="SPEC", help="Ask this model instead of the set's.")
@click.option(
    "--repeats",
    type=click.IntRange(min=1, max=1_000),
    metavar="N",
    help="How many independent answers each case is asked for.  [default: as the set says]",
)
@click.option("--only", multiple=True, metavar="CASE", help="Only this case; may be repeated.")
@click.option(
    "--ask",
    type=click.Choice(["missing", "all"]),
    help="Ask models what has no recording, or everything anew, and record what they answer.",
)
@click.option(
    "--baseline-ref",
    "ref",
    metavar="REF",
    help="Take sets, gates and baselines from this git ref: origin/main.",
)
@click.option(
    "--out",
    type=PATH,
    metavar="FILE",
    help="Write the run; one that was interrupted goes on. For several sets, a folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option("--junit", type=PATH, metavar="FILE", help="Write JUnit XML.")
@click.option("--sarif", type=PATH, metavar="FILE", help="Write SARIF.")
@click.option(
    "--html",
    type=PATH,
    metavar="FILE",
    help="Write a report to open in a browser. For several sets, a folder.",
)
@click.option("--summary", type=PATH, metavar="FILE", help="Write Markdown for people.")
@of_answers
@click.pass_context
def evaluate_sets(
    ctx: click.Context,
    /,
    *,
    sets: tuple[str, ...],
    ref: str | None,
    out: Path | None,
    as_json: bool,
    junit: Path | None,
    sarif: Path | None,
    html: Path | None,
    summary: Path | None,
    store_path: Path | None,
    no_store: bool,
    ask: Ask | None,
    **how: Any,
) -> None:
    """Score prompts and models on sets of cases, against gates.

    Without SET, all sets of evals/ here and the shipped ones are run. Answers come from recordings;
    nobody is asked anything without --ask. Leaves with 1 where a gate fails.
    """
    from summarizer.cli.eval_outcome import document, place_of, show, write
    from summarizer.cli.interrupts import interruptible
    from summarizer.cli.terminal import notice, print_json
    from summarizer.evals.ci import Judged, Unjudged
    from summarizer.evals.evaluate import evaluate, load_prompts
    from summarizer.evals.gates import Failure, judge
    from summarizer.store import Store

    names = sets or _all_sets(ref)
    for path in (out, html):
        if path and len(names) > 1 and not path.is_dir():
            raise InputError(f"{len(names)} sets need a folder", hint=f"mkdir {path}", path=path)

    outcomes: list[Outcome] = []
    codes: list[int] = []
    places: dict[str, Path] = {}
    called: dict[str, Path] = {}

    # It gives nothing back: where asyncio.run ends, signal.signal makes a text of the main task, a
    # whole run included, and throws it away (0.3 s for a thousand cases).
    async def one(name: str) -> None:
        eval_set, read = _load(name, ref)
        if other := called.get(eval_set.name):
            raise InputError(
                f"two sets are called {eval_set.name!r}: {other} and {eval_set.path}",
                hint="Give one of them another `name`",
            )
        places[name] = called[eval_set.name] = eval_set.path
        prompts = load_prompts(eval_set, how["prompt"])
        with (
            Store(store_path) if ask == "missing" and not no_store else nullcontext() as store,
            _progress(eval_set, len(prompts), **how) as step,
        ):
            run = await evaluate(
                eval_set,
                **how,
                ask=ask or "none",
                store=store,
                out=place_of(out, eval_set.name, ".jsonl") if out else None,
                done=lambda _: step(),
                notice=notice,
            )
        wrong = 0
        try:
            verdict = judge(eval_set, run, _baseline(eval_set, read))
        except InputError as error:
            notice(f"Error: {error}")
            alone = eval_set.model_copy(update={"baseline": None})
            verdict, wrong = judge(alone, run), error.exit_code
            refused = Failure(gate="baseline", sentence=str(error))
            verdict = verdict.model_copy(update={"failures": (*verdict.failures, refused)})
        paths = {name: prompt.path for name, prompt in prompts.items()}
        judged = Judged(eval_set, run, verdict, paths)
        outcomes.append(judged)
        codes.append(max(wrong, _exit_code(run, verdict)))
        if not as_json:
            show(judged)

    for name in names:
        try:
            interruptible(one(name))
        except SummarizerError as error:
            notice(f"Error: {error}")
            outcomes.append(Unjudged(name, error, places.get(name, Path(name))))
            codes.append(error.exit_code)
    write(outcomes, junit=junit, sarif=sarif, html=html, summary=summary)
    if as_json:
        print_json([document(one) for one in outcomes])
    ctx.exit(max(codes))


def _all_sets(ref: str | None) -> Sequence[str]:
    from summarizer.evals.refs import names_at
    from summarizer.shipped import available

    names = [*available("evals", suffix=".yaml")]
    if ref is not None:  # a set that a change takes away is asked for, and missed
        names += [n for n in names_at(Path("evals"), ref, suffix=".yaml") if n not in names]
    if not names:
        raise InputError("there are no eval sets here", hint="Name one, or write evals/NAME.yaml")
    return names


def _load(name: str, ref: str | None) -> tuple[EvalSet, Callable[[Path], bytes]]:
    """A set, as it is here or at a git ref, and what reads its files there."""
    from summarizer.cli.terminal import notice
    from summarizer.evals.refs import at_ref, names_at
    from summarizer.evals.sets import load_eval_set
    from summarizer.shipped import find, is_installed

    path = find(name, "evals", suffix=".yaml")
    if ref is None:
        return load_eval_set(path), Path.read_bytes
    if is_installed(path):
        own = Path("evals", path.name)  # without it, the shipped set of its name would judge
        if path.stem in names_at(own.parent, ref, suffix=path.suffix):
            raise InputError(f"the set is at {ref}, but no longer here", path=own)
        return load_eval_set(path), Path.read_bytes
    read = partial(at_ref, ref=ref)
    try:
        read(path)
    except FileNotFoundError:
        notice(f"{path} is not at {ref}, so it is taken as it is here")
        return load_eval_set(path), Path.read_bytes
    return load_eval_set(path, read=read), read


def _progress(eval_set: EvalSet, prompts: int, **how: Any) -> Any:
    from summarizer.cli.terminal import progress

    cases = len(set(how["only"])) or len(eval_set.cases)
    models = 1 if how["model"] else len(eval_set.models)
    repeats = how["repeats"] or eval_set.repeats
    return progress(eval_set.name, cases * prompts * models * repeats)


def _baseline(eval_set: EvalSet, read: Callable[[Path], bytes]) -> Run | None:
    from summarizer.evals.baseline import read_baseline

    if eval_set.baseline is None:
        return None
    try:
        return read_baseline(read(eval_set.baseline), eval_set.baseline)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"the baseline cannot be read: {error.strerror}", path=eval_set.baseline
        ) from None


def _exit_code(run: Run, verdict: Verdict) -> int:
    """3 where a model gave no answer, 2 where a case cannot be asked, 1 where a gate failed."""
    codes = [0 if verdict.passed else 1]
    for result in run.results:
        if result.error and (result.entry is None or result.entry.cause == "unanswered"):
            codes.append(3)
        elif result.entry and result.entry.cause == "paper":
            codes.append(2)
    return max(codes)
