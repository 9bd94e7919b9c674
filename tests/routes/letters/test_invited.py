"""Lists of the invited whose links go by letter: what comes back, where they lead, and what is refused."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from flask_app import config
from flask_app.models import User
from flask_app.services.people import invitation_letters
from tests.support import lettered, managing
from tests.support.clients import SESSION_COOKIE, PageClient, new_client
from tests.support.entrance import STRONG, error_code
from tests.support.lettered import kept, link_in
from tests.support.mail_server import MailServer

URL, LIST = "/api/admin/invitations/many", "/api/admin/invitations"
PEOPLE = "Li Lei,li@example.org\nHan Meimei\n"


@pytest.fixture
def hosts_as_before(app: Flask) -> Iterator[None]:
    before = app.config["TRUSTED_HOSTS"]
    yield
    app.config["TRUSTED_HOSTS"] = before


def send(client: PageClient, people: str = PEOPLE, **more: Any) -> Any:
    return client.post(URL, json={"people": people, "send": True}, **more)


def test_a_letter_leads_in_and_the_list_says_that_it_went(
    mail: MailServer, admin_client: PageClient, app: Flask
) -> None:
    reply = send(admin_client, headers={"Accept-Language": "ja"})
    assert reply.status_code == 201
    told = reply.get_json()
    assert told["letters"] == 1
    waiting = {"state": "waiting", "error": None}
    assert [each["invitation"]["letter"] for each in told["invitations"]] == [waiting, None]
    invitation_letters.send_due()
    (letter,) = mail.mails
    token = told["invitations"][0]["token"]
    assert link_in(letter) == f"https://localhost/join#{token}"
    assert "admin さんが" in letter.text, "in the language of who invites, where the site has none"
    letters = {each["name"]: each["letter"] for each in admin_client.get(LIST).get_json()["invitations"]}
    assert letters == {"Li Lei": {"state": "sent", "error": None}, "Han Meimei": None}
    joining = {"token": link_in(letter).partition("#")[2], "username": "Li Lei", "password": STRONG}
    assert new_client(app).post("/api/join", json=joining).status_code == 201


def test_the_sites_language_comes_first(mail: MailServer, admin_client: PageClient) -> None:
    body = {"name": "", "locale": "zh-Hant", "accent": None}
    assert admin_client.put("/api/admin/settings/site", json=body).status_code == 200
    send(admin_client, headers={"Accept-Language": "ja"})
    assert kept()[0].locale == "zh-Hant"


def test_nobody_is_written_to_unasked(mail: MailServer, admin_client: PageClient) -> None:
    reply = admin_client.post(URL, json={"people": PEOPLE})
    assert (reply.status_code, reply.get_json()["letters"]) == (201, 0)
    assert kept() == []


def test_why_one_failed_is_said_in_the_readers_language(mail: MailServer, admin_client: PageClient) -> None:
    send(admin_client)
    mail.refusals = ["550 nobody here"]
    invitation_letters.send_due()
    for language, words in (("en", "refused the recipient"), ("zh", "邮件服务器")):
        listed = admin_client.get(LIST, headers={"Accept-Language": language}).get_json()["invitations"]
        (letter,) = (each["letter"] for each in listed if each["letter"])
        assert letter["state"] == "failed"
        assert words in letter["error"]
        assert "li@example.org" not in str(listed)


@pytest.mark.security("invitation-letters")
@pytest.mark.parametrize(
    ("host", "leads"),
    [
        ("chat.example.org", True),
        ("CHAT.example.org", True),
        ("chat.example.org:4444", False),
        ("evil.school.example", False),
        ("localhost", False),
    ],
)
@pytest.mark.usefixtures("hosts_as_before")
def test_links_lead_only_to_an_address_that_the_settings_name(
    mail: MailServer, admin_client: PageClient, app: Flask, host: str, leads: bool
) -> None:
    app.config["TRUSTED_HOSTS"] = names = ["chat.example.org", ".school.example", "localhost"]
    config.install(dataclasses.replace(config.current(), allowed_hosts=tuple(names)))
    there = new_client(app, f"https://{host}")
    there.set_cookie(SESSION_COOKIE, admin_client.session_token, domain=host.partition(":")[0].lower(), secure=True)
    there.csrf_token = admin_client.csrf_token
    assert _box(there).endswith("disabled") is not leads
    reply = send(there, headers={"Accept-Language": "en"})
    if leads:
        assert reply.status_code == 201, reply.text
        assert kept()[0].site_url == f"https://{host.lower()}"
    else:
        assert (reply.status_code, error_code(reply)) == (422, "letters_without_address")
        assert "ALLOWED_HOSTS" in reply.get_json()["error"]["message"]
        assert (kept(), there.get(LIST).get_json()["invitations"]) == ([], [])


@pytest.mark.parametrize(("language", "words"), [("en", "No mail server"), ("zh", "SMTP_HOST")])
def test_without_mail_it_is_refused_and_the_box_is_off(admin_client: PageClient, language: str, words: str) -> None:
    refused = send(admin_client, headers={"Accept-Language": language})
    assert (refused.status_code, error_code(refused)) == (422, "mail_not_set_up")
    assert words in refused.get_json()["error"]["message"]
    assert admin_client.get(LIST).get_json()["invitations"] == []
    assert _box(admin_client).endswith("disabled")


def test_with_mail_the_box_is_there_and_not_checked(mail: MailServer, admin_client: PageClient) -> None:
    assert not {"disabled", "checked"} & set(_box(admin_client).split())


def _box(client: PageClient) -> str:
    """The attributes of the checkbox in the dialog of the list."""
    page = client.get("/admin/users").text
    return page.partition('name="send"')[2].partition(">")[0].strip()


@pytest.mark.parametrize("send_field", ["yes", 1, None])
def test_bad_input_is_refused(mail: MailServer, admin_client: PageClient, send_field: Any) -> None:
    refused = admin_client.post(URL, json={"people": PEOPLE, "send": send_field})
    assert (refused.status_code, error_code(refused)) == (422, "invalid_field")
    mistake = send(admin_client, "a,nowhere")
    assert (mistake.status_code, error_code(mistake)) == (422, "invitation_list_refused")
    assert kept() == []


@pytest.mark.parametrize(("language", "words"), [("en", "left of them: 1"), ("ja", "残りは 1 通")])
def test_more_than_a_day_has_are_refused(
    mail: MailServer, admin_client: PageClient, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setattr(invitation_letters, "MOST_A_DAY", 2)
    send(admin_client)
    refused = send(admin_client, lettered.people(2), headers={"Accept-Language": language})
    assert (refused.status_code, error_code(refused)) == (429, "too_many_letters")
    assert words in refused.get_json()["error"]["message"]
    assert 86_000 < int(refused.headers["Retry-After"]) <= 86_400
    assert len(admin_client.get(LIST).get_json()["invitations"]) == 2


def test_only_administrators_send_and_a_manager_sees_their_groups_letters_alone(
    mail: MailServer, client: PageClient, member: User, member_client: PageClient, admin_client: PageClient
) -> None:
    mine, other = managing.group("Class 3b", member.username), managing.group("Class 3c")
    assert send(client).status_code == 401
    assert send(member_client).status_code == 403
    assert kept() == []
    for group_id in (mine, other):
        send(admin_client, f"of {group_id},{group_id}@example.org,Class 3{'b' if group_id == mine else 'c'}")
    (seen,) = member_client.get(f"/api/managed/{mine}/invitations").get_json()["invitations"]
    assert (seen["name"], seen["letter"]) == (f"of {mine}", {"state": "waiting", "error": None})
    assert member_client.get(f"/api/managed/{other}/invitations").status_code == 404
    member_client.delete(f"/api/managed/{mine}/invitations/{seen['id']}")
    invitation_letters.send_due()
    assert [letter.recipients for letter in mail.mails] == [[f"{other}@example.org"]]


def test_a_name_that_would_begin_a_header_begins_none(mail: MailServer, admin_client: PageClient) -> None:
    body = {"name": "Chat Bcc: x@example.org", "locale": "en", "accent": None}
    admin_client.put("/api/admin/settings/site", json=body)
    send(admin_client)
    invitation_letters.send_due()
    (letter,) = mail.mails
    assert letter.recipients == ["li@example.org"]
    assert letter.message["Bcc"] is None
