"""The run of an answer in a conversation, as it is written before anybody is asked."""

from dataclasses import dataclass

from sqlalchemy import insert

from flask_app.database import table_of, utc_now
from flask_app.models import Run, User
from flask_app.services.completion.attempts import Earlier
from flask_app.services.runs import run_service
from flask_app.services.runs.run_events import Begun
from flask_app.statements import Act, Prepared

_INSERT_RUN = Prepared(insert(table_of(Run)).values(lease_expires_at=run_service.NEW_LEASE))


@dataclass(frozen=True, slots=True)
class Opening:
    """A run that is about to be written: whose, which, and by which key it may be asked for again."""

    actor: User
    begun: Begun
    idempotency_key: str | None
    digest: str


def writing(opening: Opening, earlier: Earlier | None = None) -> Act:
    """What writes the run's row, the person's other runs being counted; `earlier` is what its answer begins with."""
    begun, key = opening.begun, opening.idempotency_key
    row = {
        "id": begun.run_id,
        "user_id": opening.actor.id,
        "conversation_id": begun.conversation_id,
        "user_message_id": begun.user_message_id,
        "message_id": begun.message_id,
        "status": "running",
        "idempotency_key": key,
        "draft_digest": opening.digest if key else None,
        "worker": run_service.WORKER,
        "text_before": len(earlier.text) if earlier else None,
        "reasoning_before": len(earlier.reasoning) if earlier else None,
        "discarded": False,
        "created_at": utc_now(),
    }
    return Act(_INSERT_RUN, [row])
