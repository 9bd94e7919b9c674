"""/api/usage/records/export and /api/admin/records/export: the ledger as a file, whole, flat in memory and harmless."""

import csv
import io
import json
import re
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

import pytest
from sqlalchemy import insert

from flask_app.database import engine, transaction, utc_now
from flask_app.models import TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import refund_service
from flask_app.services.sign_in import auth_service, open_sessions
from flask_app.services.usage import records_service
from flask_app.web.exports import BYTE_ORDER_MARK, FORMULAS, cell
from tests.conftest import MakeUser, SignIn
from tests.support import ledger
from tests.support.brokers import wait_until
from tests.support.clients import PageClient

OWN, ALL = "/api/usage/records/export", "/api/admin/records/export"
MANY = 50_000
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)


def table(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    text = response.data.decode()
    assert text.startswith(BYTE_ORDER_MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))


@pytest.mark.security("own-files-and-searches")
def test_a_file_holds_ones_own_records_each_once_the_newest_first(
    member: User, admin: User, member_client: PageClient
) -> None:
    count = records_service.MAX_PAGE * 2 + 3
    written = ledger.write(ledger.entry(member.id, NOON + timedelta(seconds=n // 5)) for n in range(count))
    ledger.write([ledger.entry(admin.id, NOON)])
    rows = table(member_client.get(OWN))
    assert [row["id"] for row in rows] == ledger.newest_first(written)
    assert "username" not in rows[0]
    assert "key" not in rows[0]
    assert (rows[0]["prompt_tokens"], rows[0]["cost_micros"], rows[0]["peak"]) == ("100", "1000", "false")


def test_json_lines_are_what_the_api_says(member: User, member_client: PageClient) -> None:
    ledger.write(ledger.entry(member.id, NOON, model="模型\n2") for _ in range(3))
    response = member_client.get(f"{OWN}?format=jsonl")
    assert response.mimetype == "application/jsonl"
    lines = [json.loads(line) for line in response.text.splitlines()]
    page: Any = member_client.get("/api/usage/records").json
    assert lines == page["records"]


def test_a_record_is_one_line_whoever_reads_it(member: User, member_client: PageClient) -> None:
    """Names of before may have line breaks, which are legal in a cell: to a reader of lines each began a record."""
    odd = ["模型\n2", "a\r\n=1+1", "\n@SUM(A1)", 'x",\n-2', "m\x85n", "m\u2028+3", "tab\tand\x1b[2J"]
    written = ledger.write(ledger.entry(member.id, NOON, model=name) for name in odd)
    response = member_client.get(OWN)
    lines = response.data.decode().splitlines()
    assert len(lines) == len(odd) + 1
    assert [next(csv.reader([line]))[0] for line in lines[1:]] == ledger.newest_first(written)
    told = {row["id"]: row["model"] for row in table(response)}
    shown = ["模型 2", "a  =1+1", "' @SUM(A1)", 'x", -2', "m n", "m +3", "tab and [2J"]
    assert [told[entry.id] for entry in written] == shown
    exact = [json.loads(line) for line in member_client.get(f"{OWN}?format=jsonl").text.split("\n")[:-1]]
    assert {line["id"]: line["model"] for line in exact} == {entry.id: entry.model for entry in written}


def test_an_administrators_file_says_who_and_with_which_key(
    member: User, admin_client: PageClient, member_client: PageClient
) -> None:
    (entry,) = ledger.write([ledger.entry(member.id, utc_now())])
    refund_service.refund(Actor(user=None), entry.id, "a fault")
    refund, usage = table(admin_client.get(ALL))
    assert (usage["username"], usage["user_id"], usage["key"]) == ("member", member.id, "")
    assert (refund["kind"], refund["total_tokens"], refund["cost_micros"]) == ("refund", "-150", "-1000")
    total: Any = member_client.get("/api/usage/summary").json
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert sum(int(row[name]) for row in (refund, usage)) == total["total"][name] == 0


def test_only_what_fits_is_in_the_file(
    member: User, admin: User, member_client: PageClient, admin_client: PageClient
) -> None:
    here, there = ledger.write([ledger.entry(member.id, NOON, outcome="stopped"), ledger.entry(admin.id, NOON)])
    assert [row["id"] for row in table(admin_client.get(f"{ALL}?user=memb"))] == [here.id]
    assert [row["id"] for row in table(admin_client.get(f"{ALL}?outcome=complete"))] == [there.id]
    assert len(table(admin_client.get(f"{ALL}?group={member.group_id}"))) == 2
    assert table(admin_client.get(f"{ALL}?group=other")) == []
    assert table(admin_client.get(f"{ALL}?user=nobody")) == []
    assert table(member_client.get(f"{OWN}?outcome=complete")) == []
    assert len(table(member_client.get(f"{OWN}?user={admin.id}&outcome=stopped"))) == 1, "it is one's own alone"


def test_only_administrators_get_everybodys(client: PageClient, member_client: PageClient) -> None:
    assert client.get(OWN).status_code == client.get(ALL).status_code == 401
    assert member_client.get(ALL).status_code == 403


@pytest.mark.parametrize(
    ("query", "code"),
    [("format=xlsx", "unknown_format"), ("outcome=lost", "unknown_outcome"), ("provenance=x", "unknown_provenance")],
)
def test_what_cannot_be_exported_is_refused(
    admin_client: PageClient, member_client: PageClient, query: str, code: str
) -> None:
    for client, url in ((member_client, OWN), (admin_client, ALL)):
        response: Any = client.get(f"{url}?{query}")
        assert (response.status_code, response.json["error"]["code"]) == (400, code)


@pytest.mark.security("no-formulas")
@pytest.mark.parametrize("beginning", [*FORMULAS, " ="])
def test_a_value_never_becomes_a_formula(member: User, admin_client: PageClient, beginning: str) -> None:
    hostile = f'{beginning}HYPERLINK("http://192.0.2.1","x")'
    ledger.write([ledger.entry(member.id, NOON, model=hostile, actual_model=hostile)])
    (row,) = table(admin_client.get(ALL))
    assert row["model"] == row["actual_model"] == f"'{hostile}"


@pytest.mark.security("no-formulas")
@pytest.mark.parametrize("space", ["", " ", "\t", "\r\n"])
def test_a_value_becomes_no_formula_where_semicolons_part_cells(space: str) -> None:
    for sign in FORMULAS:
        assert cell(f"class 3;{space}{sign}1+1") == f"class 3;'{' ' * len(space)}{sign}1+1"
    assert cell("a; b - c = d") == "a; b - c = d"


def test_what_does_not_print_is_a_space_and_joined_emoji_stay() -> None:
    assert cell("a\tb\x00c\u202ed\ufeffe\ud800f") == "a b c d e f"
    assert cell("\t=1") == cell("\u202e=1") == "' =1"
    assert cell("Ada 👩\u200d💻 明 é") == "Ada 👩\u200d💻 明 é"


def test_numbers_stay_numbers() -> None:
    assert [cell(value) for value in (-5, 0, None, True, "-5", "a=1", NOON)] == [
        *(-5, 0, "", "true", "'-5", "a=1", "2026-11-25T04:00:00+00:00"),
    ]


@pytest.mark.security("file-names-encoded")
@pytest.mark.parametrize(("locale", "name"), [("zh", "明聊用量明细-"), ("en", "mingchat-records-")])
def test_the_file_has_a_name_in_the_readers_language(member_client: PageClient, locale: str, name: str) -> None:
    response = member_client.get(OWN, headers={"Accept-Language": locale})
    header = response.headers["Content-Disposition"]
    assert header.startswith("attachment; filename=")
    assert header.isascii()
    assert unquote(header.partition("filename*=UTF-8''")[2]) == f"{name}{utc_now():%Y-%m-%d}.csv"
    assert quote(name) in header
    assert response.headers["Cache-Control"] == "no-store"


def test_no_connection_is_held_between_pages(member: User, member_client: PageClient) -> None:
    ledger.write(ledger.entry(member.id, NOON) for _ in range(records_service.MAX_PAGE + 1))
    response = member_client.get(OWN, buffered=False)
    pieces = iter(response.response)
    next(pieces)
    assert next(pieces)
    wait_until(lambda: engine().pool.checkedout() == 0)  # type: ignore[attr-defined]  # but for one that others use
    response.close()


def test_who_is_signed_out_meanwhile_gets_a_file_that_breaks_off(member: User, member_client: PageClient) -> None:
    ledger.write(ledger.entry(member.id, NOON) for _ in range(records_service.MAX_PAGE * 2 + 1))
    pieces = iter(member_client.get(OWN, buffered=False).response)
    next(pieces)
    with transaction() as session:
        auth_service.end_sessions(session, member.id)
    open_sessions.look()
    with pytest.raises(Exception, match="sign_in_required"):
        list(pieces)


def test_memory_stays_flat_however_long_the_ledger_is(make_user: MakeUser, sign_in: SignIn) -> None:
    person = make_user("busy")
    client = sign_in(person)
    rows = [ledger.row_of(ledger.entry(person.id, NOON - timedelta(seconds=number))) for number in range(MANY)]
    with transaction() as session:
        for start in range(0, MANY, 5_000):
            session.execute(insert(TokenUsage), rows[start : start + 5_000])
    del rows
    assert _drained(client, f"{OWN}?outcome=stopped") == 1  # what is made once is made
    tracemalloc.start()
    lines = _drained(client, OWN)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == MANY + 1
    assert most < 4_000_000, "a page of 200, not the file of ten megabytes"
    ledger.forget(TokenUsage.user_id == person.id)


def _drained(client: PageClient, url: str) -> int:
    """How many lines the file has; none of them is kept."""
    response = client.get(url, buffered=False)
    pieces: Any = response.response
    lines: int = sum(piece.count(b"\n") for piece in pieces)
    response.close()
    return lines


@pytest.mark.unsound_ledger("refunds of nothing")
def test_a_page_says_how_many_records_a_file_will_hold(
    member: User, admin: User, member_client: PageClient, admin_client: PageClient
) -> None:
    now = utc_now()
    kinds: tuple[dict[str, Any], ...] = ({}, {"channel": "api"}, {"model": "m"}, {"kind": "refund"})
    ledger.write(ledger.entry(who.id, now, **kind) for kind in kinds for who in (member, admin))
    ledger.write([ledger.entry(member.id, now - timedelta(days=90))])

    def expected(client: PageClient, path: str, state: str) -> Any:
        found = re.search(rf'id="{state}">(.*?)</script>', client.get(path).text, re.S)
        assert found
        return json.loads(found[1])["expected"]

    for query, own, everybodys in (
        ("", 4, 9),
        ("?channel=api", 1, 2),
        ("?model=m", 1, 2),
        ("?from=2026-01-01&to=2026-01-02", 0, 0),
        ("?outcome=complete", None, None),
        ("?provenance=refunded", None, None),
        ("?id=x", None, None),
    ):
        assert expected(member_client, f"/dashboard{query}", "dashboard-state") == own, query
        assert expected(admin_client, f"/admin/records{query}", "admin-state") == everybodys, query
    assert expected(admin_client, "/admin/records?user=member", "admin-state") is None


def test_the_page_of_ones_use_asks_nothing_twice(
    member: User, member_client: PageClient, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    ledger.write([ledger.entry(member.id, utc_now())])

    def counted(query: str) -> int:
        """How often records are counted."""
        with query_count() as statements:
            assert member_client.get(f"/dashboard{query}").status_code == 200
        return sum("usage_hourly.requests + usage_hourly.refunds" in each for each in statements)

    assert counted("") == 0, "the report has counted them"
    assert counted("?model=deepseek-flash") == 1
