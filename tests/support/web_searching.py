"""Searches of the web for tests: switched on, asked for, and looked at afterwards."""

from typing import Any

from sqlalchemy import select

from flask_app.database import reading, transaction
from flask_app.domain.serving import SEARXNG
from flask_app.models import Attempt, Provider, Setting, TokenUsage, WebSearch, WebSource
from flask_app.services.chat.chat_service import Origin
from flask_app.services.providers import model_service
from flask_app.services.web_search import search_settings
from tests.support.clients import PageClient
from tests.support.events import ServerEvent, events_of

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
QUESTION = "How high is the lighthouse?"
JSON = {"Accept": "application/json", "Accept-Language": "en"}


def switch_on() -> str:
    """By the keys of the one provider that there is; gives its id."""
    model_service.available()  # which keeps the key of the environment
    with reading() as session:
        provider_id = session.scalars(select(Provider.id).where(Provider.kind == "openai")).one()
    choose(provider_id)
    return provider_id


def switch_to_searxng(address: str) -> str:
    with transaction() as session:
        session.add(provider := Provider(kind=SEARXNG, name="SearXNG", base_url=address))
    choose(provider.id)
    return provider.id


def choose(provider_id: str) -> None:
    with transaction() as session:
        session.merge(Setting(name=search_settings.NAME, value=provider_id))


def ask(client: PageClient, message: str = QUESTION, **fields: Any) -> list[ServerEvent]:
    """The whole answer to a question that is looked up, as its reader got it."""
    return events_of(client.post("/api/chat", json={"message": message, "search": True} | fields).data)


def ask_whole(client: PageClient, message: str = QUESTION, **fields: Any) -> Any:
    """The same as JSON."""
    return client.post("/api/chat", json={"message": message, "search": True} | fields, headers=JSON).json


def attempts() -> list[tuple[str, str, str | None]]:
    """Channel, state and error of each: those of searches first, the oldest before the others."""
    with reading() as session:
        found = session.scalars(select(Attempt).order_by(Attempt.channel.desc(), Attempt.created_at, Attempt.id)).all()
        return [(each.channel, each.state, each.error_code) for each in found]


def entries(channel: str = "search") -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).where(TokenUsage.channel == channel).order_by(TokenUsage.id)))


def searches() -> list[WebSearch]:
    with reading() as session:
        return list(session.scalars(select(WebSearch).order_by(WebSearch.id)))


def sources() -> list[WebSource]:
    with reading() as session:
        return list(session.scalars(select(WebSource).order_by(WebSource.search_id, WebSource.number)))
