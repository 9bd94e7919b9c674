"""A site that searches the web, and conversations whose questions were looked up there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, delete, insert, select
from sqlalchemy.pool import NullPool

from flask_app.models import ApiKey, Setting
from tests.e2e.site import Site

NAME = "web_search"
LONG_TITLE = "A title that is so long that it takes more than the two lines which there are on a card for it, " * 2
SOURCES: list[dict[str, Any]] = [
    {
        "number": 1,
        "title": "The weather in Hangzhou",
        "url": "https://weather.example.com/hangzhou",
        "site": "Weather",
        "published": "2026-11-30T08:00:00Z",
        "text": "Rain until noon.",
    },
    {
        "number": 2,
        "title": "杭州天气预报：周末有雨",
        "url": "https://tianqi.example.cn/hz?day=1&c=2",
        "site": "天气网",
        "published": "昨天",
        "text": "有雨",
    },
    {
        "number": 3,
        "title": LONG_TITLE,
        "url": "http://long.example.org/" + "path/" * 40,
        "site": "long.example.org",
        "published": "",
        "text": "",
    },
]
QUESTION = "What will the weather in Hangzhou be?"
ANSWER = (
    "It rains until noon [1]【2】, and then it clears up [1, 3]. Code has none: `a[1]`.\n\n"
    "| Day | Rain |\n|---|---|\n| Today [1] | yes |\n\n- See also [2][3], not [9].\n\n```python\na[1]\n```"
)
FOUND = {"status": "found", "query": QUESTION, "engine": "deepseek", "error_code": None, "sources": SOURCES}


@contextmanager
def searching(site: Site) -> Iterator[None]:
    """The web is searched meanwhile, by the provider that the site has a key of."""
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)
    with engine.begin() as connection:
        provider = connection.execute(select(ApiKey.provider_id).limit(1)).scalar_one()
        connection.execute(delete(Setting).where(Setting.name == NAME))
        connection.execute(insert(Setting), {"name": NAME, "value": provider})
    engine.dispose()
    yield
    switch_off(site)


def switch_off(site: Site) -> None:
    """Nobody searches any more."""
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(delete(Setting).where(Setting.name == NAME))
    engine.dispose()


def talk(site: Site, title: str, *, answer: str = ANSWER, **search: Any) -> str:
    """The address of a conversation whose question was looked up."""
    times = {"created_at": "2026-11-30T08:00:00Z", "updated_at": "2026-11-30T08:00:00Z"}
    said: list[dict[str, Any]] = [
        {"id": "1", "parent_id": None, "role": "user", "text": QUESTION, "search": FOUND | search},
        {"id": "2", "parent_id": "1", "role": "assistant", "text": answer, "model": "deepseek-flash"},
    ]
    messages = [each | {"created_at": times["created_at"]} for each in said]
    brought = {"id": f"looked up {title}", "title": title, "messages": messages} | times
    outcome = site.ask("POST", "/api/conversations/import", {"conversations": [brought], "folders": []})["outcomes"][0]
    return f"/c/{outcome['conversation_id']}"
