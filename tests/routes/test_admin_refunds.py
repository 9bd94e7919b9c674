"""POST /api/admin/records/<id>/refund: administrators give a record back."""

from typing import Any

import pytest

from flask_app.database import utc_now
from flask_app.models import TokenUsage, User
from tests.support import ledger
from tests.support.clients import PageClient


@pytest.fixture
def entry(member: User) -> TokenUsage:
    (written,) = ledger.write([ledger.entry(member.id, utc_now(), key_id="key")])
    return written


def refund(client: PageClient, record_id: str, reason: Any = "a fault of ours") -> Any:
    return client.post(f"/api/admin/records/{record_id}/refund", json={"reason": reason})


def code(response: Any) -> str:
    return str(response.json["error"]["code"])


def test_the_record_is_refunded_and_both_are_seen_by_the_person(
    admin_client: PageClient, member_client: PageClient, entry: TokenUsage
) -> None:
    response = refund(admin_client, entry.id)
    assert response.status_code == 200, response.text
    assert response.json["provenance"] == "refunded"
    assert response.json["reason"] == "a fault of ours"
    assert response.json["refunded_at"]
    page = member_client.get("/api/usage/records").json
    assert page is not None
    newest, oldest = page["records"]
    assert (newest["kind"], newest["total_tokens"], newest["cost_micros"]) == ("refund", -150, -1000)
    assert (oldest["kind"], oldest["id"], oldest["provenance"]) == ("usage", entry.id, "refunded")
    assert newest["reason"] == oldest["reason"] == "a fault of ours"


def test_nobody_else_refunds(client: PageClient, member_client: PageClient, entry: TokenUsage) -> None:
    assert refund(client, entry.id).status_code == 401
    assert code(refund(member_client, entry.id)) == "forbidden"
    assert ledger.unsound() == []
    page = member_client.get("/api/usage/records").json
    assert page is not None
    assert [record["provenance"] for record in page["records"]] == ["reported"]


def test_a_second_refund_is_a_conflict(admin_client: PageClient, entry: TokenUsage) -> None:
    assert refund(admin_client, entry.id).status_code == 200
    again = refund(admin_client, entry.id)
    assert (again.status_code, code(again)) == (409, "already_refunded")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("", "bad_reason"), ("x" * 201, "bad_reason"), (None, "invalid_field"), (1, "invalid_field")],
)
def test_a_refund_without_a_reason_is_refused(
    admin_client: PageClient, entry: TokenUsage, reason: Any, expected: str
) -> None:
    response = refund(admin_client, entry.id, reason)
    assert (response.status_code, code(response)) == (422, expected)


def test_an_absent_record_is_not_found(admin_client: PageClient) -> None:
    assert refund(admin_client, "nothing").status_code == 404
