"""Settings: read once, refused at the start when they cannot stand."""

import json
import os
import secrets
import stat
import string
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flask_app.config import ROOT, Config
from flask_app.errors import ConfigError
from scripts import settings_file

STRONG = "q8Zr-3vTk_9mWx2LsP7yBn4HcJ6dGfA1"
WEAK = [
    *("", " ", "secret", "changeme", "short-but-random-8Zq", "a" * 64, "abcabcabc" * 8, "0123456789" * 5),
    *(
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "please-change-me-before-you-go-live-9Zq",
        "your-secret-key-goes-here-8Zq4-x",
    ),
]


def read(tmp_path: Path, **environ: str) -> Config:
    return Config.from_environment({"INSTANCE_DIR": str(tmp_path)} | environ)


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert config.port == 5000
    assert config.database_url == f"sqlite:///{tmp_path / 'mingchat.db'}"
    assert config.deepseek_api_key is None
    assert not config.allow_insecure_upstreams


def test_secrets_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)
    assert first.secret_key == second.secret_key
    assert first.secret_key != first.encryption_key
    assert len(first.secret_key) >= 43
    file = tmp_path / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_text())) == {"SECRET_KEY", "ENCRYPTION_KEY"}
    assert read(tmp_path / "other").secret_key != first.secret_key


@pytest.mark.security("weak-secrets-refused")
@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEY"])
@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_secret_stops_the_start(tmp_path: Path, name: str, weak: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read(tmp_path, **{name: weak})


@pytest.mark.security("weak-secrets-refused")
@pytest.mark.parametrize("weak", [weak for weak in WEAK if weak.strip()])
def test_a_weak_token_for_metrics_stops_the_start(tmp_path: Path, weak: str) -> None:
    with pytest.raises(ConfigError, match="METRICS_TOKEN is weak"):
        read(tmp_path, METRICS_TOKEN=weak)


@pytest.mark.parametrize("length", [32, 64])
def test_random_characters_of_any_kind_are_strong(tmp_path: Path, length: int) -> None:
    for alphabet in (string.digits, string.hexdigits.lower(), string.ascii_letters + string.digits):
        for _ in range(20):
            made = "".join(secrets.choice(alphabet) for _ in range(length))
            assert read(tmp_path, SECRET_KEY=made).secret_key == made


@pytest.mark.parametrize(
    "content", ['{"SECRET_KEY": ""}', '{"SECRET_KEY": "changeme"}', '{"SECRET_KEY": 5}', "[]", "{", ""]
)
def test_a_file_of_secrets_that_was_tampered_with_stops_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets.json").write_text(content)
    with pytest.raises(ConfigError, match=r"SECRET_KEY|secrets\.json"):
        read(tmp_path)


def test_a_file_that_is_no_text_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"canary\xff" * 8)
    with pytest.raises(ConfigError, match="SECRET_KEY_FILE") as complaint:
        read(tmp_path, SECRET_KEY_FILE=str(tmp_path / "secret"))
    assert "canary" not in str(complaint.value)


def test_a_complaint_does_not_repeat_the_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as complaint:
        read(tmp_path, SECRET_KEY="canary-too-short")
    assert "canary" not in str(complaint.value)
    with pytest.raises(ConfigError) as complaint:
        read(tmp_path, DATABASE_URL="postgresql://root:canary@db/mingchat")
    assert "canary" not in str(complaint.value)


def test_workers_that_start_at_once_make_the_same_secrets(tmp_path: Path) -> None:
    made: list[Config] = []
    starts = [threading.Thread(target=lambda: made.append(read(tmp_path))) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(made) == 8
    assert len({(config.secret_key, config.encryption_key) for config in made}) == 1


def test_several_workers_need_redis_and_a_database_server(tmp_path: Path) -> None:
    redis, server = {"REDIS_URL": "redis://localhost/0"}, {"DATABASE_URL": "mysql+pymysql://root@localhost/mingchat"}
    assert read(tmp_path, WEB_CONCURRENCY="4", **redis, **server).web_concurrency == 4
    with pytest.raises(ConfigError, match="WEB_CONCURRENCY above 1 needs REDIS_URL"):
        read(tmp_path, WEB_CONCURRENCY="4", **server)
    with pytest.raises(ConfigError, match="WEB_CONCURRENCY above 1 needs a DATABASE_URL"):
        read(tmp_path, WEB_CONCURRENCY="4", **redis)


def test_only_the_owner_enters_the_folder_of_the_database(tmp_path: Path) -> None:
    assert stat.S_IMODE(read(tmp_path / "new").instance_dir.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("SECRET_KEY", "secret_key", STRONG),
        ("ENCRYPTION_KEY", "encryption_key", STRONG),
        ("DEEPSEEK_API_KEY", "deepseek_api_key", STRONG),
        ("REDIS_URL", "redis_url", f"redis://:{STRONG}@localhost/0"),
        ("METRICS_TOKEN", "metrics_token", STRONG),
    ],
)
def test_a_secret_may_come_from_a_file(tmp_path: Path, name: str, attribute: str, value: str) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{value}\n")
    assert getattr(read(tmp_path, **{f"{name}_FILE": str(file)}), attribute) == value
    with pytest.raises(ConfigError, match=f"{name}_FILE"):
        read(tmp_path, **{f"{name}_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "5000a"),
        ("PORT", "٥٠٠٠"),
        ("TRUSTED_PROXIES", "6"),
        ("SITE_TIMEZONE", "Mars/Olympus"),
        ("SITE_TIMEZONE", "localtime"),
        ("SITE_TIMEZONE", "../x"),
        ("ALLOW_INSECURE_UPSTREAMS", "perhaps"),
        ("LOCAL_MODEL_PATH", "/nothing/here.gguf"),
        ("ALLOWED_HOSTS", "https://chat.example.com"),
        ("ALLOWED_HOSTS", "中文。。example"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://user:password@db/mingchat"),
        ("INSTANCE_DIR", "/dev/null/instance"),
        ("REDIS_URL", "localhost:6379"),
        ("WEB_CONCURRENCY", "0"),
    ],
)
def test_a_setting_that_cannot_stand_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read(tmp_path, **{name: value})


def test_hosts_are_added_to_the_machines_own(tmp_path: Path) -> None:
    hosts = read(tmp_path, ALLOWED_HOSTS="Chat.Example.com, 192.0.2.1").allowed_hosts
    assert {"localhost", "127.0.0.1", "chat.example.com", "192.0.2.1"} == set(hosts)


def test_hosts_are_kept_as_browsers_send_them(tmp_path: Path) -> None:
    """In the ASCII form of IDNA 2008, in which straße is not strasse."""
    named = "Straße.example bücher.example:8443 .中文.example"
    hosts = read(tmp_path, ALLOWED_HOSTS=named).allowed_hosts
    assert hosts[2:] == ("xn--strae-oqa.example", "xn--bcher-kva.example:8443", ".xn--fiq228c.example")


def test_mail_is_off_until_a_server_is_named(tmp_path: Path) -> None:
    assert read(tmp_path).mail is None
    assert read(tmp_path, SMTP_FROM="x", SMTP_USER="y").mail is None


@pytest.mark.parametrize(("security", "port"), [("", 587), ("starttls", 587), ("TLS", 465), ("none", 25)])
def test_a_mail_server_has_the_port_of_its_security(tmp_path: Path, security: str, port: int) -> None:
    named = {"SMTP_HOST": "smtp.example.org", "SMTP_FROM": "chat@example.org", "SMTP_SECURITY": security}
    mail = read(tmp_path, **named).mail
    assert mail is not None
    assert (mail.host, mail.port, mail.sender, mail.user) == ("smtp.example.org", port, "chat@example.org", None)
    other = read(tmp_path, **named, SMTP_PORT="2525").mail
    assert other is not None
    assert other.port == 2525


def test_the_user_is_the_sender_where_it_is_an_address_and_the_password_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("seven paper boats\n")
    given = {"SMTP_USER": "chat@example.org", "SMTP_PASSWORD_FILE": str(tmp_path / "password")}
    mail = read(tmp_path, SMTP_HOST="192.0.2.1", **given).mail
    assert mail is not None
    assert (mail.sender, mail.user, mail.password) == ("chat@example.org", "chat@example.org", "seven paper boats")
    assert "seven" not in repr(mail)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("SMTP_FROM", {}),
        ("SMTP_FROM", {"SMTP_FROM": "MingChat <chat@example.org>"}),
        ("SMTP_FROM", {"SMTP_FROM": "a@example.org\nBcc: b@example.org"}),
        ("SMTP_HOST", {"SMTP_HOST": "smtp.example.org:587"}),
        ("SMTP_HOST", {"SMTP_HOST": "smtps://smtp.example.org"}),
        ("SMTP_SECURITY", {"SMTP_SECURITY": "ssl"}),
        ("SMTP_PORT", {"SMTP_PORT": "0"}),
        ("SMTP_USER", {"SMTP_FROM": "a@example.org", "SMTP_USER": "a"}),
        ("SMTP_USER", {"SMTP_FROM": "a@example.org", "SMTP_PASSWORD": "a"}),
        ("SMTP_PASSWORD", {"SMTP_FROM": "a@example.org", "SMTP_USER": "a", "SMTP_PASSWORD": "geheim-ü"}),
        (
            "SMTP_SECURITY",
            {"SMTP_FROM": "a@b.org", "SMTP_USER": "a", "SMTP_PASSWORD": "geheim", "SMTP_SECURITY": "none"},
        ),
    ],
)
def test_a_mail_server_that_cannot_work_stops_the_start(tmp_path: Path, name: str, settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, **({"SMTP_HOST": "smtp.example.org"} | settings))
    assert name in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "otlp_endpoint", "http://localhost:4318"),
        ("SENTRY_DSN", "sentry_dsn", "https://key@sentry.example.org/1"),
    ],
)
def test_where_traces_and_errors_go_is_an_address(tmp_path: Path, name: str, attribute: str, value: str) -> None:
    assert getattr(read(tmp_path), attribute) is None
    assert getattr(read(tmp_path, **{name: value}), attribute) == value
    with pytest.raises(ConfigError, match=f"{name} must begin with"):
        read(tmp_path, **{name: "localhost:4318"})


@pytest.mark.parametrize(
    ("name", "package"), [("OTEL_EXPORTER_OTLP_ENDPOINT", "opentelemetry"), ("SENTRY_DSN", "sentry_sdk")]
)
def test_a_setting_whose_package_is_missing_stops_the_start(tmp_path: Path, name: str, package: str) -> None:
    """As after a plain installation: a process in which the package cannot be found."""
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{package!r}] = None\n")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "INSTANCE_DIR": str(tmp_path / "instance")}
    environ |= {settings_file.SKIP: "1", name: "http://key@127.0.0.1:9/1"}
    command = [sys.executable, "-c", "import wsgi"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith(f"A setting is wrong: {name} needs packages that are not installed: run `python3 ")


def test_a_plain_start_loads_neither_traces_nor_error_reports_nor_commands(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "INSTANCE_DIR": str(tmp_path), settings_file.SKIP: "1"}
    unwanted = {"opentelemetry", "sentry_sdk", "requests", "rich", "alembic", "redis", "cryptography", "flask_app.cli"}
    unwanted |= {"obstore"}
    said = f"import sys, wsgi; print(sorted({unwanted} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", said], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
