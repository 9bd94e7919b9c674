"""Browsers that are new to somebody."""

from typing import Any

from flask import Flask
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction
from flask_app.models import AuditEntry, KnownDevice
from flask_app.services.secrets.signing import digest
from flask_app.services.warnings import delivery_service, warning_service
from tests.support.clients import PageClient, new_client
from tests.support.entrance import login

DEVICE = "__Host-mingchat-browser"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0"
MARK = "data-new-device="


def keep(person_id: str) -> str:
    """One in which they have signed in and are not any more; gives its id."""
    row = KnownDevice(id=digest(new_id()), user_id=person_id, user_agent="", address="192.0.2.9", is_new=True)
    with transaction() as session:
        session.add(row)
    return row.id


def comes(app: Flask, name: str = "ada", client: PageClient | None = None) -> PageClient:
    """Signs in by name and password; without `client` in a browser that nobody knows."""
    browser = client or new_client(app)
    browser.environ_base["HTTP_USER_AGENT"] = EDGE
    browser.csrf_token = ""
    browser.csrf_token = login(browser, name, address="203.0.113.9").json["csrf_token"]
    return browser


def leaves(browser: PageClient) -> None:
    assert browser.post("/logout").status_code == 204


def is_told(browser: PageClient) -> bool:
    page = browser.get("/account").text
    assert "data-sessions" in page
    return MARK in page


def new_ids(browser: PageClient) -> list[str]:
    listed: dict[str, Any] = browser.get("/api/me/sessions").json  # type: ignore[assignment]
    of_sessions = [each["new_device_id"] for each in listed["sessions"] if each["new_device_id"]]
    return of_sessions + [each["id"] for each in listed["gone"]]


def entries() -> list[AuditEntry]:
    with reading() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == "sign_in.new_device")))


def tell() -> None:
    warning_service.look()
    delivery_service.deliver_due()
