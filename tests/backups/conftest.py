"""A site with something of everything, its backup, and a machine to restore it on."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from flask_app import database
from flask_app.database import new_id, transaction
from flask_app.domain.files import PIECE_BYTES
from flask_app.models import (
    Conversation,
    FilePiece,
    KeptDraft,
    Message,
    User,
)
from flask_app.services.audit.audit_service import Actor
from flask_app.services.warnings import webhook_service
from tests.backups.machines import MADE, OWN_KEY, WORDS, run, use
from tests.conftest import MakeUser
from tests.support import databases, files, ledger, passkeys
from tests.support.keys import keep_key, keep_provider
from tests.test_cli_usage import NOON


@pytest.fixture
def site(app: Flask, make_user: MakeUser) -> Flask:
    """Two people with a ledger, a conversation, a file in pieces, a passkey, a provider's key and a webhook."""
    people = [make_user(name) for name in ("小明🙂", "amina")]
    ledger.write(ledger.entry(person.id, NOON) for person in people for _ in range(3))
    ledger.write([ledger.entry(people[0].id, NOON, cost_micros=2**53, currency="USD")])
    ledger.write([ledger.entry("gone", NOON, cost_micros=None, currency=None, peak=None)])
    keep_key(keep_provider("one", "https://one.example", models=["m"]), "k")
    webhook_service.point(Actor(user=None), "https://hook.example/secret-path", "en")
    talked = talk(people[0])
    passkeys.keep(people[1].id)
    files.attach(kept := files.file_of(people[0], sent=True), talked)
    with transaction() as session:
        session.add_all(FilePiece(file_id=kept, number=number, content=os.urandom(PIECE_BYTES)) for number in (1, 2))
    return app


def talk(person: User) -> str:
    conversation = Conversation(id=new_id(), user_id=person.id, title=WORDS[:20])
    # Made in the same millisecond, the answer's id may be less than the question's.
    question = Message(id="2", conversation_id=conversation.id, role="user", text=WORDS * 50)
    answer = Message(id="1", conversation_id=conversation.id, role="assistant", text=WORDS, parent_id="2")
    own = {"user_id": person.id, "message_key": "k", "text": WORDS, "saved_at": NOON}
    drafts = [KeptDraft(id=conversation.id, conversation_id=conversation.id, **own), KeptDraft(id=person.id, **own)]
    for row in (conversation, question, answer, *drafts):
        with transaction() as session:
            session.add(row)
    return conversation.id


@pytest.fixture
def file(site: Flask, tmp_path: Path) -> Path:
    made = tmp_path / "site.tar.gz"
    assert run(site, "backup", made).exit_code == 0
    return made


@pytest.fixture
def elsewhere(site: Flask, database_url: str, tmp_path: Path) -> Iterator[str]:
    """The settings of a machine with an empty database, which makes its own keys."""
    with databases.another(database_url, tmp_path) as url:
        (tmp_path / "instance").mkdir()
        (tmp_path / "instance" / "secrets.json").write_text(json.dumps(dict.fromkeys(MADE, OWN_KEY)))
        use(url, tmp_path / "instance", encryption_key=OWN_KEY, made_secrets=MADE)
        yield url
        database.disconnect()
