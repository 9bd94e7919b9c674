"""What the oracle must see: a site that is in order, and one thing wrong in it."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from flask_app.domain.events import estimate_tokens
from tests.faults import books, programs, sums
from tests.faults.exchange import Exchange
from tests.faults.harm import Harm
from tests.faults.instance import Instance
from tests.faults.oracle import Kind, Oracle
from tests.faults.site import Site

Spoil = Callable[[pytest.MonkeyPatch, Site, Exchange], None]


def a_repeated_event(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    patch.setattr(exchange, "gaps", 1)


def a_word_left_out(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    first, _, *rest = exchange.text.split(" ")
    patch.setattr(exchange, "text", " ".join([first, *rest]))


def a_word_of_somebody_else(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    patch.setattr(exchange, "heard", "u4q1w1")


def another_message(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    patch.setattr(exchange, "ids", exchange.ids | {"message_id": "nobody's"})


def one_token_more(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    *_, request = site.requests(exchange)
    assert request.usage_sent
    usage = dataclasses.replace(request.usage_sent, completion=request.usage_sent.completion + 1)
    patch.setattr(request, "usage_sent", usage)


def a_request_unknown_to_the_provider(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    *_, request = site.requests(exchange)
    patch.setattr(request, "body", {})


def a_second_request_for_an_attempt(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    *_, request = site.requests(exchange)
    other = next(each for each in site.calm.journal if each.is_chat and each is not request)
    patch.setattr(other, "body", request.body)
    patch.setattr(other, "headers", request.headers)


def a_request_that_is_no_attempt(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    *_, request = site.requests(exchange)
    patch.setattr(request, "headers", request.headers | {"x-request-id": "nobody's"})


def another_end_of_the_rest(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    assert exchange.rest
    patch.setattr(exchange.rest, "text", exchange.rest.text.rpartition(" ")[0])


def another_run_for_the_rest(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    assert exchange.rest
    patch.setattr(exchange.rest, "run_id", "nobody's")


SPOILS: list[tuple[Spoil, Kind]] = [
    (a_repeated_event, "gap"),
    (a_word_left_out, "gap"),
    (a_word_of_somebody_else, "foreign"),
    (another_message, "lost"),
    (one_token_more, "ledger"),
    (a_request_unknown_to_the_provider, "ledger"),
    (a_second_request_for_an_attempt, "ledger"),
    (a_request_that_is_no_attempt, "ledger"),
]
# Of an answer that was gone on with, these are of what went on.
SPOILS_OF_A_REST: list[tuple[Spoil, Kind]] = [
    (one_token_more, "ledger"),
    (a_request_unknown_to_the_provider, "ledger"),
    (a_request_that_is_no_attempt, "ledger"),
    (another_end_of_the_rest, "lost"),
    (another_run_for_the_rest, "lost"),
]


# What must be seen by whoever compares the money: a micro-unit too much somewhere.
MISCOUNTS = {
    "a balance": "UPDATE budgets SET amount = amount + ({change}) WHERE period = 'prepaid' LIMIT 1",
    "what was spent in a day": "UPDATE spent_daily SET amount = amount + ({change}) WHERE scope = 'user' LIMIT 1",
    "the roll-up": "UPDATE usage_hourly SET cost_micros = cost_micros + ({change}) WHERE slice = 'site_day' LIMIT 1",
}


def assert_seen(running: Site, spoil: Spoil, kind: Kind) -> None:
    exchange = running.ask(1, words=8)
    assert exchange.wait() == "complete"
    assert found_about(exchange, running) == set()
    with pytest.MonkeyPatch.context() as patch:
        spoil(patch, running, exchange)
        assert kind in found_about(exchange, running)


def assert_miscount_seen(running: Site, statement: str) -> None:
    found = []
    for change in (1, -1):
        running.execute(statement.format(change=change))
        found.append(bool(books.unbalanced(running) or books.unverified()))
    assert found == [True, False]


def assert_other_money_seen(running: Site) -> None:
    """What pages show of somebody's money is what the ledger has, and so are the files."""
    found = []
    for change in (0, 1, -1):
        running.execute(
            f"UPDATE token_usage SET cost_micros = cost_micros + ({change}) WHERE currency IS NOT NULL LIMIT 1"
        )
        found.append(len(sums.compare(running)))
    assert found == [0, 1, 0]
    assert books.differing_files(running) == []


def assert_lean_estimate_seen(running: Site) -> None:
    exchange = running.ask(1, words=8, fault="no-usage")
    assert exchange.wait() == "complete"
    found = []
    for change in (0, -1, 1):
        running.execute(
            f"UPDATE token_usage SET completion_tokens = completion_tokens + ({change}) WHERE source = 'estimated'"
        )
        found.append(found_about(exchange, running))
    assert found == [set(), {"ledger"}, set()]


def assert_rest_seen(running: Site) -> None:
    """Asked for as a prefix on the one instance, in words on the other."""
    for instance, is_prefix in zip(running.instances, (True, False), strict=True):
        exchange = running.ask(1, words=60)
        exchange.wait_for_text()
        exchange.stop(instance.base_url)
        assert exchange.wait() == "stopped"
        exchange.go_on(instance.base_url)
        begun, rest = running.requests(exchange)
        assert (begun.prefix is None, rest.prefix is not None) == (True, is_prefix)
        assert found_about(exchange, running) == set()
        for spoil, kind in SPOILS_OF_A_REST:
            with pytest.MonkeyPatch.context() as patch:
                spoil(patch, running, exchange)
                assert kind in found_about(exchange, running), spoil.__name__
        assert_lean_beginning_seen(running, exchange)


def assert_lean_beginning_seen(running: Site, exchange: Exchange) -> None:
    """The estimate of what was broken off is of the words that stood there, whatever the rest was."""
    found = []
    for change in (-1, 1):
        running.execute(
            "UPDATE token_usage SET completion_tokens = completion_tokens + (:change)"
            " WHERE source = 'estimated' AND message_id = :message",
            change=change,
            message=exchange.ids["message_id"],
        )
        found.append(found_about(exchange, running))
    assert found == [{"ledger"}, set()]


def assert_only_own_harm_excuses(running: Site) -> None:
    """An answer that is called interrupted, and booked as an estimate, though its provider told it whole."""
    own, other = running.instances
    exchange = running.ask(1, words=8, via=[own.base_url])
    assert exchange.wait() == "complete"
    amid = (exchange.began_at + exchange.ended_at) / 2
    with pytest.MonkeyPatch.context() as patch, _estimated(running, exchange):
        patch.setattr(exchange, "ending", ("done", {"status": "interrupted"}))
        patch.setattr(exchange, "faults", {"instance killed"})
        assert found_about(exchange, running) == {"cut", "ledger"}
        for instance, at in ((other, amid), (own, exchange.began_at - 1), (own, exchange.ended_at + 1)):
            with _harmed(instance, Harm("killed", frozenset(instance.workers().values()), at)):
                assert found_about(exchange, running) == {"cut", "ledger"}
        workers = frozenset(own.workers().values())
        with _harmed(own, Harm("ended", workers, amid)):
            assert found_about(exchange, running) == {"ledger"}, "its worker was there to hear the count"
        with _harmed(own, Harm("killed", workers, amid)):
            assert found_about(exchange, running) == set()
    assert found_about(exchange, running) == set()


@contextmanager
def _estimated(running: Site, exchange: Exchange) -> Iterator[None]:
    """The answer's entry is the estimate that a reaper books, while the block runs."""
    entry = "FROM token_usage t JOIN proxy_logs a ON a.id = t.attempt_id WHERE a.run_id = :run"
    wanted = f"SELECT t.*, a.prompt_estimate {entry}"
    (before,) = running.rows(wanted, run=exchange.ids["run_id"])
    change = (
        "UPDATE token_usage SET source = :source, outcome = :outcome, prompt_tokens = :prompt,"
        " completion_tokens = :completion WHERE id = :id"
    )
    tokens = {"prompt": before.prompt_estimate, "completion": estimate_tokens(exchange.wish.answer)}
    running.execute(change, id=before.id, source="estimated", outcome="interrupted", **tokens)
    try:
        yield
    finally:
        tokens = {"prompt": before.prompt_tokens, "completion": before.completion_tokens}
        running.execute(change, id=before.id, source=before.source, outcome=before.outcome, **tokens)


@contextmanager
def _harmed(instance: Instance, harm: Harm) -> Iterator[None]:
    instance.harms.append(harm)
    try:
        yield
    finally:
        instance.harms.remove(harm)


def assert_broken_program_seen(running: Site) -> None:
    """An answer that ended whole, as if its program had not been told so."""
    assert list(programs.differences(running)) == []
    answer = next(each for each in programs.answered(running) if each.call.told and not each.harms)
    call, worker = answer.call, answer.attempts[0].worker
    own, other = sorted(running.instances, key=lambda each: worker not in each.workers().values())
    amid = (call.began_at + call.ended_at) / 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(call, "told", None)
        assert _kinds(running) == ["cut"]
        assert call in programs.broken_off(running)
        with _harmed(other, Harm("killed", frozenset(other.workers().values()), amid)):
            assert _kinds(running) == ["cut"]
        with _harmed(own, Harm("ended", frozenset([worker]), call.ended_at + 1)):
            assert _kinds(running) == ["cut"], "it had not come to its time"
        with _harmed(own, Harm("ended", frozenset([worker]), amid)):
            assert _kinds(running) == ["cut"], "it was not told why"
            patch.setattr(call, "failure", programs.RESTARTING)
            assert _kinds(running) == []
        with _harmed(own, Harm("killed", frozenset([worker]), amid)):
            assert _kinds(running) == []


def _kinds(running: Site) -> list[Kind]:
    return [found.kind for found in programs.differences(running)]


def assert_miscount_of_programs_seen(running: Site) -> None:
    assert any(call.told for call in running.calls)
    entry = "WHERE channel = 'api' AND source = 'reported' ORDER BY id LIMIT 1"
    found = []
    for change in (1, -1):
        running.execute(f"UPDATE token_usage SET completion_tokens = completion_tokens + ({change}) {entry}")
        found.append(len(list(programs.differences(running))))
    assert found == [2, 0], "once of the attempt, once of what was told"


def found_about(exchange: Exchange, running: Site) -> set[Kind]:
    return {found.kind for found in Oracle(running).examine() if found.exchange is exchange}
