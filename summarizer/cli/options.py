"""Options and arguments that several commands share."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Command = TypeVar("Command", bound=Callable[..., Any])


PATH: click.ParamType[Path] = click.Path(path_type=Path, readable=False)
"""A file or folder; whoever opens it says in a sentence what is wrong with it."""

_AMOUNT = re.compile(r"\$?(\d{1,12}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)


class Span(NamedTuple):
    """A range of days, both ends included."""

    first: dt.date
    last: dt.date

    @property
    def dates(self) -> Iterator[dt.date]:
        """Each day, earliest first."""
        return map(dt.date.fromordinal, range(self.first.toordinal(), self.last.toordinal() + 1))

    def __str__(self) -> str:
        """As it was typed."""
        return f"{self.first}..{self.last}"


class Days(click.ParamType[dt.date | Span]):
    """A day, or two days with two dots between them."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date | Span:
        """Read `YYYY-MM-DD` or `YYYY-MM-DD..YYYY-MM-DD`."""
        first, dots, last = str(value).partition("..")
        days = []
        for text in (first, last) if dots else (first,):
            try:
                # Python takes 20240112 and 2024-W02-5 too.
                days.append(dt.datetime.strptime(text, "%Y-%m-%d").date())  # noqa: DTZ007 - a day
            except ValueError:
                self.fail(f"{text!r} is not a day; write it as YYYY-MM-DD", param, ctx)
        if len(days) == 1:
            return days[0]
        if days[1] < days[0]:
            self.fail(f"{last} is before {first}; write the earlier day first", param, ctx)
        return Span(*days)


class Dollars(click.ParamType[Decimal]):
    """An amount of money, kept exactly."""

    name = "usd"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """Read `5`, `0.50` or `$5`."""
        amount = _AMOUNT.fullmatch(str(value))
        if amount is None:
            self.fail(
                f"{value!r} is not an amount of US dollars; write it as 5 or 0.50", param, ctx
            )
        return Decimal(amount[1])


class _Concurrency(click.Option):
    """Its default is the drivers', which are imported only when it is needed."""

    def get_default(self, ctx: click.Context, call: bool = True) -> Any:  # noqa: ARG002, FBT001, FBT002 - click's signature
        from summarizer.drivers import CONCURRENCY

        return CONCURRENCY


def of_answers(command: Command) -> Command:
    """`--store`, `--no-store` and `--concurrency`: where answers are kept, and how many at once."""
    options = (
        click.option(
            "--store",
            "store_path",
            type=PATH,
            metavar="PATH",
            help="Where all answers are kept.  [default: in the user's data folder]",
        ),
        click.option("--no-store", is_flag=True, help="Keep no answers, and look none up."),
        click.option(
            "--concurrency",
            cls=_Concurrency,
            type=click.IntRange(min=1),
            show_default=True,
            metavar="N",
            help="How many questions to one model are under way at once.",
        ),
    )
    return _with(command, options)


def of_money(command: Command) -> Command:
    """`--budget` and `--prices`: what may be spent, and what tokens cost."""
    options = (
        click.option(
            "--budget",
            type=Dollars(),
            metavar="USD",
            help="Stop before more than that is spent; what is paid for is kept.",
        ),
        click.option(
            "--prices",
            "prices_path",
            type=PATH,
            metavar="FILE",
            help="Prices that are known better than the list prices.",
        ),
    )
    return _with(command, options)


def _with(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
