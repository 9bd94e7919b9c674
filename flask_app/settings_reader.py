"""Reading settings from the environment by their kind: text, numbers, flags, addresses, secrets."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from flask_app import timezones
from flask_app.errors import ConfigError
from flask_app.instance_secrets import InstanceSecrets

MIN_SECRET_LENGTH = 32
NUMBER = re.compile(r"[0-9]{1,18}")
MOST_WORKERS = 256  # a slip of the finger must not fork until the machine stands still
HOW_TO_MAKE_A_SECRET = (
    f"give at least {MIN_SECRET_LENGTH} random characters, "
    "for example from `python3 -c 'import secrets; print(secrets.token_urlsafe(48))'`"
)
MIN_VARIETY = 6  # different characters, and different steps from one to the next: neither "aaaa" nor "abcd"
PLACEHOLDERS = re.compile(r"secret|password|passwd|change.?(me|this|it)|example|placeholder", re.IGNORECASE)


class Reader:
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
        if is_weak(secret):
            raise ConfigError(f"{name} is empty or weak: {HOW_TO_MAKE_A_SECRET}")
        return secret


def missing_packages(name: str, extra: str = "observe") -> ConfigError:
    """For a setting that needs requirements-observe.txt, or those of another extra."""
    return ConfigError(
        f"{name} needs packages that are not installed: run `python3 scripts/environment.py {extra}`, "
        "or build the image anew: docker compose build"
    )


def is_weak(secret: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    has_variety = min(len(set(secret)), len(steps)) >= MIN_VARIETY
    return len(secret) < MIN_SECRET_LENGTH or not has_variety or PLACEHOLDERS.search(secret) is not None
