"""A new ENCRYPTION_KEY: nothing is lost on the way, and nothing that is sealed is forgotten."""

import ast
import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import LargeBinary, update

from flask_app import config
from flask_app.database import Base, fetching, new_id, reading, transaction
from flask_app.instance_secrets import KEY, OLD_KEY
from flask_app.models import ApiKey, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import word_log
from flask_app.services.secrets import sealed, sealing
from flask_app.services.secrets.sealing import Unreadable
from flask_app.services.warnings import webhook_service
from tests.support.gateway import made
from tests.support.keys import change_key, keep_key, keep_provider, stored_key

PACKAGE = Path(config.__file__).parent
SEALS = {  # every module that seals something, and the column it goes into
    "services/providers/key_admin_service.py": "api_keys.secret",
    "services/providers/environment_key.py": "api_keys.secret",
    "services/sign_in/provider_rows.py": "identity_providers.secret",
    "services/sign_in/second_step_service.py": "second_steps.secret",
    "services/warnings/webhook_service.py": "settings.value",
    "services/people/invitation_letters.py": "invitation_letters.code",
    "services/gateway/word_log.py": "program_words.content",
    "services/sharing/share_service.py": "shares.token",
    "services/tools/tool_servers.py": "tool_servers.secret",
}
ONE, TWO = (f"a key of forty random characters or so, {name}" for name in ("one", "two"))


@pytest.fixture
def own(app: Flask, tmp_path: Path) -> Path:
    """The file of an installation that makes its own key, with two API keys and a webhook sealed."""
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({"SECRET_KEY": config.current().secret_key, KEY: ONE}))
    use(instance_dir=tmp_path, encryption_key=ONE, made_secrets=("SECRET_KEY", KEY))
    keep()
    return file


def use(**settings: object) -> None:
    config.install(dataclasses.replace(config.current(), **settings))  # type: ignore[arg-type]


def keep() -> None:
    provider = keep_provider("one", "https://one.example")
    for name in "ab":
        keep_key(provider, name)
    webhook_service.point(Actor(user=None), "https://hook.example/path", "en")


def assert_open() -> None:
    """Everything gives what was sealed."""
    for name in "ab":
        assert sealing.unseal(stored_key(name).secret or b"", name) == f"secret of {name}"
    found = webhook_service.find()
    assert found
    assert found.url == "https://hook.example/path"


def rotate(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["secrets", "rotate"])


def test_a_new_key_seals_everything_and_the_old_one_is_gone(app: Flask, own: Path) -> None:
    result = rotate(app)
    assert (result.exit_code, "3 secrets are sealed with the new" in result.output) == (0, True), result.output
    kept = json.loads(own.read_text())
    assert set(kept) == {"SECRET_KEY", KEY}
    assert kept[KEY] != ONE
    assert_open()
    use(made_secrets=(), encryption_key=ONE)
    with pytest.raises(Unreadable, match="encryption_key_changed"):
        sealing.unseal(stored_key("a").secret or b"", "a")


@pytest.mark.security("rotation-goes-on")
@pytest.mark.parametrize("done", ["", "a", "ab"])
def test_one_that_was_broken_off_goes_on_with_its_new_key(app: Flask, own: Path, done: str) -> None:
    """However many were sealed with it: both keys are there until all are."""
    own.write_text(json.dumps({"SECRET_KEY": config.current().secret_key, KEY: TWO, OLD_KEY: ONE}))
    for name in done:
        change_key(name, secret=sealing.seal(f"secret of {name}", name))
    assert_open()
    assert f"{3 - len(done)} secrets are sealed" in rotate(app).output
    assert json.loads(own.read_text())[KEY] == TWO
    assert OLD_KEY not in json.loads(own.read_text())
    assert_open()


@pytest.mark.security("rotation-goes-on")
def test_a_transaction_that_fails_leaves_both_keys(app: Flask, own: Path) -> None:
    with transaction() as session:
        session.execute(update(ApiKey).where(ApiKey.id == "b").values(secret=b""))
    rotate_into = json.loads(own.read_text()) | {KEY: TWO, OLD_KEY: ONE}
    own.write_text(json.dumps(rotate_into))
    with pytest.raises(LookupError):
        _reseal_and_fail()
    change_key("b", secret=sealing.seal("secret of b", "b"))
    assert_open()


def _reseal_and_fail() -> None:
    with transaction() as session:
        assert sealed.reseal(session.connection()).resealed == 2
        raise LookupError


def test_what_cannot_be_opened_stops_nothing_and_is_told(app: Flask, own: Path) -> None:
    change_key("b", secret=b"damaged")
    result = rotate(app)
    assert result.exit_code == 0
    assert "2 secrets are sealed with the new" in result.output
    assert "1 secrets could not be opened before either" in result.output
    with reading() as session:
        assert session.get_one(ApiKey, "b").secret == b"damaged"


def test_a_key_of_the_environment_is_changed_there_first(app: Flask) -> None:
    keep()
    refused = rotate(app)
    assert (refused.exit_code, "leave the present one as OLD_ENCRYPTION_KEY" in refused.output) == (1, True)
    use(old_encryption_key=config.current().encryption_key, encryption_key=TWO)
    assert_open()
    result = rotate(app)
    assert (result.exit_code, "3 secrets" in result.output) == (0, True)
    assert "Take OLD_ENCRYPTION_KEY out" in result.output
    use(old_encryption_key=None)
    assert_open()


def test_doctor_says_what_is_sealed_with_what(app: Flask, own: Path) -> None:
    def said() -> str:
        return app.test_cli_runner().invoke(args=["doctor"]).output

    assert "secrets: 3 can be decrypted" in said()
    own.write_text(json.dumps({"SECRET_KEY": config.current().secret_key, KEY: TWO, OLD_KEY: ONE}))
    assert "secrets: 3 sealed with the old ENCRYPTION_KEY" in said()
    own.write_text(json.dumps({"SECRET_KEY": config.current().secret_key, KEY: TWO}))
    assert "secret settings.value of webhook: cannot be decrypted" in said()


def test_the_file_of_keys_may_go_while_a_server_runs(app: Flask, own: Path) -> None:
    own.unlink()
    assert_open()


def test_whatever_seals_has_its_column_where_a_rotation_finds_it() -> None:
    """A column that is missing in `services/secrets/sealed.py` would be unreadable after the next rotation."""
    callers = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if _seals(path)}
    sealing = callers - {"services/secrets/sealed.py"}
    assert sealing == set(SEALS), "whoever seals says into which column, here and in sealed.py"
    declared = {f"{each.column.table.name}.{each.column.name}" for each in sealed.SEALED}
    assert declared == set(SEALS.values())
    binary = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    otherwise = {"search_documents.words", "program_keys.reply"}  # compressed; sealed with the program's own secret
    otherwise |= {"file_pieces.content"}  # as messages are: what is written beside them is not sealed either
    otherwise |= {"passage_vectors.vectors"}  # as the words are that they were made of
    otherwise |= {"passkeys.credential_id", "passkeys.public_key"}  # they sign nobody in
    assert binary - otherwise <= declared, "bytes in the database are sealed ones, until somebody says otherwise here"


def _seals(path: Path) -> bool:
    """By `sealing.seal`, which is its only name."""
    tree = ast.parse(path.read_text("utf-8"))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and "sealing" in str(node.module)]
    assert "seal" not in {name.name for node in imported for name in node.names}, f"{path}: call it sealing.seal"
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return "sealing.seal" in {ast.unparse(call) for call in calls if isinstance(call, ast.Attribute)}


def test_words_that_are_kept_are_sealed_anew(app: Flask, own: Path, member: User) -> None:
    token, request = made(member).token, new_id()
    word_log.put(Actor(member), token.id, 1)
    word_log.keep(request, member.id, token.id, b"what was asked", None)
    assert rotate(app).exit_code == 0
    with fetching() as connection:
        (words,) = (secret for secret in sealed.stored(connection) if secret.where.startswith("program_words"))
    assert sealing.is_newest(words.sealed)
    assert word_log.find(member, request).words.asked == "what was asked"


def test_a_look_at_the_secrets_finds_them_all(app: Flask, own: Path) -> None:
    with fetching() as connection:
        found = {secret.where for secret in sealed.stored(connection)}
    assert found == {"api_keys.secret of a", "api_keys.secret of b", "settings.value of webhook"}
