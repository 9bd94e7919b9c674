"""What `flask restore` refuses, of which it leaves nothing behind."""

import gzip
import json
import os
import tarfile
import zlib
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from flask_app.transfer import archive
from tests.backups.machines import PASSPHRASE, member, run, use
from tests.support import databases


def rewritten(file: Path, name: str, changed: bytes) -> Path:
    """The same backup with another member, as somebody would make it who knows how."""
    fresh = file.with_suffix(".other")
    with file.open("rb") as source, fresh.open("wb") as out, archive.writing(out, None) as writer:
        for found, content in archive.Reader(source, None).members():
            writer.add(found, changed if found == name else content)
    return fresh


@pytest.mark.security("imports-bounded")
@pytest.mark.parametrize(
    "name",
    [
        *("secrets.json", "journal", "journal/../secrets.json", "/journal/x.json", "../journal/x.json", ""),
        *("journal\\..\\secrets.json", "C:\\journal\\x.json", "//journal/x.json"),
    ],
)
def test_an_archive_of_somebody_elses_writes_into_the_journal_alone(
    site: Flask, file: Path, elsewhere: str, tmp_path: Path, name: str
) -> None:
    before = (tmp_path / "instance" / "secrets.json").read_bytes()
    result = run(site, "restore", with_a_file(file, name, b'{"SECRET_KEY": "a stranger\'s"}'))
    assert (result.exit_code, "is no backup of MingChat" in result.output) == (1, True), result.output
    assert {path.name for path in (tmp_path / "instance").iterdir()} - {"running.lock"} == {"secrets.json"}
    assert (tmp_path / "instance" / "secrets.json").read_bytes() == before
    assert_nothing(elsewhere)


def with_a_file(file: Path, name: str, content: bytes) -> Path:
    """The same backup with one more member, as somebody would make it who knows how."""
    fresh = file.with_suffix(".other")
    with file.open("rb") as source, fresh.open("wb") as out, archive.writing(out, None) as writer:
        *others, (last, manifest) = archive.Reader(source, None).members()
        for each in (*others, (f"instance/{name}", content)):
            writer.add(*each)
        writer.add(last, json.dumps(json.loads(manifest) | {"digest": writer.digest}).encode())
    return fresh


@pytest.mark.security("imports-bounded")
def test_a_member_that_would_fill_the_memory_is_not_unpacked(
    site: Flask, file: Path, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(file) as tar:
        largest = max(each.size for each in tar.getmembers())
    monkeypatch.setattr(archive, "MOST_BYTES", largest - 1)
    result = run(site, "restore", file)
    assert (result.exit_code, "is no backup of MingChat" in result.output) == (1, True), result.output
    assert_nothing(elsewhere)
    monkeypatch.setattr(archive, "MOST_BYTES", largest)
    assert run(site, "restore", file).exit_code == 0


def test_a_newer_schema_is_refused(site: Flask, file: Path, elsewhere: str) -> None:
    with tarfile.open(file) as tar:
        about = member(tar, "about.json")
    newer = rewritten(file, "about.json", json.dumps(about | {"schema": "9999", "version": "7.0"}).encode())
    result = run(site, "restore", newer)
    assert (result.exit_code, "newer MingChat (7.0, schema 9999)" in result.output) == (1, True)
    assert_nothing(elsewhere)


def assert_nothing(url: str) -> None:
    """No table, and no file."""
    if url.startswith("sqlite"):
        name = url.removeprefix("sqlite:///")
        assert list(Path(name).parent.glob(f"{Path(name).name}*")) == []
    else:
        assert databases.table_names(url) == set()


@pytest.mark.security("restore-proves")
def test_a_manifest_of_other_rows_is_refused(site: Flask, file: Path, elsewhere: str) -> None:
    with tarfile.open(file) as tar:
        manifest = member(tar, "manifest.json")
    manifest["tables"]["users"]["rows"] = 3
    result = run(site, "restore", rewritten(file, "manifest.json", json.dumps(manifest).encode()))
    assert (result.exit_code, "(users)" in result.output) == (1, True)
    assert_nothing(elsewhere)


def test_a_member_that_is_left_out_is_missed(site: Flask, file: Path, elsewhere: str) -> None:
    with tarfile.open(file) as tar:
        (name,) = [each for each in tar.getnames() if each.startswith("rows/token_usage")]
    result = run(site, "restore", rewritten(file, name, b"[]"))
    assert result.exit_code == 1
    assert_nothing(elsewhere)


def unpacked(content: bytes | bytearray) -> bytes | None:
    """None where gzip itself finds the damage. Its notes (clock, system) and the bits that fill a byte say nothing."""
    try:
        return gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return None


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_backup_that_is_damaged_or_cut_leaves_nothing(
    site: Flask, elsewhere: str, database_url: str, tmp_path: Path, encrypted: bool
) -> None:
    file, broken = tmp_path / "whole", tmp_path / "broken"
    passphrase = PASSPHRASE if encrypted else None
    use(database_url, tmp_path, backup_passphrase=passphrase)
    assert run(site, "backup", file).exit_code == 0
    whole = file.read_bytes()
    use(elsewhere, tmp_path / "instance", backup_passphrase=passphrase)

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(at=st.integers(0, len(whole) - 1), bit=st.integers(0, 7), cut=st.booleans())
    @example(at=len(whole) - 9, bit=7, cut=False)
    def check(at: int, bit: int, cut: bool) -> None:
        changed = bytearray(whole[:at] if cut else whole)
        if not cut:
            changed[at] ^= 1 << bit
        assume(encrypted or unpacked(changed) != unpacked(whole))
        broken.write_bytes(changed)
        result = run(site, "restore", broken)
        assert result.exit_code == 1, result.output
        assert "Nothing was restored." in result.output
        assert_nothing(elsewhere)

    check()


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_one_that_comes_by_the_standard_input_and_breaks_off_leaves_nothing(
    site: Flask, file: Path, elsewhere: str, share: float
) -> None:
    """Rows are written before it is known."""
    whole = file.read_bytes()
    result = run(site, "restore", "-", content=whole[: int(len(whole) * share)])
    assert (result.exit_code, "Nothing was restored." in result.output) == (1, True)
    assert_nothing(elsewhere)


def test_nothing_that_is_no_backup_is_taken_for_one(site: Flask, elsewhere: str, tmp_path: Path) -> None:
    for content in (b"", b"M", b"no backup", b"\x1f\x8b", gzip.compress(b"no archive"), os.urandom(5000)):
        (tmp_path / "x").write_bytes(content)
        result = run(site, "restore", tmp_path / "x")
        assert (result.exit_code, "is no backup of MingChat" in result.output) == (1, True), content[:20]
    assert run(site, "restore", tmp_path / "absent").exit_code == 2
    assert_nothing(elsewhere)
