"""The settlement journal on its disk."""

import dataclasses
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from flask_app import config as settings
from flask_app.config import Config
from flask_app.database import new_id, utc_now
from flask_app.domain.events import Usage
from flask_app.services.completion.attempts import UNASKED, Call, Dispatched, Entry, Outcome
from flask_app.services.ledger import journal
from flask_app.services.ledger.journal import Settlement

SAID = "Was ich sagte: 你好, \u2028 and \x00 too"
USED = Usage(10, 4, 20, 5)


@pytest.fixture
def folder(app: Flask, base_config: Config, tmp_path: Path) -> Iterator[Path]:
    settings.install(dataclasses.replace(base_config, instance_dir=tmp_path))
    yield tmp_path / "journal"
    settings.install(base_config)


def settlement(**outcome: object) -> Settlement:
    call = Call(
        user_id=new_id(),
        channel="chat",
        model="deepseek-flash",
        provider_id=new_id(),
        currency="CNY",
        request_id="r",
        address="192.0.2.1",
        prompt_estimate=3,
        run_id=new_id(),
        message_id=new_id(),
    )
    sent = Dispatched(attempt_id=new_id(), call=call, key_id=None, at=utc_now())
    told = Outcome(text_parts=[SAID, "!"], reasoning_parts=["hm"], usage=USED, finish_reason="stop")
    return Settlement(sent=sent, outcome=dataclasses.replace(told, **outcome), conversation_id=new_id())  # type: ignore[arg-type]


def test_what_is_kept_is_read_back_and_removed(folder: Path) -> None:
    kept = settlement(actual_model="deepseek-flash", status_code=200, bytes_received=77, first_token_ms=5)
    assert journal.keep(kept)
    assert journal.waiting() == {kept.attempt_id}
    assert journal.read(kept.attempt_id) == kept
    journal.remove(kept.attempt_id)
    assert journal.waiting() == set()
    assert journal.read(kept.attempt_id) is None
    journal.remove(kept.attempt_id)


def test_only_its_owner_can_read_it(folder: Path) -> None:
    kept = settlement()
    journal.keep(kept)
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_waits_where_there_is_no_journal(folder: Path) -> None:
    assert not folder.exists()
    assert journal.waiting() == set()
    journal.sweep()


def test_it_is_on_disk_before_it_has_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noting_fsync(descriptor: int) -> None:
        steps.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().suffix or 'folder'}")
        fsync(descriptor)

    def noting_replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(Path, "replace", noting_replace)
    assert journal.keep(settlement())
    assert steps == ["fsync .tmp", "rename", "fsync folder", "fsync folder"]


def test_a_full_disk_is_told_to_the_log_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert not journal.keep(settlement())
    assert list(folder.iterdir()) == []
    assert "not_journalled" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"{", b'{"version":2}', b"\xff\xfe", b"[]"])
def test_what_cannot_be_read_is_moved_aside(folder: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    kept = settlement()
    journal.keep(kept)
    (folder / f"{kept.attempt_id}.json").write_bytes(content)
    assert journal.read(kept.attempt_id) is None
    assert journal.waiting() == set()
    assert (folder / "aside" / f"{kept.attempt_id}.unreadable").read_bytes() == content
    told = capsys.readouterr().err
    assert "journal_unreadable" in told
    assert kept.attempt_id in told


def test_a_later_version_is_not_guessed_at(folder: Path) -> None:
    kept = settlement()
    journal.keep(kept)
    file = folder / f"{kept.attempt_id}.json"
    file.write_bytes(file.read_bytes().replace(b'"version":1', b'"version":2'))
    assert journal.read(kept.attempt_id) is None
    assert (folder / "aside").exists()


def test_what_was_half_written_by_a_dead_worker_goes(folder: Path) -> None:
    folder.mkdir()
    fresh, old = folder / "fresh.tmp", folder / "old.tmp"
    for file in (fresh, old):
        file.write_text("half of what somebody sa")
    past = time.time() - journal.HALF_WRITTEN_SECONDS - 1
    os.utime(old, (past, past))
    journal.sweep()
    assert list(folder.iterdir()) == [fresh]


def test_a_file_that_cannot_be_removed_stays_and_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = settlement()
    (folder / f"{kept.attempt_id}.json").mkdir(parents=True)
    journal.remove(kept.attempt_id)
    assert journal.waiting() == {kept.attempt_id}
    assert "journal_not_removed" in capsys.readouterr().err


def test_an_exact_count_that_cannot_be_set_aside_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.mkdir()
    (folder / "aside").write_text("no folder")
    late = settlement()
    journal.compare(late.sent, late.outcome, None)
    told = capsys.readouterr().err
    assert "exact_count_came_late" in told
    assert "not_set_aside" in told


def test_an_exact_count_after_an_estimate_is_set_aside_without_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = settlement()
    journal.compare(late.sent, late.outcome, Entry(Usage(3, 0, 1, 0), "estimated"))
    (file,) = (folder / "aside").iterdir()
    assert late.attempt_id in file.name
    assert b'"completion_tokens":20' in file.read_bytes()
    assert "sagte" not in file.read_text()
    assert "exact_count_came_late" in capsys.readouterr().err
    assert journal.waiting() == set()


@pytest.mark.parametrize(
    ("usage", "booked"), [(USED, Entry(USED, "reported")), (None, Entry(USED, "estimated")), (None, None)]
)
def test_what_the_ledger_has_needs_no_second_look(folder: Path, usage: Usage | None, booked: Entry | None) -> None:
    same = settlement(usage=usage)
    journal.compare(same.sent, same.outcome, booked)
    assert not folder.exists()


def test_what_nobody_was_asked_for_ends_its_attempt_and_no_run() -> None:
    sent = settlement().sent
    alone = dataclasses.replace(sent, call=dataclasses.replace(sent.call, run_id=None))
    assert sent != alone
    assert journal.unasked(sent) == Settlement(sent=alone, outcome=UNASKED, conversation_id=None)


def test_what_waits_for_a_person_is_counted(folder: Path) -> None:
    assert journal.count_aside() == 0
    for _ in range(2):
        late = settlement()
        journal.compare(late.sent, late.outcome, None)
    assert journal.count_aside() == 2
