"""Conversations in a file name their assistants, and find them again by their names."""

from sqlalchemy import update

from flask_app.database import reading, transaction
from flask_app.models import Conversation, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from tests.conftest import MakeUser, SignIn
from tests.routes.test_conversation_imports import exported, how, sent, talk
from tests.support import assisted, talks
from tests.support.clients import PageClient

NAMED = {"name": "Tutor", "icon": "🎓"}
TUTOR = NAMED | {"instructions": "Ask back, and keep it secret."}


def of(conversation_id: str) -> tuple[str | None, str | None]:
    with reading() as session:
        found = session.get_one(Conversation, conversation_id)
        return found.assistant_id, found.shared_assistant_id


def give(conversation_id: str, **columns: str) -> None:
    with transaction() as session:
        session.execute(update(Conversation).where(Conversation.id == conversation_id).values(columns))


def test_a_conversation_finds_its_assistant_again(
    member: User, member_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    made = talks.branched(member)
    give(made.id, assistant_id=assisted.keep(member_client, **TUTOR)["id"])
    file = exported(member_client)
    assert file["conversations"][0]["assistant"] == NAMED
    assert "secret" not in str(file), "what it is told is no part of a conversation"
    another = sign_in(make_user("another"))
    theirs = assisted.keep(another, **TUTOR)["id"]
    assisted.keep(another, **TUTOR | {"name": "tutor"})
    (outcome,) = sent(another, {"conversations": file["conversations"]})
    assert of(outcome["conversation_id"]) == (theirs, None)
    assert exported(another)["conversations"][0]["assistant"] == NAMED


def test_without_one_of_that_name_it_has_none(member_client: PageClient) -> None:
    outcomes = sent(member_client, {"conversations": [talk(assistant={"name": "Tutor"}), talk(id="2", assistant=None)]})
    assert how(outcomes) == ["imported"] * 2
    assert {of(each["conversation_id"]) for each in outcomes} == {(None, None)}


def test_one_that_is_kept_for_others_is_neither_named_nor_found(member: User, member_client: PageClient) -> None:
    site, foreign = assisted.share(name="Site's"), assisted.share(member.group_id, name="Group's")
    made = talks.branched(member)
    give(made.id, shared_assistant_id=foreign.id)
    assert exported(member_client)["conversations"][0]["assistant"]["name"] == "Group's"
    wanted = [talk(id=name, assistant={"name": name}) for name in ("Site's", "Group's")]
    found = [of(each["conversation_id"]) for each in sent(member_client, {"conversations": wanted})]
    assert found == [(None, site.id), (None, foreign.id)]
    club = group_service.add(Actor(None), Choices(name="Club")).group
    with transaction() as session:
        session.execute(update(User).where(User.id == member.id).values(group_id=club.id))
    (kept,) = [each for each in exported(member_client)["conversations"] if each["id"] == made.id]
    assert kept["assistant"] is None
    (outcome,) = sent(member_client, {"conversations": [talk(id="third", assistant={"name": "Group's"})]})
    assert of(outcome["conversation_id"]) == (None, None)
