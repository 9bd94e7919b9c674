"""One's own passkeys once they are there: named, removed, and nobody else's."""

import json

import pytest

from tests.conftest import PASSWORD
from tests.support import passkeys
from tests.support.clients import PageClient
from tests.support.entrance import STRONG
from tests.support.passkeys import OWN, add, ask, entries, refusal


def test_it_is_renamed(member_client: PageClient) -> None:
    _, passkey = add(member_client)
    renamed = member_client.patch(f"{OWN}/{passkey['id']}", json={"name": "  My phone 手机 "})
    assert renamed.status_code == 200
    assert renamed.json == {"passkey": passkey | {"name": "My phone 手机"}}
    assert member_client.get(OWN).json["passkeys"] == [renamed.json["passkey"]]  # type: ignore[index]
    details = json.loads(entries()[-1].details)
    assert details == {"username": "member", "passkey": "My phone 手机", "before": passkey["name"]}
    member_client.patch(f"{OWN}/{passkey['id']}", json={"name": "My phone 手机"})
    assert [entry.action for entry in entries()] == ["passkey.add", "passkey.rename"], "nothing was changed"


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb", "\u202e", "a\u0000b"])
def test_a_name_that_cannot_be_seen_is_none(member_client: PageClient, name: str) -> None:
    _, passkey = add(member_client)
    refused = member_client.patch(f"{OWN}/{passkey['id']}", json={"name": name})
    assert refusal(refused) == (422, "bad_passkey_name")


def test_it_is_removed_by_the_password(member_client: PageClient) -> None:
    (_, passkey), (_, other) = add(member_client), add(member_client)
    before = member_client.session_token
    wrong = ask(member_client, f"/{passkey['id']}/remove", password=STRONG)
    assert refusal(wrong) == (403, "wrong_password")
    assert ask(member_client, f"/{passkey['id']}/remove", password=PASSWORD).status_code == 204
    assert member_client.session_token != before
    assert member_client.get(OWN).json["passkeys"] == [other]  # type: ignore[index]
    assert (entries()[-1].action, json.loads(entries()[-1].details)["passkey"]) == ("passkey.remove", passkey["name"])
    assert ask(member_client, f"/{passkey['id']}/remove", password=PASSWORD).status_code == 404


def test_somebody_elses_is_not_there(member_client: PageClient, admin_client: PageClient) -> None:
    _, passkey = add(member_client)
    assert admin_client.patch(f"{OWN}/{passkey['id']}", json={"name": "mine"}).status_code == 404
    assert ask(admin_client, f"/{passkey['id']}/remove", password=PASSWORD).status_code == 404
    assert admin_client.get(OWN).json["passkeys"] == []  # type: ignore[index]
    assert passkeys.kept(passkey["id"]).name == passkey["name"]
