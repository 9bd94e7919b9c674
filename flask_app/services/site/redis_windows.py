"""Moving windows that all processes share over Redis."""

import threading
import time

import structlog
from redis.exceptions import RedisError

from flask_app.domain.seen import NOTHING_SEEN, Seen
from flask_app.redis_client import PREFIX, client, retry_after
from flask_app.services.secrets.signing import sign

CALL_SECONDS = 0.25  # to connect, and to reply: a request waits for both
_MICROS = 1_000_000

# A window is a list of the moments that were counted, by Redis's own clock, never more than the rate allows: the first
# says when the next may be, the last when none is left. Moments that have passed out of it are dropped, and so are
# those of the future, which come from a clock that was set back.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local amount, length = tonumber(ARGV[1]), tonumber(ARGV[2])
if tonumber(redis.call('LINDEX', KEYS[1], -1) or 0) > now then redis.call('DEL', KEYS[1]) end
while tonumber(redis.call('LINDEX', KEYS[1], 0) or now) + length <= now do redis.call('LPOP', KEYS[1]) end
local first, wait = redis.call('LINDEX', KEYS[1], -amount), 0
if first then wait = first + length - now end
if wait == 0 and ARGV[3] == '1' then
  redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
  redis.call('LTRIM', KEYS[1], -amount, -1)
  redis.call('PEXPIRE', KEYS[1], math.ceil(length / 1000))
end
local last = tonumber(redis.call('LINDEX', KEYS[1], -1) or now - length)
return {wait, redis.call('LLEN', KEYS[1]), last + length - now}
"""

log = structlog.get_logger()


class RedisWindows:
    """Asks in the request itself. After a failure nobody asks for a while, then one request tries for all."""

    def __init__(self, url: str) -> None:
        redis = client(url, seconds=CALL_SECONDS)
        self._script = redis.register_script(_SCRIPT)
        self._guard = threading.Lock()
        self._failures = 0
        self._quiet_until = 0.0

    def ask(self, kind: str, name: str, amount: int, seconds: int, *, count: bool) -> Seen:
        """The window; one more is counted where there is room, if `count`. An empty one while Redis does not answer."""
        if not self._may_ask():
            return NOTHING_SEEN
        key = f"{PREFIX}window:{kind}:{sign('window', name).hex()[:32]}"
        try:
            wait, used, empties = self._script([key], [amount, seconds * _MICROS, int(count)])
        except (RedisError, OSError) as error:
            self._failed(error)
            return NOTHING_SEEN
        self._answered()
        return Seen(-(-int(wait) // _MICROS), min(int(used), amount), -(-int(empties) // _MICROS))

    def _may_ask(self) -> bool:
        with self._guard:
            now = time.monotonic()
            if now < self._quiet_until:
                return False
            if self._failures:
                self._quiet_until = now + retry_after(self._failures)
            return True

    def _failed(self, error: Exception) -> None:
        with self._guard:
            self._failures += 1
            self._quiet_until = time.monotonic() + retry_after(self._failures)
            first = self._failures == 1
        if first:
            log.warning("limits_not_shared", reason=str(error))

    def _answered(self) -> None:
        if self._failures:
            with self._guard:
                self._failures, self._quiet_until = 0, 0.0
            log.info("limits_shared_again")
