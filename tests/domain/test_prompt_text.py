"""What commands may be, and which variables a text has."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from flask_app.domain import prompt_text

TEXTS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "prompts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("given", TEXTS, ids=lambda given: given["text"][:20])
def test_variables_are_found_once_in_their_order(given: dict[str, Any]) -> None:
    assert [list(each) for each in prompt_text.variables(given["text"]).items()] == given["variables"]


@pytest.mark.parametrize(
    "text", ["{{" * 10_000, "{{a" * 6_600, "{{" + "a" * 19_998, "{{a}}" * 4_000, "{{ " + " " * 19_990]
)
def test_a_long_text_is_read_in_no_time(text: str) -> None:
    began = time.thread_time()
    assert len(prompt_text.variables(text)) <= 1
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("word", ["sum", "Sum_up-2", "总结", "résumé", "สรุป", "x" * 32])
def test_letters_and_digits_of_any_script_make_a_command(word: str) -> None:
    assert prompt_text.is_command(word)


@pytest.mark.parametrize(
    "word", ["", "a b", "a/b", "a.b", "-", "__", "<b>", "a\u202eb", "a\u200b", "🙂", "\u3164", "x" * 33]
)
def test_anything_else_makes_none(word: str) -> None:
    assert not prompt_text.is_command(word)
