"""Looks at the answers that a worker makes, as it takes them every few seconds, if more often."""

import time
from collections.abc import Callable

from flask_app.services.runs import stop_service
from tests.support.brokers import wait_until


def look_for(seconds: float, each: Callable[[], object] = lambda: None) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        each()
        stop_service.look()
        time.sleep(0.02)


def look_until(reached: Callable[[], object]) -> None:
    def looked() -> object:
        stop_service.look()
        return reached()

    wait_until(looked)
