"""The bare relay that MingChat is measured against: no sign-in, no ledger, no storage.

Reads whole chunks, decodes each event once, writes once per read.
`gunicorn -k gevent -w 1 bench.relay:application`, with the provider's port in UPSTREAM_PORT.
"""

import os
from collections.abc import Iterator
from http.client import HTTPConnection
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec

from bench.answers import MODEL

encode = msgspec.json.encode
PORT = int(os.environ["UPSTREAM_PORT"])


class Delta(msgspec.Struct):
    content: str | None = None


class Choice(msgspec.Struct):
    delta: Delta


class Chunk(msgspec.Struct):
    choices: list[Choice]


decode = msgspec.json.Decoder(Chunk).decode


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    asked = msgspec.json.decode(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    messages = [{"role": "user", "content": asked["message"]}]
    body = encode({"model": MODEL, "messages": messages, "stream": True, "stream_options": {"include_usage": True}})
    upstream = HTTPConnection("127.0.0.1", PORT)
    upstream.request("POST", "/chat/completions", body, {"Content-Type": "application/json"})
    response = upstream.getresponse()
    start_response("200 OK", [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")])
    rest = b""
    while data := response.read1(65536):
        *events, rest = (rest + data).split(b"\n\n")
        parts = []
        for event in events:
            if event != b"data: [DONE]":
                choices = decode(event[6:]).choices
                if choices and (text := choices[0].delta.content):
                    parts.append(b"event: token\ndata: " + encode({"text": text}) + b"\n\n")
        if parts:
            yield b"".join(parts)
    upstream.close()
    yield b'event: done\ndata: {"status":"complete"}\n\n'
