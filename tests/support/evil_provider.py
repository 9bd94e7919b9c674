"""A provider that says whatever a test wants: its discovery document, its keys and its tokens are scripted."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "site"
ACCESS_TOKEN = "an access token"


class EvilProvider:
    """`metadata` is laid over an honest discovery document; `token` makes the ID token of honest claims."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.published: list[dict[str, Any]] = []
        self.tokens: list[dict[str, str]] = []  # the forms that its token endpoint got
        self.asked: list[str] = []  # paths
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.status, self.reply = 200, b""  # of every address, where there is a reply
        self.token: Callable[[dict[str, Any]], str] = self.honest
        self.nonce = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.forget()

    def forget(self) -> None:
        """Be honest again."""
        self.metadata, self.userinfo, self.status, self.reply = {}, {}, 200, b""
        self.published = [self.key.as_dict(private=False)]
        self.token = self.honest
        self.tokens.clear()
        self.asked.clear()

    def honest(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode({"alg": "RS256", "kid": "one"} | header, claims, self.key)

    def claims(self, **others: Any) -> dict[str, Any]:
        now = int(time.time())
        half = hashlib.sha256(ACCESS_TOKEN.encode()).digest()[:16]
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "somebody", "iat": now, "exp": now + 300}
        usual |= {"nonce": self.nonce, "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("=")}
        return usual | others

    def visit(self, location: str) -> dict[str, str]:
        """As a browser that is sent there and back at once."""
        asked = dict(parse_qsl(urlsplit(location).query))
        self.nonce = asked["nonce"]
        return {"state": asked["state"], "code": "a code"}

    def serve(self) -> threading.Thread:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, form: str) -> dict[str, Any]:
        self.asked.append(path)
        match path:
            case "/.well-known/openid-configuration":
                return self._discovery() | self.metadata
            case "/keys":
                return {"keys": self.published}
            case "/token":
                self.tokens.append({name: values[0] for name, values in parse_qs(form).items()})
                return {"id_token": self.token(self.claims()), "access_token": ACCESS_TOKEN, "token_type": "Bearer"}
            case _:
                return {"sub": "somebody"} | self.userinfo

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Exchange(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply("")

            def do_POST(self) -> None:
                self._reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def _reply(self, form: str) -> None:
                body = provider.reply or json.dumps(provider.answer(self.path, form)).encode()
                self.send_response(provider.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                return

        return Exchange


@contextmanager
def running() -> Iterator[EvilProvider]:
    provider = EvilProvider()
    provider.serve()
    try:
        yield provider
    finally:
        provider.close()
