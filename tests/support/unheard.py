"""A COMMIT that gets no reply."""

from dataclasses import dataclass
from typing import Any

from flask_app import database
from tests.support.upstream_http import Script
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"


def lose_the_next(*, happens: bool, stays: bool = True) -> None:
    """The next COMMIT `happens` or not, and the database `stays`: nobody is told which."""
    dialect = database._bound().writer.dialect
    commit = type(dialect).do_commit

    def unheard(connection: Any) -> None:
        if happens:
            commit(dialect, connection)
        else:
            connection.rollback()
        del dialect.do_commit
        if not stays:
            database.connect(NOWHERE)
        raise dialect.loaded_dbapi.OperationalError("the connection was lost")

    dialect.do_commit = unheard  # type: ignore[method-assign,assignment]


@dataclass(frozen=True)
class Unheard:
    """The provider answers so, and the reply to the COMMIT after it is lost."""

    script: Script
    happens: bool
    stays: bool = True

    def play(self, reply: Reply, request: Received) -> None:
        lose_the_next(happens=self.happens, stays=self.stays)
        self.script.play(reply, request)
