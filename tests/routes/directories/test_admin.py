"""Directories as administrators set them up: the API, the page, what is audited and what is never told."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from flask_app import config
from flask_app.database import new_id, reading
from flask_app.models import IdentityProvider
from flask_app.services.secrets import sealing
from flask_app.services.sign_in import provider_rows
from tests.support import certificates, directory, identities
from tests.support.clients import PageClient
from tests.support.directory import ALICE_PASSWORD, GROUPS, PEOPLE, PUPILS, READER, READER_PASSWORD, RealDirectory
from tests.support.entrance import error_code, login

ALL = "/api/admin/directories"
PROVIDERS = "/api/admin/identity-providers"
SECRET = "hush-hush-hush-1234"
BODY = {
    "slug": "campus",
    "name": " The Campus ",
    "address": "LDAPS://DC.school.example:636/",
    "base_dn": PEOPLE,
    "bind_dn": READER,
    "bind_password": SECRET,
}


def add(client: PageClient, **fields: Any) -> Any:
    reply = client.post(ALL, json=BODY | fields)
    assert reply.status_code == 201, reply.text
    return reply.get_json()


def of_change(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in BODY.items() if name not in {"slug", "bind_password"}} | fields


def test_a_directory_is_added_and_its_password_told_to_nobody(admin_client: PageClient) -> None:
    made = add(admin_client)
    assert (made["name"], made["slug"], made["address"]) == ("The Campus", "campus", "ldaps://dc.school.example")
    assert (made["has_secret"], made["people"], made["newcomers"], made["plain"]) == (True, 0, "closed", False)
    assert (made["name_attributes"], made["mail_attribute"], made["groups_attribute"]) == (["uid"], "mail", "")
    assert (made["links_by_name"], made["links_by_email"]) == (False, False)
    listed = admin_client.get(ALL)
    assert listed.get_json() == {"directories": [made]}
    assert admin_client.get(PROVIDERS).get_json()["identity_providers"] == []
    page = admin_client.get("/admin/settings").text
    assert "ldaps://dc.school.example" in page
    (entry,) = identities.audited("identity_provider.add")
    for told in (listed.text, page, entry.details):
        assert SECRET not in told
    with reading() as session:
        kept = session.get_one(IdentityProvider, made["id"])
    assert kept.secret
    assert SECRET.encode() not in kept.secret
    assert sealing.unseal(kept.secret, kept.id) == SECRET


def test_a_directory_is_changed_and_keeps_its_password(admin_client: PageClient) -> None:
    made = add(admin_client)
    path = f"{ALL}/{made['id']}"
    changed = admin_client.put(path, json=of_change(name="School", newcomers="open", only="(uid=*)"))
    assert changed.status_code == 200, changed.text
    assert changed.get_json() == made | {"name": "School", "newcomers": "open", "only": "(uid=*)"}
    (entry,) = identities.audited("identity_provider.change")
    assert json.loads(entry.details)["after"] == {"name": "School", "newcomers": "open", "only": "(uid=*)"}
    assert secret_of(made["id"]) == SECRET
    admin_client.put(path, json=of_change(bind_password="another word"))
    assert secret_of(made["id"]) == "another word"
    assert admin_client.put(path, json=of_change(bind_dn="", bind_password="")).get_json()["has_secret"] is False
    assert admin_client.put(f"{ALL}/{new_id()}", json=of_change()).status_code == 404


def secret_of(provider_id: str) -> str | None:
    with reading() as session:
        return provider_rows.secret_of(session.get_one(IdentityProvider, provider_id))


@pytest.mark.security("directory-password-stays")
@pytest.mark.parametrize(
    "fields",
    [
        {"address": "ldaps://elsewhere.example"},
        {"address": "ldap://dc.school.example"},
        {"certificates": certificates.pems("elsewhere")[0].decode()},
        {"bind_dn": "cn=somebody else,dc=school"},
    ],
    ids=["another host", "another way", "another authority", "another account"],
)
def test_the_password_that_is_kept_goes_nowhere_else(admin_client: PageClient, fields: dict[str, str]) -> None:
    made = add(admin_client)
    refused = admin_client.put(f"{ALL}/{made['id']}", json=of_change(**fields))
    assert (refused.status_code, error_code(refused)) == (422, "directory_password_anew")
    tried = {"directory": of_change(**fields), "username": "alice", "directory_id": made["id"]}
    assert error_code(admin_client.post(f"{ALL}/try", json=tried)) == "directory_password_anew"
    assert admin_client.put(f"{ALL}/{made['id']}", json=of_change(**fields, bind_password=SECRET)).status_code == 200


def test_a_provider_of_another_kind_is_not_found(admin_client: PageClient) -> None:
    made, other = add(admin_client), identities.provide("https://id.example.org").provider.id
    assert admin_client.put(f"{ALL}/{other}", json=of_change()).status_code == 404
    assert admin_client.delete(f"{ALL}/{other}").status_code == 404
    assert admin_client.delete(f"{PROVIDERS}/{made['id']}").status_code == 404
    tried = {"directory": of_change(), "username": "alice", "directory_id": other}
    assert admin_client.post(f"{ALL}/try", json=tried).status_code == 404
    assert admin_client.post("/api/login/identity", json={"provider": "campus"}).status_code == 404
    again = admin_client.post(ALL, json=BODY | {"slug": identities.SLUG})
    assert (again.status_code, error_code(again)) == (409, "identity_slug_taken")


def test_a_deleted_directory_leaves_accounts(
    admin_client: PageClient, client: PageClient, campus: RealDirectory
) -> None:
    listed = directory.provide(campus)
    login(client, "alice", ALICE_PASSWORD)
    assert admin_client.get(ALL).get_json()["directories"][0]["people"] == 1
    assert admin_client.delete(f"{ALL}/{listed.provider.id}").status_code == 204
    assert identities.linked() == []
    assert identities.named("alice").username == "alice"
    assert error_code(login(client, "alice", ALICE_PASSWORD)) == "wrong_credentials"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"slug": "The School"}, "bad_identity_slug"),
        ({"name": " "}, "bad_label"),
        ({"address": "dc.school.example"}, "address_not_ldap"),
        ({"address": "https://dc.school.example"}, "address_not_ldap"),
        ({"address": "ldaps://dc.school.example/dc=school"}, "address_not_ldap"),
        ({"address": "ldaps://reader@dc.school.example"}, "address_not_ldap"),
        ({"address": "ldaps://dc.school.example:0"}, "address_not_ldap"),
        ({"plain": True}, "directory_plain_address"),
        ({"base_dn": ""}, "bad_directory_name"),
        ({"base_dn": "people"}, "bad_directory_name"),
        ({"bind_dn": "x=" + "y" * 500}, "bad_directory_name"),
        ({"groups_base": "groups"}, "bad_directory_name"),
        ({"only": "uid=*"}, "bad_directory_filter"),
        ({"only": "(uid=*"}, "bad_directory_filter"),
        ({"only": "(!" * 60 + "(a=b)" + ")" * 60}, "bad_directory_filter"),
        ({"name_attributes": []}, "bad_directory_attribute"),
        ({"name_attributes": ["uid)(x"]}, "bad_directory_attribute"),
        ({"name_attributes": ["a", "b", "c", "d", "e", "f"]}, "bad_directory_attribute"),
        ({"groups_attribute": "member of"}, "bad_directory_attribute"),
        ({"certificates": "no certificate"}, "bad_directory_certificates"),
        ({"bind_password": "x" * 501}, "bad_identity_secret"),
        ({"group_id": "nobody"}, "unknown_group"),
        ({"groups": [{"value": "", "group_id": "0" * 26}]}, "bad_identity_group"),
        ({"newcomers": "sometimes"}, "unknown_mode"),
        ({"domains": ["not a domain"]}, "bad_domains"),
        ({"colour": "red"}, "invalid_field"),
        ({"plain": "yes"}, "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused(admin_client: PageClient, fields: dict[str, Any], code: str) -> None:
    refused = admin_client.post(ALL, json=BODY | fields)
    assert (refused.status_code, error_code(refused)) == (422, code)
    assert admin_client.get(ALL).get_json()["directories"] == []


@pytest.mark.security("directory-tls")
def test_without_tls_is_only_where_the_site_allows_it(
    admin_client: PageClient, client: PageClient, campus: RealDirectory
) -> None:
    fields = {"address": campus.plain_address, "plain": True, "bind_password": READER_PASSWORD, "newcomers": "open"}
    made = add(admin_client, **fields)
    assert login(client, "alice", ALICE_PASSWORD).status_code == 200
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=False))
    assert error_code(admin_client.post(ALL, json=BODY | fields | {"slug": "more"})) == "directory_plain"
    assert error_code(admin_client.put(f"{ALL}/{made['id']}", json=of_change(**fields))) == "directory_plain"
    assert error_code(login(client, "alice", ALICE_PASSWORD)) == "directory_away", "nor is it asked any more"
    assert 'name="plain"' not in admin_client.get("/admin/settings").text


def tried(client: PageClient, campus: RealDirectory, username: str, **fields: Any) -> Any:
    body = of_change(address=campus.address, certificates=campus.certificate, bind_password=READER_PASSWORD)
    asked = {"directory": body | fields, "username": username}
    reply = client.post(f"{ALL}/try", json=asked, headers={"Accept-Language": "en"})
    assert reply.status_code == 200, reply.text
    return reply.get_json()


def test_somebody_is_looked_up_and_nobody_signed_in(admin_client: PageClient, campus: RealDirectory) -> None:
    found = tried(admin_client, campus, "alice", groups_base=GROUPS)
    assert found["works"] is True
    assert found["found"] == {
        "dn": f"uid=alice,{PEOPLE}",
        "login": "alice",
        "email": "alice@school.example",
        "groups": [PUPILS],
    }
    assert tried(admin_client, campus, "nobody") == {"works": True, "message": None, "detail": None, "found": None}
    assert identities.linked() == []
    entry = identities.audited("identity_provider.try")[0]
    assert json.loads(entry.details) == {"address": campus.address, "name": "alice"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"bind_password": "wrong"}, "does not take the password"),
        ({"certificates": ""}, "certificate is not trusted"),
        ({"address": "ldaps://localhost:9"}, "cannot be reached"),
        ({"base_dn": "ou=nowhere,dc=school,dc=example"}, "refuses to be asked so"),
        ({"bind_dn": "", "bind_password": ""}, "refuses to be asked so"),
        ({"address": "ldaps://169.254.169.254"}, "cannot be reached"),
    ],
)
def test_what_is_wrong_is_said(
    admin_client: PageClient, campus: RealDirectory, fields: dict[str, Any], words: str
) -> None:
    said = tried(admin_client, campus, "alice", **fields)
    assert said["works"] is False
    assert words in said["message"]


def test_the_password_that_is_kept_tries_where_it_belongs(admin_client: PageClient, campus: RealDirectory) -> None:
    listed = directory.provide(campus)
    body = of_change(address=campus.address, certificates=campus.certificate, name_attributes=["mail"])
    asked = {"directory": body, "username": "alice@school.example", "directory_id": listed.provider.id}
    assert admin_client.post(f"{ALL}/try", json=asked).get_json()["found"]["dn"] == f"uid=alice,{PEOPLE}"


@pytest.mark.parametrize(("method", "path"), [("GET", ALL), ("POST", ALL), ("POST", f"{ALL}/try")])
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
