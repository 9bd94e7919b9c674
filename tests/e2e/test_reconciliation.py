"""A difference between a balance and the ledger: seen at a glance, explained, acknowledged."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.looks import Look
from tests.e2e.visits import Visits

pytestmark = pytest.mark.browser


def day(page: Page, alarm: str) -> Locator:
    return page.locator(f'[data-id="{alarm}"]')


def test_an_alarm_is_seen_explained_and_acknowledged(look: Look, visits: Visits, alarm: str) -> None:
    say, page = look.say, look.open(visits, "/admin")
    notice = page.locator("[data-drifts-stand]")
    expect(notice.locator("[data-drifts]")).to_have_text(say("js.admin.drifts_stand", count="1"))
    notice.get_by_role("link", name=say("admin.see_drifts")).click()

    drifted = day(page, alarm)
    expect(drifted).to_contain_text(say("js.reconciliation.state_drift"))
    expect(drifted.locator('[data-slot="drift"]')).to_have_text(
        say("js.reconciliation.percent", amount="¥0.50", share="50%")
    )
    expect(drifted).to_contain_text(say("js.reconciliation.slack", amount="¥0.04"))
    other = page.get_by_role("listitem").filter(has_text=say("js.reconciliation.state_partial"))
    expect(other).to_contain_text(say("js.reconciliation.aside_credited", amount="¥50.00"))
    expect(other.locator('[data-slot="other"]')).to_have_text(say("js.reconciliation.gained", amount="¥50.00"))

    drifted.get_by_text(say("reconciliation.explain"), exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(say("js.reconciliation.more_taken", amount="¥0.50"))
    records = page.locator('a[href*="provenance=estimated&key=environment"]')
    expect(records).to_have_attribute("href", re.compile(r"^/admin/records\?from=.*&to=.*&"))
    clue = dialog.get_by_role("listitem").filter(has=records)
    clue.get_by_role("link", name="founder").first.click()
    expect(page.locator("[data-record-rows] [data-line]")).not_to_have_count(0)
    expect(page.get_by_label(say("records.provenance"))).to_have_value("estimated")

    page.go_back()
    drifted.get_by_text(say("reconciliation.acknowledge"), exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(say("reconciliation.note"), exact=True).fill("a colleague's script")
    dialog.get_by_role("button", name=say("reconciliation.acknowledge")).click()
    expect(drifted).to_contain_text("a colleague's script")
    expect(drifted).to_contain_text(say("js.reconciliation.state_known"))
    expect(drifted.locator("[data-acknowledge]")).to_be_hidden()
    expect(drifted.locator("[data-explain]")).to_be_focused()
    look.expect_no_fault(page)
    page.goto("/admin")
    expect(notice).to_be_hidden()


def test_the_threshold_is_changed_and_days_are_judged_anew(look: Look, visits: Visits, alarm: str) -> None:
    say, page = look.say, look.open(visits, "/admin/reconciliation")
    page.get_by_role("button", name=say("reconciliation.threshold")).click()
    dialog = page.get_by_role("dialog")
    amount, share = (dialog.get_by_label(say(f"reconciliation.{name}"), exact=True) for name in ("absolute", "share"))
    expect(amount).to_have_value("0.1")
    expect(share).to_have_value("1")
    share.fill("a lot")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(say("js.reconciliation.bad_share", text="a lot"))
    expect(share).to_be_focused()
    look.expect_no_fault(page)
    amount.fill("0.75")
    share.fill("2.5")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog).to_be_hidden()
    expect(day(page, alarm)).to_contain_text(say("js.reconciliation.state_even"))


def test_days_are_chosen_in_the_address(look: Look, visits: Visits, alarm: str) -> None:
    say, page = look.say, look.open(visits, "/admin/reconciliation?from=2026-01-01&to=2026-01-02")
    expect(page.get_by_label(say("admin.from"), exact=True)).to_have_value("2026-01-01")
    expect(page.locator("[data-days] > li")).to_have_count(1)  # an alarm is there whatever days are chosen
    page.get_by_role("link", name=say("admin.clear_filters")).click()
    expect(page.locator("[data-days] > li")).to_have_count(2)
