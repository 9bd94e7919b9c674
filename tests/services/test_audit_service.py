"""The audit log: added to, never changed, and without secrets."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

import flask_app
from flask_app.database import reading, transaction
from flask_app.models import AuditEntry, User
from flask_app.services.audit import audit_service


def test_an_entry_says_who_what_whom_with_which_values_and_from_where(app: Flask, admin: User) -> None:
    with transaction() as session:
        audit_service.record(session, admin, "key.add", "01abc", {"label": "团队 🙂"}, "192.0.2.1")
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry))
    assert (entry.actor_id, entry.actor_name, entry.action, entry.target, entry.address) == (
        *(admin.id, "admin", "key.add", "01abc", "192.0.2.1"),
    )
    assert json.loads(entry.details) == {"label": "团队 🙂"}


@pytest.mark.security("secrets-blotted-out")
def test_a_secret_given_by_mistake_is_blotted_out(app: Flask) -> None:
    with transaction() as session:
        audit_service.record(session, None, "key.add", "x", {"label": "sk-canary0123456789"})
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry))
    assert "canary" not in entry.details


def test_an_act_that_is_taken_back_leaves_no_entry(app: Flask) -> None:
    with transaction() as session:
        audit_service.record(session, None, "key.add", "x")
        session.rollback()
    with reading() as session:
        assert session.scalars(select(AuditEntry)).all() == []


@pytest.mark.security("audit")
def test_nothing_changes_or_deletes_an_entry() -> None:
    """One module alone adds entries, one finds them, and one removes what a site keeps no longer: none can do more."""
    package = Path(flask_app.__file__).parent
    named = re.compile(r"\b(AuditEntry|audit_log)\b")
    sources = {path.relative_to(package).as_posix(): path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    know = {name for name, source in sources.items() if not name.startswith("models/") and named.search(source)}
    assert know == {f"services/audit/audit_{name}.py" for name in ("service", "search", "retention")}
    added, found = sources["services/audit/audit_service.py"], sources["services/audit/audit_search.py"]
    assert added.count("AuditEntry") == len(["the import", "where to look", "what is added"])
    assert not re.search(r"\b(insert|update|delete)\(", added + found)
    assert not re.search(r"\b(transaction|add|AuditEntry\()\b", found)
    assert "session.add(\n        AuditEntry(" in added
    removed = sources["services/audit/audit_retention.py"]
    assert re.findall(r"\b(?:insert|update|delete|add)\(.*", removed) == [
        "delete(_entries).where(_entries.c.id <= last))"
    ]
