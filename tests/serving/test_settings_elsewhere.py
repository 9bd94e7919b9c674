"""A setting that is changed on one instance holds on every worker of the other from the next request on, and back.

Those that are several steps of one story are in test_changes_elsewhere.py.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from flask_app import i18n
from flask_app.models import DEFAULT_GROUP_ID
from tests.support.instances import CREDENTIALS, Site, done, seen
from tests.support.logos import png
from tests.support.served import Visitor

pytestmark = pytest.mark.security("change-holds-at-once")

Ask = tuple[str, str, Any]
USUAL_SITE: dict[str, Any] = {"name": None, "locale": None, "accent": None}
SEARXNG = "https://search.example.com"
SITE, GROUPS, GROUP = "/api/admin/settings/site", "/api/admin/groups", f"/api/admin/groups/{DEFAULT_GROUP_ID}"
RATES = f"/api/admin/rates/groups/{DEFAULT_GROUP_ID}"
BROWSER = {"Accept": "text/html", "Sec-Fetch-Dest": "document"}
SIGN_IN = i18n.translate("ja", "auth.sign_in")
WORTH = {"slug": "school", "name": "The School", "newcomers": "open"}
PROVIDERS, PROVIDER = "/api/admin/identity-providers", WORTH | {"issuer": "https://id.example", "client_id": "x"}


@dataclass(frozen=True)
class Case:
    """`look` is `usual` before the change and after it has been taken back, by `back` of what it gave."""

    change: Callable[[Site], Ask]
    back: Callable[[Any], Ask]
    look: Callable[[Site, Visitor], object]
    usual: object
    changed: object


def put(path: str, body: Any, back: Any) -> dict[str, Any]:
    return {"change": lambda _: ("PUT", path, body), "back": lambda _: ("PUT", path, back)}


def add(path: str, body: Callable[[Site], Any]) -> dict[str, Any]:
    return {
        "change": lambda site: ("POST", path, body(site)),
        "back": lambda made: ("DELETE", f"{path}/{made['id']}", None),
    }


def says(path: str, words: str, *, signed_in: bool = False) -> dict[str, Any]:
    """Whether a page of the second instance does."""

    def look(site: Site, person: Visitor) -> bool:
        return words in (person if signed_in else Visitor(site.second.base_url, BROWSER)).get(path).data.decode()

    return {"look": look, "usual": False, "changed": True}


def chats(code: str) -> dict[str, Any]:
    """What becomes of a message."""

    def look(_: Site, person: Visitor) -> str:
        reply = person.post("/api/chat", {"message": "Go."})
        return "" if reply.status == 200 else str(reply.json()["error"]["code"])

    return {"look": look, "usual": "", "changed": code}


def reads(tokens: int) -> Callable[[Any], Ask]:
    """So much of a conversation, the one model in what is told of all."""

    def ask(told: Any) -> Ask:
        model = next(each for each in told["models"] if each["name"] == "deepseek-flash")
        return (
            "PUT",
            f"/api/admin/models/{model['id']}",
            {"successor_id": None, "aliases": [], "context_tokens": tokens},
        )

    return ask


def context(_: Site, person: Visitor) -> int:
    listed = person.get("/api/models").json()["models"]
    return next(int(each["context_tokens"]) for each in listed if each["name"] == "deepseek-flash")


def is_listed(provider: str) -> dict[str, Any]:
    def look(_: Site, person: Visitor) -> bool:
        return provider in {each["provider"] for each in person.get("/api/models").json()["models"]}

    return {"look": look, "usual": False, "changed": True}


def moved(site: Site) -> Ask:
    """Into a group that may ask nothing but one model."""
    group = done(site, "POST", GROUPS, {"name": "Readers"})["id"]
    done(site, "PUT", f"{GROUPS}/{group}/access", {"models": ["deepseek-v4-pro"]})
    return "PATCH", f"/api/admin/users/{person_id(site)}", {"group_id": group}


def shared(site: Site) -> Ask:
    """By the site, where the group has been let already."""
    done(site, "PUT", f"{GROUP}/access", {"sharing": True})
    return "PUT", "/api/admin/settings/sharing", {"mode": "people"}


def shares(site: Site, person: Visitor) -> int:
    conversations = person.get("/api/conversations").json()["conversations"]
    if not conversations:
        list(person.chat("Go."))
        return shares(site, person)
    return person.post(f"/api/conversations/{conversations[0]['id']}/shares", {}).status


def by_password_alone(site: Site) -> Ask:
    """Not any more, where there is another way."""
    done(site, "POST", PROVIDERS, PROVIDER)
    return "PUT", "/api/admin/settings/password-sign-in", {"everybody": False}


def signs_in(site: Site, _: Visitor) -> int:
    return Visitor(site.second.base_url).post("/api/login", CREDENTIALS).status


def person_id(site: Site) -> str:
    return str(site.row("SELECT id FROM users WHERE username = 'second'").id)


def files(_: Site, person: Visitor) -> int:
    return person.send("/api/files?name=x.txt", b"words").status


EVERYBODY = {
    "its language": Case(**put(SITE, USUAL_SITE | {"locale": "ja"}, USUAL_SITE), **says("/login", SIGN_IN)),
    "its colour": Case(**put(SITE, USUAL_SITE | {"accent": "#8c1d5f"}, USUAL_SITE), **says("/login", "#8c1d5f")),
    "its logo": Case(
        change=lambda _: ("PUT", "/api/admin/settings/logo", {"content": base64.b64encode(png()).decode()}),
        back=lambda _: ("DELETE", "/api/admin/settings/logo", None),
        **says("/login", "/logo"),
    ),
    "how long conversations are kept": Case(
        **put("/api/admin/settings/retention", {"days": 3650}, {"days": None}), **says("/", "3650", signed_in=True)
    ),
    "how long requests are kept": Case(
        **put("/api/admin/requests/retention", {"days": 3}, {"days": 30}),
        look=lambda site, _: site.second.get("/api/admin/requests/retention").json()["days"],
        usual=30,
        changed=3,
    ),
    "whether links are shared": Case(
        change=shared,
        back=lambda _: ("PUT", "/api/admin/settings/sharing", {"mode": "off"}),
        look=shares,
        usual=403,
        changed=201,
    ),
    "who searches the web": Case(
        **put("/api/admin/settings/web-search", {"engine": "searxng", "url": SEARXNG}, {"engine": "off"}),
        **says("/", '"search":true', signed_in=True),
    ),
    "who asks to come in": Case(
        **put("/api/admin/settings/registration", {"mode": "approval"}, {"mode": "closed"}),
        **says("/login", "/register"),
    ),
    "an identity provider": Case(
        **add(PROVIDERS, lambda _: PROVIDER),
        **says("/login", "The School"),
    ),
    "a directory": Case(
        **add("/api/admin/directories", lambda _: WORTH | {"address": "ldaps://dir.example", "base_dn": "dc=x"}),
        **says("/login", "The School"),
    ),
    "who signs in by password": Case(
        change=by_password_alone,
        back=lambda _: ("PUT", "/api/admin/settings/password-sign-in", {"everybody": True}),
        look=signs_in,
        usual=200,
        changed=403,
    ),
}
GROUP_MAY = {
    "who manages it": Case(
        **put(f"{GROUP}/managers", {"usernames": ["second"]}, {"usernames": []}),
        look=lambda _, person: person.get(f"/managed/{DEFAULT_GROUP_ID}").status,
        usual=404,
        changed=200,
    ),
    "whether it is supervised": Case(
        **put(f"{GROUP}/supervision", {"supervised": True}, {"supervised": False}), **chats("supervision_unseen")
    ),
    "how many files it keeps": Case(
        change=lambda _: ("PATCH", GROUP, {"file_quota_mb": 0}),
        back=lambda _: ("PATCH", GROUP, {"file_quota_mb": 200}),
        look=files,
        usual=201,
        changed=403,
    ),
    "how often it downloads": Case(
        **put(RATES, {"downloads": {"amount": 1, "seconds": 86400}}, {}),
        look=lambda _, person: person.get("/api/usage/records/export?format=csv").status,
        usual=200,
        changed=429,
    ),
    "what it may use": Case(
        **add(
            "/api/admin/budgets",
            lambda _: {"scope": "group", "scope_id": DEFAULT_GROUP_ID, "period": "day", "limit": 1},
        ),
        **chats("budget_exhausted"),
    ),
    "who is in it": Case(
        change=moved,
        back=lambda made: ("PATCH", f"/api/admin/users/{made['user']['id']}", {"group_id": DEFAULT_GROUP_ID}),
        look=lambda _, person: "deepseek-flash" in person.get("/api/models").data.decode(),
        usual=True,
        changed=False,
    ),
}
MODELS = {
    "how much one reads": Case(
        change=lambda site: reads(4096)(site.first.get("/api/admin/models").json()),
        back=reads(1_000_000),
        look=context,
        usual=1_000_000,
        changed=4096,
    ),
    "a key for more of them": Case(
        **add(
            "/api/admin/keys",
            lambda site: {
                "label": "near",
                "secret": "sk-near-0123",
                "base_url": site.upstream.base_url,
                "provider_name": "Nearby",
            },
        ),
        **is_listed("Nearby"),
    ),
}


@pytest.mark.parametrize("cases", [EVERYBODY, GROUP_MAY, MODELS], ids=["everybody", "a group", "models"])
def test_a_setting_holds_elsewhere_until_it_is_taken_back(site: Site, person: Visitor, cases: dict[str, Case]) -> None:
    for name, case in cases.items():
        before = seen(partial(case.look, site, person))
        made = done(site, *case.change(site))
        between = seen(partial(case.look, site, person))
        done(site, *case.back(made))
        after = seen(partial(case.look, site, person))
        assert (before, between, after) == ({case.usual}, {case.changed}, {case.usual}), name
