"""Failures of the storage as people are told them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from flask_app import create_app, database
from flask_app.config import Config
from flask_app.database import reading
from flask_app.models import Message
from flask_app.services.conversations import conversation_lists
from flask_app.utils import public
from tests.support.clients import PageClient, new_client
from tests.support.scripted_upstream import ScriptedUpstream

JSON = {"Accept": "application/json"}


@pytest.fixture
def full_disk(app: Flask) -> Iterator[None]:
    """SQLite may not grow its file any more, as on a full disk."""
    if database.engine().dialect.name != "sqlite":
        pytest.skip("how full a MariaDB server's disk is cannot be set from here")

    def forbid_growth(connection: Any, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # means: as many as there are

    with database.transaction() as session:
        writer = session.get_bind()
    assert isinstance(writer, Engine)
    database.disconnect()
    with closing(sqlite3.connect(str(writer.url.database))) as connection:
        connection.execute("VACUUM")  # room that earlier tests left inside the file goes first
    event.listen(writer, "connect", forbid_growth)
    yield
    event.remove(writer, "connect", forbid_growth)
    database.disconnect()


@pytest.mark.security("failures-by-number")
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_fault_of_ours_is_told_by_its_number_alone(
    base_config: Config, app: Flask, accept: str, capfd: pytest.CaptureFixture[str]
) -> None:
    faulty = create_app(base_config)

    @faulty.get("/faulty")
    @public
    def view() -> str:
        raise ValueError("canary")

    response = new_client(faulty).get("/faulty", headers={"Accept": accept})
    assert response.status_code == 500
    assert not [word for word in ("canary", "ValueError", "Traceback", "flask") if word in response.text]
    number = response.headers["X-Request-ID"]
    assert number in response.text
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "unexpected_failure" in line]
    assert f"request={number}" in line
    assert "ValueError: canary" in line


@pytest.mark.security("closed-on-budgets")
def test_a_full_disk_is_told_and_nothing_is_sent(
    member_client: PageClient, upstream: ScriptedUpstream, full_disk: None
) -> None:
    long = "word " * 20_000
    response = member_client.post("/api/chat", json={"message": long})
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["error"]["code"] == "storage_full"
    assert len(upstream.journal.chats) == 0
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0
    assert member_client.get("/api/me").status_code == 200, "what only reads goes on"


def test_a_database_without_tables_is_not_ready_and_not_a_riddle(client: PageClient, tmp_path: Path) -> None:
    database.connect(f"sqlite:///{tmp_path / 'empty.db'}")
    assert client.get("/healthz").status_code == 200
    for headers in (JSON, {"Accept": "*/*"}, {}):
        response = client.get("/readyz", headers=headers)
        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        assert response.json is not None
        assert response.json["error"]["code"] == "database_unavailable"
        assert response.json["checks"] == {"database": "away"}
    client.set_cookie("__Host-mingchat", "x", secure=True)
    signed_in = client.get("/api/me")
    assert (signed_in.status_code, signed_in.headers["Retry-After"]) == (503, "5")
    assert b"login_sessions" not in signed_in.data


@pytest.mark.parametrize(
    "error", [PoolTimeoutError("QueuePool limit"), InterfaceError("select", {}, Exception("(0, '')"))]
)
def test_no_connection_left_is_a_database_that_is_away(
    member_client: PageClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(conversation_lists, "listed", fail)
    response = member_client.get("/api/conversations")
    assert response.status_code == 503
    assert response.json
    assert response.json["error"]["code"] == "database_unavailable"


def test_the_database_is_back_afterwards(app: Flask) -> None:
    with reading() as session:
        assert session.execute(text("SELECT count(*) FROM users")).scalar() == 0


def test_a_failure_of_what_the_api_describes_is_json_wherever_it_lies(client: PageClient) -> None:
    for accept in ("text/html", "*/*", ""):
        refused = client.post("/logout", headers={"Origin": "https://evil.example", "Accept": accept})
        assert (refused.status_code, refused.mimetype) == (403, "application/json")
    missing = client.post("/login", headers={"Accept": "text/html"})
    assert (missing.status_code, missing.mimetype) == (405, "text/html"), "a form sent without our scripts"
