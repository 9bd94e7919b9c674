"""Acts that meet one another in any order: asking, stopping, killing, deleting, outages."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from flask_app import database
from flask_app.database import in_transaction, transaction, utc_now
from flask_app.errors import AppError
from flask_app.models import ApiKey, Run
from flask_app.services.audit.audit_service import Actor
from flask_app.services.chat import chat_service, continue_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.conversations import conversation_service
from flask_app.services.ledger import journal, replay_service
from flask_app.services.people import user_admin_service
from flask_app.services.runs import lease_service, reaper_service, run_service, stop_service
from flask_app.services.runs.run_events import Begun
from tests.support.ledger_place import SCRIPTS, Asked, Held, Place

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"
PATIENCE = 20
OFTEN_HELD = st.just("held")  # only what goes on can meet something


class Acts(RuleBasedStateMachine):
    """`place` makes a fresh one."""

    place: Callable[[], Place]

    def __init__(self) -> None:
        super().__init__()
        self.at = self.place()
        self.numbers = itertools.count(1)
        self.acting = False

    @rule(script=OFTEN_HELD | st.sampled_from(sorted(SCRIPTS)), again=st.integers(0, 5))
    def ask(self, script: str, again: int) -> None:
        """In a new conversation, or in one that is there."""
        conversations = sorted({asked.begun.conversation_id for asked in self.at.asked})
        where = conversations[again % len(conversations)] if conversations and again > 2 else None
        question = f"question {next(self.numbers)}."
        self._begin(
            script,
            question,
            lambda: chat_service.send(self.at.person, Draft(text=question, conversation_id=where), ORIGIN),
        )

    @rule(script=OFTEN_HELD | st.sampled_from(["whole", "long", "cut", "failing"]), which=st.integers(0, 3))
    def go_on(self, script: str, which: int) -> None:
        ended = [asked for asked in reversed(self.at.asked) if not asked.is_made]
        if (broken := self._one(ended, which)) is None:
            return
        self._begin(
            script,
            broken.question,
            lambda: continue_service.go_on(self.at.person, broken.begun.run_id, ORIGIN),
        )

    @rule(which=st.integers(0, 50))
    def finish(self, which: int) -> None:
        if asked := self._one(self.at.held, which):
            self._end(asked)

    @rule(which=st.integers(0, 50))
    def stop(self, which: int) -> None:
        if (asked := self._one(self.at.held, which)) is None:
            return
        asked.disturbed = True
        with _refusals():  # one that is being deleted is not there any more, though it still ends
            stop_service.stop(self.at.person, asked.begun.run_id)
        _until(lambda: not asked.is_made)

    @rule(which=st.integers(0, 50))
    def delete(self, which: int) -> None:
        if (chosen := self._one(self.at.asked, which)) is None:
            return
        conversation_id = chosen.begun.conversation_id
        for asked in self.at.asked:
            if asked.begun.conversation_id == conversation_id and asked.is_made:
                asked.disturbed = True
        with _refusals():
            conversation_service.remove(self.at.person, conversation_id)

    @rule(which=st.integers(0, 50), comes_back=st.booleans())
    def take_for_dead(self, which: int, comes_back: bool) -> None:
        """Its lease runs out, a reaper ends it; its worker may finish all the same, later or now."""
        if (asked := self._one(self.at.held, which)) is None:
            return
        asked.disturbed = True
        long_ago = utc_now() - timedelta(minutes=5)
        lease_service.keep()
        with transaction() as session:
            own = Run.id == asked.begun.run_id
            session.execute(update(Run).where(own).values(lease_expires_at=long_ago, worker="dead"))
        in_transaction(lambda session: reaper_service.reap(session, asked.begun.run_id))
        if comes_back:
            self._end(asked)

    @rule(which=st.integers(0, 50), told_twice=st.booleans(), dies=st.booleans())
    def finish_without_database(self, which: int, told_twice: bool, dies: bool) -> None:
        """The journal has it; its file may be found again later, and another process may replay it first."""
        asked = self._one(self.at.held, which)
        if asked is None or asked.held is None:
            return
        database.connect(NOWHERE)
        asked.held.let_go.set()
        _until(journal.waiting)
        (file,) = self.at.folder.glob("*.json")
        content = file.read_bytes()
        database.connect(self.at.url)
        if dies and (settlement := journal.read(file.stem)):
            replay_service._settle(settlement)
        _until(lambda: not asked.is_made)
        if told_twice:
            file.write_bytes(content)
            replay_service.replay()

    @rule(passes=st.integers(0, 4))
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

    @rule()
    def disable_and_enable(self) -> None:
        for asked in self.at.held:
            asked.disturbed = True
        for disabled in (True, False):
            with _refusals():
                user_admin_service.change(Actor(self.at.admin), self.at.person.id, disabled=disabled)
        _until(lambda: not self.at.held)

    @rule()
    def tick(self) -> None:
        lease_service._round(lease_service.tick)

    def _begin(self, script: str, question: str, act: Callable[[], Begun]) -> None:
        made = SCRIPTS[script]()
        self.at.upstream.forget_scripts()
        self.at.upstream.script(made)
        with transaction() as session:  # no bench of an earlier act stands in the way
            session.execute(update(ApiKey).values(benched_until=None, probe_until=None))
        self.acting = True
        try:
            with _refusals():
                asked = Asked(act(), question, made if isinstance(made, Held) else None)
                self.at.asked.append(asked)
                _until(lambda: not asked.is_made or (asked.held is not None and _has_begun(asked)))
        finally:
            self.acting = False

    def _end(self, asked: Asked) -> None:
        assert asked.held
        asked.held.let_go.set()
        _until(lambda: not asked.is_made)

    def _one(self, among: list[Asked], which: int) -> Asked | None:
        """Acts that find nothing to act on do nothing: what is drawn never depends on what happened."""
        return among[which % len(among)] if among else None


def _has_begun(asked: Asked) -> bool:
    live = run_service.live_run(asked.begun.run_id)
    return live is None or live.completion.outcome.text == "one two "


def _refusals() -> contextlib.suppress:
    """What an act may meet: no is an answer."""
    return contextlib.suppress(AppError, SQLAlchemyError)


def _until(reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.002)
