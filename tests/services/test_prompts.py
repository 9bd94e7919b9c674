"""What a request may use at most, about how much it is, and what its provider is told of that."""

from typing import Any

import pytest
from flask import Flask

from flask_app import config
from flask_app.domain.budget import MESSAGE_TOKENS, REQUEST_TOKENS
from flask_app.domain.serving import BUNDLED_NAME, LOCAL, ServedModel
from flask_app.services.chat import prompts
from flask_app.services.chat.prompts import DEMO_TOKENS, IN_PROMPT_TOKENS, MAX_BYTES, Request, Turn
from flask_app.services.completion.attempts import Earlier
from flask_app.services.files.file_service import Facts
from flask_app.services.files.message_files import Attached
from tests.support.keys import served

MODEL = served("p")
DEMO = served("p", name=BUNDLED_NAME, kind=LOCAL)
TOOLS = [{"type": "function", "function": {"name": "wetter"}}]
WRITTEN_TOOLS = b'{"tools":[{"type":"function","function":{"name":"wetter"}}]}'


def request(*contents: str, **fields: Any) -> Request:
    usual: dict[str, Any] = {
        "user_id": "u",
        "model": MODEL,
        "turns": [Turn("user", content) for content in contents],
        "thinking": None,
        "channel": "chat",
        "request_id": "r",
        "address": "",
    }
    return Request(**(usual | fields))


def body(asked: Request, model: ServedModel = MODEL, *, prefix: bool = False, most: int | None = 300) -> Any:
    return prompts.body(asked, model, prefix=prefix, max_tokens=most)


def test_a_prompt_is_bound_by_its_bytes_and_what_stands_around_each_message() -> None:
    assert prompts.bound(request("hello", "你好")) == REQUEST_TOKENS + 2 * MESSAGE_TOKENS + 5 + 6
    assert prompts.estimate(request("hello world", "你好")) == 4 + 2


def test_functions_count_twice_and_options_that_the_provider_does_not_read_not_at_all() -> None:
    plain = request("hello")
    asked = request("hello", options={"tools": TOOLS, "temperature": 1})
    assert prompts.bound(asked) == prompts.bound(plain) + IN_PROMPT_TOKENS + 2 * len(WRITTEN_TOOLS)
    assert prompts.estimate(asked) == prompts.estimate(plain) + prompts.estimate(request(WRITTEN_TOOLS.decode()))
    assert prompts.bound(request("hello", options={"temperature": 1})) == prompts.bound(plain)


def test_an_answer_that_is_gone_on_with_counts_with_the_words_that_ask_for_it() -> None:
    asked = request("hello", earlier=Earlier("It began", "a thought"), go_on="Go on")
    assert prompts.turns(asked, prefix=False) == [
        Turn("user", "hello"),
        Turn("assistant", "It began"),
        Turn("user", "Go on"),
    ]
    assert prompts.turns(asked, prefix=True) == [Turn("user", "hello"), Turn("assistant", "It began")]
    assert prompts.bound(asked) == REQUEST_TOKENS + 3 * MESSAGE_TOKENS + len("helloIt beganGo on")


@pytest.mark.parametrize(("more", "is_too_long"), [(0, False), (1, True)])
def test_the_longest_prompt_is_counted_in_bytes_with_its_functions(more: int, *, is_too_long: bool) -> None:
    rest = "x" * (MAX_BYTES - len("你".encode()) - len(WRITTEN_TOOLS) + more)
    assert prompts.is_too_long(request("你", rest, options={"tools": TOOLS})) is is_too_long


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (request("one"), "message_too_long_for_model"),
        (request("one", "two"), "conversation_too_long"),
        (request("one", earlier=Earlier("It began", "")), "conversation_too_long"),
    ],
)
def test_what_is_too_long_is_said(asked: Request, code: str) -> None:
    assert prompts.code_of_length(asked) == code


@pytest.mark.parametrize(
    ("model", "asked", "longest"),
    [
        (MODEL, None, 0),
        (MODEL, 1_000_000_000, 0),
        (MODEL, 20, 20),
        (DEMO, None, DEMO_TOKENS),
        (DEMO, 20, 20),
        (DEMO, DEMO_TOKENS + 1, DEMO_TOKENS),
    ],
)
def test_an_answer_is_as_long_as_is_asked_and_no_longer_than_is_allowed(
    app: Flask, model: ServedModel, asked: int | None, longest: int
) -> None:
    assert prompts.longest_answer(model, asked) == (longest or config.current().max_answer_tokens)


def test_the_provider_is_always_asked_for_its_count(app: Flask) -> None:
    asked = request("hello", thinking=True, options={"temperature": 1})
    assert body(asked) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 1,
        "max_tokens": 300,
    }
    assert "max_tokens" not in body(asked, most=None), "an attempt of before the budgets has reserved nothing"


def test_a_message_of_a_program_is_sent_as_it_wrote_it_and_a_beginning_is_marked(app: Flask) -> None:
    raw = {"role": "tool", "content": "12", "tool_call_id": "t"}
    asked = request(turns=[Turn("tool", "{…}", raw)], earlier=Earlier("It began", ""), go_on="Go on")
    begun = {"role": "assistant", "content": "It began"}
    assert body(asked)["messages"] == [raw, begun, {"role": "user", "content": "Go on"}]
    assert body(asked, prefix=True)["messages"] == [raw, begun | {"prefix": True}]


def test_only_a_model_that_thinks_is_told_whether_to_and_for_whom(app: Flask) -> None:
    thinker = ServedModel(
        id="id", name="t", label="t", thinking=True, provider_id="p", provider="", kind="openai", currency="CNY"
    )
    told = body(request("hello", thinking=False), thinker)
    assert told["thinking"] == {"type": "disabled"}
    assert body(request("hello", thinking=True), thinker)["thinking"] == {"type": "enabled"}
    assert "thinking" not in body(request("hello"), thinker)
    same, other = body(request("again"), thinker), body(request("hello", user_id="v"), thinker)
    assert told["user_id"] == same["user_id"] != other["user_id"]
    assert (len(told["user_id"]), "u" in told["user_id"]) == (32, False)


def test_the_small_local_model_is_kept_from_repeating_itself(app: Flask) -> None:
    assert body(request("hello"), DEMO) == body(request("hello")) | {
        "model": BUNDLED_NAME,
        "repeat_penalty": 1.2,
        "temperature": 0.6,
    }


def test_what_is_asked_of_another_call_is_its_options_alone(app: Flask) -> None:
    options = {"prompt": "def f():", "suffix": "f()", "temperature": 0.1}
    text = request("def f():", "f()", options=options, operation="text_completion")
    streamed = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": 300}
    assert body(text) == {"model": MODEL.name} | options | streamed
    assert body(text, DEMO) == {"model": DEMO.name} | options | streamed | prompts.DEMO_LIMITS
    vectors = request("a text", options={"input": "a text"}, operation="embeddings")
    assert body(vectors) == {"model": MODEL.name, "input": "a text"}
    assert prompts.longest_answer(MODEL, 300, "embeddings") == 0


def test_of_several_answers_each_may_be_as_long_as_its_part(app: Flask) -> None:
    several = request("hello", options={"n": 4})
    assert [prompts.choices(several), prompts.choices(request("hello"))] == [4, 1]
    assert (body(several)["n"], body(several)["max_tokens"]) == (4, 75)
    assert body(several, most=3)["max_tokens"] == 1
    assert "max_tokens" not in body(several, most=None)


def test_images_are_counted_apart_from_words() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}
    words = {"type": "text", "text": "What is it?"}
    shown = Turn.of_program({"role": "user", "content": [words, image, image]})
    told = Turn.of_program({"role": "user", "content": [words]})
    assert (shown.images, shown.content) == (2, told.content)
    asked, plain = request(turns=[shown]), request(turns=[told])
    assert prompts.bound(asked) == prompts.bound(plain) + 2 * prompts.MOST_IMAGE_TOKENS
    assert prompts.estimate(asked) == prompts.estimate(plain) + 2 * prompts.USUAL_IMAGE_TOKENS
    assert body(asked)["messages"] == [{"role": "user", "content": [words, image, image]}]


def test_pictures_of_people_are_reserved_by_their_size() -> None:
    def shown(width: int, height: int) -> Attached:
        own = {"id": "f", "name": "cat.png", "kind": "picture", "content_type": "image/png", "bytes": 10}
        shape = {"width": width, "height": height, "pages": None, "tokens": 1000, "absent": None, "object_key": None}
        return Attached(Facts(**own, **shape), "")  # type: ignore[arg-type]

    pictures = shown(64, 48), shown(2048, 1536)
    asked = request(turns=[Turn("user", "hello", images=2, pictures=pictures)])
    plain = request(turns=[Turn("user", "hello")])
    assert prompts.bound(asked) == prompts.bound(plain) + prompts.MOST_IMAGE_TOKENS + 2_833 + 4 * 5_667
    assert prompts.estimate(asked) == prompts.estimate(plain) + 2 * prompts.USUAL_IMAGE_TOKENS
