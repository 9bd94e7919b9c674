"""Settings: one frozen dataclass read from the environment, checked at boot.

Every secret `NAME` may also come from a file named by `NAME_FILE`. Where neither is given, the two
secrets that only this installation needs are made once and kept in `instance/secrets.json`.
"""

import os
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from flask_app import places, timezones
from flask_app.errors import ConfigError
from flask_app.instance_secrets import MADE_SECRETS, InstanceSecrets

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parent.parent
MIN_SECRET_LENGTH = 32
SQLITE = "sqlite:///"
DATABASES = ("mysql+pymysql://", "mariadb+pymysql://", SQLITE)
WEB = ("https://", "http://")
REDIS = ("redis://", "rediss://", "unix://")
NUMBER = re.compile(r"[0-9]{1,18}")
MOST_WORKERS = 256  # a slip of the finger must not fork until the machine stands still
HOW_TO_MAKE_A_SECRET = (
    f"give at least {MIN_SECRET_LENGTH} random characters, "
    "for example from `python3 -c 'import secrets; print(secrets.token_urlsafe(48))'`"
)
MIN_VARIETY = 6  # different characters, and different steps from one to the next: neither "aaaa" nor "abcd"
MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}
OF_A_HOST = frozenset(string.ascii_letters + string.digits + ".-")
OF_A_MAILBOX = OF_A_HOST | frozenset("!#$%&'*+/=?^_`{|}~")
PLACEHOLDERS = re.compile(r"secret|password|passwd|change.?(me|this|it)|example|placeholder", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The mail server that warnings are sent by. `security`: a key of MAIL_PORTS."""

    host: str
    port: int
    security: str
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the application; `.env.example` explains them."""

    instance_dir: Path
    secret_key: str
    encryption_key: str
    host: str = "127.0.0.1"
    port: int = 5000
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    trusted_proxies: int = 0
    database_url: str
    redis_url: str | None = None
    deepseek_api_key: str | None = None
    deepseek_base_url: str = "https://api.deepseek.com"
    deepseek_currency: str = "CNY"
    local_model_path: Path | None = None
    allow_insecure_upstreams: bool = False
    upstream_connect_seconds: float = 10
    upstream_first_token_seconds: float = 600
    upstream_idle_seconds: float = 120
    upstream_total_seconds: float = 3600
    site_timezone: str = "Asia/Shanghai"
    max_answer_tokens: int = 32_768
    chat_rate_limit: str = "5 per minute"
    max_runs_per_user: int = 3
    web_concurrency: int = 1
    metrics_token: str | None = None
    log_format: str = "text"
    otlp_endpoint: str | None = None
    sentry_dsn: str | None = None
    mail: Mail | None = None
    backup_passphrase: str | None = field(default=None, repr=False)
    old_encryption_key: str | None = field(default=None, repr=False)  # opens what is not sealed with the new one yet
    made_secrets: tuple[str, ...] = ()  # those of MADE_SECRETS that are in `instance_dir`

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read and check every setting; raises ConfigError at the first that cannot stand."""
        read = _Reader(environ)
        instance = (ROOT / read.text("INSTANCE_DIR", "instance")).resolve()
        try:
            instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"INSTANCE_DIR cannot be made: {error}") from error
        _refuse(places.folder_complaint(instance), "INSTANCE_DIR")
        made = InstanceSecrets(instance)
        database_url = read.address("DATABASE_URL", DATABASES) or f"sqlite:///{instance / 'mingchat.db'}"
        redis_url = read.address("REDIS_URL", REDIS)
        if database_url.startswith(SQLITE):
            _refuse(places.database_complaint(Path(database_url.removeprefix(SQLITE))), "DATABASE_URL")
        return cls(
            instance_dir=instance,
            secret_key=read.strong_secret("SECRET_KEY", made),
            encryption_key=read.strong_secret("ENCRYPTION_KEY", made),
            host=read.text("HOST", cls.host),
            port=read.integer("PORT", cls.port, low=1, high=65535),
            allowed_hosts=cls.allowed_hosts + read.hosts("ALLOWED_HOSTS"),
            trusted_proxies=read.integer("TRUSTED_PROXIES", cls.trusted_proxies, low=0, high=5),
            database_url=database_url,
            redis_url=redis_url,
            deepseek_api_key=read.secret("DEEPSEEK_API_KEY"),
            deepseek_base_url=read.text("DEEPSEEK_BASE_URL", cls.deepseek_base_url),
            deepseek_currency=read.text("DEEPSEEK_CURRENCY", cls.deepseek_currency).upper(),
            local_model_path=read.existing_file("LOCAL_MODEL_PATH"),
            allow_insecure_upstreams=read.flag("ALLOW_INSECURE_UPSTREAMS"),
            upstream_connect_seconds=read.seconds("UPSTREAM_CONNECT_SECONDS", cls.upstream_connect_seconds),
            upstream_first_token_seconds=read.seconds("UPSTREAM_FIRST_TOKEN_SECONDS", cls.upstream_first_token_seconds),
            upstream_idle_seconds=read.seconds("UPSTREAM_IDLE_SECONDS", cls.upstream_idle_seconds),
            upstream_total_seconds=read.seconds("UPSTREAM_TOTAL_SECONDS", cls.upstream_total_seconds),
            site_timezone=read.timezone("SITE_TIMEZONE", cls.site_timezone),
            max_answer_tokens=read.integer("MAX_ANSWER_TOKENS", cls.max_answer_tokens, low=256, high=1_000_000),
            chat_rate_limit=read.text("CHAT_RATE_LIMIT", cls.chat_rate_limit),
            max_runs_per_user=read.integer("MAX_RUNS_PER_USER", cls.max_runs_per_user, low=1),
            web_concurrency=read.workers("WEB_CONCURRENCY", database_url, redis_url),
            metrics_token=_metrics_token(read),
            otlp_endpoint=read.address("OTEL_EXPORTER_OTLP_ENDPOINT", WEB),
            sentry_dsn=read.address("SENTRY_DSN", WEB),
            log_format=read.one_of("LOG_FORMAT", (cls.log_format, "json")),
            mail=_mail(read),
            backup_passphrase=read.secret("BACKUP_PASSPHRASE"),
            old_encryption_key=read.secret("OLD_ENCRYPTION_KEY"),
            made_secrets=tuple(name for name in MADE_SECRETS if not read.is_given(name)),
        )


def _metrics_token(read: "_Reader") -> str | None:
    token = read.secret("METRICS_TOKEN")
    if token and _is_weak(token):
        raise ConfigError(f"METRICS_TOKEN is weak: {HOW_TO_MAKE_A_SECRET}")
    return token


def _mail(read: "_Reader") -> Mail | None:
    host = read.text("SMTP_HOST", "")
    security = read.one_of("SMTP_SECURITY", tuple(MAIL_PORTS))
    port = read.integer("SMTP_PORT", MAIL_PORTS[security], low=1, high=65535)
    user, password = read.text("SMTP_USER", ""), read.secret("SMTP_PASSWORD")
    sender = read.text("SMTP_FROM", user if _is_address(user) else "")
    if not host:
        return None
    if not OF_A_HOST.issuperset(host) and "::" not in host:
        raise ConfigError(f"SMTP_HOST is a name such as smtp.example.org, and the port is SMTP_PORT: {host!r}")
    if not _is_address(sender):
        raise ConfigError(f"SMTP_FROM must be the address that mail comes from, such as chat@example.org: {sender!r}")
    if bool(user) != bool(password):
        raise ConfigError("SMTP_USER and SMTP_PASSWORD are given together or not at all")
    if not f"{user}{password}".isascii():
        raise ConfigError("SMTP_USER and SMTP_PASSWORD must be ASCII: nothing else can be told to a mail server here")
    if password and security == "none":
        raise ConfigError("SMTP_PASSWORD would go over the line unencrypted: SMTP_SECURITY must be starttls or tls")
    return Mail(host=host, port=port, security=security, sender=sender, user=user or None, password=password)


def _is_address(text: str) -> bool:
    mailbox, _, host = text.rpartition("@")
    return bool(mailbox and host) and OF_A_MAILBOX.issuperset(mailbox) and OF_A_HOST.issuperset(host)


def _refuse(complaint: str | None, name: str) -> None:
    if complaint:
        raise ConfigError(f"{name}: {complaint}")


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


class _Reader:
    """Typed reading of environment variables; every complaint names the variable."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str, default: str) -> str:
        return self.environ.get(name, "").strip() or default

    def hosts(self, name: str) -> tuple[str, ...]:
        names = tuple(self.environ.get(name, "").lower().replace(",", " ").split())  # as browsers write them
        if wrong := [host for host in names if "/" in host]:
            raise ConfigError(f"{name} holds names such as chat.example.org, without https:// and path: {wrong[0]!r}")
        return tuple(self._as_browsers_send(name, host) for host in names)

    def _as_browsers_send(self, setting: str, host: str) -> str:
        """In ASCII: by IDNA 2008, in which straße is not strasse."""
        if host.isascii():
            return host
        import idna  # few sites need it

        dot, name, port = re.fullmatch(r"(\.?)([^:]*)(.*)", host).groups()  # type: ignore[union-attr]
        try:
            return f"{dot}{idna.encode(name, uts46=True).decode()}{port}"
        except idna.IDNAError as error:
            raise ConfigError(f"{setting} has a name that cannot be one, {host!r}: {error}") from error

    def address(self, name: str, beginnings: tuple[str, ...]) -> str | None:
        url = self.secret(name)
        if url and not url.startswith(beginnings):  # not shown: it may hold a password
            raise ConfigError(f"{name} must begin with one of: {' '.join(beginnings)}")
        return url

    def integer(self, name: str, default: int, *, low: int, high: int | None = None) -> int:
        raw = self.text(name, str(default))
        if not NUMBER.fullmatch(raw) or int(raw) < low or (high and int(raw) > high):
            raise ConfigError(f"{name} must be a whole number from {low}{f' to {high}' if high else ''}, not {raw!r}")
        return int(raw)

    def workers(self, name: str, database_url: str, redis_url: str | None) -> int:
        """Several workers follow and stop each other's answers over Redis, and write at the same time."""
        count = self.integer(name, 1, low=1, high=MOST_WORKERS)
        if count > 1 and not redis_url:
            raise ConfigError(f"{name} above 1 needs REDIS_URL, over which workers share answers")
        if count > 1 and database_url.startswith("sqlite"):
            raise ConfigError(f"{name} above 1 needs a DATABASE_URL of MariaDB or MySQL: SQLite has one writer")
        return count

    def seconds(self, name: str, default: float) -> int:
        return self.integer(name, int(default), low=1, high=86400)

    def flag(self, name: str) -> bool:
        raw = self.text(name, "0").lower()
        if raw not in {"0", "1", "true", "false", "yes", "no"}:
            raise ConfigError(f"{name} must be 1 or 0, not {raw!r}")
        return raw in {"1", "true", "yes"}

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        """The first without a setting."""
        raw = self.text(name, known[0]).lower()
        if raw not in known:
            raise ConfigError(f"{name} must be one of {' '.join(known)}, not {raw!r}")
        return raw

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
        except UnicodeDecodeError as error:
            raise ConfigError(f"{name}_FILE cannot be read: it is no text") from error

    def is_given(self, name: str) -> bool:
        return name in self.environ or f"{name}_FILE" in self.environ

    def strong_secret(self, name: str, made: InstanceSecrets) -> str:
        secret = (self.secret(name) or "") if self.is_given(name) else made.get(name)
        if _is_weak(secret):
            raise ConfigError(f"{name} is empty or weak: {HOW_TO_MAKE_A_SECRET}")
        return secret


def missing_packages(name: str) -> ConfigError:
    """For a setting that needs requirements-observe.txt."""
    return ConfigError(
        f"{name} needs packages that are not installed: run `python3 scripts/environment.py observe`, "
        "or build the image anew: docker compose build"
    )


def _is_weak(secret: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    has_variety = min(len(set(secret)), len(steps)) >= MIN_VARIETY
    return len(secret) < MIN_SECRET_LENGTH or not has_variety or PLACEHOLDERS.search(secret) is not None
