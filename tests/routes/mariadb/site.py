"""The application before a database that breaks in every way, and what is asked of it there."""

from dataclasses import dataclass
from pathlib import Path

from flask_app.models import User
from flask_app.services.chat.chat_service import Origin
from tests.support import proxies
from tests.support.mariadb import MariaDB
from tests.support.scripted_upstream import Answer, Usage

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
ANSWER = Answer("the whole of the answer", usage=Usage(prompt=1000, cached=600, completion=500))


@dataclass
class Site:
    server: MariaDB
    proxy: proxies.Proxy
    actor: User
    journal: Path

    def files(self) -> list[Path]:
        return list(self.journal.glob("*.json"))
