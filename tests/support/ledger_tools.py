"""Acts on answers whose models call tools: they are asked, their calls allowed, refused and let go on, their runs
stopped by another worker."""

from collections.abc import Callable

from hypothesis import strategies as st
from sqlalchemy import update

from flask_app.database import transaction, utc_now
from flask_app.domain import tools
from flask_app.models import Run
from flask_app.services.chat import chat_service, regenerate_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.chat.regenerate_service import Wish
from flask_app.services.runs import stop_service
from flask_app.services.tools import confirming
from tests.support.acting import act
from tests.support.ledger_acts import Acts
from tests.support.ledger_asking import NOT_HELD, ORIGIN, WHICH, refusals, until
from tests.support.ledger_place import Asked
from tests.support.ledger_workshop import BENCH, GUARDED, HOWS, KINDS, Round, Scene, waiting

CHOSEN = (BENCH, tools.WEB)
MOST_REQUESTS = 30  # of an answer: eight rounds and one, each by three keys
CALLED = st.lists(st.sampled_from(KINDS) | st.sampled_from(GUARDED), min_size=1, max_size=4).map(tuple)
ROUND = st.builds(Round, CALLED, st.just("whole") | st.sampled_from(HOWS))
PLAN = st.lists(ROUND | ROUND | st.sampled_from(NOT_HELD), min_size=1, max_size=5)


class ToolActs(Acts):
    @act(5, first=ROUND, then=PLAN, again=st.integers(0, 5))
    def ask_with_tools(self, first: Round, then: list[Round | str], again: int) -> None:
        conversations = sorted({asked.begun.conversation_id or "" for asked in self.at.asked} - {""})
        where = conversations[again % len(conversations)] if conversations and again > 2 else None
        draft = Draft(text=self._question(), conversation_id=where, tools=CHOSEN)
        scene = Scene(self.at.workshop, [first, *then])
        self._begin_scene(scene, lambda: self._in_chat(chat_service.send(self.at.person, draft, ORIGIN)))

    @act(first=ROUND, then=PLAN, which=WHICH)
    def ask_once_more_with_tools(self, first: Round, then: list[Round | str], which: int) -> None:
        ended = [asked for asked in reversed(self.at.asked) if asked.question_id and not asked.is_made]
        if earlier := self._one(ended, which):
            wish = Wish(question_id=earlier.question_id or "", tools=CHOSEN)
            scene = Scene(self.at.workshop, [first, *then])
            self._begin_scene(scene, lambda: self._in_chat(regenerate_service.regenerate(self.at.person, wish, ORIGIN)))

    @act(8, which=st.integers(0, 50), allow=st.booleans(), every=st.booleans())
    def say_of_a_call(self, which: int, allow: bool, every: bool) -> None:
        """That it may be made, or not."""
        if (call := self._one(waiting(), which)) is None:
            return
        asked = next((each for each in self.at.asked if each.begun.run_id == call.run_id), None)
        if asked and isinstance(asked.held, Scene):
            self._plan_scene(asked.held)
        with refusals():
            confirming.decide(self.at.person, call.run_id, call.id, allow=allow, all_of_them=every)
        if asked:
            self._rest(asked)

    @act(5, which=st.integers(0, 50))
    def let_one_go_on(self, which: int) -> None:
        """A call that hangs, or a round's stream; what comes after it may be held again."""
        asked = self._one([each for each in self.at.held if isinstance(each.held, Scene) and each.held.is_held], which)
        if asked and isinstance(asked.held, Scene):
            self._plan_scene(asked.held)
            asked.held.pass_one()
            self._rest(asked)

    @act(which=st.integers(0, 50))
    def stop_elsewhere(self, which: int) -> None:
        """By another worker: this one hears of it when it looks."""
        if asked := self._one(self.at.held, which):
            asked.disturbed = True
            with transaction() as session:
                own = update(Run).where(Run.id == asked.begun.run_id, Run.status == "running")
                session.execute(own.values(stop_requested=utc_now()))
            stop_service.look()
            self._await(asked)

    @act(is_there=st.booleans())
    def have_somebody_there(self, is_there: bool) -> None:
        """Whom calls wait for from now on; or nobody."""
        self.at.workshop.have_somebody_there(is_there=is_there)

    def _begin_scene(self, scene: Scene, begin: Callable[[], Asked]) -> None:
        self._begin("scene", begin, {"scene": lambda: scene, "whole": lambda: scene}, most=MOST_REQUESTS)

    def _plan_scene(self, scene: Scene) -> None:
        self._plan(*[scene] * MOST_REQUESTS)

    def _end(self, asked: Asked) -> None:
        if isinstance(asked.held, Scene):
            self._plan_scene(asked.held)
        super()._end(asked)

    def _await(self, asked: Asked) -> None:
        """With each call allowed that waits, where it was let go."""
        if isinstance(asked.held, Scene) and asked.held.let_go.is_set():
            until(lambda: not asked.is_made or self._allow(asked.begun.run_id))
        super()._await(asked)

    def _allow(self, run_id: str) -> bool:
        for call in waiting():
            if call.run_id == run_id:
                with refusals():
                    confirming.decide(self.at.person, run_id, call.id, allow=True, all_of_them=True)
        return False
