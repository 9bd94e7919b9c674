"""Calls to Redis under real gevent, many of them killed or timed out while they wait for their reply.

`python -m tests.support.killed_calls REDIS_PORT [--careless]` writes how many calls were cut and how many of the others
got a reply that was not theirs. A careless client keeps the connections of calls that did not finish, and does not
look whether a reply waits in them.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
from contextlib import suppress  # noqa: E402

import gevent  # noqa: E402
from gevent.server import StreamServer  # noqa: E402
from gevent.socket import create_connection  # noqa: E402
from redis import Connection, Redis  # noqa: E402
from redis.exceptions import RedisError  # noqa: E402

from flask_app.redis_client import client  # noqa: E402

ROUNDS, AT_ONCE = 60, 20


class Counts:
    def __init__(self) -> None:
        self.right = self.crossed = self.cut = 0


def main(redis_port: int, *, careless: bool) -> None:
    if careless:
        Connection.disconnect = lambda *_, **__: None  # type: ignore[method-assign]
        Connection.can_read = lambda *_, **__: False  # type: ignore[method-assign]
    proxy = StreamServer(("127.0.0.1", 0), lambda near, _: _relay_slowly(near, redis_port))
    proxy.start()
    redis, counts = client(f"redis://127.0.0.1:{proxy.server_port}/0", seconds=5), Counts()
    for round_number in range(ROUNDS):
        calls = [gevent.spawn(_call, redis, f"{round_number}-{number}", counts) for number in range(AT_ONCE)]
        for call in calls[::2]:
            gevent.sleep(random.random() * 0.001)
            call.kill(block=False)
        gevent.joinall(calls)
    sys.stdout.write(json.dumps(vars(counts)))


def _call(redis: Redis, tag: str, counts: Counts) -> None:
    finished = False
    try:
        with gevent.Timeout(random.choice((0.002, 5)), False):
            said = redis.echo(tag) if random.random() < 0.5 else _in_pipeline(redis, tag)
            finished = True
            if said == tag.encode():
                counts.right += 1
            else:
                counts.crossed += 1
    except RedisError:
        return
    finally:
        counts.cut += not finished


def _in_pipeline(redis: Redis, tag: str) -> object:
    pipeline = redis.pipeline(transaction=False)
    for _ in range(3):
        pipeline.echo(tag)
    replies = pipeline.execute()
    return replies[0] if len(set(replies)) == 1 else replies


def _relay_slowly(near: object, port: int) -> None:
    far = create_connection(("127.0.0.1", port))
    gevent.joinall([gevent.spawn(_copy, near, far), gevent.spawn(_copy, far, near)], count=1)
    far.close()


def _copy(source: object, target: object) -> None:
    with suppress(OSError):  # the other direction has ended
        while received := source.recv(65536):  # type: ignore[attr-defined]
            gevent.sleep(random.random() * 0.003)
            target.sendall(received)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(int(sys.argv[1]), careless="--careless" in sys.argv)
