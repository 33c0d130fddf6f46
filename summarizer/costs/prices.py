"""What tokens cost: list prices from genai-prices, under a file in which an operator knows better.

Nothing is fetched. What is not known is None, which is not the same as free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from summarizer.costs.vendors import find_vendor
from summarizer.digest import Usage
from summarizer.marked_yaml import optional, parse_yaml, read_text

if TYPE_CHECKING:
    from summarizer.costs.vendors import Vendor
    from summarizer.marked_yaml import Marked

BATCH_DISCOUNT = Decimal("0.5")
"""What OpenAI takes off for its Batch API, where no batch price is listed for a model.

https://developers.openai.com/api/docs/guides/batch
"""

_BATCH = {"processing": "batch"}
"""What genai-prices calls the Batch API."""

_UNCOUNTED = ("requests_kcount", "output_reasoning_mtok")
"""Prices of things that `Usage` does not tell; a model that has one is not priced without it."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What tokens of one model cost, in US dollars for a million.

    Attributes:
        input: Of the prompt.
        cached_input: Of the part of the prompt that the server had in its cache.
        output: Of the answer, thinking included.
        batch: What the model's Batch API charges; None where it has none.
        longer: What all tokens of a long prompt cost: `(more than so many tokens, rates)`, the
            shortest first.
    """

    input: Decimal
    cached_input: Decimal
    output: Decimal
    batch: Rates | None = None
    longer: tuple[tuple[int, Rates], ...] = ()

    def cost(self, usage: Usage) -> Decimal:
        """US dollars for the tokens of one answer."""
        rates = self
        for start, long in self.longer:
            if usage.prompt > start:
                rates = long
        cached = min(usage.cached, usage.prompt)
        total = (
            (usage.prompt - cached) * rates.input
            + cached * rates.cached_input
            + usage.completion * rates.output
        )
        return total.scaleb(-6)

    def most(self, usage: Usage) -> Decimal:
        """US dollars at most, however much of the prompt the server has in its cache."""
        none, all_of_it = (
            Usage(prompt=usage.prompt, completion=usage.completion, cached=cached)
            for cached in (0, usage.prompt)
        )
        return max(self.cost(none), self.cost(all_of_it))

    def less(self, discount: Decimal) -> Rates:
        """The same, less a discount: a half is `Decimal("0.5")`."""
        part = 1 - discount
        return Rates(
            input=self.input * part,
            cached_input=self.cached_input * part,
            output=self.output * part,
            longer=tuple((start, long.less(discount)) for start, long in self.longer),
        )


Prices: TypeAlias = Mapping[str, Rates]
"""Rates by a model's name or spec, or by a pattern of these; the first that fits counts."""


def load_prices(path: str | Path) -> Prices:
    """Read a file of prices, in YAML or JSON.

    Each entry names a model, as its vendor does or by its spec, or a pattern with `*` and `?`:

        openai:gpt-5-mini: {input: 0.25, cached_input: 0.025, output: 2.00, batch_discount: 0.5}
        "qwen3-*": {input: 0.05, output: 0.20, source: our own servers}

    Prices are US dollars for a million tokens. Without `cached_input`, cached tokens cost what
    others do. `batch_discount` is the part of the price that a Batch API takes off; without it,
    only OpenAI's own server has one. `source` says where the prices are from, for people.

    Raises:
        InputError: The file cannot be read, or is no such file; with file and line.
    """
    path = Path(path)
    whole = parse_yaml(read_text(path), path)
    if not (entries := whole.mapping()):
        raise whole.error(
            "the file names no model", hint="Add a line such as `gpt-5-mini: {input: 1, output: 2}`"
        )
    return {model: _read_rates(entry) for model, entry in entries.items()}


def _read_rates(entry: Marked) -> Rates:
    known = ("input", "cached_input", "output", "batch_discount", "source")
    given = entry.mapping(known, required=("input", "output"))
    optional(given, "source", lambda source: source.text(), "")
    rates = Rates(
        input=_amount(given["input"]),
        cached_input=optional(given, "cached_input", _amount, _amount(given["input"])),
        output=_amount(given["output"]),
    )
    if "batch_discount" not in given:
        return rates
    discount = _amount(given["batch_discount"])
    if discount > 1:
        raise given["batch_discount"].error(
            f"{discount} is more than the whole price", hint="Write 0.5 for a half"
        )
    return replace(rates, batch=rates.less(discount))


def _amount(value: Marked) -> Decimal:
    amount = Decimal(repr(value.number()))
    if amount < 0:
        raise value.error(f"{amount} is below 0")
    return amount


def find_rates(
    model: str, *, batch: bool = False, prices: Prices | None = None, base_url: str | None = None
) -> Rates | None:
    """What a model's tokens cost.

    Args:
        model: A model's name or spec.
        batch: Whether the Batch API is asked.
        prices: What is known better than the list prices.
        base_url: The server that `openai:…` stands for; None leaves it to `OPENAI_BASE_URL`, as
            the model itself does. What a server of one's own costs only `prices` can tell.

    Returns:
        None where it is not known, or where there is no Batch API.
    """
    vendor = find_vendor(model, base_url)
    given = _given(model, vendor, prices or {})
    rates = given or _listed(vendor)
    if rates is None or not batch:
        return rates
    if vendor.is_openai and model.startswith("openai:"):
        return rates.batch or rates.less(BATCH_DISCOUNT)
    return given.batch if given else None


def price(
    usage: Usage,
    model: str,
    *,
    batch: bool = False,
    prices: Prices | None = None,
    base_url: str | None = None,
) -> Decimal | None:
    """US dollars for the tokens of one answer; the other arguments are those of `find_rates`.

    Tokens of several answers may be added up first, unless their prompts are so long that the
    vendor charges more for them (`Rates.longer`).

    Returns:
        None where the price is not known.
    """
    rates = find_rates(model, batch=batch, prices=prices, base_url=base_url)
    return None if rates is None else rates.cost(usage)


def _given(model: str, vendor: Vendor, prices: Prices) -> Rates | None:
    if model.startswith("replay:"):
        return None
    names = {model, vendor.model} - {""}
    for pattern, rates in prices.items():
        if any(fnmatchcase(name, pattern) for name in names):
            return rates
    return None


@cache
def _listed(vendor: Vendor) -> Rates | None:
    """The list price, as it stands when it is first asked for."""
    from genai_prices import Usage as Priced
    from genai_prices import calc_price

    if not vendor.model or vendor.provider == "":
        return None
    where: dict[str, Any] = {"provider_id": vendor.provider}
    if vendor.server and not vendor.is_openai:
        where = {"provider_api_url": vendor.server}
    try:
        found = calc_price(Priced(), vendor.model, **where)
    except LookupError:
        return None
    writes = found.provider.id == "openai"
    rates = _rates(found.model_price, writes=writes)
    # Asked for a price that it does not know, the library gives the price in full.
    if rates and any(variant.when == _BATCH for variant in found.model.price_variants or ()):
        batch = calc_price(Priced(), vendor.model, price_context=_BATCH, **where).model_price
        return replace(rates, batch=_rates(batch, writes=writes))
    return rates


def _rates(listed: Any, *, writes: bool) -> Rates | None:
    """The rates among a model's prices.

    Args:
        listed: The `ModelPrice` of genai-prices.
        writes: Whether the server writes prompts to its cache unasked, and charges for that, as
            OpenAI does since GPT-5.6. `Usage` does not count what is written, so that all that was
            not in the cache is taken to be; a bill is never higher.
    """
    kinds = ("input_mtok", "cache_read_mtok", "output_mtok", "cache_write_mtok")
    given = {kind: getattr(listed, kind) for kind in kinds}
    if given["input_mtok"] is None or given["output_mtok"] is None:
        return None
    if any(getattr(listed, kind, None) for kind in _UNCOUNTED):
        return None

    def above(start: int) -> Rates:
        """The rates of prompts of more than `start` tokens."""
        at = {kind: _at(price, start) for kind, price in given.items()}
        read = at["input_mtok"] if at["cache_read_mtok"] is None else at["cache_read_mtok"]
        written = at["cache_write_mtok"] if writes else None
        return Rates(
            input=at["input_mtok"] if written is None else max(at["input_mtok"], written),
            cached_input=read,
            output=at["output_mtok"],
        )

    starts = {tier.start for price in given.values() for tier in getattr(price, "tiers", ())}
    return replace(above(0), longer=tuple((start, above(start)) for start in sorted(starts)))


def _at(price: Any, start: int) -> Any:
    """A price, which may depend on how long the prompt is."""
    if price is None or isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if tier.start <= start]
    return reached[-1] if reached else price.base
