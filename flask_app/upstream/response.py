"""What has come of an HTTP/1.1 response, read by httptools, the parser of Node.js."""

import httptools


class BrokenResponse(Exception):
    """The connection ended in mid-response, or what came is no HTTP."""


class Response:
    """What has come of a response. httptools calls the `on_…` methods."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}  # by lower-case name
        self.has_head = False
        self.is_framed = False  # its end is told, not just the connection's
        self.is_complete = False
        self.is_reusable = False
        self.parts: list[bytes] = []  # of the body, not yet fetched
        self.fault: BrokenResponse | None = None  # told once the parts before it are fetched
        self.on_body = self.parts.append  # before the parser, which looks for it once
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what was received."""
        if self._parser is None:
            self.fault = BrokenResponse("more than the response")
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fault = BrokenResponse(str(error))

    def end(self) -> None:
        """The connection has ended; raises BrokenResponse when the body has not."""
        if self.is_framed or not self.has_head:
            raise BrokenResponse("cut before its end")
        self.is_complete, self._parser = True, None

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise BrokenResponse("more than the response")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code() if self._parser else 0
        if self.status >= 200:  # before that it is an interim response: the real one follows
            self.has_head = True
            self.is_framed = not {"content-length", "transfer-encoding"}.isdisjoint(self.headers)

    def on_message_complete(self) -> None:
        if not self.has_head:
            self.headers = {}
            return
        self.is_complete = True
        self.is_reusable = self._parser is not None and self._parser.should_keep_alive()
        self._parser = None
