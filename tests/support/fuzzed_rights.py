"""What requests have changed in the database, and whether whoever sent them may change it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from flask_app.database import Base, reading
from flask_app.models import ProgramRequest, User
from tests.support.fuzzed_people import Person

Key = tuple[str, ...]
Rows = dict[Key, dict[str, Any]]

# What the site itself notes of its work, whoever asks.
OF_THE_SITE = {"server_processes", "search_progress", "search_documents", "search_postings", "balance_readings"}
# Providers' lists of models, which are read again by themselves; replies kept for a repeated request, by its key alone.
OF_THE_SITE |= {"models", "program_keys"}
# Warnings, whose letters it sends when they are due.
OF_THE_SITE |= {"notices"}
# Sums of what stands in the ledger, of the site's and of groups too: `flask usage verify` proves them.
OF_THE_SITE |= {"usage_hourly", "spent_daily", "spent_monthly"}
# What says only that something is there or was used, and how it goes.
NOTED = {"last_seen_at", "followed_at", "last_used_at", "models_due_at", "balance_due_at", "balance", "balance_at"}
NOTED |= {"last_error_code", "last_error_at", "last_error_detail", "benched_until", "benched_since", "bench_code"}
NOTED |= {"probe_until", "strikes", "balance_offered", "opened"}
# What strangers may leave behind: they ask for an account, or go to an identity provider.
OF_STRANGERS = {"registrations", "identity_sign_ins", "used_challenges", "pending_sign_ins"}
# What is somebody's own, also where an administrator asks.
PRIVATE = {
    "conversations",
    "messages",
    "folders",
    "drafts",
    "prompts",
    "assistants",
    "assistant_files",
    "files",
    "file_pieces",
    "message_files",
    "tool_calls",
    "web_searches",
    "web_sources",
}
# What a manager changes of a member: whether they may come in, and how.
BY_MANAGERS, ENTRANCES = {"disabled", "disabled_by_manager"}, {"login_sessions", "password_links", "pending_sign_ins"}
OWN_STATE = ("role", "is_owner", "disabled", "group_id")


def rows() -> Rows:
    """Of every table, by its name and primary key, without what is noted anyway."""
    with reading() as session:
        return {
            (table.name, *(str(row[column.name]) for column in table.primary_key)): {
                name: value for name, value in row.items() if name not in NOTED
            }
            for table in Base.metadata.sorted_tables
            if table.name not in OF_THE_SITE
            for row in session.execute(select(table)).mappings()
        }


def logged() -> set[str]:
    """The ids of the programs' requests that the log has."""
    with reading() as session:
        return set(session.scalars(select(ProgramRequest.request_id)))


def kept(requests: Mapping[str, str]) -> set[str]:
    """Those of the requests whose people, who are named with them, have not been deleted since."""
    with reading() as session:
        here = set(session.scalars(select(User.id).where(User.deleted_at.is_(None))))
    return {request for request, person in requests.items() if person in here}


def without_late(before: Rows, after: Rows, began: datetime) -> Rows:
    """What is there after, without the log's rows of requests that came earlier, which it wrote only since."""
    log = ProgramRequest.__tablename__
    return {key: row for key, row in after.items() if key[0] != log or key in before or row["created_at"] >= began}


def belonging(found: Rows, people: Iterable[Person]) -> set[Key]:
    """The keys of what is theirs: a column is their id, or that of something that is theirs."""
    return _owned_by(found, {person.id for person in people if person.id})


def _owned_by(found: Rows, ids: set[str]) -> set[Key]:
    mine = set[Key]()
    while True:
        more = {key for key, row in found.items() if key not in mine and _names(key, row, ids)}
        if not more:
            return mine
        mine |= more
        ids |= {key[1] for key in more if len(key) == 2}


def _names(key: Key, row: dict[str, Any], ids: Collection[str]) -> bool:
    own = () if key[0] == "users" else (value for value in row.values() if isinstance(value, str))
    return key[1] in ids or any(value in ids for value in own)


def taken(before: Rows, after: Rows, senders: list[Person]) -> list[str]:
    """What people without rights over the site have changed that is not their own."""
    mine = belonging(before, senders) | belonging(after, senders)
    changed = _changed(before, after)
    foreign = [key for key in changed if key not in mine and key[0] not in OF_STRANGERS]
    raised = [
        key for key in changed if key[0] == "users" and key not in foreign and _state(before, key) != _state(after, key)
    ]
    return [_told(key, before, after) for key in [*foreign, *raised]]


def _changed(before: Rows, after: Rows) -> list[Key]:
    """Without what was of somebody whose account had been deleted before: the site takes that away by and by."""
    left = {key[1] for key, row in before.items() if key[0] == "users" and row["deleted_at"]}
    leaving = _owned_by(before, left)
    return [key for key in before.keys() | after.keys() if before.get(key) != after.get(key) and key not in leaving]


def beyond_group(before: Rows, after: Rows, manager: Person, group_id: str) -> list[str]:
    """What the manager of a group has changed that is neither their own nor theirs to change for its members."""
    mine = belonging(before, [manager]) | belonging(after, [manager])
    changed = _changed(before, after)
    members = {key[1] for key, row in before.items() if key[0] == "users" and row["group_id"] == group_id}
    theirs = {manager.id} if _state(before, ("users", manager.id)) != _state(after, ("users", manager.id)) else set()
    return [
        _told(key, before, after)
        for key in changed
        if key[1:] == tuple(theirs) or (key not in mine and not _is_managed(key, before, after, members, group_id))
    ]


def _is_managed(key: Key, before: Rows, after: Rows, members: Collection[str], group_id: str) -> bool:
    row = after.get(key) or before[key]
    if key[0] == "users":
        return key[1] in members and _different(before.get(key, {}), after.get(key, {})) <= BY_MANAGERS
    if key[0] in ENTRANCES:
        return row["user_id"] in members
    return key[0] in OF_STRANGERS or (key[0] == "invitations" and row["group_id"] == group_id)


def overstepped(before: Rows, after: Rows, senders: list[Person], *, owns: bool) -> list[str]:
    """What administrators, or owners, have changed that is beyond them."""
    mine = belonging(before, senders) | belonging(after, senders)
    changed = _changed(before, after)
    beyond = [key for key in changed if key[0] in PRIVATE and key not in mine | _of_gone(before, after)]
    ids = {person.id for person in senders}
    people = [key for key in changed if key[0] == "users" and key[1] not in ids]
    beyond += [key for key in people if not owns and _is_out_of_reach(before.get(key), after.get(key))]
    beyond += [
        key for key in people if key in before and key in after and _password(before, key) != _password(after, key)
    ]
    if not any(row["is_owner"] for key, row in after.items() if key[0] == "users"):
        return ["the site has no owner"]
    return [_told(key, before, after) for key in beyond]


def _is_out_of_reach(before: dict[str, Any] | None, after: dict[str, Any] | None) -> bool:
    """For an administrator: who is one, or becomes one. A member's account they may delete."""
    return bool(after and (after["role"] != "member" or after["is_owner"])) or bool(
        before and before["role"] != "member"
    )


def _of_gone(before: Rows, after: Rows) -> set[Key]:
    """What was somebody's whose account an administrator deleted, as the audit log says."""
    told = (row for key, row in after.items() if key[0] == "audit_log" and row["action"] == "user.delete")
    return _owned_by(before, {row["target"] for row in told})


def _state(found: Rows, key: Key) -> dict[str, Any]:
    return {name: found.get(key, {}).get(name) for name in OWN_STATE}


def _password(found: Rows, key: Key) -> Any:
    return found.get(key, {}).get("password_hash")


def _told(key: Key, before: Rows, after: Rows) -> str:
    old, new = before.get(key, {}), after.get(key, {})
    different = {name: (old.get(name), new.get(name)) for name in _different(old, new)}
    return f"{key}: {str(different)[:600]}"


def _different(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    return {name for name in old | new if old.get(name) != new.get(name)}
