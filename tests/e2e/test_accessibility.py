"""Every page for everybody: no violation that axe can find, in both languages, light and dark, narrow and wide."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e import entrance
from tests.e2e.site import Site, opened
from tests.e2e.visits import AT_REST, NARROWEST, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support import authenticator
from tests.support.scripted_upstream import Answer, ErrorEvent, ScriptedUpstream, Status
from tests.support.served import PASSWORD

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
LONG_ANSWER = """\
# A heading

Some text with `code`, **weight** and [a link](https://example.com), and $e^{i\\pi} = -1$.

```python
def greet(name: str) -> str:  # a comment
    return f"Hello, {name}"
```

| Column | Number |
|---|---:|
| A cell with some words in it | 12345 |

![A picture elsewhere](https://example.com/picture.png)

> A quotation

- one
- two
"""
SIGNED_OUT = {"login": "/login", "reset": "/reset#token"}
SIGNED_IN = {
    "empty chat": "/",
    "dashboard": "/dashboard",
    "account": "/account",
    "access tokens": "/tokens",
    "admin": "/admin",
    "people": "/admin/users",
    "groups": "/admin/groups",
    "limits": "/admin/limits",
    "budgets": "/admin/budgets",
    "codes": "/admin/codes",
    "tokens": "/admin/tokens",
    "keys": "/admin/keys",
    "models": "/admin/models",
    "prices": "/admin/prices",
    "warnings": "/admin/warnings",
    "records": "/admin/records",
    "reconciliation": "/admin/reconciliation",
    "no such page": "/nowhere",
}
BUDGETS = "/api/admin/budgets"
axe = Axe()

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def conversation(site: Site) -> str:
    """The address of a conversation with all that an answer can hold."""
    site.provider.script(Answer(text=LONG_ANSWER, thinking="Let me think."), ErrorEvent(after="It broke"))
    started = list(site.server.chat("What can an answer hold?"))
    list(site.server.chat("And when it breaks?"))
    site.ask("POST", "/api/admin/users", {"username": "Visitor", "role": "member"})
    return f"/c/{started[0][1]['conversation_id']}"


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


def _expect_no_fault(page: Page, locale: str = "en") -> None:
    """Look at the page wide and narrow, light and dark: each pair in one of the two languages."""
    schemes: tuple[Scheme, Scheme] = ("light", "dark") if locale == "zh" else ("dark", "light")
    for viewport, scheme in zip((WIDE, NARROWEST), schemes, strict=True):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme)
        page.evaluate(AT_REST)
        found = axe.run(page, options=OPTIONS)
        assert not found.response["violations"], f"{viewport['width']} px, {scheme}:\n{found.generate_report()}"
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"the page is {width} px wide"


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("name", SIGNED_OUT)
def test_pages_before_sign_in(name: str, locale: str, visits: Visits) -> None:
    _expect_no_fault(visits.open(SIGNED_OUT[name], locale=locale, signed_in=False), locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_set_up_page(locale: str, fresh: Visits) -> None:
    page = fresh.open("/setup", locale=locale, signed_in=False)
    expect(page.get_by_role("heading", name=words(locale)("auth.set_up"))).to_be_visible()
    _expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("name", SIGNED_IN)
def test_pages_after_sign_in(name: str, locale: str, visits: Visits, conversation: str) -> None:
    page = visits.open(SIGNED_IN[name], locale=locale)
    page.wait_for_load_state("networkidle")
    _expect_no_fault(page, locale)


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
    _expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_long_answer(locale: str, visits: Visits, conversation: str) -> None:
    page = visits.open(conversation, locale=locale)
    page.locator(".katex").wait_for()
    page.locator(".hljs-keyword").first.wait_for()
    page.get_by_text(words(locale)("js.thought")).click()
    _expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize(
    ("path", "shown"), [("/", "[data-left]"), ("/dashboard", ".budget"), ("/admin/budgets", ".entry")]
)
def test_budgets(locale: str, path: str, shown: str, visits: Visits, budgets: None) -> None:
    page = visits.open(path, locale=locale)
    expect(page.locator(shown).first).to_be_visible()
    _expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_top_up(locale: str, visits: Visits, budgets: None) -> None:
    page = visits.open("/admin/budgets", locale=locale)
    page.locator("[data-top-up]:visible").first.click()
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()
    _expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_key_that_rests(locale: str, visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    script.script(Status(402, "Insufficient Balance"))
    list(site.server.chat("hello"))
    page = visits.open("/admin/keys", locale=locale)
    expect(page.get_by_text("Insufficient Balance")).to_be_visible()
    _expect_no_fault(page, locale)
    site.ask("DELETE", "/api/admin/keys/environment/bench")


def test_a_fault_would_be_found(visits: Visits) -> None:
    page = visits.open("/login", signed_in=False)
    page.evaluate("document.querySelector('form').append(document.createElement('input'))")
    assert [fault["id"] for fault in axe.run(page, options=OPTIONS).response["violations"]] == ["label"]


def _new_person(page: Page) -> None:
    page.goto("/admin/users")
    page.get_by_role("button", name=words("en")("admin.new_user")).click()


def _new_key(page: Page) -> None:
    page.goto("/admin/keys")
    page.get_by_role("button", name=words("en")("admin.add_key")).first.click()


def _edit_key(page: Page) -> None:
    page.goto("/admin/keys")
    page.locator("[data-menu-button]").first.click()
    page.get_by_role("button", name=words("en")("admin.edit_key")).click()


def _edit_model(page: Page) -> None:
    page.goto("/admin/models")
    page.get_by_role("button", name=words("en")("js.admin.edit_model", name="deepseek-flash")).click()


def _new_budget(page: Page) -> None:
    page.goto("/admin/budgets")
    page.get_by_role("button", name=words("en")("budgets.new")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(words("en")("budgets.scope_user")).check()
    dialog.get_by_label(words("en")("budgets.measure_money")).check()
    dialog.get_by_label(words("en")("dashboard.user"), exact=True).fill("Visitor")
    dialog.get_by_label(words("en")("budgets.limit"), exact=True).fill("1,5")
    dialog.get_by_role("button", name=words("en")("base.save")).click()
    expect(dialog.get_by_role("alert")).to_be_visible()


def _new_codes(page: Page) -> None:
    page.goto("/admin/codes")
    page.get_by_role("button", name=words("en")("codes.new")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(words("en")("codes.label"), exact=True).fill("flyers")
    dialog.get_by_label(words("en")("codes.amount"), exact=True).fill("500")
    dialog.get_by_role("button", name=words("en")("codes.make")).click()
    expect(page.locator("[data-made]")).to_be_visible()


def _codes(page: Page) -> None:
    _new_codes(page)
    page.get_by_role("button", name=words("en")("admin.done")).click()
    page.locator("[data-show-codes]").first.click()
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()


def _row_menu(page: Page) -> None:
    page.goto("/admin/users")
    page.locator("[data-menu-button]").first.click()


def _account_menu(page: Page) -> None:
    page.locator("summary.menu__button").click()


def _conversation_menu(page: Page) -> None:
    page.locator("[data-more]").first.click()


def _rename(page: Page) -> None:
    _conversation_menu(page)
    page.locator("[data-conversation-menu]").get_by_text(words("en")("chat.rename")).click()


def _delete(page: Page) -> None:
    _conversation_menu(page)
    page.locator("[data-conversation-menu]").get_by_text(words("en")("base.delete")).click()


OPENERS = (
    _new_person,
    _new_key,
    _edit_key,
    _edit_model,
    _new_budget,
    _new_codes,
    _codes,
    _row_menu,
    _account_menu,
    _conversation_menu,
    _rename,
    _delete,
)


@pytest.mark.parametrize("opening", OPENERS, ids=lambda opening: opening.__name__.strip("_"))
def test_what_opens_above_a_page(opening: Callable[[Page], Any], visits: Visits, conversation: str) -> None:
    page = visits.open("/")
    opening(page)
    _expect_no_fault(page)


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
    _expect_no_fault(page, locale)
    page.locator("[data-proof] [type=submit]").click()
    expect(page.locator("[data-qr]")).to_be_visible()
    _expect_no_fault(page, locale)
    secret = page.locator("#app-secret").inner_text().replace(" ", "")
    page.get_by_label(say("account.first_code"), exact=True).fill(authenticator.code(secret))
    page.locator("[data-app] [type=submit]").click()
    expect(page.locator("#recovery-dialog")).to_be_visible()
    _expect_no_fault(page, locale)
    page.get_by_role("button", name=say("account.done")).click()
    _expect_no_fault(page, locale)
    page.locator("[data-turn-off]").click()
    _expect_no_fault(page, locale)
    entry = visits.open("/login", locale=locale, signed_in=False)
    entrance.sign_in(entry, say, username=name, password=PASSWORD)
    expect(entry.get_by_label(say("js.second_step.code"), exact=True)).to_be_focused()
    _expect_no_fault(entry, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_difference_and_what_could_explain_it(locale: str, visits: Visits, alarm: str) -> None:
    page = visits.open("/admin/reconciliation", locale=locale)
    day = page.locator(f'[data-id="{alarm}"]')
    expect(day).to_be_visible()
    _expect_no_fault(page, locale)
    for act in ("explain", "acknowledge"):
        day.locator(f"[data-{act}]").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        _expect_no_fault(page, locale)
        page.keyboard.press("Escape")
