"""Lighthouse over a site that looks lived in: ``python -m tests.e2e.lighthouse``.

Once as the server itself is reached, over http, and once as a phone would: through nginx as shipped, over https and
HTTP/2.
"""

import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e import showcase
from tests.e2e.site import Site, opened
from tests.stack import front
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import ROOT, Visitor

PAGES = ("!/login", "/", "/dashboard", "/admin")
# Of a conversation's speed, whose fifty modules a busy machine runs now fast, now slowly: told, and held to nothing.
NO_LEAST = 0


def main() -> None:
    with ScriptedUpstream() as provider, tempfile.TemporaryDirectory() as folder:
        settings = {
            "DEEPSEEK_API_KEY": "sk-scripted-0000",
            "DEEPSEEK_BASE_URL": provider.base_url,
            "TRUSTED_PROXIES": "1",
        }
        with opened(Path(folder), provider, **settings) as site:
            site.set_up()
            person = showcase.people(site)[showcase.ADMINISTRATORS[1]]
            showcase.remember(site)
            conversation = f"{showcase.converse(person, showcase.ENGLISH)}@{NO_LEAST}"
            failed = _judged(person.server, conversation)
            raise SystemExit(_through_nginx(Path(folder), site, conversation) or failed)


def _through_nginx(folder: Path, site: Site, conversation: str) -> int:
    place = folder / "nginx"
    place.mkdir()
    with front.before(place, [urlsplit(site.url).port or 0]) as before:
        visitor = Visitor(before.base_url, tls=before.trusting)
        person = {"username": showcase.ADMINISTRATORS[1], "password": showcase.PASSWORD}
        visitor.sign_in(visitor.post("/api/login", person))
        return _judged(visitor, conversation)


def _judged(visitor: Visitor, conversation: str) -> int:
    command = ["node", "scripts/lighthouse.mjs", visitor.base_url, visitor.headers["Cookie"], *PAGES, conversation]
    return subprocess.call(command, cwd=ROOT)


if __name__ == "__main__":
    main()
