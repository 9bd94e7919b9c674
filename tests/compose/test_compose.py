"""What `docker compose up -d` promises, of the project's own Dockerfile and Compose file."""

import json
import re
import stat
from dataclasses import replace

import pytest

from tests.compose.books import booked_once
from tests.compose.conftest import Stack
from tests.compose.engine import BASE
from tests.compose.measured import BYTES, SECONDS
from tests.compose.site import PATIENTLY, SERVICES
from tests.compose.talk import ANSWER, Heard, streaming, whole
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Gate, pieces
from tests.support.served import Visitor

MEGABYTE = 1_000_000
GIGABYTE, CERTBOT = 1 << 30, 80 << 20
TEN_MINUTES = 600
FEW = 5


def test_an_answer_comes_over_https_and_is_counted(stack: Stack) -> None:
    stack.upstream.script(ANSWER)
    assert whole(stack.admin) == ("done", ANSWER.text)
    stack.upstream.journal.wait_until_idle()
    assert stack.upstream.journal.chats[-1].usage_sent
    stack.assert_sound_ledger()


def test_it_is_installed_in_ten_minutes(stack: Stack) -> None:
    SECONDS["install.sh, with the image's build"] = stack.site.installed_in
    assert stack.site.installed_in < TEN_MINUTES


def test_http_leads_to_https(stack: Stack) -> None:
    led = Visitor(f"http://127.0.0.1:{stack.site.ports['http']}", {"Host": "localhost"}).get("/login")
    assert (led.status, led.headers["Location"]) == (308, "https://localhost/login")


def test_the_server_itself_reaches_the_application_without_tls(stack: Stack) -> None:
    direct = Visitor(f"http://localhost:{stack.site.ports['direct']}").get("/login")
    assert direct.status == 200


def test_the_image_is_small(stack: Stack) -> None:
    mine, base = (
        int(stack.site.engine.docker("image", "inspect", image, "--format", "{{.Size}}"))
        for image in ("mingchat", BASE)
    )
    BYTES["image beyond its base"] = mine - base
    assert mine - base < 200 * MEGABYTE


def test_an_idle_stack_leaves_most_of_a_gigabyte(stack: Stack) -> None:
    used = stack.site.memory()
    BYTES.update(used)
    assert len(used) == len(SERVICES)
    assert sum(used.values()) < 700 * MEGABYTE


def test_the_limits_fit_a_gigabyte(stack: Stack) -> None:
    limits = [stack.site.inspect(service)[0]["HostConfig"]["Memory"] for service in SERVICES]
    assert all(limits)
    assert sum(limits) <= GIGABYTE - CERTBOT


@pytest.mark.security("least-privilege")
def test_the_application_has_no_rights_over_its_container(stack: Stack) -> None:
    status = stack.site.inside("flask-app", "cat", "/proc/1/status")
    assert re.search(r"^Uid:\s+10001\s", status, re.M)
    assert re.findall(r"^Cap(?:Prm|Eff|Bnd):\s+(\S+)", status, re.M) == ["0" * 16] * 3
    (container,) = stack.site.inspect("flask-app")
    assert container["HostConfig"]["ReadonlyRootfs"] is True


def test_each_container_knows_only_the_secrets_that_it_needs(stack: Stack) -> None:
    settings = stack.site.settings
    known = {
        service: {name for name, secret in settings.items() if len(secret) == 64 and secret in json.dumps(container)}
        for service in SERVICES
        for container in stack.site.inspect(service)
    }
    assert known == {
        "nginx": set(),
        "flask-app": {"SECRET_KEY", "ENCRYPTION_KEY", "MYSQL_PASSWORD", "REDIS_PASSWORD"},
        "mysql": {"MYSQL_PASSWORD", "MYSQL_MIGRATION_PASSWORD", "MYSQL_ROOT_PASSWORD"},
        "redis": {"REDIS_PASSWORD"},
    }


def test_the_application_sees_the_certificate_and_not_its_key(stack: Stack) -> None:
    chain = stack.site.inside("flask-app", "sh", "-c", "cat ssl/fullchain.pem")
    assert chain.startswith("-----BEGIN CERTIFICATE-----")
    assert "ermission denied" in stack.site.inside("flask-app", "sh", "-c", "cat ssl/privkey.pem 2>&1 || true")


def test_only_nginx_is_reached_from_outside(stack: Stack) -> None:
    shipped = json.loads(stack.site.compose("-f", "docker-compose.yml", "config", "--format", "json"))["services"]
    ports = {
        (name, port.get("host_ip", "any"), port["published"])
        for name, service in shipped.items()
        for port in service.get("ports", [])
    }
    loopback = "127.0.0.1"
    assert ports == {
        ("nginx", "any", "80"),
        ("nginx", "any", "443"),
        ("nginx", loopback, "5000"),
        ("mysql", loopback, "3306"),
    }


def test_the_application_may_change_rows_and_no_tables(stack: Stack) -> None:
    statement = "import wsgi; from sqlalchemy import text; from flask_app.database import engine\n"
    statement += "with engine().begin() as line: line.execute(text('CREATE TABLE mine (a INT)'))"
    said = stack.site.inside("flask-app", "sh", "-c", f'python -c "{statement}" 2>&1 || true')
    assert "CREATE command denied" in said


@pytest.mark.security("least-privilege")
def test_redis_asks_for_its_password(stack: Stack) -> None:
    assert "NOAUTH" in stack.site.inside("redis", "redis-cli", "keys", "*")


def test_installing_again_keeps_everything(stack: Stack) -> None:
    settings, certificate = stack.site.settings, (stack.site.folder / "ssl/fullchain.pem").read_text()
    containers = [stack.site.containers(service) for service in SERVICES]
    said = stack.site.install()
    assert "Set-up code" not in said, "there is an administrator"
    assert stack.site.settings == settings
    assert (stack.site.folder / "ssl/fullchain.pem").read_text() == certificate
    assert [stack.site.containers(service) for service in SERVICES] == containers
    assert stack.admin.get("/api/conversations").status == 200


def test_secrets_are_made_and_nobody_else_reads_them(stack: Stack) -> None:
    for name in (".env", "ssl/privkey.pem"):
        assert stat.S_IMODE((stack.site.folder / name).stat().st_mode) == 0o600, name
    made = [secret for secret in stack.site.settings.values() if re.fullmatch("[0-9a-f]{64}", secret)]
    assert len(set(made)) == len(made) == 6


def test_answers_that_end_while_a_killed_mysql_is_away_are_booked_when_it_is_back(stack: Stack) -> None:
    """Each is held back before its last word until MySQL is killed: none can be booked when it has come."""
    last = Gate(len(pieces(ANSWER.text)) - 1)
    with booked_once(stack, ANSWER.text, FEW):
        with streaming(stack, FEW, replace(ANSWER, gate=last)) as answers, stack.site.killed("mysql"):
            last.let_go()
            wait_until(lambda: count_on_disk(stack) >= FEW, 60)
            assert not any(answer.done() for answer in answers), "none is called done before it is booked"
        assert [answer.result() for answer in answers] == [Heard("done", ANSWER.text, ("not_saved_yet",))] * FEW
        stack.wait_until_ready()
    assert count_on_disk(stack) == 0


def count_on_disk(stack: Stack) -> int:
    """Settlements that wait for the database."""
    return len(stack.site.inside("flask-app", "find", "instance", "-path", "*/journal/*.json").splitlines())


def test_streams_go_on_while_mysql_is_killed(stack: Stack) -> None:
    with booked_once(stack, ANSWER.text, FEW):
        with streaming(stack, FEW, ANSWER) as answers:
            stack.site.kill("mysql")
        assert [(answer.result().last, answer.result().text) for answer in answers] == [("done", ANSWER.text)] * FEW
        stack.wait_until_ready()
    assert whole(stack.admin)[0] == "done"


def test_streams_go_on_while_redis_is_killed(stack: Stack) -> None:
    with booked_once(stack, ANSWER.text, FEW):
        with streaming(stack, FEW, ANSWER) as answers:
            stack.site.kill("redis")
        assert [answer.result() for answer in answers] == [Heard("done", ANSWER.text)] * FEW
        stack.wait_until_ready()


def test_what_was_said_outlives_the_containers(stack: Stack) -> None:
    conversations = stack.admin.get("/api/conversations").json()
    assert conversations
    stack.site.compose("down")
    stack.site.compose("up", "-d", *PATIENTLY)
    stack.wait_until_ready()
    stack.sign_in()
    assert stack.admin.get("/api/conversations").json() == conversations
