"""Warnings on the pages: one's own address, mail and webhook tried, what is low, what became of the last ones."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from flask_app.i18n import LOCALES
from tests.e2e.looks import ENGLISH, Look
from tests.e2e.site import Site, opened
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.mail_server import MailServer
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import ROOT
from tests.support.upstream_answers import Answer
from tests.support.upstream_journal import Usage
from tests.support.webhook_receiver import Receiver

ROUND = "from wsgi import app; from flask_app.services.operations import upkeep_service; upkeep_service.tick()"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory, mails: MailServer) -> Iterator[Site]:
    """A site with a mail server, whose key's account is low."""
    settings = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mails.port), "SMTP_SECURITY": "none"}
    settings |= {"SMTP_FROM": "chat@example.org", "DEEPSEEK_API_KEY": "sk-scripted-0000"}
    with ScriptedUpstream() as provider:
        provider.balance = "5.00"
        settings["DEEPSEEK_BASE_URL"] = provider.base_url
        with opened(tmp_path_factory.mktemp("mailing"), provider, **settings) as running:
            running.set_up()
            yield running


@pytest.fixture
def seen(browser: Browser, mailing: Site, look: Look) -> Iterator[Visits]:
    """Its administrator reads the language of the look."""
    mailing.ask("PATCH", "/api/me", {"locale": look.locale})
    made = Visits(browser, mailing)
    yield made
    assert made.close() == []


def tick(site: Site) -> None:
    """The round that a server makes once a minute, now."""
    subprocess.run([sys.executable, "-c", ROUND], cwd=ROOT, env=site.server.environ, check=True)


def warnings(mails: MailServer) -> list[str]:
    """The subjects of all that went out: the server, too, makes its rounds."""
    subjects = (str(mail.message["Subject"]) for mail in mails.mails)
    tests = {words(locale)("warning.test_subject") for locale in LOCALES}
    return sorted(subject for subject in subjects if subject not in tests)


@pytest.fixture(scope="module")
def warned(mailing: Site, mails: MailServer) -> None:
    """A budget of the site is almost used up, and its administrator has been told by mail."""
    mailing.ask("PATCH", "/api/me", {"email": "me@example.com", "locale": "en"})
    mailing.ask("POST", "/api/admin/budgets", {"scope": "site", "period": "day", "limit": 1000, "hard": False})
    mailing.provider.script(Answer("hello", usage=Usage(prompt=900, completion=1)))
    list(mailing.server.chat("hello"))
    tick(mailing)
    tick(mailing)
    wait_until(lambda: len(warnings(mails)) > 1)
    assert warnings(mails) == [
        "Everybody together: 1,000 tokens a day, 90% used",
        "Low balance at a provider: DeepSeek",
    ]


def test_a_site_without_a_mail_server_says_so_instead_of_offering_mail(visits: Visits) -> None:
    say, page = ENGLISH.say, ENGLISH.open(visits, "/account")
    expect(page.get_by_text(say("account.warnings_not_set_up"))).to_be_visible()
    expect(page.get_by_label(say("account.email"))).to_have_count(0)
    page.goto("/admin/warnings")
    expect(page.get_by_text(say("warnings.mail_not_set_up"))).to_be_visible()
    expect(page.get_by_label(say("warnings.test_to"))).to_be_hidden()
    expect(page.get_by_text(say("warnings.notices_none"))).to_be_visible()


def test_a_warning_goes_out_by_itself_and_is_listed(warned: None, look: Look, seen: Visits) -> None:
    say, page = look.say, look.open(seen, "/admin/warnings")
    row = page.get_by_role("listitem").filter(has_text="90%")
    expect(row).to_contain_text(say("js.admin.budget_of_site"))
    expect(row).to_contain_text(say("js.warnings.to_person", name="founder"))
    expect(row).to_contain_text(say("js.warnings.state_sent"))
    look.expect_no_fault(page)


def test_an_address_is_given_and_a_test_arrives(look: Look, seen: Visits, mailing: Site, mails: MailServer) -> None:
    mailing.ask("PATCH", "/api/me", {"email": ""})
    say, page = look.say, look.open(seen, "/admin/warnings")
    expect(page.get_by_text(say("warnings.nobody_told"))).to_be_visible()
    look.expect_no_fault(page)
    page.goto("/account")
    email = page.get_by_label(say("account.email"))
    save = page.locator("[data-warnings-form]").get_by_role("button", name=say("base.save"))
    email.fill("me@localhost")
    save.click()
    expect(page.get_by_role("alert")).to_have_text(say("error.bad_email"))
    email.fill(" Me@example.com ")
    save.click()
    expect(page.locator("[data-toasts]")).to_contain_text(say("js.account.saved"))
    page.reload()
    expect(email).to_have_value("Me@example.com")
    expect(page.get_by_role("switch", name=say("account.warn_by_email"))).to_be_checked()
    look.expect_no_fault(page)

    page.goto("/admin/warnings")
    expect(page.get_by_text(say("warnings.nobody_told"))).to_be_hidden()
    expect(page.get_by_label(say("warnings.test_to"))).to_have_value("Me@example.com")
    test = page.locator("[data-mail-form]").get_by_role("button", name=say("warnings.send_test"))
    test.click()
    expect(page.locator("[data-mail-result]")).to_contain_text("Me@example.com")
    assert mails.last.recipients == ["Me@example.com"]
    mails.refusals = ["550 no such user"]
    test.click()
    expect(page.locator("[data-mail-result]")).to_contain_text(say("error.mail_recipient_refused"))
    expect(page.locator("[data-mail-result] q")).to_have_text("550 no such user")
    look.expect_no_fault(page)


def test_a_webhook_is_set_up_its_secret_shown_once_and_removed(look: Look, seen: Visits, receiver: Receiver) -> None:
    say, page = look.say, look.open(seen, "/admin/warnings")
    page.get_by_role("button", name=say("js.warnings.set_webhook")).click()
    page.get_by_label(say("warnings.webhook_url")).fill(receiver.url)
    page.locator("#webhook-dialog").get_by_role("button", name=say("base.save")).click()
    dialog = page.get_by_role("dialog", name=say("warnings.webhook_secret_title"))
    expect(dialog.locator("code")).to_contain_text("whsec_")
    look.expect_no_fault(page)
    secret = dialog.locator("code").inner_text()
    dialog.get_by_role("button", name=say("admin.done")).click()
    expect(page.locator("#webhook-secret")).to_have_text("")
    assert secret not in page.content()
    page.locator("[data-test-webhook]").click()
    expect(page.locator("[data-webhook-result]")).to_contain_text(say("js.warnings.webhook_sent"))
    assert receiver.calls[-1].is_signed_with(secret)
    receiver.statuses = [500]
    page.locator("[data-test-webhook]").click()
    expect(page.locator("[data-webhook-result] q")).to_have_text("HTTP 500")
    look.expect_no_fault(page)
    page.reload()
    expect(page.locator("[data-webhook-at]")).to_contain_text("http://127.0.0.1:")
    page.get_by_role("button", name=say("warnings.renew_secret")).click()
    question = page.get_by_role("alertdialog")
    question.get_by_role("button", name=say("js.warnings.renew_action")).click()
    expect(dialog.locator("code")).to_contain_text("whsec_")
    expect(dialog.locator("code")).not_to_have_text(secret)
    dialog.get_by_role("button", name=say("admin.done")).click()
    page.locator("[data-remove-webhook]").click()
    question.get_by_role("button", name=say("js.admin.delete")).click()
    expect(page.get_by_text(say("warnings.webhook_none"))).to_be_visible()
    expect(page.get_by_role("button", name=say("js.warnings.set_webhook"))).to_be_focused()


def test_what_is_low_is_set_for_the_site_and_for_a_key(look: Look, seen: Visits, mailing: Site) -> None:
    mailing.ask("PATCH", "/api/admin/warnings", {"low_balance_micros": 10_000_000})
    say, page = look.say, look.open(seen, "/admin/warnings")
    low = page.get_by_label(say("warnings.low_balance_under"))
    expect(low).to_have_value("10")
    low.fill("1,5")
    save = page.locator("[data-low-form]").get_by_role("button", name=say("base.save"))
    save.click()
    expect(page.get_by_role("alert")).to_have_text(say("js.warnings.bad_threshold", text="1,5"))
    low.fill("7.50")
    save.click()
    expect(page.locator("[data-toasts]")).to_contain_text(say("js.warnings.threshold_saved"))
    page.goto("/admin/keys")
    mailing.ask("GET", "/api/models")
    page.reload()
    for typed, kept in (("2.5", 2_500_000), ("", None)):
        page.locator("[data-menu-button]").first.click()
        page.get_by_role("button", name=say("admin.edit_key")).click()
        page.get_by_label(say("warnings.key_low_balance")).fill(typed)
        page.locator("#edit-key-dialog").get_by_role("button", name=say("base.save")).click()
        expect(page.locator("#edit-key-dialog")).to_be_hidden()
        assert mailing.ask("GET", "/api/admin/keys")["keys"][0]["low_balance_micros"] == kept
