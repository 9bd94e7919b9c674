"""The set-up page: a code that is wrong is told at the code."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import entrance
from tests.e2e.site import opened
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import ScriptedUpstream

PASSWORD = "violet harbour lantern"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def fresh(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visits]:
    """A site that nobody has set up yet."""
    with ScriptedUpstream() as provider, opened(tmp_path_factory.mktemp("fresh"), provider) as site:
        visits = Visits(browser, site)
        yield visits
        assert visits.close() == []


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_wrong_code_is_told_at_its_field(locale: str, fresh: Visits) -> None:
    say = words(locale)
    page = fresh.open("/setup", locale=locale, signed_in=False)
    entrance.set_up(page, say, code="wrong", username="Ada", password=PASSWORD)
    code, told = page.get_by_label(say("auth.setup_code"), exact=True), page.get_by_role("alert")
    expect(told).to_have_text(say("error.wrong_setup_code"))
    expect(page.locator(".field").filter(has=code).filter(has=told)).to_be_visible()
    expect(code).to_have_accessible_description(f"{say('auth.setup_code_hint')} {say('error.wrong_setup_code')}")
    expect(code).to_have_attribute("aria-invalid", "true")
    expect(code).to_be_focused()

    entrance.set_up(page, say, code="wrong again", username="Ada", password=PASSWORD)
    expect(told).to_have_text(say("error.wrong_setup_code"))  # once
    page.get_by_label(say("auth.repeat_password"), exact=True).fill("another harbour lantern")
    page.get_by_role("button", name=say("auth.create_admin")).click()
    expect(told).to_have_text(say("js.passwords_differ"))
    expect(code).not_to_have_attribute("aria-invalid", "true")
    expect(code).to_have_accessible_description(say("auth.setup_code_hint"))
