"""The audit log: what was done to people, keys and settings, by whom and from where. Rows are only ever added."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, new_id, table_of
from flask_app.logs import redact
from flask_app.models import AuditEntry, User

COMMAND_LINE = "(command line)"
ACCOUNT_DELETED = "account.delete"  # by its own person alone
PERSON_DELETED = "user.delete"  # by an administrator
ACTIONS = (
    *("user.add", "user.change", "user.reset_link", "user.turn_off_second_step", "password.reset"),
    *("password.letter", "address.confirm", ACCOUNT_DELETED, PERSON_DELETED),
    *("ownership.give", "ownership.end"),
    *("invitation.make", "invitation.make_many", "invitation.revoke", "invitation.use"),
    *("registration.change", "registration.come_in", "registration.accept", "registration.refuse"),
    *("identity_provider.add", "identity_provider.change", "identity_provider.delete", "identity_provider.try"),
    *("identity.link", "identity.unlink", "identity.move", "password_sign_in.change"),
    *("second_step.turn_on", "second_step.turn_off", "second_step.renew_recovery_codes"),
    *("second_step.use_recovery_code", "sign_in.new_device"),
    *("passkey.add", "passkey.rename", "passkey.remove", "passkey.copied", "user.remove_passkeys"),
    *("token.create", "token.access", "token.origins", "token.revoke"),
    *("token.keep_words", "token.forget_words", "requests.retention"),
    *("retention.change", "sharing.change", "share.make", "share.end"),
    *("web_search.change", "web_search.try"),
    "tool.call",
    *("site.change", "announcement.add", "announcement.change", "announcement.delete"),
    *("group.add", "group.change", "group.delete", "group.managers", "group.access", "rates.change"),
    *("group.opening", "user.opening"),
    *("prompt.add", "prompt.change", "prompt.delete"),
    *("assistant.add", "assistant.change", "assistant.delete"),
    *("tool_server.add", "tool_server.change", "tool_server.delete", "tool_server.look", "tool_server.keep"),
    *("group.supervise", "supervision.look"),
    *("budget.add", "budget.change", "budget.delete", "budget.top_up", "budget.mend"),
    *("codes.make", "codes.revoke", "code.redeem", "usage.refund", "usage.rebuild"),
    *("key.add", "key.change", "key.delete", "key.test", "key.read_balance", "key.clear_bench", "provider.change"),
    *("model.change", "titles.change", "embeddings.change", "tariff.add", "tariff.change", "tariff.remove"),
    *("reconciliation.acknowledge", "reconciliation.threshold"),
    *("warnings.threshold", "mail.test"),
    *("webhook.set", "webhook.delete", "webhook.renew_secret", "webhook.test"),
    *("setup.finish", "backup.make", "backup.restore", "database.move", "secrets.rotate"),
    *("files.move", "files.remove_left"),
)

_entries = table_of(AuditEntry)
_THERE = select(_entries.c.id).where(_entries.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts and from where; `user` None is the command line."""

    user: User | None
    address: str = ""


def record(
    session: Session,
    actor: User | None,
    action: str,
    target: str,
    details: Mapping[str, object] | None = None,
    address: str = "",
    *,
    entry_id: str | None = None,
) -> None:
    """Add an entry within the transaction of the act itself.

    `action` is one of ACTIONS, `target` the id of what it was done to. `actor` None means the command line.
    `details` never holds a secret, a password or a token.
    """
    if action not in ACTIONS:
        raise ValueError(f"The audit log has no name for {action}")
    session.add(
        AuditEntry(
            id=entry_id or new_id(),
            actor_id=actor.id if actor else None,
            actor_name=actor.username if actor else COMMAND_LINE,
            action=action,
            target=target,
            details=_written(details or {}),
            address=address,
        )
    )


def record_once(
    connection: Connection,
    actor_id: str,
    action: str,
    target: str,
    entries: Mapping[str, Mapping[str, object]],
    address: str = "",
) -> None:
    """Add entries of one act each, by ids of their own: those that are not there yet, so that it may be done again."""
    there = set(connection.scalars(_THERE, {"ids": list(entries)})) if entries else set()
    with Session(connection, join_transaction_mode="rollback_only") as session:
        for entry_id in entries.keys() - there:
            actor = session.get(User, actor_id)
            record(session, actor, action, target, entries[entry_id], address, entry_id=entry_id)
        session.commit()  # its own alone: the caller's transaction goes on


def note(actor: Actor, action: str, target: str, details: Mapping[str, object] | None = None) -> None:
    """Add an entry in a transaction of its own, before an act that is none of the database's."""
    in_transaction(lambda session: record(session, actor.user, action, target, details, actor.address))


def _written(details: Mapping[str, object]) -> str:
    return json.dumps(_redacted(dict(details)), ensure_ascii=False, sort_keys=True)


def _redacted(value: object) -> object:
    """Each text by itself: a shape that was looked for in the whole could take a quotation mark with it."""
    if isinstance(value, Mapping):
        return {redact(str(name)): _redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return redact(value) if isinstance(value, str) else value


def latest(connection: Connection, action: str) -> datetime | None:
    """When somebody last did this. Ids are in the order of time, and a recent one is found at once."""
    done = select(_entries.c.created_at).where(_entries.c.action == action)
    moment: datetime | None = connection.scalar(done.order_by(_entries.c.id.desc()).limit(1))
    return moment


def difference(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """What has changed, as it was and as it is, for the details of an entry; empty where nothing has."""
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return {}
    return {"before": {name: before[name] for name in changed}, "after": {name: after[name] for name in changed}}
