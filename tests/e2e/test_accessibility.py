"""Every page for everybody: no violation that axe can find, in both languages, light and dark, narrow and wide."""

from collections.abc import Iterator

import pytest
import urllib3
from playwright.sync_api import Browser, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault, scan
from tests.e2e.site import Site, opened
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support import authenticator
from tests.support.scripted_upstream import ScriptedUpstream, Status
from tests.support.served import PASSWORD

SIGNED_OUT = {"login": "/login", "reset": "/reset#token", "forgot": "/forgot", "join": "/join#token"}
SIGNED_IN = {
    "empty chat": "/",
    "temporary chat": "/?temporary",
    "dashboard": "/dashboard",
    "account": "/account",
    "prompts": "/prompts",
    "assistants": "/assistants",
    "prompts for others": "/admin/prompts",
    "assistants for others": "/admin/assistants",
    "servers of tools": "/admin/tools",
    "access tokens": "/tokens",
    "admin": "/admin",
    "people": "/admin/users",
    "groups": "/admin/groups",
    "limits": "/admin/limits",
    "budgets": "/admin/budgets",
    "codes": "/admin/codes",
    "tokens": "/admin/tokens",
    "shares": "/admin/shares",
    "keys": "/admin/keys",
    "models": "/admin/models",
    "prices": "/admin/prices",
    "audit": "/admin/audit",
    "settings": "/admin/settings",
    "supervision": "/supervision",
    "system": "/admin/system",
    "warnings": "/admin/warnings",
    "records": "/admin/records",
    "requests": "/admin/requests",
    "own requests": "/tokens/requests",
    "reconciliation": "/admin/reconciliation",
    "no such page": "/nowhere",
}
BUDGETS = "/api/admin/budgets"

pytestmark = pytest.mark.browser


@pytest.fixture
def budgets(site: Site) -> Iterator[None]:
    """Of every state: one that only warns is used up, one is low, one is open; and a balance."""
    limits = {"day": 1, "week": 10**9, "month": 10**12}
    made = [
        site.ask("POST", BUDGETS, {"scope": "site", "period": period, "limit": limit, "hard": False})["id"]
        for period, limit in limits.items()
    ]
    balance = {"scope": "site", "period": "prepaid", "limit": 10**12, "reason": "paid"}
    made.append(site.ask("POST", BUDGETS, balance)["id"])
    yield
    for budget_id in made:
        site.ask("DELETE", f"{BUDGETS}/{budget_id}")


@pytest.fixture(scope="module")
def fresh(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visits]:
    """A site that nobody has set up yet."""
    with ScriptedUpstream() as provider, opened(tmp_path_factory.mktemp("fresh"), provider) as site:
        visits = Visits(browser, site)
        yield visits
        assert visits.close() == []


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("name", SIGNED_OUT)
def test_pages_before_sign_in(name: str, locale: str, visits: Visits) -> None:
    expect_no_fault(visits.open(SIGNED_OUT[name], locale=locale, signed_in=False), locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_set_up_page(locale: str, fresh: Visits) -> None:
    page = fresh.open("/setup", locale=locale, signed_in=False)
    expect(page.get_by_role("heading", name=words(locale)("auth.set_up"))).to_be_visible()
    expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_page_of_an_unknown_address(locale: str, visits: Visits, site: Site) -> None:
    headers = {"Host": "elsewhere.example", "Accept": "text/html", "Accept-Language": locale}
    reply = urllib3.request("GET", site.url, headers=headers)
    page = visits.open("/login", locale=locale, signed_in=False)
    page.route("**/elsewhere", lambda route: route.fulfill(body=reply.data, headers=dict(reply.headers)))
    page.goto("/elsewhere")
    expect(page.get_by_role("heading", name=words(locale)("base.unknown_host.title"))).to_be_visible()
    expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("name", SIGNED_IN)
def test_pages_after_sign_in(name: str, locale: str, visits: Visits, conversation: str) -> None:
    page = visits.open(SIGNED_IN[name], locale=locale)
    page.wait_for_load_state("networkidle")
    expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("path", ["/dashboard", "/admin"])
def test_a_range_with_all_its_tables(path: str, locale: str, visits: Visits, conversation: str) -> None:
    page = visits.open(f"{path}?by=hour", locale=locale)
    heat = page.locator("[data-heat]")
    heat.scroll_into_view_if_needed()
    expect(heat.locator("[data-level='4']").first).to_be_attached()
    for fold in page.locator("summary.fold__summary").all():
        fold.click()
    expect(page.locator("[data-breakdown-rows] tr")).to_have_count(24)
    expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_long_answer(locale: str, visits: Visits, conversation: str) -> None:
    page = visits.open(conversation, locale=locale)
    page.locator(".katex").wait_for()
    page.locator(".hljs-keyword").first.wait_for()
    page.locator(".message--answer summary").last.click()
    expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize(
    ("path", "shown"), [("/", "[data-left]"), ("/dashboard", ".budget"), ("/admin/budgets", ".entry")]
)
def test_budgets(locale: str, path: str, shown: str, visits: Visits, budgets: None) -> None:
    page = visits.open(path, locale=locale)
    expect(page.locator(shown).first).to_be_visible()
    expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_top_up(locale: str, visits: Visits, budgets: None) -> None:
    page = visits.open("/admin/budgets", locale=locale)
    page.locator("[data-top-up]:visible").first.click()
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()
    expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_key_that_rests(locale: str, visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    script.script(Status(429, "Insufficient Patience", retry_after=60))  # not 402: a balance that is read ends that
    list(site.server.chat("hello"))
    page = visits.open("/admin/keys", locale=locale)
    expect(page.get_by_text("Insufficient Patience")).to_be_visible()
    expect_no_fault(page, locale)
    site.ask("DELETE", "/api/admin/keys/environment/bench")


def test_a_fault_would_be_found(visits: Visits) -> None:
    page = visits.open("/login", signed_in=False)
    page.evaluate("document.querySelector('form').append(document.createElement('input'))")
    assert [fault["id"] for fault in scan(page).response["violations"]] == ["label"]


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_second_step(locale: str, visits: Visits, site: Site) -> None:
    say, name = words(locale), f"Careful {locale}"
    site.ask("POST", "/api/admin/users", {"username": name, "role": "member", "password": PASSWORD})
    page = visits.open("/login", locale=locale, signed_in=False)
    entrance.sign_in(page, say, username=name, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    page.goto("/account")
    page.locator("[data-turn-on]").click()
    page.get_by_label(say("auth.password"), exact=True).fill(PASSWORD)
    expect_no_fault(page, locale)
    page.locator("[data-proof] [type=submit]").click()
    expect(page.locator("[data-qr]")).to_be_visible()
    expect_no_fault(page, locale)
    secret = page.locator("#app-secret").inner_text().replace(" ", "")
    page.get_by_label(say("account.first_code"), exact=True).fill(authenticator.code(secret))
    page.locator("[data-app] [type=submit]").click()
    expect(page.locator("#recovery-dialog")).to_be_visible()
    expect_no_fault(page, locale)
    page.get_by_role("button", name=say("account.done")).click()
    expect_no_fault(page, locale)
    page.locator("[data-turn-off]").click()
    expect_no_fault(page, locale)
    entry = visits.open("/login", locale=locale, signed_in=False)
    entrance.sign_in(entry, say, username=name, password=PASSWORD)
    expect(entry.get_by_label(say("js.second_step.code"), exact=True)).to_be_focused()
    expect_no_fault(entry, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_difference_and_what_could_explain_it(locale: str, visits: Visits, alarm: str) -> None:
    page = visits.open("/admin/reconciliation", locale=locale)
    day = page.locator(f'[data-id="{alarm}"]')
    expect(day).to_be_visible()
    expect_no_fault(page, locale)
    for act in ("explain", "acknowledge"):
        day.locator(f"[data-{act}]").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        expect_no_fault(page, locale)
        page.keyboard.press("Escape")
