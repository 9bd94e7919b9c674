"""Redeem codes on the administrators' page: made, shown once, revoked."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import Words

pytestmark = pytest.mark.browser


def make(admin: Page, say: Words, label: str, **fields: Any) -> None:
    admin.get_by_role("button", name=say("codes.new")).click()
    dialog = admin.get_by_role("dialog", name=say("codes.new"))
    dialog.get_by_label(say("codes.label"), exact=True).fill(label)
    dialog.get_by_label(say("codes.count"), exact=True).fill(str(fields["count"]))
    if currency := fields.get("currency"):
        dialog.get_by_label(say("budgets.measure_money")).check()
        dialog.get_by_label(say("admin.currency"), exact=True).fill(currency)
    dialog.get_by_label(say("codes.amount"), exact=True).fill(fields["amount"])
    dialog.get_by_label(say("codes.expires_on"), exact=True).fill(fields.get("last", ""))
    dialog.get_by_role("button", name=say("codes.make")).click()


def test_codes_are_made_shown_once_and_revoked(look: Look, visits: Visits, site: Site) -> None:
    say, label = look.say, f"Spring course {look.locale}"
    admin = look.open(visits, "/admin/codes")
    make(admin, say, label, count=3, currency="cny", amount="12.5", last="2999-12-31")
    made = admin.get_by_role("dialog", name=say("js.admin.codes_made_title", label=label))
    codes = made.locator("[data-made]").input_value().split("\n")
    assert [len(code) for code in codes] == [19, 19, 19]
    look.expect_no_fault(admin)
    with admin.expect_download() as download:
        made.get_by_text(say("codes.download")).click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "code,amount,unit,expires_at"
    assert [line.split(",")[:3] for line in lines[1:]] == [[code, "12.5", "CNY"] for code in codes]
    made.get_by_role("button", name=say("admin.done")).click()
    expect(admin.locator("[data-made]")).to_have_value("")

    row = admin.get_by_role("listitem").filter(has_text=label)
    expect(row).to_contain_text(say("js.admin.codes_worth", count="3", amount="¥12.50"))
    row.get_by_role("button", name=say("js.admin.codes_of", label=label)).click()
    dialog = admin.get_by_role("dialog")
    line = dialog.get_by_role("listitem").filter(has_text=codes[0][:4])
    line.get_by_role("button").click()
    expect(line).to_contain_text(say("js.admin.code_revoked"))
    expect(line.get_by_role("button")).to_be_hidden()
    look.expect_no_fault(admin)
    dialog.get_by_role("button", name=say("admin.done")).click()
    expect(row).to_contain_text(say("js.admin.codes_open", count="2"))

    row.locator("[data-revoke]").click()
    question = admin.get_by_role("alertdialog")
    expect(question).to_be_visible()
    look.expect_no_fault(admin)
    question.get_by_role("button", name=say("js.admin.codes_revoke_action")).click()
    expect(row).to_contain_text(say("js.admin.codes_revoked", count="3"))
    expect(row.locator("[data-revoke]")).to_be_hidden()
    [batch] = [each for each in site.ask("GET", "/api/admin/code-batches")["batches"] if each["label"] == label]
    assert (batch["open"], batch["revoked"]) == (0, 3)
    look.expect_no_fault(admin)


def test_what_is_wrong_with_codes_is_said_beside_its_field(look: Look, visits: Visits) -> None:
    say, admin = look.say, look.open(visits, "/admin/codes")
    make(admin, say, "Old", count=3, amount="1,5")
    dialog = admin.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_have_text(say("js.budget.bad_tokens", text="1,5"))
    amount = dialog.get_by_label(say("codes.amount"), exact=True)
    expect(amount).to_be_focused()
    for typed, last, message in (("0", "", "error.bad_code_amount"), ("5", "2020-01-01", "error.bad_expiry")):
        amount.fill(typed)
        dialog.get_by_label(say("codes.expires_on"), exact=True).fill(last)
        dialog.get_by_role("button", name=say("codes.make")).click()
        expect(dialog.get_by_role("alert").filter(has_text=say(message, limit="1000000000000000"))).to_be_visible()
    look.expect_no_fault(admin)
