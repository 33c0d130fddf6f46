"""Tokens and money: what questions will take, what answers have cost, and a budget that holds.

Nothing here is ever part of an entry; these are figures for reports.
"""

from __future__ import annotations

from summarizer.costs.budget import Budget
from summarizer.costs.estimates import SUMMARY_TOKENS, UNESTIMATED, Estimate, estimate
from summarizer.costs.prices import Prices, Rates, find_rates, load_prices, price
from summarizer.costs.tokens import TokenCount, count_tokens

__all__ = [
    "SUMMARY_TOKENS",
    "UNESTIMATED",
    "Budget",
    "Estimate",
    "Prices",
    "Rates",
    "TokenCount",
    "count_tokens",
    "estimate",
    "find_rates",
    "load_prices",
    "price",
]
