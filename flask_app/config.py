"""Settings: one frozen dataclass read from the environment, checked at boot.

Every secret `NAME` may also come from a file named by `NAME_FILE`. Where neither is given, the two
secrets that only this installation needs are made once and kept in `instance/secrets.json`.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask_app import timezones

ROOT = Path(__file__).resolve().parent.parent
MIN_SECRET_LENGTH = 32
DATABASES = ("mysql+pymysql://", "mariadb+pymysql://", "sqlite:///")
WEAK_SECRETS = frozenset({"secret", "changeme", "change-me", "dev", "password", "your-secret-key"})


class ConfigError(Exception):
    """A setting is missing, weak or malformed; the message names it and says what to write."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the application; `.env.example` explains them."""

    instance_dir: Path
    secret_key: str
    encryption_key: str
    host: str = "127.0.0.1"
    port: int = 5000
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    trusted_proxies: int = 0
    database_url: str
    deepseek_api_key: str | None = None
    deepseek_base_url: str = "https://api.deepseek.com"
    local_model_path: Path | None = None
    allow_insecure_upstreams: bool = False
    site_timezone: str = "Asia/Shanghai"
    chat_rate_limit: str = "5 per minute"
    max_runs_per_user: int = 3
    web_concurrency: int = 1

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read and check every setting; raises ConfigError at the first that cannot stand."""
        read = _Reader(environ)
        instance = Path(read.text("INSTANCE_DIR", str(ROOT / "instance"))).resolve()
        try:
            instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"INSTANCE_DIR cannot be made: {error}") from error
        made = _InstanceSecrets(instance)
        return cls(
            instance_dir=instance,
            secret_key=read.strong_secret("SECRET_KEY", made),
            encryption_key=read.strong_secret("ENCRYPTION_KEY", made),
            host=read.text("HOST", cls.host),
            port=read.integer("PORT", cls.port, low=1, high=65535),
            allowed_hosts=cls.allowed_hosts + read.hosts("ALLOWED_HOSTS"),
            trusted_proxies=read.integer("TRUSTED_PROXIES", cls.trusted_proxies, low=0, high=5),
            database_url=read.database("DATABASE_URL") or f"sqlite:///{instance / 'mingchat.db'}",
            deepseek_api_key=read.secret("DEEPSEEK_API_KEY"),
            deepseek_base_url=read.text("DEEPSEEK_BASE_URL", cls.deepseek_base_url),
            local_model_path=read.existing_file("LOCAL_MODEL_PATH"),
            allow_insecure_upstreams=read.flag("ALLOW_INSECURE_UPSTREAMS"),
            site_timezone=read.timezone("SITE_TIMEZONE", cls.site_timezone),
            chat_rate_limit=read.text("CHAT_RATE_LIMIT", cls.chat_rate_limit),
            max_runs_per_user=read.integer("MAX_RUNS_PER_USER", cls.max_runs_per_user, low=1),
            web_concurrency=read.one_worker("WEB_CONCURRENCY"),
        )


_current: Config | None = None


def install(config: Config) -> None:
    """Make `config` the process's settings; `create_app` calls this once."""
    global _current
    _current = config


def current() -> Config:
    """The process's settings; raises RuntimeError before `install`."""
    if _current is None:
        raise RuntimeError("create_app() has not run: no settings are installed")
    return _current


class _InstanceSecrets:
    """The secrets an installation makes for itself, in a file that only its owner can read."""

    def __init__(self, instance: Path) -> None:
        self.path = instance / "secrets.json"

    def get(self, name: str) -> str:
        known: dict[str, str] = json.loads(self.path.read_text()) if self.path.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(48)
            self._write(known)
        return known[name]

    def _write(self, known: dict[str, str]) -> None:
        fresh = self.path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(known, file)
        fresh.replace(self.path)


class _Reader:
    """Typed reading of environment variables; every complaint names the variable."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str, default: str) -> str:
        return self.environ.get(name, "").strip() or default

    def hosts(self, name: str) -> tuple[str, ...]:
        names = tuple(self.environ.get(name, "").replace(",", " ").split())
        if wrong := [host for host in names if "/" in host]:
            raise ConfigError(f"{name} holds names such as chat.example.org, without https:// and path: {wrong[0]!r}")
        return names

    def database(self, name: str) -> str | None:
        url = self.secret(name)
        if url and not url.startswith(DATABASES):  # not shown: it may hold a password
            raise ConfigError(f"{name} must begin with one of: {' '.join(DATABASES)}")
        return url

    def integer(self, name: str, default: int, *, low: int, high: int | None = None) -> int:
        raw = self.text(name, str(default))
        if not raw.isascii() or not raw.isdigit() or int(raw) < low or (high and int(raw) > high):
            raise ConfigError(f"{name} must be a whole number from {low}{f' to {high}' if high else ''}, not {raw!r}")
        return int(raw)

    def one_worker(self, name: str) -> int:
        """Streams live in their worker's memory: a second worker could neither follow nor stop them."""
        if self.integer(name, 1, low=1) > 1:
            raise ConfigError(f"{name} above 1 needs a stream broker that workers share; this version has none: set 1")
        return 1

    def flag(self, name: str) -> bool:
        raw = self.text(name, "0").lower()
        if raw not in {"0", "1", "true", "false", "yes", "no"}:
            raise ConfigError(f"{name} must be 1 or 0, not {raw!r}")
        return raw in {"1", "true", "yes"}

    def timezone(self, name: str, default: str) -> str:
        raw = self.text(name, default)
        if not timezones.is_known(raw):
            raise ConfigError(f"{name} must be a time zone such as Asia/Shanghai, not {raw!r}")
        return raw

    def existing_file(self, name: str) -> Path | None:
        raw = self.text(name, "")
        if raw and not Path(raw).is_file():
            raise ConfigError(f"{name} names no file: {raw}")
        return Path(raw) if raw else None

    def secret(self, name: str) -> str | None:
        """`NAME`, or the content of the file `NAME_FILE` points to; an empty one is absent."""
        path = self.environ.get(f"{name}_FILE", "")
        if not path:
            return self.environ.get(name, "").strip() or None
        try:
            return Path(path).read_text().strip() or None
        except OSError as error:
            raise ConfigError(f"{name}_FILE cannot be read: {error}") from error

    def strong_secret(self, name: str, made: _InstanceSecrets) -> str:
        if name not in self.environ and f"{name}_FILE" not in self.environ:
            return made.get(name)
        given = self.secret(name) or ""
        if len(given) < MIN_SECRET_LENGTH or given.lower() in WEAK_SECRETS or len(set(given)) < 8:
            raise ConfigError(
                f"{name} is empty or weak: give at least {MIN_SECRET_LENGTH} random characters, "
                f"for example from `python -c 'import secrets; print(secrets.token_urlsafe(48))'`"
            )
        return given
