"""Every way in which a provider comes to be asked: in a conversation, in a question's place, for another answer or more
of one, in a temporary chat, by a program, for a title; and a budget that may have no room for it."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import new_id, reading, transaction
from flask_app.errors import AppError
from flask_app.models import ApiKey, Message
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place as Scope
from flask_app.services.chat import chat_service, continue_service, regenerate_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.chat.prompts import Turn
from flask_app.services.chat.regenerate_service import Wish
from flask_app.services.conversations import temporary_service, title_setting
from flask_app.services.conversations.temporary_service import Talk
from flask_app.services.conversations.title_answer import TitleAnswer
from flask_app.services.gateway import gateway_service
from flask_app.services.gateway.choice_answers import StreamedChoices, WholeChoices
from flask_app.services.gateway.embedding_answers import EmbeddingAnswer
from flask_app.services.gateway.gateway_service import Asked as AskedByProgram
from flask_app.services.gateway.message_answers import StreamedMessage, WholeMessage
from flask_app.services.gateway.program_answers import ProgramAnswer, StreamedAnswer, WholeAnswer
from flask_app.services.gateway.response_answers import StreamedResponse, WholeResponse
from flask_app.services.gateway.text_answers import StreamedText, WholeText
from flask_app.services.runs import run_service, stop_service
from flask_app.services.runs.run_events import Begun
from flask_app.web.responses import ResponseRequest
from tests.support import scripted_upstream, upstream_completions, upstream_embeddings
from tests.support.acting import Acting, act
from tests.support.ledger_place import EMBEDDINGS, SCRIPTS, SEVERAL, TEXTS, Asked, Held, Place

T = TypeVar("T")

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
ANSWERER, WRITER = "deepseek-flash", "deepseek-v4-pro"  # nobody but titles asks the latter
PATIENCE = 20
OFTEN_HELD = st.just("held")  # only what goes on can meet something
SCRIPTED = OFTEN_HELD | st.sampled_from(sorted(SCRIPTS))
WHICH = st.integers(0, 3)
NOT_HELD = sorted(SCRIPTS.keys() - {"held"})
TERMS = ResponseRequest(model=ANSWERER, input="a question").terms()
# By which call a program asks, and how it is answered: as it comes, and whole.
CALLS: dict[str, tuple[Callable[[Any], ProgramAnswer], Callable[[Any], ProgramAnswer]]] = {
    "chat/completions": (partial(StreamedAnswer, tells_usage=True), WholeAnswer),
    "messages": (StreamedMessage, WholeMessage),
    "responses": (partial(StreamedResponse, terms=TERMS), partial(WholeResponse, terms=TERMS)),
}


class Asking(Acting):
    """`place` makes a fresh one."""

    place: Callable[[], Place]

    def __init__(self) -> None:
        super().__init__()
        self.at = self.place()
        self.numbers = itertools.count(1)
        self.acting = False
        self.titles: str | None = None
        self.budget: str | None = None
        self.ceiling = 0  # of the budget

    @act(4, script=SCRIPTED, again=st.integers(0, 5))
    def ask(self, script: str, again: int) -> None:
        """In a new conversation, or in one that is there."""
        conversations = sorted({asked.begun.conversation_id or "" for asked in self.at.asked} - {""})
        where = conversations[again % len(conversations)] if conversations and again > 2 else None
        draft = Draft(text=self._question(), conversation_id=where)
        self._begin(script, lambda: self._in_chat(chat_service.send(self.at.person, draft, ORIGIN)))

    @act(script=OFTEN_HELD | st.sampled_from(["whole", "long", "cut", "failing"]), which=WHICH)
    def go_on(self, script: str, which: int) -> None:
        ended = [asked for asked in reversed(self.at.asked) if asked.question_id and not asked.is_made]
        if broken := self._one(ended, which):
            run_id = broken.begun.run_id
            self._begin(script, lambda: self._in_chat(continue_service.go_on(self.at.person, run_id, ORIGIN)))

    @act(script=SCRIPTED, which=WHICH)
    def ask_once_more(self, script: str, which: int) -> None:
        ended = [asked for asked in reversed(self.at.asked) if asked.question_id and not asked.is_made]
        if earlier := self._one(ended, which):
            wish = Wish(question_id=earlier.question_id or "")
            self._begin(script, lambda: self._in_chat(regenerate_service.regenerate(self.at.person, wish, ORIGIN)))

    @act(script=SCRIPTED, which=WHICH)
    def edit_a_question(self, script: str, which: int) -> None:
        """Another branch begins in its place."""
        ended = [asked for asked in reversed(self.at.asked) if asked.question_id and not asked.is_made]
        if earlier := self._one(ended, which):
            with reading() as session:
                edited = session.get(Message, earlier.question_id)
            if edited is None:  # it has been deleted
                return
            draft = Draft(
                text=self._question(),
                conversation_id=edited.conversation_id,
                parent_id=edited.parent_id,
                at_root=edited.parent_id is None,
            )
            self._begin(script, lambda: self._in_chat(chat_service.send(self.at.person, draft, ORIGIN)))

    @act(script=SCRIPTED)
    def ask_in_passing(self, script: str) -> None:
        """In a temporary chat, whose words stand nowhere."""
        turns = [Turn("user", self._question())]
        talk = Talk(turns=turns, model=None, thinking=False, idempotency_key=new_id())

        def begin() -> Asked:
            begun = temporary_service.ask(self.at.person, talk, ORIGIN)
            return Asked(begun, None, partial(stop_service.stop, self.at.person, begun.run_id))

        self._begin(script, begin)

    @act(script=SCRIPTED, call=st.sampled_from(sorted(CALLS)), whole=st.booleans())
    def ask_by_program(self, script: str, call: str, whole: bool) -> None:
        question = AskedByProgram(
            model=ANSWERER, turns=[Turn("user", self._question())], options={}, max_tokens=None, thinking=False
        )
        self._begin(script, partial(self._by_program, question, CALLS[call][whole]))

    @act(script=st.sampled_from(sorted(SEVERAL)), count=st.integers(2, 4), whole=st.booleans())
    def ask_for_several(self, script: str, count: int, whole: bool) -> None:
        turns = [Turn("user", self._question())]
        question = AskedByProgram(model=ANSWERER, turns=turns, options={"n": count}, max_tokens=200, thinking=False)
        make: Callable[[Any], ProgramAnswer] = partial(WholeChoices, count=count)
        if not whole:
            make = partial(StreamedChoices, count=count, tells_usage=True)
        self._begin(script, partial(self._by_program, question, make), SEVERAL)

    @act(script=st.sampled_from(sorted(TEXTS)), whole=st.booleans())
    def have_a_text_gone_on_with(self, script: str, whole: bool) -> None:
        text = AskedByProgram(
            model=ANSWERER,
            turns=[Turn("prompt", "def add(a, b):")],
            options={"prompt": "def add(a, b):"},
            max_tokens=None,
            operation="text_completion",
        )
        begin = partial(self._by_program, text, WholeText if whole else partial(StreamedText, tells_usage=False))
        self._begin(script, begin, TEXTS, path=upstream_completions.COMPLETIONS)

    @act(script=st.sampled_from(sorted(EMBEDDINGS)))
    def embed(self, script: str) -> None:
        wanted = AskedByProgram(
            model=ANSWERER,
            turns=[Turn("input", "hello")],
            options={"input": "hello"},
            max_tokens=None,
            operation="embeddings",
        )
        begin = partial(self._by_program, wanted, EmbeddingAnswer)
        self._begin(script, begin, EMBEDDINGS, path=upstream_embeddings.EMBEDDINGS)

    @act(script=st.none() | st.sampled_from(NOT_HELD))
    def have_titles_written(self, script: str | None) -> None:
        """From now on, or no longer."""
        self.titles = script
        title_setting.choose(Actor(None), self.at.writer if script else None)

    @act(amount=st.none() | st.integers(400, 30_000) | st.integers(30_000, 300_000))
    def limit(self, amount: int | None) -> None:
        """A budget that runs out while others ask, in many of them or in the rounds of one, or none."""
        if amount is not None:
            place = Scope(scope="user", scope_id=self.at.person.id, period="month")
            standing = budget_admin_service.put(Actor(None), place, amount, hard=True).standing
            self.budget, self.ceiling = standing.id, max(amount, standing.spent + standing.reserved)
        elif self.budget:
            budget_admin_service.delete(Actor(None), self.budget)
            self.budget = None

    def _question(self) -> str:
        return f"question {next(self.numbers)}."

    def _in_chat(self, begun: Begun) -> Asked:
        return Asked(begun, None, partial(stop_service.stop, self.at.person, begun.run_id), begun.user_message_id)

    def _by_program(self, wanted: AskedByProgram, make: Callable[[Any], ProgramAnswer]) -> Asked:
        answer = gateway_service.begin(self.at.visit, wanted, ORIGIN, make)
        return Asked(answer.begun, None, partial(gateway_service.leave, answer))

    def _begin(
        self,
        script: str,
        begin: Callable[[], Asked],
        scripts: Mapping[str, Callable[[], Any]] = SCRIPTS,
        *,
        path: str = scripted_upstream.CHAT,
        most: int = 1,
    ) -> None:
        """Another key that is asked after the first answers well, and so do `most` requests."""
        made = scripts[script]()
        self._plan(made, *(scripts["whole"]() for _ in range(most)), path=path)
        with transaction() as session:  # no bench of an earlier act stands in the way
            session.execute(update(ApiKey).values(benched_until=None, probe_until=None))
        self.acting = True
        try:
            with refusals():
                asked = begin()
                asked.held = made if isinstance(made, Held) else None
                self.at.asked.append(asked)
                until(lambda: not asked.is_made or (asked.held is not None and has_begun(asked)))
        finally:
            self.acting = False
        until(nothing_ends)

    def _plan(self, *scripts: Any, path: str = scripted_upstream.CHAT) -> None:
        """What is said next, and of a title."""
        self.at.upstream.forget_scripts()
        self.at.upstream.script(*scripts, path=path, model=ANSWERER)
        if self.titles:
            self.at.upstream.script(SCRIPTS[self.titles](), model=WRITER)

    def _end(self, asked: Asked) -> None:
        assert asked.held
        asked.held.let_go.set()
        self._await(asked)

    def _await(self, asked: Asked) -> None:
        """With the title that may follow."""
        until(lambda: not asked.is_made)
        until(nothing_ends)

    def _rest(self, asked: Asked) -> None:
        """Until it is held again, or has ended."""
        until(lambda: not asked.is_made or has_begun(asked))
        until(nothing_ends)

    def _one(self, among: Sequence[T], which: int) -> T | None:
        """Acts that find nothing to act on do nothing: what is drawn never depends on what happened."""
        return among[which % len(among)] if among else None


def has_begun(asked: Asked) -> bool:
    live = run_service.live_run(asked.begun.run_id)
    return live is None or asked.held is None or asked.held.has_begun(live)


def nothing_ends() -> bool:
    """No answer that was told to stop is made, nor a title, which is asked for before its answer is no longer made."""
    if any(live.stop.status for live in run_service.live_runs()):
        return False
    asks = any(thread.name.startswith("title-") for thread in threading.enumerate())
    return not asks and not any(isinstance(live.answer, TitleAnswer) for live in run_service.live_runs())


def refusals() -> contextlib.suppress:
    """What an act may meet: no is an answer."""
    return contextlib.suppress(AppError, SQLAlchemyError)


def until(reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.002)
