"""Servers of tools (MCP) as administrators keep them: add, change, look at, keep what was seen, grant, delete.

What a server says of its tools reaches models only as an administrator has seen and kept it: one that describes them
otherwise later, or has others, changes nothing here until somebody looks again.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import in_transaction, new_id, reading
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import Group, GroupToolServer, ServerTool, ToolServer
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import names
from flask_app.services.secrets import sealing
from flask_app.upstream import addresses
from flask_app.upstream.client import Endpoint

MAX_NAME, MAX_SECRET, MOST = 64, 500, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`secret` None leaves it as it is (a new one has none then), an empty one is none. `groups` are the ids of those
    whose people may use it.
    """

    name: str
    url: str
    secret: str | None = field(default=None, repr=False)
    confirms: bool = True
    disabled: bool = False
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Listed:
    """A server, the tools of it that were kept, in its order, and the ids of the groups that have it."""

    server: ToolServer
    tools: tuple[ServerTool, ...] = ()
    groups: tuple[str, ...] = ()


def listed() -> list[Listed]:
    """By their names."""
    with reading() as session:
        servers = session.scalars(select(ToolServer).order_by(ToolServer.name_key)).all()
        return _listed(session, servers)


def one(server_id: str) -> Listed:
    """Raises NotFound."""
    with reading() as session:
        server = session.get(ToolServer, server_id)
        if server is None:
            raise NotFound
        return _listed(session, [server])[0]


def named(name: str) -> Listed:
    """Raises NotFound."""
    with reading() as session:
        server = session.scalar(select(ToolServer).where(ToolServer.name_key == names.key(name)))
        if server is None:
            raise NotFound
        return _listed(session, [server])[0]


def add(actor: Actor, wanted: Wanted) -> Listed:
    """Raises Invalid, Conflict("tool_server_name_taken", "too_many_tool_servers")."""
    name, url, secret = _name(wanted.name), normalised(wanted.url), _secret(wanted.secret)

    def work(session: Session) -> str:
        if (session.scalar(select(func.count()).select_from(ToolServer)) or 0) >= MOST:
            raise Conflict("too_many_tool_servers", limit=MOST)
        server = ToolServer(id=new_id(), name=name, name_key=names.key(name), url=url, disabled=wanted.disabled)
        server.confirms, server.secret = wanted.confirms, _sealed(secret, server.id)
        session.add(server)
        session.flush()
        _grant(session, server, wanted.groups)
        details = _settings(session, server)
        audit_service.record(session, actor.user, "tool_server.add", server.id, details, actor.address)
        return server.id

    return one(_unless_taken(lambda: in_transaction(work)))


def change(actor: Actor, server_id: str, wanted: Wanted) -> Listed:
    """From the next call on. At another address its tools are to be looked at anew.

    Raises NotFound, Invalid: "tool_server_secret_anew" where the secret that is kept would go elsewhere, Conflict.
    """
    name, url, secret = _name(wanted.name), normalised(wanted.url), _secret(wanted.secret)

    def work(session: Session) -> str:
        server = locked(session, server_id)
        if wanted.secret is None and server.secret and urlsplit(url)[:2] != urlsplit(server.url)[:2]:
            raise Invalid("tool_server_secret_anew")
        before, is_elsewhere = _settings(session, server), url != server.url
        if is_elsewhere:
            session.execute(delete_from(ServerTool).where(ServerTool.server_id == server.id))
            server.protocol = server.looked_at = None
        server.name, server.name_key, server.url = name, names.key(name), url
        server.disabled, server.confirms = wanted.disabled, wanted.confirms
        if wanted.secret is not None:
            server.secret = _sealed(secret, server.id)
        session.flush()
        _grant(session, server, wanted.groups)
        difference = audit_service.difference(before, _settings(session, server))
        if difference or is_elsewhere or wanted.secret is not None:
            details = {"name": name, "secret_replaced": wanted.secret is not None, **difference}
            details["address_replaced"] = is_elsewhere
            audit_service.record(session, actor.user, "tool_server.change", server.id, details, actor.address)
        return server.id

    return one(_unless_taken(lambda: in_transaction(work)))


def delete(actor: Actor, server_id: str) -> None:
    """No answer calls it any more; what was called stays told. Raises NotFound."""

    def work(session: Session) -> None:
        server = locked(session, server_id)
        details = _settings(session, server)
        session.delete(server)
        audit_service.record(session, actor.user, "tool_server.delete", server_id, details, actor.address)

    in_transaction(work)


def wanted_of(found: Listed) -> Wanted:
    """What it is now, to change a part of it."""
    server = found.server
    return Wanted(
        name=server.name,
        url=server.url,
        confirms=server.confirms,
        disabled=server.disabled,
        groups=frozenset(found.groups),
    )


def endpoint_of(server: ToolServer) -> Endpoint:
    """Raises Unavailable where the ENCRYPTION_KEY is not the one that its secret was sealed with."""
    secret = sealing.unseal(server.secret, server.id) if server.secret else ""
    return Endpoint(server.url, secret, config.current().allow_insecure_upstreams)


def normalised(address: str) -> str:
    """Raises Invalid: `tool_server_address_malformed`, `address_not_https`, `address_private`."""
    try:
        return addresses.normalise_webhook(address, allow_insecure=config.current().allow_insecure_upstreams)
    except Invalid as error:
        if error.code == "address_malformed":
            raise Invalid("tool_server_address_malformed") from error
        raise


def host_of(server: ToolServer) -> str:
    """What may be told of its address beyond those who keep it: some have a secret in its path or query."""
    url = urlsplit(server.url)
    return f"{url.scheme}://{url.netloc}"


def tools_of(session: Session, server_id: str) -> Sequence[ServerTool]:
    """Those that were kept, in the server's order."""
    own = select(ServerTool).where(ServerTool.server_id == server_id)
    return session.scalars(own.order_by(ServerTool.position)).all()


def _listed(session: Session, servers: Collection[ToolServer]) -> list[Listed]:
    ids = [server.id for server in servers]
    tools = session.scalars(select(ServerTool).where(ServerTool.server_id.in_(ids)).order_by(ServerTool.position)).all()
    grants = session.scalars(select(GroupToolServer).where(GroupToolServer.server_id.in_(ids))).all()
    return [
        Listed(
            server,
            tuple(tool for tool in tools if tool.server_id == server.id),
            tuple(sorted(each.group_id for each in grants if each.server_id == server.id)),
        )
        for server in servers
    ]


def _grant(session: Session, server: ToolServer, groups: Collection[str]) -> None:
    """To these groups alone; raises Invalid("unknown_group")."""
    if set(groups) - set(session.scalars(select(Group.id).where(Group.id.in_(groups)))):
        raise Invalid("unknown_group")
    own = GroupToolServer.server_id == server.id
    before = set(session.scalars(select(GroupToolServer.group_id).where(own)))
    gone = GroupToolServer.group_id.in_(before - set(groups))
    session.execute(delete_from(GroupToolServer).where(own, gone))
    session.add_all(GroupToolServer(group_id=each, server_id=server.id) for each in sorted(set(groups) - before))
    session.flush()


def locked(session: Session, server_id: str) -> ToolServer:
    """Raises NotFound."""
    server = session.get(ToolServer, server_id, with_for_update=True)
    if server is None:
        raise NotFound
    return server


def _settings(session: Session, server: ToolServer) -> dict[str, object]:
    """Everything but the secret."""
    granted = select(Group.name).join(GroupToolServer, GroupToolServer.group_id == Group.id)
    groups = session.scalars(granted.where(GroupToolServer.server_id == server.id).order_by(Group.name))
    told = {"name": server.name, "host": host_of(server), "confirms": server.confirms}
    return {**told, "disabled": server.disabled, "groups": ", ".join(groups)}


def _name(typed: str) -> str:
    try:
        return names.checked(typed)
    except Invalid as error:
        raise Invalid("bad_label", limit=MAX_NAME) from error


def _secret(typed: str | None) -> str:
    """A header is made of it."""
    secret = (typed or "").strip()
    if len(secret) > MAX_SECRET or not (secret.isascii() and secret.isprintable()):
        raise Invalid("bad_tool_server_secret", limit=MAX_SECRET)
    return secret


def _sealed(secret: str, server_id: str) -> bytes | None:
    return sealing.seal(secret, server_id) if secret else None


def _unless_taken(work: Callable[[], str]) -> str:
    try:
        return work()
    except IntegrityError as error:
        raise Conflict("tool_server_name_taken") from error
