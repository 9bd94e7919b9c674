"""What becomes of answers that are on their way: finishing, stopping, killing, deleting, outages, in any order."""

import threading
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import update

from flask_app import database
from flask_app.database import in_transaction, transaction, utc_now
from flask_app.models import Run
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import conversation_service
from flask_app.services.ledger import journal, replay_service
from flask_app.services.people import user_admin_service
from flask_app.services.runs import lease_service, reaper_service, run_service
from tests.support.acting import act
from tests.support.ledger_asking import Asking, nothing_ends, refusals, until
from tests.support.ledger_place import Asked

NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"


class Acts(Asking):
    @act(3, which=st.integers(0, 50))
    def finish(self, which: int) -> None:
        if asked := self._one(self.at.held, which):
            self._end(asked)

    @act(which=st.integers(0, 50))
    def stop(self, which: int) -> None:
        if (asked := self._one(self.at.held, which)) is None:
            return
        asked.disturbed = True
        with refusals():  # one that is being deleted is not there any more, though it still ends
            asked.stop()
        self._await(asked)

    @act(which=st.integers(0, 50))
    def delete(self, which: int) -> None:
        chosen = self._one([asked for asked in self.at.asked if asked.question_id], which)
        if chosen is None or (conversation_id := chosen.begun.conversation_id) is None:
            return
        for asked in self.at.asked:
            if asked.begun.conversation_id == conversation_id and asked.is_made:
                asked.disturbed = True
        with refusals():
            conversation_service.remove(self.at.person, conversation_id)
        until(nothing_ends)

    @act(which=st.integers(0, 50), comes_back=st.booleans(), stopped=st.booleans())
    def take_for_dead(self, which: int, comes_back: bool, stopped: bool) -> None:
        """Its lease runs out, a reaper ends it; its worker may finish all the same, later or now.

        Its person may have asked it to stop, which it did not hear.
        """
        if (asked := self._one(self.at.held, which)) is None:
            return
        asked.disturbed = True
        long_ago = utc_now() - timedelta(minutes=5)
        lease_service.keep()
        with transaction() as session:
            own = Run.id == asked.begun.run_id
            session.execute(update(Run).where(own).values(lease_expires_at=long_ago, worker="dead"))
            if stopped:
                session.execute(update(Run).where(own).values(stop_requested=utc_now()))
        in_transaction(lambda session: reaper_service.reap(session, asked.begun.run_id))
        if comes_back:
            self._end(asked)
        else:
            self._rest(asked)

    @act(which=st.integers(0, 50), told_twice=st.booleans(), dies=st.booleans())
    def finish_without_database(self, which: int, told_twice: bool, dies: bool) -> None:
        """The journal has it; its file may be found again later, and another process may replay it first."""
        asked = self._one(self.at.held, which)
        if asked is None or asked.held is None:
            return
        database.connect(NOWHERE)
        asked.held.let_go.set()
        if asked.held.waits and (live := run_service.live_run(asked.begun.run_id)):
            asked.disturbed = True
            live.stop.stop("stopped")  # else it would wait for somebody's word
        until(lambda: _is_journalled(asked))
        files = {file: file.read_bytes() for file in self.at.folder.glob("*.json")}
        database.connect(self.at.url)
        for file in files if dies else ():
            if settlement := journal.read(file.stem):
                replay_service._settle(settlement)
        self._await(asked)
        if told_twice:
            for file, content in files.items():
                file.write_bytes(content)
            replay_service.replay()

    @act(passes=st.integers(0, 4))
    def lose_the_reply_to_a_commit(self, passes: int) -> None:
        """To one of the next that ask for an answer or book one."""
        dialect = database._bound().writer.dialect
        commit = type(dialect).do_commit
        left = iter(range(passes))

        def unheard(connection: Any) -> None:
            commit(dialect, connection)
            ours = self.acting or threading.current_thread().name.startswith("run-")
            if ours and next(left, None) is None:
                vars(dialect).pop("do_commit", None)
                raise dialect.loaded_dbapi.OperationalError("the connection was lost")

        dialect.do_commit = unheard  # type: ignore[method-assign,assignment]

    @act()
    def disable_and_enable(self) -> None:
        for asked in self.at.held:
            asked.disturbed = True
        for disabled in (True, False):
            with refusals():
                user_admin_service.change(Actor(self.at.admin), self.at.person.id, disabled=disabled)
        until(lambda: not self.at.held)
        until(nothing_ends)

    @act()
    def tick(self) -> None:
        lease_service._round(lease_service.tick)


def _is_journalled(asked: Asked) -> bool:
    """All that its run settles."""
    live = run_service.live_run(asked.begun.run_id)
    return live is None or live.attempts() <= journal.waiting()
