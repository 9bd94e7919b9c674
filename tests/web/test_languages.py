"""Every page in every language: all of its words are there, and no language's but the reader's."""

import json
import re

import pytest
from flask import Flask

from flask_app import i18n
from flask_app.web.assets import words_url
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support.clients import PageClient, new_client
from tests.support.entrance import login, stored
from tests.support.scripted_upstream import ScriptedUpstream

PAGES = [
    "/",
    "/dashboard",
    "/account",
    "/tokens",
    "/admin",
    *(
        f"/admin/{room}"
        for room in ("users", "groups", "limits", "budgets", "codes", "tokens", "keys", "models", "prompts")
    ),
    *(f"/admin/{room}" for room in ("prices", "warnings", "records", "reconciliation")),
]
SIGNED_OUT = ["/login", "/reset", "/forgot", "/join"]
TAGS = {"zh": "zh-CN", "zh-Hant": "zh-Hant", "en": "en", "ja": "ja"}


def test_every_language_has_a_tag() -> None:
    assert {locale: i18n.tag(locale) for locale in i18n.LOCALES} == TAGS


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_page_is_there_in_the_language_and_has_its_words(
    app: Flask, admin_client: PageClient, upstream: ScriptedUpstream, locale: str
) -> None:
    accepts = {"Accept-Language": TAGS[locale], "Accept": "text/html"}
    visitor = new_client(app)
    words = {area: words_url(locale, for_administration=area == "admin") for area in ("admin", "other")}
    for client, path in [(visitor, path) for path in SIGNED_OUT] + [(admin_client, path) for path in PAGES]:
        reply = client.get(path, headers=accepts)
        assert reply.status_code == 200, path
        assert f'<html lang="{TAGS[locale]}"' in reply.text, path
        asked = re.search(r'{"imports": {"app/i18n.js": "([^"]+)"', reply.text)
        assert asked, path
        assert asked[1] == words["admin" if path.startswith("/admin") else "other"], path
        assert reply.text.count(asked[1]) == 2, "it is fetched before a module asks for it"
        assert not re.search(r">\s*(?:js\.)?[a-z_]+\.[a-z_]+\s*<", reply.text), path


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_a_page_that_is_not_there_says_so_in_the_language(client: PageClient, admin: object, locale: str) -> None:
    reply = client.get("/nowhere", headers={"Accept-Language": locale, "Accept": "text/html"})
    assert reply.status_code == 404
    assert i18n.translate(locale, "base.error.title_404") in reply.text


def test_the_languages_are_offered_in_their_own_words(client: PageClient, admin: object) -> None:
    page = client.get("/login", headers={"Accept-Language": "zh-HK"}).text
    chooser = re.search(r'data-preference="locale">(.*?)</div>', page, re.S)
    assert chooser
    offered = re.findall(r'value="(.+?)"\s+lang="(.+?)"\s+aria-pressed="(.+?)">(.+?)<', chooser[1])
    assert offered == [
        ("zh", "zh-CN", "false", "简体中文"),
        ("zh-Hant", "zh-Hant", "true", "繁體中文"),
        ("en", "en", "false", "English"),
        ("ja", "ja", "false", "日本語"),
    ]


@pytest.mark.parametrize("locale", ["zh-Hant", "ja"])
def test_a_choice_is_kept_with_the_account_and_in_the_browser(app: Flask, make_user: MakeUser, locale: str) -> None:
    ada = make_user("ada")
    device = new_client(app)
    device.csrf_token = login(device, "ada", PASSWORD).json["csrf_token"]
    assert device.patch("/api/me", json={"locale": locale}).status_code == 200
    assert stored(ada).locale == locale
    assert f'<html lang="{locale}"' in device.get("/", headers={"Accept-Language": "zh-CN"}).text
    device.post("/logout")
    elsewhere = new_client(app)
    assert f"lang={locale};" in login(elsewhere, "ada", PASSWORD).headers.getlist("Set-Cookie")[-1]


def test_a_language_that_only_a_newer_version_has_is_as_good_as_none(
    app: Flask, make_user: MakeUser, sign_in: SignIn
) -> None:
    """Its people are shown the browser's, after a version is taken back."""
    reader = make_user("ada", locale="tlh")
    page = sign_in(reader).get("/account", headers={"Accept-Language": "ja", "Accept": "text/html"})
    assert page.status_code == 200
    assert '<html lang="ja"' in page.text
    assert i18n.chosen("tlh") == i18n.chosen(None) == i18n.DEFAULT_LOCALE
    assert [i18n.chosen(locale) for locale in i18n.LOCALES] == [*i18n.LOCALES]


@pytest.mark.parametrize("locale", i18n.LOCALES)
@pytest.mark.parametrize("has_all", [False, True])
def test_the_words_of_a_language_are_a_module_that_may_be_kept(client: PageClient, locale: str, has_all: bool) -> None:
    reply = client.get(words_url(locale, for_administration=has_all))
    assert reply.content_type == "text/javascript; charset=utf-8"
    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert not re.search("^import ", reply.text, re.M), "it is whole"
    words = json.loads(re.findall(r"^const catalogue = (.*)$", reply.text, re.M)[0])
    known = {key: sentence for key, sentence in i18n.catalogue(locale).items() if key.startswith("js.")}
    assert words.items() <= known.items()
    assert (words == known) is has_all


def test_no_other_language_has_a_module(client: PageClient) -> None:
    assert client.get(words_url("fr")).status_code == 404
