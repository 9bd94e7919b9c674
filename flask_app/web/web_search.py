"""Who searches the web, as JSON."""

from typing import Annotated, Literal

import msgspec

from flask_app.domain.serving import SEARXNG
from flask_app.errors import Invalid
from flask_app.services.audit.audit_service import Actor
from flask_app.services.web_search import search_admin_service
from flask_app.services.web_search.search_admin_service import Standing
from flask_app.services.web_search.search_settings import MODELS, OFF
from flask_app.web.bodies import Body, Reply

Kind = Literal["off", "deepseek", "searxng"]


class WebSearchBody(Body):
    """`engine`: nobody searches the web, DeepSeek does by the keys of the provider `provider_id`, or the SearXNG at
    `url`.
    """

    engine: Kind
    provider_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    url: Annotated[str, msgspec.Meta(max_length=1000)] | None = None

    def choose(self, actor: Actor) -> None:
        """Raises Invalid as the service does, for what is not named too."""
        if self.engine == OFF:
            search_admin_service.switch_off(actor)
        elif self.engine == SEARXNG:
            search_admin_service.use_searxng(actor, self.url or "")
        elif self.provider_id is None:
            raise Invalid("unknown_search_provider")
        else:
            search_admin_service.use_deepseek(actor, self.provider_id)


class SearchProviderReply(Reply):
    """`own`: it is DeepSeek's own API. `usable`: it has a key that can be asked."""

    id: str
    name: str
    own: bool
    usable: bool


class WebSearchReply(Reply):
    """As `WebSearchBody`. `usable`: it can search now; a provider without a key cannot.

    Searches are booked, and priced, as the model `model`: one costs `price` now, in millionths of `currency`; null
    where it has no price, and 0 for SearXNG, which costs nothing. `providers` are those that may be chosen.
    """

    engine: Kind
    provider_id: str | None
    url: str | None
    usable: bool
    model: str | None
    price: int | None
    currency: str | None
    providers: list[SearchProviderReply]


def web_search_reply(found: Standing | None = None) -> WebSearchReply:
    shown = found or search_admin_service.standing()
    providers = [
        SearchProviderReply(id=each.id, name=each.name, own=each.own, usable=each.usable) for each in shown.offered
    ]
    chosen = shown.chosen
    if chosen is None:
        return WebSearchReply(
            engine="off",
            provider_id=None,
            url=None,
            usable=False,
            model=None,
            price=None,
            currency=None,
            providers=providers,
        )
    is_searxng = chosen.kind == SEARXNG
    return WebSearchReply(
        engine="searxng" if is_searxng else "deepseek",
        provider_id=None if is_searxng else chosen.provider_id,
        url=chosen.base_url if is_searxng else None,
        usable=chosen.usable,
        model=MODELS[chosen.kind],
        price=shown.price,
        currency=chosen.currency,
        providers=providers,
    )
