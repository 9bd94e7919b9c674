"""The real server: one that programs ask, and two instances that share a MariaDB and a Redis."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.support import mariadb, storage
from tests.support.brokers import wait_until
from tests.support.instances import CREDENTIALS, FINISH_SECONDS, Site, done
from tests.support.redis_server import RedisServer
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, Visitor, served, served_to_programs


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, upstream: ScriptedUpstream) -> Iterator[Served]:
    with served_to_programs(tmp_path_factory.mktemp("instance"), upstream) as running:
        yield running


@pytest.fixture(scope="session")
def shared_database() -> Iterator[str]:
    with mariadb.server() as url:
        storage.migrate(url)
        yield url


@pytest.fixture(scope="session")
def shared_seeds(shared_database: str) -> storage.Seeds:
    return storage.Seeds(shared_database)


@pytest.fixture
def site(shared_database: str, shared_seeds: storage.Seeds, redis: RedisServer, tmp_path: Path) -> Iterator[Site]:
    engine = create_engine(shared_database)

    def restore() -> None:
        with engine.begin() as connection:
            shared_seeds.restore_through(connection)
        engine.dispose()
        redis.start_again()

    with ExitStack() as stack:
        stack.callback(restore)  # last, and whatever failed: the next site is one that nobody has set up
        upstream = stack.enter_context(ScriptedUpstream())
        settings = {
            "DATABASE_URL": shared_database,
            "REDIS_URL": redis.url,
            "SECRET_KEY": "the key that only these two instances know",
            "ENCRYPTION_KEY": "another key that only these instances know",
            "DEEPSEEK_API_KEY": "test-key",
            "DEEPSEEK_BASE_URL": upstream.base_url,
            "ALLOW_INSECURE_UPSTREAMS": "1",
            "CHAT_RATE_LIMIT": "1000 per minute",
            "ANSWERS_MAY_FINISH_SECONDS": str(FINISH_SECONDS),
        }
        first = stack.enter_context(served(tmp_path / "first", **settings))
        second = stack.enter_context(served(tmp_path / "second", WEB_CONCURRENCY="2", **settings))
        first.set_up()
        second.headers = first.headers
        for instance in (first, second):
            wait_until(partial(_is_well, instance))
        yield Site(first, second, engine, upstream)


@pytest.fixture
def person(site: Site) -> Visitor:
    """A member of the default group, signed in on the second instance."""
    done(site, "POST", "/api/admin/users", CREDENTIALS | {"role": "member"})
    person = Visitor(site.second.base_url)
    person.sign_in(person.post("/api/login", CREDENTIALS))
    return person


def _is_well(instance: Served) -> bool:
    return bool(instance.get("/readyz").json()["status"] == "ok")
