from __future__ import annotations

import json
import sys
import threading
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.costs import SUMMARY_TOKENS, Estimate, Rates, count_tokens, estimate, price
from summarizer.costs import tokens as costs
from summarizer.costs.tokens import LONGEST_ANSWER, most_tokens
from summarizer.digest import Usage
from summarizer.formats.markdown import parse_markdown
from summarizer.models import Message, Request

PUBLISHED = Path(__file__).parents[2] / "shared" / "seed" / "2024-01-12.md"
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


def test_what_all_requests_share_is_counted_once(monkeypatch):
    counted = []

    class Noting(Words):
        def encode_ordinary(self, text: str) -> list[int]:
            counted.append(text)
            return super().encode_ordinary(text)

    monkeypatch.setattr("tiktoken.get_encoding", Noting)
    requests = [ask("".join(["the same ", "for all"]), f"paper {number}") for number in range(200)]
    counts = {count_tokens(request, "openai:gpt-4o") for request in requests}
    assert counts == {(4 + 2 + 11, True)}
    assert len(counted) == 201


# The most there can be


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_text_has_more_tokens_than_are_held_back_for_it(texts):
    """A vocabulary of single bytes is the worst there is."""
    request = ask(*texts, params={"max_completion_tokens": 7}, output_schema={"type": "object"})
    size = len("".join(texts).encode("utf-8", "surrogatepass"))
    most = most_tokens(request)
    assert most.prompt >= size + 4 * len(texts) + 3 + len(json.dumps(request.output_schema))
    assert most.prompt >= count_tokens(request, "openai:qwen3-8b").tokens
    assert most.completion == 7


def test_an_answer_without_a_cap_has_a_stated_bound():
    assert most_tokens(ask("one")).completion == LONGEST_ANSWER
    assert most_tokens(ask("one", params={"max_tokens": 9})).completion == 9


# Estimates


def test_a_day_is_estimated_from_its_requests(monkeypatch):
    monkeypatch.setattr("tiktoken.get_encoding", Words)
    requests = [ask("one two three"), ask("one", params={"max_completion_tokens": 100})]
    expected = estimate(iter(requests), "openai:gpt-4o-mini")
    assert expected.usage == Usage(prompt=10 + 8, completion=SUMMARY_TOKENS + 100)
    assert expected.exact
    assert expected.price == price(expected.usage, "openai:gpt-4o-mini")
    assert expected.batch_price == price(expected.usage, "openai:gpt-4o-mini", batch=True)
    most = sum((most_tokens(request) for request in requests), Usage())
    assert expected.most == price(most, "openai:gpt-4o-mini")


def test_days_add_up():
    model = "openai:gpt-4o-mini"
    requests = [ask("word " * number) for number in range(30)]
    days = [estimate(requests[:10], model), estimate(requests[10:], model), estimate([], model)]
    assert sum(days, Estimate()) == estimate(requests, model)


def test_an_answer_may_be_expected_to_be_as_long_as_those_there_are():
    requests = [ask("one"), ask("one", params={"max_completion_tokens": 500})]
    expected = estimate(requests, "openai:gpt-4o-mini", completion=2000)
    assert expected.usage.completion == 2000 + 500


def test_an_estimate_without_a_vocabulary_or_a_price_says_so():
    expected = estimate([ask("one two three")], "openai:qwen3-8b")
    assert not expected.exact
    assert (expected.price, expected.batch_price, expected.most) == (None, None, None)
    known = estimate([ask("one")], "openai:gpt-4o-mini")
    assert known.price is not None
    assert (expected + known).price is None
    elsewhere = estimate([ask("one")], "gpt-4o-mini")
    assert elsewhere.price == known.price
    assert elsewhere.batch_price is None


def test_nothing_to_ask_costs_nothing_whatever_the_model():
    assert estimate([], "openai:qwen3-8b") == Estimate()
    assert Estimate().price == 0


def test_an_estimate_takes_prices_that_are_known_better():
    prices = {"qwen3-*": Rates(Decimal(1), Decimal(1), Decimal(1))}
    expected = estimate([ask("one")], "openai:qwen3-8b", prices=prices)
    assert expected.price == Decimal(expected.usage.prompt + SUMMARY_TOKENS) / 1_000_000


@pytest.mark.skipif(not PUBLISHED.exists(), reason="needs ../shared")
def test_a_published_summary_takes_about_as_many_tokens_as_are_expected():
    summaries = [entry.summary for entry in parse_markdown(PUBLISHED.read_text()).entries]
    lengths = [costs._guess("\n".join(f"- {p.text}" for p in s.points)) for s in summaries if s]
    assert abs(sum(lengths) / len(lengths) - SUMMARY_TOKENS) < 60
