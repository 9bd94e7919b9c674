"""Asking for a letter about a forgotten password: what strangers learn, how often they may, and where it leads."""

import dataclasses
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from flask import Flask
from structlog.testing import capture_logs

from flask_app import config
from flask_app.config import Config
from flask_app.services.people import reset_letters
from tests.conftest import MakeUser, SignIn
from tests.support.brokers import PATIENCE
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code
from tests.support.forgotten import ASK, ask, letter, mails_letters, reachable, recipients, settle, token_in
from tests.support.mail_server import MailServer


@pytest.fixture
def hosts_as_before(app: Flask) -> Iterator[None]:
    before = app.config["TRUSTED_HOSTS"]
    yield
    app.config["TRUSTED_HOSTS"] = before


@pytest.mark.security("reset-letter-same")
def test_the_reply_is_the_same_whoever_is_meant(mail: MailServer, app: Flask, make_user: MakeUser) -> None:
    reachable(make_user, "known")
    reachable(make_user, "disabled", disabled=True)
    make_user("without")
    make_user("unconfirmed", email="unconfirmed@example.org")
    kinds = ["known", "known@example.org", "disabled", "without", "unconfirmed", "nobody", "nobody@example.org", ""]
    replies = [ask(new_client(app), kind) for kind in kinds]
    assert {(reply.status_code, reply.data) for reply in replies} == {(204, b"")}
    assert len({tuple(sorted(reply.headers.keys())) for reply in replies}) == 1
    assert recipients(mail) == [["known@example.org"], ["known@example.org"]]


@pytest.mark.security("reset-letter-same")
def test_a_mail_server_that_is_silent_makes_nobody_wait(app: Flask, make_user: MakeUser) -> None:
    """Who asked is answered while the letter is under way."""
    reachable(make_user, "ada")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mails_letters(silent.getsockname()[1])
        silent.settimeout(PATIENCE)
        assert ask(new_client(app), "ada").status_code == 204
        connection, _ = silent.accept()  # the letter, after the reply
        connection.close()
    settle()


@pytest.mark.security("reset-letter-bounded", "reset-letter-same")
def test_so_many_are_written_at_once_so_many_wait_and_others_are_dropped(app: Flask, make_user: MakeUser) -> None:
    """A mail server that is silent keeps few threads, and whoever asks meanwhile sees no difference."""
    for number in range(reset_letters.MOST_WAITING):
        reachable(make_user, f"known-{number}")
    with socket.create_server(("127.0.0.1", 0), backlog=2 * reset_letters.MOST_WAITING) as silent:
        mails_letters(silent.getsockname()[1])
        for number in range(reset_letters.MOST_WAITING):
            assert ask(new_client(app), f"known-{number}", f"198.51.100.{number}").status_code == 204
        with capture_logs() as logged:
            assert ask(new_client(app), "nobody").status_code == 204
        assert [(each["event"], each["reason"]) for each in logged if each["log_level"] == "warning"] == [
            ("reset_letter_not_sent", "too many at once")
        ]
        for _ in range(2):  # the next have their turn once the first are over
            assert connections(silent, reset_letters.MOST_AT_ONCE) == reset_letters.MOST_AT_ONCE < 10
    settle()
    assert ask(new_client(app), "nobody").status_code == 204
    settle()


def connections(silent: socket.socket, at_least: int) -> int:
    """How many there are at once: so many in any case, and those that come within a second after. They end then."""
    taken: list[socket.socket] = []
    with ExitStack() as stack, suppress(TimeoutError):
        while True:
            silent.settimeout(PATIENCE if len(taken) < at_least else 1)
            taken.append(stack.enter_context(silent.accept()[0]))
    return len(taken)


@pytest.mark.security("reset-letter-bounded")
def test_nobody_gets_more_than_three_an_hour_and_nobody_is_told(
    mail: MailServer, client: PageClient, make_user: MakeUser
) -> None:
    reachable(make_user, "ada")
    for number in range(5):
        assert ask(client, ("ada", "ada@example.org")[number % 2], f"198.51.100.{number}").status_code == 204
    assert recipients(mail) == [["ada@example.org"]] * 3


@pytest.mark.security("reset-letter-bounded")
def test_one_address_asks_thirty_times_an_hour(mail: MailServer, client: PageClient) -> None:
    statuses = [ask(client, f"nobody {number}").status_code for number in range(31)]
    assert statuses == [204] * 30 + [429]
    assert ask(client, "nobody", "2001:db8::1").status_code == 204
    assert mail.mails == []


def test_whoever_is_signed_in_may_ask_too(mail: MailServer, make_user: MakeUser, sign_in: SignIn) -> None:
    ada = reachable(make_user, "ada")
    make_user("the administrator", "owner")
    mine = sign_in(ada)
    assert ask(mine, "ada").status_code == 204
    assert token_in(letter(mail))
    assert mine.get("/api/me").status_code == 200
    assert mine.get("/forgot").status_code == 200


@pytest.mark.parametrize("body", [{}, {"account": None}, {"account": "x" * 1001}, {"account": "x", "email": "y"}, []])
@pytest.mark.usefixtures("mail")
def test_what_is_not_as_expected_is_refused(client: PageClient, body: Any) -> None:
    assert client.post(ASK, json=body).status_code == 422


@pytest.mark.parametrize("typed", ["", " ", "@", "a@b@c", "x" * 1000, "é\x00", "\r\nBcc: a@example.org", "ﬁ%_'\""])
def test_whatever_is_typed_gets_the_same_reply(
    mail: MailServer, client: PageClient, make_user: MakeUser, typed: str
) -> None:
    reachable(make_user, "a")
    reply = ask(client, typed)
    assert (reply.status_code, reply.data) == (204, b"")
    assert recipients(mail) == []
    assert ask(client, "a").status_code == 204
    assert recipients(mail) == [["a@example.org"]]


@pytest.mark.usefixtures("admin")
def test_without_mail_the_page_says_whom_to_ask(client: PageClient, make_user: MakeUser) -> None:
    reachable(make_user, "ada")
    refused = ask(client, "ada")
    assert (refused.status_code, error_code(refused)) == (403, "reset_letters_off")
    for path in ("/login", "/forgot"):
        page = client.get(path, headers={"Accept-Language": "en"}).text
        assert "An administrator can give you a reset link." in page
        assert 'href="/forgot"' not in page
    assert "data-entrance" not in client.get("/forgot").text


@pytest.mark.usefixtures("admin", "mail")
def test_with_mail_the_page_leads_there(client: PageClient) -> None:
    assert 'href="/forgot"' in client.get("/login").text
    assert 'data-entrance="forgot"' in client.get("/forgot").text


def test_before_the_first_administrator_there_is_nothing_to_forget(client: PageClient) -> None:
    assert client.get("/forgot").location == "/setup"


@pytest.mark.security("reset-letter-host")
@pytest.mark.parametrize(
    ("host", "leads"),
    [
        ("chat.example.org", True),
        ("CHAT.example.org", True),
        ("chat.example.org:8443", True),
        ("xn--strae-oqa.example", True),
        ("chat.example.org:4444", False),
        ("evil.school.example", False),
        ("school.example", False),
        ("localhost", False),
        ("127.0.0.1", False),
    ],
)
@pytest.mark.usefixtures("admin", "hosts_as_before")
def test_it_leads_only_to_an_address_that_the_settings_name(
    mail: MailServer, client: PageClient, make_user: MakeUser, host: str, leads: bool
) -> None:
    names = ("chat.example.org", "chat.example.org:8443", "straße.example", ".school.example")
    use_hosts(client.application, *names, trusted_proxies=1)
    reachable(make_user, "ada")
    reply = ask(client, "ada", base_url=f"https://{host}")
    assert ('href="/forgot"' in client.get("/login", base_url=f"https://{host}").text) == leads
    if leads:
        assert reply.status_code == 204
        assert f"https://{host.lower()}/reset#" in letter(mail).text
    else:
        assert (reply.status_code, error_code(reply)) == (403, "reset_letters_off")
        assert mail.mails == []


@pytest.mark.security("reset-letter-host")
@pytest.mark.parametrize(
    ("listens", "port", "status"),
    [(5000, ":5000", 204), (5000, ":5001", 403), (5000, "", 403), (80, "", 204), (80, ":80", 204), (443, "", 403)],
)
@pytest.mark.usefixtures("mail", "hosts_as_before")
def test_without_a_proxy_the_servers_own_port_counts(client: PageClient, listens: int, port: str, status: int) -> None:
    """A browser names none where it is the scheme's own."""
    use_hosts(client.application, "192.168.1.20", trusted_proxies=0, port=listens)
    assert ask(client, "nobody", base_url=f"http://192.168.1.20{port}").status_code == status


@pytest.mark.security("reset-letter-host")
@pytest.mark.usefixtures("mail", "hosts_as_before")
def test_a_port_that_is_forwarded_counts_once_it_is_named(client: PageClient) -> None:
    use_hosts(client.application, "chat.example.org:80", "chat.example.org:8080", trusted_proxies=0)
    statuses = {
        port: ask(client, "nobody", base_url=f"http://chat.example.org{port}").status_code
        for port in ("", ":8080", ":5000")
    }
    assert statuses == {"": 204, ":8080": 204, ":5000": 403}


@pytest.mark.security("reset-letter-host")
@pytest.mark.parametrize("names", [[".school.example"], ["chat.example.org"], []])
@pytest.mark.usefixtures("mail", "hosts_as_before")
def test_this_machines_own_names_count_where_no_other_is_named_at_all(client: PageClient, names: list[str]) -> None:
    use_hosts(client.application, *names, trusted_proxies=1)
    for own in Config.allowed_hosts:
        assert ask(client, "nobody", base_url=f"https://{own}").status_code == (403 if names else 204)


@pytest.mark.security("reset-letter-host")
@pytest.mark.usefixtures("mail")
def test_another_site_cannot_ask(client: PageClient) -> None:
    refused = ask(client, "ada", headers={"Origin": "https://evil.example"})
    assert (refused.status_code, error_code(refused)) == (403, "foreign_origin")


def use_hosts(app: Flask, *names: str, trusted_proxies: int, port: int = 5000) -> None:
    allowed = Config.from_environment(
        {"ALLOWED_HOSTS": " ".join(names), "INSTANCE_DIR": str(config.current().instance_dir)}
    ).allowed_hosts
    now = dataclasses.replace(config.current(), allowed_hosts=allowed, trusted_proxies=trusted_proxies, port=port)
    config.install(now)
    app.config["TRUSTED_HOSTS"] = list(allowed)
