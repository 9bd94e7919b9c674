"""`flask site search …`: who searches the web, from a terminal; and what `flask doctor` says of it."""

import dataclasses

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete

from flask_app import config
from flask_app.database import transaction
from flask_app.models import Tariff
from flask_app.services.audit.audit_service import Actor
from flask_app.services.operations import doctor_search
from flask_app.services.operations.finding import GOOD, WARNING
from flask_app.services.providers import model_service
from flask_app.services.web_search import search_admin_service, search_settings
from tests.support import who_searches
from tests.support.keys import change_key, keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream

ADDRESS = "https://search.example.com"


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["site", *arguments])


@pytest.fixture
def key(upstream: ScriptedUpstream) -> str:
    """The only one, of a provider that is called so; gives its id."""
    model_service.available()
    return "environment"


def test_who_searches_is_said_and_told(app: Flask, key: str) -> None:
    assert run(app, "search").output == "Nobody searches the web.\n"
    said = run(app, "search", "deepseek", "DeepSeek").output
    assert said == run(app, "search").output == "DeepSeek: DeepSeek\na search costs: 0.005 CNY\n"
    elsewhere()
    assert run(app, "search", "deepseek", "Elsewhere").output.endswith("Elsewhere\na search costs: (no price)\n")
    run(app, "search", "deepseek", "DeepSeek")
    change_key(key, disabled=True)
    assert run(app, "search").output.endswith("It has no key that can be asked: nobody can search.\n")
    assert run(app, "search", "searxng", ADDRESS).output == f"SearXNG: {ADDRESS}\na search costs: nothing\n"
    found = search_settings.engine()
    assert found
    assert found.kind == "searxng"
    assert run(app, "search", "off").output == "Nobody searches the web.\n"
    assert search_settings.engine() is None


def elsewhere() -> str:
    """A provider whose searches nobody has priced; gives its id."""
    provider_id = keep_provider("Elsewhere", "https://elsewhere.example.com", currency="EUR")
    keep_key(provider_id, "elsewhere")
    return provider_id


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("deepseek",), "give deepseek PROVIDER"),
        (("searxng",), "give deepseek PROVIDER"),
        (("off", "DeepSeek"), "give deepseek PROVIDER"),
        (("deepseek", "nobody"), "There is no provider nobody"),
        (("deepseek", "twice"), "There are several providers twice"),
        (("searxng", "search"), "Error"),
        (("google",), "Invalid value"),
    ],
)
def test_what_cannot_be_is_refused(app: Flask, key: str, arguments: tuple[str, ...], words: str) -> None:
    for number in range(2):
        keep_key(keep_provider("twice", f"https://{number}.example.com"), f"key-{number}")
    refused = run(app, "search", *arguments)
    assert refused.exit_code in {1, 2}
    assert words in refused.output
    assert search_settings.engine() is None


def test_an_address_of_this_network_needs_the_setting(app: Flask) -> None:
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=False))
    assert run(app, "search", "searxng", "http://127.0.0.1:8080").exit_code == 1
    assert search_settings.engine() is None


def test_the_doctor_says_what_keeps_people_from_searching(app: Flask, key: str) -> None:
    assert list(doctor_search.searching()) == [], "nobody is to search"
    search_admin_service.use_deepseek(Actor(None), elsewhere())
    (finding,) = doctor_search.searching()
    assert (finding.level, finding.what) == (WARNING, "web search: by Elsewhere, without a price")
    assert "deepseek-search one in EUR" in finding.advice
    search_admin_service.use_deepseek(Actor(None), model_service.available()[0].provider_id)
    (finding,) = doctor_search.searching()
    assert (finding.level, finding.what) == (GOOD, "web search: by DeepSeek")
    with transaction() as session:
        session.execute(delete(Tariff).where(Tariff.model == "deepseek-fetch"))
    (finding,) = doctor_search.searching()
    assert (finding.level, finding.what) == (WARNING, "web search: by DeepSeek, which opens links without a price")
    assert "Give deepseek-fetch one in CNY" in finding.advice
    change_key(key, disabled=True)
    (finding,) = doctor_search.searching()
    assert (finding.level, finding.what) == (WARNING, "web search: by DeepSeek, of which no key can be asked")
    who_searches.by_searxng(ADDRESS)
    (finding,) = doctor_search.searching()
    assert (finding.level, finding.what) == (GOOD, "web search: by SearXNG")
    assert "web search: by SearXNG" in app.test_cli_runner().invoke(args=["doctor"]).output
