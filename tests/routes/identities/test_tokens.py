"""A provider that lies, or that is broken: nobody comes in, and the person is told what is wrong."""

import base64
import dataclasses
import hmac
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from flask_app import config
from flask_app.services.sign_in import oidc_provider
from flask_app.upstream import exchange
from tests.support import identities
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.evil_provider import EvilProvider

Lie = Callable[[EvilProvider, dict[str, Any]], Any]


def unsigned(claims: dict[str, Any], header: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def by_public_key(evil: EvilProvider, claims: dict[str, Any]) -> str:
    """Signed with what everybody knows, as if it were a secret."""
    header = {"alg": "HS256", "kid": "one"}
    signed = unsigned(claims, header).rpartition(".")[0]
    return unsigned(claims, header, hmac.digest(evil.key.as_pem(private=False), signed.encode(), "sha256"))


def by_another_key(_: EvilProvider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, RSAKey.generate_key(2048, {"kid": "one"}))


def with_claims(**others: Any) -> Lie:
    def lie(evil: EvilProvider, claims: dict[str, Any]) -> str:
        return evil.honest({name: value for name, value in (claims | others).items() if value is not None})

    return lie


def with_times(*, issued: int, ends: int) -> Lie:
    """So many seconds from the moment at which it is told."""

    def lie(evil: EvilProvider, claims: dict[str, Any]) -> str:
        now = int(time.time())
        return evil.honest(claims | {"iat": now + issued, "exp": now + ends})

    return lie


LIES: dict[str, tuple[Lie, str]] = {
    "another audience": (with_claims(aud="another client"), "identity_token_invalid"),
    "another audience in our name": (with_claims(aud="another client", azp="site"), "identity_token_invalid"),
    "no audience": (with_claims(aud=None), "identity_token_invalid"),
    "several audiences without azp": (with_claims(aud=["site", "other"], azp="other"), "identity_token_invalid"),
    "another issuer": (with_claims(iss="https://elsewhere.example"), "identity_token_invalid"),
    "no issuer": (with_claims(iss=None), "identity_token_invalid"),
    "another nonce": (with_claims(nonce="of another sign-in"), "identity_token_invalid"),
    "no nonce": (with_claims(nonce=None), "identity_token_invalid"),
    "no subject": (with_claims(sub=None), "identity_token_invalid"),
    "a subject that is no text": (with_claims(sub=5), "identity_token_invalid"),
    "an empty subject": (with_claims(sub=""), "identity_token_invalid"),
    "another access token": (with_claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), "identity_token_invalid"),
    "no expiry": (with_claims(exp=None), "identity_token_invalid"),
    "expired": (with_times(issued=-7200, ends=-3600), "identity_clock"),
    "from the future": (with_times(issued=3600, ends=7200), "identity_clock"),
    "signed by nobody": (lambda _, claims: unsigned(claims, {"alg": "none"}), "identity_token_invalid"),
    "signed by nobody, with a key": (
        lambda _, claims: unsigned(claims, {"alg": "none", "kid": "one"}, b"x"),
        "identity_token_invalid",
    ),
    "signed with the public key": (by_public_key, "identity_token_invalid"),
    "signed by another key": (by_another_key, "identity_token_invalid"),
    "signed by a key that nobody has": (lambda evil, claims: evil.honest(claims, kid="two"), "identity_token_invalid"),
    "no token": (lambda *_: "", "identity_token_invalid"),
    "garbage": (lambda *_: "a.b.c", "identity_token_invalid"),
    "not a text": (lambda *_: 5, "identity_token_invalid"),
    "longer than any": (lambda *_: "x" * 70_000, "identity_token_invalid"),
}


def arrive(client: PageClient, evil: EvilProvider, **came: str) -> Any:
    location = identities.depart(client)
    return identities.finish(client, evil.visit(location) | came)


def test_an_honest_token_is_taken(client: PageClient, evil: EvilProvider) -> None:
    """What the lies differ from."""
    identities.provide(evil.issuer)
    assert arrive(client, evil).status_code == 200
    (form,) = evil.tokens
    assert len(form["code_verifier"]) == 43
    assert form["redirect_uri"] == identities.CALLBACK


@pytest.mark.parametrize("name", LIES)
def test_a_token_that_lies_lets_nobody_in(client: PageClient, evil: EvilProvider, name: str) -> None:
    identities.provide(evil.issuer)
    lie, code = LIES[name]
    evil.token = lambda claims: lie(evil, claims)
    refused = arrive(client, evil)
    assert (refused.status_code, error_code(refused)) == (502, code), refused.text
    assert client.get("/api/me").status_code == 401
    assert identities.linked() == []


def test_a_little_difference_of_clocks_is_nobodys_fault(client: PageClient, evil: EvilProvider) -> None:
    identities.provide(evil.issuer)
    now = int(time.time())
    evil.token = lambda claims: evil.honest(claims | {"iat": now + 60, "exp": now + 90})
    assert arrive(client, evil).status_code == 200


def test_a_key_that_is_new_is_fetched(client: PageClient, evil: EvilProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    identities.provide(evil.issuer)
    assert arrive(client, evil).status_code == 200
    evil.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    evil.published = [evil.key.as_dict(private=False)]
    evil.token = lambda claims: evil.honest(claims, kid="two")
    assert error_code(arrive(client, evil)) == "identity_token_invalid", "not a moment after they were read"
    monkeypatch.setattr(oidc_provider, "KEYS_AGAIN_SECONDS", 0)
    assert arrive(client, evil).status_code == 200
    evil.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


def test_claims_of_the_userinfo_endpoint_count_for_the_same_person_alone(
    client: PageClient, evil: EvilProvider
) -> None:
    identities.provide(evil.issuer)
    evil.userinfo = {"preferred_username": "carol", "sub": "somebody else"}
    assert error_code(arrive(client, evil)) == "identity_token_invalid"
    evil.userinfo = {"preferred_username": "carol", "iss": "elsewhere"}
    assert arrive(client, evil).get_json()["username"] == "carol"


@pytest.mark.parametrize(
    ("tells", "iss", "code"),
    [
        (True, None, "identity_wrong_issuer"),
        (True, "https://elsewhere.example", "identity_wrong_issuer"),
        (False, "https://elsewhere.example", "identity_wrong_issuer"),
        (True, "its own", None),
        (False, "its own", None),
    ],
)
def test_who_answers_is_who_was_asked(
    client: PageClient, evil: EvilProvider, tells: bool, iss: str | None, code: str | None
) -> None:
    evil.metadata = {"authorization_response_iss_parameter_supported": tells}
    identities.provide(evil.issuer)
    said = {} if iss is None else {"iss": evil.issuer if iss == "its own" else iss}
    reply = arrive(client, evil, **said)
    assert (error_code(reply) if reply.status_code != 200 else None) == code
    assert (evil.tokens == []) == bool(code), "the code goes to nobody else"


def test_a_state_of_another_provider_is_none(client: PageClient, evil: EvilProvider) -> None:
    identities.provide(evil.issuer)
    identities.provide(evil.issuer, slug="other")
    came = evil.visit(identities.depart(client, "other"))
    assert error_code(identities.finish(client, came)) == "sign_in_expired"


@pytest.mark.parametrize("error", ["server_error", "login_required", "<script>alert(1)</script>"])
def test_an_error_there_is_told_in_our_words(client: PageClient, evil: EvilProvider, error: str) -> None:
    identities.provide(evil.issuer)
    location = identities.depart(client)
    came = {"state": evil.visit(location)["state"], "error": error}
    refused = identities.finish(client, came)
    assert (refused.status_code, error_code(refused)) == (502, "identity_provider_refused")
    assert error not in refused.text


@pytest.mark.parametrize(
    ("status", "reply", "code"),
    [
        (500, b"{}", "identity_provider_refused"),
        (302, b"{}", "identity_provider_refused"),
        (200, b"<html>", "identity_provider_garbage"),
        (200, b"[]", "identity_provider_garbage"),
        (200, b"\xff", "identity_provider_garbage"),
        (200, b" " * (2 << 20), "identity_provider_garbage"),
        (200, b"{}", "identity_issuer_differs"),
    ],
)
def test_a_provider_that_is_broken_is_told_of(
    client: PageClient, evil: EvilProvider, status: int, reply: bytes, code: str
) -> None:
    identities.provide(evil.issuer)
    evil.status, evil.reply = status, reply
    refused = client.post(identities.DEPART, json={"provider": identities.SLUG})
    assert (refused.status_code, error_code(refused)) == (502, code)


def test_a_provider_that_is_down_is_told_of(client: PageClient) -> None:
    identities.provide("http://127.0.0.1:9")
    refused = client.post(identities.DEPART, json={"provider": identities.SLUG})
    assert (refused.status_code, error_code(refused)) == (502, "identity_provider_unreachable")


def test_a_provider_that_says_nothing_is_not_waited_for_long(
    client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "WHOLE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        identities.provide(f"http://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        refused = client.post(identities.DEPART, json={"provider": identities.SLUG})
    assert (refused.status_code, error_code(refused)) == (502, "identity_provider_timeout")
    assert time.monotonic() - begun < 10


def test_private_addresses_are_asked_only_where_the_operator_allows_it(client: PageClient, evil: EvilProvider) -> None:
    identities.provide(evil.issuer)
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=False))
    refused = client.post(identities.DEPART, json={"provider": identities.SLUG})
    assert (refused.status_code, error_code(refused)) == (502, "identity_provider_private")
    assert evil.asked == []
