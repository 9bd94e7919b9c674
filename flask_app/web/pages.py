"""What a page starts with, inside it: JSON that a module reads, so that an empty page asks for nothing more."""

import msgspec

from flask_app.web.bodies import Reply


def state(value: Reply) -> str:
    """`value` as JSON that is safe inside a script element."""
    return msgspec.json.encode(value).decode().replace("<", "\\u003c")
