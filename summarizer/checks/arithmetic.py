"""Numbers that follow from two others: a difference, a ratio, a change in percent."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from summarizer.checks.quantities import Quantity

# How far a ratio may be from the round number that it is told as: 118 to 41 is a third.
_ROUND = Decimal("0.06")
_ABOUT = Decimal("0.15")
_BEYOND = Decimal("0.5")


def follows(result: Quantity, first: Quantity, second: Quantity) -> bool:
    """Whether a number is what two others give, as closely as its words promise."""
    one, other = first.measures[0], second.measures[0]
    if one.unit != other.unit or one.unit == "x":
        return False
    low, high = sorted((one.base, other.base))
    value, unit = result.value, result.unit
    part = not unit and (result.fraction is not None or (result.word and 0 < value < 1))
    if unit in ("%p", "point") or (unit == one.unit != "%" and not part):
        return value == high - low and value != 0
    if low <= 0:
        return False
    if unit == "%":
        change = (high - low) * 100
        return any(abs(change / whole - value) < 1 for whole in (low, high))
    return (unit == "x" or part) and _is_about(high / low if value > 1 else low / high, result)


def _is_about(ratio: Decimal, result: Quantity) -> bool:
    value = result.value
    if result.bound == ">=":
        return value <= ratio <= value * (1 + _BEYOND)
    if result.bound == "<=":
        return value * _BEYOND <= ratio <= value
    return abs(ratio - value) <= value * (_ABOUT if result.bound else _ROUND)
