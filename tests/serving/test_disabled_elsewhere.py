"""Whoever is disabled, or deleted, on one instance is out on the other, with all that they have begun there."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.support.instances import ENDLESS, Site
from tests.support.redis_server import RedisServer
from tests.support.served import PASSWORD, Stream, Visitor

PEOPLE = "/api/admin/users"
WITHIN_SECONDS = 10
OUT: dict[str, tuple[str, Any, int]] = {
    "disabled": ("PATCH", {"disabled": True}, 200),
    "deleted": ("DELETE", None, 204),
}
ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Go."}], "stream": True}


def program_of(person: Visitor) -> Visitor:
    """A program of theirs, with a token that has just been made."""
    secret = person.post("/api/tokens", {"name": "Editor"}).json()["secret"]
    return Visitor(person.base_url, {"Authorization": f"Bearer {secret}"})


def begun(site: Site, person: Visitor) -> Stream:
    site.upstream.script(ENDLESS)
    stream = person.chat("Go.")
    events = iter(stream)
    while next(events)[0] != "token":
        pass
    return stream


def end_of(read: Callable[[], object]) -> float:
    """When all has been read."""
    read()
    return time.monotonic()


@pytest.mark.security("disabled-is-out")
@pytest.mark.parametrize("how", OUT)
@pytest.mark.parametrize("redis_is_there", [True, False], ids=["redis", "no-redis"])
def test_a_disabled_person_is_out_on_every_instance_within_seconds(
    site: Site, redis: RedisServer, *, redis_is_there: bool, how: str
) -> None:
    added = site.first.post(PEOPLE, {"username": "second", "role": "member", "password": PASSWORD}).json()
    person = Visitor(site.second.base_url)
    person.sign_in(person.post("/api/login", {"username": "second", "password": PASSWORD}))
    program = program_of(person)
    chat = begun(site, person)
    site.upstream.script(ENDLESS)
    told = program.ask("POST", "/v1/chat/completions", ASK, whole=False)
    assert told.status == 200
    told.read(100)
    if not redis_is_there:
        redis.kill()

    rest: list[tuple[str, Any]] = []
    with ThreadPoolExecutor(2) as readers:
        ends = [readers.submit(end_of, partial(rest.extend, chat)), readers.submit(end_of, told.read)]
        method, body, status = OUT[how]
        assert site.first.ask(method, f"{PEOPLE}/{added['user']['id']}", body).status == status
        disabled = time.monotonic()
        assert {person.get("/api/me").status for _ in range(12)} == {401}, "of both workers"
        assert {program.get("/v1/models").status for _ in range(12)} == {401}
    assert max(end.result() for end in ends) - disabled < WITHIN_SECONDS
    site.upstream.journal.wait_until_idle()
    assert {name for name, _ in rest} <= {"token", "usage", "done", "error"}
    assert site.row("SELECT COUNT(*) AS n FROM login_sessions WHERE user_id = :id", id=added["user"]["id"]).n == 0
    site.first.assert_sound_ledger()
