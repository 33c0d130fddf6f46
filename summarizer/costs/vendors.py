"""Who is paid for a model's answers, as far as its spec says."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from summarizer.models import MODELS


class Vendor(NamedTuple):
    """Who answers for a model.

    Attributes:
        model: The name that the vendor knows, or "" for none.
        provider: The vendor; None for any that has such a model, "" for one that is not known.
        server: The address that is asked, where it is not the vendor's usual one.
    """

    model: str
    provider: str | None = None
    server: str | None = None

    @property
    def is_openai(self) -> bool:
        """Whether OpenAI's own server is asked."""
        host = "api.openai.com" if self.server is None else urlsplit(self.server).hostname
        return self.provider == "openai" and host == "api.openai.com"


def find_vendor(model: str, base_url: str | None = None) -> Vendor:
    """Find out who answers for a model.

    Args:
        model: A model's spec, or its name alone.
        base_url: The server that `openai:…` stands for; None leaves it to `OPENAI_BASE_URL`, as
            the model itself does.
    """
    kind, _, rest = model.partition(":")
    server = base_url or os.environ.get("OPENAI_BASE_URL", "").strip() or None
    if kind == "openai":
        return Vendor(rest, "openai", server)
    if kind == "langchain":
        path, _, query = rest.partition("?")
        arguments = parse_qs(query)
        name = (arguments.get("model") or arguments.get("model_name") or [""])[0]
        package = path.partition(":")[0].partition(".")[0]
        provider = package.removeprefix("langchain_") if package.startswith("langchain_") else ""
        addresses = [
            value for [value, *_] in arguments.values() if value.startswith(("http://", "https://"))
        ]
        asked = addresses[0] if addresses else server if provider == "openai" else None
        return Vendor(name, provider, asked)
    return Vendor("" if kind in MODELS else model)
