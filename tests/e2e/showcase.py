"""A site that looks lived in: people, conversations and some weeks of use, the same at every run."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine, insert, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from flask_app.database import new_id, utc_now
from flask_app.domain.events import Usage
from flask_app.domain.periods import local_day, quarter_of
from flask_app.models import DEFAULT_GROUP_ID, Attempt, Conversation, TokenUsage
from flask_app.services.tariffs import tariff_service
from tests.e2e.site import Site
from tests.support import ledger
from tests.support.scripted_upstream import Answer
from tests.support.scripted_upstream import Usage as Billed

PASSWORD = "copper window mountain"
SITE_ZONE = ZoneInfo("Asia/Shanghai")
DAYS = 60
MODELS = ("deepseek-flash", "deepseek-flash", "deepseek-v4-pro")
# Who uses how much, in answers on a working day.
PEOPLE = {"林晓明": 14, "Ada Morgan": 11, "王小红": 7, "陈一诺": 5, "Noah Weber": 3}

ADMINISTRATORS = ("林晓明", "Ada Morgan")


@dataclass(frozen=True)
class Talk:
    """A conversation of one question, begun so long ago."""

    question: str
    answer: str = "…"
    thinking: str = ""
    days_ago: float = 0


CHINESE = (
    Talk("九寨沟三日游，哪些地方值得早起？", days_ago=9),
    Talk("帮我把这封邮件改得更得体", days_ago=5.1),
    Talk("SQLite 的 WAL 模式是什么？", days_ago=3),
    Talk("周报要点整理", days_ago=1.1),
    Talk("给五岁孩子讲讲为什么天是蓝的", days_ago=0.11),
    Talk(
        "用一个生活里的例子解释复利，再写一小段 Python。",
        """\
**复利**就是利息也会生利息。存 1 万元、年利率 4%，第二年的利息按 10,400 元来算：

$$A = P\\,(1 + r)^n$$

| 年数 | 只算单利 | 复利 | 相差 |
|:---|---:|---:|---:|
| 10 年 | 14,000 | 14,802 | 802 |
| 30 年 | 22,000 | 32,434 | 10,434 |

```python
def balance(principal: float, rate: float, years: int) -> float:
    return principal * (1 + rate) ** years
```

所以时间很要紧：**早十年开始**，大约等于多存一半的本金。
""",
        "用户想要生活里的例子：存款最直观。公式、两行对比，再给一个函数。",
    ),
)
ENGLISH = (
    Talk("A quiet weekend in Edinburgh", days_ago=10),
    Talk("Make this email more courteous", days_ago=5.2),
    Talk("What is SQLite's WAL mode?", days_ago=3.1),
    Talk("Notes for the weekly report", days_ago=1.2),
    Talk("Why is the sky blue, for a five-year-old", days_ago=0.12),
    Talk(
        "Explain compound interest, with a little Python.",
        """\
**Compound interest** is interest on interest. Put 10,000 aside at 4% a year:

$$A = P\\,(1 + r)^n$$

| Years | Simple | Compound | Difference |
|:---|---:|---:|---:|
| 10 | 14,000 | 14,802 | 802 |
| 30 | 22,000 | 32,434 | 10,434 |

```python
def balance(principal: float, rate: float, years: int) -> float:
    return principal * (1 + rate) ** years
```

Time matters: **ten years more** are worth about half the money again.
""",
        "Savings are what people know. The formula, two rows to compare, one function.",
    ),
)


def people(site: Site) -> dict[str, Site]:
    """Make PEOPLE; gives the same site as its administrators see it."""
    for username in PEOPLE:
        role = "admin" if username in ADMINISTRATORS else "member"
        site.ask("POST", "/api/admin/users", {"username": username, "role": role, "password": PASSWORD})
    return {username: _signed_in(site, username) for username in ADMINISTRATORS}


def converse(site: Site, talks: tuple[Talk, ...]) -> str:
    """Have these conversations, the last of them last; gives the address of that one."""
    had = {_have(site, talk): utc_now() - timedelta(days=talk.days_ago) for talk in talks}
    with _database(site).begin() as connection:
        for conversation, moment in had.items():
            connection.execute(update(Conversation).where(Conversation.id == conversation).values(updated_at=moment))
    return f"/c/{list(had)[-1]}"


def remember(site: Site) -> None:
    """Write some weeks of use by all of PEOPLE into the ledger, priced as the calls would have been."""
    names = {row["username"]: row["id"] for row in site.rows("SELECT id, username FROM users")}
    [key] = site.rows("SELECT id, provider_id FROM api_keys LIMIT 1")
    chance = random.Random(20_26)
    with _database(site).begin() as connection:
        paid = {"key_id": key["id"], "provider_id": key["provider_id"]}
        entries = [
            _entry(connection, chance, moment) | paid | {"user_id": names[username]}
            for username, busy in PEOPLE.items()
            for moment in _moments(chance, busy)
        ]
        connection.execute(insert(TokenUsage), entries)
        connection.execute(insert(Attempt), [_attempt(entry) for entry in entries])
        for entry in entries:
            ledger.count(connection, entry)


def limit(site: Site) -> None:
    """Give each person some tokens a day, and all of them some money a month."""
    site.ask("POST", "/api/admin/budgets", {"scope": "site", "period": "month", "unit": "CNY", "limit": 60_000_000})
    each = {"scope": "member", "scope_id": DEFAULT_GROUP_ID, "period": "day", "limit": 120_000}
    site.ask("POST", "/api/admin/budgets", each)


def _have(site: Site, talk: Talk) -> str:
    spent = Billed(prompt=1_824, cached=1_536, completion=412, reasoning=96 if talk.thinking else 0)
    site.provider.script(Answer(text=talk.answer, thinking=talk.thinking, usage=spent))
    [(_, start), *_] = site.server.chat(talk.question)
    conversation: str = start["conversation_id"]
    return conversation


def _database(site: Site) -> Engine:
    return create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)


def _signed_in(site: Site, username: str) -> Site:
    stranger = replace(site, server=replace(site.server, headers={}))
    reply = stranger.server.post("/api/login", {"username": username, "password": PASSWORD})
    cookie = reply.headers["Set-Cookie"].split(";")[0]
    headers = {"Cookie": cookie, "X-CSRF-Token": reply.json()["csrf_token"]}
    return replace(site, server=replace(site.server, headers=headers))


def _moments(chance: random.Random, busy: int) -> Iterator[datetime]:
    """Working hours mostly, fewer on weekends, more of late."""
    now = utc_now()
    for day in range(DAYS):
        date = now - timedelta(days=day)
        weekend = date.astimezone().weekday() >= 5
        answers = int(busy * chance.uniform(0.4, 1.3) * (0.25 if weekend else 1) * (1 - day / DAYS / 2))
        for _ in range(answers):
            moment = date.replace(hour=1, minute=0) + timedelta(minutes=chance.triangular(0, 780, 300))
            if moment < now - timedelta(minutes=5):
                yield moment


def _attempt(entry: dict[str, object]) -> dict[str, object]:
    """What an entry settled."""
    attempt = ledger.attempt_of(TokenUsage(**entry))
    return {name: value for name, value in ledger.row_of(attempt).items() if value is not None}


def _entry(connection: Connection, chance: random.Random, moment: datetime) -> dict[str, object]:
    prompt, completion = int(chance.lognormvariate(7.6, 0.7)), int(chance.lognormvariate(6.3, 0.6))
    thinks = chance.random() < 0.3
    usage = Usage(prompt, int(prompt * chance.choice([0, 0.5, 0.8])), completion, completion // 3 if thinks else 0)
    model = chance.choice(MODELS)
    priced = tariff_service.price(model, "CNY", moment, connection)
    if priced is None:  # dearer models have had a price for a shorter time
        model = MODELS[0]
        priced = tariff_service.price(model, "CNY", moment, connection)
    return {
        "id": f"{int(moment.timestamp() * 1_000_000):026x}",  # in the order of time, as ids are
        "attempt_id": new_id(),
        "kind": "usage",
        "channel": "chat",
        "token_id": None,
        "model": model,
        "source": "reported",
        "outcome": "stopped" if chance.random() < 0.04 else "complete",
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_micros": priced.cost(usage) if priced else None,
        "cache_saved_micros": priced.cache_saved(usage) if priced else 0,
        "peak_extra_micros": priced.peak_extra(usage) if priced else 0,
        "currency": "CNY" if priced else None,
        "peak": priced.peak if priced else None,
        "tariff_id": priced.tariff_id if priced else None,
        "first_token_ms": int(chance.uniform(250, 900)),
        "duration_ms": completion * 22 + 600,
        "quarter": quarter_of(moment),
        "group_id": DEFAULT_GROUP_ID,
        "day": local_day(moment, SITE_ZONE),
        "created_at": moment,
    }
