"""A search that is made to see whether it works: booked as any other, and kept nowhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from flask_app.database import transaction, utc_now
from flask_app.domain.web_sources import Search
from flask_app.errors import BudgetExhausted, Conflict, Invalid
from flask_app.models import Attempt, Provider, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service
from flask_app.services.runs import reaper_service
from flask_app.services.web_search import trial
from tests.support import ledger, web_searching
from tests.support.limits import limit
from tests.support.scripted_upstream import ScriptedUpstream, Status
from tests.support.upstream_journal import SEARCH


def make(person: User, words: str = "how high?") -> Search:
    return trial.make(Actor(person, "192.0.2.1"), person, words, request_id="r").search


def test_it_is_booked_and_what_it_found_is_told(member: User, upstream: ScriptedUpstream) -> None:
    web_searching.switch_on()
    found = make(member, "how\nhigh?")
    assert (found.status, found.query, len(found.sources)) == ("found", "how high?", 2)
    assert web_searching.attempts() == [("search", "settled", None)]
    (entry,) = web_searching.entries()
    assert (entry.user_id, entry.message_id, entry.source) == (member.id, None, "reported")
    assert web_searching.searches() == []


def test_a_failure_is_told_too(member: User, upstream: ScriptedUpstream) -> None:
    web_searching.switch_on()
    upstream.script(Status(402), path=SEARCH)
    failed = make(member)
    assert (failed.status, failed.error_code) == ("failed", "upstream_no_balance")
    assert web_searching.attempts() == [("search", "released", "upstream_no_balance")]


@pytest.mark.parametrize(
    ("prepare", "words", "error"),
    [
        (lambda: None, "how high?", Conflict),
        (web_searching.switch_on, " \n", Invalid),
    ],
)
def test_what_cannot_be_searched_for_is_refused(
    member: User, upstream: ScriptedUpstream, prepare: Callable[[], object], words: str, error: type[Exception]
) -> None:
    prepare()
    with pytest.raises(error):
        make(member, words)
    assert web_searching.attempts() == []


def test_with_nothing_left_in_the_budget_it_is_refused(member: User, upstream: ScriptedUpstream) -> None:
    web_searching.switch_on()
    limit(100)
    assert make(member).status == "found"
    ledger.write([ledger.entry(member.id, utc_now(), group_id=member.group_id, day=budget_service.site_day(utc_now()))])
    with pytest.raises(BudgetExhausted):
        make(member)


def test_one_whose_process_died_is_an_estimate(member: User, upstream: ScriptedUpstream) -> None:
    web_searching.switch_on()
    make(member)
    with transaction() as session:
        moment = web_searching.entries()[0].created_at - timedelta(days=365)
        session.execute(update(Attempt).values(state="dispatched", created_at=moment))
    ledger.forget(TokenUsage.channel == "search")
    reaper_service.reap_all()
    assert [entry.source for entry in web_searching.entries()] == ["estimated"]


@pytest.mark.parametrize("ending", ["", "/v1", "/v1/"])
def test_the_search_stands_beside_the_providers_v1(
    app: Flask, member: User, upstream: ScriptedUpstream, ending: str
) -> None:
    provider_id = web_searching.switch_on()
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == provider_id).values(base_url=upstream.base_url + ending))
    make(member)
    assert [request.target for request in upstream.journal.searches] == ["/v1/tools/search"]
