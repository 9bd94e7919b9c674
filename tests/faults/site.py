"""The site that faults happen to: nginx, two instances, MariaDB and Redis behind proxies, two scripted providers."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from flask_app.database import connect, disconnect
from tests.faults import nginx, provider
from tests.faults.exchange import Exchange
from tests.faults.instance import Instance
from tests.faults.nginx import Nginx
from tests.faults.provider import FIRST_KEY, OTHER_KEYS, Obliging
from tests.faults.words import Wish
from tests.support import disks, mariadb, proxies, redis_server, storage
from tests.support.brokers import wait_until
from tests.support.disks import Disk
from tests.support.mariadb import MariaDB
from tests.support.proxies import Proxy
from tests.support.redis_server import RedisServer
from tests.support.scripted_upstream import Received, ScriptedUpstream
from tests.support.served import PASSWORD, Visitor

CALM, ROUGH = "calm-1", "rough-1"  # what is asked by everybody, and what the provider's faults happen to
PEOPLE = 4
CREDIT = 10**14  # micro-units in the balance of each: more than anybody uses
DAILY = 10**12  # tokens that each may use a day: more, too
PRICED_FROM = "2026-01-01T00:00:00Z"  # also for a clock that is set back
ZONE = ZoneInfo("Asia/Shanghai")
DISK = "1g"  # of the database, where one can be mounted
ACCOUNT = "mingchat"
SETTINGS = {
    "SITE_TIMEZONE": ZONE.key,
    "SECRET_KEY": "the key that only these two instances know",
    "ENCRYPTION_KEY": "another key that only these instances know",
    "ALLOW_INSECURE_UPSTREAMS": "1",
    "TRUSTED_PROXIES": "1",
    "CHAT_RATE_LIMIT": "100000 per minute",
    "MAX_RUNS_PER_USER": "300",
    "UPSTREAM_CONNECT_SECONDS": "1",
    "UPSTREAM_FIRST_TOKEN_SECONDS": "3",
    "UPSTREAM_IDLE_SECONDS": "3",
    "UPSTREAM_TOTAL_SECONDS": "15",
}


@dataclass
class Site:
    """`people` are signed in, the administrator first; `exchanges` is all that was ever asked."""

    folder: Path
    database: MariaDB
    database_line: Proxy
    redis: RedisServer
    redis_line: Proxy
    calm: ScriptedUpstream
    rough: ScriptedUpstream
    rough_line: Proxy
    instances: list[Instance]
    nginx: Nginx
    engine: Engine
    database_disk: Disk | None
    people: list[Visitor] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    faults: frozenset[str] = frozenset()
    happened: list[str] = field(default_factory=list)  # every fault so far
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def admin(self) -> Visitor:
        return self.people[0]

    @property
    def addresses(self) -> list[str]:
        """Of each instance, past nginx."""
        return [instance.base_url for instance in self.instances]

    def ask(
        self,
        user: int = 1,
        *,
        words: int = 30,
        rate: int = 60,
        fault: str = "",
        padding: int = 0,
        via: Sequence[str] = (),
        **options: Any,
    ) -> Exchange:
        """Begin an exchange; one with a `fault` asks the provider that has them. `options` are those of `Exchange`."""
        return self.begin(user, Wish(f"u{user}q{next(self.numbers)}", words, rate, fault, padding), via=via, **options)

    def begin(self, user: int, wish: Wish, *, via: Sequence[str] = (), **options: Any) -> Exchange:
        model = ROUGH if wish.fault else CALM
        via = via or [self.nginx.base_url]
        exchange = Exchange(self.people[user], user, wish, model=model, via=via, **options)
        with self._lock:
            exchange.faults |= self.faults
            self.exchanges.append(exchange)
        exchange.begin()
        return exchange

    @contextmanager
    def during(self, fault: str) -> Iterator[None]:
        """What is being asked meanwhile is asked under this fault."""
        with self._lock:
            self.faults = frozenset({fault})
            self.happened.append(fault)
            for exchange in self.exchanges[-500:]:
                if not exchange.is_over:
                    exchange.faults.add(fault)
        try:
            yield
        finally:
            self.faults = frozenset()

    def execute(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def rows(self, query: str, **values: Any) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(text(query), values).all()

    def end_benches(self) -> None:
        """As if the keys had rested."""
        self.execute(
            "UPDATE api_keys SET benched_until = NULL, benched_since = NULL, bench_code = NULL, probe_until = NULL,"
            " strikes = 0, last_error_at = NULL"
        )

    def requests(self, exchange: Exchange) -> list[Received]:
        """What the provider was asked for the exchange."""
        upstream = self.rough if exchange.wish.fault else self.calm
        found = [(provider.wish_of(request), request) for request in list(upstream.journal)[-500:]]
        return [request for wish, request in found if wish and wish.tag == exchange.wish.tag]

    def mend(self) -> None:
        """Everything runs again, and nothing stands in the way."""
        for line in (self.database_line, self.redis_line, self.rough_line):
            line.mend()
        self.redis.resume()
        self.redis.start_again()
        self.database.resume()
        self.database.start_again()
        for instance in self.instances:
            instance.start_again()
            Visitor(instance.base_url).get("/healthz")  # answered once there is a worker again
        self.end_benches()

    def wait_until_whole(self) -> None:
        """Until both instances have everything they need."""
        for address in self.addresses:
            visitor = Visitor(address)
            wait_until(lambda visitor=visitor: _is_whole(visitor), 30)  # type: ignore[misc]


def _is_whole(visitor: Visitor) -> bool:
    reply = visitor.get("/readyz")
    return reply.status == 200 and reply.json()["status"] == "ok"


@contextmanager
def running(folder: Path) -> Iterator[Site]:
    """The whole site, while the block runs."""
    with ExitStack() as stack:
        place = stack.enter_context(mariadb.short_folder())
        disk = stack.enter_context(disks.mounted(Path(place), DISK)) if disks.CAN_MOUNT else None
        database = stack.enter_context(mariadb.running(folder=place))
        stack.enter_context(database.supervised())
        storage.migrate(database.url)
        connect(database.url)  # for what `flask usage verify` does
        stack.callback(disconnect)
        engine = create_engine(database.url, pool_pre_ping=True)
        stack.callback(engine.dispose)
        redis = stack.enter_context(redis_server.server())
        calm, rough = (stack.enter_context(ScriptedUpstream()) for _ in range(2))
        ports = (database.port, redis.port, rough.port)
        lines = [stack.enter_context(proxies.before(port)) for port in ports]
        settings = SETTINGS | {
            "DATABASE_URL": _account(engine, database, lines[0]),
            "REDIS_URL": f"redis://127.0.0.1:{lines[1].port}/0",
        }
        instances = []
        for name, workers in (("first", "1"), ("second", "2")):
            instance = Instance(folder / name, settings | {"WEB_CONCURRENCY": workers})
            stack.callback(instance.stop)
            instances.append(instance)
        for instance in instances:
            instance.wait_until_ready()
        front = stack.enter_context(nginx.before(folder, *(instance.port for instance in instances)))
        site = Site(folder, database, lines[0], redis, lines[1], calm, rough, lines[2], instances, front, engine, disk)
        _furnish(site)
        yield site


def _account(engine: Engine, database: MariaDB, line: Proxy) -> str:
    """The application's own account: a read-only server holds nobody else to it. Gives its URL, by the proxy."""
    with engine.begin() as connection:
        connection.execute(text(f"CREATE USER {ACCOUNT}@'%' IDENTIFIED BY '{ACCOUNT}'"))
        connection.execute(text(f"GRANT ALL ON {mariadb.DATABASE}.* TO {ACCOUNT}@'%'"))
    url = make_url(database.url).set(port=line.port, username=ACCOUNT, password=ACCOUNT)
    return url.render_as_string(hide_password=False)


def _furnish(site: Site) -> None:
    """An administrator, people, and two providers, the second with four keys."""
    first = site.instances[0].server
    first.set_up()
    site.people = [Visitor(site.nginx.base_url, first.headers)]
    often = {"requests": {"amount": None, "seconds": 60}}  # four people read as many as hundreds do
    assert site.admin.ask("PUT", "/api/admin/rates/site", often).status == 200
    for upstream, name in ((site.calm, CALM), (site.rough, ROUGH)):
        upstream.models, upstream.default = [name], Obliging()
    _add_key(site, "calm", site.calm.port, FIRST_KEY)
    _add_key(site, "rough", site.rough_line.port, FIRST_KEY)
    for number, secret in enumerate(OTHER_KEYS, start=1):  # more than may be tried
        key = _add_key(site, f"rough, {number}", site.rough_line.port, secret)
        assert site.admin.ask("PATCH", f"/api/admin/keys/{key}", {"priority": number}).status == 200
    for number in range(1, PEOPLE + 1):
        account = {"username": f"person{number}", "password": PASSWORD}
        assert site.admin.post("/api/admin/users", account).status == 201
        person = Visitor(site.nginx.base_url)
        person.sign_in(person.post("/api/login", account))
        site.people.append(person)
    ids = site.rows("SELECT id, username FROM users ORDER BY username = 'founder' DESC, username")
    site.ids = [row.id for row in ids]
    _bring_money(site)
    site.wait_until_whole()


def _bring_money(site: Site) -> None:
    """Both models have a price, and everybody pays from a balance, within a limit for the day."""
    for model in (CALM, ROUGH):
        prices = {"input_hit": "0.3", "input_miss": "1.7", "output": "4.1"}
        tariff = {"model": model, "currency": "CNY", "prices": prices, "starts_at": PRICED_FROM}
        assert site.admin.post("/api/admin/tariffs", tariff).status == 201
    for person in site.ids[1:]:
        own = {"scope": "user", "scope_id": person}
        balance = {"unit": "CNY", "period": "prepaid", "limit": CREDIT, "reason": "paid before the faults"}
        for budget in (balance, {"period": "day", "limit": DAILY}):
            assert site.admin.post("/api/admin/budgets", own | budget).status == 201


def _add_key(site: Site, label: str, port: int, secret: str) -> str:
    provider = {"base_url": f"http://127.0.0.1:{port}", "provider_name": label.split(",", maxsplit=1)[0]}
    body = {"label": label, "secret": secret} | provider
    reply = site.admin.post("/api/admin/keys", body)
    assert reply.status == 201, reply.data
    key_id: str = reply.json()["id"]
    return key_id
