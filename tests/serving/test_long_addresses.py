"""Long addresses at the real server."""

import json
from pathlib import Path

from flask_app.services.portability.conversation_export import MOST_CHOSEN
from tests.support.served import served


def test_as_many_conversations_as_may_be_chosen_are_taken_along_at_once(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        server.set_up()
        ids = "".join(f"&id={number:026}" for number in range(MOST_CHOSEN))
        reply = server.get(f"/api/conversations/export?format=json{ids}")
        assert (reply.status, json.loads(reply.data)["error"]["code"]) == (404, "not_found")
