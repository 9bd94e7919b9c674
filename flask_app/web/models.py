"""Models as JSON."""

from datetime import datetime

from flask import g

from flask_app.database import fetching, utc_now
from flask_app.domain.serving import Effort, ServedModel
from flask_app.services.chat.input_cost import InputCost
from flask_app.services.conversations import title_setting
from flask_app.services.embedding import embedding_setting
from flask_app.services.providers import model_service
from flask_app.services.providers.model_admin_service import ModelStatus
from flask_app.services.tariffs import tariff_service
from flask_app.services.tariffs.tariff_service import PeakHours
from flask_app.services.warnings import wording
from flask_app.web.bodies import Reply


class PeakReply(Reply):
    """`now`: are the prices of peak hours in force? `until`: when that changes, if it does within two months.

    `until_words`: the same on the reader's clock, in their language.
    """

    now: bool
    until: datetime | None
    until_words: str


class ModelReply(Reply):
    """`efforts`: what it may be told to think with; none where it is `thinking` as it likes, or not at all.

    `peak` is null for a model that costs the same at all hours, or has no price. `context_tokens` is how much of a
    conversation it can read, with its answer; null where that is not known. `sees`: pictures may be sent to it.
    """

    id: str
    name: str
    label: str
    provider: str
    thinking: bool
    efforts: list[Effort]
    demo: bool
    sees: bool
    context_tokens: int | None
    peak: PeakReply | None


class ModelsReply(Reply):
    """`keys_fail`: there are API keys, and none of them opens any model now."""

    models: list[ModelReply]
    default: str | None
    keys_fail: bool


def models_reply() -> ModelsReply:
    """Those that the reader may ask."""
    available = model_service.available(g.allowed_models)
    with fetching() as connection:
        hours = tariff_service.peak_hours(connection, utc_now())
    return ModelsReply(
        models=[_model(model, hours.get((model.name, model.currency))) for model in available],
        default=available[0].name if available else None,
        keys_fail=model_service.keys_fail(available or model_service.available(with_vectors=True)),
    )


def _model(model: ServedModel, hours: PeakHours | None) -> ModelReply:
    fields = ("id", "name", "label", "provider", "thinking", "demo", "sees", "context_tokens")
    own = {name: getattr(model, name) for name in fields}
    return ModelReply(**own, efforts=list(model.efforts), peak=_peak(hours) if hours else None)


def _peak(hours: PeakHours) -> PeakReply:
    """A formatter of the browser's for times of day is dear: a phone would wait a tenth of a second for it."""
    words = wording.clock(hours.until, g.user.timezone, g.locale, utc_now()) if hours.until else ""
    return PeakReply(now=hours.now, until=hours.until, until_words=words)


class InputCostReply(Reply):
    """Micro-units of `currency`; `cached_micros` where the provider still has in its cache all of it that is not new.

    All are null for a model without a price.
    """

    currency: str | None
    micros: int | None
    cached_micros: int | None


def input_cost_reply(cost: InputCost | None) -> InputCostReply:
    if cost is None:
        return InputCostReply(currency=None, micros=None, cached_micros=None)
    return InputCostReply(currency=cost.currency, micros=cost.micros, cached_micros=cost.cached_micros)


class AdminModelReply(Reply):
    """`listed`: by its provider; `offered`: it can be asked now. Once it cannot, `successor_id` answers instead. It
    `sees` where pictures may be sent to it."""

    id: str
    name: str
    provider: str
    listed: bool
    offered: bool
    sees: bool
    context_tokens: int | None
    successor_id: str | None
    aliases: list[str]


class AdminModelsReply(Reply):
    """`titles_by` is the id of the model that writes the titles of conversations, "default" for the one that new chats
    begin with, null where none does. `embeddings_by` is that of the model that makes the vectors which documents are
    searched with, null where they are searched by words alone."""

    models: list[AdminModelReply]
    titles_by: str | None
    embeddings_by: str | None


def admin_models_reply(statuses: list[ModelStatus]) -> AdminModelsReply:
    models = [_admin_model(status) for status in statuses]
    chosen = {"titles_by": title_setting.chosen(), "embeddings_by": embedding_setting.chosen()}
    return AdminModelsReply(models=models, **chosen)


def _admin_model(status: ModelStatus) -> AdminModelReply:
    return AdminModelReply(
        id=status.model.id,
        name=status.model.name,
        provider=status.provider,
        listed=status.model.listed,
        offered=status.offered,
        sees=status.model.sees,
        context_tokens=status.model.context_tokens,
        successor_id=status.model.successor_id,
        aliases=status.aliases,
    )
