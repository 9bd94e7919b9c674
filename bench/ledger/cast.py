"""Who used the site for two years, and what there was to ask: drawn from a seed, the same for the same seed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from bench.ledger.ids import make_id
from flask_app.database import table_of
from flask_app.domain.budget import TOKENS
from flask_app.models import AccessToken, ApiKey, Budget, ChatModel, Group, Provider, Tariff, User
from flask_app.services.people import names

PEOPLE, DAYS = 500, 730
FIRST_NAMES = "Ada Bo Chen Dana Elif Femi Goran Hana Ivo Jia Kofi Lena Mei Noor Olga Priya Qiang Rosa Sven Tao"
LAST_NAMES = "Abe Brandt Costa Diaz Endo Fang Gruber Huang Ito Jansen Kaya Li Moreau Novak Okoye"
ZONES = (("Asia/Shanghai", 88), ("Asia/Kathmandu", 4), ("Europe/Berlin", 4), ("America/New_York", 4))
GROUPS = (("Everyone else", 120), ("Research", 160), ("Sales", 90), ("Class 7", 60), ("Support", 40), ("Board", 29))
ALONE, EMPTY = "Guest", "Nobody yet"
RETIRED_AFTER = 400  # days; nobody asks that model any more

CALENDAR = (
    '{"timezone": "Asia/Shanghai", "weekdays": [0, 1, 2, 3, 4], "hours": [["09:00", "12:00"], ["14:00", "18:00"]],'
    ' "holidays": "CN"}'
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model at a provider. `share` is how much of the use is of it; a first price of `input_miss` micro-units."""

    provider: str
    currency: str
    model: str
    share: float
    input_miss: int | None
    keys: tuple[tuple[str, int], ...] = ()
    thinks: bool = False
    has_peak: bool = False
    retired: bool = False


_DEEPSEEK = (("First account", 5), ("Second account", 3))
OFFERS = (
    Offer("DeepSeek", "CNY", "deepseek-flash", 0.52, 1_000_000, _DEEPSEEK, has_peak=True),
    Offer("DeepSeek", "CNY", "deepseek-v4-pro", 0.2, 4_500_000, _DEEPSEEK, thinks=True, has_peak=True),
    Offer("Qwen", "CNY", "qwen-max", 0.12, 2_400_000, (("Qwen", 1),)),
    Offer("Elsewhere", "USD", "atlas-large", 0.07, 2_500_000, (("Elsewhere", 1),), thinks=True),
    Offer("Elsewhere", "USD", "atlas-preview", 0.03, None, (("Elsewhere", 1),)),
    Offer("Old provider", "CNY", "glm-old", 0.03, 700_000, (("Deleted key", 1),), retired=True),
    Offer("Qwen", "CNY", "qwen-rare", 0.0002, 9_000_000, (("Qwen", 1),)),
    Offer("Local", "CNY", "local", 0.03, None),
)


@dataclass(frozen=True, slots=True)
class Person:
    """`use` is how much they ask beside others; `tastes` weighs OFFERS; days count from the first of all."""

    id: str
    group_id: str
    zone: ZoneInfo
    use: float
    tastes: tuple[float, ...]
    programs: float  # how much of it is by programs, over the gateway
    tokens: tuple[str, ...]  # the ids of what those ask with
    joined: int
    left: int


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody and everything by id, and the rows of their tables."""

    people: list[Person]
    keys: dict[str, str]
    providers: dict[str, str]
    rows: dict[type[Any], list[dict[str, Any]]]


def draw(seed: int, until: datetime) -> Cast:
    random, began = Random(seed), until - timedelta(days=DAYS)
    groups = [_group(random, began, name) for name in (*(name for name, _ in GROUPS), ALONE, EMPTY)]
    providers = {offer.provider: make_id(random, began) for offer in OFFERS}
    keys = {label: make_id(random, began) for offer in OFFERS for label, _ in offer.keys}
    people, users = _people(random, began, {group["name"]: group["id"] for group in groups})
    return Cast(
        people=people,
        keys=keys,
        providers=providers,
        rows={
            Group: groups,
            User: users,
            AccessToken: [_token(person, number, began) for person in people for number in range(len(person.tokens))],
            Budget: [_limit(token, began) for person in people for token in person.tokens],
            Provider: [_provider(name, providers[name], began) for name in providers],
            ApiKey: list(_keys(providers, keys, began)),
            ChatModel: [_model(random, offer, providers, began) for offer in OFFERS],
            Tariff: [row for offer in OFFERS if offer.input_miss for row in _tariffs(random, offer, began)],
        },
    )


def write(connection: Connection, cast: Cast) -> None:
    for model, rows in cast.rows.items():
        connection.execute(insert(table_of(model)), rows)


def _people(random: Random, began: datetime, groups: dict[str, str]) -> tuple[list[Person], list[dict[str, Any]]]:
    """Use is log-normal: a tenth of the people make more than half of it."""
    places = [name for name, size in GROUPS for _ in range(size)] + [ALONE]
    people, users = [], []
    for number in range(PEOPLE):
        zone = random.choices([name for name, _ in ZONES], [weight for _, weight in ZONES])[0]
        joined = 0 if random.random() < 0.5 else random.randrange(DAYS - 30)
        left = DAYS if random.random() < 0.85 else random.randrange(joined + 20, DAYS)
        person = Person(
            id=make_id(random, began),
            group_id=groups[places[number % len(places)]],
            zone=ZoneInfo(zone),
            use=random.lognormvariate(0, 1.3),
            tastes=tuple(offer.share * random.lognormvariate(0, 0.8) for offer in OFFERS),
            programs=(programs := random.choice((0.0, 0.0, 0.0, 0.1, 0.6))),
            tokens=_token_ids(Random(number), began) if programs else (),
            joined=joined,
            left=left,
        )
        people.append(person)
        users.append(_user(number, person, began + timedelta(days=joined)))
    return people, users


def _user(number: int, person: Person, joined: datetime) -> dict[str, Any]:
    first, last = FIRST_NAMES.split(), LAST_NAMES.split()
    name = f"{first[number % len(first)]} {last[number // len(first) % len(last)]} {number}"
    return {
        "id": person.id,
        "username": name,
        "username_key": names.key(name),
        "role": "admin" if number == 0 else "member",
        "group_id": person.group_id,
        "disabled": person.left < DAYS,
        "timezone": None if person.zone.key == ZONES[0][0] else person.zone.key,
        "created_at": joined,
    }


def _token_ids(random: Random, began: datetime) -> tuple[str, ...]:
    return tuple(make_id(random, began) for _ in range(random.choice((1, 2))))


def _token(person: Person, number: int, began: datetime) -> dict[str, Any]:
    token = person.tokens[number]
    made = {"name": f"scripts {number + 1}", "digest": token, "hint": "0000", "created_at": began}
    return made | {"id": token, "user_id": person.id}


def _limit(token: str, began: datetime) -> dict[str, Any]:
    """More than it uses in a day."""
    terms = {"unit": TOKENS, "period": "day", "amount": 10**12, "hard": True, "created_at": began, "changed_at": began}
    return terms | {"id": token, "scope": "token", "scope_id": token}


def _group(random: Random, began: datetime, name: str) -> dict[str, Any]:
    return {
        "id": make_id(random, began),
        "name": name,
        "name_key": names.key(name),
        "on_disconnect": "continue",
        "created_at": began,
    }


def _provider(name: str, provider_id: str, began: datetime) -> dict[str, Any]:
    currency = next(offer.currency for offer in OFFERS if offer.provider == name)
    local = name == "Local"
    return {
        "id": provider_id,
        "name": "MingChat" if local else name,
        "kind": "local" if local else "openai",
        "base_url": "" if local else f"https://{name.lower().replace(' ', '-')}.example",
        "currency": currency,
        "priority": 0,
        "created_at": began,
    }


def _keys(providers: dict[str, str], keys: dict[str, str], began: datetime) -> Any:
    for label, key_id in keys.items():
        offer = next(offer for offer in OFFERS if label in dict(offer.keys))
        yield {
            "id": key_id,
            "provider_id": providers[offer.provider],
            "label": label,
            "hint": "…0000",
            "disabled": False,
            "priority": 0,
            "weight": dict(offer.keys)[label],
            "strikes": 0,
            "created_at": began,
        }


def _model(random: Random, offer: Offer, providers: dict[str, str], began: datetime) -> dict[str, Any]:
    return {
        "id": make_id(random, began),
        "provider_id": providers[offer.provider],
        "name": offer.model,
        "label": offer.model,
        "thinking": offer.thinks,
        "listed": not offer.retired,
        "created_at": began,
    }


def _tariffs(random: Random, offer: Offer, began: datetime) -> list[dict[str, Any]]:
    """A price, and a lower one a year later."""
    assert offer.input_miss
    starts = (began - timedelta(days=30), offer.input_miss), (began + timedelta(days=365), offer.input_miss * 4 // 5)
    return [_tariff(random, offer, start, price) for start, price in starts]


def _tariff(random: Random, offer: Offer, start: datetime, price: int) -> dict[str, Any]:
    prices = {"input_hit": price // 50, "input_miss": price, "output": 4 * price}
    peak = {f"peak_{name}": 2 * value if offer.has_peak else None for name, value in prices.items()}
    return {
        "id": make_id(random, start),
        "model": offer.model,
        "currency": offer.currency,
        "starts_at": start,
        "calendar": CALENDAR if offer.has_peak else None,
        **prices,
        **peak,
        "request_price": 0,
    }
