"""Prompts and assistants of the file of everything, brought in by somebody else: counted before, there afterwards."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.site import Site
from tests.e2e.test_files_taken_along import LOOKS, everything, person
from tests.e2e.visits import Visits
from tests.e2e.words import words

KEEP = """async () => {
  const [{ api }, { upload }] = [await import("app/api.js"), await import("app/chat/file-upload.js")]
  const { signal } = new AbortController()
  const { id } = await upload(new File(["Nine lamps."], "lamps.txt"), 20, { signal, progress: () => undefined })
  await api.post("/api/prompts", { command: "sum", title: "Sum it up", text: "Of {{topic: lamps}}" })
  await api.post("/api/assistants", { name: "Keeper", icon: "💡", instructions: "Know the lamps.", files: [id] })
}"""

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_prompts_and_assistants_come_in_elsewhere_with_what_they_know(
    visits: Visits, site: Site, tmp_path: Path, locale: str, viewport: Any
) -> None:
    say = words(locale)
    look = {"locale": locale, "viewport": viewport}
    giver = person(visits, site, f"Keeps {locale}", say, **look)
    giver.evaluate(KEEP)
    taken = everything(giver, tmp_path / "everything.zip")

    page = person(visits, site, f"Gets {locale}", say, **look)
    found, choice = page.locator("[data-import-found]"), page.get_by_label(say("portability.import_file"), exact=True)
    page.goto("/account")
    choice.set_input_files(tmp_path / "everything.zip")
    for name in ("prompts", "assistants"):
        expect(found.locator(f"[data-slot={name}]")).to_have_text("1")
    for name in ("kept", "lacking"):
        expect(found.locator(f"[data-slot={name}]")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect_no_fault(page, locale)
    page.get_by_role("button", name=say("js.portability.bring_in", count="2"), exact=True).click()
    told = page.locator("[data-import-said]")
    expect(told).to_contain_text(say("js.portability.belongings", prompts="1", assistants="1"))
    assert say("js.portability.lacking", count="1") not in told.inner_text()
    again = everything(page, tmp_path / "again.zip")
    assert [again[name] for name in again if name.startswith("files/")] == [b"Nine lamps."]
    for name in ("prompts.jsonl", "assistants.jsonl"):
        assert len(again[name].splitlines()) == len(taken[name].splitlines()) == 1

    choice.set_input_files(tmp_path / "everything.zip")
    expect(found.locator("[data-slot=kept]")).to_have_text("2")
    expect(page.locator("[data-import-begin]")).to_be_disabled()
    page.goto("/prompts")
    expect(page.get_by_text("Sum it up")).to_be_visible()
    page.goto("/assistants")
    expect(page.get_by_text("Keeper").first).to_be_visible()
