"""What a person changes of a token on one instance holds on every worker of the other, from the next request on."""

from functools import partial
from typing import Any

import pytest

from tests.support.brokers import wait_until
from tests.support.instances import ENDLESS, Site, seen
from tests.support.scripted_upstream import Answer
from tests.support.served import Visitor

ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Go."}], "stream": True}
BRIEF = Answer("word " * 60, tokens_per_second=50)


def outcome(site: Site, person: Visitor, program: Visitor, answer: Answer) -> str:
    """Of an answer that the program leaves as soon as it has begun."""

    def booked() -> list[Any]:
        return list(person.get("/api/usage/records").json()["records"])

    before = booked()
    site.upstream.script(answer)
    told = program.ask("POST", "/v1/chat/completions", ASK, whole=False)
    assert told.status == 200, told.data
    told.read(10)
    told.close()
    wait_until(lambda: booked()[:1] != before[:1])
    return str(booked()[0]["outcome"])


@pytest.mark.security("change-holds-at-once")
def test_what_becomes_of_answers_whose_program_leaves(site: Site, person: Visitor) -> None:
    token = person.post("/api/tokens", {"name": "Editor"}).json()
    program = Visitor(site.second.base_url, {"Authorization": f"Bearer {token['secret']}"})
    elsewhere = Visitor(site.first.base_url, person.headers)
    leave_long, leave_brief = (partial(outcome, site, person, program, answer) for answer in (ENDLESS, BRIEF))

    def change(choice: str) -> None:
        access: dict[str, Any] = {"requests_per_minute": None, "networks": [], "on_disconnect": choice}
        assert elsewhere.ask("PUT", f"/api/tokens/{token['token']['id']}/access", access).status == 200

    assert seen(leave_long) == {"left"}
    change("continue")
    assert seen(leave_brief) == {"complete"}
    change("stop")
    assert seen(leave_long) == {"left"}
