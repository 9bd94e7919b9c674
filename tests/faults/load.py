"""People and programs who keep asking while faults happen."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.faults.programs import Program
from tests.faults.site import PEOPLE, Site

PAUSE_SECONDS = 0.3


@contextmanager
def load(site: Site, seed: int) -> Iterator[None]:
    """While the block runs each person asks one thing after the other, and the programs of some.

    The last answers are waited for.
    """
    ended = threading.Event()
    programs = [Program.of(site, user) for user in (1, 2)]
    threads = [
        threading.Thread(target=_keep_asking, args=(site, user, Random(seed * 100 + user), ended), daemon=True)
        for user in range(1, PEOPLE + 1)
    ]
    threads += [
        threading.Thread(target=program.keep_asking, args=(Random(-seed * 100 - program.user), ended), daemon=True)
        for program in programs
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _keep_asking(site: Site, user: int, random: Random, ended: threading.Event) -> None:
    """Some leave in mid-answer and come back, on whichever instance nginx gives them."""
    while not ended.wait(random.uniform(0, PAUSE_SECONDS)):
        leaves = [random.randint(1, 12) for _ in range(random.choice([0, 0, 1, 3]))]
        site.ask(user, words=random.randint(1, 60), rate=random.randint(30, 120), leaves=leaves).wait()
