"""The Compose file and the scripts around it, without an engine: `make compose-test` runs them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.test_documents import explained_settings

ROOT = Path(__file__).resolve().parent.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
# Those of the container itself, and what it does without: a demonstration's model, a folder of Python's, Compose's own.
FIXED = {"PORT", "INSTANCE_DIR", "LOCAL_MODEL_PATH", "MINGCHAT_VENV", "COMPOSE_PROFILES"}
SECRETS = re.findall(r"^readonly SECRETS=\((.*)\)$", (ROOT / "scripts/install.sh").read_text(encoding="utf-8"), re.M)[
    0
].split()
GIVEN = "".join(f"{name}=of-{name}\n" for name in SECRETS)


def composed(tmp_path: Path, settings: str) -> "subprocess.CompletedProcess[str]":
    """What Compose makes of the file with these settings in `.env`."""
    program = shutil.which("docker-compose")
    assert program, "docker-compose is not installed: `make services` installs what the tests need"
    (tmp_path / ".env").write_text(settings)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    files = ["--file", str(COMPOSE_FILE), "--project-directory", str(tmp_path)]
    command = [program, *files, "--profile", "*", "config", "--format", "json"]
    return subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)


def services(tmp_path: Path, settings: str = GIVEN) -> dict[str, Any]:
    done = composed(tmp_path, settings)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["services"])


def test_it_has_the_services_that_people_know(tmp_path: Path) -> None:
    assert {"nginx", "flask-app", "mysql", "redis"} <= set(services(tmp_path))


@pytest.mark.parametrize("name", SECRETS)
def test_it_does_not_start_without_a_secret_and_says_how_to_make_it(tmp_path: Path, name: str) -> None:
    done = composed(tmp_path, GIVEN.replace(f"{name}=", "ANOTHER="))
    assert done.returncode != 0
    assert f"{name} is missing a value: run scripts/install.sh" in done.stderr


def test_settings_of_the_application_reach_it(tmp_path: Path) -> None:
    of_application = explained_settings() - FIXED - set(re.findall(r"\$\{([A-Z_]+)", COMPOSE_FILE.read_text()))
    known = set(services(tmp_path)["flask-app"]["environment"])
    assert of_application
    assert of_application - known == set()


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


def test_what_the_dockerfile_copies_is_let_through() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
    let_through = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.M)
    files = {name for names in copied for name in names.split()} - {"."}
    assert files
    assert files <= set(let_through)
