"""Servers of tools (MCP) that models may call: whose they are, what they have, and for which groups."""

from datetime import datetime

from sqlalchemy import Boolean, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Exact, Folded, LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class ToolServer(Base):
    """A server that an administrator added. `secret` is sealed (AES-GCM, the row's id as associated data), if any.

    `confirms`: each call waits for the person to allow it. `protocol` is what it spoke when it was looked at, at
    `looked_at`; both are null until then. `name_key` is the folded name.
    """

    __tablename__ = "tool_servers"

    id: Mapped[str] = key()
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(Folded, unique=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[bytes | None] = mapped_column(LargeBinary(1024))
    disabled: Mapped[bool] = mapped_column(Boolean, default=False)
    confirms: Mapped[bool] = mapped_column(Boolean, default=True)
    protocol: Mapped[str | None] = mapped_column(String(16))
    looked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ServerTool(Base):
    """A tool of a server as an administrator saw it: this, and nothing that the server says later, is told to models.

    `parameters` is the JSON Schema of its arguments. It is offered where it is `enabled`.
    """

    __tablename__ = "server_tools"
    __table_args__ = (UniqueConstraint("server_id", "name"),)

    id: Mapped[str] = key()
    server_id: Mapped[str] = to("tool_servers.id")
    name: Mapped[str] = mapped_column(Exact)
    title: Mapped[str] = mapped_column(String(128))
    description: Mapped[str] = mapped_column(LongText)
    parameters: Mapped[str] = mapped_column(LongText)
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    position: Mapped[int] = mapped_column(Integer)


class GroupToolServer(Base):
    """People of this group may let models call this server's tools."""

    __tablename__ = "group_tool_servers"

    group_id: Mapped[str] = to("groups.id", primary_key=True)
    server_id: Mapped[str] = to("tool_servers.id", primary_key=True, index=True)
