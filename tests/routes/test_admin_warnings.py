"""/api/admin/warnings: how warnings are sent, tests of it, and what became of the last ones."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select

from flask_app import config
from flask_app.database import reading
from flask_app.models import AuditEntry, Notice, Setting, User
from flask_app.services.warnings import delivery_service
from flask_app.services.warnings.warning_service import look
from tests.conftest import MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.mail_server import MailServer
from tests.support.warned import change, limit, notices, use, use_mail
from tests.support.webhook_receiver import Receiver

PATH = "/api/admin/warnings"
WEBHOOK, NOTICES = f"{PATH}/webhook", f"{PATH}/notices"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def audit() -> list[tuple[str, str]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        return [(entry.action, entry.details) for entry in entries]


def shown(client: PageClient) -> dict[str, Any]:
    response = client.get(PATH)
    assert response.status_code == 200
    return dict(response.json)  # type: ignore[arg-type]


def test_nothing_is_set_up_at_first(admin_client: PageClient) -> None:
    assert shown(admin_client) == {
        "mail": None,
        "webhook": None,
        "low_balance_micros": 10_000_000,
        "administrators_told": False,
    }


def test_it_is_told_whether_mail_reaches_any_administrator(admin_client: PageClient, admin: User) -> None:
    use_mail()
    assert shown(admin_client)["mail"] == {"host": "127.0.0.1", "sender": "chat@example.org"}
    for email, wanted, told in (("a@example.com", True, True), ("a@example.com", False, False), (None, True, False)):
        change(User, admin.id, email=email, warn_by_email=wanted)
        assert shown(admin_client)["administrators_told"] is told


def test_what_is_low_is_set_with_a_trace(admin_client: PageClient) -> None:
    assert admin_client.patch(PATH, json={"low_balance_micros": 0}).json == shown(admin_client)
    assert shown(admin_client)["low_balance_micros"] == 0
    for wrong in (-1, 10**15 + 1, 1.5, "1", None, True):
        assert admin_client.patch(PATH, json={"low_balance_micros": wrong}).status_code == 422
    assert audit() == [("warnings.threshold", '{"after": {"low_balance": 0}, "before": {"low_balance": 10000000}}')]


def test_a_webhook_is_set_tested_given_a_new_secret_and_removed(admin_client: PageClient, receiver: Receiver) -> None:
    made = admin_client.put(WEBHOOK, json={"url": receiver.url}).json
    assert made is not None
    origin = receiver.url.removesuffix("/hooks/mingchat?token=abc")
    assert made["webhook"] == {"address": f"{origin}/…"} == shown(admin_client)["webhook"]
    assert made["secret"].startswith("whsec_")
    assert admin_client.post(f"{WEBHOOK}/test").json == {"ok": True, "error": None}
    assert receiver.calls[-1].content["type"] == "test"
    assert receiver.calls[-1].is_signed_with(made["secret"])

    again = admin_client.put(WEBHOOK, json={"url": origin}).json
    assert again == {"webhook": {"address": origin}, "secret": None}
    admin_client.post(f"{WEBHOOK}/test")
    assert (receiver.calls[-1].path, receiver.calls[-1].is_signed_with(made["secret"])) == ("/", True)

    renewed = admin_client.post(f"{WEBHOOK}/secret").json
    assert renewed is not None
    admin_client.post(f"{WEBHOOK}/test")
    assert not receiver.calls[-1].is_signed_with(made["secret"])
    assert receiver.calls[-1].is_signed_with(renewed["secret"])

    assert admin_client.delete(WEBHOOK).status_code == 204
    assert shown(admin_client)["webhook"] is None
    gone = admin_client.post(f"{WEBHOOK}/test").json
    assert gone is not None
    assert gone["error"]["code"] == "no_webhook"
    assert error_code(admin_client.post(f"{WEBHOOK}/secret")) == "no_webhook"
    acts = [action for action, _ in audit()]
    set_, test = "webhook.set", "webhook.test"
    assert acts == [set_, test, set_, test, "webhook.renew_secret", test, "webhook.delete", test]


def test_the_audit_log_says_where_a_webhook_pointed_before(admin_client: PageClient) -> None:
    for url in ("https://one.example.com/hook/a", "https://two.example.com/hook/a", "https://two.example.com/hook/b"):
        assert admin_client.put(WEBHOOK, json={"url": url}).status_code == 200
    assert [admin_client.delete(WEBHOOK).status_code for _ in range(2)] == [204, 204]
    one, two, path, gone = (json.loads(details) for _, details in audit())
    assert one["before"] == {"host": None, "locale": None}
    assert (two["before"], two["after"]) == ({"host": "one.example.com"}, {"host": "two.example.com"})
    assert path == {"address_replaced": True}, "the path is a secret"
    assert gone["host"] == "two.example.com"


def test_neither_address_nor_secret_is_stored_or_logged_in_the_clear(
    admin_client: PageClient, receiver: Receiver
) -> None:
    secret = admin_client.put(WEBHOOK, json={"url": receiver.url}).json["secret"]  # type: ignore[index]
    with reading() as session:
        stored = [row.value for row in session.scalars(select(Setting))]
    assert stored
    told = repr((stored, audit(), admin_client.get(PATH).data, admin_client.get("/admin/warnings").data))
    assert secret not in told
    assert "token=abc" not in told


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/x", "address_not_https"),
        ("ftp://hooks.example.com/x", "address_not_https"),
        ("https://127.0.0.1/x", "address_private"),
        ("https://[::ffff:10.0.0.1]/x", "address_private"),
        ("https://intranet/x", "address_private"),
        ("https://169.254.169.254/latest/meta-data", "address_private"),
        ("https://user:pass@hooks.example.com/x", "address_malformed"),
        ("https://hooks.example.com/x#y", "address_malformed"),
        ("https://hooks.example.com/x?a=ä", "address_malformed"),
        ("https://hooks.example.com/x?a=1\r\nHost: y", "address_malformed"),
        ("https://hooks.example.com/../x", "address_malformed"),
        ("x", "address_malformed"),
        ("", "address_malformed"),
    ],
)
def test_a_webhook_is_https_and_public(admin_client: PageClient, url: str, code: str) -> None:
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=False))
    response = admin_client.put(WEBHOOK, json={"url": url})
    assert (response.status_code, error_code(response)) == (422, code)
    assert shown(admin_client)["webhook"] is None


def test_a_query_is_a_part_of_a_webhooks_address(admin_client: PageClient) -> None:
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=False))
    made = admin_client.put(WEBHOOK, json={"url": "https://Hooks.Example.com:443/robot/send?access_token=x"}).json
    assert made is not None
    assert made["webhook"] == {"address": "https://hooks.example.com/…"}


def test_a_webhook_that_fails_is_told_plainly(admin_client: PageClient, receiver: Receiver) -> None:
    admin_client.put(WEBHOOK, json={"url": receiver.url})
    receiver.statuses = [403]
    tried = admin_client.post(f"{WEBHOOK}/test").json
    assert tried is not None
    assert (tried["ok"], tried["error"]["code"], tried["error"]["detail"]) == (False, "webhook_refused", "HTTP 403")


def test_a_webhook_that_cannot_be_read_any_more_can_be_removed(admin_client: PageClient, receiver: Receiver) -> None:
    admin_client.put(WEBHOOK, json={"url": receiver.url})
    another = {"encryption_key": "another key that only this test knows, as long"}
    config.install(dataclasses.replace(config.current(), **another))  # type: ignore[arg-type]
    assert shown(admin_client)["webhook"] == {"address": None}
    assert error_code(admin_client.put(WEBHOOK, json={"url": receiver.url})) == "encryption_key_changed"
    assert admin_client.delete(WEBHOOK).status_code == 204
    assert audit()[-1] == ("webhook.delete", '{"readable": false}')
    assert admin_client.put(WEBHOOK, json={"url": receiver.url}).status_code == 200


def test_a_mail_is_tried_and_the_failure_told_plainly(admin_client: PageClient) -> None:
    def tried(address: str = "me@example.com") -> dict[str, Any]:
        return dict(admin_client.post(f"{PATH}/mail/test", json={"address": address}).json)  # type: ignore[arg-type]

    assert tried()["error"]["code"] == "mail_not_set_up"
    with MailServer() as server:
        use_mail(server.port)
        assert tried() == {"ok": True, "error": None}
        assert server.last.recipients == ["me@example.com"]
        server.refusals = ["550 unknown"]
        error = tried()["error"]
        assert (error["code"], error["detail"]) == ("mail_recipient_refused", "550 unknown")
        assert error["message"]
        wrong = admin_client.post(f"{PATH}/mail/test", json={"address": "me@example.com, eve@example.com"})
        assert (wrong.status_code, error_code(wrong)) == (422, "bad_email")
        assert len(server.mails) == 1


def test_what_became_of_each_is_listed_page_by_page_with_as_many_queries(
    admin_client: PageClient,
    make_user: MakeUser,
    receiver: Receiver,
    query_count: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    admin_client.put(WEBHOOK, json={"url": receiver.url})
    use_mail()

    def warned(name: str) -> None:
        person = make_user(name, email=f"{name}@example.com")
        limit("user", person.id)
        use(person, 9_000)
        look()

    warned("p0")
    delivery_service.deliver_due()
    with query_count() as few:
        first = admin_client.get(NOTICES).json
    assert first is not None
    told = {each["channel"]: each for each in first["notices"]}
    assert (told["webhook"]["state"], told["webhook"]["to"], told["webhook"]["error"]) == ("sent", None, None)
    assert (told["email"]["state"], told["email"]["to"], told["email"]["tries"]) == ("waiting", "p0", 1)
    assert told["email"]["error"]["code"] == "mail_unreachable"
    assert "90%" in told["email"]["text"]
    for number in range(1, 6):
        warned(f"p{number}")
    with query_count() as many:
        everything = admin_client.get(NOTICES).json
    assert everything is not None
    assert len(many) == len(few)
    page = admin_client.get(f"{NOTICES}?limit=7").json
    assert page is not None
    rest = admin_client.get(f"{NOTICES}?limit=7&before={page['next']}").json
    assert rest is not None
    assert [each["id"] for each in [*page["notices"], *rest["notices"]]] == [n["id"] for n in everything["notices"]]
    assert rest["next"] is None
    for query in ("?limit=0", "?limit=101", "?limit=x", "?before=x", "?before=" + "%27" * 26):
        assert admin_client.get(NOTICES + query).status_code == 400, query


def test_a_name_that_is_markup_stays_text(admin_client: PageClient, make_user: MakeUser) -> None:
    use_mail()
    person = make_user("<script>alert(1)</script>", email="x@example.com")
    limit("user", person.id)
    use(person, 9_000)
    look()
    page = admin_client.get("/admin/warnings")
    assert b"<script>alert" not in page.data
    assert [notice.recipient_id for notice in notices()] == [person.id]


def test_only_administrators_see_and_set_warnings(client: PageClient, member_client: PageClient) -> None:
    asked: list[Callable[[PageClient], Any]] = [
        lambda asker: asker.get(PATH),
        lambda asker: asker.get(NOTICES),
        lambda asker: asker.patch(PATH, json={"low_balance_micros": 1}),
        lambda asker: asker.put(WEBHOOK, json={"url": "https://hooks.example.com"}),
        lambda asker: asker.delete(WEBHOOK),
        lambda asker: asker.post(f"{WEBHOOK}/secret"),
        lambda asker: asker.post(f"{WEBHOOK}/test"),
        lambda asker: asker.post(f"{PATH}/mail/test", json={"address": "me@example.com"}),
    ]
    for ask in asked:
        assert error_code(ask(member_client)) == "forbidden"
        assert error_code(ask(client)) == "sign_in_required"
    with reading() as session:
        assert session.scalars(select(Notice)).all() == []
        assert session.scalars(select(Setting.name)).all() == []


def test_an_address_is_shown_to_nobody_but_its_person(
    admin_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    person = make_user("ada", email="ada@example.com")
    own = sign_in(person).get("/api/me").json
    assert own is not None
    assert own["user"]["email"] == "ada@example.com"
    for path in ("/api/admin/users", "/admin/users", PATH, NOTICES):
        assert b"ada@example.com" not in admin_client.get(path).data
