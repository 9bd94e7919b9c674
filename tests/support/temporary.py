"""Temporary chats as their page asks in them, and where their words could have got to."""

from pathlib import Path
from typing import Any

from redis import Redis
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_app.database import Base, new_id, reading
from flask_app.models import Attempt, TokenUsage
from flask_app.services.runs import run_service
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import ServerEvent, events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream

ASKED, ANSWERED = "quokka", "numbat"  # words that stand nowhere else
QUESTION = {"role": "user", "content": f"Where does the {ASKED} live?"}
ENDLESS = Answer(f"{ANSWERED} " * 2000, thinking=f"{ANSWERED}? ", tokens_per_second=50)


def ask(client: PageClient, *messages: dict[str, str], buffered: bool = True, **fields: Any) -> TestResponse:
    body = {"messages": messages or (QUESTION,), "idempotency_key": new_id()} | fields
    return client.post("/api/temporary/answers", json=body, buffered=buffered)


def begin(client: PageClient, upstream: ScriptedUpstream) -> tuple[run_service.LiveRun, TestResponse]:
    """An answer of which words have come, and its reader."""
    upstream.script(ENDLESS)
    reader = ask(client, buffered=False)
    next(iter(reader.response))
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text)
    return live, reader


def heard(response: TestResponse) -> list[ServerEvent]:
    """A whole stream."""
    assert response.status_code == 200, response.data
    return events_of(response.data)


def tables_with_words() -> set[str]:
    """The tables in which a word of a question or an answer stands."""
    with reading() as session:
        rows = {table.name: session.execute(select(table)).all() for table in Base.metadata.sorted_tables}
    assert rows["proxy_logs"], "something was asked"
    return {name for name, found in rows.items() if _has_words(repr(found))}


def files_with_words(folder: Path) -> set[str]:
    """The files in which one stands, however deep."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if _has_words(path.read_bytes().decode(errors="replace"))}


def keys_with_words(redis: Redis) -> set[bytes]:
    """The keys of Redis in which one stands."""
    keys = [key for key in redis.keys("*") if isinstance(key, bytes)]
    return {key for key in keys if _has_words(repr(redis.dump(key)))}


def compare(upstream: ScriptedUpstream) -> TokenUsage:
    """The one request, its attempt and its entry agree; gives the entry."""
    wait_until(lambda: not run_service.live_runs())
    upstream.journal.wait_until_idle()
    (request,) = upstream.journal.chats
    with reading() as session:
        attempt = session.scalars(select(Attempt)).one()
        entry = session.scalars(select(TokenUsage)).one()
    assert (attempt.state, attempt.id, entry.attempt_id) == ("settled", request.headers["x-request-id"], attempt.id)
    if request.usage_sent:
        assert (entry.prompt_tokens, entry.completion_tokens) == (
            request.usage_sent.prompt,
            request.usage_sent.completion,
        )
    return entry


def _has_words(text: str) -> bool:
    return ASKED in text or ANSWERED in text
