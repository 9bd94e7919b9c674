"""What a newcomer does in the browser on the new server, where the provider is too.

A process of its own in that server's network, ``python -m tests.compose.newcomer ADDRESS URL CERTIFICATE``: it reads a
line of JSON for each thing to do, and writes a line of JSON for what came of it.
"""

import json
import re
import ssl
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from types import TracebackType
from typing import Any

from tests.compose.machine import ADDRESS, NETWORK, Machine
from tests.compose.talk import whole
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD, ROOT, USERNAME, Visitor

_NAMED = """mount --bind "$0" /etc/hosts && exec "$@" """


class Newcomer:
    """`port` is the provider's."""

    def __init__(self, server: Machine, host: str, certificate: Path) -> None:
        there = [
            "nsenter",
            f"--net={NETWORK}",
            "unshare",
            "--mount",
            "sh",
            "-c",
            _NAMED,
            str(server.root / "etc/hosts"),
        ]
        told = [ADDRESS, f"https://{host}", str(certificate)]
        command = [*there, sys.executable, "-m", "tests.compose.newcomer", *told]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True)
        self.port = int(self._told())

    def __enter__(self) -> "Newcomer":
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate(timeout=60)

    def sets_up(self, code: str) -> int:
        """The status that a key for the provider is taken with."""
        return int(self._does("set up", code))

    def signs_in(self) -> None:
        self._does("sign in")

    def chats(self) -> list[str]:
        """The last event of an answer, and its text."""
        return list(self._does("chat"))

    def conversations(self) -> int:
        return int(self._does("look"))

    def version(self) -> str:
        """What all addresses of static files have in them."""
        return str(self._does("version"))

    def _does(self, *task: str) -> Any:
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps(task)}\n")
        self._process.stdin.flush()
        return self._told()

    def _told(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


def main() -> None:
    address, base_url, certificate = sys.argv[1:]
    with ScriptedUpstream(address) as upstream:
        visitor = Visitor(base_url, tls=ssl.create_default_context(cafile=certificate))
        _tell(upstream.port)
        for line in sys.stdin:
            _tell(_done(visitor, upstream, *json.loads(line)))


def _tell(what: Any) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def _done(visitor: Visitor, upstream: ScriptedUpstream, what: str, code: str = "") -> Any:
    match what:
        case "set up":
            visitor.post("/api/setup", {"code": code, "username": USERNAME, "password": PASSWORD})
            _sign_in(visitor)
            key = {"label": "own", "secret": "sk-scripted-key", "base_url": upstream.base_url, "provider_name": "own"}
            return visitor.post("/api/admin/keys", key).status
        case "sign in":
            return _sign_in(visitor)
        case "chat":
            return whole(visitor)
        case "look":
            return len(visitor.get("/api/conversations").json()["conversations"])
        case "version":
            page = Visitor(visitor.base_url, tls=visitor.tls).get("/login").data.decode()
            return re.findall(r"/static/([0-9a-f]{16})/", page)[0]
    raise ValueError(what)


def _sign_in(visitor: Visitor) -> None:
    visitor.headers = {}
    visitor.sign_in(visitor.post("/api/login", {"username": USERNAME, "password": PASSWORD}))


if __name__ == "__main__":
    main()
