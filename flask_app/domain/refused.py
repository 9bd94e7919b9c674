"""What a model says instead of an answer."""

from flask_app.domain.events import Token


class Refused(Token, frozen=True, gc=False):
    """A piece of a refusal that the provider tells apart from the answer's text: words as others are."""
