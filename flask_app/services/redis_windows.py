"""Moving windows that all processes share over Redis."""

import threading
import time

import structlog
from redis.exceptions import RedisError

from flask_app.redis_client import PREFIX, client, retry_after
from flask_app.services.signing import sign

CALL_SECONDS = 0.25  # to connect, and to reply: a request waits for both
_MICROS = 1_000_000

# A window is a list of the moments that were counted, by Redis's own clock, never more than the rate allows: the first
# says when the next may be. Moments of the future come from a clock that was set back and are dropped.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local amount, length = tonumber(ARGV[1]), tonumber(ARGV[2])
if tonumber(redis.call('LINDEX', KEYS[1], -1) or 0) > now then redis.call('DEL', KEYS[1]) end
local first = redis.call('LINDEX', KEYS[1], -amount)
if first and first + length > now then return first + length - now end
if ARGV[3] == '1' then
  redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
  redis.call('LTRIM', KEYS[1], -amount, -1)
  redis.call('PEXPIRE', KEYS[1], math.ceil(length / 1000))
end
return 0
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

    def ask(self, kind: str, name: str, amount: int, seconds: int, *, count: bool) -> int:
        """Seconds until one more would be counted; at 0 it is, if `count`. 0 too while Redis does not answer."""
        if not self._may_ask():
            return 0
        key = f"{PREFIX}window:{kind}:{sign('window', name).hex()[:32]}"
        try:
            micros = self._script([key], [amount, seconds * _MICROS, int(count)])
        except (RedisError, OSError) as error:
            self._failed(error)
            return 0
        self._answered()
        return -(-int(micros) // _MICROS)

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
