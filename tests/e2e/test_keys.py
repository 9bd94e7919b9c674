"""The administrator's keys: a key that rests says why, and comes back by a button; its place is changed in a dialog."""

import json
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.keyboard import Keyboard
from tests.e2e.looks import ENGLISH, Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.scripted_upstream import ScriptedUpstream, Status, Whole

en = ENGLISH.say
KEYS, LABEL = "/api/admin/keys", "DEEPSEEK_API_KEY (environment)"

pytestmark = pytest.mark.browser


@pytest.fixture
def benched(site: Site, script: ScriptedUpstream) -> Iterator[None]:
    """The provider has just refused the only key for a minute."""
    script.script(Status(429, "Rate limit reached for <b>everybody</b>", retry_after=60))
    list(site.server.chat("hello"))
    yield
    site.ask("DELETE", f"{KEYS}/environment/bench")


@pytest.fixture
def page(visits: Visits, site: Site) -> Page:
    return visits.open("/admin/keys")


def test_a_key_that_rests_comes_back_by_its_button(benched: None, look: Look, visits: Visits, site: Site) -> None:
    say, page = look.say, look.open(visits, "/admin/keys")
    card = page.get_by_role("listitem").filter(has_text=LABEL)
    expect(card).to_contain_text(say("js.admin.key_state_benched"))
    expect(card).to_contain_text(say("js.admin.key_error.upstream_busy"))
    card.get_by_text(say("admin.clear_bench"), exact=True).click()
    expect(card).to_contain_text(say("js.admin.key_state_ready"))
    [key] = site.ask("GET", KEYS)["keys"]
    assert (key["state"], key["bench"]) == ("ready", None)


def test_a_key_that_rests_says_why_and_comes_back_by_keyboard(benched: None, page: Page, site: Site) -> None:
    card = page.get_by_role("listitem").filter(has_text=LABEL)
    expect(card).to_contain_text(en("js.admin.key_state_benched"))
    expect(card).to_contain_text(en("js.admin.key_error.upstream_busy"))
    expect(card).to_contain_text("Rate limit reached for <b>everybody</b>")
    Keyboard(page).use(card.get_by_role("button", name=en("js.admin.clear_bench_of", name=LABEL)))
    expect(card).to_contain_text(en("js.admin.key_state_ready"))
    expect(card).not_to_contain_text("Rate limit")
    [key] = site.ask("GET", KEYS)["keys"]
    assert (key["state"], key["bench"]) == ("ready", None)


def test_a_tested_key_keeps_the_focus_on_its_test(page: Page) -> None:
    card = page.get_by_role("listitem").filter(has_text=LABEL)
    test = card.get_by_role("button", name=en("js.admin.test_key", name=LABEL))
    card.evaluate("card => { card.classList.add('as-it-was') }")
    Keyboard(page).use(test)
    expect(card.locator("[data-slot=result] .notice")).to_be_visible()
    expect(page.locator(".as-it-was")).to_have_count(0)  # drawn anew
    expect(test).to_be_focused()


def test_a_keys_place_is_changed_in_a_dialog(look: Look, visits: Visits, site: Site) -> None:
    say, page = look.say, look.open(visits, "/admin/keys")
    page.locator("[data-menu-button]").click()
    page.get_by_role("button", name=say("admin.edit_key")).click()
    dialog = page.get_by_role("dialog", name=say("admin.edit_key"))
    for label, value in (("priority", "-2"), ("weight", "7"), ("max_concurrent", "3"), ("account", "ours")):
        dialog.get_by_label(say(f"admin.{label}"), exact=True).fill(value)
    dialog.get_by_label(say("admin.provider_priority")).fill("4")
    dialog.get_by_label(say("warnings.key_low_balance")).fill("1,5")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(say("js.warnings.bad_threshold", text="1,5"))
    look.expect_no_fault(page)
    dialog.get_by_label(say("warnings.key_low_balance")).fill("")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog).to_be_hidden()
    card = page.get_by_role("listitem").filter(has_text=LABEL)
    expect(card).to_contain_text(say("js.admin.live_of", live=0, cap=3))
    expect(card).to_contain_text(say("js.admin.place_of", provider=4, priority=-2, weight=7))
    [key] = site.ask("GET", KEYS)["keys"]
    assert (key["account"], key["max_concurrent"], key["provider"]["priority"]) == ("ours", 3, 4)
    site.ask("PATCH", f"{KEYS}/environment", {"priority": 0, "weight": 1, "max_concurrent": None, "account": None})
    site.ask("PATCH", f"/api/admin/providers/{key['provider']['id']}", {"priority": 0})


def test_a_refused_change_of_a_key_leaves_its_provider_as_it_was(page: Page, site: Site) -> None:
    page.locator("[data-menu-button]").click()
    page.get_by_role("button", name=en("admin.edit_key")).click()
    dialog = page.get_by_role("dialog", name=en("admin.edit_key"))
    dialog.get_by_label(en("admin.provider_priority")).fill("5")

    def drop(route: Route) -> None:
        route.abort("connectionrefused")

    page.route(f"**{KEYS}/environment", drop)
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(en("js.error.offline"))
    assert site.ask("GET", KEYS)["keys"][0]["provider"]["priority"] == 0
    page.unroute(f"**{KEYS}/environment", drop)
    dialog.get_by_role("button", name=en("base.save")).click()
    place = en("js.admin.place_of", provider=5, priority=0, weight=1)
    expect(page.get_by_role("listitem").filter(has_text=LABEL)).to_contain_text(place)
    [key] = site.ask("GET", KEYS)["keys"]
    site.ask("PATCH", f"/api/admin/providers/{key['provider']['id']}", {"priority": 0})


def test_what_others_add_and_delete_comes_and_goes(page: Page, site: Site) -> None:
    page.clock.install()
    page.reload()
    expect(page.get_by_role("listitem").filter(has_text=LABEL)).to_be_visible()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"  # where nobody listens once it is let go
    terms = {"currency": "CNY", "base_url": address}
    made = [site.ask("POST", KEYS, terms | {"label": name, "secret": f"sk-{name}-0000"}) for name in ("added", "held")]
    cards = {each["label"]: page.locator(f"[data-keys] > [data-id='{each['id']}']") for each in made}
    page.clock.fast_forward(16_000)
    expect(cards["added"]).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text=LABEL)).to_have_count(1)
    cards["held"].locator("[data-test]").focus()
    for each in made:
        site.ask("DELETE", f"{KEYS}/{each['id']}")
    page.clock.fast_forward(16_000)
    expect(cards["added"]).to_have_count(0)
    expect(cards["held"], "somebody is at it").to_be_visible()
    page.locator("[data-add-key]").first.focus()
    page.clock.fast_forward(16_000)
    expect(cards["held"]).to_have_count(0)


def test_an_account_with_money_in_another_currency_only_is_told(
    look: Look, visits: Visits, site: Site, script: ScriptedUpstream
) -> None:
    say, page = look.say, look.open(visits, "/admin/keys")
    told = {"is_available": True, "balance_infos": [{"currency": "USD", "total_balance": "750.00"}]}
    script.script(Whole(json.dumps(told).encode(), "application/json"), path="/user/balance", always=True)
    card = page.get_by_role("listitem").filter(has_text=LABEL)
    page.locator("[data-menu-button]").click()
    page.get_by_role("button", name=say("admin.read_balance")).click()
    expect(card).to_contain_text("$750.00")
    way = say("js.admin.currency_of_environment", other="USD")
    expect(card).to_contain_text(say("js.admin.currency_differs", other="USD", booked="CNY", way=way))
    look.expect_no_fault(page)
    script.forget_scripts()
    site.ask("POST", f"{KEYS}/environment/balance")
    page.reload()
    expect(card).to_contain_text("¥110.00")
    expect(card.locator("[data-slot=currency]")).to_be_hidden()


def test_a_page_that_stays_open_follows_what_happens(page: Page, site: Site, script: ScriptedUpstream) -> None:
    card = page.get_by_role("listitem").filter(has_text=LABEL)
    expect(card).to_contain_text(en("js.admin.key_state_ready"))
    script.script(Status(429, "busy", retry_after=60))  # not 402: a balance that is read meanwhile ends that one
    list(site.server.chat("hello"))
    expect(card).to_contain_text(en("js.admin.key_state_benched"))
    site.ask("DELETE", f"{KEYS}/environment/bench")


def test_one_that_was_never_let_in_is_not_said_to_be_ready(
    look: Look, visits: Visits, site: Site, script: ScriptedUpstream
) -> None:
    new = {"base_url": f"{script.base_url}/nowhere", "label": "Nowhere", "secret": "sk-nowhere-0000"}
    key = site.ask("POST", KEYS, new)
    assert (key["state"], key["last_used_at"], key["last_error"] is None) == ("ready", None, False)
    page = look.open(visits, "/admin/keys")
    state = page.get_by_role("listitem").filter(has_text="Nowhere").locator(".badge").first
    expect(state).to_have_text(look.say("js.admin.key_state_unused"))
    look.expect_no_fault(page)
    site.ask("DELETE", f"{KEYS}/{key['id']}")


def test_a_key_is_added_told_to_be_out_of_reach_and_deleted(look: Look, visits: Visits, site: Site) -> None:
    say, page = look.say, look.open(visits, "/admin/keys")
    page.locator("[data-add-key]").first.click()
    dialog = page.get_by_role("dialog", name=say("admin.add_key"))
    dialog.get_by_label(say("admin.provider"), exact=True).select_option("other")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"  # where nobody listens once it is let go
    for label, value in (("base_url", address), ("key_label", "Elsewhere"), ("key", "sk-elsewhere-0000")):
        dialog.get_by_label(say(f"admin.{label}"), exact=True).fill(value)
    dialog.get_by_role("button", name=say("admin.save_and_test")).click()
    card = page.get_by_role("listitem").filter(has_text="Elsewhere")
    reason = say("js.admin.key_error.upstream_unreachable")
    expect(card.locator("[data-slot=result] [data-slot=text]")).to_have_text(say("js.admin.key_unused", reason=reason))
    expect(page.get_by_text(say("js.admin.key_added_unused", name="Elsewhere")).first).to_be_visible()
    look.expect_no_fault(page)
    card.locator("[data-menu-button]").click()
    page.locator("[data-row-menu]").get_by_text(say("base.delete"), exact=True).click()
    question = page.get_by_role("alertdialog", name=say("js.admin.delete_key_title", name="Elsewhere"))
    question.get_by_role("button", name=say("js.admin.delete")).click()
    expect(card).to_be_hidden()
    assert "Elsewhere" not in [key["label"] for key in site.ask("GET", KEYS)["keys"]]
