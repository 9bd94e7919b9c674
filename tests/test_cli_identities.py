"""`flask identities …`: signing in by an organisation's own identity, from a terminal."""

import msgspec
from click.testing import Result
from flask import Flask

from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from flask_app.services.sign_in import identity_providers, password_sign_in
from tests.support import evil_provider, identities

ADD = ("add", "school", "--issuer", "https://id.example.org", "--client-id", "chat")


def run(app: Flask, *arguments: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["identities", *arguments], input=typed)


def test_a_provider_is_added_listed_and_removed(app: Flask) -> None:
    group_service.add(identities.HOUSE, Choices(name="Readers"))
    options = (
        "--name",
        "The School",
        "--groups-claim",
        "groups",
        "--group-of",
        "pupils",
        "readers",
        "--group",
        "Readers",
    )
    added = run(app, *ADD, *options, "--newcomers", "open", "--secret-stdin", typed="hush\n")
    assert added.output == "Redirect URI: http://localhost:5000/login/callback/school\n"
    (kept,) = identity_providers.listed()
    assert identity_providers.secret_of(kept.provider) == "hush"
    assert (kept.terms.groups, kept.terms.scopes) == (
        (("pupils", kept.terms.group_id),),
        ("openid", "profile", "email"),
    )
    head, line = run(app, "list").output.splitlines()
    assert head.split() == ["NAME", "ADDRESS", "ISSUER", "NEWCOMERS", "STATE", "PEOPLE"]
    assert line.split()[2:] == ["school", "https://id.example.org", "open", "on", "0"]
    assert run(app, "switch", "school", "off").output == "off\n"
    (off,) = identity_providers.listed()
    assert (off.provider.disabled, off.terms) == (True, kept.terms)
    assert identity_providers.secret_of(off.provider) == "hush"
    assert run(app, "switch", "school", "on").output == "on\n"
    assert run(app, "switch", "nowhere", "on").exit_code == 1
    assert run(app, "remove", "school").output == ""
    assert run(app, "remove", "school").exit_code == 1
    assert identity_providers.listed() == []


def test_what_is_given_is_changed_and_all_else_stays(app: Flask) -> None:
    group_service.add(identities.HOUSE, Choices(name="Readers"))
    options = ("--groups-claim", "groups", "--group-of", "pupils", "Readers", "--domain", "example.org")
    run(app, *ADD, *options, "--link-by-email", "--secret-stdin", typed="hush\n")
    (before,) = identity_providers.listed()
    changed = run(app, "change", "school", "--newcomers", "open", "--second-factor", "--scope", "email")
    assert changed.output.split("\t") == ["school", "school", "https://id.example.org", "open", "on", "0\n"]
    (after,) = identity_providers.listed()
    wanted = {"newcomers": "open", "second_factor": True, "scopes": ("openid", "email")}
    assert after.terms == msgspec.structs.replace(before.terms, **wanted)
    assert identity_providers.secret_of(after.provider) == "hush"
    taken_away = ("--domain", "", "--group-of", "", "", "--no-link-by-email", "--no-second-factor")
    assert run(app, "change", "school", *taken_away, "--secret-stdin", typed="other\n").exit_code == 0
    (bare,) = identity_providers.listed()
    assert (bare.terms.domains, bare.terms.groups, bare.terms.links_by_email) == ((), (), False)
    assert identity_providers.secret_of(bare.provider) == "other"
    assert run(app, "change", "nowhere").exit_code == 1
    assert "no such group" in run(app, "change", "school", "--group", "Nowhere").output


def test_who_signs_in_by_a_password_is_chosen(app: Flask) -> None:
    assert run(app, "passwords", "administrators").output == "administrators\n"
    assert not password_sign_in.chosen()
    assert run(app, "passwords", "somebody").exit_code == 2


def test_a_provider_is_tried(app: Flask) -> None:
    with evil_provider.running() as provider:
        said = run(app, "try", provider.issuer)
        assert said.output == f"It works: {provider.issuer} signs with RS256.\n"
        provider.published = []
        assert "publishes no keys" in run(app, "try", provider.issuer).output


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    assert "no such group" in run(app, *ADD, "--group", "Nowhere").output
    assert run(app, *ADD, "--newcomers", "sometimes").exit_code == 2
    assert run(app, "add", "Two Words", *ADD[2:]).exit_code == 1
