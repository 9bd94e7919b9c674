"""`flask warnings …`: what counts as low, and where warnings go, from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.services.warnings import delivery_service, warning_admin_service, warning_service, webhook_service
from tests.conftest import MakeUser
from tests.support import warned
from tests.support.webhook_receiver import Receiver


def run(app: Flask, *arguments: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["warnings", *arguments], input=typed)


def test_what_is_low_is_said_and_changed(app: Flask) -> None:
    assert run(app, "low-balance").output == "10\n"
    assert run(app, "low-balance", "12.50").output == "12.5\n"
    assert warning_admin_service.threshold() == 12_500_000
    assert run(app, "low-balance", "much").exit_code == 1


def test_what_was_sent_is_listed_with_what_became_of_it(app: Flask, make_user: MakeUser) -> None:
    warned.use_mail()
    for name in ("anna", "ben"):
        person = make_user(name, email=f"{name}@example.com")
        warned.limit("user", person.id)
        warned.use(person, 9_000)
    warning_service.look()
    delivery_service.deliver_due()
    head, *lines = run(app, "sent").stdout.splitlines()
    assert head.split() == ["WHEN", "TO", "BY", "STATE", "TRIES", "FAILED", "BY", "WHAT"]
    assert sorted(line.split()[1] for line in lines) == ["anna", "ben"]
    assert {tuple(line.split()[2:4]) for line in lines} == {("email", "waiting")}
    assert all("90%" in line for line in lines)
    (tried,) = [line for line in lines if line.split()[4] == "1"]
    assert "mail_unreachable (" in tried
    newest = run(app, "sent", "--limit", "1")
    older = run(app, "sent", "--before", newest.stderr.split()[-1])
    both = [*newest.stdout.splitlines()[1:], *older.stdout.splitlines()[1:]]
    assert [line.split() for line in both] == [line.split() for line in lines]


def test_a_webhook_is_set_tried_renewed_and_removed(app: Flask) -> None:
    assert run(app, "webhook").output == "none\n"
    with Receiver() as receiver:
        made = run(app, "webhook", "--url-stdin", typed=f"{receiver.url}\n").output
        assert "whsec_" in made
        assert run(app, "webhook", "--test").exit_code == 0
        assert "whsec_" not in run(app, "webhook").output
        assert "whsec_" in run(app, "webhook", "--new-secret").output
    assert "cannot be reached" in run(app, "webhook", "--test").output
    assert run(app, "webhook", "--remove").output == "none\n"
    assert webhook_service.find() is None
    assert run(app, "webhook", "--url-stdin", typed="nowhere\n").exit_code == 1
