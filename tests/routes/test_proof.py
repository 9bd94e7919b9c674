"""What gives rights, keys or money asks for the password again, two hours after signing in."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import reading, transaction
from flask_app.models import LoginSession, User
from flask_app.services.sign_in import proof_service
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import managing, routes
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code

PROOF = "/api/me/proof"
PEOPLE = "/api/admin/users"
# By what an intruder would stay, learn keys, pay or destroy. A new one is written down here.
ASKED = {
    "POST /api/admin/users",
    "PATCH /api/admin/users/<user_id>",
    "DELETE /api/admin/users/<user_id>",
    "POST /api/admin/users/<user_id>/reset-link",
    "POST /api/admin/invitations",
    "POST /api/admin/invitations/many",
    "POST /api/admin/registrations/<registration_id>/accept",
    "DELETE /api/admin/groups/<group_id>",
    "PUT /api/admin/groups/<group_id>/managers",
    "PUT /api/admin/groups/<group_id>/access",
    "PUT /api/admin/groups/<group_id>/supervision",
    "PUT /api/admin/groups/<group_id>/opening-balance",
    "POST /api/managed/<managed_id>/invitations",
    "PATCH /api/managed/<managed_id>/people/<user_id>",
    "POST /api/managed/<managed_id>/people/<user_id>/reset-link",
    "DELETE /api/admin/users/<user_id>/second-step",
    "DELETE /api/admin/users/<user_id>/passkeys",
    "PUT /api/admin/settings/registration",
    "POST /api/admin/identity-providers",
    "PUT /api/admin/identity-providers/<identity_provider_id>",
    "DELETE /api/admin/identity-providers/<identity_provider_id>",
    "POST /api/admin/identity-providers/try",
    "PUT /api/admin/settings/password-sign-in",
    "POST /api/admin/directories",
    "PUT /api/admin/directories/<directory_id>",
    "DELETE /api/admin/directories/<directory_id>",
    "POST /api/admin/directories/try",
    "PUT /api/admin/settings/retention",
    "PUT /api/admin/settings/sharing",
    "PUT /api/admin/settings/web-search",
    "POST /api/admin/keys",
    "PATCH /api/admin/keys/<key_id>",
    "DELETE /api/admin/keys/<key_id>",
    "PATCH /api/admin/providers/<provider_id>",
    "PUT /api/admin/warnings/webhook",
    "DELETE /api/admin/warnings/webhook",
    "POST /api/admin/warnings/webhook/secret",
    "PUT /api/admin/requests/retention",
    "POST /api/admin/prompts",
    "PUT /api/admin/prompts/<shared_prompt_id>",
    "DELETE /api/admin/prompts/<shared_prompt_id>",
    "POST /api/admin/tool-servers",
    "PUT /api/admin/tool-servers/<tool_server_id>",
    "DELETE /api/admin/tool-servers/<tool_server_id>",
    "PUT /api/admin/tool-servers/<tool_server_id>/tools",
    "POST /api/admin/assistants",
    "PATCH /api/admin/assistants/<shared_assistant_id>",
    "DELETE /api/admin/assistants/<shared_assistant_id>",
    "POST /api/admin/budgets",
    "PATCH /api/admin/budgets/<budget_id>",
    "DELETE /api/admin/budgets/<budget_id>",
    "POST /api/admin/budgets/<budget_id>/top-ups",
    "PUT /api/admin/rates/site",
    "PUT /api/admin/rates/groups/<group_id>",
    "POST /api/admin/tariffs",
    "PUT /api/admin/tariffs/<tariff_id>",
    "DELETE /api/admin/tariffs/<tariff_id>",
    "POST /api/admin/records/<record_id>/refund",
    "POST /api/admin/code-batches",
}


def begun_before(age: timedelta) -> None:
    """Every session began so long ago."""
    with transaction() as session:
        for each in session.scalars(select(LoginSession)):
            each.created_at -= age


@pytest.fixture
def old_client(admin_client: PageClient) -> PageClient:
    """An administrator who signed in a little more than two hours ago."""
    begun_before(proof_service.FRESH + timedelta(minutes=1))
    return admin_client


@pytest.mark.security("asked-again")
def test_what_asks_for_the_password_is_written_down(app: Flask) -> None:
    assert {str(route) for route in routes.all_of(app) if hasattr(route.view, "asks_proof")} == ASKED


@pytest.mark.security("asked-again")
@pytest.mark.parametrize("name", sorted(ASKED))
def test_an_old_session_is_asked_first(app: Flask, old_client: PageClient, admin: User, name: str) -> None:
    route = next(route for route in routes.all_of(app) if str(route) == name)
    body = route.body()
    sent = {} if body is None else {"json": body}
    managed = managing.group("a class", admin.username)
    response = old_client.open(route.path(user_id=admin.id, managed_id=managed), method=route.method, **sent)
    assert (response.status_code, error_code(response)) == (403, "password_needed")


@pytest.mark.security("asked-again", "session-renewed")
def test_the_password_renews_the_session(app: Flask, old_client: PageClient) -> None:
    person = {"username": "new", "password": PASSWORD}
    assert error_code(old_client.post(PEOPLE, json=person)) == "password_needed"
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1
    before = old_client.session_token
    proved = old_client.post(PROOF, json={"password": PASSWORD})
    assert proved.status_code == 204
    assert old_client.session_token != before
    old_client.csrf_token = proved.headers["X-CSRF-Token"]
    assert old_client.post(PEOPLE, json=person).status_code == 201
    thief = new_client(app)
    thief.set_cookie("__Host-mingchat", before, secure=True)
    assert thief.get("/api/me").status_code == 401


@pytest.mark.security("asked-again")
def test_another_word_does_not(old_client: PageClient) -> None:
    wrong = old_client.post(PROOF, json={"password": "copper window mountain"})
    assert (wrong.status_code, error_code(wrong)) == (403, "wrong_password")
    assert error_code(old_client.post(PEOPLE, json={"username": "new"})) == "password_needed"
    codes = {error_code(old_client.post(PROOF, json={"password": f"copper window {n}"})) for n in range(20)}
    assert codes == {"wrong_password", "too_many_attempts"}
    assert error_code(old_client.post(PROOF, json={"password": PASSWORD})) == "too_many_attempts"


def test_the_rest_goes_on(old_client: PageClient) -> None:
    assert old_client.get(PEOPLE).status_code == 200
    assert old_client.post("/api/admin/groups", json={"name": "class"}).status_code == 201


def test_members_are_told_that_it_is_not_theirs(old_client: PageClient, make_user: MakeUser, sign_in: SignIn) -> None:
    client = sign_in(make_user("member"))
    assert error_code(client.post(PEOPLE, json={"username": "new"})) == "forbidden"


def test_a_session_of_two_hours_is_not_asked(admin_client: PageClient) -> None:
    begun_before(proof_service.FRESH - timedelta(minutes=1))
    assert admin_client.post(PEOPLE, json={"username": "new"}).status_code == 201


@pytest.mark.parametrize("body", [{}, {"password": 1}, {"password": None}, {"password": PASSWORD, "user": "x"}])
def test_a_body_that_is_not_as_expected_is_refused(member_client: PageClient, body: dict[str, object]) -> None:
    assert member_client.post(PROOF, json=body).status_code == 422


def test_signed_out_there_is_nothing_to_prove(client: PageClient, member: User) -> None:
    assert client.post(PROOF, json={"password": PASSWORD}).status_code == 401
