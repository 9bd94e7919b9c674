"""Who searches the web, as an administrator would have said."""

from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import model_service
from flask_app.services.web_search import search_admin_service


def by_deepseek() -> str:
    """DeepSeek by the keys of the first provider; gives its id."""
    model_service.available()
    first = search_admin_service.standing().offered[0]
    search_admin_service.use_deepseek(Actor(None), first.id)
    return first.id


def by_searxng(address: str) -> None:
    """The SearXNG at an address."""
    search_admin_service.use_searxng(Actor(None), address)


def switch_off() -> None:
    search_admin_service.switch_off(Actor(None))
