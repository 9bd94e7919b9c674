"""The words on the pages, by their keys: the tests look for what a reader of that language sees."""

from collections.abc import Callable

from flask_app import i18n

Words = Callable[..., str]


def words(locale: str) -> Words:
    """`words("zh")("chat.send")` is what the send button is called in Chinese."""

    def say(key: str, **params: object) -> str:
        return i18n.translate(locale, key, **params)

    return say
