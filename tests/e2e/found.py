"""What was written is found a few seconds later: how a test waits for that."""

import time
from urllib.parse import quote

from tests.e2e.site import Site

PATIENCE_SECONDS, ASKED_EACH_SECONDS = 60, 0.25  # a busy machine is slower; how soon it is usually is measured


def wait_until_found(site: Site, query: str) -> None:
    path = f"/api/conversations/search?q={quote(query)}"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not site.ask("GET", path)["hits"]:
        assert time.monotonic() < deadline, site.rows("SELECT * FROM search_progress")
        time.sleep(ASKED_EACH_SECONDS)  # no more often than a person may ask
