"""scripts/rolling-restart.sh, with Docker stood in for: `make compose-test` runs it with a real one."""

import re
import stat
from pathlib import Path

import pytest

from tests.support.scripted_server import ROOT, ScriptedServer

RUNNING = ("0123456789abcdef", "fedcba9876543210")
UP = "docker compose up -d --wait --wait-timeout 180"


@pytest.fixture
def server(tmp_path: Path) -> ScriptedServer:
    return ScriptedServer(tmp_path)


def running(server: ScriptedServer, *containers: str) -> None:
    lines = "".join(f"echo {container}; " for container in containers)
    server.stands_in_for("docker", f"case $* in *--quiet*) {lines}: ;; esac")


def test_each_new_instance_serves_before_an_old_one_ends(server: ScriptedServer) -> None:
    running(server, *RUNNING)
    done = server.run(["scripts/rolling-restart.sh"])
    assert done.returncode == 0, done.stderr
    one_more = f"{UP} --no-recreate --scale flask-app=3 flask-app"
    assert [call for call in server.calls if "--no-recreate" in call or " stop " in call] == [
        one_more,
        f"docker stop {RUNNING[0]}",
        one_more,
        f"docker stop {RUNNING[1]}",
    ]


def test_other_services_and_the_files_of_nginx_are_taken_up_at_last(server: ScriptedServer) -> None:
    running(server, *RUNNING)
    page = server.folder / "nginx/html/unavailable.html"
    page.chmod(0o600)
    assert server.run(["scripts/rolling-restart.sh"]).returncode == 0
    assert server.calls[-2:] == [
        f"{UP} --scale flask-app=2",
        "docker compose exec -T nginx nginx -s reload",
    ]
    assert stat.S_IMODE(page.stat().st_mode) == 0o644


def test_a_new_instance_that_does_not_serve_is_taken_back(server: ScriptedServer) -> None:
    listed = f"*--all*) echo {RUNNING[0]}; echo new ;; *--quiet*) echo {RUNNING[0]} ;;"
    server.stands_in_for("docker", f"case $* in {listed} *--no-recreate*) exit 1 ;; esac")
    done = server.run(["scripts/rolling-restart.sh"])
    assert done.returncode == 1
    assert "does not serve" in done.stderr
    assert "docker compose up -d --no-deps nginx" in done.stderr
    assert server.calls[-2:] == ["docker logs --tail 30 new", "docker rm --force new"]
    assert not [call for call in server.calls if " stop " in call]


def test_a_service_that_is_not_healthy_in_time_is_told_with_where_to_look(server: ScriptedServer) -> None:
    listed = f"*--quiet*) echo {RUNNING[0]} ;;"
    server.stands_in_for("docker", f"case $* in {listed} *--no-recreate*) ;; *--wait-timeout*) exit 1 ;; esac")
    done = server.run(["scripts/rolling-restart.sh"])
    assert done.returncode == 1
    assert "not everything is healthy after 180 seconds" in done.stderr
    assert "docker compose logs --tail 50 SERVICE" in done.stderr
    assert server.calls[-1] == "docker compose ps --all"


def test_nothing_is_waited_for_without_an_end() -> None:
    for script in (ROOT / "scripts").glob("*.sh"):
        for line in re.findall(r".*docker compose [^#\n]*--wait\b.*", script.read_text(encoding="utf-8")):
            assert "--wait-timeout" in line, f"{script.name}: {line}"


def test_where_nothing_runs_it_says_how_to_start(server: ScriptedServer) -> None:
    running(server)
    done = server.run(["scripts/rolling-restart.sh"])
    assert done.returncode == 1
    assert "docker compose up -d" in done.stderr
