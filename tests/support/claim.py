"""A process of its own that asks for a key at a given moment: `python -m tests.support.claim URL KEY PROVIDER MOMENT`.

Writes "probe", "ready" or the refusal's code.
"""

import sys
import time
from pathlib import Path

from flask_app import config, database
from flask_app.config import Config
from flask_app.errors import Unavailable
from flask_app.services.completion import cooldown_service
from flask_app.services.providers.key_service import Candidate, UsableKey
from tests.support.keys import served


def claim(key: UsableKey) -> str:
    candidate = Candidate(key, served(key.provider_id))
    try:
        taken = database.in_writing(lambda connection: cooldown_service.take(connection, [candidate]))
    except Unavailable as error:
        return error.code
    return "probe" if taken.claimed else "ready"


def main(url: str, key_id: str, provider_id: str, moment: str) -> None:
    config.install(Config(instance_dir=Path(), secret_key="", encryption_key="", database_url=url))
    database.connect(url)
    time.sleep(max(float(moment) - time.time(), 0))
    sys.stdout.write(claim(UsableKey(key_id, "https://example.com", "secret", provider_id)))


if __name__ == "__main__":
    main(*sys.argv[1:])
