"""Requests of a page, and its time, that go on when the test lets them."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, Route


def let_no_time_pass(page: Page) -> None:
    """Until its clock is resumed: what waits for a while waits on, however slow the machine is."""
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=10))


class Held:
    """Those that fit `pattern`, in the order in which they were made, from now until they are let go."""

    def __init__(self, page: Page, pattern: str | re.Pattern[str]) -> None:
        self.page, self.pattern = page, pattern
        self.routes: list[Route] = []
        page.route(pattern, self._hold)

    def _hold(self, route: Route) -> None:
        self.routes.append(route)

    def let_go(self) -> None:
        """These and all that follow."""
        for route in self.routes:
            route.continue_()
        self.page.unroute(self.pattern, self._hold)

    def wait(self, count: int = 1) -> Route:
        """Gives the last of so many, once they are there."""
        for _ in range(1500):
            if len(self.routes) >= count:
                return self.routes[count - 1]
            self.page.wait_for_timeout(20)
        raise AssertionError("nothing was asked")
