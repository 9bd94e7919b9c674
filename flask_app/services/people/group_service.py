"""Groups: everybody is in exactly one, and its settings hold for all who are in it."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading
from flask_app.domain import files
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.i18n import LOCALES, translate
from flask_app.models import DEFAULT_GROUP_ID, Group, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import names

BUILT_IN_NAME = "Everyone"  # what the default group is called until it is renamed; shown in the reader's language
MAX_NAME = 64
POLICIES = ("continue", "limit", "stop")
MAX_TOKENS = 1_000_000

_MEMBERS = select(func.count()).select_from(User).where(User.group_id == Group.id).scalar_subquery()
_WITH_MEMBERS = select(Group, _MEMBERS)
_BUILT_IN_KEY = names.key(BUILT_IN_NAME)
_NAMED = select(Group).where(Group.name_key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Counted:
    """A group, and how many people are in it."""

    group: Group
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a group is told to be; None stays as it is. `tokens` belongs to the policy "limit" alone.

    With a `file_quota_mb` of 0 its people attach no files.
    """

    name: str | None = None
    on_disconnect: str | None = None
    tokens: int | None = None
    file_quota_mb: int | None = None


def listed() -> list[Counted]:
    """The default group first, then by name."""
    query = _WITH_MEMBERS.order_by(Group.id != DEFAULT_GROUP_ID, Group.name_key)
    with reading() as session:
        return [Counted(*row) for row in session.execute(query)]


def shown_name(group: Group, locale: str) -> str:
    """The name as a reader of `locale` sees it."""
    return name_in(locale, group.id, group.name)


def name_in(locale: str, group_id: str, name: str) -> str:
    """The same for a group that is known by its id and its stored name."""
    is_built_in = group_id == DEFAULT_GROUP_ID and name == BUILT_IN_NAME
    return translate(locale, "admin.everyone") if is_built_in else name


def by_name(name: str) -> Group:
    """Raises NotFound("unknown_group")."""
    with reading() as session:
        group = session.scalar(_NAMED, {"key": names.key(name)})  # one may be called so from before a language came
        if group is None and _is_built_in(name):
            group = session.scalar(_NAMED, {"key": names.key(BUILT_IN_NAME)})
    if group is None:
        raise NotFound("unknown_group")
    return group


def ids_of(wanted: set[str]) -> dict[str, str]:
    """The ids of the groups that are called so, as `by_name` finds them; a name that is no group's is left out."""
    with reading() as session:
        ids = dict(session.execute(select(Group.name_key, Group.id)).all())
    found = {
        name: ids.get(names.key(name)) or (ids.get(_BUILT_IN_KEY) if _is_built_in(name) else None) for name in wanted
    }
    return {name: group_id for name, group_id in found.items() if group_id}


def keys_of(name: str) -> set[str]:
    """The keys of the groups that are called so in some language."""
    return {names.key(name), *((names.key(BUILT_IN_NAME),) if _is_built_in(name) else ())}


def chosen(session: Session, group_id: str) -> Group:
    """The group that somebody is about to join: neither it nor the site gets a budget meanwhile, nor can it be deleted.

    Before any person is locked (`turns`). Raises Invalid("unknown_group").
    """
    return all_chosen(session, {group_id})[group_id]


def all_chosen(session: Session, group_ids: set[str]) -> dict[str, Group]:
    """The same of several, by their ids."""
    wanted = select(Group).where(Group.id.in_({DEFAULT_GROUP_ID, *group_ids})).order_by(Group.id)
    found = {group.id: group for group in session.scalars(wanted.with_for_update(read=True))}
    if not group_ids <= found.keys():
        raise Invalid("unknown_group")
    return found


def add(actor: Actor, choices: Choices) -> Counted:
    """A new group without people. Raises Invalid, Conflict("group_name_taken")."""

    def work(session: Session) -> Counted:
        group = Group(on_disconnect="continue", file_quota_mb=files.USUAL_QUOTA_MB)
        session.add(group)
        _choose(group, choices)
        session.flush()
        audit_service.record(session, actor.user, "group.add", group.id, settings(group), actor.address)
        return Counted(group, 0)

    return _unless_taken(work)


def change(actor: Actor, group_id: str, choices: Choices) -> Counted:
    """Rename a group, set what becomes of answers whose reader left, or how many files its people may keep.

    Raises NotFound, Invalid, Conflict("group_name_taken").
    """

    def work(session: Session) -> Counted:
        group = locked(session, group_id)
        before = settings(group)
        _choose(group, choices)
        if difference := audit_service.difference(before, settings(group)):
            details = {"name": group.name, **difference}
            audit_service.record(session, actor.user, "group.change", group.id, details, actor.address)
        return Counted(*session.execute(_WITH_MEMBERS.where(Group.id == group.id)).one())

    return _unless_taken(work)


def locked(session: Session, group_id: str) -> Group:
    """Within the caller's transaction; raises NotFound."""
    group = session.get(Group, group_id, with_for_update=True)
    if group is None:
        raise NotFound
    return group


def settings(group: Group) -> dict[str, object]:
    """What the audit log says of it."""
    return {name: getattr(group, name) for name in ("name", "on_disconnect", "on_disconnect_tokens", "file_quota_mb")}


def _unless_taken(work: Callable[[Session], Counted]) -> Counted:
    try:
        return in_transaction(work)
    except IntegrityError as error:
        raise Conflict("group_name_taken") from error


def _choose(group: Group, choices: Choices) -> None:
    if choices.name is not None:
        group.name = _name(group, choices.name)
        group.name_key = names.key(group.name)
    policy = choices.on_disconnect or group.on_disconnect
    kept = group.on_disconnect_tokens if policy == "limit" else None
    tokens = kept if choices.tokens is None else choices.tokens
    if policy not in POLICIES or (policy == "limit") != (tokens is not None):
        raise Invalid("bad_disconnect_policy")
    if tokens is not None and not 0 < tokens <= MAX_TOKENS:
        raise Invalid("bad_disconnect_tokens", limit=MAX_TOKENS)
    group.on_disconnect, group.on_disconnect_tokens = policy, tokens
    quota = group.file_quota_mb if choices.file_quota_mb is None else choices.file_quota_mb
    if not 0 <= quota <= files.MOST_QUOTA_MB:
        raise Invalid("bad_file_quota", limit=files.MOST_QUOTA_MB)
    group.file_quota_mb = quota


def _name(group: Group, raw: str) -> str:
    name = raw.strip()
    if not (0 < len(name) <= MAX_NAME and name.isprintable() and len(names.key(name)) <= names.MAX_KEY_LENGTH):
        raise Invalid("bad_label", limit=MAX_NAME)
    if not _is_built_in(name):
        return name
    if group.id != DEFAULT_GROUP_ID:
        raise Conflict("group_name_taken")
    return BUILT_IN_NAME


def _is_built_in(name: str) -> bool:
    """Is it what the default group is called by itself, in any language? No other group may be called so."""
    return names.key(name) in {names.key(translate(locale, "admin.everyone")) for locale in LOCALES}
