"""The secrets an installation makes for itself, in a file that only its owner can read."""

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from flask_app import durable, places
from flask_app.errors import ConfigError

KEY, OLD_KEY = "ENCRYPTION_KEY", "OLD_ENCRYPTION_KEY"  # the latter while the former is being rotated
MADE_SECRETS = ("SECRET_KEY", KEY)


class InstanceSecrets:
    def __init__(self, instance: Path) -> None:
        self.path = instance / "secrets.json"

    def get(self, name: str) -> str:
        if name not in self.known():
            self._make()
        return self.known()[name]

    def keep(self, values: Mapping[str, str]) -> None:
        """Have these values from now on, beside what else is there."""
        durable.write(self.path, json.dumps(self.known() | dict(values)).encode())

    def forget(self, name: str) -> None:
        left = {known: value for known, value in self.known().items() if known != name}
        durable.write(self.path, json.dumps(left).encode())

    def encryption_keys(self) -> tuple[str, ...]:
        """The newest first. A running server sees what a rotation has written; raises FileNotFoundError."""
        found = self.path.stat()
        return _encryption_keys(self.path, found.st_mtime_ns, found.st_ino)

    def known(self) -> dict[str, str]:
        if complaint := places.secret_complaint(self.path):
            raise ConfigError(f"INSTANCE_DIR: {complaint}")
        try:
            known = json.loads(self.path.read_text()) if self.path.exists() else {}
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.path} cannot be read as JSON") from error
        if not (isinstance(known, dict) and all(isinstance(secret, str) for secret in known.values())):
            raise ConfigError(f"{self.path} must hold an object of texts")
        return known

    def _make(self) -> None:
        """Make what is missing. Of several workers that start at once the first one's file is everybody's."""
        known = self.known()
        descriptor, name = tempfile.mkstemp(dir=self.path.parent)  # only its owner can read it
        fresh = Path(name)
        with os.fdopen(descriptor, "w") as file:
            json.dump({name: secrets.token_urlsafe(48) for name in MADE_SECRETS} | known, file)
        if known:
            fresh.replace(self.path)
            return
        with suppress(FileExistsError):
            os.link(fresh, self.path)
        fresh.unlink()


@lru_cache(maxsize=2)
def _encryption_keys(path: Path, *_when: int) -> tuple[str, ...]:
    known = InstanceSecrets(path.parent).known()
    return tuple(known[name] for name in (KEY, OLD_KEY) if name in known)
