"""What a person takes along, brings in, and how they leave."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words

zh, en = words("zh"), words("en")
PASSWORD = "copper window mountain"

pytestmark = pytest.mark.browser

CLAUDE: list[dict[str, Any]] = [
    {
        "uuid": "k-1",
        "name": "唐诗三首",
        "created_at": "2025-03-01T00:00:00Z",
        "updated_at": "2025-03-01T01:00:00Z",
        "chat_messages": [
            {"uuid": "1", "sender": "human", "text": "写一首诗", "created_at": "2025-03-01T00:00:00Z"},
            {"uuid": "2", "sender": "assistant", "text": "**床前**明月光", "created_at": "2025-03-01T00:00:01Z"},
        ],
    },
    {"uuid": "k-2", "name": "", "created_at": "2025-03-01T00:00:00Z", "updated_at": None, "chat_messages": []},
]


def person(visits: Visits, site: Site, name: str, **options: Any) -> Page:
    site.ask("POST", "/api/admin/users", {"username": name, "role": "member", "password": PASSWORD})
    page = visits.open("/login", signed_in=False, **options)
    entrance.sign_in(page, zh if options.get("locale") == "zh" else en, username=name, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    return page


def bring_in(page: Page, file: Path) -> None:
    page.goto("/account")
    page.get_by_label(en("portability.import_file"), exact=True).set_input_files(file)


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/conversations.json", json.dumps(CLAUDE, ensure_ascii=False))
        archive.writestr("data/users.json", "[]")
    return path


def test_conversations_come_in_after_a_preview_and_go_out_again(
    visits: Visits, site: Site, claude: Path, tmp_path: Path
) -> None:
    page = person(visits, site, "Porter")
    bring_in(page, claude)
    found = page.locator("[data-import-found]")
    expect(found).to_be_visible()
    expect(found).to_be_focused()
    expect(found.locator("[data-slot=source]")).to_have_text("Claude")
    expect(found.locator("[data-slot=conversations]")).to_have_text("1")
    expect(found.locator("[data-slot=messages]")).to_have_text("2")
    expect(found.locator("[data-slot=empty]")).to_have_text("1")
    expect(found.locator("[data-slot=known]")).to_be_hidden()
    expect_no_fault(page)
    page.get_by_role("button", name=en("js.portability.bring_in", count="1")).click()
    done = en("js.portability.brought_in", count="1", known="0", refused="0")
    expect(page.locator("[data-import-said]")).to_have_text(done)

    bring_in(page, claude)
    expect(found.locator("[data-slot=known]")).to_have_text("1")
    expect(page.get_by_role("button", name=en("js.portability.bring_in", count="0"))).to_be_disabled()

    page.reload()
    with page.expect_download() as kept:
        page.locator('[data-downloads] a[data-download="json"]').click()
    own = tmp_path / "own.json"
    kept.value.save_as(own)
    assert kept.value.suggested_filename.startswith("conversations-")
    assert [talk["title"] for talk in json.loads(own.read_text("utf-8"))["conversations"]] == ["唐诗三首"]
    with page.expect_download() as packed:
        page.locator('[data-downloads] a[href*="format=md"]').click()
    packed.value.save_as(tmp_path / "own.zip")
    with zipfile.ZipFile(tmp_path / "own.zip") as archive:
        assert "**床前**明月光" in archive.read(archive.namelist()[0]).decode()

    page.set_viewport_size(WIDE)
    page.goto("/")
    page.get_by_role("link", name="唐诗三首").click()
    expect(page.locator("[data-messages] strong")).to_have_text("床前")


def test_one_is_exported_from_its_menu(
    visits: Visits, site: Site, claude: Path, tmp_path: Path, browser: Browser
) -> None:
    page = person(visits, site, "Carrier", viewport=PHONE)
    bring_in(page, claude)
    page.locator("[data-import-begin]").click()
    expect(page.locator("[data-import-said]")).to_be_visible()
    page.goto("/")
    page.get_by_role("button", name=en("chat.open_list")).tap()
    page.get_by_role("button", name=en("js.actions_for", title="唐诗三首")).tap()
    page.get_by_role("button", name=en("portability.export"), exact=True).tap()
    dialog = page.locator("#export-dialog")
    expect(dialog).to_contain_text("唐诗三首")
    expect(dialog.get_by_role("button", name=en("portability.print"))).to_be_hidden()
    expect_no_fault(page)
    with page.expect_download() as kept:
        dialog.get_by_role("link", name=en("portability.format_html")).tap()
    expect(dialog).to_be_hidden()
    assert kept.value.suggested_filename == "2025-03-01 唐诗三首.html"
    alone = tmp_path / "alone.html"
    kept.value.save_as(alone)
    reader = browser.new_page()
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    reader.goto(alone.as_uri())
    expect(reader.locator("strong")).to_have_text("床前")
    assert asked == [alone.as_uri()], "it holds all it needs"
    reader.close()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.json", "{", "import_broken"),
        ("a.json", '{"a": 1}', "import_unknown"),
        ("a.zip", "PK\x03\x04", "import_broken"),
        ("own.json", '{"format": "mingchat.conversations", "version": 9}', "import_newer"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(
    visits: Visits, tmp_path: Path, name: str, content: str, code: str
) -> None:
    file = tmp_path / name
    file.write_text(content, "utf-8")
    page = visits.open("/account", viewport=WIDE)
    page.get_by_label(en("portability.import_file"), exact=True).set_input_files(file)
    expect(page.locator("[data-import-problem]")).to_have_text(en(f"js.portability.{code}"))
    expect(page.locator("[data-import-file]")).to_be_enabled()


def test_an_account_is_deleted_with_the_password(visits: Visits, site: Site) -> None:
    page = person(visits, site, "Emigrant")
    page.goto("/account")
    page.locator("[data-delete-account]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(en("js.portability.delete_title", name="Emigrant"))
    dialog.get_by_label(en("auth.password"), exact=True).fill("not the right password")
    dialog.get_by_role("button", name=en("js.portability.delete_action")).click()
    expect(dialog.get_by_text(en("error.wrong_password"))).to_be_visible()
    dialog.get_by_label(en("auth.password"), exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name=en("js.portability.delete_action")).click()
    expect(page.get_by_role("button", name=en("auth.sign_in"), exact=True)).to_be_visible()
    assert site.ask("GET", "/api/admin/users?q=Emigrant")["users"] == []


def test_several_files_come_in_without_the_one_that_cannot_be_read(visits: Visits, site: Site, tmp_path: Path) -> None:
    said = {"id": "1", "parent_id": None, "role": "user", "text": "hello", "created_at": "2026-01-01T00:00:00Z"}
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}
    odd = {"id": "odd", "title": "Odd one", "messages": [said | {"role": "tool"}], **times}
    talks = [{"id": f"c-{number}", "title": f"T{number}", "messages": [said], **times} for number in range(3)]
    own = {"format": "mingchat.conversations", "version": 1, "exported_at": times["created_at"], "folders": []}
    paths = []
    for name, some in (("one", [talks[0], odd]), ("two", talks[1:])):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(own | {"conversations": some}), "utf-8")
    page = person(visits, site, "Several")
    page.goto("/account")
    page.get_by_label(en("portability.import_file"), exact=True).set_input_files(paths)
    expect(page.locator("[data-import-found]").locator("[data-slot=conversations]")).to_have_text("4")
    page.get_by_role("button", name=en("js.portability.bring_in", count="4")).click()
    done = en("js.portability.brought_in", count="3", known="0", refused="1")
    expect(page.locator("[data-import-said]")).to_have_text(done)
    reason = en("js.portability.refused_unreadable")
    expect(page.locator("[data-import-refused] li")).to_have_text(
        en("js.portability.refused_line", title="Odd one", reason=reason)
    )
    expect_no_fault(page)

    more = said | {"id": "2", "parent_id": "1", "text": "and then?"}
    grown = own | {"conversations": [talks[0] | {"messages": [said, more]}]}
    paths[0].write_text(json.dumps(grown), "utf-8")
    bring_in(page, paths[0])
    expect(page.locator("[data-import-found] dd[data-slot=continued]")).to_have_text("1")
    page.get_by_role("button", name=en("js.portability.bring_in", count="1")).click()
    expect(page.locator("[data-import-said]")).to_contain_text(en("js.portability.continued", count="1"))
