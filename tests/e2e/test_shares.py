"""A conversation is shared by a link, read by strangers, and ended again: wide and on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.accessible import LONG_ANSWER, expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.clipboard import copied
from tests.e2e.findings import FINDINGS
from tests.e2e.hostile import CORPUS
from tests.e2e.site import Site
from tests.e2e.test_pins_and_archive import choose, open_list
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import Words, words
from tests.e2e.written import converse, go_on
from tests.support.brokers import wait_until
from tests.support.served import USERNAME

TALK = ("What can an answer hold?", LONG_ANSWER, "And then?", "That was **all**.")

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _open_to_anybody(site: Site) -> Iterator[None]:
    site.ask("DELETE", "/api/shares")  # what another test has shared
    site.ask("PUT", "/api/admin/settings/sharing", {"mode": "anybody"})
    yield
    site.ask("DELETE", "/api/shares")
    site.ask("PUT", "/api/admin/settings/sharing", {"mode": "off"})


def share(site: Site, conversation: str, **wanted: object) -> str:
    """The address of a link."""
    made = site.ask("POST", f"/api/conversations/{conversation}/shares", wanted)
    return str(made["path"])


def dialog(page: Page, say: Words) -> Locator:
    return page.get_by_role("dialog", name=say("shares.title"))


def opened(site: Site) -> int:
    return int(site.ask("GET", "/api/shares")["shares"][0]["opened"])


def test_what_is_said_while_a_dialog_is_open_can_be_heard_and_pressed(visits: Visits, site: Site) -> None:
    """All outside an open dialog is inert: a toast there was seen, and a press on it closed the dialog."""
    say, title = words("en"), "notices above a dialog"
    conversation, _ = converse(site, title, TALK)
    page = visits.open(f"/c/{conversation}")
    chat = open_list(page, say)
    choose(chat, title, say("js.shares.share"))
    asked = dialog(page, say)
    copied(page, asked.get_by_role("button", name=say("shares.make")).click)
    expect(asked.locator("[data-announcer]")).to_have_text(say("js.shares.made"))
    toast = asked.locator(".toast")
    toast.get_by_role("button", name=say("base.close_notice")).click()
    expect(toast).to_have_count(0)
    expect(asked).to_be_visible()
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(page.locator("body > [data-announcer]")).to_have_text("")
    expect(page.locator("body > [data-toasts]")).to_have_count(1)


@pytest.mark.parametrize(("viewport", "locale"), [(WIDE, "en"), (PHONE, "zh")], ids=["wide", "phone"])
def test_one_shares_looks_and_ends(visits: Visits, site: Site, viewport: ViewportSize, locale: str) -> None:
    say, title = words(locale), f"shared in {locale}"
    conversation, _ = converse(site, title, TALK)
    page = visits.open(f"/c/{conversation}", viewport=viewport, locale=locale)
    chat = open_list(page, say)
    choose(chat, title, say("js.shares.share"))
    asked = dialog(page, say)
    expect(asked).to_contain_text(say("shares.who_anybody"))
    expect_no_fault(page, locale)
    page.set_viewport_size(viewport)
    asked.get_by_label(say("shares.named", name=USERNAME)).check()
    address = copied(page, asked.get_by_role("button", name=say("shares.make")).click)
    assert address.startswith(f"{site.url}/s/")
    expect(asked.get_by_role("link", name=address)).to_be_visible()
    expect(asked).to_contain_text(say("js.shares.with_name"))
    stranger = visits.open(address.removeprefix(site.url), viewport=viewport, locale=locale, signed_in=False)
    expect(stranger.get_by_role("heading", level=1)).to_have_text(title)
    expect(stranger.locator(".prose strong").last).to_have_text("all")
    zone = "（中国标准时间）" if locale == "zh" else "(China Standard Time)"
    expect(stranger.locator("[data-moment]")).to_contain_text([zone, zone])
    expect(stranger.get_by_text(say("shares.page_by", name=USERNAME))).to_be_visible()
    wait_until(lambda: opened(site) == 1)
    asked.get_by_role("button", name=say("base.close"), exact=True).click()
    open_list(page, say).more(title).click()
    expect(chat.menu.get_by_text(say("js.shares.shared"), exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.goto("/account")
    card = page.get_by_role("region", name=say("shares.own_title"))
    expect(card).to_contain_text(say("js.shares.opened", count=1))
    card.get_by_role("button", name=say("js.shares.end_one", title=title)).click()
    page.get_by_role("alertdialog").get_by_role("button", name=say("js.shares.end_action")).click()
    expect(card.get_by_text(say("shares.own_none"))).to_be_visible()
    gone = stranger.reload()
    assert gone
    assert gone.status == 404
    visits.watch(stranger).problems.clear()  # that is what was to be seen


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_its_page_has_no_fault_and_nothing_of_the_chat(visits: Visits, site: Site, locale: str) -> None:
    path = share(site, converse(site, "A talk to be read", TALK)[0], named=True)
    page = visits.open("/login", signed_in=False, locale=locale)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path)
    expect(page.locator(".prose table")).to_be_visible()
    expect(page.locator(".prose .katex")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator(".toast")).to_have_count(0)
    expect_no_fault(page, locale)
    scripts = {url.rsplit("/", 1)[-1] for url in asked if url.endswith(".js")}
    assert "shared-page.js" in scripts
    assert not scripts & {"chat.js", "sidebar.js", "composer.js", "conversation.js", "run-stream.js", "thread.js"}
    assert not [url for url in asked if not url.startswith(site.url)]
    page.emulate_media(media="print")
    expect(page.locator(".topbar")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.security("pictures-on-a-click")
def test_a_picture_elsewhere_waits_for_a_click_there_too(visits: Visits, site: Site) -> None:
    say = words("en")
    path = share(site, converse(site, "A picture", ("Show it", LONG_ANSWER))[0])
    page = visits.open(path, signed_in=False)
    button = page.get_by_role("button", name=say("js.show_picture"))
    expect(button).to_be_visible()
    assert page.locator(".shared img, .shared iframe").count() == 0
    page.get_by_role("button", name=say("base.copy"), exact=True).first.wait_for()
    assert "def greet" in copied(page, page.locator("[data-copy-code]").first.click)


@pytest.mark.security("markup-inert")
def test_hostile_words_do_nothing_to_strangers(visits: Visits, site: Site) -> None:
    hostile = "\n\n".join(CORPUS.values())
    conversation, ids = converse(site, "<img src=x onerror=window.pwned=1>", (hostile, hostile))
    path = share(site, conversation, message_id=ids[-1], thoughts=True)
    page = visits.open(path, signed_in=False)
    expect(page.locator(".shared__raw")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.pwned") is None
    assert page.evaluate(f"[...document.querySelectorAll('.prose')].flatMap({FINDINGS})") == []
    assert page.url.endswith(path)


def test_the_branch_on_the_page_is_the_one_that_is_shared(visits: Visits, site: Site) -> None:
    say, title = words("en"), "two branches"
    conversation, ids = converse(site, title, ("A question", "the older answer"))
    go_on(site, conversation, ("x", "the newer answer"), after=None)
    page = visits.open(f"/c/{conversation}")
    chat = Chat(page, say)
    expect(chat.prose).to_have_text("the newer answer")
    page.get_by_role("button", name=say("chat.version_before")).first.click()
    expect(chat.prose).to_have_text("the older answer")
    chat.choose(title, say("js.shares.share"))
    address = copied(page, dialog(page, say).get_by_role("button", name=say("shares.make")).click)
    stranger = visits.open(address.removeprefix(site.url), signed_in=False)
    expect(stranger.locator(".prose")).to_have_text("the older answer")
    assert ids


@pytest.mark.security("share-holds-what-was-shown")
def test_what_is_not_on_the_page_yet_is_not_shared(visits: Visits, site: Site) -> None:
    say, title = words("en"), "asked elsewhere too"
    conversation, _ = converse(site, title, ("A question", "what is on the page"))
    page = visits.open(f"/c/{conversation}")
    chat = Chat(page, say)
    expect(chat.prose).to_have_text("what is on the page")
    go_on(site, conversation, ("x", "what was written elsewhere"), after=None)
    chat.choose(title, say("js.shares.share"))
    address = copied(page, dialog(page, say).get_by_role("button", name=say("shares.make")).click)
    expect(chat.prose).to_have_text("what is on the page")
    stranger = visits.open(address.removeprefix(site.url), signed_in=False)
    expect(stranger.locator(".prose")).to_have_text("what is on the page")


@pytest.mark.security("share-holds-what-was-shown")
def test_of_one_that_is_not_open_no_more_is_shared_than_there_was_when_it_was_asked(visits: Visits, site: Site) -> None:
    say, title = words("en"), "not open"
    conversation, _ = converse(site, title, ("A question", "the answer of then"))
    page = visits.open("/")
    chat = Chat(page, say)
    chat.choose(title, say("js.shares.share"))
    make = dialog(page, say).get_by_role("button", name=say("shares.make"))
    expect(make).to_be_visible()
    go_on(site, conversation, ("x", "what was written meanwhile"), after=None)
    address = copied(page, make.click)
    stranger = visits.open(address.removeprefix(site.url), signed_in=False)
    expect(stranger.locator(".prose")).to_have_text("the answer of then")


@pytest.mark.parametrize(("viewport", "locale"), [(WIDE, "en"), (PHONE, "zh")], ids=["wide", "phone"])
def test_an_administrator_switches_it_and_ends_links(
    visits: Visits, site: Site, viewport: ViewportSize, locale: str
) -> None:
    say = words(locale)
    path = share(site, converse(site, "to be ended", TALK)[0])
    page = visits.open("/admin/settings", viewport=viewport, locale=locale)
    card = page.get_by_role("region", name=say("shares.settings_title"), exact=True)
    expect(card.get_by_label(say("shares.mode_anybody"))).to_be_checked()
    card.get_by_label(say("shares.mode_people")).check()
    card.get_by_role("button", name=say("base.save")).click()
    expect(page.get_by_text(say("js.admin.sharing_saved")).first).to_be_visible()
    stranger = visits.open(path, viewport=viewport, locale=locale, signed_in=False)
    expect(stranger).to_have_url(f"{site.url}/login?next={path}")
    page.goto("/admin/shares")
    expect_no_fault(page, locale)
    expect(page.get_by_text("to be ended")).to_have_count(0)
    expect(page.locator("[data-shares]")).to_contain_text(say("js.shares.for_people"))
    page.get_by_role("button", name=say("shares.end")).click()
    page.get_by_role("alertdialog").get_by_role("button", name=say("js.shares.end_action")).click()
    expect(page.get_by_text(say("shares.none_of_anybody"))).to_be_visible()
