"""Providers: found by where they are and what they bill in, made when first named."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction
from flask_app.domain.serving import OPENAI, SEARXNG
from flask_app.errors import NotFound
from flask_app.models import Provider
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor


def find_or_make(
    session: Session, base_url: str, currency: str, *, name: str | None = None, default_name: str | None = None
) -> Provider:
    """The provider at `base_url` that bills in `currency`, called `name` where one is given; a new one if need be.

    A new one without a name is called `default_name`, or after its host. A provider's address never changes
    afterwards: its keys go nowhere else.
    """
    there = select(Provider).where(
        Provider.kind == OPENAI, Provider.base_url == base_url, Provider.currency == currency
    )
    if name:
        there = there.where(Provider.name == name)
    provider = session.scalars(there.order_by(Provider.id).limit(1)).first()
    if provider is None:
        provider = Provider(name=name or default_name or _named_after(base_url), base_url=base_url, currency=currency)
        session.add(provider)
        session.flush()
    return provider


def change(actor: Actor, provider_id: str, *, priority: int) -> Provider:
    """Give a provider another place among those that list the same model; raises NotFound."""

    def work(session: Session) -> Provider:
        provider = session.get(Provider, provider_id, with_for_update=True)
        if provider is None or provider.kind == SEARXNG:
            raise NotFound
        before, provider.priority = provider.priority, priority
        if difference := audit_service.difference({"priority": before}, {"priority": priority}):
            details = {"name": provider.name, **difference}
            audit_service.record(session, actor.user, "provider.change", provider.id, details, actor.address)
        return provider

    return in_transaction(work)


def _named_after(base_url: str) -> str:
    host = base_url.partition("://")[2].partition("/")[0]
    return "DeepSeek" if host == "api.deepseek.com" else host[:64]
