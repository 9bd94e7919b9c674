"""Requests to every route of the site: as described, nearly so, and torn, with ids that are one's own, others' and
none.

What they are is drawn by the seed; which ids stand in them is not, as those are made anew by each site.
"""

import json
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote

from tests.support import files
from tests.support.fuzzed_api import BYTES, JSON, LEAST, RANKS, Operation
from tests.support.fuzzed_bodies import Bodies
from tests.support.fuzzed_people import PASSWORD, Person, Things
from tests.support.torn import ODD, RAW, Tearing

OWNED = {"conversation_id", "folder_id", "run_id", "message_id", "user_message_id", "session_id", "token_id"}
OWNED |= {"program_request_id", "passkey_id", "identity_id", "managed_id", "device_id", "file_id"}
OWNED |= {"prompt_id", "share_id", "assistant_id", "call_id"}
ABSENT = "01kb0000000000000000000000"
WORDS = [value for value in ODD if isinstance(value, str)] + ["%_%", "' OR 1=1 --", "..%2f", "{{7*7}}", "2026-11-25"]
PLAUSIBLE = {
    "limit": ("1", "50", "100", "101", "0", "-1", "9" * 30, "1e3", "٣"),
    "from": ("2026-11-01", "2026-11-25", "0001-01-01", "9999-12-31", "2026-02-30"),
    "to": ("2026-11-30", "2026-11-25", "0001-01-01", "9999-12-31", "x"),
    "by": ("day", "month", "model", "user", "group", "hour", "channel"),
    "format": ("csv", "jsonl", "xml"),
    "status": ("2", "4", "5", "200"),
    "model": ("deepseek-flash", "nothing"),
    "q": ("a", "member", "word"),
    "outcome": ("complete", "stopped", "failed"),
    "action": ("user.add", "token.create"),
    "tokens": ("1", "0", "-1", "9" * 19, "9" * 400),
}
# What a field of a body may be, where a drawn text would always be refused.
MEANT = {
    "password": (PASSWORD, "two sparrows under one umbrella"),
    "current_password": (PASSWORD,),
    **dict.fromkeys(("input_hit", "input_miss", "output"), ("0.5", "2", "0")),
    "thousand_requests": ("5", "0.75", "0", "0.0001"),
    "currency": ("CNY", "USD"),
    "timezone": ("Asia/Shanghai", "UTC", "Mars/Base"),
    "expires_on": ("2027-01-01", "2999-12-31"),
    "starts_at": ("2027-01-01T00:00:00Z", "2999-12-31T00:00:00+08:00"),
    "issuer": ("https://id.example.org", "http://127.0.0.1:9"),
    "base_url": ("https://127.0.0.1:9/v1", "http://127.0.0.1:9/v1", "ftp://x"),
    "url": ("https://127.0.0.1:9/hook", "http://127.0.0.1:9"),
    "address": ("me@example.com", "x@", "10.0.0.0/8", "ldaps://127.0.0.1:9"),
    **dict.fromkeys(("base_dn", "bind_dn"), ("dc=school,dc=example", "dc=", "")),
    "email": ("me@example.com", "x@"),
    "locale": ("en", "zh-Hant", "xx"),
}
KINDS = ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx")
FILES = (files.picture(), files.picture("JPEG"), files.pdf("words"), files.document("words"), b"words of a text")
FORM = b"username=x&password=y&next=/&csrf_token=z"
# What stops somebody, or everybody, from asking: one in ten of what is drawn is sent.
SELDOM = {"POST /logout", "DELETE /api/me/sessions", "POST /api/me/password", "PUT /api/admin/rates/site"}
SELDOM |= {
    "POST /api/me/delete",
    "DELETE /api/admin/users/{user_id}",
    "PUT /api/admin/groups/{group_id}/opening-balance",
}
SELDOM |= {"PUT /api/admin/rates/groups/{group_id}", "PUT /api/admin/settings/password-sign-in"}
LONGEST = 3_900  # of a path: gunicorn itself refuses what is longer than 4,094 with its line


@dataclass(frozen=True, slots=True)
class Asked:
    """`is_foreign`: all that it names is somebody else's; `is_proved`: it brings what changes take from our pages."""

    operation: Operation
    who: Person
    path: str
    body: bytes | None
    headers: dict[str, str]
    is_foreign: bool
    is_proved: bool

    @property
    def method(self) -> str:
        return self.operation.method

    def __str__(self) -> str:
        return f"{self.who.role} {self.method} {self.path}\n  {(self.body or b'')[:600]!r}"


class Pages:
    """Draws requests; `cast` are those who send them, `others` those whose things they try, `site` what is nobody's."""

    def __init__(self, operations: list[Operation], bodies: Bodies, origin: str, seed: int) -> None:
        self.operations, self._bodies, self._origin = operations, bodies, origin
        self._random = Random(seed)
        self._tearing = Tearing(self._random)
        self._cast: list[Person] = []
        self._others: list[Person] = []
        self._site = Things(list)

    def gather(self, cast: list[Person], others: list[Person], site: Things) -> None:
        ids = {name for operation in self.operations for name in operation.arguments if name.endswith("_id")}
        assert not (unknown := [name for name in sorted(ids - OWNED) if not site[name]]), unknown
        self._cast, self._others, self._site = cast, others, site

    def next(self) -> Asked:
        pick = self._random
        who = pick.choice(self._cast)
        operation = self._operation(who)
        path, is_foreign = self._path(operation, who)
        headers, is_proved = self._headers(operation, who)
        body = self._body(operation, who) if operation.method not in {"GET", "DELETE"} else None
        if body is not None:
            kind = BYTES if operation.takes_bytes else JSON
            headers["Content-Type"] = kind if pick.random() < 0.96 else pick.choice(KINDS)
        return Asked(operation, who, path, body, headers, is_foreign, is_proved)

    def _operation(self, who: Person) -> Operation:
        """Most are what the person may do."""
        while True:
            operation = self._random.choice(self.operations)
            is_beyond = RANKS[who.role] < LEAST.get(operation.access, 0)
            if self._random.random() > 0.9 * (str(operation) in SELDOM) and self._random.random() > 0.7 * is_beyond:
                return operation

    def learn(self, asked: Asked, made: list[str]) -> None:
        """Ids that a reply has told: those of what `asked.who` has made there."""
        for operation in self.operations:
            if operation.rule.startswith(f"{asked.operation.rule}/{{") and operation.rule.count("{") == 1:
                name = operation.arguments[0]
                known = asked.who.things[name] if name in OWNED else self._site[name]
                known.extend(made[: max(0, 40 - len(known))])
                return

    def _path(self, operation: Operation, who: Person) -> tuple[str, bool]:
        path, foreign = operation.rule, []
        for name in operation.arguments:
            value, is_foreign = self._id(name, who)
            foreign.append(is_foreign)
            path = path.replace(f"{{{name}}}", quote(value.encode("utf-8", "surrogatepass"), safe="") or "x")
        query = [f"{name}={quote(self._word(name))}" for name in operation.queries if self._random.random() < 0.35]
        if self._random.random() < 0.05:
            query.append(f"{quote(self._random.choice(WORDS))[:200]}={quote(self._random.choice(WORDS))}")
        owned = [name for name in operation.arguments if name in OWNED]
        return (path + ("?" + "&".join(query) if query else ""))[:LONGEST].rstrip("%"), bool(owned) and all(foreign)

    def _id(self, name: str, who: Person) -> tuple[str, bool]:
        """A value for a route's argument, and whether it is somebody else's."""
        pick, draw = self._random, self._random.random()
        if draw > 0.92:
            return pick.choice([ABSENT, *WORDS])[:1500], False
        if name not in OWNED:
            return pick.choice(self._site[name] or [ABSENT]), False
        if draw > 0.5 or not who.things[name]:
            return pick.choice(self._foreign(name, who)), True
        return pick.choice(who.things[name]), False

    def _foreign(self, name: str, who: Person) -> list[str]:
        if name == "managed_id":
            return [each for each in self._site["group_id"] if each not in who.things[name]]
        return self._random.choice([each for each in self._others if each is not who]).things[name]

    def _word(self, name: str) -> str:
        pick = self._random
        if pick.random() < 0.3:
            return str(pick.choice(WORDS)).encode("utf-8", "surrogatepass").decode("latin-1")[:2000]
        known = [*self._site[f"{name}_id"], *self._site["record_id"], ABSENT]
        return pick.choice(PLAUSIBLE.get(name, known))

    def _headers(self, operation: Operation, who: Person) -> tuple[dict[str, str], bool]:
        pick, is_proved = self._random, True
        address = ".".join(str(pick.randrange(1, 255)) for _ in range(4))
        headers = {"Origin": self._origin, "X-Forwarded-For": address} | who.headers(pick)
        if operation.is_of_programs and who.token and pick.random() < 0.8:
            headers["Authorization"] = f"Bearer {who.token}"
        if pick.random() < 0.04:
            change = pick.choice([{"X-CSRF-Token": "0" * 64}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
            headers, is_proved = headers | change, False
        if pick.random() < 0.3:
            headers["Accept"] = pick.choice((JSON, "text/html", "*/*", "text/event-stream", "x", ""))
        if pick.random() < 0.05:
            headers["Accept-Language"] = pick.choice(("ja", "zh-Hant", "x" * 300, "*;q=9", "en;q=nan"))
        for name in operation.headers:
            headers[name] = pick.choice(("x", "a" * 64, "a b", "1", "x" * 300))
        return headers, is_proved

    def _body(self, operation: Operation, who: Person) -> bytes | None:
        pick, draw = self._random, self._random.random()
        if operation.takes_bytes:
            whole = pick.choice(FILES)
            if draw < 0.7:
                return whole if draw < 0.5 else whole[: pick.randrange(len(whole))]
            return self._tearing.torn(whole)
        if not operation.takes_body:
            return None if draw < 0.9 else pick.choice((FORM, b"{}", *RAW))
        if draw > 0.96:
            return pick.choice((FORM, *RAW))
        known = [operation.least] if draw < 0.25 else self._bodies.of(str(operation), fits=draw < 0.7)
        drawn = deepcopy(pick.choice(known))
        if draw < 0.7 and isinstance(drawn, dict):
            self._fill(drawn, who)
        if isinstance(drawn, dict | list) and drawn and pick.random() < 0.15:
            self._tearing.spoil(drawn)  # type: ignore[arg-type]
        if isinstance(drawn, bytes):
            return drawn
        raw = json.dumps(drawn, ensure_ascii=pick.random() < 0.5).encode("utf-8", "surrogatepass")
        return self._tearing.torn(raw) if pick.random() < 0.1 else raw

    def _fill(self, body: dict[str, Any], who: Person) -> None:
        """Some of its fields get what means something on this site."""
        for name, value in body.items():
            if isinstance(value, dict):
                self._fill(value, who)
            elif isinstance(value, str) and self._random.random() < 0.6:
                body[name] = self._meant(name, value, who)

    def _meant(self, name: str, value: str, who: Person) -> str:
        if name == "scope_id":
            known = [*self._site["user_id"], *self._site["group_id"]]
        elif name in {"username", "login"}:
            known = [who.name]  # all have one password: as somebody else one would come in
        elif name in OWNED or name == "parent_id":
            name = "message_id" if name == "parent_id" else name
            known = [*who.things[name], *self._random.choice(self._others).things[name]]
        else:
            known = list(MEANT.get(name) or self._site["name" if name == "model" else name])
        return self._random.choice([*known, value] if name not in MEANT else known)
