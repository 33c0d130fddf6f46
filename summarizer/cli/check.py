"""`summarizer check`: what is wrong with digests that lie in files."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from summarizer.cli.options import PATH
from summarizer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from summarizer.accepted import Accepted
    from summarizer.digest import Basis, Paper
    from summarizer.review import Noted, Review


def _checks(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, Any] | None:
    from summarizer.checks import validate_checks

    if value is None:
        return None
    checks: dict[str, Any] = {name.strip(): {} for name in value.split(",") if name.strip()}
    if not checks:
        raise click.BadParameter("it names no check")
    validate_checks(checks)
    return checks


def _utf8(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    try:
        (value or "").encode()
    except UnicodeEncodeError:  # Python keeps other bytes of the command line as half surrogates
        raise click.BadParameter("this is not UTF-8") from None
    return value


@click.command()
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option(
    "--papers",
    "papers_from",
    metavar="FILE",
    multiple=True,
    help="Papers whose abstracts the digests do not hold; may be given more than once.",
)
@click.option(
    "--basis",
    type=click.Choice(["abstract", "paper"]),
    help="What the points were written from.  [default: as the provenance says, else abstract]",
)
@click.option("--only", "checks", callback=_checks, metavar="NAMES", help="Run only these checks.")
@click.option("--strict", is_flag=True, help="A departure from the regular form is an error.")
@click.option("--fix", is_flag=True, help="Mend what has exactly one right answer, in the files.")
@click.option(
    "--accept",
    "accept_path",
    type=PATH,
    metavar="FILE",
    help="Findings to live with; where the file is missing, it is written with all there are now.",
)
@click.option(
    "--reason",
    callback=_utf8,
    metavar="TEXT",
    help="With --accept, accept what is new, too, for this.",
)
@click.option("--sarif", type=PATH, metavar="FILE", help="Write the findings as SARIF.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def check(
    ctx: click.Context,
    *,
    files: tuple[Path, ...],
    papers_from: tuple[str, ...],
    basis: Basis | None,
    checks: dict[str, Any] | None,
    strict: bool,
    fix: bool,
    accept_path: Path | None,
    reason: str | None,
    sarif: Path | None,
    as_json: bool,
) -> None:
    """Check digests: their form, and each summary against its paper.

    Leaves with 1 where a finding is an error; warnings only show.
    """
    from summarizer.accepted import read_accepted, reasons, stale
    from summarizer.cli.terminal import notice, print_json
    from summarizer.review import mended, review

    if reason is not None and accept_path is None:
        raise InputError("--reason says why findings are accepted", hint="Add --accept FILE")
    papers = _papers(papers_from)

    def look(file: Path, text: str | None = None) -> Review:
        return review(file, text, papers=papers, basis=basis, checks=checks, strict=strict)

    today = dt.datetime.now(tz=dt.UTC).date()
    reviews = [look(file) for file in files]
    there = read_accepted(accept_path) if accept_path else None
    accepted = there or []
    if fix:
        known = [reasons(one, accepted, today=today) for one in reviews]
        texts = [mended(one, but=why) for one, why in zip(reviews, known, strict=True)]
        reviews = _fixed(
            reviews, [look(r.path, text) for r, text in zip(reviews, texts, strict=True)]
        )
    if accept_path and (there is None or reason is not None):
        accepted = _accept(accept_path, accepted, reviews, reason, today)
    _say_what_is_not_known(reviews)
    known = [reasons(one, accepted, today=today) for one in reviews]
    for old in stale(reviews, accepted):
        notice(
            f"{accept_path}: nothing needs this any more: {old.arxiv_id} {old.check} {old.about}"
        )
    shown = [
        (one, noted, why[noted].reason if noted in why else None)
        for one, why in zip(reviews, known, strict=True)
        for noted in one.noted
    ]
    if sarif is not None:
        _write_sarif(sarif, shown)
    if as_json:
        print_json(
            [
                {"file": str(one.path), **noted.finding.model_dump(mode="json"), "accepted": why}
                for one, noted, why in shown
            ]
        )
    else:
        _show(reviews, [set(why) for why in known])
    errors = sum(why is None and noted.finding.severity == "error" for _, noted, why in shown)
    ctx.exit(1 if errors else 0)


def _papers(sources: Iterable[str]) -> Mapping[str, Paper]:
    from summarizer.cli.terminal import notice
    from summarizer.sources.files import read_file

    read = (read_file(source, cross=True, replaced=True, notice=notice)[1] for source in sources)
    return {paper.arxiv_id: paper for papers in read for paper in papers}


def _fixed(before: list[Review], after: list[Review]) -> list[Review]:
    from summarizer.cli.terminal import counted, notice
    from summarizer.disk import write_files

    changed = write_files({review.path: review.text for review in after})
    for old, new in zip(before, after, strict=True):
        if new.path in changed:
            fixes = sum(one.finding.fix is not None for one in old.noted)
            left = sum(one.finding.fix is not None for one in new.noted)
            notice(f"{new.path}: {counted(fixes - left, 'finding')} mended")
    return after


def _say_what_is_not_known(reviews: list[Review]) -> None:
    from summarizer.cli.terminal import notice

    for review in reviews:
        if review.unread:
            whole = len(review.unread) == len(review.digest.entries)
            which = "its papers" if whole else ", ".join(review.unread)
            notice(
                f"{review.path}: the abstracts of {which} are not known, so only form and language "
                "are checked. Add --papers FILE"
            )
        if review.assumed:
            notice(
                f"{review.path}: the points are taken to be written from the {review.assumed}. "
                "Say otherwise with --basis"
            )


def _accept(
    path: Path, old: list[Accepted], reviews: list[Review], reason: str | None, today: dt.date
) -> list[Accepted]:
    """Accept all findings there are, beside those that are accepted already."""
    from summarizer.accepted import accept, write_accepted
    from summarizer.cli.terminal import counted, notice

    why = reason or "there when the file was written"
    every = {a.key: a for review in reviews for a in accept(review, reason=why, date=today)}
    # What has expired is accepted anew, for the new reason.
    every |= {a.key: a for a in old if a.is_valid(today) or a.key not in every}
    write_accepted(path, every.values())
    notice(f"{path}: {counted(len(every), 'finding')} accepted in all")
    return list(every.values())


def _write_sarif(path: Path, shown: list[tuple[Review, Noted, str | None]]) -> None:
    import json

    from summarizer.disk import write_files
    from summarizer.sarif import Located, to_sarif

    log = to_sarif(Located(review.path, noted.finding, why) for review, noted, why in shown)
    write_files({path: json.dumps(log, ensure_ascii=False, indent=2) + "\n"})


def _show(reviews: list[Review], accepted: list[set[Noted]]) -> None:
    """Findings by file and paper, each with what the paper and what the point says."""
    from summarizer.cli.terminal import counted, show

    counts: Counter[str] = Counter()
    for review, known in zip(reviews, accepted, strict=True):
        counts["accepted"] += sum(noted in known for noted in review.noted)
        left = [noted for noted in review.noted if noted not in known]
        counts.update(noted.finding.severity for noted in left)
        if left:
            show(review.path)
        for entry, own in groupby(left, key=lambda noted: noted.entry):
            if entry is not None:
                paper = review.digest.entries[entry].paper
                show(f"  {paper.arxiv_id} {paper.title}")
            for noted in own:
                _show_finding(review, noted)
    files, errors = counted(len(reviews), "file"), counted(counts["error"], "error")
    told = f"{files}: {errors}, {counted(counts['warning'], 'warning')}"
    show(told + (f", {counts['accepted']} accepted" if counts["accepted"] else ""))


def _show_finding(review: Review, noted: Noted) -> None:
    from summarizer.cli.terminal import show

    finding = noted.finding
    place = f"line {finding.line}: " if finding.line else ""
    if not place and finding.point is not None:
        place = f"point {finding.point + 1}: "
    show(f"    {place}{finding.severity}: {finding.message} ({finding.check})")
    if finding.evidence:
        show(f"        against: {finding.evidence}")
    if finding.point is not None and finding.span:
        show(f"        point:   {_excerpt(review.about(noted), *finding.span)}")


def _excerpt(text: str, start: int, end: int, around: int = 30) -> str:
    """A span between ⟦ and ⟧, with some text on both sides."""
    left = ("…" if start > around else "") + text[max(0, start - around) : start]
    right = text[end : end + around] + ("…" if len(text) > end + around else "")
    return f"{left}⟦{text[start:end]}⟧{right}".replace("\n", " ")
