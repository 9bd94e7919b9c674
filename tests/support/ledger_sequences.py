"""Acts that meet one another in any order, and what is true of attempts after each. The oracle is at the end."""

from datetime import timedelta

from hypothesis.stateful import invariant
from sqlalchemy import and_, func, select, update

from flask_app import database
from flask_app.database import reading, transaction, utc_now
from flask_app.domain.tools import OPEN, REFUSED
from flask_app.domain.web_sources import CHANNEL as SEARCH
from flask_app.models import Attempt, AuditEntry, Run, TokenUsage, ToolCall
from flask_app.services.budgets import budget_service
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.runs import lease_service, run_service
from flask_app.services.tools import tool_audit
from tests.support import ledger, ledger_oracle, ledger_tool_oracle
from tests.support.ledger_tools import ToolActs


class Sequences(ToolActs):
    @invariant()
    def each_attempt_has_what_its_state_says(self) -> None:
        entries = select(Attempt.state, func.count(TokenUsage.id)).outerjoin(
            TokenUsage, TokenUsage.attempt_id == Attempt.id
        )
        with reading() as session:
            for state, booked in session.execute(entries.group_by(Attempt.id, Attempt.state)):
                assert booked == (1 if state == "settled" else 0), (state, booked)

    @invariant()
    def each_run_that_goes_on_has_one_open_attempt(self) -> None:
        """Of its answer; one that is over has none."""
        of_answer = (Attempt.run_id == Run.id, Attempt.state == "dispatched", Attempt.channel != SEARCH)
        left = select(Run.status, func.count(Attempt.id)).outerjoin(Attempt, and_(*of_answer))
        with reading() as session:
            for status, unended in session.execute(left.group_by(Run.id, Run.status)):
                assert unended == (1 if status == "running" else 0), (status, unended)

    @invariant()
    def no_call_is_open_of_a_run_that_is_over(self) -> None:
        over = select(ToolCall.id).join(Run, Run.id == ToolCall.run_id).where(Run.status != "running")
        with reading() as session:
            assert session.scalars(over.where(ToolCall.status.in_(OPEN))).all() == []

    @invariant()
    def what_was_refused_in_a_run_that_is_over_is_noted(self) -> None:
        """Whoever ended it."""
        over = select(ToolCall.id).join(Run, Run.id == ToolCall.run_id).where(Run.status != "running")
        with reading() as session:
            refused = set(session.scalars(over.where(ToolCall.status == REFUSED)))
            assert refused <= set(session.scalars(select(AuditEntry.id).where(AuditEntry.action == tool_audit.ACTION)))

    @invariant()
    def nobody_has_more_than_the_budget(self) -> None:
        """Where it was set below what stood there already: no more than that."""
        standing = self._standing()
        assert standing is None or standing.spent + standing.reserved <= self.ceiling

    def teardown(self) -> None:
        try:
            vars(database._bound().writer.dialect).pop("do_commit", None)
            for asked in self.at.held:
                self._end(asked)
            run_service.shutdown()
            self._let_leases_run_out()
            lease_service.tick()
            self.at.upstream.journal.wait_until_idle()
            ledger_oracle.check(
                self.at.upstream.journal, {asked.begun.run_id for asked in self.at.asked if asked.disturbed}
            )
            ledger_tool_oracle.check(self.at.upstream.journal, self.at.workshop)
            assert ledger.unsound() == []
            assert (standing := self._standing()) is None or standing.reserved == 0
        finally:
            vars(database._bound().writer.dialect).pop("do_commit", None)
            run_service.shutdown()

    def _standing(self) -> Standing | None:
        """How the budget stands, where there is one."""
        with reading() as session:
            found = budget_service.standings(session.connection(), [self.budget] if self.budget else [], utc_now())
        return next(iter(found.values()), None)

    def _let_leases_run_out(self) -> None:
        long_ago = utc_now() - timedelta(minutes=5)
        with transaction() as session:
            session.execute(update(Run).where(Run.status == "running").values(lease_expires_at=long_ago))
            session.execute(update(Attempt).where(Attempt.state == "dispatched").values(created_at=long_ago))
