"""What no page asks of access tokens, and the database that is away while one is used."""

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm.exc import DetachedInstanceError
from structlog.testing import capture_logs

from flask_app import database
from flask_app.config import Config
from flask_app.database import transaction, utc_now
from flask_app.errors import Invalid, NotFound
from flask_app.models import AccessToken, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tokens import token_service
from flask_app.services.tokens.token_service import Wanted
from tests.support import gateway
from tests.support.storage import counted_statements

NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"


@pytest.mark.parametrize("days", [0, -1, token_service.MAX_DAYS + 1])
def test_a_token_holds_for_days_that_make_sense(member: User, days: int) -> None:
    with pytest.raises(Invalid, match="bad_token_days"):
        gateway.made(member, days=days)
    assert gateway.made(member, days=token_service.MAX_DAYS).token.expires_at


def test_nobody_makes_or_revokes_one(app: Flask) -> None:
    with pytest.raises(NotFound):
        token_service.make(Actor(None), "a session", Wanted(name="editor"))
    with pytest.raises(NotFound):
        token_service.revoke_own(Actor(None), "a token")


def test_a_use_that_cannot_be_noted_is_logged_and_fails_nothing(member: User, base_config: Config) -> None:
    secret = gateway.made(member).secret
    visited = token_service.visit(secret)
    assert visited
    database.connect(NOWHERE)
    try:
        with capture_logs() as logs:
            token_service.note_used(visited)
    finally:
        database.connect(base_config.database_url)
    assert [(each["event"], each["token"]) for each in logs] == [("last_used_not_written", visited.token_id)]
    again = token_service.visit(secret)
    assert again
    assert again.last_used_at is None
    token_service.note_used(again)
    noted = token_service.visit(secret)
    assert noted
    assert noted.last_used_at


def test_of_requests_that_went_on_side_by_side_the_first_to_end_notes_the_use(member: User) -> None:
    secret = gateway.made(member).secret
    first, second = token_service.visit(secret), token_service.visit(secret)
    assert first
    assert second
    token_service.note_used(first)
    with counted_statements() as statements:
        token_service.note_used(second)
    assert statements == [], "it saw no earlier use, and yet there is nothing to write"
    with transaction() as session:
        session.execute(update(AccessToken).values(last_used_at=None))
    later = token_service.visit(secret)
    assert later
    token_service.note_used(later)
    noted = token_service.visit(secret)
    assert noted
    assert noted.last_used_at, "what is seen after that holds"


def test_a_long_answer_is_noted_although_another_was_a_while_ago(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, moment = gateway.made(member).secret, utc_now()
    first, second = token_service.visit(secret), token_service.visit(secret)
    assert first
    assert second
    token_service.note_used(first)
    monkeypatch.setattr(token_service, "utc_now", lambda: moment + 2 * token_service.USED_EVERY)
    token_service.note_used(second)
    noted = token_service.visit(secret)
    assert noted
    assert noted.last_used_at == moment + 2 * token_service.USED_EVERY


def test_a_request_asks_for_no_more_than_it_needs(member: User) -> None:
    secret = gateway.made(member, origins=["https://app.example.com"]).secret
    with counted_statements() as statements:
        plain = token_service.visit(secret)
        of_page = token_service.visit(secret, "https://app.example.com")
        elsewhere = token_service.visit(secret, "https://other.example.com")
    assert plain
    assert of_page
    assert elsewhere
    assert ["token_origins" in each for each in statements] == [False, True, True]
    assert (plain.origin, of_page.origin, elsewhere.origin) == (None, "https://app.example.com", None)
    assert (plain.user.id, plain.user.role, plain.user.timezone) == (member.id, member.role, member.timezone)
    with pytest.raises(DetachedInstanceError):
        _ = plain.user.password_hash
    assert not any("password_hash" in each for each in statements)
