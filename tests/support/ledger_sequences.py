"""Acts that meet one another in any order, and what is true of attempts after each. The oracle is at the end."""

from collections import Counter
from datetime import timedelta

from hypothesis.stateful import invariant
from sqlalchemy import select, update

from flask_app import database
from flask_app.database import reading, transaction, utc_now
from flask_app.models import Attempt, Run, TokenUsage
from flask_app.services.budgets import budget_service
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.runs import lease_service, run_service
from tests.support import ledger, ledger_oracle
from tests.support.ledger_acts import Acts


class Sequences(Acts):
    @invariant()
    def each_attempt_has_what_its_state_says(self) -> None:
        with reading() as session:
            states = dict(session.execute(select(Attempt.id, Attempt.state)).all())
            booked = Counter(session.scalars(select(TokenUsage.attempt_id)))
        for attempt_id, state in states.items():
            assert booked[attempt_id] == (1 if state == "settled" else 0), (state, booked[attempt_id])

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
