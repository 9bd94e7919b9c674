"""What `make bench-ledger` calls missed, and that it asks what the pages offer."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

from flask import Flask

from bench.ledger import pages
from bench.ledger.memory import Memory
from bench.ledger.pages import Known, Page
from bench.ledger.readers import Timed
from bench.ledger.report import Job, Results, figures, markdown
from bench.ledger.settlement import Costs, Settlement
from flask_app.routes import managed
from flask_app.services.usage import breakdown_service

KNOWN = Known(
    since=date(2024, 11, 26),
    today=date(2026, 11, 25),
    person="ada",
    quiet_person="bo",
    groups=["research", "alone", "empty"],
    managed="research",
    keys=["first", "deleted"],
    drifts=["a day", "another"],
    tokens=["scripts"],
    ids=["record", "attempt"],
)


def results(*, slow: float = 50.0, settled: float = 2.1, more: float = 10.0, whole: bool = True) -> Results:
    """A page of which one time in twenty is `slow`; one turn of three is on a slow machine."""
    costs = Costs(full=[settled, 3 * settled, settled], empty=[2.0, 6.0, 2.0])
    job = Job(60.0, Memory(100.0, 100.0 + more), done=whole)
    timed = Timed(Page("own page", "/dashboard"), "", 30.0, [20.0] * 19 + [slow] * 2, [12.0] * 21)
    return Results(10, 20, "0c709fcb", Settlement(costs, costs), pages=[timed], export=job, verify=job)


def missed(made: Results) -> set[str]:
    return {figure.name for figure in figures(made) if figure.is_missed}


def test_what_is_within_its_bounds_is_met() -> None:
    assert missed(results()) == set()
    assert "| own page | 1 | 20.0 ms | 20.0 ms | 50.0 ms | 12.0 ms |" in markdown(results())


def test_what_is_over_its_bounds_is_missed() -> None:
    assert missed(results(slow=101.0)) == {"pages whose 95th percentile is over 100 ms, of 1"}
    assert missed(results(settled=2.5)) == {"settlement, full to empty", "dispatch, full to empty"}
    assert {name.partition(": ")[2] for name in missed(results(more=51.0))} == {"memory (PSS) more than before"}
    assert {name.partition(": ")[2] for name in missed(results(whole=False))} == {
        "rows missing or too many",
        "differences",
    }


OWN_FIELDS = {"model", "outcome", "provenance", "channel", "token", "id", "from"}
FIELDS = OWN_FIELDS | {"user", "group", "key"}


def filtered(asked: Iterable[Page], path: str) -> Counter[frozenset[str]]:
    """How often each set of fields is asked together."""
    return Counter(
        frozenset(parse_qs(address.query).keys() - {"to"})
        for address in (urlsplit(page.path) for page in asked)
        if address.path == path
    )


def together(fields: set[str], most: int) -> set[frozenset[str]]:
    return {frozenset(each) for number in range(most + 1) for each in combinations(fields, number)}


def test_every_filter_is_asked_alone_and_beside_every_other() -> None:
    assert filtered(pages.site(KNOWN), "/admin/records").keys() == together(FIELDS, 1)
    assert filtered(pages.own(KNOWN), "/dashboard").keys() == together(OWN_FIELDS, 2)
    for asked, path, fields in (
        (pages.site(KNOWN), "/api/admin/records", FIELDS),
        (pages.own(KNOWN), "/api/usage/records", OWN_FIELDS),
    ):
        found = filtered(asked, path)
        assert found.keys() == together(fields, 3)
        assert {number for each, number in found.items() if len(each) == 3} == {1}, "one drawn of each"


def test_the_same_is_asked_in_every_run() -> None:
    assert list(pages.site(KNOWN)) == list(pages.site(KNOWN))


def test_a_manager_reads_their_group_in_every_range_that_is_offered(app: Flask) -> None:
    asked = [urlsplit(page.path) for page in pages.managed(KNOWN)]
    assert {parse_qs(each.query)["range"][0] for each in asked if each.path == "/managed/research"} == {*managed.SPANS}
    offered = {
        rule.rule.replace("<managed_id>", KNOWN.managed)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("managed.") and "GET" in (rule.methods or ()) and rule.arguments == {"managed_id"}
    }
    assert offered == {each.path for each in asked}


def test_every_page_of_administrators_is_asked_and_days_are_explained(app: Flask) -> None:
    offered = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("admin.")}
    asked = {urlsplit(page.path).path for page in pages.site(KNOWN)}
    assert offered <= asked
    assert {f"/api/admin/reconciliations/{day}" for day in KNOWN.drifts} <= asked
    assert {"/tokens", "/api/budgets"} <= {page.path for page in pages.own(KNOWN)}


def test_use_by_token_is_asked_for_every_range_and_for_one_reader() -> None:
    for asked, path in ((pages.own(KNOWN), "/api/usage/tokens"), (pages.site(KNOWN), "/api/admin/usage/tokens")):
        found = [page for page in asked if page.path.startswith(path)]
        assert not any(page.is_of_days for page in found)
        for kind in (path, f"{path}/export"):
            ranges = [urlsplit(page.path).query for page in found if urlsplit(page.path).path == kind]
            assert len(ranges) == len(set(ranges)) == 11
            assert "" in ranges


def test_every_grouping_is_asked() -> None:
    asked = {by for page in pages.site(KNOWN) for by in parse_qs(urlsplit(page.path).query).get("by", [])}
    assert asked == set(breakdown_service.SITE)
