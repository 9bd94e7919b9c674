"""Settings: one frozen dataclass read from the environment, checked at boot.

Every secret `NAME` may also come from a file named by `NAME_FILE`. Where neither is given, the two
secrets that only this installation needs are made once and kept in `instance/secrets.json`.
"""

import os
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flask_app import files_setting, places
from flask_app.errors import ConfigError
from flask_app.files_setting import FilesPlace
from flask_app.instance_secrets import MADE_SECRETS, InstanceSecrets
from flask_app.settings_reader import HOW_TO_MAKE_A_SECRET, Reader, is_weak

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parent.parent
SQLITE = "sqlite:///"
DATABASES = ("mysql+pymysql://", "mariadb+pymysql://", SQLITE)
WEB = ("https://", "http://")
REDIS = ("redis://", "rediss://", "unix://")
MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}
OF_A_HOST = frozenset(string.ascii_letters + string.digits + ".-")
OF_A_MAILBOX = OF_A_HOST | frozenset("!#$%&'*+/=?^_`{|}~")


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
    files: FilesPlace | None = None  # where new contents of files go instead of the database
    backup_passphrase: str | None = field(default=None, repr=False)
    old_encryption_key: str | None = field(default=None, repr=False)  # opens what is not sealed with the new one yet
    made_secrets: tuple[str, ...] = ()  # those of MADE_SECRETS that are in `instance_dir`

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read and check every setting; raises ConfigError at the first that cannot stand."""
        read = Reader(environ)
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
            files=files_setting.read_from(read),
            backup_passphrase=read.secret("BACKUP_PASSPHRASE"),
            old_encryption_key=read.secret("OLD_ENCRYPTION_KEY"),
            made_secrets=tuple(name for name in MADE_SECRETS if not read.is_given(name)),
        )


def _metrics_token(read: Reader) -> str | None:
    token = read.secret("METRICS_TOKEN")
    if token and is_weak(token):
        raise ConfigError(f"METRICS_TOKEN is weak: {HOW_TO_MAKE_A_SECRET}")
    return token


def _mail(read: Reader) -> Mail | None:
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
