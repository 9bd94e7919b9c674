"""Text in which there is nothing to see."""

import pytest

from flask_app.domain.blank import is_blank

SHAPELESS = "\u200b\u200c\u200d\u200e\u2060\u2062\ufeff\u00ad\u034f\u061c\u180e\ufe0f\U000e0041\U000e0100"


@pytest.mark.parametrize("text", ["", " \t\r\n\u3000\u00a0\u2028", *SHAPELESS, f" {SHAPELESS}\n", "\u3164", "\u2800"])
def test_nothing_is_seen(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "。", "\u200b你\u200b", "👩\u200d🚀", "☺\ufe0f", "0", "\u0301", "\ue000"])
def test_something_is_seen(text: str) -> None:
    assert not is_blank(text)
