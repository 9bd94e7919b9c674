"""The made-up ledger of `make bench-ledger` is one that the application could have written."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from bench.ledger import cast as casts
from bench.ledger import story
from bench.ledger.fill import fill
from flask_app.database import reading
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services.ledger import usage_check_service
from tests.support import ledger

ROWS, SEED = 2_000, 7
UNTIL = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def test_a_filled_ledger_is_sound(app: Flask) -> None:
    fill(ROWS, SEED, UNTIL)
    assert ledger.unsound() == []
    assert usage_check_service.count_overruns() == 0
    with reading() as session:
        kinds = Counter(session.scalars(select(TokenUsage.kind)))
        settled = session.scalar(select(func.count()).where(Attempt.state == "settled"))
        latest = session.scalar(select(func.max(TokenUsage.created_at)))
        people = session.scalar(select(func.count()).select_from(User))
    assert kinds["usage"] == settled == ROWS
    assert usage_check_service.count_entries() == kinds.total()
    assert latest
    assert latest < UNTIL
    assert people == casts.PEOPLE


def test_the_same_seed_tells_the_same_story() -> None:
    once = told(SEED)
    assert told(SEED) == once
    assert told(SEED + 1) != once


def test_everything_that_may_happen_happens() -> None:
    rows = told(SEED)
    entries = [row for table, row in rows if table == "token_usage"]
    for name in ("outcome", "source", "channel", "kind", "model", "currency", "peak", "token_id"):
        assert len({entry[name] for entry in entries}) >= 2, name
    asked = Counter(entry["user_id"] for entry in entries).most_common()
    assert asked[0][1] > 20 * asked[len(asked) // 2][1], "people differ"
    by_programs = {(entry["user_id"], entry["token_id"]) for entry in entries if entry["channel"] == "api"}
    assert len(by_programs) > len({person for person, _ in by_programs}), "some have several tokens"
    assert {token for _, token in by_programs} == {row["scope_id"] for _, row in rows if row.get("scope") == "token"}
    assert {row["state"] for table, row in rows if table == "proxy_logs"} == {"settled", "released"}


def told(seed: int) -> list[tuple[str, dict[str, Any]]]:
    plan = story.plan(casts.draw(seed, UNTIL), ROWS, seed, UNTIL)
    return [(table.name, row) for block in plan.cells for table, row in story.rows_of(plan, block)]
