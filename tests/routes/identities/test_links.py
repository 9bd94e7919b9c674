"""The identities of one's own account: linked by who is signed in, unlinked while another way is left."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from flask_app.database import transaction, utc_now
from flask_app.models import LoginSession, User
from flask_app.services.sign_in import password_sign_in, proof_service
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import identities
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code
from tests.support.oidc_provider import RealProvider

OWN = "/api/me/identities"


@pytest.fixture
def school_here(school: RealProvider) -> RealProvider:
    identities.provide(school.issuer, secret=school.secret, newcomers="closed")
    return school


def begin(client: PageClient, password: str | None = PASSWORD) -> Any:
    return client.post(OWN, json={"provider": identities.SLUG, "password": password})


def link(client: PageClient, school: RealProvider, login: str = "alice") -> Any:
    return identities.finish(client, school.visit(begin(client).get_json()["location"], login))


def test_one_links_an_identity_and_signs_in_by_it(
    member_client: PageClient, member: User, school_here: RealProvider
) -> None:
    linked = link(member_client, school_here)
    assert linked.get_json() == {"state": "linked", "username": "member", "session": None}
    own = member_client.get(OWN).get_json()
    assert [(each["provider"], each["shown"]) for each in own["identities"]] == [("The School", "alice@school.example")]
    assert own["offered"] == [{"slug": "school", "name": "The School"}]
    assert own["asks_password"] is True
    page = member_client.get("/account").text
    assert "alice@school.example" in page
    stranger = new_client(member_client.application)
    assert identities.sign_in(stranger, school_here, "alice").get_json()["username"] == "member"
    assert identities.audited("identity.link")[0].target == member.id
    assert link(member_client, school_here).status_code == 200, "once more is the same"


def test_the_password_is_asked_for_before(member_client: PageClient, school_here: RealProvider) -> None:
    for wrong in ("not the password, long", None):
        refused = begin(member_client, wrong)
        assert (refused.status_code, error_code(refused)) == (403, "wrong_password")


def test_an_identity_signs_one_person_in(
    member_client: PageClient, make_user: MakeUser, sign_in: SignIn, school_here: RealProvider
) -> None:
    link(member_client, school_here)
    refused = link(sign_in(make_user("other")), school_here)
    assert (refused.status_code, error_code(refused)) == (409, "identity_taken")
    assert len(identities.linked()) == 1


def test_only_who_began_to_link_does(
    member_client: PageClient, make_user: MakeUser, sign_in: SignIn, school_here: RealProvider
) -> None:
    came = school_here.visit(begin(member_client).get_json()["location"], "alice")
    cookie = member_client.get_cookie("__Host-mingchat-identity")
    assert cookie
    member_client.post("/logout")
    other = sign_in(make_user("other"))
    other.set_cookie(cookie.key, cookie.value, secure=True, path="/")
    refused = identities.finish(other, came)
    assert (refused.status_code, error_code(refused)) == (401, "sign_in_required")
    assert identities.linked() == []


def test_the_only_way_in_stays(client: PageClient, school: RealProvider, admin: User) -> None:
    listed = identities.provide(school.issuer, secret=school.secret)
    client.csrf_token = identities.sign_in(client, school, "alice").get_json()["session"]["csrf_token"]
    (own,) = client.get(OWN).get_json()["identities"]
    refused = client.delete(f"{OWN}/{own['id']}")
    assert (refused.status_code, error_code(refused)) == (409, "last_sign_in")
    identities.provide(school.issuer, secret=school.secret, slug="other")
    school.know(alice={}, bob={})
    departed = client.post(OWN, json={"provider": "other", "password": None})
    assert departed.status_code == 200, "who has no password is asked for none"
    assert listed.people == 0


def test_a_password_that_signs_nobody_in_is_no_way(member_client: PageClient, school_here: RealProvider) -> None:
    link(member_client, school_here)
    (own,) = member_client.get(OWN).get_json()["identities"]
    password_sign_in.choose(identities.HOUSE, everybody=False)
    assert error_code(member_client.delete(f"{OWN}/{own['id']}")) == "last_sign_in"
    password_sign_in.choose(identities.HOUSE, everybody=True)
    assert member_client.delete(f"{OWN}/{own['id']}").status_code == 204
    assert identities.linked() == []
    assert identities.audited("identity.unlink")
    assert member_client.delete(f"{OWN}/{own['id']}").status_code == 404


def test_somebody_elses_is_not_there(
    member_client: PageClient, make_user: MakeUser, sign_in: SignIn, school_here: RealProvider
) -> None:
    link(member_client, school_here)
    (own,) = identities.linked()
    stranger = sign_in(make_user("other"))
    assert stranger.delete(f"{OWN}/{own.id}").status_code == 404
    assert stranger.get(OWN).get_json()["identities"] == []


def test_nobody_links_who_is_not_signed_in(client: PageClient) -> None:
    for reply in (client.get(OWN), client.post(OWN, json={"provider": "school"}), client.delete(f"{OWN}/x")):
        assert (reply.status_code, error_code(reply)) == (401, "sign_in_required")


def test_without_a_provider_the_account_says_nothing_of_it(member_client: PageClient) -> None:
    assert "data-linked" not in member_client.get("/account").text


@pytest.mark.parametrize("body", [{}, {"provider": 5}, {"provider": "school", "colour": "red"}])
def test_bad_requests_are_refused(member_client: PageClient, body: dict[str, Any]) -> None:
    assert member_client.post(OWN, json=body).status_code == 422
    assert member_client.post(identities.DEPART, json=body).status_code == 422
    assert member_client.post(identities.FINISH, json=body).status_code == 422


def test_who_has_no_password_reads_what_to_do(
    member_client: PageClient, member: User, school_here: RealProvider
) -> None:
    with transaction() as session:
        session.execute(update(User).where(User.id == member.id).values(password_hash=None))
    member_client.set_cookie("lang", "en")
    assert "You have no password here" in member_client.get("/account").text


@pytest.mark.security("old-session-adds-no-sign-in")
def test_who_has_no_password_must_have_signed_in_lately(
    member_client: PageClient, member: User, school_here: RealProvider
) -> None:
    began(member, utc_now() - proof_service.FRESH - timedelta(seconds=1))
    refused = begin(member_client, None)
    assert (refused.status_code, error_code(refused)) == (403, "sign_in_again")
    assert identities.linked() == []
    began(member, utc_now())
    assert begin(member_client, None).status_code == 200


def began(person: User, at: datetime) -> None:
    """Their sessions, and there is no password."""
    with transaction() as session:
        session.execute(update(User).where(User.id == person.id).values(password_hash=None))
        session.execute(update(LoginSession).where(LoginSession.user_id == person.id).values(created_at=at))


def test_the_number_of_queries_does_not_grow(
    member_client: PageClient, member: User, school_here: RealProvider, query_count: Callable[[], Any]
) -> None:
    link(member_client, school_here)
    with query_count() as one:
        member_client.get(OWN)
    school_here.know(**{f"p{number}": {} for number in range(3)})
    for number in range(3):
        assert link(member_client, school_here, f"p{number}").status_code == 200
    with query_count() as four:
        assert len(member_client.get(OWN).get_json()["identities"]) == 4
    assert len(four) == len(one)
