"""The log: one line a record, no secret, nothing forged."""

import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime

import pytest
import structlog
from flask import Flask, g
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from flask_app import logs
from flask_app.config import Config
from flask_app.database import reading, transaction
from tests.support.clients import HTTPS, PageClient

CANARIES = {
    "a provider's key": "sk-canary0123456789abcdef",
    "a bearer value": "Authorization: Bearer canary-token.with/odd+signs==",
    "a session": "Cookie: __Host-mingchat=canary-session-token; theme=dark",
    "a plain session": "mingchat=canary-session",
    "a sign-in under way": "Cookie: __Host-mingchat-second-step=canary-pending-token; theme=dark",
    "the mark of a browser": "Cookie: __Host-mingchat-browser=canary.signature",
    "a hash": "$argon2id$v=19$m=19456,t=2,p=1$canarysalt$canaryhash",
    "a database password": "mysql+pymysql://root:canary@db/mingchat",
    "SECRET_KEY": "the key that only these tests know, long enough",
    "ENCRYPTION_KEY": "another key that only these tests know, as long",
    "DEEPSEEK_API_KEY": "test-key",
    "the password in REDIS_URL": "AUTH canary/word",
    "BACKUP_PASSPHRASE": "canary of a backup",
}

Err = Callable[[], str]


@pytest.fixture
def form() -> str:
    """What LOG_FORMAT says."""
    return "text"


@pytest.fixture
def err(app: Flask, base_config: Config, capsys: pytest.CaptureFixture[str], form: str) -> Iterator[Err]:
    """What went to stderr since the last call."""
    redis_url, passphrase = "redis://:canary%2Fword@localhost:6379/0", CANARIES["BACKUP_PASSPHRASE"]
    given = dataclasses.replace(base_config, redis_url=redis_url, backup_passphrase=passphrase, log_format=form)
    logs.set_up(given)
    capsys.readouterr()
    yield lambda: capsys.readouterr().err
    logs.set_up(base_config)


def fail(secret: str) -> None:
    raise ValueError(secret)


def in_the_message(secret: str) -> None:
    structlog.get_logger().warning(f"said {secret}")


def in_a_field(secret: str) -> None:
    structlog.get_logger().error(
        "failed", reason=secret, nested={"deep": [secret]}, raw=secret.encode("utf-8", "replace")
    )


def in_an_exception(secret: str) -> None:
    try:
        fail(secret)
    except ValueError:
        structlog.get_logger().exception("failed")


def in_another_librarys_record(secret: str) -> None:
    logging.getLogger("some.library").error("failed with %s", secret)


def in_another_librarys_exception(secret: str) -> None:
    try:
        fail(secret)
    except ValueError:
        logging.getLogger("some.library").exception("failed")


FORMS = ["text", "json"]
WAYS = [in_the_message, in_a_field, in_an_exception, in_another_librarys_record, in_another_librarys_exception]


@pytest.mark.security("secrets-blotted-out", "keys-in-logs")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", CANARIES)
@pytest.mark.parametrize("say", WAYS)
def test_no_secret_reaches_the_log(err: Err, say: Callable[[str], None], kind: str) -> None:
    say(CANARIES[kind])
    written = err()
    assert logs.BLOT in written
    assert "canary" not in written
    assert CANARIES[kind] not in written


@pytest.mark.security("log-lines-whole")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("say", WAYS)
def test_a_record_is_one_line_whatever_it_holds(err: Err, say: Callable[[str], None]) -> None:
    say("a\nb\r\nc\u2028d\x1b[31me\x00f\x85g\ud800h\u202ei\u2066j")
    written = err()
    assert written.count("\n") == 1
    assert written.endswith("\n")
    assert not set("\r\u2028\x1b\x00\x85\u202e\u2066") & set(written)
    assert "a\\nb\\r\\nc\\u2028d\\u001b[31me\\u0000f\\u0085g\\ud800h\\u202ei\\u2066j" in written.replace("\\\\", "\\")


@pytest.mark.security("secrets-blotted-out")
@pytest.mark.parametrize("way", [reading, transaction])
def test_what_a_statement_carries_is_not_logged_with_its_failure(
    err: Err, way: Callable[[], AbstractContextManager[Session]]
) -> None:
    words = {"words": "canary of a person"}  # a line of its own: a traceback shows the one that failed
    try:
        with way() as session:
            session.execute(text("SELECT told FROM nowhere WHERE told = :words"), words)
    except DBAPIError:
        structlog.get_logger().exception("failed")
    written = err()
    assert "SELECT told FROM nowhere" in written
    assert "canary" not in written


def test_a_record_names_time_level_event_and_fields(err: Err) -> None:
    structlog.get_logger().warning("model_list_not_read", code="upstream_busy", words='two "words"', empty="")
    time, level, event, rest = err().split(" ", 3)
    assert time.endswith("Z")
    assert (level, event) == ("warning", "model_list_not_read")
    assert rest == 'code=upstream_busy words="two \\"words\\"" empty=""\n'


@pytest.mark.parametrize("form", ["json"])
def test_as_json_a_record_is_an_object(err: Err) -> None:
    structlog.get_logger().warning("model_list_not_read", code="upstream_busy", words='two "words"', count=3, none=None)
    in_another_librarys_exception("oh")
    ours, other = map(json.loads, err().splitlines())
    assert datetime.fromisoformat(ours.pop("time")).tzinfo is not None
    fields = {"code": "upstream_busy", "words": 'two "words"', "count": 3, "none": None}
    assert ours == {"level": "warning", "event": "model_list_not_read"} | fields
    assert (other["level"], other["event"], other["logger"]) == ("error", "failed", "some.library")
    assert other["traceback"].endswith("ValueError: oh")


@pytest.mark.parametrize("form", ["json"])
def test_what_is_blotted_out_of_json_leaves_json(err: Err) -> None:
    for secret in CANARIES.values():
        structlog.get_logger().warning("said", first=secret, second="http://a:b", third="c@d", fourth="\u202ed\u2028e")
    for line in err().splitlines():
        record = json.loads(line)
        assert (record["second"], record["third"], record["fourth"]) == ("http://a:b", "c@d", "\u202ed\u2028e")
        assert "canary" not in line


def test_debugging_is_not_logged(err: Err) -> None:
    structlog.get_logger().debug("chatter")
    logging.getLogger("some.library").debug("chatter")
    assert err() == ""


def test_a_secret_too_short_to_be_one_blots_nothing(base_config: Config, app: Flask) -> None:
    assert logs.redact("test-key and test") == f"{logs.BLOT} and test"


def test_the_request_id_that_a_person_quotes_is_in_the_log(err: Err, app: Flask) -> None:
    with app.test_request_context("/healthz", base_url=HTTPS):
        app.preprocess_request()
        structlog.get_logger().error("during")
        quoted: str = g.request_id
    structlog.get_logger().error("afterwards")
    during, afterwards = err().splitlines()
    assert f"request={quoted}" in during
    assert "request=" not in afterwards


@pytest.mark.security("secrets-blotted-out")
def test_a_header_with_a_key_is_in_no_log_and_no_reply(err: Err, member_client: PageClient) -> None:
    key = CANARIES["a provider's key"]
    for path in (f"/api/{key}", f"/{key}", f"/api/conversations/{key}", f"/login?next=/{key}"):
        member_client.get(path, headers={"Authorization": f"Bearer {key}"})
    member_client.post("/api/login", json={"username": key, "password": key, "extra": key})
    assert key not in err()
