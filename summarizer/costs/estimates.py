"""What questions will take, before any of them is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from summarizer.costs.prices import find_rates
from summarizer.costs.tokens import count_tokens, most_tokens
from summarizer.digest import Usage, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from summarizer.costs.prices import Prices
    from summarizer.models import Request

SUMMARY_TOKENS = 330
"""Tokens of one answer, for estimates.

The 18 summaries of the published digest of 2024-01-12 (6.5 points, 49 tokens each) take 333 tokens
of `o200k_base` in the mean as lines, 331 as JSON, and at most 480. Thinking comes on top of that.
"""

UNESTIMATED = "without thinking and repairs, and before the discount for cached tokens"
"""What an estimate leaves out, for people."""


class Estimate(Value):
    """What questions will take if each is answered once; estimates add up.

    What a model thinks, how many answers have to be repaired and what the server has in its cache
    is not known before; `most` covers the first of them.

    Attributes:
        usage: Tokens; of the completion an assumption.
        exact: Whether the tokens of the prompts were counted, and not estimated.
        price: In US dollars; None where it is not known.
        batch_price: The same through the Batch API; None where there is none.
        most: What the answers can cost at most: prompts as long as they can be counted, and each
            answer, thinking included, as long as its cap allows. It is what a `Budget` holds back.
    """

    usage: Usage = Usage()
    exact: bool = True
    price: Decimal | None = Decimal(0)
    batch_price: Decimal | None = Decimal(0)
    most: Decimal | None = Decimal(0)

    def __add__(self, other: Estimate) -> Estimate:
        """Both together; what is not known of one is not known of the sum."""
        return Estimate(
            usage=self.usage + other.usage,
            exact=self.exact and other.exact,
            price=_sum(self.price, other.price),
            batch_price=_sum(self.batch_price, other.batch_price),
            most=_sum(self.most, other.most),
        )


def estimate(
    requests: Iterable[Request],
    model: str,
    *,
    completion: int = SUMMARY_TOKENS,
    prices: Prices | None = None,
    base_url: str | None = None,
) -> Estimate:
    """What requests will take.

    Args:
        requests: They are read one by one.
        model: A model's name or spec.
        completion: Tokens that an answer is expected to have, such as the mean of those that the
            same model has given; a request's own cap is kept.
        prices: As for `find_rates`.
        base_url: As for `find_rates`.
    """
    rates = find_rates(model, prices=prices, base_url=base_url)
    in_batch = find_rates(model, batch=True, prices=prices, base_url=base_url)
    total = Estimate()
    for request in requests:
        count, most = count_tokens(request, model), most_tokens(request)
        usage = Usage(prompt=count.tokens, completion=min(completion, most.completion))
        total += Estimate(
            usage=usage,
            exact=count.exact,
            price=rates.cost(usage) if rates else None,
            batch_price=in_batch.cost(usage) if in_batch else None,
            most=rates.most(most) if rates else None,
        )
    return total


def _sum(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    return None if a is None or b is None else a + b
