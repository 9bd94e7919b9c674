"""The production stack as plain processes: nginx as shipped, two instances, MariaDB, Redis, a scripted provider."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.instance import Instance
from tests.stack import accounts, front
from tests.stack.front import Front
from tests.support import ledger, mariadb, redis_server, storage
from tests.support.mariadb import MariaDB
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD, ROOT, USERNAME, Visitor

SETTINGS = {
    "SECRET_KEY": "the key that only these two instances know",
    "ENCRYPTION_KEY": "another key that only these instances know",
    "ALLOW_INSECURE_UPSTREAMS": "1",
    "TRUSTED_PROXIES": "1",
    "CHAT_RATE_LIMIT": "1000 per minute",
    "METRICS_TOKEN": "p7Qx2mVd9KtR4nYw8LbZ6sHc3JfG5aEu",
}


@dataclass
class Stack:
    """`admin` is signed in through nginx."""

    front: Front
    instances: list[Instance]
    database: MariaDB
    upstream: ScriptedUpstream
    admin: Visitor

    def visitor(self) -> Visitor:
        return Visitor(self.front.base_url, tls=self.front.trusting)


def copy_of_the_code(root: Path) -> Path:
    """For an instance with something else in it."""
    for folder in ("flask_app", "migrations", "scripts"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, root)
    return root


@contextmanager
def running(folder: Path, instances: list[Instance] | None = None) -> Iterator[Stack]:
    """`instances` has each of them as soon as it is started, whether it becomes ready or not.

    The ledger must be sound at the end.
    """
    instances = [] if instances is None else instances
    with ExitStack() as opened:
        database = opened.enter_context(mariadb.running())
        accounts.make(database)
        storage.migrate(accounts.url(database, accounts.MIGRATING))
        redis = opened.enter_context(redis_server.server())
        upstream = opened.enter_context(ScriptedUpstream())
        settings = SETTINGS | {
            "DATABASE_URL": accounts.url(database, accounts.SERVING),
            "REDIS_URL": redis.url,
        }
        for name in ("first", "second"):
            instance = Instance(folder / name, settings)
            opened.callback(instance.stop)
            instances.append(instance)
        for instance in instances:
            instance.wait_until_ready()
        (folder / "nginx").mkdir()
        before = opened.enter_context(front.before(folder / "nginx", [instance.port for instance in instances]))
        yield Stack(before, instances, database, upstream, _set_up(before, instances[0], upstream))
        assert ledger.unsound_at(accounts.url(database, accounts.SERVING)) == []


def _set_up(before: Front, first: Instance, upstream: ScriptedUpstream) -> Visitor:
    """Sign the first administrator in, and add a key for the provider."""
    first.server.set_up()
    admin = Visitor(before.base_url, tls=before.trusting)
    admin.sign_in(admin.post("/api/login", {"username": USERNAME, "password": PASSWORD}))
    key = {"label": "scripted", "secret": "sk-scripted-key", "base_url": upstream.base_url, "provider_name": "scripted"}
    reply = admin.post("/api/admin/keys", key)
    assert reply.status == 201, reply.data
    return admin
