"""How long the running server takes to refuse a sign-in tells no known name from an unknown one."""

import itertools
import time
from collections.abc import Iterator
from functools import partial

import pytest
import urllib3

from tests.support.one_sided import BY_CHANCE, asked_in_turn, assert_alike, chance
from tests.support.served import PASSWORD, Served, served

NAMES, TIMES = 8, 9  # of each kind, and how often each is asked: ten wrong guesses close an account for a while
WRONG = "not the violet lantern"
_addresses = (f"198.51.{third}.{fourth}" for third, fourth in itertools.product(range(256), range(1, 255)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("timed"), TRUSTED_PROXIES="1") as running:
        running.set_up()
        yield running


@pytest.fixture
def line(server: Served) -> Iterator[urllib3.HTTPConnectionPool]:
    """One connection for all that is timed."""
    with urllib3.connection_from_url(server.base_url, maxsize=1, block=True, retries=False, timeout=60) as opened:
        yield opened


def seconds(line: urllib3.HTTPConnectionPool, origin: str, username: str) -> float:
    """How long the refusal takes. Each guess comes from an address of its own, as nginx would tell it."""
    headers = {"Origin": origin, "X-Forwarded-For": next(_addresses)}
    begun = time.perf_counter()
    reply = line.request("POST", "/api/login", json={"username": username, "password": WRONG}, headers=headers)
    taken = time.perf_counter() - begun
    assert (reply.status, reply.json()["error"]["code"]) == (401, "wrong_credentials")
    return taken


def test_the_chance_of_a_count() -> None:
    assert chance(5, 10) == 1
    assert chance(1, 10) == chance(9, 10) == 22 / 1024  # twice one of none and ten of one
    assert chance(0, 100) < BY_CHANCE < chance(30, 100)


@pytest.mark.security("same-answer-for-unknown", "names-not-told")
@pytest.mark.parametrize("kind", ["known", "disabled", "without a password"])
def test_a_known_name_takes_no_longer_than_an_unknown_one(
    server: Served, line: urllib3.HTTPConnectionPool, kind: str
) -> None:
    """Asked in pairs, each kind first in turn."""
    known, unknown = ([f"{which} {kind} {number}" for number in range(NAMES)] for which in ("somebody", "nobody"))
    for name in known:
        person = {"username": name} | ({} if kind == "without a password" else {"password": PASSWORD})
        made = server.post("/api/admin/users", person).json()["user"]
        if kind == "disabled":
            assert server.ask("PATCH", f"/api/admin/users/{made['id']}", {"disabled": True}).status == 200

    taken = []
    for number in range(NAMES * TIMES):
        names = known[number % NAMES], unknown[number % NAMES]
        taken.append(asked_in_turn(partial(seconds, line, server.base_url), *names, number))
    assert_alike(*map(list, zip(*taken, strict=True)))
