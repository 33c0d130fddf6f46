from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from types import SimpleNamespace

import pytest
from genai_prices import Usage as Priced
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from summarizer.costs import Rates, find_rates, load_prices, price
from summarizer.costs.prices import _listed
from summarizer.digest import Usage
from summarizer.errors import InputError

MILLION = Usage(prompt=1_000_000, completion=1_000_000)
SERVER = "http://127.0.0.1:8000/v1"


@pytest.fixture(autouse=True)
def at_openai(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    _listed.cache_clear()
    yield
    _listed.cache_clear()


# List prices


def test_a_price_is_the_list_price():
    assert price(MILLION, "openai:gpt-4o-mini") == Decimal("0.75")
    assert price(MILLION, "gpt-4o-mini-2024-07-18") == Decimal("0.75")


def test_cached_tokens_are_cheaper_and_thinking_is_part_of_the_completion():
    plain = price(Usage(prompt=1000, completion=500), "openai:gpt-4o-mini")
    cached = price(Usage(prompt=1000, completion=500, cached=800), "openai:gpt-4o-mini")
    thought = price(Usage(prompt=1000, completion=500, reasoning=400), "openai:gpt-4o-mini")
    assert plain == Decimal("0.00045") == thought
    assert cached == Decimal("0.00039")
    assert Rates(Decimal(1), Decimal(2), Decimal(4)).most(MILLION) == 6  # whatever is dearer
    assert Rates(Decimal(2), Decimal(1), Decimal(4)).most(MILLION) == 6
    odd = Usage(prompt=10, completion=0, cached=99)  # a server that counts wrongly
    assert price(odd, "openai:gpt-4o-mini") == Decimal("0.00000075")


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("openai:qwen3-8b", None),
        ("openai:", None),
        ("openai:gpt-4o-mini", SERVER),
        ("openai:claude-sonnet-4-5", None),
        ("replay:recordings.jsonl", None),
        ("langchain:a.b:C", None),
        ("langchain:a.b:C?model=gpt-4o-mini", None),
        ("langchain:langchain_openai:ChatOpenAI?model=no-such-model", None),
        ("langchain:langchain_openai:ChatOpenAI?model=gpt-4o-mini", SERVER),
        ("langchain:langchain_openai:ChatOpenAI?model=gpt-4o-mini&base_url=" + SERVER, None),
        ("langchain:langchain_ollama:ChatOllama?model=llama3.3", None),
        ("no-such-model", None),
        ("", None),
    ],
)
def test_an_unknown_price_is_none_and_never_nothing(model, base_url):
    assert price(Usage(prompt=1000, completion=500), model, base_url=base_url) is None
    assert price(Usage(), model, base_url=base_url, batch=True) is None


def test_a_server_of_one_s_own_has_no_price(monkeypatch):
    assert price(MILLION, "openai:gpt-4o-mini") is not None
    monkeypatch.setenv("OPENAI_BASE_URL", SERVER)
    assert price(MILLION, "openai:gpt-4o-mini") is None


def test_other_vendors_are_known_by_their_server_or_by_a_langchain_model():
    usage = Usage(prompt=1000, completion=500)
    deepseek = price(usage, "openai:deepseek-chat", base_url="https://api.deepseek.com/v1")
    claude = price(usage, "langchain:langchain_anthropic:ChatAnthropic?model=claude-sonnet-4-5")
    own = price(usage, "openai:gpt-4o-mini", base_url="https://api.openai.com/v1")
    assert all(isinstance(known, Decimal) and known > 0 for known in (deepseek, claude))
    assert own == price(usage, "openai:gpt-4o-mini")


def chat_models():
    """What OpenAI and Anthropic charge by the token alone, as the library lists it."""
    for provider in get_snapshot().providers:
        for model in provider.models if provider.id in ("openai", "anthropic") else ():
            listed = model.get_prices(dt.datetime.now(dt.UTC))
            priced = listed.input_mtok is not None and listed.output_mtok is not None
            if priced and model.is_match(model.id):
                yield provider.id, model.id


def test_our_arithmetic_is_the_library_s():
    """Where a server charges for writing its cache, all that was not in it is taken as written."""
    place = {"openai": "openai:", "anthropic": "langchain:langchain_anthropic:C?model="}
    differs = []
    for provider, model in chat_models():
        rates = find_rates(place[provider] + model)
        assert rates is not None, model
        for prompt, cached in ((0, 0), (3000, 0), (3000, 2560), (300_000, 0), (1_500_000, 9)):
            usage = Priced(
                input_tokens=prompt,
                cache_read_tokens=cached,
                cache_write_tokens=prompt - cached if provider == "openai" else 0,
                output_tokens=500,
            )
            listed = calc_price(usage, model, provider_id=provider).total_price
            ours = rates.cost(Usage(prompt=prompt, cached=cached, completion=500))
            if ours != listed:
                differs.append((provider, model, prompt, cached, ours, listed))
    assert not differs


def test_more_tokens_never_cost_less():
    """Upon which a budget relies when it holds back the price of the most tokens there can be."""
    for provider, model in chat_models():
        rates = find_rates(f"openai:{model}" if provider == "openai" else model)
        assert rates is not None
        for _, longer in rates.longer:
            assert rates.input <= longer.input
            assert rates.cached_input <= longer.cached_input
            assert rates.output <= longer.output


def test_a_model_that_charges_for_more_than_tokens_has_no_price_here():
    url = "https://api.perplexity.ai"
    listed = calc_price(Priced(), "sonar", provider_api_url=url).model_price
    assert listed.requests_kcount
    assert price(MILLION, "openai:sonar", base_url=url) is None


def test_a_price_of_which_half_is_missing_is_unknown(monkeypatch):
    half = SimpleNamespace(
        input_mtok=Decimal(1), output_mtok=None, cache_read_mtok=None, cache_write_mtok=None
    )
    priced = SimpleNamespace(
        model_price=half,
        provider=SimpleNamespace(id="openai"),
        model=SimpleNamespace(price_variants=None),
    )
    monkeypatch.setattr("genai_prices.calc_price", lambda *_, **__: priced)
    assert price(Usage(prompt=1000), "openai:gpt-4o") is None


# The Batch API


def test_the_batch_api_costs_half():
    assert price(MILLION, "openai:gpt-4o-mini", batch=True) == Decimal("0.375")
    assert price(MILLION, "openai:gpt-5-mini", batch=True) == Decimal("1.125")


def test_in_a_batch_cached_tokens_keep_their_price_where_none_is_listed():
    cached = Usage(prompt=1_000_000, cached=1_000_000)
    assert price(cached, "openai:gpt-4o-mini") == Decimal("0.075")
    assert price(cached, "openai:gpt-4o-mini", batch=True) == Decimal("0.075")
    assert price(cached, "openai:gpt-5-mini", batch=True) == Decimal("0.0125")


def test_without_a_listed_batch_price_the_discount_is_taken_off(monkeypatch):
    listed = find_rates("openai:gpt-4o-mini")
    _listed.cache_clear()
    variants = calc_price(Priced(), "gpt-4o-mini", provider_id="openai").model
    monkeypatch.setattr(variants, "price_variants", None)
    rates = find_rates("openai:gpt-4o-mini", batch=True)
    assert rates is not None
    assert listed is not None
    assert (rates.input, rates.output) == (listed.input / 2, listed.output / 2)


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("gpt-4o-mini", None),
        ("langchain:langchain_openai:ChatOpenAI?model=gpt-4o-mini", None),
        ("openai:deepseek-chat", "https://api.deepseek.com/v1"),
        ("openai:gpt-4o-mini", "https://api.openai.com.example.org/v1"),
        ("langchain:langchain_anthropic:ChatAnthropic?model=claude-sonnet-4-5", None),
    ],
)
def test_elsewhere_there_is_no_batch_api(model, base_url):
    assert price(MILLION, model, base_url=base_url, batch=True) is None


# The file


@pytest.fixture
def file(tmp_path):
    def write(text: str):
        path = tmp_path / "prices.yaml"
        path.write_text(text)
        return path

    return write


def test_a_file_of_prices_beats_the_list_and_knows_servers_of_one_s_own(file, monkeypatch):
    prices = load_prices(
        file(
            "# US dollars for a million tokens\n"
            "openai:gpt-4o-mini: {input: 1, output: 2, source: our contract}\n"
            "'qwen3-*':\n"
            "  input: 0.05\n"
            "  cached_input: 0.01\n"
            "  output: 0.2\n"
            "  batch_discount: 0.25\n"
            "'*': {input: 9, output: 9}\n"
        )
    )
    assert price(MILLION, "openai:gpt-4o-mini", prices=prices) == 3
    assert price(MILLION, "openai:gpt-4o-mini", prices=prices, batch=True) == Decimal("1.5")
    usage = Usage(prompt=1_000_000, cached=500_000, completion=1_000_000)
    monkeypatch.setenv("OPENAI_BASE_URL", SERVER)
    assert price(usage, "openai:qwen3-8b", prices=prices) == Decimal("0.23")
    assert price(usage, "openai:qwen3-8b", prices=prices, batch=True) == Decimal("0.1725")
    assert price(MILLION, "openai:gpt-4o-mini", prices=prices) == 3
    assert price(MILLION, "openai:gpt-4o-mini", prices=prices, batch=True) is None
    assert price(MILLION, "langchain:a.b:C?model=x", prices=prices) == 18
    assert price(MILLION, "langchain:a.b:C", prices=prices) == 18
    assert price(MILLION, "replay:a.jsonl", prices=prices) is None


def test_a_file_may_be_json_and_decides_only_what_it_names(file):
    prices = load_prices(file(json.dumps({"free": {"input": 0, "output": 0}})))
    assert price(MILLION, "openai:free", prices=prices) == 0
    assert price(MILLION, "openai:gpt-4o-mini", prices=prices) == Decimal("0.75")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "the file names no model"),
        ("- a\n", 1, "not a mapping"),
        ("a: 1\n", 1, "a is 1, not a mapping"),
        ("a: {input: 1}\n", 1, "a has no 'output'"),
        ("a:\n  input: 1\n  output: cheap\n", 3, "not a number"),
        ("a:\n  input: -0.5\n  output: 1\n", 2, "-0.5 is below 0"),
        ("a:\n  input: 1\n  outptu: 1\n  output: 1\n", 3, "no setting 'outptu'"),
        ("a:\n  input: 1\n  output: 1\n  batch_discount: 50\n", 4, "50 is more than"),
        ("a: {input: 1, output: 1}\na: {input: 2, output: 2}\n", 2, "a second time"),
        ("a: {input: 1, output: 1e999}\n", 1, "too large"),
        ("a: {input: true, output: 1}\n", 1, "not a number"),
        ("a: {input: 1, output: 1, source: 3}\n", 1, "not text"),
        ("*: {input: 1, output: 1}\n", 1, ""),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(file, text, line, said):
    path = file(text)
    with pytest.raises(InputError) as caught:
        load_prices(path)
    assert caught.value.exit_code == 2
    assert (caught.value.path, caught.value.line) == (path, line)
    assert said in caught.value.message


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_prices(tmp_path / "none.yaml")


@given(
    st.decimals(0, 1000, places=4),
    st.decimals(0, 1000, places=4),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
)
def test_sums_are_exact(cheap, dear, prompt, completion):
    rates = Rates(input=cheap, cached_input=cheap, output=dear)
    one = rates.cost(Usage(prompt=prompt, completion=completion))
    assert one * 1_000_000 == cheap * prompt + dear * completion
    parts = [rates.cost(Usage(prompt=prompt)), rates.cost(Usage(completion=completion))]
    assert sum(parts) == one
