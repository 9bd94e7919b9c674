"""Two administrators change the same thing in the same moment, for the first time or not: none of them meets a fault,
and the audit log tells of one change after the other."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from flask_app import database
from flask_app.database import reading
from flask_app.models import AuditEntry, ChatModel
from flask_app.services.providers import model_service
from tests.conftest import MakeUser, SignIn
from tests.support import logos
from tests.support.clients import PageClient
from tests.support.keys import stored_key
from tests.support.together import at_once

WAIT_SECONDS = 0.5  # for the other one, who may be waiting for a lock
STORES = ("INSERT INTO settings", "UPDATE settings", "UPDATE api_keys", "UPDATE providers", "UPDATE models")


@dataclass(frozen=True)
class Case:
    """Two bodies that are sent to a path at once; the entry of the audit log that says what there was before."""

    method: str
    path: str
    bodies: tuple[Any, Any]
    action: str


SETTINGS = [
    Case("PUT", "rates/site", ({"messages": {"amount": 9, "seconds": 60}}, {}), "rates.change"),
    Case("PUT", "requests/retention", ({"days": 7}, {"days": 8}), "requests.retention"),
    Case("PUT", "settings/registration", ({"mode": "open"}, {"mode": "approval"}), "registration.change"),
    Case("PUT", "settings/sharing", ({"mode": "people"}, {"mode": "anybody"}), "sharing.change"),
    Case(
        "PUT",
        "settings/web-search",
        tuple({"engine": "searxng", "url": f"https://{name}.example.com"} for name in ("one", "two")),  # type: ignore[arg-type]
        "web_search.change",
    ),
    Case("PUT", "settings/password-sign-in", ({"everybody": False}, {"everybody": True}), "password_sign_in.change"),
    Case("PUT", "settings/retention", ({"days": 30}, {"days": 40, "file_days": 9}), "retention.change"),
    Case(
        "PUT",
        "settings/site",
        ({"name": "Yucai", "locale": "zh"}, {"name": None, "locale": "en", "accent": "#993333"}),
        "site.change",
    ),
    Case(
        "PUT",
        "settings/logo",
        tuple({"content": base64.b64encode(logos.png(edge, edge)).decode()} for edge in (64, 65)),  # type: ignore[arg-type]
        "site.change",
    ),
    Case("PUT", "models/titles", ({"model_id": None}, {"model_id": "default"}), "titles.change"),
    Case("PATCH", "warnings", ({"low_balance_micros": 1}, {"low_balance_micros": 2}), "warnings.threshold"),
    Case(
        "PUT",
        "warnings/webhook",
        ({"url": "https://one.example.com/a"}, {"url": "https://two.example.com/b"}),
        "webhook.set",
    ),
    Case(
        "PUT",
        "reconciliations/threshold",
        ({"absolute": 50_000, "permille": 5}, {"absolute": 60_000, "permille": 6}),
        "reconciliation.threshold",
    ),
]


@pytest.fixture
def clients(app: Flask, make_user: MakeUser, sign_in: SignIn) -> list[PageClient]:
    return [sign_in(make_user(name, "admin")) for name in ("first", "second")]


@pytest.fixture
def side_by_side(app: Flask, chosen_database: str) -> Callable[[], Any]:
    """Whoever is about to store something waits until the other is too, or will not come. SQLite has one at a time."""

    @contextmanager
    def block() -> Iterator[None]:
        both = threading.Barrier(2)

        def wait(_: Any, __: Any, statement: str, *___: Any) -> None:
            if statement.startswith(STORES) and chosen_database != "sqlite":
                with suppress(threading.BrokenBarrierError):
                    both.wait(WAIT_SECONDS)

        engine = database.writer()
        event.listen(engine, "before_cursor_execute", wait)
        yield
        event.remove(engine, "before_cursor_execute", wait)

    return block


def entries(action: str) -> list[dict[str, Any]]:
    """What the audit log says of the changes, the oldest first."""
    with reading() as session:
        details = session.scalars(select(AuditEntry.details).where(AuditEntry.action == action).order_by(AuditEntry.id))
        return [told for each in details if "before" in (told := json.loads(each))]


def assert_chain(told: list[dict[str, Any]]) -> None:
    """What two entries both name was after the first as it was before the second."""
    for first, second in pairwise(told):
        shared = first["after"].keys() & second["before"].keys()
        assert {name: first["after"][name] for name in shared} == {name: second["before"][name] for name in shared}


def send(clients: list[PageClient], case: Case) -> None:
    """Neither is refused."""

    def act(number: int) -> tuple[int, str]:
        url = f"/api/admin/{case.path}"
        reply = clients[number].open(url, method=case.method, json=case.bodies[number])
        return reply.status_code, reply.text

    replies: list[Any] = at_once(2, act)
    assert [(status, text) for status, text in replies if status // 100 != 2] == []


@pytest.mark.each_case
@pytest.mark.parametrize("case", SETTINGS, ids=lambda case: case.path)
def test_a_setting_that_two_store_for_the_first_time(
    clients: list[PageClient], side_by_side: Callable[[], Any], case: Case
) -> None:
    with side_by_side():
        send(clients, case)
    told = entries(case.action)
    assert told, "something was changed"
    assert_chain(told)
    with side_by_side():
        send(clients, case)
    assert_chain(entries(case.action))


def cases_of_rows() -> list[Case]:
    key = stored_key("environment")
    with reading() as session:
        model = session.scalars(select(ChatModel.id).order_by(ChatModel.name)).first()
    named: dict[str, Any] = {"successor_id": None, "aliases": []}
    return [
        Case("PATCH", f"keys/{key.id}", ({"weight": 7}, {"weight": 8}), "key.change"),
        Case("PATCH", f"providers/{key.provider_id}", ({"priority": 7}, {"priority": 8}), "provider.change"),
        Case(
            "PUT",
            f"models/{model}",
            ({**named, "context_tokens": 7000}, {**named, "context_tokens": 8000}),
            "model.change",
        ),
    ]


@pytest.mark.parametrize("number", range(3), ids=("key", "provider", "model"))
def test_a_row_that_two_change(clients: list[PageClient], side_by_side: Callable[[], Any], number: int) -> None:
    model_service.prepare()
    clients[0].get("/api/models")
    case = cases_of_rows()[number]
    with side_by_side():
        send(clients, case)
    told = entries(case.action)
    assert len(told) == 2
    assert_chain(told)
