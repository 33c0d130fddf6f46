from __future__ import annotations

import sys
import threading
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer import costs
from summarizer.costs import SUMMARY_TOKENS, count_tokens, estimate, price
from summarizer.digest import Usage
from summarizer.models import Message, Request

KOREAN = "이 방법은 7B 모델의 환각을 최대 38% 줄입니다."


def ask(*texts: str, **settings) -> Request:
    messages = tuple(Message(role="user", content=text) for text in texts)
    return Request(messages=messages, **settings)


class Words:
    """A vocabulary in which every word is a token."""

    def __init__(self, name: str) -> None:
        self.name = name

    def encode_ordinary(self, text: str) -> list[int]:
        if len(text) > 10_000:
            raise ValueError("too long")
        return [1] * len(text.split())


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """OpenAI's own server, and no vocabulary; what tiktoken would have fetched is recorded."""

    def get_encoding(name: str) -> Words:
        wanted.append(name)
        raise ConnectionError("no network")

    wanted: list[str] = []
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setitem(sys.modules, "bpe_openai", None)
    monkeypatch.setattr("tiktoken.get_encoding", get_encoding)
    costs._counter.cache_clear()
    yield wanted
    costs._counter.cache_clear()


def test_offline_an_estimate_says_that_it_is_one(offline):
    count = count_tokens(ask("one two three", KOREAN), "openai:gpt-5-mini")
    assert not count.exact
    assert count.tokens > 11
    count_tokens(ask("again"), "openai:gpt-5-mini")
    assert offline == ["o200k_base"]  # what failed is not tried twice


def test_with_tiktoken_s_vocabulary_the_count_is_exact(monkeypatch):
    monkeypatch.setattr("tiktoken.get_encoding", Words)
    # 4 for each message's frame, 3 for the reply
    assert count_tokens(ask("one two three", "four"), "gpt-4o-2024-08-06") == (4 + 11, True)
    schema = count_tokens(ask("one", output_schema={"type": "object"}), "openai:gpt-4o")
    assert schema == (1 + 2 + 7, True)


def test_bpe_openai_is_asked_before_tiktoken(monkeypatch, offline):
    monkeypatch.setitem(sys.modules, "bpe_openai", SimpleNamespace(get_encoding=Words))
    assert count_tokens(ask("one two"), "openai:gpt-oss-20b") == (2 + 7, True)
    assert offline == []


def test_what_the_vocabulary_s_library_refuses_is_estimated(monkeypatch):
    monkeypatch.setattr("tiktoken.get_encoding", Words)
    count = count_tokens(ask("word " * 3000), "openai:gpt-4o")
    assert not count.exact
    assert count.tokens == 3000 + 7


@pytest.mark.parametrize(
    "model", ["openai:qwen3-8b", "replay:a.jsonl", "langchain:a.b:C", "claude-sonnet-4-5", "test"]
)
def test_no_vocabulary_is_fetched_for_a_model_without_a_public_one(offline, model):
    assert not count_tokens(ask("one two"), model).exact
    assert offline == []


def test_the_wait_for_a_download_is_bounded(monkeypatch):
    released = threading.Event()

    def hang(name: str) -> Words:
        released.wait(30)
        return Words(name)

    monkeypatch.setattr("tiktoken.get_encoding", hang)
    monkeypatch.setattr(costs, "DOWNLOAD_SECONDS", 0.01)
    assert not count_tokens(ask("one"), "openai:gpt-4o").exact
    (waiting,) = [t for t in threading.enumerate() if t.name.startswith("tiktoken")]
    assert waiting.daemon
    released.set()
    waiting.join(10)


@given(st.text())
def test_any_text_can_be_estimated(text):
    tokens = costs._guess(text)
    assert 0 <= tokens <= len(text)


def test_an_estimate_is_near_what_a_vocabulary_counts():
    """Counted once with `o200k_base`: 18 and 25 tokens."""
    assert abs(costs._guess(KOREAN) - 18) <= 3
    english = "We cut the hallucinations of a 7B model by up to 38% without any fine-tuning at all."
    assert abs(costs._guess(english) - 25) <= 3


def test_the_real_vocabulary_where_it_is_installed(monkeypatch):
    monkeypatch.delitem(sys.modules, "bpe_openai")
    pytest.importorskip("bpe_openai", reason="needs bpe-openai")
    costs._counter.cache_clear()
    assert count_tokens(ask("hello world <|endoftext|>"), "openai:gpt-4o").exact


# Estimates


def test_a_day_is_estimated_from_its_requests(monkeypatch):
    monkeypatch.setattr("tiktoken.get_encoding", Words)
    requests = [ask("one two three"), ask("one", params={"max_completion_tokens": 100})]
    expected = estimate(requests, "openai:gpt-4o-mini")
    assert expected.usage == Usage(prompt=10 + 8, completion=SUMMARY_TOKENS + 100)
    assert expected.exact
    assert expected.price == price(expected.usage, "openai:gpt-4o-mini")


def test_an_estimate_without_a_vocabulary_or_a_price_says_so():
    expected = estimate([ask("one two three")], "openai:qwen3-8b")
    assert not expected.exact
    assert expected.price is None
    assert estimate([], "openai:gpt-4o-mini").usage == Usage()


# Prices


def test_a_price_is_the_list_price():
    usage = Usage(prompt=1_000_000, completion=1_000_000)
    assert price(usage, "openai:gpt-4o-mini") == Decimal("0.75")
    assert price(usage, "gpt-4o-mini-2024-07-18") == Decimal("0.75")


def test_cached_tokens_are_cheaper_and_thinking_is_part_of_the_completion():
    plain = price(Usage(prompt=1000, completion=500), "openai:gpt-4o-mini")
    cached = price(Usage(prompt=1000, completion=500, cached=800), "openai:gpt-4o-mini")
    thought = price(Usage(prompt=1000, completion=500, reasoning=400), "openai:gpt-4o-mini")
    assert plain is not None
    assert cached is not None
    assert cached < plain == thought
    odd = Usage(prompt=10, completion=1, cached=99)  # a server that counts wrongly
    assert price(odd, "openai:gpt-4o-mini") is not None


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("openai:qwen3-8b", None),
        ("openai:", None),
        ("openai:gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("openai:claude-sonnet-4-5", None),
        ("replay:recordings.jsonl", None),
        ("langchain:a.b:C", None),
        ("langchain:a.b:C?model=no-such-model", None),
        ("no-such-model", None),
        ("", None),
    ],
)
def test_an_unknown_price_is_none_and_never_nothing(model, base_url):
    assert price(Usage(prompt=1000, completion=500), model, base_url=base_url) is None


def test_a_server_of_one_s_own_has_no_price(monkeypatch):
    usage = Usage(prompt=1000, completion=500)
    assert price(usage, "openai:gpt-4o-mini") is not None
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1")
    assert price(usage, "openai:gpt-4o-mini") is None
    assert estimate([ask("one")], "openai:gpt-4o-mini").price is None


def test_other_vendors_are_known_by_their_server_or_by_a_langchain_model():
    usage = Usage(prompt=1000, completion=500)
    deepseek = price(usage, "openai:deepseek-chat", base_url="https://api.deepseek.com/v1")
    claude = price(usage, "langchain:langchain_anthropic:ChatAnthropic?model=claude-sonnet-4-5")
    own = price(usage, "openai:gpt-4o-mini", base_url="https://api.openai.com/v1")
    assert all(isinstance(known, Decimal) and known > 0 for known in (deepseek, claude))
    assert own == price(usage, "openai:gpt-4o-mini")


def test_a_price_of_which_half_is_missing_is_unknown(monkeypatch):
    half = SimpleNamespace(input_mtok=Decimal(1), output_mtok=None)
    priced = SimpleNamespace(model_price=half, total_price=Decimal(0))
    genai_prices = SimpleNamespace(Usage=dict, calc_price=lambda *args, **kwargs: priced)
    monkeypatch.setitem(sys.modules, "genai_prices", genai_prices)
    assert price(Usage(prompt=1000), "gpt-4o") is None
