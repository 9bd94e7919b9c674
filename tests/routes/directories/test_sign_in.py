"""Signing in by a real directory: the same page, the same two fields, and as whom."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from flask_app.database import reading, transaction
from flask_app.models import DEFAULT_GROUP_ID, GroupManager, LinkedIdentity, Registration, User
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from flask_app.services.sign_in import password_sign_in
from flask_app.web import csrf
from tests.conftest import PASSWORD, MakeUser
from tests.support import authenticator, directory, identities
from tests.support.clients import PageClient, new_client
from tests.support.directory import ALICE_PASSWORD, GROUPS, PEOPLE, PUPILS, RealDirectory
from tests.support.entrance import error_code, login

THERE = "another word, of the directory"


def group(name: str) -> str:
    return group_service.add(directory.HOUSE, Choices(name=name)).group.id


def known(campus: RealDirectory, uid: str, **attributes: str) -> str:
    """Somebody whom only this test knows, with THERE as their password; gives where they are."""
    return campus.know(uid, THERE, **attributes)


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
def test_somebody_new_comes_in_and_is_the_same_person_the_next_time(
    client: PageClient, campus: RealDirectory, way: str
) -> None:
    directory.provide(campus, address=campus.address if way == "ldaps" else campus.plain_address)
    arrived = login(client, "alice", ALICE_PASSWORD)
    assert arrived.status_code == 200, arrived.text
    alice = identities.named("alice")
    assert (alice.email, alice.password_hash, alice.role) == ("alice@school.example", None, "member")
    assert client.get("/api/me").get_json()["user"]["username"] == "alice"
    assert login(new_client(client.application), " ALICE ", ALICE_PASSWORD).status_code == 200
    (linked,) = identities.linked()
    assert (linked.user_id, linked.shown) == (alice.id, "alice")
    assert len(identities.audited("identity.link")) == 1


def test_a_new_name_is_the_same_person_and_an_old_name_another(client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus, name_attributes=("uid", "mail"))
    dn = known(campus, "married", mail="before@school.example")
    assert login(client, "married", THERE).status_code == 200
    campus.change(f"dn: {dn}\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\n")
    campus.change(f"dn: uid=renamed,{PEOPLE}\nchangetype: modify\nreplace: mail\nmail: after@school.example\n")
    assert login(new_client(client.application), "renamed", THERE).get_json()["user"]["username"] == "married"
    known(campus, "married")
    assert login(new_client(client.application), "married", THERE).get_json()["user"]["username"] == "married-2"
    by_mail = login(new_client(client.application), "after@school.example", THERE)
    assert by_mail.get_json()["user"]["username"] == "married"


@pytest.mark.security("directory-answers")
@pytest.mark.parametrize(
    "name", ["alice", "nobody there", "*", "alice)(uid=*", "a\\2a", "alice\x00", "", "(", "uid=alice"]
)
def test_what_is_wrong_is_wrong_in_the_same_way(client: PageClient, campus: RealDirectory, name: str) -> None:
    directory.provide(campus)
    refused = login(client, name, "not the password, though long")
    assert (refused.status_code, error_code(refused)) == (401, "wrong_credentials")
    assert identities.linked() == []


@pytest.mark.security("directory-injection")
@pytest.mark.parametrize("name", ["*", "a*", "alice)(objectClass=*", "*)(uid=alice", "alic\\65", f"uid=alice,{PEOPLE}"])
def test_a_name_is_compared_as_it_was_typed(client: PageClient, campus: RealDirectory, name: str) -> None:
    """With Alice's own password: whoever is found by another name than hers would come in."""
    directory.provide(campus)
    assert login(client, name, ALICE_PASSWORD).status_code == 401
    assert login(client, "alice", ALICE_PASSWORD).status_code == 200


@pytest.mark.security("directory-empty-password")
def test_an_empty_password_is_refused_before_the_directory_hears_of_it(
    client: PageClient, campus: RealDirectory
) -> None:
    """It would answer that everything is fine: a bind without a password is one by nobody (RFC 4513, 5.1.2)."""
    directory.provide(campus)
    before = campus.connections()
    assert error_code(login(client, "alice", "")) == "wrong_credentials"
    assert campus.connections() == before, "it was not even asked"
    assert login(client, "alice", ALICE_PASSWORD).status_code == 200
    assert campus.connections() > before


@pytest.mark.security("directory-one-person")
def test_a_name_of_several_is_nobodys(client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus, name_attributes=("uid", "mail"))
    known(campus, "twin", mail="twins@school.example")
    known(campus, "other", mail="twins@school.example")
    assert error_code(login(client, "twins@school.example", THERE)) == "wrong_credentials"
    assert login(client, "twin", THERE).status_code == 200


def test_only_those_who_match_come_in(client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus, only="(employeeType=teacher)")
    known(campus, "teacher", employeeType="teacher")
    assert login(client, "alice", ALICE_PASSWORD).status_code == 401
    assert login(client, "teacher", THERE).status_code == 200


@pytest.mark.security("directory-locked")
@pytest.mark.parametrize("change", ["locked", "gone"])
def test_who_is_locked_or_gone_there_does_not_come_in(client: PageClient, campus: RealDirectory, change: str) -> None:
    directory.provide(campus)
    dn = known(campus, f"leaver-{change}")
    assert login(client, f"leaver-{change}", THERE).status_code == 200
    if change == "locked":
        campus.lock(dn)
    else:
        campus.forget(dn)
    assert error_code(login(new_client(client.application), f"leaver-{change}", THERE)) == "wrong_credentials"
    assert client.get("/api/me").status_code == 200, "a session that is open goes on, as the documents say"


def test_who_is_disabled_here_stays_out(client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus)
    login(client, "alice", ALICE_PASSWORD)
    with transaction() as session:
        session.get_one(User, identities.named("alice").id).disabled = True
    assert error_code(login(client, "alice", ALICE_PASSWORD)) == "account_disabled"


def test_groups_are_read_at_each_sign_in(client: PageClient, campus: RealDirectory) -> None:
    pupils, others = group("Pupils"), group("Others")
    dn = known(campus, "joiner")
    rows = ((f"CN=Pupils , {GROUPS.upper()}", pupils),)
    directory.provide(campus, groups_attribute="memberOf", groups=rows, group_id=others)
    login(client, "joiner", THERE)
    assert identities.named("joiner").group_id == others
    campus.join(dn, PUPILS)
    login(new_client(client.application), "joiner", THERE)
    assert identities.named("joiner").group_id == pupils
    assert len(identities.audited("identity.move")) == 1


def test_groups_that_name_their_members_do_as_well(client: PageClient, campus: RealDirectory) -> None:
    pupils = group("Pupils")
    directory.provide(campus, groups_base=GROUPS, groups=((PUPILS, pupils),))
    login(client, "alice", ALICE_PASSWORD)
    assert identities.named("alice").group_id == pupils


def test_nobodys_group_is_touched_without_that(client: PageClient, campus: RealDirectory) -> None:
    readers = group("Readers")
    directory.provide(campus)
    login(client, "alice", ALICE_PASSWORD)
    with transaction() as session:
        session.get_one(User, identities.named("alice").id).group_id = readers
    login(client, "alice", ALICE_PASSWORD)
    assert identities.named("alice").group_id == readers


def test_newcomers_wait_or_stay_out(client: PageClient, campus: RealDirectory) -> None:
    listed = directory.provide(campus, newcomers="closed")
    assert error_code(login(client, "alice", ALICE_PASSWORD)) == "identity_unknown"
    directory.change(listed, newcomers="approval")
    for _ in range(2):
        assert error_code(login(client, "alice", ALICE_PASSWORD)) == "sign_in_waits"
    with reading() as session:
        assert [each.username for each in session.scalars(select(Registration))] == ["alice"]
    directory.change(listed, newcomers="open", domains=("elsewhere.example",))
    assert error_code(login(client, "alice", ALICE_PASSWORD)) == "identity_domain"


def test_a_waiting_newcomer_is_let_in(client: PageClient, admin_client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus, newcomers="approval")
    login(client, "alice", ALICE_PASSWORD)
    with reading() as session:
        waiting = session.scalars(select(Registration)).one().id
    assert admin_client.post(f"/api/admin/registrations/{waiting}/accept", json={}).status_code == 200
    assert login(client, "alice", ALICE_PASSWORD).status_code == 200


def test_names_are_kept_apart_unless_it_is_chosen(
    client: PageClient, campus: RealDirectory, make_user: MakeUser
) -> None:
    here = make_user("alice")
    listed = directory.provide(campus)
    assert login(client, "alice", ALICE_PASSWORD).get_json()["user"]["username"] == "alice-2"
    with transaction() as session:
        session.execute(delete(LinkedIdentity))
    directory.change(listed, links_by_name=True)
    taken = login(new_client(client.application), "alice", ALICE_PASSWORD)
    assert taken.get_json()["user"]["username"] == "alice"
    assert identities.linked()[0].user_id == here.id


@pytest.mark.security("directory-takes-nobody-over")
@pytest.mark.parametrize("role", ["admin", "owner"])
def test_an_administrators_name_opens_nothing(
    client: PageClient, campus: RealDirectory, make_user: MakeUser, role: str
) -> None:
    directory.provide(campus, links_by_name=True, links_by_email=True)
    make_user("alice", role, email="alice@school.example")
    assert login(client, "alice", ALICE_PASSWORD).get_json()["user"]["username"] == "alice-2"
    assert login(new_client(client.application), "alice", PASSWORD).get_json()["user"]["username"] == "alice"


@pytest.mark.security("directory-takes-nobody-over")
def test_a_managers_name_opens_nothing(client: PageClient, campus: RealDirectory, make_user: MakeUser) -> None:
    directory.provide(campus, links_by_name=True)
    manager = make_user("alice")
    with transaction() as session:
        session.add(GroupManager(group_id=DEFAULT_GROUP_ID, user_id=manager.id))
    assert login(client, "alice", ALICE_PASSWORD).get_json()["user"]["username"] == "alice-2"


@pytest.mark.security("directory-takes-nobody-over")
def test_who_gets_a_name_later_gets_no_account_with_it(
    client: PageClient, campus: RealDirectory, make_user: MakeUser
) -> None:
    directory.provide(campus, links_by_name=True)
    make_user("smith")
    dn = known(campus, "smith")
    assert login(client, "smith", THERE).get_json()["user"]["username"] == "smith"
    campus.forget(dn)
    known(campus, "smith")
    assert login(new_client(client.application), "smith", THERE).get_json()["user"]["username"] == "smith-2"


@pytest.mark.security("directory-locked")
def test_the_directory_alone_answers_for_its_people(
    app: Flask, client: PageClient, campus: RealDirectory, make_user: MakeUser
) -> None:
    """A password from before would let in whoever is gone there."""
    make_user("alice")
    listed = directory.provide(campus, links_by_name=True)
    assert login(client, "alice", PASSWORD).status_code == 200, "until somebody of the directory has come"
    assert login(client, "alice", ALICE_PASSWORD).status_code == 200
    assert error_code(login(new_client(app), "alice", PASSWORD)) == "wrong_credentials"
    directory.change(listed, disabled=True)
    assert login(new_client(app), "alice", PASSWORD).status_code == 200


def test_people_who_have_a_password_here_sign_in_beside_it(
    client: PageClient, campus: RealDirectory, member: User, admin: User
) -> None:
    directory.provide(campus)
    assert login(client).status_code == 200
    assert login(client, "admin").status_code == 200
    password_sign_in.choose(directory.HOUSE, everybody=False)
    assert error_code(login(client)) == "password_sign_in_off"
    assert login(client, "admin").status_code == 200
    assert login(client, "alice", ALICE_PASSWORD).status_code == 200


def test_the_second_step_is_asked_for(client: PageClient, campus: RealDirectory) -> None:
    listed = directory.provide(campus)
    login(client, "alice", ALICE_PASSWORD)
    secret, _ = authenticator.turn_on(identities.named("alice"))
    fresh = new_client(client.application)
    assert error_code(login(fresh, "alice", ALICE_PASSWORD)) == "second_step_needed"
    finished = fresh.post("/api/login/second-step", json={"code": authenticator.code(secret)})
    assert finished.status_code == 200, finished.text
    directory.change(listed, second_factor=True)
    assert login(new_client(client.application), "alice", ALICE_PASSWORD).status_code == 200


def test_the_password_is_asked_for_again_where_it_is_known(client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus)
    client.csrf_token = login(client, "alice", ALICE_PASSWORD).get_json()["csrf_token"]
    refused: Any = client.post("/api/me/proof", json={"password": "not the password, long"})
    assert (refused.status_code, error_code(refused)) == (403, "wrong_password")
    assert error_code(client.post("/api/me/proof", json={"password": ""})) == "wrong_password"
    proved = client.post("/api/me/proof", json={"password": ALICE_PASSWORD})
    assert proved.status_code == 204, proved.text
    client.csrf_token = proved.headers[csrf.HEADER]
    begun = client.post("/api/me/second-step", json={"password": ALICE_PASSWORD})
    assert begun.status_code == 201, begun.text
