"""Traditional Chinese and Japanese on a phone: every page fits, says words and no keys, and the choice stays."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from flask_app import i18n
from tests.e2e import entrance
from tests.e2e.accessible import expect_no_violation
from tests.e2e.site import Site
from tests.e2e.test_accessibility import SIGNED_IN
from tests.e2e.visits import NARROWEST, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD

FACES = {"zh-Hant": "Noto Sans CJK TC", "ja": "Noto Sans CJK JP"}

# How far each mark of a model ends before the button of its card begins.
GAPS = """[...document.querySelectorAll(".price__who > .badge:not([hidden])")].map(badge =>
    badge.closest(".price__head").querySelector("button").getBoundingClientRect().left
    - badge.getBoundingClientRect().right)"""
LINES = """link => {
    const range = document.createRange()
    range.selectNodeContents(link)
    return range.getClientRects().length
}"""

pytestmark = pytest.mark.browser


@pytest.mark.each_case
@pytest.mark.parametrize("locale", ["zh-Hant", "ja"])
def test_every_page_fits_a_phone_and_says_words(locale: str, visits: Visits, conversation: str) -> None:
    page = visits.open("/login", locale=locale, viewport=NARROWEST, signed_in=False)
    expect_no_violation(page, "/login")
    page = visits.open("/", locale=locale, viewport=NARROWEST, scheme="dark")
    for path in (*SIGNED_IN.values(), conversation):
        page.goto(path, wait_until="networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROWEST["width"], path
        assert page.evaluate("document.documentElement.lang") == locale, path
        said = set(re.findall(r"[a-z_]+(?:\.[a-z0-9_]+)+", page.inner_text("body")))
        assert said & i18n.catalogue(locale).keys() == set(), path
    expect_no_violation(page, conversation)


@pytest.mark.each_case
@pytest.mark.parametrize("locale", ["zh-Hant", "ja"])
def test_a_signed_out_visitors_choices_fit_beside_the_mark(locale: str, visits: Visits) -> None:
    page = visits.open("/nowhere", locale=locale, viewport=NARROWEST, signed_in=False)
    last = page.locator('[data-preference="theme"] button').last
    box = last.bounding_box()
    assert box
    assert box["x"] + box["width"] <= NARROWEST["width"]


@pytest.fixture
def used_up(site: Site, script: ScriptedUpstream) -> Iterator[None]:
    """A budget of everybody's that only warns, with its end behind it."""
    terms = {"scope": "site", "period": "day", "limit": 1, "hard": False}
    budget = site.ask("POST", "/api/admin/budgets", terms)["id"]
    list(site.server.chat("hello"))
    yield
    site.ask("DELETE", f"/api/admin/budgets/{budget}")


@pytest.mark.each_case
@pytest.mark.parametrize("locale", ["zh", "zh-Hant", "ja"])
def test_the_way_to_the_budgets_is_one_line_beside_a_long_sentence(locale: str, visits: Visits, used_up: None) -> None:
    way = visits.open("/", locale=locale, viewport=NARROWEST).locator("[data-left] [data-way]")
    expect(way).to_be_visible()
    assert way.evaluate(LINES) == 1


def test_what_a_model_is_marked_with_stays_clear_of_its_button(visits: Visits) -> None:
    page = visits.open("/admin/prices", viewport=NARROWEST)
    page.locator(".price__who .badge:visible").first.wait_for()
    gaps = page.evaluate(GAPS)
    assert gaps
    assert min(gaps) >= 0


def test_each_language_has_its_own_han_faces(visits: Visits) -> None:
    page = visits.open("/login", locale="zh", signed_in=False)
    for locale, face in FACES.items():
        button = page.locator(f'[data-preference="locale"] [lang="{locale}"]')
        assert face in button.evaluate("it => getComputedStyle(it).fontFamily")
    assert "Noto Sans CJK SC" in page.evaluate("getComputedStyle(document.body).fontFamily")


def test_a_language_chosen_before_sign_in_is_the_persons(visits: Visits, site: Site) -> None:
    site.ask("POST", "/api/admin/users", {"username": "Yuki", "role": "member", "password": PASSWORD})
    page = visits.open("/login", locale="zh-Hant", signed_in=False)
    page.get_by_role("button", name="日本語").click()
    expect(page.get_by_role("button", name=words("ja")("auth.sign_in"), exact=True)).to_be_visible()
    entrance.sign_in(page, words("ja"), username="Yuki", password=PASSWORD)
    expect(page.get_by_placeholder(words("ja")("chat.placeholder"))).to_be_visible()
    (row,) = site.rows("SELECT locale FROM users WHERE username = :name", name="Yuki")
    assert row["locale"] == "ja"
