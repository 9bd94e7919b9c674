"""The forms by which people come in."""

from playwright.sync_api import Page

from tests.e2e.words import Words


def set_up(page: Page, say: Words, *, code: str, username: str, password: str) -> None:
    """Make the first administrator on /setup."""
    page.get_by_label(say("auth.setup_code"), exact=True).fill(code)
    page.get_by_label(say("auth.username"), exact=True).fill(username)
    _fill_twice(page, say, password)
    page.get_by_role("button", name=say("auth.create_admin")).click()


def sign_in(page: Page, say: Words, *, username: str, password: str) -> None:
    """Send the form on /login."""
    page.get_by_label(say("auth.username"), exact=True).fill(username)
    page.get_by_label(say("auth.password"), exact=True).fill(password)
    page.get_by_role("button", name=say("auth.sign_in"), exact=True).click()


def give_code(page: Page, say: Words, code: str, *, recovery: bool = False) -> None:
    """Send the second step on /login."""
    if recovery:
        page.get_by_role("button", name=say("js.second_step.use_recovery_code")).click()
    page.get_by_label(say("js.second_step.recovery_code" if recovery else "js.second_step.code"), exact=True).fill(code)
    page.get_by_role("button", name=say("auth.sign_in"), exact=True).click()


def choose_password(page: Page, say: Words, password: str) -> None:
    """Send the form on /reset."""
    _fill_twice(page, say, password)
    page.get_by_role("button", name=say("auth.save_and_sign_in")).click()


def give_invitation_code(page: Page, say: Words, code: str) -> None:
    """Send the code on /join."""
    page.get_by_label(say("auth.invitation_code"), exact=True).fill(code)
    page.get_by_role("button", name=say("auth.go_on")).click()


def join(page: Page, say: Words, *, username: str, password: str) -> None:
    """Send the form on /join."""
    page.get_by_label(say("auth.username"), exact=True).fill(username)
    _fill_twice(page, say, password)
    page.get_by_role("button", name=say("auth.create_account")).click()


def _fill_twice(page: Page, say: Words, password: str) -> None:
    page.get_by_label(say("auth.new_password"), exact=True).fill(password)
    page.get_by_label(say("auth.repeat_password"), exact=True).fill(password)
