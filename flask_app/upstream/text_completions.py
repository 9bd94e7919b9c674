"""Completions of plain text: a provider goes on with a prompt as it stands, or fills what is before a suffix."""

from flask_app.upstream.chunks import ChunkReader
from flask_app.upstream.client import ChatStream
from flask_app.upstream.readers import TextReader


class TextStream(ChatStream):
    """A text that is gone on with, as it arrives. With `prefix` it is asked for under /beta, where DeepSeek has it."""

    path, lacking = "/completions", "completions_not_offered"

    def _reader(self) -> ChunkReader:
        return TextReader()
