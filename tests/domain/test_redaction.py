"""A provider's words, made fit to be shown."""

import time

import pytest

from flask_app.domain.redaction import MAX_DETAIL, presentable

SECRET = "ak-5b2c9f7e41d04c6f8a33"


@pytest.mark.parametrize(
    "words",
    [
        f"the key {SECRET} is invalid",
        f"api key:{SECRET}, sorry",
        f"({SECRET[:12]}…)",
        f"ends in {SECRET[-8:]}",
        f"x{SECRET}x",
        f"{SECRET[:5]}\u200b{SECRET[5:]} was split",
        f"{SECRET[:8]}\U000e0041{SECRET[8:]} was split by what nobody sees",
    ],
)
def test_no_part_of_the_key_is_left(words: str) -> None:
    shown = presentable(words, SECRET)
    assert "…" in shown
    assert not any(SECRET[start : start + 6] in shown.replace(" ", "") for start in range(len(SECRET) - 5))


@pytest.mark.security("secrets-blotted-out")
@pytest.mark.parametrize(
    "words",
    [
        "another sk-1234abcd was meant",
        "send Authorization: Bearer abcdefg",
        "token 0123456789abcdef0123456789abcdef",
        "https://user:hunter22@example.com/",
        "SK-PROJ-zzzzzzzz and key_12345678",
    ],
)
def test_whatever_looks_like_a_key_is_left_out(words: str) -> None:
    shown = presentable(words, "")
    assert "…" in shown
    for hidden in ("1234abcd", "abcdefg", "0123456789", "hunter22", "zzzz", "12345678"):
        assert hidden not in shown


def test_ordinary_words_stay() -> None:
    for words in (
        "Insufficient Balance",
        "余额不足，请充值后重试，谢谢您的理解与支持，祝您生活愉快a1",
        "Model Not Exist: deepseek-flash",
    ):
        assert presentable(words, SECRET) == words


def test_it_is_one_line_of_at_most_200_visible_characters() -> None:
    shown = presentable("a\r\n\x1b[31mb\x00\u202ec\ud800 " + "long " * 1000, SECRET)
    assert shown.isprintable()
    assert shown.startswith("a [31mb c long")
    assert len(shown) == MAX_DETAIL


def test_long_words_cost_no_time() -> None:
    began = time.thread_time()
    for words in ("a" * 60_000, "a1" * 30_000, "sk-" * 20_000, "://" * 20_000, "bearer " * 9_000):
        presentable(words, "a" * 500)
    assert time.thread_time() - began < 1
