"""The ledger beside what the scripted provider says it has told: each request of its journal is in it once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.compose.conftest import Stack
from tests.support.brokers import wait_until

Record = dict[str, Any]

MOST = 200  # records on a page


@contextmanager
def booked_once(stack: Stack, text: str, count: int) -> Iterator[None]:
    """What the provider is asked for in the block: so many answers of these words, and perhaps titles beside them."""
    before = len(stack.upstream.journal.chats)
    yield
    stack.upstream.journal.wait_until_idle()
    asked = stack.upstream.journal.chats[before:]
    assert [request.text_sent for request in asked].count(text) == count
    told = {}
    for request in asked:
        assert request.usage_sent, request
        usage = request.usage_sent
        told[request.headers["x-request-id"]] = ("reported", "complete", usage.prompt, usage.completion)
    assert len(told) == len(asked) <= MOST

    def booked() -> list[Record]:
        return [record for record in records(stack) if record["attempt_id"] in told]

    wait_until(lambda: len(booked()) >= len(told))  # nobody waits for a title's
    assert {record["attempt_id"]: _counted(record) for record in booked()} == told
    assert len(booked()) == len(told), "each once"
    stack.assert_sound_ledger()


def records(stack: Stack) -> list[Record]:
    """The newest of everybody's."""
    return list(stack.admin.get(f"/api/admin/records?limit={MOST}").json()["records"])


def _counted(record: Record) -> tuple[object, ...]:
    return tuple(record[name] for name in ("source", "outcome", "prompt_tokens", "completion_tokens"))
