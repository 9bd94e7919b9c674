"""Reads of tagged values under real gevent, thousands of them killed or timed out at any moment.

`python -m tests.support.killed_calls redis|mariadb URL [--careless]` writes what became of them as JSON. With
`--careless` a connection whose reader was killed is used again as it is.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from contextlib import suppress  # noqa: E402
from typing import Any  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

import gevent  # noqa: E402
from gevent.server import StreamServer  # noqa: E402
from gevent.socket import create_connection  # noqa: E402

from tests.support import killed_stores  # noqa: E402
from tests.support.killed_stores import Store  # noqa: E402

CUTS = {"redis": 2_000, "mariadb": 1_000}  # a new connection to MariaDB costs more
AT_ONCE = 30  # more than the database's pool has connections
LONGEST_SECONDS = 300


class Counts:
    """`recovered`: reads that were right at once after all the others; `in_use`, `open`: connections at the end."""

    def __init__(self) -> None:
        self.right = self.crossed = self.killed = self.timed_out = self.recovered = self.in_use = self.open = 0
        self.failed: dict[str, int] = {}

    @property
    def cut(self) -> int:
        return self.killed + self.timed_out


def main(kind: str, url: str, *, careless: bool) -> None:
    proxy = StreamServer(("127.0.0.1", 0), lambda near, _: _relay_slowly(near, urlsplit(url).port))
    proxy.start()
    store, counts = killed_stores.connect(kind, url, proxy.server_port, careless=careless), Counts()
    values = {f"tag{number}": f"{number}:" + "x" * random.randint(0, 5_000) for number in range(100)}
    store.keep(values)
    ends = time.monotonic() + LONGEST_SECONDS
    while counts.cut < CUTS[kind] and time.monotonic() < ends and not (careless and counts.crossed):
        reads = [gevent.spawn(_read, store, values, counts) for _ in range(AT_ONCE)]
        for read in reads[::2]:
            gevent.sleep(random.random() * 0.002)
            read.kill(block=False)
        gevent.joinall(reads)
    if not careless:
        counts.recovered = _recovered(store, values)
        counts.in_use = store.in_use()
        counts.open = _once_noticed(store.open)
    sys.stdout.write(json.dumps(vars(counts)))


def _read(store: Store, values: dict[str, str], counts: Counts) -> None:
    tags = random.sample(list(values), 3)
    try:
        with gevent.Timeout(random.choice((0.01, 0.1, 10, 10))):
            said = random.choice(store.reads)(tags)
    except gevent.GreenletExit:
        counts.killed += 1
    except gevent.Timeout:
        counts.timed_out += 1
    except Exception as error:  # noqa: BLE001 - told, and judged by the test
        counts.failed[repr(error)] = counts.failed.get(repr(error), 0) + 1
    else:
        whole = said == [values[tag] for tag in tags]
        counts.right += whole
        counts.crossed += not whole


def _recovered(store: Store, values: dict[str, str]) -> int:
    counts = Counts()
    for _ in range(10):
        gevent.joinall([gevent.spawn(_patient_read, store, values, counts) for _ in range(AT_ONCE)])
    return counts.right


def _patient_read(store: Store, values: dict[str, str], counts: Counts) -> None:
    tags = random.sample(list(values), 3)
    said = random.choice(store.reads)(tags)
    counts.right += said == [values[tag] for tag in tags]


def _once_noticed(count: Callable[[], int]) -> int:
    """What remains after the server has had the time to see which connections are closed."""
    ends = time.monotonic() + 30
    while (left := count()) and time.monotonic() < ends:
        gevent.sleep(0.05)
    return left


def _relay_slowly(near: Any, port: int | None) -> None:
    far = create_connection(("127.0.0.1", port))
    gevent.joinall([gevent.spawn(_copy, near, far), gevent.spawn(_copy, far, near)], count=1)
    far.close()


def _copy(source: Any, target: Any) -> None:
    with suppress(OSError):  # the other direction has ended
        while received := source.recv(random.choice((1000, 65536))):
            gevent.sleep(random.random() * 0.001)
            target.sendall(received)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], careless="--careless" in sys.argv)
