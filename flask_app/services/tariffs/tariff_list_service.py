"""Every model with what it costs now, what it cost and what it will cost, for administrators."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_app.database import reading
from flask_app.domain.peak_calendar import Calendar
from flask_app.domain.serving import LOCAL, SEARXNG
from flask_app.models import ChatModel, Provider, Tariff
from flask_app.services.completion import deepseek
from flask_app.services.ledger.rollup import SITE_DAY, rollup
from flask_app.services.web_search import search_settings


@dataclass(frozen=True, slots=True)
class Dated:
    """A tariff in its line: `state` is "past", "current" or "planned"; None ends it where no other one follows."""

    tariff: Tariff
    state: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A model's tariffs in one currency, the newest first. `billed`: a provider that lists the model bills in it.

    `peak` says whether the high prices hold now and `changes_at` until when; None where there are none.
    """

    currency: str
    billed: bool
    tariffs: list[Dated]
    peak: bool | None
    changes_at: datetime | None

    @property
    def current(self) -> Tariff | None:
        return next((dated.tariff for dated in self.tariffs if dated.state == "current"), None)


@dataclass(slots=True)
class ModelPrices:
    """`listed`: by a provider now; `known`: now or before.

    `unpriced_records` have been booked without a cost, and stay so.
    """

    model: str
    providers: list[str] = field(default_factory=list)
    listed: bool = False
    known: bool = False
    unpriced_records: int = 0
    lines: list[PriceLine] = field(default_factory=list)

    @property
    def unpriced(self) -> bool:
        """Is there a currency that it is billed in and has no price in?"""
        return any(line.billed and line.current is None for line in self.lines)


def listed(now: datetime) -> list[ModelPrices]:
    """Every model that is listed, has a price, or was answered without one; those that lack a price first."""
    with reading() as session:
        models, billed = _offered(session)
        tariffs = session.scalars(select(Tariff).order_by(Tariff.starts_at.desc())).all()
        unpriced = _unpriced(session)
    lines: dict[tuple[str, str], list[Tariff]] = {pair: [] for pair in sorted(billed)}
    for tariff in tariffs:
        lines.setdefault((tariff.model, tariff.currency), []).append(tariff)
    for (name, currency), history in lines.items():
        model = models.setdefault(name, ModelPrices(name))
        model.lines.append(_line(currency, history, now, billed=(name, currency) in billed))
    for name, count in unpriced.items():
        models.setdefault(name, ModelPrices(name)).unpriced_records = count
    return sorted(
        models.values(), key=lambda model: (not (model.listed and model.unpriced), not model.listed, model.model)
    )


def _offered(session: Session) -> tuple[dict[str, ModelPrices], set[tuple[str, str]]]:
    """The models of the providers, and what they are billed in where they are listed.

    Whoever lists any of DeepSeek's own searches the web too, and opens links.
    """
    of_provider = (Provider.name, Provider.currency, Provider.base_url)
    query = select(ChatModel.name, ChatModel.listed, *of_provider).join(Provider, Provider.id == ChatModel.provider_id)
    models: dict[str, ModelPrices] = {}
    billed = set()
    for own_name, is_listed, provider, currency, url in session.execute(query.where(Provider.kind != LOCAL)):
        for name in (own_name, deepseek.SEARCH, deepseek.FETCH) if is_listed and deepseek.serves(url) else (own_name,):
            model = models.setdefault(name, ModelPrices(name))
            model.known = True
            model.listed |= is_listed
            if is_listed:
                billed.add((name, currency))
                if provider not in model.providers:
                    model.providers.append(provider)
    _add_search(session, models, billed)
    return models, billed


def _add_search(session: Session, models: dict[str, ModelPrices], billed: set[tuple[str, str]]) -> None:
    """What the site searches the web by is in use, whatever models its provider lists."""
    chosen = search_settings.chosen(session.connection())
    if chosen is None or chosen.kind == SEARXNG:
        return
    for name in (search_settings.MODELS[chosen.kind], deepseek.FETCH):
        model = models.setdefault(name, ModelPrices(name))
        model.known = model.listed = True
        billed.add((name, chosen.currency))
        if chosen.provider not in model.providers:
            model.providers.append(chosen.provider)


def _unpriced(session: Session) -> dict[str, int]:
    counts = select(rollup.c.model, func.sum(rollup.c.unpriced_requests).label("records"))
    counts = counts.where(rollup.c.slice == SITE_DAY.name, rollup.c.unpriced_requests != 0).group_by(rollup.c.model)
    return {row.model: int(row.records) for row in session.execute(counts)}


def _line(currency: str, history: list[Tariff], now: datetime, *, billed: bool) -> PriceLine:
    dated = []
    ends_at = None
    for tariff in history:
        state = "planned" if tariff.starts_at > now else "current" if ends_at is None or ends_at > now else "past"
        dated.append(Dated(tariff, state, ends_at))
        ends_at = tariff.starts_at
    current = next((each.tariff for each in dated if each.state == "current"), None)
    if current is None or current.calendar is None:
        return PriceLine(currency, billed, dated, None, None)
    calendar = Calendar.parse(current.calendar)
    return PriceLine(currency, billed, dated, calendar.is_peak(now), calendar.next_change(now))
