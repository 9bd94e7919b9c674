"""Identity providers as administrators set them up: the API, the page, what is audited and what is never told."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from flask_app.database import new_id, reading
from flask_app.models import IdentityProvider
from flask_app.services.people import group_deletion, group_service
from flask_app.services.people.group_service import Choices
from flask_app.services.secrets import sealing
from flask_app.services.sign_in import identity_providers
from tests.support import identities
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.evil_provider import EvilProvider
from tests.support.oidc_provider import RealProvider

ALL = "/api/admin/identity-providers"
PASSWORDS = "/api/admin/settings/password-sign-in"
SECRET = "hush-hush-hush-1234"
BODY = {"slug": "school", "name": " The School ", "issuer": "https://id.example.org/realms/school", "client_id": "chat"}


def add(client: PageClient, **fields: Any) -> Any:
    reply = client.post(ALL, json=BODY | {"client_secret": SECRET} | fields)
    assert reply.status_code == 201, reply.text
    return reply.get_json()


def of_change(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in BODY.items() if name != "slug"} | fields


def test_a_provider_is_added_and_its_secret_told_to_nobody(admin_client: PageClient) -> None:
    made = add(admin_client, groups_claim="groups", groups=[{"value": "pupils", "group_id": "0" * 26}])
    assert (made["name"], made["slug"], made["has_secret"], made["people"]) == ("The School", "school", True, 0)
    assert made["scopes"] == ["openid", "profile", "email"]
    assert (made["newcomers"], made["links_by_email"], made["second_factor"]) == ("closed", False, False)
    listed = admin_client.get(ALL)
    assert listed.get_json() == {"identity_providers": [made], "password_sign_in": {"everybody": True}}
    page = admin_client.get("/admin/settings").text
    assert "https://id.example.org/realms/school" in page
    (entry,) = identities.audited("identity_provider.add")
    for told in (listed.text, page, entry.details):
        assert SECRET not in told
    with reading() as session:
        kept = session.get_one(IdentityProvider, made["id"])
    assert kept.secret
    assert SECRET.encode() not in kept.secret
    assert sealing.unseal(kept.secret, kept.id) == SECRET


def test_a_provider_is_changed_and_keeps_its_secret(admin_client: PageClient) -> None:
    made = add(admin_client)
    path = f"{ALL}/{made['id']}"
    changed = admin_client.put(path, json=of_change(name="Campus", newcomers="open", disabled=True))
    assert changed.status_code == 200, changed.text
    assert changed.get_json() == made | {"name": "Campus", "newcomers": "open", "disabled": True}
    (entry,) = identities.audited("identity_provider.change")
    assert json.loads(entry.details)["after"] == {"disabled": True, "name": "Campus", "newcomers": "open"}
    assert secret_of(made["id"]) == SECRET
    admin_client.put(path, json=of_change(client_secret="another secret"))
    assert secret_of(made["id"]) == "another secret"
    assert admin_client.put(path, json=of_change(client_secret="")).get_json()["has_secret"] is False
    assert admin_client.put(f"{ALL}/{new_id()}", json=of_change()).status_code == 404


def secret_of(provider_id: str) -> str | None:
    with reading() as session:
        return identity_providers.secret_of(session.get_one(IdentityProvider, provider_id))


def test_a_deleted_provider_leaves_accounts(admin_client: PageClient, client: PageClient, school: RealProvider) -> None:
    listed = identities.provide(school.issuer, secret=school.secret)
    identities.sign_in(client, school, "alice")
    assert admin_client.get(ALL).get_json()["identity_providers"][0]["people"] == 1
    assert admin_client.delete(f"{ALL}/{listed.provider.id}").status_code == 204
    assert identities.linked() == []
    assert identities.named("alice").username == "alice"
    assert '"people": 1' in identities.audited("identity_provider.delete")[0].details
    assert admin_client.delete(f"{ALL}/{listed.provider.id}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"slug": "The School"}, 422, "bad_identity_slug"),
        ({"slug": "-"}, 422, "bad_identity_slug"),
        ({"name": " "}, 422, "bad_label"),
        ({"issuer": "id.example.org"}, 422, "address_malformed"),
        ({"issuer": "ftp://id.example.org"}, 422, "address_not_https"),
        ({"issuer": "https://id.example.org/?a=b"}, 422, "address_malformed"),
        ({"issuer": "https://user@id.example.org"}, 422, "address_malformed"),
        ({"client_id": ""}, 422, "bad_client_id"),
        ({"client_secret": "x" * 501}, 422, "bad_identity_secret"),
        ({"scopes": ["two words"]}, 422, "bad_scopes"),
        ({"scopes": [f"s{number}" for number in range(30)]}, 422, "bad_scopes"),
        ({"groups": [{"value": "", "group_id": "0" * 26}]}, 422, "bad_identity_group"),
        ({"groups": [{"value": "x", "group_id": "nobody"}]}, 422, "unknown_group"),
        ({"groups": [{"value": "x", "group_id": "0" * 26}] * 101}, 422, "too_many_identity_groups"),
        ({"group_id": "nobody"}, 422, "unknown_group"),
        ({"newcomers": "sometimes"}, 422, "unknown_mode"),
        ({"domains": ["not a domain"]}, 422, "bad_domains"),
        ({"colour": "red"}, 422, "invalid_field"),
        ({"client_id": 5}, 422, "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused(
    admin_client: PageClient, fields: dict[str, Any], status: int, code: str
) -> None:
    refused = admin_client.post(ALL, json=BODY | fields)
    assert (refused.status_code, error_code(refused)) == (status, code)
    assert admin_client.get(ALL).get_json()["identity_providers"] == []


def test_a_short_name_is_one_providers_and_there_is_an_end_of_them(admin_client: PageClient) -> None:
    add(admin_client)
    again = admin_client.post(ALL, json=BODY)
    assert (again.status_code, error_code(again)) == (409, "identity_slug_taken")
    for number in range(19):
        add(admin_client, slug=f"s{number}")
    refused = admin_client.post(ALL, json=BODY | {"slug": "more"})
    assert (refused.status_code, error_code(refused)) == (409, "too_many_identity_providers")


def test_a_provider_is_tried(admin_client: PageClient, school: RealProvider) -> None:
    tried = admin_client.post(f"{ALL}/try", json={"issuer": f"{school.issuer}/.well-known/openid-configuration"})
    assert tried.get_json() == {
        "works": True,
        "message": None,
        "detail": None,
        "algorithms": ["RS256", "ES256", "EdDSA"],
    }
    assert school.issuer in identities.audited("identity_provider.try")[0].details


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"issuer": "https://elsewhere.example"}, "“https://elsewhere.example”"),
        ({"response_types_supported": ["id_token"]}, "authorization code flow"),
        ({"code_challenge_methods_supported": ["plain"]}, "S256"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "RS256, PS256"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"jwks_uri": "ftp://id.example.org/keys"}, "jwks_uri"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
    ],
)
def test_what_is_wrong_with_a_provider_is_said(
    admin_client: PageClient, evil: EvilProvider, metadata: dict[str, Any], words: str
) -> None:
    evil.metadata = metadata
    tried = admin_client.post(f"{ALL}/try", json={"issuer": evil.issuer}, headers={"Accept-Language": "en"})
    assert tried.get_json()["works"] is False
    assert words in tried.get_json()["message"]


def test_a_provider_without_keys_does_not_do(admin_client: PageClient, evil: EvilProvider) -> None:
    evil.published = [{"kty": "oct", "k": "c2VjcmV0"}]
    tried = admin_client.post(f"{ALL}/try", json={"issuer": evil.issuer}).get_json()
    assert tried["works"] is False
    evil.forget()
    assert admin_client.post(f"{ALL}/try", json={"issuer": evil.issuer}).get_json()["works"], "asked anew each time"
    assert error_code(admin_client.post(f"{ALL}/try", json={"issuer": "nonsense"})) == "address_malformed"


def test_who_signs_in_by_a_password_is_chosen(admin_client: PageClient) -> None:
    assert admin_client.put(PASSWORDS, json={"everybody": False}).get_json() == {"everybody": False}
    assert admin_client.get(ALL).get_json()["password_sign_in"] == {"everybody": False}
    admin_client.put(PASSWORDS, json={"everybody": False})
    (entry,) = identities.audited("password_sign_in.change")
    assert '"after": {"password_sign_in": "administrators"}' in entry.details
    assert error_code(admin_client.put(PASSWORDS, json={})) == "invalid_field"


@pytest.mark.parametrize(("method", "path"), [("GET", ALL), ("POST", ALL), ("POST", f"{ALL}/try"), ("PUT", PASSWORDS)])
def test_administrators_alone_do_that(client: PageClient, member_client: PageClient, method: str, path: str) -> None:
    assert client.open(path, method=method, json={}).status_code == 401
    assert member_client.open(path, method=method, json={}).status_code == 403


def test_the_number_of_queries_does_not_grow(admin_client: PageClient, query_count: Callable[[], Any]) -> None:
    add(admin_client)
    with query_count() as one:
        admin_client.get(ALL)
    for number in range(5):
        add(admin_client, slug=f"s{number}")
    with query_count() as six:
        admin_client.get(ALL)
    assert len(six) == len(one)


def test_a_group_that_is_deleted_is_left_out_of_nothing_else(admin_client: PageClient) -> None:
    readers = group_service.add(identities.HOUSE, Choices(name="Readers")).group.id
    made = add(admin_client, groups_claim="groups", groups=[{"value": "x", "group_id": readers}])
    group_deletion.delete(identities.HOUSE, readers)
    assert admin_client.get("/admin/settings").status_code == 200
    refused = admin_client.put(f"{ALL}/{made['id']}", json=of_change(groups=made["groups"]))
    assert error_code(refused) == "unknown_group", "it is chosen anew"
