"""`flask backup` and `flask restore`: everything in one file, and back again whole, or not at all."""

import json
import stat
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import config, database
from flask_app.config import Config
from flask_app.database import reading, transaction, utc_now
from flask_app.instance_secrets import KEY, OLD_KEY
from flask_app.models import (
    AccessToken,
    ApiKey,
    AuditEntry,
    Budget,
    Conversation,
    Invitation,
    LoginSession,
    PasswordLink,
    PendingSignIn,
    ProgramWords,
    Share,
    TokenOrigin,
    User,
)
from flask_app.services.ledger import journal
from flask_app.services.search import search_index, search_service
from flask_app.services.secrets import sealing
from flask_app.services.warnings import webhook_service
from flask_app.transfer import encryption
from tests.backups.machines import MADE, OWN_KEY, PASSPHRASE, member, run, use
from tests.support import databases, invited, registered
from tests.support.keys import stored_key


def without_acts(rows: databases.Rows) -> databases.Rows:
    """A backup and a restore are logged after what they did."""
    return rows | {"audit_log": [row for row in rows["audit_log"] if not {"backup.make", "backup.restore"} & set(row)]}


@pytest.mark.security("restore-proves")
def test_everything_comes_back(site: Flask, file: Path, elsewhere: str, base_config: Config, tmp_path: Path) -> None:
    result = run(site, "restore", file)
    assert result.exit_code == 0, result.output
    assert "The ledger is equal, in tokens and money: 8 entries of 3 people. It is verified." in result.output
    before, after = databases.rows_of(base_config.database_url), databases.rows_of(elsewhere)
    assert without_acts(after) == without_acts(before)
    assert (len(after["messages"]), len(after["passkeys"])) == (2, 1)
    assert (len(after["file_pieces"]), len(after["message_files"])) == (3, 1)
    assert run(site, "usage", "verify").output == "8 entries, no difference.\n"
    kept = json.loads((tmp_path / "instance" / "secrets.json").read_text())
    assert kept == {"SECRET_KEY": base_config.secret_key, "ENCRYPTION_KEY": base_config.encryption_key}
    with reading() as session:
        acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.created_at, AuditEntry.id)).all()
    assert acts[-1] == "backup.restore"


def test_nobody_is_signed_in_by_a_backup(site: Flask, elsewhere: str, base_config: Config, tmp_path: Path) -> None:
    use(base_config.database_url, base_config.instance_dir)
    with transaction() as session:
        person, later = session.scalars(select(User)).all()[0], utc_now() + timedelta(hours=1)
        session.add(LoginSession(id="s", user_id=person.id, expires_at=later, address="", user_agent=""))
        session.add(PendingSignIn(id="p", user_id=person.id, expires_at=later))
        session.add(PasswordLink(id="l", user_id=person.id, expires_at=later))
        bounds = {"requests_per_minute": 7, "networks": '["203.0.113.7"]'}
        session.add(AccessToken(id="t", name="editor", user_id=person.id, digest="d", hint="0000", **bounds))
        for scope, scope_id in (("token", "t"), ("user", person.id)):
            terms = {"unit": "tokens", "period": "day", "amount": 10_000, "hard": True}
            session.add(Budget(scope=scope, scope_id=scope_id, **terms))
        session.flush()
        session.add(TokenOrigin(token_id="t", origin="https://app.example.org"))
        sealed = sealing.seal("{}", "w")
        session.add(ProgramWords(id="w", user_id=person.id, token_id="t", content=sealed, until=later))
        talk = session.scalars(select(Conversation)).all()[0]
        told = {"token": b"sealed", "title": "A talk", "content": "{}"}
        session.add(Share(id="h", user_id=talk.user_id, conversation_id=talk.id, digest="d", **told))
    invited.made()
    registered.waiting("newcomer")
    assert run(site, "backup", tmp_path / "b").exit_code == 0
    use(elsewhere, tmp_path / "instance", encryption_key=OWN_KEY, made_secrets=MADE)
    result = run(site, "restore", tmp_path / "b")
    assert result.exit_code == 0, result.output
    assert "Everybody signs in again" in result.output
    rows = databases.rows_of(elsewhere)
    assert not any(rows[table] for table in ("login_sessions", "pending_sign_ins", "password_links", "registrations"))
    assert not any(rows[table] for table in ("token_origins", "program_words")), "they go with a revoked token"
    assert not rows["shares"], "they may have been ended since"
    with reading() as session:
        for kind in (AccessToken, Invitation):
            assert session.scalars(select(kind.revoked_at)).one() is not None
        assert session.scalars(select(Budget.scope)).all() == ["user"], "a revoked token's limit goes with it"
        token = session.get_one(AccessToken, "t")
        assert {name: getattr(token, name) for name in bounds} == bounds
    assert len(rows["users"]) == 2


def test_a_machine_with_a_key_of_its_own_seals_anew(site: Flask, file: Path, elsewhere: str, tmp_path: Path) -> None:
    use(elsewhere, tmp_path / "instance", encryption_key=OWN_KEY, made_secrets=())
    result = run(site, "restore", file)
    assert result.exit_code == 0, result.output
    assert "2 secrets are sealed with this machine's ENCRYPTION_KEY now." in result.output
    with reading() as session:
        assert sealing.unseal(session.get_one(ApiKey, "k").secret or b"", "k") == "secret of k"
    found = webhook_service.find()
    assert found
    assert found.url == "https://hook.example/secret-path"


def test_in_the_middle_of_a_rotation_both_keys_come(
    site: Flask, elsewhere: str, base_config: Config, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    keys = {"SECRET_KEY": OWN_KEY, KEY: f"{OWN_KEY} and more", OLD_KEY: base_config.encryption_key}
    (source / "secrets.json").write_text(json.dumps(keys))
    use(base_config.database_url, source, made_secrets=MADE)
    assert run(site, "backup", tmp_path / "b").exit_code == 0
    use(elsewhere, tmp_path / "instance", encryption_key=OWN_KEY, made_secrets=())
    assert "2 secrets are sealed with this machine's" in run(site, "restore", tmp_path / "b").output
    with databases.another(base_config.database_url, tmp_path) as another:
        use(another, tmp_path / "instance", made_secrets=MADE)
        assert run(site, "restore", tmp_path / "b").exit_code == 0
        assert json.loads((tmp_path / "instance" / "secrets.json").read_text()) == keys | {
            "SECRET_KEY": base_config.secret_key
        }
        assert sealing.unseal(stored_key("k").secret or b"", "k") == "secret of k"
        database.disconnect()


def test_what_waits_in_the_journal_comes_too(site: Flask, elsewhere: str, database_url: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / journal.FOLDER / journal.ASIDE).mkdir(parents=True)
    (source / journal.FOLDER / "a.json").write_bytes(b"{}")
    (source / journal.FOLDER / journal.ASIDE / "b.unreadable").write_bytes(b"\xff\x00")
    use(database_url, source)
    assert run(site, "backup", tmp_path / "b").exit_code == 0
    use(elsewhere, tmp_path / "instance")
    assert run(site, "restore", tmp_path / "b").exit_code == 0
    restored = tmp_path / "instance" / journal.FOLDER
    assert (restored / "a.json").read_bytes() == b"{}"
    assert (restored / journal.ASIDE / "b.unreadable").read_bytes() == b"\xff\x00"


def test_the_index_of_conversations_stays_out_and_is_made_anew(
    site: Flask, elsewhere: str, base_config: Config, tmp_path: Path
) -> None:
    use(base_config.database_url, base_config.instance_dir)
    search_index.catch_up()
    assert run(site, "backup", tmp_path / "b").exit_code == 0
    with tarfile.open(tmp_path / "b") as tar:
        assert not [name for name in tar.getnames() if "search" in name]
    use(elsewhere, tmp_path / "instance")
    assert run(site, "restore", tmp_path / "b").exit_code == 0
    with reading() as session:
        person = session.scalars(select(User).where(User.username == "小明🙂")).one()
    assert search_service.search(person, "吉野家") == ([], None)
    search_index.catch_up()
    hits, _ = search_service.search(person, "naïve")
    assert {hit.message_id for hit in hits} == {"1", "2"}


def test_only_the_owner_reads_it_and_it_says_whose_it_is(site: Flask, tmp_path: Path) -> None:
    result = run(site, "backup", tmp_path / "b")
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    assert "whoever has the file has them" in result.output
    assert "The ledger has 8 entries of 3 people." in result.output
    again = run(site, "backup", tmp_path / "b")
    assert (again.exit_code, "exists already" in again.output) == (2, True)
    missing = run(site, "backup", tmp_path / "nowhere" / "b")
    assert (missing.exit_code, "cannot be written" in missing.output) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_without_a_name_it_has_the_date(site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(site, "backup").exit_code == 0
    (made,) = tmp_path.iterdir()
    assert made.name.startswith("mingchat-20")
    assert made.name.endswith(".tar.gz")


def test_it_is_an_archive_that_tar_reads_and_says_what_it_is(file: Path) -> None:
    with tarfile.open(file) as tar:
        names = tar.getnames()
        about, manifest = member(tar, "about.json"), member(tar, "manifest.json")
    assert (names[0], names[-1]) == ("about.json", "manifest.json")
    assert about["version"] == config.VERSION
    assert manifest["tables"]["users"]["rows"] == 2
    assert sorted(each["tokens"] for each in manifest["ledger"].values()) == [150, 450, 600]
    assert {"CNY": 3000, "USD": 2**53} in [each["money"] for each in manifest["ledger"].values()]


@pytest.mark.parametrize("made_in", ["environment", "terminal"])
def test_an_encrypted_one_opens_with_its_passphrase_alone(
    site: Flask, elsewhere: str, database_url: str, tmp_path: Path, made_in: str
) -> None:
    file = tmp_path / "b"
    use(database_url, tmp_path, backup_passphrase=PASSPHRASE)
    assert "It is encrypted." in run(site, "backup", file).output
    assert file.read_bytes().startswith(encryption.MARK)
    assert b"hook.example" not in file.read_bytes()
    use(elsewhere, tmp_path / "instance", backup_passphrase="another passphrase")
    wrong = run(site, "restore", file)
    assert (wrong.exit_code, "The passphrase does not open this backup" in wrong.output) == (1, True)
    use(elsewhere, tmp_path / "instance", backup_passphrase=None)
    silent = run(site, "restore", file)
    assert (silent.exit_code, "set BACKUP_PASSPHRASE" in silent.output) == (2, True)
    use(elsewhere, tmp_path / "instance", backup_passphrase=PASSPHRASE)
    assert run(site, "restore", file).exit_code == 0


def test_a_short_passphrase_is_refused(site: Flask, database_url: str, tmp_path: Path) -> None:
    use(database_url, tmp_path, backup_passphrase="short")
    result = run(site, "backup", tmp_path / "b")
    assert (result.exit_code, "12 characters at least" in result.output) == (2, True)
