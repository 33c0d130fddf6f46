"""Whether a difference is real: paired tests, intervals and sample sizes.

Everything here sees numbers only: one difference a case. Whoever asks a case several times averages
its answers first, since answers to one question are no independent cases (Dror et al. 2018, "The
Hitchhiker's Guide to Testing Statistical Significance in Natural Language Processing").

Chance is drawn from a generator with a fixed seed, so equal numbers give equal results.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from operator import getitem, itemgetter
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 0.05
"""How often a difference may be called real where there is none."""

POWER = 0.8
"""How often a difference that is there should be found (Cohen 1988)."""

EXACT = 24
"""Up to this many differing cases p-values are exact."""

DRAWS = 9_999
"""How many changes of sign are drawn beyond that."""

RESAMPLES = 2_000
"""How many samples an interval is read from."""

_SEED = 20_240_112


def p_value(differences: Sequence[float]) -> float:
    """How often chance alone would give a mean difference as large as this one, two-sided.

    The paired randomisation test (Fisher 1935): were the two systems alike, each case's difference
    could as well have had the other sign. Up to `EXACT` differing cases all changes of sign are
    counted; beyond, `DRAWS` are drawn, and the observed one counts among them, so that no p is zero
    (Phipson & Smyth 2010).

    Args:
        differences: One a case; no assumption is made about how they are distributed.
    """
    sizes = [abs(d) for d in differences if d]
    # Sums are compared up to the error of adding: an equal sum in another order must count.
    reached = abs(math.fsum(differences)) - 1e-9 * math.fsum(sizes)
    if reached <= 0:
        return 1.0
    if len(sizes) <= EXACT:
        # Sums of one half of the cases, each with those of the other half that reach far enough.
        other = sorted(_signed_sums(sizes[1::2]))
        hits = sum(len(other) - bisect_left(other, reached - s) for s in _signed_sums(sizes[::2]))
        return math.ldexp(hits, 1 - len(sizes))
    # Eight signs at a time: a random byte looks up what they sum to.
    sizes += [0.0] * (-len(sizes) % 8)
    tables = [_signed_sums(sizes[at : at + 8]) for at in range(0, len(sizes), 8)]
    draw = random.Random(_SEED).randbytes  # noqa: S311  (no secret: repeatable on purpose)
    hits = sum(abs(sum(map(getitem, tables, draw(len(tables))))) >= reached for _ in range(DRAWS))
    return (hits + 1) / (DRAWS + 1)


def _signed_sums(sizes: Sequence[float]) -> list[float]:
    """What the sizes sum to, for each way to give them signs."""
    sums = [0.0]
    for size in sizes:
        sums = [s + size for s in sums] + [s - size for s in sums]
    return sums


def intervals(columns: Sequence[Sequence[float]]) -> list[tuple[float, float] | None]:
    """The 95 % interval of each column's mean: percentiles of the bootstrap (Efron 1979).

    Cases are drawn with replacement as in Koehn (2004), "Statistical Significance Tests for Machine
    Translation Evaluation"; columns of one length share the cases that are drawn. Where cases are
    few, more extreme percentiles make up for the spread that the bootstrap leaves out (Hesterberg
    2015, "What Teachers Should Know About the Bootstrap").

    Returns:
        Lower and upper end; None for fewer cases than it takes to be 95 % sure of anything: n cases
        lie all on one side of the true median in 2 / 2ⁿ of all samples.
    """
    found: list[tuple[float, float] | None] = [None] * len(columns)
    by_length: dict[int, list[int]] = {}
    for at, column in enumerate(columns):
        if len(column) < _fewest(ALPHA):
            continue
        if min(column) == max(column):
            found[at] = (column[0], column[0])
        else:
            by_length.setdefault(len(column), []).append(at)
    for cases, places in by_length.items():
        draw = random.Random(_SEED).choices  # noqa: S311
        sums: list[list[float]] = [[] for _ in places]
        for _ in range(RESAMPLES):
            drawn = itemgetter(*draw(range(cases), k=cases))
            for at, column in zip(places, sums, strict=True):
                column.append(sum(drawn(columns[at])))
        cut = round(RESAMPLES * _tail(cases))
        for at, column in zip(places, sums, strict=True):
            column.sort()
            found[at] = (column[cut] / cases, column[-1 - cut] / cases)
    return found


def _tail(cases: int) -> float:
    """The share of bootstrap means to leave out at either end."""
    normal = NormalDist()
    z, free = normal.inv_cdf(1 - ALPHA / 2), cases - 1
    # Student's t from z: Abramowitz & Stegun 26.7.5, as far as it matters here.
    t = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return normal.cdf(-t * math.sqrt(cases / free))


def holm(ps: Sequence[float]) -> list[float]:
    """p-values corrected for their number by Holm's step-down method (1979), in the same order.

    Whoever calls real what is below `ALPHA` is then wrong about any of them at most that often.
    """
    corrected = [0.0] * len(ps)
    largest = 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, ps[at] * (len(ps) - rank)))
        corrected[at] = largest
    return corrected


def cases_needed(difference: float, spread: float, *, alpha: float = ALPHA) -> int | None:
    """How many cases it takes to find a mean difference of this size, by `POWER`.

    By the normal approximation with Guenther's term for few cases (1981, "Sample Size Formulas for
    Normal Theory t Tests"), and never fewer than those with which the test can reach `alpha`.

    Args:
        difference: In units of the score, of either sign.
        spread: Standard deviation of the cases' differences.
        alpha: Where several scores are tested, `ALPHA` divided by their number.

    Returns:
        None where the difference is zero.
    """
    if not difference:
        return None
    reach, few = _reach(alpha)
    return max(_fewest(alpha), math.ceil((reach * spread / difference) ** 2 + few))


def detectable(cases: int, spread: float, *, alpha: float = ALPHA) -> float | None:
    """The smallest mean difference that this many cases show, by `POWER`; see `cases_needed`.

    Returns:
        None where the cases are too few to show any.
    """
    reach, few = _reach(alpha)
    return reach * spread / math.sqrt(cases - few) if cases >= _fewest(alpha) else None


def _reach(alpha: float) -> tuple[float, float]:
    """How many standard errors a difference must have, and Guenther's term."""
    normal = NormalDist()
    quantile = normal.inv_cdf(1 - alpha / 2)
    return quantile + normal.inv_cdf(POWER), quantile**2 / 2


def _fewest(alpha: float) -> int:
    """With n cases the smallest p is 2 / 2ⁿ."""
    return math.ceil(1 - math.log2(alpha))
