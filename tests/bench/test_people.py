"""Streams are dealt out among people in turn, each of whom asks in their own name; and those are people of a site."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence

from flask import Flask
from sqlalchemy import select

from bench import people, servers, upstream
from bench.load import Load, heads_of
from bench.plan import Plan, Report
from flask_app.database import reading
from flask_app.models import AccessToken, Folder, User
from flask_app.web import csrf
from tests.support import clients

STREAMS, TOKENS, RATE, SECONDS = 8, 10, 50.0, 2
PEOPLE = [{"Authorization": f"Bearer {name}"} for name in ("zero", "one", "two")]
ASKED_BY = re.compile(rb"Authorization: Bearer (\w+)\r\n")


class Provider(upstream.Connection):
    """Notes who asked on it, request after request."""

    asked_by: list[list[bytes]]  # of each connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._asked_by: list[bytes] = []
        Provider.asked_by.append(self._asked_by)

    def data_received(self, data: bytes) -> None:
        self._asked_by += ASKED_BY.findall(data)
        super().data_received(data)


def test_streams_are_dealt_out_in_turn() -> None:
    report, connections = loaded(PEOPLE)
    streams = defaultdict[bytes, int](int)
    for asked_by in connections:
        assert len(asked_by) > 1, "one answer after another"
        assert len(set(asked_by)) == 1, "of one person"
        streams[asked_by[0]] += 1
    assert streams == {b"zero": 3, b"one": 3, b"two": 2}
    assert report.faults == {}
    assert report.answers == sum(map(len, connections))


def test_without_people_all_streams_are_of_one() -> None:
    _, connections = loaded([])
    assert {name for asked_by in connections for name in asked_by} == set()
    assert len(connections) == STREAMS


def loaded(asking: Sequence[dict[str, str]]) -> tuple[Report, list[list[bytes]]]:
    """What the load client reports, and who asked on each connection."""
    Provider.asked_by = []
    plan = Plan(
        port=servers.free_port(),
        kind="gateway",
        streams=STREAMS,
        tokens=TOKENS,
        rate=RATE,
        seconds=SECONDS,
        people=list(asking),
    )
    return asyncio.run(_load(plan)), Provider.asked_by


async def _load(plan: Plan) -> Report:
    loop, clock = asyncio.get_running_loop(), upstream.Clock()
    async with await loop.create_server(lambda: Provider(1 / RATE, clock), "127.0.0.1", plan.port):
        load = Load(plan, heads_of(plan))
        await load.run()
    return load.report


def test_people_are_members_who_ask_with_a_session_and_with_a_token(app: Flask) -> None:
    made = people.make(app, 3)
    client = clients.PageClient(app, app.response_class, use_cookies=False)  # theirs are in the headers
    client.base_url = made[0]["chat"]["Origin"]
    foreign = made[0]["chat"] | {csrf.HEADER: made[1]["chat"][csrf.HEADER]}
    assert client.post("/api/folders", json={"name": "own"}, headers=foreign).status_code == 403
    for each in made:
        assert client.post("/api/folders", json={"name": "own"}, headers=each["chat"]).status_code == 201
        assert client.get("/v1/models", headers=each["gateway"]).status_code == 200
    with reading() as session:
        roles = {user.id: user.role for user in session.scalars(select(User))}
        owners = set(session.scalars(select(Folder.user_id)))
        programs = set(session.scalars(select(AccessToken.user_id)))
    assert list(roles.values()) == ["member"] * 3
    assert owners == programs == set(roles)
