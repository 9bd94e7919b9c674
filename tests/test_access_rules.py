"""Every route says who may call it, and reaches its check before anything else."""

from typing import Any

import pytest
from flask import Flask

RULES = {"public", "login", "manager", "admin", "owner", "token"}
# What anybody may call. A new public route is a decision: it is written down here.
PUBLIC = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",  # for whoever has METRICS_TOKEN
    "GET /login",
    "GET /setup",
    "GET /reset",
    "GET /forgot",
    "GET /join",
    "GET /register",
    "GET /confirm",
    "GET /login/callback/<slug>",
    "GET /static/<digest>/<path:name>",
    "GET /manifest.webmanifest",
    "GET /logo/<digest>",  # the site's own, as its pages show it
    "GET /frames/picture",  # empty, and the same for everybody
    "GET /frames/diagram",
    "GET /offline",
    "GET /s/<share_token>",  # what somebody shares, where the site allows that
    "POST /api/shared/opened",  # that it is read
    "GET /sw.js",
    "POST /api/login",
    "POST /api/login/second-step",
    "POST /api/login/passkey/options",
    "POST /api/login/passkey",
    "POST /api/login/identity",
    "POST /api/login/identity/finish",
    "POST /api/setup",
    "POST /api/join",
    "POST /api/join/check",
    "POST /api/register",
    "POST /api/register/confirm",
    "POST /api/password-reset",
    "POST /api/password-reset/check",
    "POST /api/password-reset/letter",  # the same reply, whoever is meant
    "POST /logout",
}


def routes(app: Flask) -> dict[str, Any]:
    """`GET /path` → the view."""
    return {
        f"{method} {rule.rule}": app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@pytest.mark.security("route-has-rule")
def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    undeclared = {name for name, view in routes(app).items() if getattr(view, "access_rule", None) not in RULES}
    assert undeclared == set()


@pytest.mark.security("route-has-rule")
def test_what_is_public_is_meant_to_be(app: Flask) -> None:
    assert {name for name, view in routes(app).items() if view.access_rule == "public"} == PUBLIC


def test_the_administrators_part_is_the_administrators(app: Flask) -> None:
    for name, view in routes(app).items():
        assert (view.access_rule in {"admin", "owner"}) == ("/admin" in name), name


def test_what_managers_do_names_their_group(app: Flask) -> None:
    for name, view in routes(app).items():
        assert (view.access_rule == "manager") == ("/managed/" in name) == ("<managed_id>" in name), name


def test_what_only_owners_may_is_who_else_owns_the_site(app: Flask) -> None:
    assert {name for name, view in routes(app).items() if view.access_rule == "owner"} == {
        "POST /api/admin/users/<user_id>/ownership",
        "POST /api/admin/users/<user_id>/ownership/end",
    }


def test_what_a_token_opens_is_the_gateway(app: Flask) -> None:
    for name, view in routes(app).items():
        assert (view.access_rule == "token") == (" /v1/" in name), name


@pytest.mark.security("fields-named")
def test_every_api_route_describes_its_reply(app: Flask) -> None:
    for name, view in routes(app).items():
        if " /api/" in name:
            assert any(hasattr(view, how) for how in ("reply_type", "streams", "content_types")), name


def test_every_change_with_a_body_names_its_fields(app: Flask) -> None:
    """A view without a declared body never looks at one."""
    for name, view in routes(app).items():
        if name.startswith("PATCH "):
            assert hasattr(view, "body_type"), name


@pytest.mark.security("no-debugger")
def test_the_debugger_is_unreachable(app: Flask) -> None:
    assert not app.debug
    assert not any("console" in name or "debug" in name for name in routes(app))


@pytest.mark.security("no-debugger")
@pytest.mark.parametrize("path", ["/console", "/?__debugger__=yes&cmd=resource&f=debugger.js"])
def test_asking_for_the_debugger_finds_none(app: Flask, path: str) -> None:
    response = app.test_client().get(path, base_url="https://localhost")
    assert response.status_code in {302, 404}
    assert b"EVALEX" not in response.data
