"""Access tokens on their pages: made, shown once, used, revoked by their person and by an administrator."""

from collections.abc import Iterator

import pytest
import urllib3
from playwright.sync_api import Browser, Page, expect

from tests.e2e.clipboard import copied
from tests.e2e.elsewhere import website
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

ASK_FROM_PAGE = """async ([site, secret]) => {
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json", "x-stainless-lang": "js" }
  const body = JSON.stringify({ model: "deepseek-flash", messages: [{ role: "user", content: "Hello" }] })
  try {
    const reply = await fetch(`${site}/v1/chat/completions`, { method: "POST", headers, body, cache: "no-store" })
    const left = reply.headers.get("x-ratelimit-remaining-requests") ? " and requests are left" : ""
    return `${reply.status} ${(await reply.json()).choices[0].message.content}${left}`
  } catch {
    return "kept from the page"
  }
}"""
CANCELLED = "dialog => dialog.dispatchEvent(new Event('cancel', { cancelable: true }))"

en = words("en")

pytestmark = pytest.mark.browser


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with website() as address:
        yield address


def make(page: Page, name: str, limit: str = "", *, rate: str = "", parallel: str = "", networks: str = "") -> str:
    """Make a token on the page; gives what is shown once."""
    page.get_by_role("button", name=en("tokens.new")).click()
    dialog = page.get_by_role("dialog", name=en("tokens.new"))
    dialog.get_by_label(en("tokens.name"), exact=True).fill(name)
    dialog.get_by_label(en("tokens.expires")).select_option(label=en("tokens.days", count=30))
    dialog.get_by_label(en("tokens.limit"), exact=True).fill(limit)
    dialog.get_by_label(en("tokens.rate_label"), exact=True).fill(rate)
    dialog.get_by_label(en("tokens.parallel_label"), exact=True).fill(parallel)
    dialog.get_by_label(en("tokens.networks_label"), exact=True).fill(networks)
    dialog.get_by_role("button", name=en("tokens.make")).click()
    shown = page.get_by_role("dialog", name=en("js.tokens.made", name=name))
    secret = shown.locator("code").inner_text()
    page.keyboard.press("Escape")
    page.mouse.click(5, 5)  # beside the dialog
    assert not shown.evaluate(CANCELLED), "Escape would close it in a browser without closedby"
    assert copied(page, shown.get_by_role("button", name=en("base.copy")).click) == secret
    shown.get_by_role("button", name=en("tokens.kept")).click()
    expect(page.locator("#made-secret")).to_be_empty()
    return secret


def ask(site: Site, secret: str) -> int:
    body = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"Authorization": f"Bearer {secret}"}
    return urllib3.request("POST", f"{site.url}/v1/chat/completions", json=body, headers=headers).status


def test_a_token_is_made_shown_once_used_and_revoked(visits: Visits, site: Site, script: ScriptedUpstream) -> None:
    page = visits.open("/", viewport=PHONE)
    page.goto("/tokens")
    secret = make(page, "my editor")
    script.script(Answer("Hello to a program."))
    assert ask(site, secret) == 200
    used = "SELECT id FROM access_tokens WHERE name = 'my editor' AND last_used_at IS NOT NULL"
    wait_until(lambda: bool(site.rows(used)))  # it is noted once the reply is out
    page.reload()
    row = page.get_by_role("listitem").filter(has_text="my editor")
    expect(row).to_contain_text(secret[-4:])
    expect(row).not_to_contain_text(en("js.tokens.unused"))
    expect(page.get_by_text(f"{site.url}/v1/chat/completions")).to_be_visible()

    page.goto("/dashboard")
    page.locator("[data-toggle]").first.click()
    expect(page.locator("[data-slot=facts]").first).to_contain_text("my editor")

    page.goto("/tokens")
    row.get_by_role("button", name=en("js.tokens.revoke_one", name="my editor")).click()
    page.get_by_role("alertdialog").get_by_role("button", name=en("js.tokens.revoke")).click()
    expect(row).to_have_count(0)
    assert ask(site, secret) == 401


def test_a_page_of_another_website_asks_once_it_is_named(
    visits: Visits, browser: Browser, site: Site, script: ScriptedUpstream, elsewhere: str
) -> None:
    """As the browser has it: it keeps the reply from the page before."""
    page = visits.open("/tokens", viewport=PHONE)
    secret = make(page, "my page")
    foreign = browser.new_page()  # what it sends is no visit to the site
    foreign.goto(elsewhere)
    asked = [site.url, secret]
    assert foreign.evaluate(ASK_FROM_PAGE, asked) == "kept from the page"

    row = page.get_by_role("listitem").filter(has_text="my page")
    name = en("js.tokens.origins_of", name="my page")
    row.get_by_role("button", name=name).click()
    dialog = page.get_by_role("dialog", name=name)
    dialog.get_by_label(en("tokens.origins_label")).fill("not a website")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog.get_by_role("alert")).to_contain_text("not a website")
    dialog.get_by_label(en("tokens.origins_label")).fill(f"{elsewhere}/\nhttps://app.example.org")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog).to_be_hidden()
    expect(row.get_by_role("button", name=name)).to_be_focused()
    expect(row).to_contain_text(en("js.tokens.on_pages_of", origins=f"{elsewhere}, https://app.example.org"))
    script.script(Answer("Hello to a page."))
    assert foreign.evaluate(ASK_FROM_PAGE, asked) == "200 Hello to a page. and requests are left"

    row.get_by_role("button", name=name).click()
    expect(dialog.get_by_label(en("tokens.origins_label"))).to_have_value(f"{elsewhere}\nhttps://app.example.org")
    dialog.get_by_label(en("tokens.origins_label")).fill("")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(row).not_to_contain_text("https://app.example.org")
    assert foreign.evaluate(ASK_FROM_PAGE, asked) == "kept from the page"
    foreign.close()


def test_its_person_sees_what_a_program_says_while_they_want_that(
    visits: Visits, site: Site, script: ScriptedUpstream
) -> None:
    page = visits.open("/tokens", viewport=PHONE)
    secret = make(page, "in trouble")
    row = page.get_by_role("listitem").filter(has_text="in trouble")
    name = en("js.tokens.words_of", name="in trouble")

    def choose(words: str) -> None:
        row.get_by_role("button", name=name).click()
        dialog = page.get_by_role("dialog", name=name)
        dialog.get_by_label(en("tokens.words_label")).select_option(label=en(words))
        dialog.get_by_role("button", name=en("base.save")).click()
        expect(dialog).to_be_hidden()
        expect(row.get_by_role("button", name=name)).to_be_focused()

    choose("tokens.words_24")
    kept = en("js.tokens.words_until", time="").strip()
    expect(row).to_contain_text(kept)
    script.script(Answer("<b>Hello</b> to a program.", thinking="hm"))
    assert ask(site, secret) == 200
    wait_until(lambda: site.rows("SELECT r.id FROM program_requests r JOIN program_words w ON w.id = r.id"))
    row.get_by_role("link", name=en("js.tokens.requests_of", name="in trouble")).click()
    request = page.locator("[data-requests] > li").first
    request.locator("summary").click()
    request.get_by_role("button", name=en("requests.words")).click()
    shown = page.get_by_role("dialog", name=en("requests.words"))
    expect(shown.locator("[data-slot=asked]")).to_contain_text('"content": "Hello"')
    expect(shown.locator("[data-slot=reasoning]")).to_have_text("hm")
    expect(shown.locator("[data-slot=text]")).to_have_text("<b>Hello</b> to a program.")
    expect(shown.locator("[data-slot=calls-part]")).to_be_hidden()
    shown.get_by_role("button", name=en("base.close")).click()
    expect(page.locator("[data-slot=asked]")).to_be_empty()

    page.goto("/tokens")
    choose("tokens.words_none")
    expect(row).not_to_contain_text(kept)
    page.goto("/tokens/requests")
    page.locator("[data-requests] > li").first.locator("summary").click()
    expect(page.get_by_role("button", name=en("requests.words"))).to_be_hidden()


def test_a_token_has_a_rate_and_addresses_of_its_own(visits: Visits, site: Site, script: ScriptedUpstream) -> None:
    page = visits.open("/tokens", viewport=PHONE)
    secret = make(page, "kept", rate="2", parallel="2", networks="203.0.113.9/24")
    row = page.get_by_role("listitem").filter(has_text="kept")
    expect(row).to_contain_text(en("js.tokens.rate_is", count="2"))
    expect(row).to_contain_text(en("js.tokens.parallel_is", count="2"))
    expect(row).to_contain_text(en("js.tokens.only_from", networks="203.0.113.0/24"))
    assert ask(site, secret) == 403

    name = en("js.tokens.access_of", name="kept")
    row.get_by_role("button", name=name).click()
    dialog = page.get_by_role("dialog", name=name)
    rate, parallel, networks = (
        dialog.get_by_label(en(f"tokens.{each}_label"), exact=True) for each in ("rate", "parallel", "networks")
    )
    expect(rate).to_have_value("2")
    expect(parallel).to_have_value("2")
    expect(networks).to_have_value("203.0.113.0/24")
    expect(dialog).to_contain_text(en("tokens.networks_hint", address="127.0.0.1"))
    rate.fill("1.5")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(en("js.tokens.number_mistake", most="10,000"))
    rate.fill("1")
    parallel.fill("1001")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(en("js.tokens.number_mistake", most="1,000"))
    parallel.fill("")
    networks.fill("example.org")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog.get_by_role("alert")).to_contain_text("example.org")
    networks.fill("127.0.0.1\n2001:DB8::/32")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog).to_be_hidden()
    expect(row).to_contain_text(en("js.tokens.only_from", networks="127.0.0.1, 2001:db8::/32"))
    expect(row.get_by_role("button", name=name)).to_be_focused()
    script.script(Answer("Hello to a program."))
    assert [ask(site, secret), ask(site, secret)] == [200, 429]


def test_a_token_is_limited_by_its_person(visits: Visits, site: Site, script: ScriptedUpstream) -> None:
    page = visits.open("/tokens", viewport=PHONE)
    secret = make(page, "nightly", limit="100,000")
    row = page.get_by_role("listitem").filter(has_text="nightly")
    expect(row).to_contain_text(terms("day", "100,000"))
    script.script(Answer("Hello to a program.", usage=Usage(prompt=10_000, cached=0, completion=15_000)))
    assert ask(site, secret) == 200
    page.reload()
    meter = row.get_by_role("meter")
    expect(meter).to_have_attribute(
        "aria-valuetext", en("js.budget.used_of", used=tokens("25,000"), limit=tokens("100,000"))
    )

    change = row.get_by_role("button", name=en("js.tokens.limit_one", name="nightly"))
    change.click()
    dialog = page.get_by_role("dialog", name=en("js.tokens.limit_one", name="nightly"))
    amount = dialog.get_by_label(en("tokens.limit"), exact=True)
    expect(amount).to_have_value("100000")
    amount.fill("1,5")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(en("js.budget.bad_tokens", text="1,5"))
    amount.fill("25 000")
    expect(dialog).to_contain_text(f"= {tokens('25,000')}")
    dialog.get_by_label(en("budgets.period"), exact=True).select_option("total")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(row).to_contain_text(terms("total", "25,000"))
    expect(row.locator("dt:visible")).to_have_text([en("budgets.used"), en("budgets.left"), en("budgets.limit")])
    expect(row).to_contain_text(en("js.budget.state_exhausted"))
    expect(change).to_be_focused()
    assert ask(site, secret) == 429

    admin = visits.open("/admin/budgets")
    entry = admin.get_by_role("listitem").filter(has_text="“nightly”")
    expect(entry).to_contain_text(terms("total", "25,000"))

    change.click()
    amount.fill("")
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(meter).to_be_hidden()
    script.script(Answer("Hello again."))
    assert ask(site, secret) == 200


def test_a_limit_only_warns_where_its_person_says_so(visits: Visits, site: Site, script: ScriptedUpstream) -> None:
    page = visits.open("/tokens")
    secret = make(page, "weekly", limit="100")
    assert ask(site, secret) == 429
    row = page.get_by_role("listitem").filter(has_text="weekly")
    change = row.get_by_role("button", name=en("js.tokens.limit_one", name="weekly"))
    change.click()
    dialog = page.get_by_role("dialog", name=en("js.tokens.limit_one", name="weekly"))
    dialog.get_by_label(en("budgets.kind")).select_option(label=en("budgets.kind_soft"))
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog).to_be_hidden()
    expect(row.get_by_text(en("budgets.soft"))).to_be_visible()
    script.script(Answer("Hello all the same.", usage=Usage(prompt=90, cached=0, completion=30)))
    assert ask(site, secret) == 200
    page.reload()
    expect(row).to_contain_text(en("js.budget.state_reached"))
    change.click()
    expect(dialog.get_by_label(en("budgets.kind"))).to_have_value("soft")
    site.ask("DELETE", f"/api/tokens/{row.get_attribute('data-id')}")


def terms(period: str, count: str) -> str:
    return en(f"js.budget.per_{period}", limit=tokens(count))


def tokens(count: str) -> str:
    return en("js.budget.tokens", count=count)


def test_an_administrator_revokes_anybodys(look: Look, visits: Visits, site: Site) -> None:
    say, name = look.say, f"a script {look.locale}"
    secret = make(visits.open("/tokens"), name)
    admin = look.open(visits, "/admin/tokens")
    row = admin.get_by_role("listitem").filter(has_text=name)
    row.get_by_role("button", name=say("js.tokens.revoke_one", name=name)).click()
    look.expect_no_fault(admin)
    admin.get_by_role("alertdialog").get_by_role("button", name=say("js.tokens.revoke")).click()
    expect(row).to_contain_text(say("js.tokens.state_revoked"))
    expect(row.get_by_role("button")).to_be_hidden()
    look.expect_no_fault(admin)
    assert ask(site, secret) == 401
