"""Prompts that come in: each that is not here yet, under a command that is free."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from flask_app.database import fetching, in_writing, table_of, utc_now
from flask_app.errors import Invalid
from flask_app.models import Prompt, User
from flask_app.services.budgets import budget_service
from flask_app.services.portability import belongings, import_quota
from flask_app.services.portability.belongings import IMPORTED, KNOWN, REFUSED, BroughtPrompt, Outcome
from flask_app.services.portability.import_quota import More
from flask_app.services.prompts import prompt_terms
from flask_app.services.prompts.prompt_terms import Wanted

_prompts = table_of(Prompt)


class _Decided(NamedTuple):
    """With its row, where it comes in."""

    outcome: Outcome
    row: dict[str, Any] | None = None


def look(actor: User, prompts: Sequence[BroughtPrompt]) -> list[Outcome]:
    """What would become of these; nothing is written."""
    with fetching() as connection:
        return [each.outcome for each in _decided(connection, actor, prompts, utc_now())]


def bring_in(actor: User, prompts: Sequence[BroughtPrompt]) -> list[Outcome]:
    """Write them, all in one transaction: what is refused stops none of the others.

    Raises TooMany("import_too_much_today"), Forbidden("account_disabled") and SignInRequired.
    """
    now = utc_now()

    def work(connection: Connection) -> list[Outcome]:
        budget_service.take_turn(connection, actor.id)  # those of the same moment are counted one by one
        import_quota.require_active(connection, actor.id)
        decided = list(_decided(connection, actor, prompts, now))
        rows = [each.row for each in decided if each.row]
        if rows:
            size = sum(len(row["text"].encode()) for row in rows)
            import_quota.count(connection, actor.id, [], More(len(rows), size), now)
            connection.execute(insert(_prompts), rows)
        return [each.outcome for each in decided]

    return in_writing(work)


def _decided(
    connection: Connection, actor: User, prompts: Sequence[BroughtPrompt], now: datetime
) -> Iterator[_Decided]:
    """Whose command is here already is here: what is kept under it stays as it is."""
    own = select(_prompts.c.id, _prompts.c.command_key).where(_prompts.c.user_id == actor.id)
    here = {row.id: row.command_key for row in connection.execute(own)}
    for each in prompts:
        made = belongings.id_here(actor, each)
        try:
            columns = prompt_terms.checked(Wanted(each.command, each.title, each.text))
        except Invalid as error:
            yield _Decided(Outcome(each.id, REFUSED, error.code))
            continue
        if each.id in here or made in here or columns["command_key"] in here.values():
            yield _Decided(Outcome(each.id, KNOWN))
        elif len(here) >= prompt_terms.MOST:
            yield _Decided(Outcome(each.id, REFUSED, "too_many_prompts"))
        else:
            here[made] = columns["command_key"]
            row = {"id": made, "user_id": actor.id, **columns, **belongings.moments(each, now)}
            yield _Decided(Outcome(each.id, IMPORTED), row)
