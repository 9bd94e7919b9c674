"""What nginx adds to the first event, how often a message asks the database before it, and what slow clients take from
the others: ``python -m bench.front``.

The shipped configuration before two instances, MariaDB and Redis. Beside the person who is measured sit a thousand
clients that send a letter a second: a third of them in a request's head, a third in a short body, and a third in one of
a megabyte, which begins with more than nginx keeps in memory. Status 1 where a promise is broken.
"""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

import pymysql  # type: ignore[import-untyped]

from tests.stack import site
from tests.stack.site import Stack
from tests.support.mariadb import MariaDB
from tests.support.scripted_upstream import Answer, Stall
from tests.support.served import Visitor

SLOW_CLIENTS, REQUESTS, ANSWERS, ROUNDS, MESSAGES = 1000, 300, 40, 3, 11
PATIENCE = 60  # seconds, until all of the slow ones have begun
MOST_LATER, MOST_RATIO = 50, 2.0  # milliseconds; 99th percentile to the usual one
_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
_POST = b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
_BEGINNINGS = (_HEAD, _POST + b"4000\r\n\r\n", _POST + b"1000000\r\n\r\n" + b"x" * 20_000)


def main() -> None:
    """Print the figures; status 1 where one that is promised is too large."""
    with tempfile.TemporaryDirectory() as folder, site.running(Path(folder)) as stack:
        often = {"requests": {"amount": None, "seconds": 60}}
        assert stack.admin.ask("PUT", "/api/admin/rates/site", often).status == 200
        later = _first_event_later(stack)
        trips = _round_trips(stack)
        usual, beside = _percentiles(stack)
    print(
        f"first event through nginx: {later:+.1f} ms to the instance's own (median of {ANSWERS}); at most {MOST_LATER}"
    )
    print(f"round trips to the database before a message's first word: {trips} (the least of {MESSAGES})")
    print(f"99th percentile of a page: {usual:.1f} ms, beside {SLOW_CLIENTS} slow clients {beside:.1f} ms: ", end="")
    print(f"ratio {beside / usual:.2f}; at most {MOST_RATIO}")
    if later > MOST_LATER or beside / usual > MOST_RATIO:
        raise SystemExit(1)


def _first_event_later(stack: Stack) -> float:
    """Milliseconds."""
    stack.upstream.script(*[Answer(text="one two three")] * (2 * ANSWERS))
    direct = stack.instances[0].server
    pairs = [(_first_event(stack.admin), _first_event(direct)) for _ in range(ANSWERS)]
    return median(through - straight for through, straight in pairs)


def _first_event(visitor: Visitor) -> float:
    began = time.perf_counter()
    events = iter(visitor.chat("hello"))
    next(events)
    first = time.perf_counter() - began
    assert [name for name, _ in events][-1] == "done"
    return first * 1000


def _round_trips(stack: Stack) -> int:
    """Statements, COMMITs and looks whether a connection still lives; of the message that had the least, for others ask
    the database meanwhile.
    """
    counts = [_asked(stack.database) for _ in range(MESSAGES)]
    of_counting = min(after - before for before, after in pairwise(counts))
    return min(_asked_before_the_first_word(stack) for _ in range(MESSAGES)) - of_counting


def _asked_before_the_first_word(stack: Stack) -> int:
    stack.upstream.script(Stall("first word", seconds=30))
    before, run_id = _asked(stack.database), ""
    for name, told in stack.admin.chat("hello"):
        run_id = told.get("run_id", run_id)
        if name == "token":
            break
    asked = _asked(stack.database) - before
    assert stack.admin.post(f"/api/runs/{run_id}/stop", {}).status == 202
    return asked


def _asked(database: MariaDB) -> int:
    with pymysql.connect(host="127.0.0.1", port=database.port, user="root") as line:
        cursor = line.cursor()
        cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_admin_commands')")  # pings too
        return sum(int(count) for _, count in cursor.fetchall())


def _percentiles(stack: Stack) -> tuple[float, float]:
    """Milliseconds: as usual, and beside the slow clients; the rounds take turns."""
    usual: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        usual += _pages(stack)
        with _slow_clients(stack):
            beside += _pages(stack)
    return _p99(usual), _p99(beside)


def _pages(stack: Stack) -> list[float]:
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        assert stack.admin.get("/api/conversations").status == 200
        times.append((time.perf_counter() - began) * 1000)
    return times


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100, method="inclusive")[-1]


@contextmanager
def _slow_clients(stack: Stack) -> Iterator[None]:
    """Each has begun a request and sends one more letter of it every second; who is cut off comes again."""
    begun, over = threading.Event(), threading.Event()
    with ExitStack() as closed:
        talking = threading.Thread(target=_talk, args=(stack, begun, over))
        talking.start()
        closed.callback(talking.join)
        closed.callback(over.set)
        if not begun.wait(PATIENCE):
            raise SystemExit(f"{SLOW_CLIENTS} slow clients could not begin within {PATIENCE} s.")
        yield


def _talk(stack: Stack, begun: threading.Event, over: threading.Event) -> None:
    lines = [_begun(stack, number) for number in range(SLOW_CLIENTS)]
    begun.set()
    while not over.wait(1):
        for number, line in enumerate(lines):
            try:
                line.sendall(b"x")
            except OSError:
                line.close()
                lines[number] = _begun(stack, number)
    for line in lines:
        line.close()


def _begun(stack: Stack, number: int) -> socket.socket:
    """A line whose request has begun."""
    line = socket.create_connection(("127.0.0.1", stack.front.tls_port))
    spoken = stack.front.trusting.wrap_socket(line, server_hostname="localhost")
    spoken.sendall(_BEGINNINGS[number % len(_BEGINNINGS)])
    return spoken


if __name__ == "__main__":
    main()
