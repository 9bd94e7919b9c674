"""A list of people who each get their link by mail: the box, what became of each letter, and the way in."""

import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import Words, words
from tests.support.brokers import wait_until
from tests.support.lettered import link_in
from tests.support.mail_server import MailServer
from tests.support.storage import ROOT

PASSWORD = "copper window mountain"
LOOKS = [("zh", "dark", PHONE), ("en", "light", WIDE)]
ROUND = "from wsgi import app; from flask_app.services.people import invitation_letters; invitation_letters.send_due()"

pytestmark = pytest.mark.browser


def send(site: Site) -> None:
    """The round that a server makes once a minute, now; what its own is sending meanwhile is waited for."""
    subprocess.run([sys.executable, "-c", ROUND], cwd=ROOT, env=site.server.environ, check=True)
    wait_until(lambda: not site.rows("SELECT code FROM invitation_letters WHERE state = 'waiting'"))


def row(page: Page, name: str) -> Any:
    return page.locator("[data-invitations]").get_by_role("listitem").filter(has_text=name)


def invite(page: Page, say: Words, people: str) -> None:
    """By the dialog, with its box checked; of the two people one has an address."""
    page.get_by_role("button", name=say("admin.invite_many")).click()
    dialog = page.get_by_role("dialog", name=say("admin.invite_many"))
    dialog.get_by_label(say("admin.many_people")).fill(people)
    box = dialog.get_by_role("checkbox", name=say("admin.many_send"))
    expect(box).not_to_be_checked()
    expect(box).to_have_accessible_description(say("admin.many_send_hint"))
    box.check()
    expect_no_fault(page)
    dialog.get_by_role("button", name=say("admin.many_make")).click()
    made = page.get_by_role("dialog", name=say("js.admin.many_made", count="2"))
    expect(made).to_contain_text(say("js.admin.many_letters", count="1"))
    expect_no_fault(page)
    made.get_by_role("button", name=say("admin.done")).click()


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_letter_to_somebody_on_a_list_leads_in(
    seen: Visits, mailing: Site, mails: MailServer, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, mark = words(locale), f"{locale}-{scheme}"
    mails.refusals = ["550 nobody here"]
    mailing.ask("POST", "/api/admin/invitations/many", {"people": f"无 {mark},nobody@example.org", "send": True})
    send(mailing)
    before = len(mails.mails)
    admin = seen.open("/admin/users", locale=locale, scheme=scheme, viewport=viewport)
    invite(admin, say, f"李雷 {mark},li.{mark}@example.org\n韩 {mark}")
    expect(row(admin, f"李雷 {mark}")).to_contain_text(say("js.admin.letter_waiting"))
    expect(row(admin, f"韩 {mark}").locator("[data-slot=letter]")).to_be_hidden()

    send(mailing)
    (letter,) = mails.mails[before:]
    assert letter.recipients == [f"li.{mark}@example.org"]
    admin.reload()
    expect(row(admin, f"李雷 {mark}")).to_contain_text(say("js.admin.letter_sent"))
    failed = say("js.admin.letter_failed", why=say("error.mail_recipient_refused"))
    expect(row(admin, f"无 {mark}")).to_contain_text(failed)
    expect_no_fault(admin, locale)
    assert admin.evaluate("document.documentElement.scrollWidth") <= viewport["width"]

    person = seen.open(link_in(letter), locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    expect(person.get_by_text(say("js.join_by", name=f"李雷 {mark}"))).to_be_visible()
    entrance.join(person, say, username=f"李雷 {mark}", password=PASSWORD)
    expect(person.locator("[data-greeting]")).to_contain_text(f"李雷 {mark}")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_where_no_mail_is_set_up_the_box_is_off_and_says_why(visits: Visits, locale: str) -> None:
    say = words(locale)
    admin = visits.open("/admin/users", locale=locale)
    admin.get_by_role("button", name=say("admin.invite_many")).click()
    box = admin.get_by_role("checkbox", name=say("admin.many_send"))
    expect(box).to_be_disabled()
    expect(box).to_have_accessible_description(say("error.mail_not_set_up"))
    expect_no_fault(admin, locale)
