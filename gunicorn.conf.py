"""How gunicorn serves MingChat. The only file that knows about gevent."""

import ctypes
import gc
import logging
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import gunicorn.http.parser
import gunicorn.http.wsgi
from gunicorn.arbiter import Arbiter

from scripts import instance_lock, metrics_files, schema, settings, settings_file
from scripts.memory import Memory

settings_file.load()

host = os.environ.get("HOST") or "127.0.0.1"
port = settings.port()

wsgi_app = "wsgi:app"
bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

# One worker holds thousands of open streams. More of them share answers over Redis: the settings check that they can.
workers = settings.workers()
worker_class = "gevent"
worker_connections = 2000
preload_app = False  # gevent patches in the worker: nothing of the application may load before

# A gevent worker beats every second whatever its requests do: this ends a frozen loop, not a stream.
timeout = 60
keepalive = 5
limit_request_line = 8190  # as nginx lets through: two hundred ids of conversations

# After SIGTERM answers have this long to finish; the rest of gunicorn's patience is for settling them. After that it
# kills: by then nothing may be under way, and services/runs/closing.py sees to it.
answers_may_finish = settings.answers_may_finish()
graceful_timeout = answers_may_finish + 15

control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - beats in memory
forwarder_headers = ""  # PATH_INFO and SCRIPT_NAME are never taken from a request's headers
secure_scheme_headers: dict[str, str] = {}  # nor the scheme: the application reads it, behind TRUSTED_PROXIES
loglevel = settings.log_level()

gunicorn.http.wsgi.SERVER = "MingChat"  # the Server header; gunicorn has no setting for it

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # in malloc.h
OTHER_FILES = 512  # the database's, Redis's, the log's, and those that are written
LEFT_BYTES = 1 << 18  # of a body that nobody wants, at a time
TIDY_SECONDS = 10
FAREWELL_SECONDS = 5  # a database that is silent keeps no process that is done
# The first is large: what a request leaves is collected at its end (flask_app/web/garbage.py), not in the middle of it.
COLLECTIONS = (50_000, 10, 10)

# As gunicorn logs them; the last two are errors where a worker could not begin, and only there.
_WORKER_ENDED, _SHUTTING_DOWN, _REASON = "Worker (pid:%s) exited with code %s.", "Shutting down: %s", "Reason: %s"

_C = ctypes.CDLL(None)


def on_starting(server: Any) -> None:
    server.log.error_log.addFilter(_say_once)
    schema.check()
    _open_enough()
    instance_lock.serve()
    # Where the workers keep their counts, if anybody may ask and there are several.
    is_shared = workers > 1 and settings.has_metrics()
    server.counts = metrics_files.make(Path(worker_tmp_dir or tempfile.gettempdir())) if is_shared else None


def _open_enough() -> None:
    """A connection and its provider's are a file each, and many systems let a process open 1,024 unless it asks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * worker_connections + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _say_once(record: logging.LogRecord) -> bool:
    """A worker that cannot begin has said why: one sentence instead of what gunicorn says of its end and of its own."""
    if record.msg == _REASON:
        print(settings.NOT_STARTED, file=sys.stderr, flush=True)
    is_of_worker = record.msg == _WORKER_ENDED and record.args[1] == Arbiter.WORKER_BOOT_ERROR  # type: ignore[index]
    return not is_of_worker and (record.msg not in {_SHUTTING_DOWN, _REASON} or record.levelno < logging.ERROR)


def on_exit(server: Any) -> None:
    if server.counts:
        shutil.rmtree(server.counts, ignore_errors=True)


def pre_fork(server: Any, worker: Any) -> None:
    gc.freeze()  # no collection of the worker's writes to what this process holds, so that the two share that memory
    worker.is_alone = instance_lock.is_alone() and not server.WORKERS
    worker.slot = metrics_files.free_slot(other.slot for other in server.WORKERS.values())


def child_exit(server: Any, worker: Any) -> None:
    if server.counts:
        metrics_files.end(server.counts, worker.slot)


def post_fork(server: Any, worker: Any) -> None:
    """Have large pieces of memory given back: glibc would keep the 19 MB that a password's hash takes, for ever.

    Threads share one heap: of their own ones what lies free is lost to the others, and they never allocate at once.
    """
    if server.counts:
        metrics_files.use(server.counts, worker.slot)
    mallopt = getattr(_C, "mallopt", None)  # other C libraries do without
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, 1 << 20)
        mallopt(M_ARENA_MAX, 1)


def _tidy() -> None:
    """Give back what lies free between pieces that are in use: after long answers many megabytes."""
    import gevent

    from flask_app.services.runs import run_service

    if trim := getattr(_C, "malloc_trim", None):
        memory = Memory(trim)
        while True:
            gevent.sleep(TIDY_SECONDS)
            memory.tidy(is_idle=not run_service.live_runs())


def post_worker_init(worker: Any) -> None:
    import gevent
    from gunicorn.http.errors import ParseException

    from flask_app.services.operations import upkeep_service
    from flask_app.services.people import account_service
    from flask_app.services.runs import lease_service
    from flask_app.upstream import connection
    from flask_app.web import bodies

    gunicorn.http.parser.Parser.finish_body = _read_on
    _use_threads()
    connection.watch_with(_Watcher)
    bodies.expect_broken(ParseException)
    bodies.limit_with(gevent.Timeout)
    lease_service.watch(is_alone=worker.is_alone)
    upkeep_service.watch()
    gevent.spawn(_drain, worker)
    gevent.spawn(_tidy)
    gc.collect()
    gc.freeze()  # what is loaded now stays: later collections need not walk it while streams wait
    gc.set_threshold(*COLLECTIONS)
    if worker.age == 1:
        print(f"MingChat is ready: {settings.address()}", flush=True)
        if hint := settings.reach():
            print(hint, flush=True)
        account_service.announce()


def _read_on(parser: Any, deadline: float | None = None, max_bytes: int | None = None) -> bool:
    """Let go of what is still sent of a request that has its reply; is all of it gone?

    gunicorn's own copies all that has come for each kilobyte of it: a second for three megabytes, in which nobody else
    is answered. Others come in between here, and so does the end of its patience, after `keepalive` seconds.
    """
    import gevent

    body = getattr(parser.mesg, "body", None)
    if getattr(body, "failed", False) is True:
        return False
    while body is not None and body.read(LEFT_BYTES):
        gevent.sleep(0)
    return True


def _use_threads() -> None:
    """Real ones, for what would hold up the event loop.

    Providers' hosts are looked up on a few of their own, and gevent looks up all others on its own: nothing else may
    wait behind a name server that is silent, the settlements that go to the disk least of all.
    """
    import select
    import socket

    import gevent
    from gevent import monkey
    from gevent.threadpool import ThreadPool

    from flask_app import engines, offload, round_trips
    from flask_app.upstream import names

    hub = gevent.get_hub()
    hub.NOT_ERROR = (*hub.NOT_ERROR, socket.gaierror)  # no such host: whoever asked is told, and nobody else
    offload.use(ThreadPool(offload.THREADS).apply)
    engines.wait_with(ThreadPool(1).apply)
    apply = ThreadPool(names.AT_ONCE).apply
    look_up = monkey.get_original("socket", "getaddrinfo")
    poll = monkey.get_original("select", "poll")

    def stay(number: int, seconds: float) -> None:
        waiting = poll()
        waiting.register(number, select.POLLIN)
        waiting.poll(seconds * 1000)

    round_trips.stay_with(stay)
    names.ask_with(lambda host, port: apply(look_up, (host, port), {"type": socket.SOCK_STREAM}))


class _Watcher:
    """Looks at a socket on the event loop whenever there is something to read: see flask_app/upstream/connection.py.

    Where many are read, it looks when it is its turn (flask_app/upstream/turns.py).
    """

    def __init__(self, opened: Any) -> None:
        import ssl

        import gevent

        self._hub = gevent.get_hub()
        self.turns = _turns(self._hub)
        self._watcher = self._hub.loop.io(opened.fileno(), 1)
        # gevent's own `recv` is to wait where there is nothing: here that is nobody's wish.
        self.receive = opened.recv if isinstance(opened, ssl.SSLSocket) else opened._sock.recv  # noqa: SLF001

    def each(self, look: Callable[[], bool]) -> None:
        from gevent.hub import Waiter

        sleeper = Waiter(self._hub)
        with self.turns.reading(look, self._watcher, sleeper):
            sleeper.get()

    def close(self) -> None:
        self._watcher.close()


@cache
def _turns(hub: Any) -> Any:
    """Those of a hub's loop."""
    from flask_app.upstream.turns import SECONDS, SLOTS, Turns

    return Turns(hub.loop.timer(SECONDS / SLOTS, SECONDS / SLOTS))


def _drain(worker: Any) -> None:
    """Settle what still runs before gunicorn's patience ends, while its readers can be told."""
    import gevent

    from flask_app.services.runs import closing, shutdown

    while worker.alive:
        gevent.sleep(0.2)
    closing.leave()
    gevent.sleep(answers_may_finish)
    shutdown.finish()


def worker_int(worker: Any) -> None:
    """SIGINT: Ctrl+C reaches the worker twice, from the terminal and from gunicorn, and once is enough.

    By this greenlet gunicorn ends the process a moment later, whatever it is at by then.
    """
    import gevent

    if hasattr(worker, "hurry"):
        raise gevent.GreenletExit
    worker.hurry = gevent.getcurrent()


def worker_exit(server: Any, worker: Any) -> None:
    if worker.booted:
        import gevent

        from flask_app import database, tracing
        from flask_app.services.operations import upkeep_service
        from flask_app.services.runs import run_service, shutdown

        # Answers may finish whose readers are elsewhere or away, for gunicorn waits for connections only: until Ctrl+C.
        with suppress(SystemExit):
            if not hasattr(worker, "hurry"):
                run_service.wait(answers_may_finish)
        hurry, worker.hurry = getattr(worker, "hurry", gevent.Greenlet()), None
        hurry.kill()  # neither that nor another one breaks off what follows
        shutdown.finish()
        tracing.close()
        with gevent.Timeout(FAREWELL_SECONDS, False):  # noqa: FBT003
            upkeep_service.end()
            database.end_writing()
        database.disconnect()
