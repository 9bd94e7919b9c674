"""The settings of a site whose contents of files go elsewhere, and what is where."""

import dataclasses

from sqlalchemy import select, update

from flask_app import config
from flask_app.column_types import ByServer
from flask_app.database import reading, transaction
from flask_app.files_setting import FilesPlace
from flask_app.models import KeptFile, RemovedObject
from flask_app.services.audit.audit_service import Actor

NOBODY = Actor(None)


def use(place: FilesPlace | None) -> None:
    """From now on, until the test is over."""
    config.install(dataclasses.replace(config.current(), files=place))


def places() -> dict[str, str | None]:
    """Where each file's content lies, by its row."""
    with reading() as session:
        return {row.id: row.object_key for row in session.execute(select(KeptFile.id, KeptFile.object_key))}


def to_go() -> set[str]:
    """The objects that are to be removed, now or later."""
    with reading() as session:
        return set(session.scalars(select(RemovedObject.object_key)))


def have_all_due() -> None:
    """As after the hour, or the day, for which they wait."""
    with transaction() as session:
        session.execute(update(RemovedObject).values(due_at=ByServer(0)))


def changed(**values: object) -> None:
    """Of all files."""
    with transaction() as session:
        session.execute(update(KeptFile).values(values))
