"""What providers count of an answer: which counts hold, and that no part is more than the whole."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain.events import Usage
from flask_app.upstream.chunks import ChunkReader
from flask_app.upstream.counts import usage_of


def test_deepseek_and_openai_usage_are_read() -> None:
    common = {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}
    deepseek = common | {"prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6}
    openai = common | {"prompt_tokens_details": {"cached_tokens": 4}}
    assert usage_of(json.dumps(deepseek).encode()) == usage_of(json.dumps(openai).encode()) == Usage(10, 4, 5, 3)


@pytest.mark.parametrize(
    "raw",
    [
        b"null",
        b"{}",
        b"[]",
        b'{"prompt_tokens":true,"completion_tokens":1}',
        b'{"prompt_tokens":-1,"completion_tokens":1}',
        b'{"prompt_tokens":1.5,"completion_tokens":1}',
        b'{"prompt_tokens":"1","completion_tokens":1}',
        b'{"prompt_tokens":9223372036854775808,"completion_tokens":1}',
    ],
)
def test_usage_that_makes_no_sense_is_no_usage(raw: bytes) -> None:
    assert usage_of(raw) is None


def test_one_senseless_part_does_not_spoil_the_totals() -> None:
    raw = b'{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":-1}}'
    assert usage_of(raw) == Usage(9, 0, 5, 0)
    cached = b'{"prompt_tokens":9,"completion_tokens":5,"prompt_cache_hit_tokens":2,"total_tokens":%b}'
    assert usage_of(cached % b"[1e999]") == usage_of(cached % b'"\xbb"') == Usage(9, 2, 5, 0)


def test_parts_never_exceed_the_whole() -> None:
    told = {"prompt_tokens": 5, "prompt_cache_hit_tokens": 9, "completion_tokens": 2}
    raw = json.dumps(told | {"completion_tokens_details": {"reasoning_tokens": 7}}).encode()
    assert usage_of(raw) == Usage(5, 5, 2, 2)


@pytest.mark.parametrize(
    ("completion", "total", "booked"),
    [
        (1499, 14428, 4308),  # beside the completion, as xAI counts
        (1499, 11619, 1499),  # within it, as OpenAI and DeepSeek do
        (4308, 14428, 4308),
        (1499, 14427, 1499),  # no sum that means anything
        (1499, "14428", 1499),
        (1499, 14428.0, 1499),
        (1499, None, 1499),
    ],
)
def test_thoughts_that_are_counted_beside_the_completion_are_booked_with_it(
    completion: int, total: object, booked: int
) -> None:
    counts = {"prompt_tokens": 10_120, "completion_tokens": completion, "total_tokens": total}
    raw = json.dumps(counts | {"completion_tokens_details": {"reasoning_tokens": 2809}}).encode()
    assert usage_of(raw) == Usage(10_120, 0, booked, min(2809, booked))


def test_a_sum_of_thoughts_and_completion_that_no_ledger_holds_is_not_made() -> None:
    counts = {"prompt_tokens": 1, "completion_tokens": 2**31 - 1, "total_tokens": 2**31 + 1}
    raw = json.dumps(counts | {"completion_tokens_details": {"reasoning_tokens": 1}}).encode()
    assert usage_of(raw) == Usage(1, 0, 2**31 - 1, 1)


COUNTS = st.integers(0, 2**31 - 1)
SENSELESS = st.one_of(st.integers(-9, -1), st.just(2**31), st.booleans(), st.floats(0.1, 0.9), st.text(max_size=2))
PARTS = st.one_of(st.none(), COUNTS, SENSELESS)


@given(COUNTS, COUNTS, PARTS, PARTS, PARTS)
def test_hit_and_miss_are_the_prompt_and_thinking_is_within_the_answer_whatever_a_provider_writes(
    prompt: int, completion: int, hit: object, cached: object, reasoning: object
) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": cached}, "prompt_cache_hit_tokens": hit}
    told = {"prompt_tokens": prompt, "completion_tokens": completion} | details
    found = usage_of(json.dumps(told | {"completion_tokens_details": {"reasoning_tokens": reasoning}}).encode())
    assert found is not None
    assert (found.prompt_tokens, found.completion_tokens) == (prompt, completion)
    assert 0 <= found.cached_tokens <= prompt
    assert 0 <= found.reasoning_tokens <= completion


@given(st.one_of(SENSELESS, st.none()), COUNTS, st.booleans())
def test_a_senseless_total_is_no_count(senseless: object, completion: int, of_the_prompt: bool) -> None:
    totals = [senseless, completion] if of_the_prompt else [completion, senseless]
    assert usage_of(json.dumps(dict(zip(("prompt_tokens", "completion_tokens"), totals, strict=True))).encode()) is None


@given(st.lists(st.one_of(st.tuples(COUNTS, COUNTS), SENSELESS), max_size=8))
def test_of_many_counts_of_one_stream_the_last_of_the_highest_holds_and_none_is_added_up(told: list[object]) -> None:
    written = [
        {"prompt_tokens": each[0], "completion_tokens": each[1]} if isinstance(each, tuple) else each for each in told
    ]
    chunks = [json.dumps({"choices": [], "usage": usage}).encode() for usage in written]
    held: Usage | None = None
    for event in ChunkReader().read(chunks):
        if isinstance(event, Usage):
            held = event.later_than(held)
    counts = [(prompt, completion) for each in told if isinstance(each, tuple) for prompt, completion in [each]]
    most = max(map(sum, counts), default=None)
    last = next((each for each in reversed(counts) if sum(each) == most), None)
    assert (held and (held.prompt_tokens, held.completion_tokens)) == last
