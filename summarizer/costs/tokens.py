"""Tokens of requests: counted where a model's vocabulary is public, else estimated."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from summarizer.costs.vendors import find_vendor
from summarizer.digest import Usage
from summarizer.models.completions import CAPS

if TYPE_CHECKING:
    from summarizer.models import Request

Counter: TypeAlias = Callable[[str], int]

DOWNLOAD_SECONDS = 5.0
"""How long to wait for tiktoken, which fetches a vocabulary when it is first used."""

LONGEST_ANSWER = 128_000
"""Tokens that an answer is taken to have at most where the prompt sets no cap.

As many as the largest models of OpenAI write, their thinking included.
"""

# The texts that all requests of a prompt share are counted once; each paper's own pass through.
_KEPT = 64

# Without a vocabulary: a piece of a word, up to three digits or a run of marks is one token, and a
# character of Korean, Chinese or Japanese three quarters of one. Held against `o200k_base`, this is
# off by 4 % in the mean on 137 abstracts and their Korean points, and 4 % low on shipped prompts.
# `re` compiles such classes, which takes milliseconds, when they are first used.
_PIECE = r"[\u1100-\uffff]|[^\W\d_\u1100-\uffff]{1,10}|\d{1,3}|[^\s\w]+|_|\n"
_WIDE = r"[\u1100-\uffff]"
_PER_WIDE = 0.75

# OpenAI Cookbook, "How to count tokens with tiktoken": each message is framed by three tokens and
# names its role, and the reply is primed with three.
_MESSAGE, _REPLY = 4, 3

# Upper bounds: a system prompt of the server's own and a sentence about the wanted form, and the
# framing of a message.
_ADDED, _ADDED_EACH = 256, 16


class TokenCount(NamedTuple):
    """A number of tokens; `exact` where it was counted with the model's own vocabulary."""

    tokens: int
    exact: bool


def count_tokens(request: Request, model: str) -> TokenCount:
    """Tokens that a request takes, its framing included.

    How a server words a JSON Schema for its model is not public; its JSON is counted.

    Args:
        request: What would be sent.
        model: A model's name or spec. An estimate is given for one whose vocabulary is not public,
            and where neither `bpe_openai` nor tiktoken's vocabulary can be had.
    """
    texts = _texts(request)
    framing = _MESSAGE * len(request.messages) + _REPLY
    counter = _counter(find_vendor(model).model)
    if counter is not None:
        try:
            return TokenCount(sum(map(counter, texts)) + framing, exact=True)
        except ValueError:  # longer than the vocabulary's library takes
            pass
    return TokenCount(sum(map(_guess, texts)) + framing, exact=False)


def most_tokens(request: Request) -> Usage:
    """The most tokens that an answer to a request can be charged as.

    Vocabularies are made of bytes (byte-pair encoding), so a text never has more tokens than bytes
    of UTF-8; what a server adds to it is covered by a generous allowance. Where the request sets no
    cap, the answer is taken to be no longer than `LONGEST_ANSWER`.
    """
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in _texts(request))
    caps = [request.params.get(name) for name in CAPS]
    return Usage(
        prompt=size + _ADDED + _ADDED_EACH * len(request.messages),
        completion=max((cap for cap in caps if isinstance(cap, int)), default=LONGEST_ANSWER),
    )


def _texts(request: Request) -> list[str]:
    """What is sent as text; the schema too, however a server words it for its model."""
    texts = [message.content for message in request.messages]
    if request.output_schema is not None:
        texts.append(json.dumps(request.output_schema, ensure_ascii=False))
    return texts


@lru_cache(maxsize=_KEPT)
def _guess(text: str) -> int:
    wide = 0 if text.isascii() else len(re.findall(_WIDE, text))
    return round(len(re.findall(_PIECE, text)) - (1 - _PER_WIDE) * wide)


@cache
def _counter(model: str) -> Counter | None:
    """What counts the tokens of a text for a model; None where nothing can."""
    from tiktoken.model import encoding_name_for_model

    try:
        encoding = encoding_name_for_model(model)
    except KeyError:
        return None
    encoding = encoding.replace("o200k_harmony", "o200k_base")  # the same but for special tokens
    counter = _bundled(encoding) or _downloaded(encoding)
    return counter and lru_cache(maxsize=_KEPT)(counter)


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
