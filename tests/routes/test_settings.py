"""The site's name, language and announcements: kept by administrators, seen by everybody."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import Announcement, AuditEntry, Setting
from flask_app.services.sign_in import second_step
from flask_app.services.site import site_service
from tests.support.clients import PageClient
from tests.support.entrance import error_code

SITE, ANNOUNCEMENTS, ALL = "/api/admin/settings/site", "/api/admin/announcements", "/api/admin/settings"
PAGE = {"Accept": "text/html"}
NAMED = {"name": " 育才中学 ", "locale": None}


def announce(client: PageClient, text: str = "Closed on Friday", **fields: Any) -> Any:
    response = client.post(ANNOUNCEMENTS, json={"text": text} | fields)
    assert response.status_code == 201, response.text
    return response.json


def audited(action: str) -> AuditEntry:
    with reading() as session:
        return session.scalars(select(AuditEntry).where(AuditEntry.action == action)).one()


def test_a_site_is_called_as_its_administrators_say(admin_client: PageClient, client: PageClient) -> None:
    assert '<h1 class="entrance__title">MingChat</h1>' in client.get("/login", headers={"Accept-Language": "en"}).text
    assert admin_client.put(SITE, json=NAMED).json == {"name": "育才中学", "locale": None, "accent": None, "logo": None}
    signing_in = client.get("/login").text
    assert '<h1 class="entrance__title">育才中学</h1>' in signing_in
    assert "明聊</title>" not in signing_in
    assert "· 育才中学</title>" in admin_client.get("/admin/settings").text
    assert "育才中学" in admin_client.get("/no-such-page", headers=PAGE).text
    assert client.get("/manifest.webmanifest?lang=en").get_json()["short_name"] == "育才中学"
    assert "issuer=%E8%82%B2" in second_step.uri("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "me")
    assert admin_client.get(ALL).get_json()["site"] == {
        "name": "育才中学",
        "locale": None,
        "accent": None,
        "logo": None,
    }
    assert '"after": {"name": "育才中学"}' in audited("site.change").details


def test_an_accent_colours_every_page_and_only_what_carries_the_nonce(
    admin_client: PageClient, client: PageClient, query_count: Callable[[], Any]
) -> None:
    with query_count() as before:
        assert "<style" not in client.get("/login").text
    wanted = {"name": None, "locale": None, "accent": " #1F5B96 "}
    assert admin_client.put(SITE, json=wanted).get_json()["accent"] == "#1f5b96"
    with query_count() as after:
        response = client.get("/login")
    assert len(after) == len(before), "the colour comes with the name"
    for page in (response, admin_client.get("/"), admin_client.get("/admin/settings")):
        (nonce, style) = re.findall(r'<style nonce="([^"]+)">(.*?)</style>', page.text)[0]
        assert f"'nonce-{nonce}'" in page.headers["Content-Security-Policy"]
        assert "--color-accent: light-dark(#1f5b96, #" in style
    assert '"after": {"accent": "#1f5b96"}' in audited("site.change").details
    admin_client.put(SITE, json={"name": None, "locale": None})
    assert "<style" not in client.get("/login").text


def test_a_site_of_before_the_accent_reads_what_is_stored(admin_client: PageClient) -> None:
    admin_client.put(SITE, json={"name": "x", "locale": None, "accent": "#1f5b96"})
    with reading() as session:
        stored = session.get_one(Setting, "site").value
    assert json.loads(stored) == {"name": "x", "locale": None}


def test_an_empty_name_is_the_products(admin_client: PageClient) -> None:
    admin_client.put(SITE, json=NAMED)
    assert admin_client.put(SITE, json={"name": " ", "locale": None}).get_json()["name"] is None
    assert site_service.brand("zh") == "明聊"


def test_newcomers_are_greeted_in_the_sites_language(admin_client: PageClient, client: PageClient) -> None:
    english = PAGE | {"Accept-Language": "en"}
    assert '<html lang="en"' in client.get("/login", headers=english).text
    admin_client.put(SITE, json={"name": None, "locale": "ja"})
    response = client.get("/login", headers=english)
    assert '<html lang="ja"' in response.text
    assert client.get_cookie("lang").value == "ja"  # type: ignore[union-attr]
    asked = client.get("/api/me", headers={"Accept-Language": "en"})
    assert asked.get_json()["error"]["message"].endswith("。"), "what its pages ask for is answered alike"
    client.set_cookie("lang", "en")
    assert '<html lang="en"' in client.get("/login", headers=PAGE).text, "who has chosen keeps it"


def test_what_answers_without_the_database_asks_it_for_no_language(
    admin_client: PageClient, client: PageClient, query_count: Callable[[], Any]
) -> None:
    admin_client.put(SITE, json={"name": None, "locale": "ja"})
    with query_count() as statements:
        assert client.get("/healthz", headers=PAGE).status_code == 200
        assert client.get("/offline", headers=PAGE).status_code == 200
    assert statements == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x" * 41, "locale": None}, "bad_label"),
        ({"name": "two\nlines", "locale": None}, "bad_label"),
        ({"name": None, "locale": "fr"}, "unknown_language"),
        ({"name": 5, "locale": None}, "invalid_field"),
        ({"name": None}, "invalid_field"),
        ({"name": None, "locale": None, "colour": "red"}, "invalid_field"),
        ({"name": None, "locale": None, "accent": "red"}, "bad_accent"),
        ({"name": None, "locale": None, "accent": "#12345"}, "bad_accent"),
        ({"name": None, "locale": None, "accent": "#0c6a60;}"}, "bad_accent"),
        ({"name": None, "locale": None, "accent": "#e7a33c"}, "accent_too_light"),
    ],
)
def test_settings_that_make_no_sense_are_refused(admin_client: PageClient, body: dict[str, Any], code: str) -> None:
    refused = admin_client.put(SITE, json=body)
    assert (refused.status_code, error_code(refused)) == (422, code)
    with reading() as session:
        assert session.get(Setting, "site") is None


def test_an_announcement_is_read_by_everybody_who_is_signed_in(
    admin_client: PageClient, member_client: PageClient, client: PageClient
) -> None:
    made = announce(admin_client, " Closed on <b>Friday</b>\r\nand Saturday ", tone="warning")
    assert made["text"] == "Closed on <b>Friday</b>\nand Saturday"
    assert (made["state"], made["tone"], made["last"]) == ("shown", "warning", None)
    for path in ("/", "/dashboard", "/account", "/tokens"):
        assert "Closed on &lt;b&gt;Friday&lt;/b&gt;\nand Saturday" in member_client.get(path).text, path
    for path in ("/login", "/no-such-page"):
        assert "Friday" not in client.get(path, headers=PAGE).text
    assert admin_client.get(ALL).get_json()["announcements"] == [made]
    assert audited("announcement.add").target == made["id"]


def test_who_has_closed_it_reads_it_again_only_with_other_words(
    admin_client: PageClient, member_client: PageClient
) -> None:
    made = announce(admin_client)
    (shown,) = site_service.announced()
    member_client.set_cookie("closed-announcements", f"another.{shown.mark}")
    assert "Closed on Friday" not in member_client.get("/").text
    admin_client.put(f"{ANNOUNCEMENTS}/{made['id']}", json={"text": "Closed on Friday", "tone": "warning"})
    assert "Closed on Friday" not in member_client.get("/").text
    admin_client.put(f"{ANNOUNCEMENTS}/{made['id']}", json={"text": "Closed on Monday"})
    assert "Closed on Monday" in member_client.get("/").text
    assert '"before": {"text": "Closed on Friday"' in audit_details()


def audit_details() -> str:
    with reading() as session:
        newest = select(AuditEntry.details).where(AuditEntry.action == "announcement.change")
        return session.scalars(newest.order_by(AuditEntry.id.desc())).first() or ""


def test_it_is_shown_on_its_days_in_the_sites_time_zone(admin_client: PageClient) -> None:
    made = announce(admin_client, first="2030-05-01", last="2030-05-02")
    assert (made["state"], made["first"], made["last"]) == ("planned", "2030-05-01", "2030-05-02")
    begins, ends = datetime(2030, 4, 30, 16, tzinfo=UTC), datetime(2030, 5, 2, 16, tzinfo=UTC)  # Asia/Shanghai
    moments = {begins - timedelta(seconds=1): 0, begins: 1, ends - timedelta(seconds=1): 1, ends: 0}
    assert {moment: len(site_service.announced(moment)) for moment in moments} == moments
    over = announce(admin_client, first="2020-01-01", last="2020-01-31")
    assert over["state"] == "over"
    assert site_service.announced() == []


def test_a_change_without_a_first_day_leaves_when_it_began(admin_client: PageClient) -> None:
    made = announce(admin_client)
    with transaction() as session:
        long_ago = utc_now() - timedelta(days=9)
        session.execute(update(Announcement).values(begins_at=long_ago))
    changed = admin_client.put(f"{ANNOUNCEMENTS}/{made['id']}", json={"text": "x", "last": "2999-12-31"}).get_json()
    assert date.fromisoformat(changed["first"]) < date.fromisoformat(made["first"])


def test_the_three_newest_are_shown(admin_client: PageClient, member_client: PageClient) -> None:
    for number in range(5):
        announce(admin_client, f"number {number}")
    assert [each.text for each in site_service.announced()] == ["number 4", "number 3", "number 2"]
    listed = admin_client.get(ALL).get_json()["announcements"]
    assert [each["text"] for each in listed] == [f"number {number}" for number in (4, 3, 2, 1, 0)]


def test_one_is_taken_away(admin_client: PageClient, member_client: PageClient) -> None:
    made = announce(admin_client)
    assert admin_client.delete(f"{ANNOUNCEMENTS}/{made['id']}").status_code == 204
    assert "Closed on Friday" not in member_client.get("/").text
    assert audited("announcement.delete").target == made["id"]
    again = admin_client.delete(f"{ANNOUNCEMENTS}/{made['id']}")
    assert (again.status_code, error_code(again)) == (404, "not_found")
    changed = admin_client.put(f"{ANNOUNCEMENTS}/{made['id']}", json={"text": "x"})
    assert (changed.status_code, error_code(changed)) == (404, "not_found")


def test_an_announcement_without_its_first_day_begins_at_once(admin_client: PageClient) -> None:
    made = announce(admin_client, first="2030-05-01")
    assert (made["state"], site_service.announced()) == ("planned", [])
    wanted = {"text": made["text"], "tone": made["tone"], "first": None, "last": None}
    changed = admin_client.put(f"{ANNOUNCEMENTS}/{made['id']}", json=wanted).get_json()
    assert changed["state"] == "shown"
    assert [each.text for each in site_service.announced()] == [made["text"]]
    again = admin_client.put(f"{ANNOUNCEMENTS}/{made['id']}", json=wanted).get_json()
    assert again["first"] == changed["first"], "it began already"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": " \n "}, "bad_announcement"),
        ({"text": "x" * 1001}, "bad_announcement"),
        ({"text": "a bell\x07"}, "bad_announcement"),
        ({"text": 5}, "invalid_field"),
        ({"tone": "loud"}, "unknown_tone"),
        ({"first": "2026-02-30"}, "invalid_field"),
        ({"first": "2026-12-02", "last": "2026-12-01"}, "bad_announcement_days"),
        ({"last": "1969-12-31"}, "bad_announcement_days"),
        ({"last": "9999-12-31"}, "bad_announcement_days"),
    ],
)
def test_an_announcement_that_makes_no_sense_is_refused(
    admin_client: PageClient, fields: dict[str, Any], code: str
) -> None:
    refused = admin_client.post(ANNOUNCEMENTS, json={"text": "hello"} | fields)
    assert (refused.status_code, error_code(refused)) == (422, code)
    assert admin_client.get(ALL).get_json()["announcements"] == []


def test_there_is_an_end_to_them(admin_client: PageClient) -> None:
    for number in range(50):
        announce(admin_client, str(number))
    refused = admin_client.post(ANNOUNCEMENTS, json={"text": "one more"})
    assert (refused.status_code, error_code(refused)) == (422, "too_many_announcements")


def test_only_administrators_keep_them(client: PageClient, member_client: PageClient) -> None:
    for other, status in ((client, 401), (member_client, 403)):
        assert other.get(ALL).status_code == status
        assert other.put(SITE, json=NAMED).status_code == status
        assert other.post(ANNOUNCEMENTS, json={"text": "x"}).status_code == status
        assert other.put(f"{ANNOUNCEMENTS}/x", json={"text": "x"}).status_code == status
        assert other.delete(f"{ANNOUNCEMENTS}/x").status_code == status
        assert other.get("/admin/settings", headers=PAGE).status_code in {302, status}
