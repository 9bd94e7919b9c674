"""What an administrator changes on one instance holds on every worker of the other, from the next request on."""

from datetime import timedelta
from typing import Any

import pytest

from flask_app.database import utc_now
from flask_app.models import DEFAULT_GROUP_ID
from tests.support.instances import CREDENTIALS, Site, done, seen
from tests.support.served import PASSWORD, Visitor

pytestmark = pytest.mark.security("change-holds-at-once")

ACCESS = f"/api/admin/groups/{DEFAULT_GROUP_ID}/access"
PRICES = {"input_hit": "1", "input_miss": "1", "output": "1000"}
ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Go."}]}


@pytest.fixture
def program(person: Visitor) -> Visitor:
    secret = person.post("/api/tokens", {"name": "Editor"}).json()["secret"]
    return Visitor(person.base_url, {"Authorization": f"Bearer {secret}"})


def test_what_everybody_sees(site: Site, person: Visitor) -> None:
    visitor = Visitor(site.second.base_url)

    def page_says(words: str) -> bool:
        return words in person.get("/account").data.decode()

    def offered() -> tuple[str, ...]:
        return tuple(prompt["command"] for prompt in person.get("/api/offered-prompts").json()["prompts"])

    assert seen(lambda: "Yucai" in visitor.get("/login").data.decode()) == {False}
    done(site, "PUT", "/api/admin/settings/site", {"name": "Yucai", "locale": None})
    assert seen(lambda: "Yucai" in visitor.get("/login").data.decode()) == {True}

    assert seen(lambda: page_says("closed on Friday")) == {False}
    announced = done(site, "POST", "/api/admin/announcements", {"text": "closed on Friday"})
    assert seen(lambda: page_says("closed on Friday")) == {True}
    done(site, "DELETE", f"/api/admin/announcements/{announced['id']}")
    assert seen(lambda: page_says("closed on Friday")) == {False}

    made = done(site, "POST", "/api/admin/prompts", {"command": "sum", "title": "Sum it up", "text": "Sum it up."})
    assert seen(offered) == {("sum",)}
    done(site, "DELETE", f"/api/admin/prompts/{made['id']}")
    assert seen(offered) == {()}


def test_what_a_group_may(site: Site, person: Visitor, program: Visitor) -> None:
    def answers() -> int:
        return person.post("/api/chat", {"message": "Go."}).status

    def models() -> tuple[str, ...]:
        return tuple(model["name"] for model in person.get("/api/models").json()["models"])

    (both,) = seen(models)
    assert len(both) > 1
    done(site, "PUT", ACCESS, {"models": [both[1]]})
    assert seen(models) == {(both[1],)}
    done(site, "PUT", ACCESS, {"models": None})
    assert seen(models) == {both}

    yesterday = (utc_now() - timedelta(days=2)).isoweekday()  # of no time zone it is today
    done(site, "PUT", ACCESS, {"hours": {"days": [yesterday], "from": "08:00", "to": "09:00"}})
    assert seen(answers) == {403}
    done(site, "PUT", ACCESS, {"hours": None})
    assert seen(answers) == {200}

    assert seen(lambda: program.get("/v1/models").status) == {200}
    done(site, "PUT", ACCESS, {"api": False})
    assert seen(lambda: program.get("/v1/models").status) == {403}
    done(site, "PUT", ACCESS, {"api": True})
    assert seen(lambda: program.get("/v1/models").status) == {200}

    conversation = person.get("/api/conversations").json()["conversations"][0]["id"]
    share = f"/api/conversations/{conversation}/shares"
    done(site, "PUT", "/api/admin/settings/sharing", {"mode": "people"})
    done(site, "PUT", ACCESS, {"sharing": True})
    assert seen(lambda: person.post(share, {}).status) == {201}
    done(site, "PUT", ACCESS, {"sharing": False})
    assert seen(lambda: person.post(share, {}).status) == {403}

    rates = f"/api/admin/rates/groups/{DEFAULT_GROUP_ID}"
    done(site, "PUT", rates, {"messages": {"amount": 1, "seconds": 3600}})
    assert seen(answers) == {429}
    done(site, "PUT", rates, {"messages": None})
    assert seen(answers) == {200}


def test_who_comes_in(site: Site, person: Visitor, program: Visitor) -> None:
    registration = {"password": PASSWORD}
    numbers = iter(range(100))

    def registers() -> int:
        return (
            Visitor(site.second.base_url)
            .post("/api/register", registration | {"username": f"newcomer{next(numbers)}"})
            .status
        )

    assert seen(registers) == {403}
    done(site, "PUT", "/api/admin/settings/registration", {"mode": "open"})
    assert registers() in {200, 201}
    done(site, "PUT", "/api/admin/settings/registration", {"mode": "closed"})
    assert seen(registers) == {403}

    (token,) = done(site, "GET", "/api/admin/tokens")["tokens"]
    assert seen(lambda: program.get("/v1/models").status) == {200}
    done(site, "DELETE", f"/api/admin/tokens/{token['id']}")
    assert seen(lambda: program.get("/v1/models").status) == {401}

    own = Visitor(site.first.base_url)
    own.sign_in(own.post("/api/login", CREDENTIALS))
    assert seen(lambda: person.get("/api/me").status) == {200}
    assert own.ask("DELETE", "/api/me/sessions", None).status in {200, 204}
    assert seen(lambda: person.get("/api/me").status) == {401}


def test_what_is_asked_and_what_it_costs(site: Site, person: Visitor, program: Visitor) -> None:
    def is_offered() -> bool:
        return "deepseek-flash" in {model["name"] for model in person.get("/api/models").json()["models"]}

    def cost() -> int:
        list(person.chat("Go."))
        return int(person.get("/api/usage/records?limit=1").json()["records"][0]["cost_micros"])

    usual = max(seen(cost))
    price = {"model": "deepseek-flash", "currency": "CNY", "prices": PRICES}
    done(site, "POST", "/api/admin/tariffs", price)
    assert min(seen(cost)) > 10 * usual

    (key,) = done(site, "GET", "/api/admin/keys")["keys"]
    done(site, "PATCH", f"/api/admin/keys/{key['id']}", {"disabled": True})
    assert seen(is_offered) == {False}
    assert len(person.get("/api/models").json()["models"]) == 1, "the local model is there, and stands in for no other"
    assert seen(lambda: program.post("/v1/chat/completions", ASK).json()["error"]["code"]) == {"model_not_found"}
    done(site, "PATCH", f"/api/admin/keys/{key['id']}", {"disabled": False})
    assert seen(is_offered) == {True}
    assert program.post("/v1/chat/completions", ASK).status == 200
