"""Files read as the application reads them: by a child process, for somebody."""

import pytest

from flask_app.errors import Invalid
from flask_app.services.files import reader


def read(content: bytes, language: str = "en") -> reader.Read:
    with reader.spool() as sent:
        sent.write(content)
        sent.flush()
        with reader.read(sent, "somebody", language) as found:
            return found


def refused(content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        read(content)
    return caught.value.code


def text_of(content: bytes) -> str:
    return read(content).text
