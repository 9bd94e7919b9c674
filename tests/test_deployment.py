"""The Compose file and the scripts around it, without an engine: `make compose-test` runs them."""

import configparser
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flask_app.services.warnings import mail_service
from scripts import settings_reference
from tests.test_documents import explained_settings

ROOT = Path(__file__).resolve().parent.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
GIGABYTE = 1 << 30
# The reference says so of settings that the containers have of their own, or do without.
NOT_HERE = {"en": "Not under Docker Compose.", "zh": "Docker Compose 中不适用。"}
SECRETS = re.findall(r"^readonly SECRETS=\((.*)\)$", (ROOT / "scripts/install.sh").read_text(encoding="utf-8"), re.M)[
    0
].split()
GIVEN = "".join(f"{name}=of-{name}\n" for name in SECRETS)


def composed(tmp_path: Path, settings: str, *added: Path) -> "subprocess.CompletedProcess[str]":
    """What Compose makes of the file, and of those that are added to it, with these settings in `.env`."""
    program = shutil.which("docker-compose")
    assert program, "docker-compose is not installed: `make services` installs what the tests need"
    (tmp_path / ".env").write_text(settings)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    files = [f"--file={file}" for file in (COMPOSE_FILE, *added)]
    command = [program, *files, "--project-directory", str(tmp_path), "--profile", "*", "config", "--format", "json"]
    return subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)


def services(tmp_path: Path, settings: str = GIVEN) -> dict[str, Any]:
    done = composed(tmp_path, settings)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["services"])


def test_it_has_the_services_that_people_know(tmp_path: Path) -> None:
    assert {"nginx", "flask-app", "mysql", "redis"} <= set(services(tmp_path))


@pytest.mark.parametrize("guide", ["deployment.md", "部署指南.md"])
def test_what_a_guide_puts_into_the_override_is_added_to_it(tmp_path: Path, guide: str) -> None:
    document = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    added = []
    for number, block in enumerate(re.findall(r"^```\n((?:services|networks):\n.*?)^```", document, re.M | re.S)):
        added.append(tmp_path / f"{number}.yml")
        added[-1].write_text(block)
    done = composed(tmp_path, GIVEN, *added)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    ports = {(port["published"], port["protocol"]) for port in made["services"]["nginx"]["ports"]}
    assert ports == {("80", "tcp"), ("443", "tcp"), ("443", "udp"), ("5000", "tcp")}
    assert made["networks"]["front"]["enable_ipv6"] is True


@pytest.mark.parametrize("name", SECRETS)
def test_it_does_not_start_without_a_secret_and_says_how_to_make_it(tmp_path: Path, name: str) -> None:
    done = composed(tmp_path, GIVEN.replace(f"{name}=", "ANOTHER="))
    assert done.returncode != 0
    assert f"{name} is missing a value: run scripts/install.sh" in done.stderr


def test_settings_of_the_application_reach_it(tmp_path: Path) -> None:
    values = re.findall(r"\$\{([A-Z_]+)(?!:\+|[A-Z_])", COMPOSE_FILE.read_text())  # not what only has to be there
    of_compose = {*values, "COMPOSE_PROFILES"}
    of_application = explained_settings() - of_compose
    given = GIVEN + "".join(f"{name}=of-{name}\n" for name in of_application)
    environment = services(tmp_path, given)["flask-app"]["environment"]
    passed = {name for name in of_application if environment.get(name) == f"of-{name}"}
    assert passed
    for locale, words in reference().items():
        assert {name for name in of_application if NOT_HERE[locale] in words[name]} == of_application - passed


def reference() -> dict[str, dict[str, str]]:
    """What is said of each setting, by language."""
    chinese = json.loads(settings_reference.CHINESE.read_text(encoding="utf-8"))
    groups = [(group, {"en": group.words, "zh": chinese[group.key]}) for group in settings_reference.groups()]
    return {
        locale: {name: words[locale] for group, words in groups for name, _ in group.settings} for locale in NOT_HERE
    }


@pytest.mark.parametrize(
    ("settings", "holds"),
    [
        ("", False),
        ("SENTRY_DSN=https://key@sentry.example.org/1\n", True),
        ("OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318\n", True),
        ("SENTRY_DSN=\nOTEL_EXPORTER_OTLP_ENDPOINT=\n", False),
        ("OBSERVE=1\n", True),
    ],
)
def test_the_image_holds_what_is_needed_to_send_traces_and_error_reports(
    tmp_path: Path, settings: str, *, holds: bool
) -> None:
    build = services(tmp_path, GIVEN + settings)["flask-app"]["build"]
    assert bool(build["args"]["OBSERVE"]) is holds


@pytest.mark.parametrize(("settings", "holds"), [("", False), ("FILES_URL=s3://files\n", True)])
def test_the_image_holds_what_is_needed_for_files_in_buckets(tmp_path: Path, settings: str, *, holds: bool) -> None:
    build = services(tmp_path, GIVEN + settings)["flask-app"]["build"]
    assert bool(build["args"]["BUCKET"]) is holds


def test_a_secret_between_single_quotes_arrives_whole(tmp_path: Path) -> None:
    for document in (".env.example", "docs/deployment.md", "docs/部署指南.md"):
        assert "BACKUP_PASSPHRASE='correct$horse-battery'" in (ROOT / document).read_text(encoding="utf-8"), document
    environment = services(tmp_path, f"{GIVEN}BACKUP_PASSPHRASE='correct$horse-battery'\n")["flask-app"]["environment"]
    assert environment["BACKUP_PASSPHRASE"] == "correct$$horse-battery", "a dollar, as a Compose file writes it"


def test_what_runs_always_fits_a_gigabyte(tmp_path: Path) -> None:
    limits = {name: int(service["mem_limit"]) for name, service in services(tmp_path).items()}
    del limits["migrate"]  # ends before the application starts
    assert "certbot" in limits
    assert sum(limits.values()) <= GIGABYTE


@pytest.mark.parametrize(("settings", "patience"), [("", "1m30s"), ("ANSWERS_MAY_FINISH_SECONDS=600\n", "10m30s")])
def test_docker_waits_for_answers_as_long_as_they_may_take(tmp_path: Path, settings: str, patience: str) -> None:
    assert services(tmp_path, GIVEN + settings)["flask-app"]["stop_grace_period"] == patience


def test_the_image_is_readable_to_its_account_whatever_umask_the_clone_had() -> None:
    build, _, image = (ROOT / "Dockerfile").read_text(encoding="utf-8").partition("COPY --from=build")
    assert "chmod -R a+rX /app" in build.split("COPY . /app")[1]
    assert "USER 10001" in image


def test_what_is_not_set_keeps_the_applications_default(tmp_path: Path) -> None:
    environment = services(tmp_path, f'{GIVEN}CHAT_RATE_LIMIT="7 per minute"\n')["flask-app"]["environment"]
    assert environment["CHAT_RATE_LIMIT"] == "7 per minute"
    assert environment["SITE_TIMEZONE"] is None, "absent, not empty"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--domain", "https://chat.example.org"], "Not the name of a host"),
        (["--domain", "chat.example.org", "--certificate", "chain.pem"], "--certificate needs --key"),
        (["--domain"], "--domain needs a name"),
        (["--domain", "chat.example.org", "--domain", "-"], "Not the name of a host: -"),
        (["--unknown"], "scripts/install.sh [--domain NAME]"),
        ([], "Give --domain NAME"),
    ],
)
def test_the_installation_refuses_what_it_does_not_understand(
    tmp_path: Path, options: list[str], complaint: str
) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/install.sh", tmp_path / "scripts")
    command = ["bash", str(tmp_path / "scripts/install.sh"), *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert complaint in done.stderr
    assert not (tmp_path / ".env").exists()


def test_what_a_site_adds_to_nginx_is_no_change_of_the_repository() -> None:
    added = ("nginx/local/http-balancer.conf", "nginx/local/server-http3.conf")
    ignored = subprocess.run(["git", "check-ignore", *added], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ignored.stdout.split() == list(added)
    for guide in ("deployment.md", "部署指南.md"):
        text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
        for name in re.findall(r"nginx/examples/\S+\.conf", text):
            assert (ROOT / name).exists(), name
        assert text.count("cp nginx/examples/") == len(added)


def test_what_nginx_writes_has_a_place_with_and_without_docker(tmp_path: Path) -> None:
    """It makes the last folder of a path alone, and Debian's package has none of its own in /var/cache."""
    written = re.findall(r" (/var/cache/[^ ;]+)", (ROOT / "nginx/nginx.conf").read_text(encoding="utf-8"))
    assert len(written) == 2
    assert {str(Path(folder).parent) for folder in written} == {"/var/cache"}
    assert set(written) <= {each.partition(":")[0] for each in services(tmp_path)["nginx"]["tmpfs"]}


def test_nginx_waits_for_a_mail_as_long_as_the_application_does() -> None:
    """Eight steps that come before a message or after it, and four of its own."""
    shipped = (ROOT / "nginx/locations.conf").read_text(encoding="utf-8")
    ((pattern, minutes),) = re.findall(r"^location ~ (\S+) \{.*?^ *proxy_read_timeout ([0-9]+)m;", shipped, re.M | re.S)
    assert 60 * int(minutes) >= 8 * mail_service.TIMEOUT_SECONDS + 4 * mail_service.ACCEPT_SECONDS
    paths = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))["paths"]
    assert {path for path in paths if re.search(pattern, path)} == {
        "/api/admin/warnings/mail/test",
        "/api/me/email/code",
    }


def test_systemd_starts_it_behind_its_database_and_gives_up_nothing() -> None:
    """At five starts within ten seconds systemd would: a database that is slow to come up is not there before."""
    for document in ("README.md", "README.zh-CN.md"):
        (unit,) = re.findall(r"^```\n(\[Unit\]\n.*?)^```", (ROOT / document).read_text(encoding="utf-8"), re.M | re.S)
        told = configparser.ConfigParser()
        told.read_string(unit)
        assert told["Unit"]["Wants"] == "network-online.target"
        after = told["Unit"]["After"].split()
        assert set(after) == {"network-online.target", "mariadb.service", "mysql.service"}
        assert (told["Service"]["Restart"], told["Service"]["RestartSec"]) == ("on-failure", "5")


def test_documents_say_from_what_length_on_nginx_keeps_a_question_in_a_file() -> None:
    shipped = (ROOT / "nginx/nginx.conf").read_text(encoding="utf-8")
    (kilobytes,) = re.findall(r"^ *client_body_buffer_size ([0-9]+)k;$", shipped, re.M)
    told = {
        "operations.md": f"nginx: a question of more than {kilobytes} KB",
        "运维指南.md": f"超过 {kilobytes} KB 的提问",
    }
    for document, words in told.items():
        assert words in (ROOT / "docs" / document).read_text(encoding="utf-8")


def test_what_the_dockerfile_copies_is_let_through() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
    let_through = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.M)
    files = {name for names in copied for name in names.split()} - {"."}
    assert files
    assert files <= set(let_through)
