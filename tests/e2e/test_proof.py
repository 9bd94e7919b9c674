"""Two hours after signing in an administrator gives the password again before they add somebody."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, select, update
from sqlalchemy.pool import NullPool

from flask_app.models import LoginSession
from tests.e2e import entrance
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.served import PASSWORD, USERNAME

pytestmark = pytest.mark.browser


def _came_long_ago(page: Page, site: Site) -> None:
    """The session that was opened last began three hours ago."""
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)
    with engine.begin() as connection:
        newest = select(LoginSession.id).order_by(LoginSession.created_at.desc()).limit(1)
        session_id = connection.scalar(newest)
        began = LoginSession.created_at
        at = connection.scalar(select(began).where(LoginSession.id == session_id))
        assert at is not None
        moved = update(LoginSession).where(LoginSession.id == session_id).values(created_at=at - timedelta(hours=3))
        connection.execute(moved)


@pytest.mark.security("asked-again")
@pytest.mark.parametrize("locale", ["en", "zh"])
def test_the_password_is_asked_for_again_and_what_was_begun_is_done(visits: Visits, site: Site, locale: str) -> None:
    told = words(locale)
    page = visits.open("/login", locale=locale, signed_in=False, viewport=PHONE)
    entrance.sign_in(page, told, username=USERNAME, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    _came_long_ago(page, site)
    page.goto("/admin/users")
    page.get_by_role("button", name=told("admin.new_user")).click()
    new = page.get_by_role("dialog", name=told("admin.new_user"))
    new.get_by_label(told("auth.username"), exact=True).fill(f"later-{locale}")
    new.get_by_role("button", name=told("admin.create")).click()

    again = page.get_by_role("dialog", name=told("admin.password_again"))
    expect(again).to_be_visible()
    again.get_by_role("button", name=told("base.cancel")).click()
    expect(new.get_by_role("alert")).to_have_text(told("error.password_needed"))

    new.get_by_role("button", name=told("admin.create")).click()
    again.get_by_label(told("auth.password"), exact=True).fill("copper window mountain")
    again.get_by_role("button", name=told("admin.password_again_go_on")).click()
    expect(again.get_by_role("alert")).to_have_text(told("error.wrong_password"))
    again.get_by_label(told("auth.password"), exact=True).fill(PASSWORD)
    again.get_by_role("button", name=told("admin.password_again_go_on")).click()
    expect(again).to_be_hidden()
    expect(page.locator("#link-dialog")).to_contain_text(told("js.admin.link_for", name=f"later-{locale}"))
    assert site.rows("SELECT 1 FROM users WHERE username = :name", name=f"later-{locale}")
