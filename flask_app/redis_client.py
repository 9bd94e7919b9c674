"""Connections to the Redis that processes share (REDIS_URL). Nothing is kept there alone: the database decides."""

import random

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from flask_app.errors import ConfigError

PREFIX = "mingchat:"
SLOWEST_RETRY_SECONDS = 2.0


def client(url: str, *, seconds: float) -> Redis:
    """A client whose calls have `seconds` to connect and as long again for a reply, and are never repeated by it.

    A call that does not finish, for whatever reason, closes its connection: redis-py does so on any exception. With
    protocol 2 it also looks, before a connection is used again, whether an unread reply waits in it.
    Raises ConfigError.
    """
    try:
        return Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:  # the URL is not shown: it may hold a password
        raise ConfigError("REDIS_URL cannot be read: it is written like redis://:password@host:6379/0") from error


def retry_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: longer each time, and not the same for every process."""
    longest: float = min(0.1 * 2**failures, SLOWEST_RETRY_SECONDS)
    return longest * random.uniform(0.5, 1)  # noqa: S311 - no secret
