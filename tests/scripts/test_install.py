"""scripts/install.sh, with Docker stood in for: `make compose-test` runs it with a real one."""

import os
import pty
import re
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.support import certificates
from tests.support.scripted_server import ScriptedServer

HOST = "chat.example.org"
CODE = "Set-up code: ABCD-EFGH"
# There is no volume yet, and certbot succeeds, unless a test says otherwise; asked for the set-up code it says one.
DOCKER = f"""
case $* in
'volume inspect '*) exit "${{VOLUME:-1}}" ;;
*' python -c '*) echo '{CODE}' ;;
*certonly*) exit "${{CERTBOT:-0}}" ;;
esac
"""


@pytest.fixture
def server(tmp_path: Path) -> ScriptedServer:
    server = ScriptedServer(tmp_path)
    server.stands_in_for("docker", DOCKER)
    return server


def install(server: ScriptedServer, *options: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return server.run(["scripts/install.sh", *options], environ=environ)


def installed(server: ScriptedServer, *options: str) -> str:
    done = install(server, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pair(server: ScriptedServer) -> tuple[bytes, bytes]:
    return (server.folder / "ssl/fullchain.pem").read_bytes(), (server.folder / "ssl/privkey.pem").read_bytes()


def names(server: ScriptedServer) -> list[str]:
    certificate = x509.load_pem_x509_certificate(pair(server)[0])
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    )


def test_the_address_and_the_code_are_told(server: ScriptedServer) -> None:
    said = installed(server, "--domain", HOST)
    assert f"MingChat is ready: https://{HOST}\n{CODE}" in said
    assert "docker compose up -d --build" in server.calls


def test_the_name_is_asked_for_at_a_terminal(server: ScriptedServer) -> None:
    person, terminal = pty.openpty()
    try:
        os.write(person, f"{HOST}\n".encode())
        done = server.run(["scripts/install.sh"], typed=terminal)
    finally:
        os.close(terminal)
        os.close(person)
    assert "The name people reach the site by" in done.stderr
    assert f"MingChat is ready: https://{HOST}\n" in done.stdout


def test_secrets_are_made_once_and_nobody_else_reads_them(server: ScriptedServer) -> None:
    settings = server.folder / ".env"
    settings.write_text("SITE_TIMEZONE=Europe/Berlin\n")
    settings.chmod(0o644)
    installed(server, "--domain", HOST)
    made = settings.read_text()
    assert len(set(re.findall("^[A-Z_]+=([0-9a-f]{64})$", made, re.M))) == 6
    assert made.startswith("SITE_TIMEZONE=Europe/Berlin\n")
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    installed(server, "--domain", HOST)
    assert settings.read_text() == made


def test_secrets_outlive_a_disk_that_is_full(server: ScriptedServer) -> None:
    installed(server, "--domain", HOST)
    settings = server.folder / ".env"
    settings.write_text(f"# {'x' * 2000}\n{settings.read_text()}")
    before = settings.read_text()
    done = server.run(["-c", "ulimit -f 1; scripts/install.sh --domain new.example.org"])
    assert done.returncode != 0, "no file may be longer than a kilobyte"
    assert settings.read_text() == before


def test_a_database_whose_secrets_are_gone_is_left_alone(server: ScriptedServer) -> None:
    done = install(server, "--domain", HOST, VOLUME="0")
    assert done.returncode == 1
    assert "There is a database already (the volume mingchat_mysql), but .env has no SECRET_KEY" in done.stderr
    assert not (server.folder / ".env").exists()
    assert not any("up -d" in call for call in server.calls)


def test_the_application_may_read_the_certificate_and_nobody_the_key(server: ScriptedServer) -> None:
    (server.folder / "ssl").chmod(0o700)
    installed(server, "--domain", HOST)
    modes = [
        stat.S_IMODE((server.folder / name).stat().st_mode) for name in ("ssl", "ssl/fullchain.pem", "ssl/privkey.pem")
    ]
    assert modes == [0o755, 0o644, 0o600]


def test_the_certificate_that_is_there_may_be_given_again(server: ScriptedServer) -> None:
    installed(server, "--domain", HOST)
    before = pair(server)
    assert all(before)
    installed(server, "--certificate", "ssl/fullchain.pem", "--key", "ssl/privkey.pem")
    assert pair(server) == before
    assert stat.S_IMODE((server.folder / "ssl/privkey.pem").stat().st_mode) == 0o600


def test_what_cannot_be_read_leaves_the_certificate_as_it_was(server: ScriptedServer) -> None:
    installed(server, "--domain", HOST)
    before = pair(server)
    (server.folder / "chain.pem").write_bytes(certificates.pems(HOST)[0])
    for key in ("ssl/privkey.pem", "missing.pem"):
        assert install(server, "--certificate", "chain.pem", "--key", key).returncode != 0
    assert pair(server) == before
    assert {file.name for file in (server.folder / "ssl").iterdir()} == {"README.md", "fullchain.pem", "privkey.pem"}


def test_a_key_with_a_passphrase_and_a_certificate_that_has_ended_are_refused(server: ScriptedServer) -> None:
    installed(server, "--domain", HOST)
    before = pair(server)
    chain, key = certificates.pems(HOST)
    loaded = serialization.load_pem_private_key(key, None)
    locked = serialization.BestAvailableEncryption(b"a passphrase")
    shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    ended = certificates.pems(HOST, datetime.now(UTC) - timedelta(days=1))
    for its_chain, its_key, reason in (
        (chain, loaded.private_bytes(*shape, locked), "key.pem cannot be read, or has a passphrase"),
        (*ended, "chain.pem has ended: notAfter="),
    ):
        (server.folder / "chain.pem").write_bytes(its_chain)
        (server.folder / "key.pem").write_bytes(its_key)
        done = install(server, "--certificate", "chain.pem", "--key", "key.pem")
        assert (done.returncode != 0, reason in done.stderr) == (True, True), done.stderr
    assert pair(server) == before


def test_a_site_may_have_several_names(server: ScriptedServer) -> None:
    installed(server, "--domain", HOST, "--domain", "www.example.org")
    assert names(server) == [HOST, "www.example.org"]
    assert f'ALLOWED_HOSTS="{HOST} www.example.org"' in (server.folder / ".env").read_text().splitlines()
    installed(server, "--domain", "third.example.org", "--domain", HOST, "--acme")
    assert f'ALLOWED_HOSTS="third.example.org {HOST} www.example.org"' in (server.folder / ".env").read_text()
    (order,) = (call for call in server.calls if "certonly" in call)
    assert f"--domain third.example.org --domain {HOST} --cert-name" in order


def test_a_given_certificate_is_for_all_of_the_names(server: ScriptedServer) -> None:
    chain, key = certificates.pems(HOST)
    (server.folder / "chain.pem").write_bytes(chain)
    (server.folder / "key.pem").write_bytes(key)
    options = ("--certificate", "chain.pem", "--key", "key.pem")
    done = install(server, "--domain", HOST, "--domain", "www.example.org", *options)
    assert done.returncode != 0
    assert "chain.pem is not for www.example.org" in done.stderr
    installed(server, "--domain", HOST, *options)
    assert pair(server) == (chain, key)


def test_a_certificate_that_is_refused_leaves_the_settings_as_they_were(server: ScriptedServer) -> None:
    installed(server, "--domain", HOST)
    before = (server.folder / ".env").read_text()
    assert HOST in before
    chain, key = certificates.pems(HOST)
    (server.folder / "chain.pem").write_bytes(chain)
    (server.folder / "key.pem").write_bytes(key)
    options = ("--certificate", "chain.pem", "--key", "key.pem")
    assert install(server, "--domain", "another.example.org", *options).returncode != 0
    assert (server.folder / ".env").read_text() == before
    installed(server, *options)
    assert pair(server) == (chain, key)


def test_a_name_that_the_certificate_is_not_for_is_told(server: ScriptedServer) -> None:
    assert "is not for" not in installed(server, "--domain", HOST, "--domain", "www.example.org")
    said = installed(server, "--domain", "new.example.org", "--self-signed")
    assert f"The certificate is not for {HOST} www.example.org, where" in said


def test_the_name_that_is_given_first_is_the_first(server: ScriptedServer) -> None:
    (server.folder / ".env").write_text(f"ALLOWED_HOSTS={HOST},old.example.org\n")
    installed(server)
    assert f"ALLOWED_HOSTS={HOST},old.example.org\n" in (server.folder / ".env").read_text(), "nothing was asked for"
    for given in ((HOST, "www.example.org"), ("www.example.org", HOST)):
        installed(server, *(option for name in given for option in ("--domain", name)))
        assert f'ALLOWED_HOSTS="{" ".join(given)} old.example.org"' in (server.folder / ".env").read_text()


def test_a_remark_behind_the_names_is_none_of_them(server: ScriptedServer) -> None:
    (server.folder / ".env").write_text(f"ALLOWED_HOSTS={HOST}  # ours\n")
    installed(server)
    assert names(server) == [HOST]
    assert f"ALLOWED_HOSTS={HOST}  # ours\n" in (server.folder / ".env").read_text(), "nothing was asked for"
    installed(server, "--domain", "www.example.org")
    assert f'ALLOWED_HOSTS="www.example.org {HOST}"\n' in (server.folder / ".env").read_text()


def test_an_address_and_a_whole_domain_need_no_certificate(server: ScriptedServer) -> None:
    (server.folder / ".env").write_text(f'ALLOWED_HOSTS="{HOST} 192.168.1.20 .example.net"\n')
    assert "is not for" not in installed(server)


def test_what_is_no_name_in_the_settings_is_left_as_it_is(server: ScriptedServer) -> None:
    (server.folder / ".env").write_text("ALLOWED_HOSTS=*\n")
    assert "is not for" not in installed(server, "--domain", HOST)
    assert f'ALLOWED_HOSTS="{HOST} *"\n' in (server.folder / ".env").read_text()


def test_by_acme_the_certificate_is_renewed_from_then_on(server: ScriptedServer) -> None:
    assert f"The certificate for {HOST} is there" in installed(server, "--domain", HOST, "--acme")
    assert "docker compose --profile acme up -d --no-deps certbot" in server.calls
    assert "COMPOSE_PROFILES=acme" in (server.folder / ".env").read_text()


def test_another_certificate_ends_the_renewal_of_the_one_by_acme(server: ScriptedServer) -> None:
    installed(server, "--domain", HOST, "--acme")
    settings = server.folder / ".env"
    settings.write_text(settings.read_text().replace("COMPOSE_PROFILES=acme", "COMPOSE_PROFILES=acme,mine"))
    assert "renewed no more" not in installed(server)
    assert "renewed no more" in installed(server, "--self-signed")
    assert "docker compose --profile acme rm --stop --force certbot" in server.calls
    assert "COMPOSE_PROFILES=mine\n" in settings.read_text()
    assert "renewed no more" not in installed(server, "--self-signed")


def test_where_acme_fails_the_site_is_there_and_its_code_is_told(server: ScriptedServer) -> None:
    done = install(server, "--domain", HOST, "--acme", CERTBOT="1")
    assert done.returncode == 1
    assert f"MingChat is ready: https://{HOST}\n{CODE}" in done.stdout
    assert "No certificate by ACME" in done.stderr
    assert f"scripts/install.sh --domain {HOST} --acme\n" in done.stderr
    assert "COMPOSE_PROFILES" not in (server.folder / ".env").read_text(), "there is nothing to renew"


def test_what_to_run_again_after_acme_failed_has_everything_that_was_given(server: ScriptedServer) -> None:
    options = ("--domain", HOST, "--acme", "--email", "you@example.org", "--acme-server", "https://acme.example/dir")
    done = install(server, *options, CERTBOT="1")
    assert f"run this again: scripts/install.sh {' '.join(options)}\n" in done.stderr


@pytest.mark.parametrize(
    "line", ["PASSWORD=correct$horse", 'PASSWORD="correct$horse"', "export PASSWORD=$horse", "PASSWORD=it's$horse"]
)
def test_a_dollar_that_compose_would_replace_is_refused(server: ScriptedServer, line: str) -> None:
    (server.folder / ".env").write_text(f"{line}\n")
    done = install(server, "--domain", HOST)
    assert done.returncode == 1
    assert "PASSWORD in .env has a $" in done.stderr
    assert "PASSWORD='...'" in done.stderr
    assert server.calls == []
    assert (server.folder / ".env").read_text() == f"{line}\n"


@pytest.mark.parametrize("line", ["PASSWORD='correct$horse'", "# PASSWORD=correct$horse", "LIMIT=5 # not $5"])
def test_a_dollar_that_compose_leaves_alone_is_no_fault(server: ScriptedServer, line: str) -> None:
    (server.folder / ".env").write_text(f"{line}\n")
    installed(server, "--domain", HOST)
    assert line in (server.folder / ".env").read_text().splitlines()


def test_what_containers_read_is_readable_to_them(server: ScriptedServer) -> None:
    page = server.folder / "nginx/html/unavailable.html"
    page.chmod(0o600)
    page.parent.chmod(0o700)
    installed(server, "--domain", HOST)
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o755
