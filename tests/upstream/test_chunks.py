"""Chunks of a chat completion: what counts, what is dropped, what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain.events import Failed, Finished, Logprobs, OfChoice, Reasoning, Served, Token, ToolCall, Usage
from flask_app.domain.refused import Refused
from flask_app.upstream.chunks import ChunkReader
from flask_app.upstream.readers import ChoicesReader, TextReader


def delta(**fields: object) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}).encode()


def test_pieces_that_arrive_together_become_one_event() -> None:
    assert ChunkReader().read([delta(content="Hel"), delta(content="lo")]) == [Token("Hello")]


def of_choice(index: object, **fields: object) -> dict[str, object]:
    return {"index": index, "delta": fields, "finish_reason": fields.pop("finish_reason", None)}


def together(*choices: object, **more: object) -> bytes:
    return json.dumps({"choices": choices} | more).encode()


def test_a_choice_that_nobody_asked_for_is_left_out() -> None:
    """Whatever it says: words, thoughts, calls, that it has ended. What the provider counts is told."""
    other = of_choice(1, content="no", reasoning_content="hm", tool_calls=[{"index": 0}], finish_reason="length")
    reader = ChunkReader()
    assert reader.read([together(of_choice(0, role="assistant")), together(other)]) == []
    assert reader.read([together(of_choice(0, content="Hel"), other), together(other), delta(content="lo")]) == [
        Token("Hello")
    ]
    assert reader.read([together(other, usage={"prompt_tokens": 3, "completion_tokens": 9})]) == [Usage(3, 0, 9, 0)]
    assert reader.read([together(of_choice(0, finish_reason="stop"), other)]) == [Finished("stop")]


@pytest.mark.parametrize("index", [0, 1, 7, None, "0", -1, 0.5, {"no": ["number"]}])
def test_the_first_choice_to_be_heard_is_the_answer_whatever_its_number(index: object) -> None:
    reader = ChunkReader()
    told = [together(of_choice(index, content="Hel")), together(of_choice(3, content="no")), together()]
    assert reader.read([*told, together(of_choice(index, content="lo"))]) == [Token("Hello")]
    assert reader.fault is None


@pytest.mark.parametrize("indices", [(None, 0), (0, None)])
def test_a_choice_without_a_number_is_the_first(indices: tuple[object, object]) -> None:
    first, second = indices
    told = [together(of_choice(first, content="Hel")), together(of_choice(second, content="lo"))]
    assert ChunkReader().read(told) == [Token("Hello")]


def test_so_it_is_of_a_text_that_is_gone_on_with() -> None:
    pieces = [{"index": 0, "text": "re"}, {"index": 1, "text": "no"}, {"index": 0, "text": "turn"}]
    assert TextReader().read([together(*pieces)]) == [Token("return")]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_is_apart_from_the_answer(name: str) -> None:
    """By either name: vLLM, Ollama, OpenRouter and Groq say the second."""
    told = [delta(**{name: "hm"}), delta(content=None), delta(content="yes")]
    assert ChunkReader().read(told) == [Reasoning("hm"), Token("yes")]
    assert ChoicesReader().read(told) == [OfChoice(0, Reasoning("hm")), OfChoice(0, Token("yes"))]


def test_thoughts_that_are_told_by_both_names_are_told_once() -> None:
    assert ChunkReader().read([delta(reasoning_content="hm", reasoning="hm")]) == [Reasoning("hm")]
    assert ChunkReader().read([delta(reasoning={"effort": "low"}, content="yes")]) == [Token("yes")]
    numbers = b'{"choices":[{"delta":{"reasoning":1e999,"refusal":1e999,"content":"yes"}}]}'
    assert ChunkReader().read([numbers]) == [Token("yes")]


def test_a_refusal_is_words_of_its_own_kind() -> None:
    refused = ChunkReader().read([delta(refusal="I "), delta(refusal="won't"), delta(refusal=["no"], content="")])
    assert refused == [Refused("I "), Refused("won't")]
    assert all(isinstance(event, Token) for event in refused)
    assert Refused("no") != Token("no")
    counted = b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
    assert ChunkReader().read([counted, delta(refusal="no")]) == [Usage(1, 0, 1, 0), Refused("no")]


def test_an_empty_event_says_nothing() -> None:
    reader = ChunkReader()
    assert reader.read([delta(content="Hel"), b"", delta(content="lo")]) == [Token("Hello")]
    assert reader.fault is None


def test_the_model_that_answers_is_told_once() -> None:
    reader = ChunkReader()
    named = b'{"model":"deepseek-flash","choices":[]}'
    assert reader.read([named]) == [Served("deepseek-flash")]
    assert reader.read([named]) == []
    assert reader.read([b'{"model": "\\u0064eepseek-flash\\n"}', b'{"model":null}', named]) == []


LONG = "m" * 127


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("\tglm\r\n模型 🙂\n", "glm 模型 🙂"),
        ("gpt\u202eexe\u2066\u200b\x00\x1b[31m4\u2028\x85", "gpt exe [31m4"),
        (LONG + "m", LONG + "m"),
        (LONG + "mm", LONG + "…"),
        (f" {LONG[1:]}  mm", LONG[1:] + "…"),
        ("m" * 10_000_000, LONG + "…"),
    ],
)
def test_a_models_name_is_one_that_a_model_may_have(said: str, told: str) -> None:
    chunk = json.dumps({"model": said, "choices": [{"delta": {"content": "Hi"}}]}).encode()
    assert ChunkReader().read([chunk, chunk]) == [Served(told), Token("HiHi")]


@pytest.mark.parametrize("said", ["", " \n", "\u200b\u202e", None, 4, ["m"], {"name": "m"}])
def test_what_names_no_model_takes_nothing_with_it(said: object) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 1}
    chunk = json.dumps({"model": said, "choices": [{"delta": {"content": "Hi"}}], "usage": usage}).encode()
    reader = ChunkReader()
    assert reader.read([chunk]) == [Token("Hi"), Usage(3, 0, 1, 0)]
    assert reader.fault is None


@pytest.mark.security("output-untrusted")
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_a_model_is_called_prints_and_fits(said: str) -> None:
    for told in ChunkReader().read([json.dumps({"model": said}).encode()]):
        assert isinstance(told, Served)
        assert told.model.isprintable()
        assert told.model == told.model.strip()
        assert 0 < len(told.model) <= 128


def test_the_model_is_told_before_the_words_that_come_with_it() -> None:
    chunk = b'{"model":"m","choices":[{"delta":{"content":"Hi"}}]}'
    assert ChunkReader().read([chunk]) == [Served("m"), Token("Hi")]


def test_a_count_that_a_call_has_overtaken_comes_before_it() -> None:
    counted = b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
    assert ChunkReader().read([counted, delta(tool_calls=[{"index": 0, "id": "c"}])]) == [
        Usage(1, 0, 1, 0),
        ToolCall(0, "c"),
    ]


def test_logprobs_are_the_providers_own() -> None:
    chunk = b'{"choices":[{"delta":{"content":"Hi"},"logprobs":{"content":[{"token":"Hi"}]}}]}'
    words, likely = ChunkReader().read([chunk])
    assert words == Token("Hi")
    assert isinstance(likely, Logprobs)
    assert [bytes(item) for item in likely.items] == [b'{"token":"Hi"}']
    for none in (b'{"content":["\xa9"]}', b"null", b'"x"', b"[]", b'{"content":null}', b'{"content":1}'):
        assert ChunkReader().read([b'{"choices":[{"delta":{},"logprobs":%b}]}' % none]) == []


def test_done_ends_the_stream_and_what_follows_is_ignored() -> None:
    reader = ChunkReader()
    assert reader.read([b"[DONE]", delta(content="late")]) == []
    assert reader.finished


def test_finish_reason_and_error_are_events() -> None:
    assert ChunkReader().read([b'{"choices":[{"delta":{},"finish_reason":"length"}]}']) == [Finished("length")]
    assert ChunkReader().read([b'{"choices":[{"finish_reason":"length"}]}']) == [Finished("length")]
    assert ChunkReader().read([b'{"error":{"message":"secret sk-1234"}}']) == [Failed("upstream_failed")]
    assert ChunkReader().read([b'{"error":null,"choices":[]}']) == []


@pytest.mark.parametrize("words", [{"content": "more"}, {"reasoning_content": "more"}, {"reasoning": "more"}])
def test_a_count_stands_before_the_words_that_have_overtaken_it(words: dict[str, str]) -> None:
    early = json.dumps(
        {"choices": [{"delta": {"content": "a"}}], "usage": {"prompt_tokens": 5, "completion_tokens": 1}}
    )
    late = json.dumps({"choices": [{"delta": words}], "usage": {"prompt_tokens": 5, "completion_tokens": 2}})
    before, after = [Token("a"), Usage(5, 0, 1, 0)], [Token("more") if "content" in words else Reasoning("more")]
    assert ChunkReader().read([early.encode(), delta(content="")]) == before
    assert ChunkReader().read([early.encode(), delta(**words)]) == before + after
    assert ChunkReader().read([early.encode(), late.encode()]) == [*before, *after, Usage(5, 0, 2, 0)]


@given(st.binary(max_size=200))
def test_garbage_takes_nothing_from_what_came_before(payload: bytes) -> None:
    reader = ChunkReader()
    events = reader.read([delta(content="before "), payload, delta(content="after")])
    text = "".join(event.text for event in events if isinstance(event, Token))
    assert text.startswith("before ")
    assert reader.fault or reader.finished or text.endswith("after")
