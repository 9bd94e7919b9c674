"""What goes wrong with Redis."""

import time
from collections.abc import Callable
from random import Random

from tests.faults.fault import fault
from tests.faults.site import Site
from tests.faults.stopwatch import Stopwatch
from tests.support.brokers import wait_until
from tests.support.served import Visitor

ABSENT = "Redis absent at start"
LOST = "Redis hangs or dies in mid-stream, FLUSHALL"
WORDS, RATE = 90, 60
SILENCE_SECONDS = 1.0 + 1.0  # promised, and what a busy machine may take on top


def _meanwhile(site: Site, random: Random, happen: Callable[[], None]) -> None:
    """It happens in the middle of two answers: one stays with the worker that makes it, one is read elsewhere."""
    here, there = random.sample(range(1, 5), 2)
    watch = Stopwatch(site.instances[0].server.workers())
    near = site.ask(here, words=WORDS, rate=RATE, via=site.addresses[:1])
    far = site.ask(there, words=WORDS, rate=RATE, via=site.addresses, leaves=(WORDS // 3,))
    near.wait_for_text()
    happen()
    for answer in (near, far):
        assert answer.wait() == "complete", (answer.status, answer.codes)
    assert near.longest_silence - watch.waited < SILENCE_SECONDS, (near.longest_silence, watch.waited)


@fault(LOST)
def redis_hangs(site: Site, random: Random) -> None:
    _meanwhile(site, random, site.redis.halt)


@fault(LOST)
def redis_dies(site: Site, random: Random) -> None:
    _meanwhile(site, random, site.redis.kill)


@fault(LOST)
def redis_dies_and_comes_back(site: Site, random: Random) -> None:
    def happen() -> None:
        site.redis.kill()
        time.sleep(random.uniform(0, 0.5))
        site.redis.start()

    _meanwhile(site, random, happen)


@fault(LOST)
def redis_is_emptied(site: Site, random: Random) -> None:
    def happen() -> None:
        for _ in range(3):
            site.redis.empty()
            time.sleep(random.uniform(0, 0.2))

    _meanwhile(site, random, happen)


@fault(LOST)
def redis_line_breaks(site: Site, random: Random) -> None:
    _meanwhile(site, random, site.redis_line.refuse)


@fault(LOST)
def redis_line_hangs(site: Site, random: Random) -> None:
    _meanwhile(site, random, site.redis_line.hang)


@fault(ABSENT, weight=1)
def redis_absent_at_start(site: Site, random: Random) -> None:
    instance = random.choice(site.instances)
    instance.end()
    site.redis.kill()
    instance.start_again()
    visitor = Visitor(instance.base_url)
    assert visitor.get("/readyz").json()["checks"] == {"database": "ok", "redis": "away"}
    answer = site.ask(random.randint(1, 4), via=[instance.base_url])
    assert answer.wait() == "complete", (answer.status, answer.refusals)
    site.redis.start()
    wait_until(lambda: visitor.get("/readyz").json()["status"] == "ok")
