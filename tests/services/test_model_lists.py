"""Lists of models: the first key that answers gives its provider's, and no other act changes one."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import Provider
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import environment_key, key_admin_service, model_lists, model_service
from flask_app.services.providers.key_admin_service import NewKey
from tests.support.keys import change_key, keep_key, keep_provider, stored_key
from tests.support.scripted_upstream import ScriptedUpstream, Status
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

CONSOLE, FIRST, MODELS = Actor(None), environment_key.ID, "/models"
BOTH = ["deepseek-flash", "deepseek-v4-pro"]


@dataclass(frozen=True)
class Listed:
    """What one key may use."""

    names: tuple[str, ...]

    def play(self, reply: Reply, request: Received) -> None:
        reply.json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.names]})


@pytest.fixture
def provider_id(upstream: ScriptedUpstream) -> str:
    """That of the environment's key, which may use BOTH models; the key `other`, asked after it, has one of its own."""
    model_service.available()
    provider_id = stored_key(FIRST).provider_id
    keep_key(provider_id, "other", priority=1)
    has(upstream, "other", "deepseek-flash", "new")
    upstream.journal.clear()
    return provider_id


def has(upstream: ScriptedUpstream, key: str, *names: str) -> None:
    """What a key may use from now on."""
    upstream.script(Listed(names), path=MODELS, key=secret_of(key), always=True)


def secret_of(key_id: str) -> str:
    return "test-key" if key_id == FIRST else f"secret of {key_id}"


def offered() -> list[str]:
    return [model.name for model in model_service.available()]


def asked(upstream: ScriptedUpstream) -> list[str]:
    return [request.key or "" for request in upstream.journal if request.path == MODELS]


def due_in(provider_id: str) -> timedelta:
    """How long until it is read anew."""
    with reading() as session:
        due = session.get_one(Provider, provider_id).models_due_at
    assert due
    return due - utc_now()


def sync() -> None:
    with transaction() as session:
        session.execute(update(Provider).values(models_due_at=utc_now() - timedelta(seconds=1)))
    model_lists.sync_due()


def test_the_first_key_gives_the_list_and_no_other_is_asked(upstream: ScriptedUpstream, provider_id: str) -> None:
    has(upstream, FIRST, "Deepseek-Flash", "next")
    sync()
    assert asked(upstream) == ["test-key"]
    assert offered() == ["deepseek-flash", "next"]
    assert timedelta(hours=5) < due_in(provider_id) <= model_lists.SYNC_EVERY


def test_the_keys_are_asked_in_their_order(upstream: ScriptedUpstream, provider_id: str) -> None:
    change_key("other", priority=-1)
    sync()
    assert asked(upstream) == ["secret of other"]
    assert offered() == ["deepseek-flash", "new"]


@pytest.mark.parametrize("failure", [Status(401), Status(503), Status(200, "no list")])
def test_where_the_first_key_does_not_answer_the_next_one_gives_the_list(
    upstream: ScriptedUpstream, provider_id: str, failure: Status
) -> None:
    """A dead key that is left switched on keeps no withdrawn model on the list."""
    upstream.script(failure, path=MODELS, key=secret_of(FIRST))
    sync()
    assert asked(upstream) == ["test-key", "secret of other"]
    assert offered() == ["deepseek-flash", "new"]
    assert due_in(provider_id) > timedelta(hours=5)
    assert stored_key(FIRST).last_error_code


def test_a_key_that_cannot_be_read_is_passed_over(upstream: ScriptedUpstream, provider_id: str) -> None:
    change_key(FIRST, secret=b"sealed with a key that is lost")
    sync()
    assert asked(upstream) == ["secret of other"]
    assert offered() == ["deepseek-flash", "new"]


def test_where_no_key_answers_the_list_stays_and_the_keys_say_why(upstream: ScriptedUpstream, provider_id: str) -> None:
    keep_key(provider_id, "off", disabled=True)
    upstream.forget_scripts()
    for key in (FIRST, "other"):
        upstream.script(Status(401), path=MODELS, key=secret_of(key))
    sync()
    assert asked(upstream) == ["test-key", "secret of other"]
    assert offered() == BOTH
    assert due_in(provider_id) <= model_lists.RETRY_SYNC
    assert {stored_key(key).last_error_code for key in (FIRST, "other")} == {"upstream_key_refused"}


@pytest.mark.parametrize("disabled", [False, True])
def test_a_test_by_hand_says_what_the_key_may_use_and_changes_no_list(
    upstream: ScriptedUpstream, provider_id: str, disabled: bool
) -> None:
    change_key("other", disabled=disabled)
    trial = key_admin_service.test(CONSOLE, "other")
    assert (trial.models, offered()) == (["deepseek-flash", "new"], BOTH)
    has(upstream, FIRST, "next")
    assert key_admin_service.test(CONSOLE, FIRST).models == ["next"]
    assert offered() == BOTH, "that of the first key neither"
    assert due_in(provider_id) > timedelta(hours=5)


def test_a_further_key_changes_no_list(upstream: ScriptedUpstream, provider_id: str) -> None:
    upstream.script(Listed(("deepseek-flash", "new")), path=MODELS, key="sk-added-0000")
    key_admin_service.add(CONSOLE, NewKey(label="added", secret="sk-added-0000", base_url=upstream.base_url))
    assert asked(upstream) == ["sk-added-0000"]
    assert offered() == BOTH


def test_the_first_key_of_a_provider_makes_its_list_at_once(upstream: ScriptedUpstream, provider_id: str) -> None:
    upstream.script(Listed(("far",)), path=MODELS, key="sk-added-0000")
    new = NewKey(label="added", secret="sk-added-0000", base_url=upstream.base_url, provider_name="Elsewhere")
    elsewhere = key_admin_service.add(CONSOLE, new).key.provider_id
    assert elsewhere != provider_id
    assert offered() == [*BOTH, "far"]
    assert timedelta(hours=5) < due_in(elsewhere) <= model_lists.SYNC_EVERY


def test_a_test_makes_the_list_of_a_provider_without_one_but_not_with_a_key_that_is_off(
    upstream: ScriptedUpstream, provider_id: str
) -> None:
    elsewhere = keep_provider("Elsewhere", upstream.base_url)
    for key, disabled in (("off", True), ("on", False)):
        keep_key(elsewhere, key, disabled=disabled)
        has(upstream, key, f"far-{key}")
    assert key_admin_service.test(CONSOLE, "off").models == ["far-off"]
    assert offered() == BOTH
    key_admin_service.test(CONSOLE, "on")
    assert offered() == [*BOTH, "far-on"]
