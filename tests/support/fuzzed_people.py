"""People who send fuzzed requests, whom they could wrong, and all that each of them has."""

import secrets
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from sqlalchemy import update

from flask_app.database import new_id, reading, transaction
from flask_app.models import FilePiece, KeptFile, User
from flask_app.services.gateway import word_log
from flask_app.services.people import names, passwords, supervision_service
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service
from flask_app.services.sign_in.auth_service import Browser
from flask_app.web import csrf
from tests.support import called, devices, identities, passkeys, sharing
from tests.support.served import Visitor

PASSWORD = "violet harbour lantern"
SESSIONS = 6  # of one person at a time, as requests end some
Things = defaultdict[str, list[str]]


@dataclass
class Person:
    """`word` stands in what they alone may read. `things` are ids, by the name of a route's argument."""

    name: str
    role: str
    id: str = ""
    word: str = field(default_factory=lambda: f"word-{secrets.token_hex(8)}")
    token: str = ""
    things: Things = field(default_factory=lambda: defaultdict(list))
    _sessions: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_nobody(self) -> bool:
        return self.role == "nobody"

    def headers(self, random: Random) -> dict[str, str]:
        """Those of one of their browsers; of nobody's, none."""
        if self.is_nobody:
            return {}
        with self._lock:
            session = random.choice(self._sessions)
        return {"Cookie": f"mingchat={session}", "X-CSRF-Token": csrf.token_for(session)}

    def renew(self, ended: str) -> None:
        """The session that this cookie opened has ended: they sign in again, as whom they are in this test."""
        token = ended.removeprefix("mingchat=")
        with self._lock:
            if token not in self._sessions:
                return
            self._sessions[self._sessions.index(token)] = self._open()

    def sign_in(self) -> None:
        with self._lock:
            self._sessions = [self._open() for _ in range(SESSIONS)]

    def secrets(self) -> list[str]:
        with self._lock:
            return [*self._sessions, self.token]

    def _open(self) -> str:
        role = {"role": "admin" if self.role in {"admin", "owner"} else "member", "is_owner": self.role == "owner"}
        with transaction() as session:
            session.execute(update(User).where(User.id == self.id).values(disabled=False, **role))
            return auth_service.open_session(session, session.get_one(User, self.id), Browser("127.0.0.1")).token


def nobody() -> Person:
    return Person("nobody", "nobody")


def come(base_url: str, role: str, group_id: str) -> Person:
    """Somebody new of the group, signed in, with one of all that a person can have."""
    name = f"{role} {secrets.token_hex(6)}"
    person = Person(name, role)
    user = User(username=name, username_key=names.key(name), password_hash=_hashed(), group_id=group_id)
    with transaction() as session:
        session.add(user)
    person.id = user.id
    person.sign_in()
    supervision_service.see(user)
    _have(person, Visitor(base_url, person.headers(Random(0))))
    return person


def _have(person: Person, visitor: Visitor) -> None:
    ((_, started), *_) = list(visitor.chat(f"{person.word} in a message"))
    for name in ("conversation_id", "run_id", "message_id", "user_message_id"):
        person.things[name].append(started[name])
    person.things["call_id"].append(called.waiting(started))
    draft = f"/api/conversations/{started['conversation_id']}/draft"
    assert visitor.ask("PUT", draft, {"text": f"{person.word} in a draft", "key": secrets.token_hex(8)}).status == 200
    folder = visitor.post("/api/folders", {"name": f"{person.word} in a name"})
    person.things["folder_id"].append(folder.json()["id"])
    words = {"command": "mine", "title": f"{person.word} in a title", "text": f"{person.word} in a prompt"}
    person.things["prompt_id"].append(visitor.post("/api/prompts", words).json()["id"])
    assistant = {"name": f"{person.word} in a name", "instructions": f"{person.word} in instructions"}
    known = {"files": [_file(person)]}
    person.things["assistant_id"].append(visitor.post("/api/assistants", assistant | known).json()["id"])
    person.things["file_id"].append(_file(person))
    person.things["share_id"].append(_share(person, started["conversation_id"]))
    made = visitor.post("/api/tokens", {"name": "of a program"}).json()
    person.token = made["secret"]
    token_id, request_id = made["token"]["id"], new_id()
    assert visitor.ask("PUT", f"/api/tokens/{token_id}/words", {"hours": 1}).status == 200
    word_log.keep(request_id, person.id, token_id, f'"{person.word} of a program"'.encode(), None)
    person.things["token_id"].append(token_id)
    person.things["program_request_id"].append(request_id)
    person.things["passkey_id"].append(passkeys.keep(person.id))
    person.things["identity_id"].append(identities.link_somebody(person.id).id)
    person.things["device_id"].append(devices.keep(person.id))
    with transaction() as session:
        other = auth_service.open_session(session, session.get_one(User, person.id), Browser("127.0.0.1"))
    person.things["session_id"].append(digest(other.token))


def _share(person: Person, conversation_id: str) -> str:
    """A link whose token is told to nobody."""
    with reading() as session:
        user = session.get_one(User, person.id)
    return sharing.keep(user, conversation_id, content=f'[{{"role":"user","text":"{person.word} in a link"}}]').id


def _file(person: Person) -> str:
    content = f"{person.word} in a file".encode()
    about = {"kind": "text", "content_type": "text/plain", "name": f"{person.word} in a name.txt", "tokens": 9}
    sizes = {"bytes": len(content), "stored_bytes": 2 * len(content)}
    file = KeptFile(id=(file_id := new_id()), user_id=person.id, digest=digest(file_id), **about, **sizes, text="")
    with transaction() as session:
        session.add(file)
        session.flush()
        session.add(FilePiece(file_id=file_id, number=0, content=content))
    return file_id


def _hashed() -> str:
    if not _hash:
        _hash.append(passwords.make_hash(PASSWORD))
    return _hash[0]


_hash: list[str] = []
