"""The COMMIT that notes a refusal by a provider gets no reply: another key is asked, and nothing is doubled."""

from dataclasses import dataclass

from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, TokenUsage
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.providers import model_service
from flask_app.services.runs import run_service
from tests.routes.mariadb.site import ORIGIN, Site
from tests.support.events import events_of
from tests.support.keys import change_key, keep_key, stored_key
from tests.support.scripted_upstream import Received, ScriptedUpstream
from tests.support.upstream_faults import Status
from tests.support.upstream_reply import Reply


@dataclass
class _RefusedInTheDark:
    """401, and the reply to the next COMMIT is lost."""

    site: Site

    def play(self, reply: Reply, request: Received) -> None:
        self.site.proxy.lose_the_next_commit()
        Status(401).play(reply, request)


def test_another_key_is_asked_though_nobody_heard_that_the_refusal_is_noted(
    site: Site, upstream: ScriptedUpstream
) -> None:
    model_service.prepare()
    change_key("environment", priority=-1)
    keep_key(stored_key("environment").provider_id, "second")
    upstream.script(_RefusedInTheDark(site))
    begun = chat_service.send(site.actor, Draft(text="hello"), ORIGIN)
    told = b"".join(run_service.read(site.actor, begun.run_id, after=0, locale="en"))
    assert site.proxy.lost.is_set()
    assert events_of(told)[-1].data["status"] == "complete"
    with reading() as session:
        attempts = session.execute(select(Attempt.key_id, Attempt.state).order_by(Attempt.id)).all()
        assert session.scalars(select(TokenUsage.key_id)).all() == ["second"]
    assert attempts == [("environment", "released"), ("second", "settled")]
    assert stored_key("environment").strikes == 1
