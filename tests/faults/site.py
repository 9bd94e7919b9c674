"""The site that faults happen to: nginx, two instances, MariaDB and Redis behind proxies, two scripted providers.

Each instance has a line to the database of its own.
"""

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from tests.faults import harm, provider
from tests.faults.call import Call
from tests.faults.exchange import Exchange
from tests.faults.instance import Instance
from tests.faults.lines import Lines
from tests.faults.nginx import Nginx
from tests.faults.words import Wish
from tests.support.brokers import wait_until
from tests.support.disks import Disk
from tests.support.mariadb import MariaDB
from tests.support.proxies import Proxy
from tests.support.redis_server import RedisServer
from tests.support.scripted_upstream import Received, ScriptedUpstream
from tests.support.served import Visitor

CALM, ROUGH = "calm-1", "rough-1"  # what is asked by everybody, and what the provider's faults happen to
PEOPLE = 4  # who keep asking
FRUGAL = PEOPLE + 1  # asks where a fault does, no more often than people may where nobody has set anything
CREDIT = 10**14  # micro-units in the balance of each: more than anybody uses
DAILY = 10**12  # tokens that each may use a day: more, too
ZONE = ZoneInfo("Asia/Shanghai")
ACCOUNT = "mingchat"


@dataclass
class Site:
    """`people` are signed in, the administrator first; `exchanges` is all that was ever asked, `calls` by programs."""

    folder: Path
    database: MariaDB
    database_line: Lines
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
    calls: list[Call] = field(default_factory=list)
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

    def cut_off(self, number: int) -> None:
        """One instance alone loses its line to the database, until that is mended: for longer than a lease."""
        self.database_line[number].refuse()
        self.instances[number].isolated()

    def befell(self, worker: str | None, began: float, ended: float) -> harm.Kinds:
        """What was done to the worker that made an answer, between these moments in monotonic seconds."""
        return harm.befell((each for instance in self.instances for each in instance.harms), worker, began, ended)

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

    def requests(self, asked: Exchange | Call) -> list[Received]:
        """What the provider was asked for it."""
        upstream = self.rough if asked.wish.fault else self.calm
        found = [(provider.wish_of(request), request) for request in list(upstream.journal)[-500:]]
        return [request for wish, request in found if wish and wish.tag == asked.wish.tag]

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
