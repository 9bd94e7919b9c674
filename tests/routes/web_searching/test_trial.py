"""POST /api/admin/settings/web-search/try: one real search, booked to whoever makes it."""

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from flask_app import database, i18n
from flask_app.database import reading
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.ledger import journal, replay_service
from flask_app.services.people import group_access
from flask_app.services.web_search import trial
from tests.routes.journal.answers import NOWHERE
from tests.support import ports, web_searching, who_searches
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.keys import change_key
from tests.support.scripted_upstream import Pages, Received, ScriptedUpstream, Status
from tests.support.upstream_reply import Reply

PATH = "/api/admin/settings/web-search/try"
WORDS = "How high is the lighthouse?"


def search(client: PageClient, query: str = WORDS) -> Any:
    return client.post(PATH, json={"query": query})


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["site", "try-search", *arguments])


def booked() -> list[tuple[str, str, str, str, int | None]]:
    with reading() as session:
        found = session.scalars(select(TokenUsage).order_by(TokenUsage.id))
        return [(each.channel, each.model, each.source, each.outcome, each.prompt_tokens) for each in found]


def test_it_is_made_told_and_booked(admin: User, admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_deepseek()
    found = search(admin_client)
    assert found.status_code == 200, found.text
    assert (found.json["status"], found.json["error"], found.json["latency_ms"] >= 0) == ("found", None, True)
    assert [each["url"] for each in found.json["sources"]] == ["https://example.org/arkona", "https://example.net/list"]
    assert found.json["sources"][0] == {
        "title": "The lighthouse at Kap Arkona",
        "url": "https://example.org/arkona",
        "site": "Example",
        "published": "2026-10-03",
    }
    (asked,) = upstream.journal.searches
    assert (asked.body["query"], asked.key) == (WORDS, "test-key")
    assert booked() == [("search", "deepseek-search", "reported", "complete", 0)]
    with reading() as session:
        (entry,) = session.scalars(select(TokenUsage))
        assert (entry.user_id, entry.key_id) == (admin.id, "environment")
    assert web_searching.attempts() == [("search", "settled", None)]


def test_it_is_written_down_without_the_words(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_deepseek()
    search(admin_client)
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "web_search.try"))
    assert json.loads(entry.details) == {"engine": "deepseek", "provider": "DeepSeek"}


def test_a_searxng_is_tried_in_the_name_of_whoever_asks(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_searxng(upstream.base_url)
    found = search(admin_client)
    assert (found.json["status"], len(found.json["sources"])) == ("found", 2)
    assert booked() == [("search", "searxng", "reported", "complete", 0)]


def test_nothing_may_be_found(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_deepseek()
    upstream.pages = Pages(())
    assert search(admin_client).json | {"latency_ms": 0} == {
        "status": "empty",
        "latency_ms": 0,
        "sources": [],
        "error": None,
    }
    assert booked() == [("search", "deepseek-search", "reported", "complete", 0)], "it is billed all the same"


def test_a_refusal_is_told_and_costs_nothing(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_deepseek()
    upstream.pages = Status(402, "Insufficient Balance")
    failed = search(admin_client).json
    assert (failed["status"], failed["sources"], failed["error"]["code"]) == ("failed", [], "upstream_no_balance")
    assert failed["error"]["message"]
    assert booked() == []
    assert web_searching.attempts() == [("search", "released", "upstream_no_balance")]


def test_a_provider_without_a_search_is_told_to_have_none(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_deepseek()
    upstream.pages = Status(404, "no such path")
    failed = search(admin_client).json
    assert (failed["status"], failed["error"]["code"]) == ("failed", "no_provider_search")
    assert failed["error"]["message"] == i18n.translate("zh", "error.no_provider_search")
    assert web_searching.attempts() == [("search", "released", "no_provider_search")]


def test_a_searxng_out_of_reach_is_named(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_searxng(f"http://127.0.0.1:{ports.free_port()}")
    failed = search(admin_client).json
    assert (failed["status"], failed["error"]["code"]) == ("failed", "searxng_unreachable")
    assert failed["error"]["message"] == i18n.translate("zh", "error.searxng_unreachable")


def test_what_cannot_be_read_is_booked_as_an_estimate(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_deepseek()
    upstream.pages = Status(200, "no pages")
    failed = search(admin_client).json
    assert (failed["status"], failed["error"]["code"]) == ("failed", "upstream_garbage")
    assert booked() == [("search", "deepseek-search", "estimated", "failed", 0)]


def test_an_administrator_whose_group_is_kept_from_it_tries_it(
    admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    who_searches.by_deepseek()
    group_access.put(Actor(None), DEFAULT_GROUP_ID, web_search=False)
    assert search(admin_client).json["status"] == "found"


class WithoutDatabase:
    """The database goes away while the engine replies."""

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        Pages().play(reply, request)


def test_a_database_that_is_away_has_it_later(admin: User, upstream: ScriptedUpstream, database_url: str) -> None:
    who_searches.by_deepseek()
    upstream.pages = WithoutDatabase()
    made = trial.make(Actor(admin), admin, WORDS, request_id="r")
    database.connect(database_url)
    assert len(made.search.sources) == 2
    assert len(journal.waiting()) == 1
    assert booked() == []
    replay_service.replay()
    assert booked() == [("search", "deepseek-search", "reported", "complete", 0)]
    assert not journal.waiting()


def test_one_that_nobody_knows_to_be_committed_is_asked_of_nobody_and_costs_nothing(
    admin: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    """The database goes away with the reply to the COMMIT that wrote its attempt."""
    who_searches.by_deepseek()
    dialect = database._bound().writer.dialect
    commit = dialect.do_commit

    def unheard(connection: Any) -> None:
        commit(connection)
        if web_searching.attempts():
            monkeypatch.undo()
            database.connect(NOWHERE)
            raise dialect.loaded_dbapi.OperationalError("the connection was lost")

    monkeypatch.setattr(dialect, "do_commit", unheard)
    with pytest.raises(OperationalError):
        trial.make(Actor(admin), admin, WORDS, request_id="r")
    database.connect(database_url)
    assert web_searching.attempts() == [("search", "dispatched", None)]
    replay_service.replay()
    assert (web_searching.attempts(), booked()) == ([("search", "released", None)], [])
    assert (journal.waiting(), len(upstream.journal.searches)) == (set(), 0)


def test_a_budget_holds(admin: User, admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_deepseek()
    budget_admin_service.add(Actor(None), Place(scope="user", scope_id=admin.id, period="day", unit="CNY"), 4999)
    refused = search(admin_client)
    assert (refused.status_code, error_code(refused)) == (429, "budget_exhausted")
    assert not upstream.journal.searches


def test_nobody_is_asked_where_nobody_searches(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    assert error_code(search(admin_client)) == "no_search_engine"
    who_searches.by_deepseek()
    change_key("environment", disabled=True)
    refused = search(admin_client)
    assert (refused.status_code, error_code(refused)) == (409, "no_search_engine")


@pytest.mark.parametrize("query", ["", " \n", "\u2028", 7, None, "x" * 1001])
def test_bad_words_are_refused(admin_client: PageClient, upstream: ScriptedUpstream, query: Any) -> None:
    who_searches.by_deepseek()
    assert search(admin_client, query).status_code in {400, 422}
    assert not upstream.journal.searches


def test_long_words_are_cut(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_deepseek()
    assert search(admin_client, "lighthouse " * 50).json["status"] == "found"
    assert len(upstream.journal.searches[0].body["query"]) <= 128


def test_only_administrators_try(client: PageClient, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    who_searches.by_deepseek()
    for browser, status in ((client, 401), (member_client, 403)):
        assert search(browser).status_code == status
    assert not upstream.journal.searches


def test_a_command_does_the_same(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    assert "Error" in run(app, "lighthouse", "--user", "member").output
    who_searches.by_deepseek()
    done = run(app, "how", "high", "--user", "member")
    assert done.output.splitlines()[:2] == ["[1] The lighthouse at Kap Arkona", "    https://example.org/arkona"]
    assert "Found 2 pages in" in done.output
    assert upstream.journal.searches[0].body["query"] == "how high"
    with reading() as session:
        assert session.scalars(select(TokenUsage.user_id)).all() == [member.id]
    upstream.pages = Status(402, "Insufficient Balance")
    failed = run(app, "moon", "--user", "member")
    assert failed.exit_code == 1
    assert "Error" in failed.output
    assert run(app, "moon", "--user", "nobody").exit_code == 1
