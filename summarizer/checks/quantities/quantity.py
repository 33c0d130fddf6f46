"""What a quantity is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from decimal import Decimal

Bound: TypeAlias = Literal["", "~", "<=", ">="]
Role: TypeAlias = Literal["", "name", "marker", "per", "part"]


class Measure(NamedTuple):
    """A number and what it counts or measures.

    Attributes:
        value: The number as written, scale included: 3.8 billion is 3,800,000,000.
        unit: The dimension (`"%"`, `"s"`, …); empty for a plain number or a count.
        base: The value in the dimension's first unit: 2 hours are 7,200 (seconds).
    """

    value: Decimal
    unit: str
    base: Decimal


class Quantity(NamedTuple):
    """A number with its unit, at one place of a text.

    Attributes:
        span: Start and end in code points of the text, unit included.
        number_end: Where the number ends and its unit begins.
        text: As written, in ASCII numbers.
        measures: What it may say, the likeliest first: in "1.6 and 3.1 billion" the first number
            is 1.6 or 1.6 billion.
        role: Nothing for a quantity; `"name"` for digits of a name (`GPT-4`), `"marker"` for one
            of a list or a reference (`(2)`, `Table 2`), `"per"` for the one thing that others are
            counted by (1초당), `"part"` for what is stated only as part
            of a fraction, or as the fraction of two numbers ("14 of 16").
        bound: `"<="` for "up to" or 이하, `">="` for "over" or 이상, `"~"` for "about".
        fraction: Over and under, where it is written so.
        edge: The end of a range that it is.
        word: Written in letters.
        vague: Only a power of ten: 수백만, "tens of thousands".
    """

    span: tuple[int, int]
    number_end: int
    text: str
    measures: tuple[Measure, ...]
    role: Role = ""
    bound: Bound = ""
    fraction: tuple[Decimal, Decimal] | None = None
    edge: Literal["", "low", "high"] = ""
    word: bool = False
    vague: bool = False

    @property
    def value(self) -> Decimal:
        """The likeliest value, as written."""
        return self.measures[0].value

    @property
    def unit(self) -> str:
        """The likeliest dimension."""
        return self.measures[0].unit


def plain_measure(value: Decimal) -> Measure:
    """A number without a unit."""
    return Measure(value, "", value)
