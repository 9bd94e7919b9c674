"""The site as an application on a device: manifest, worker, and the page without a network."""

import json
import re
import struct
from typing import Any

import pytest

from flask_app import i18n
from flask_app.i18n import translate
from flask_app.models import User
from flask_app.web import installed
from flask_app.web.assets import asset_url
from tests.support.clients import PageClient


def shell_of(client: PageClient) -> dict[str, Any]:
    text = client.get("/sw.js").get_data(as_text=True)
    return dict(json.loads(text.partition("\n")[0].removeprefix("globalThis.shell = ")))


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_the_manifest_is_in_the_language_of_the_page_that_names_it(
    client: PageClient, admin: User, locale: str
) -> None:
    page = client.get("/login", headers={"Accept-Language": i18n.tag(locale)}).get_data(as_text=True)
    (address,) = re.findall(r'<link rel="manifest" href="([^"]+)"', page)
    reply = client.get(address, headers={"Accept-Language": "de"})
    assert reply.content_type == "application/manifest+json"
    told = reply.get_json(force=True)
    assert (told["name"], told["lang"]) == (translate(locale, "base.brand"), i18n.tag(locale))
    assert told["description"] == translate(locale, "base.description")


def test_it_can_be_installed(client: PageClient) -> None:
    told = client.get("/manifest.webmanifest").get_json(force=True)
    assert (told["start_url"], told["scope"], told["display"]) == ("/", "/", "standalone")
    assert told["theme_color"] == told["background_color"] == installed.page_colour() == "#fbfaf7"
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
    assert {icon["sizes"] for icon in told["icons"]} == {"192x192", "512x512"}
    for icon in told["icons"]:
        image = client.get(icon["src"])
        assert (image.status_code, image.content_type) == (200, "image/png")
        width, height = struct.unpack(">II", image.data[16:24])
        assert f"{width}x{height}" == icon["sizes"]


def test_what_the_worker_keeps_is_there_and_the_same_for_everybody(
    client: PageClient, member_client: PageClient
) -> None:
    shell = shell_of(client)
    assert shell == shell_of(member_client)
    assert set(shell["pages"]) == {i18n.tag(locale) for locale in i18n.LOCALES}
    for address in (*shell["files"], *shell["pages"].values()):
        mine, theirs = client.get(address), member_client.get(address)
        assert mine.status_code == 200
        assert mine.data == theirs.data, address


def test_the_worker_may_ask_for_pages_and_is_never_kept(client: PageClient) -> None:
    reply = client.get("/sw.js")
    assert reply.content_type == "text/javascript; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-store"
    policy = {"default-src 'none'", "frame-ancestors 'none'", "connect-src 'self'"}
    assert set(reply.headers["Content-Security-Policy"].split("; ")) == policy


def test_another_text_of_its_page_is_another_worker(client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shell_of(client)
    installed.worker.cache_clear()
    try:
        with monkeypatch.context() as patched:
            patched.setattr(installed, "offline_page", lambda locale: f"other words in {locale}")
            after = shell_of(client)
    finally:
        installed.worker.cache_clear()
    assert after["version"] != before["version"]
    assert shell_of(client) == before


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_the_page_without_a_network_says_so_and_runs_nothing_inline(client: PageClient, locale: str) -> None:
    reply = client.get(f"/offline?lang={locale}")
    page = reply.get_data(as_text=True)
    assert translate(locale, "base.offline.title") in page
    assert f'<html lang="{i18n.tag(locale)}"' in page
    assert asset_url("js/offline.js") in page
    assert re.findall(r"<script(?![^>]* src=)[^>]*>|<style| style=| on[a-z]+=", page) == []
