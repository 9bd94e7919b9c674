"""`flask directories …`: people of a directory sign in by name and password, from a terminal."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from flask import Flask

from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from flask_app.services.sign_in import directories, provider_rows
from tests.support import certificates, directory
from tests.support.directory import GROUPS, PEOPLE, PUPILS, READER, READER_PASSWORD, RealDirectory


@pytest.fixture(scope="module")
def campus() -> Iterator[RealDirectory]:
    with directory.running() as known:
        yield known


def run(app: Flask, *arguments: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["directories", *arguments], input=typed)


def test_a_directory_is_added_tried_listed_and_removed(app: Flask, campus: RealDirectory, tmp_path: Path) -> None:
    group_service.add(directory.HOUSE, Choices(name="Readers"))
    pem = tmp_path / "authority.pem"
    pem.write_text(campus.certificate)
    asked = ("--address", campus.address, "--base-dn", PEOPLE, "--bind-dn", READER, "--certificates", str(pem))
    groups = (
        "--groups-base",
        GROUPS,
        "--nested-groups",
        "walked",
        "--group-of",
        PUPILS,
        "readers",
        "--group",
        "Readers",
    )
    options = (*asked, *groups, "--name", "The Campus", "--newcomers", "open", "--link-by-name", "--password-stdin")
    added = run(app, "add", "campus", *options, typed=f"{READER_PASSWORD}\n")
    assert added.output == (
        "The Campus is asked from the next sign-in on. Try it: flask directories try campus SOMEBODY\n"
    )
    (kept,) = directories.listed()
    assert provider_rows.secret_of(kept.provider) == READER_PASSWORD
    assert kept.terms.groups == ((PUPILS, kept.terms.group_id),)
    assert (kept.terms.links_by_name, kept.terms.name_attributes) == (True, ("uid",))
    assert kept.terms.nested_groups == "walked"
    assert run(app, "try", "campus", "alice").output.splitlines() == [
        f"Entry: uid=alice,{PEOPLE}",
        "Called: alice",
        "Mail: alice@school.example",
        f"Group: {PUPILS}",
    ]
    nobody = run(app, "try", "campus", "nobody")
    assert (nobody.exit_code, nobody.output) == (1, "Error: Nobody there is called nobody.\n")
    head, line = run(app, "list").output.splitlines()
    assert head.split() == ["NAME", "SHORT", "ADDRESS", "NEWCOMERS", "STATE", "PEOPLE"]
    assert line.split()[2:] == ["campus", campus.address, "open", "on", "0"]
    assert run(app, "switch", "campus", "off").output == "off\n"
    (off,) = directories.listed()
    assert (off.provider.disabled, off.terms) == (True, kept.terms)
    assert provider_rows.secret_of(off.provider) == READER_PASSWORD
    assert run(app, "remove", "campus").output == ""
    assert run(app, "remove", "campus").exit_code == 1
    assert directories.listed() == []


def test_what_is_given_is_changed_and_all_else_stays(app: Flask, tmp_path: Path) -> None:
    group_service.add(directory.HOUSE, Choices(name="Readers"))
    asked = ("--address", "ldaps://dc.school.example", "--base-dn", PEOPLE, "--bind-dn", READER, "--password-stdin")
    groups = ("--groups-attribute", "memberOf", "--group-of", PUPILS, "Readers")
    run(app, "add", "campus", *asked, *groups, "--domain", "school.example", "--link-by-name", typed="hush\n")
    run(app, "switch", "campus", "off")
    (before,) = directories.listed()
    changed = run(app, "change", "campus", "--name", "The Campus", "--login", "uid", "--login", "mail")
    assert changed.output.split("\t") == ["The Campus", "campus", "ldaps://dc.school.example", "closed", "off", "0\n"]
    (after,) = directories.listed()
    assert after.terms == msgspec.structs.replace(before.terms, name_attributes=("uid", "mail"))
    assert (after.provider.id, after.provider.disabled) == (before.provider.id, True)
    assert provider_rows.secret_of(after.provider) == "hush"
    pem = tmp_path / "authority.pem"
    pem.write_bytes(certificates.pems("dc.school.example")[0])
    trusted = ("--certificates", str(pem), "--group", "Readers")
    assert "password" in run(app, "change", "campus", *trusted).output, "it would go to another server"
    assert run(app, "change", "campus", *trusted, "--password-stdin", typed="hush\n").exit_code == 0
    (own,) = directories.listed()
    assert (own.terms.certificates != "", own.terms.group_id) == (True, before.terms.groups[0][1])
    taken_away = ("--domain", "", "--group-of", "", "", "--no-link-by-name", "--groups-attribute", "")
    none = ("--certificates", "", "--group", "", "--password-stdin")
    assert run(app, "change", "campus", *taken_away, *none, typed="hush\n").exit_code == 0
    (bare,) = directories.listed()
    assert (bare.terms.domains, bare.terms.groups, bare.terms.links_by_name) == ((), (), False)
    assert (bare.terms.groups_attribute, bare.terms.certificates, bare.terms.group_id) == ("", "", DEFAULT_GROUP_ID)
    assert run(app, "change", "campus", "--certificates", str(tmp_path / "none.pem")).exit_code == 2
    assert run(app, "change", "campus", "--name", "").exit_code == 1
    elsewhere = ("change", "campus", "--address", "ldaps://other.school.example")
    assert "password" in run(app, *elsewhere).output
    assert run(app, *elsewhere, "--password-stdin", typed="other\n").exit_code == 0
    (moved,) = directories.listed()
    assert (moved.terms.address, provider_rows.secret_of(moved.provider)) == (elsewhere[-1], "other")
    assert run(app, "change", "nowhere").exit_code == 1
    assert "search filter" in run(app, "change", "campus", "--only", "person").output


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    asked = ("--address", "ldaps://dc.school.example", "--base-dn", PEOPLE)
    assert "no such group" in run(app, "add", "campus", *asked, "--group", "Nowhere").output
    assert "search filter" in run(app, "add", "campus", *asked, "--only", "person").output
    directory.unreachable()
    assert "cannot be reached" in run(app, "try", "nowhere", "alice").output
