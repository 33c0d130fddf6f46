"""Tokens and prices: what a day will take before it is asked, and what its answers have cost.

Nothing here is ever part of an entry; these are figures for reports.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import parse_qs

from summarizer.digest import Usage, Value
from summarizer.models import MODELS

if TYPE_CHECKING:
    from summarizer.models import Request

Counter: TypeAlias = Callable[[str], int]

SUMMARY_TOKENS = 330
"""Tokens of one answer, for estimates.

The 18 summaries of the published digest of 2024-01-12 (6.5 points, 49 tokens each) take 333 tokens
of `o200k_base` in the mean as lines, 331 as JSON, and at most 480. Thinking comes on top of that.
"""

DOWNLOAD_SECONDS = 5.0
"""How long to wait for tiktoken, which fetches a vocabulary when it is first used."""

# Without a vocabulary: a piece of a word, up to three digits or a run of marks is one token, and a
# character of Korean, Chinese or Japanese three quarters of one. Held against `o200k_base`, this is
# off by 4 % in the mean on 137 abstracts and their Korean points, and 4 % low on shipped prompts.
_PIECE = re.compile(r"(?P<wide>[\u1100-\uffff])|[^\W\d_\u1100-\uffff]{1,10}|\d{1,3}|[^\s\w]+|_|\n")
_PER_WIDE = 0.75

# OpenAI Cookbook, "How to count tokens with tiktoken": each message is framed by three tokens and
# names its role, and the reply is primed with three.
_MESSAGE, _REPLY = 4, 3


class TokenCount(NamedTuple):
    """A number of tokens; `exact` where it was counted with the model's own vocabulary."""

    tokens: int
    exact: bool


class Estimate(Value):
    """What requests will take if each is answered once.

    Attributes:
        usage: Tokens; of the completion an assumption (`SUMMARY_TOKENS`).
        exact: Whether the tokens of the prompt were counted, and not estimated.
        price: In US dollars; None where it is not known.
    """

    usage: Usage
    exact: bool
    price: Decimal | None


def count_tokens(request: Request, model: str) -> TokenCount:
    """Tokens that a request takes, its framing included.

    How a server words a JSON Schema for its model is not public; its JSON is counted.

    Args:
        request: What would be sent.
        model: A model's name or spec. An estimate is given for one whose vocabulary is not public,
            and where neither `bpe_openai` nor tiktoken's vocabulary can be had.
    """
    texts = [message.content for message in request.messages]
    if request.output_schema is not None:
        texts.append(json.dumps(request.output_schema, ensure_ascii=False))
    framing = _MESSAGE * len(request.messages) + _REPLY
    counter = _counter(_model_id(model)[0])
    if counter is not None:
        try:
            return TokenCount(sum(map(counter, texts)) + framing, exact=True)
        except ValueError:  # longer than the vocabulary's library takes
            pass
    return TokenCount(sum(map(_guess, texts)) + framing, exact=False)


def estimate(requests: Iterable[Request], model: str, *, base_url: str | None = None) -> Estimate:
    """What requests will take; the arguments are those of `count_tokens` and `price`."""
    usage, exact = Usage(), True
    for request in requests:
        count = count_tokens(request, model)
        cap = request.params.get("max_completion_tokens", SUMMARY_TOKENS)
        usage += Usage(prompt=count.tokens, completion=min(cap, SUMMARY_TOKENS))
        exact = exact and count.exact
    return Estimate(usage=usage, exact=exact, price=price(usage, model, base_url=base_url))


def price(usage: Usage, model: str, *, base_url: str | None = None) -> Decimal | None:
    """List price in US dollars, from the table that genai-prices brings; nothing is fetched.

    Args:
        usage: Tokens of one answer or of several.
        model: A model's name or spec.
        base_url: The server that `openai:…` stands for; None leaves it to `OPENAI_BASE_URL`, as
            the model itself does. What a server of one's own costs is not known.

    Returns:
        None where the price is not known, which is not the same as free.
    """
    name, provider = _model_id(model)
    if not name:
        return None
    from genai_prices import Usage as Priced
    from genai_prices import calc_price

    tokens = Priced(
        input_tokens=usage.prompt,
        cache_read_tokens=min(usage.cached, usage.prompt),
        output_tokens=usage.completion,
    )
    base_url = base_url or os.environ.get("OPENAI_BASE_URL", "").strip()
    try:
        if base_url and provider:
            priced = calc_price(tokens, name, provider_api_url=base_url)
        else:
            priced = calc_price(tokens, name, provider_id=provider)
    except LookupError:
        return None
    listed = priced.model_price
    if listed.input_mtok is None or listed.output_mtok is None:
        return None
    return priced.total_price


def _model_id(model: str) -> tuple[str, str | None]:
    """The name that a model's vendor knows, or "" for none, and the vendor where a spec says it."""
    kind, _, rest = model.partition(":")
    if kind == "openai":
        return rest, kind
    if kind == "langchain":
        arguments = parse_qs(rest.partition("?")[2])
        return (arguments.get("model") or arguments.get("model_name") or [""])[0], None
    return ("" if kind in MODELS else model), None


def _guess(text: str) -> int:
    kinds = [piece.lastgroup for piece in _PIECE.finditer(text)]
    wide = kinds.count("wide")
    return round(len(kinds) - wide + _PER_WIDE * wide)


@cache
def _counter(model: str) -> Counter | None:
    """What counts the tokens of a text for a model; None where nothing can."""
    from tiktoken.model import encoding_name_for_model

    try:
        encoding = encoding_name_for_model(model)
    except KeyError:
        return None
    encoding = encoding.replace("o200k_harmony", "o200k_base")  # the same but for special tokens
    return _bundled(encoding) or _downloaded(encoding)


def _bundled(encoding: str) -> Counter | None:
    try:
        from bpe_openai import get_encoding
    except ImportError:
        return None
    vocabulary = get_encoding(encoding)
    return lambda text: len(vocabulary.encode_ordinary(text))


def _downloaded(encoding: str) -> Counter | None:
    """The vocabulary that tiktoken has in its cache or fetches; it does so without a timeout.

    The thread that waits for it is a daemon: it never holds up the end of the program, and a slow
    download that it completes is in the cache the next time.
    """
    found: list[Counter] = []

    def load() -> None:
        from tiktoken import get_encoding

        try:
            vocabulary = get_encoding(encoding)
        except Exception:  # noqa: BLE001 - whatever it was, there is an estimate
            return
        found.append(lambda text: len(vocabulary.encode_ordinary(text)))

    thread = threading.Thread(target=load, name=f"tiktoken {encoding}", daemon=True)
    thread.start()
    thread.join(DOWNLOAD_SECONDS)
    return found[0] if found else None
