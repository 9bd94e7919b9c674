"""How the site of the faults is built: its servers, its providers, its people and their money."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from flask_app.config import Config
from flask_app.database import connect, disconnect
from flask_app.services.site.windows import Rate
from tests.faults import nginx
from tests.faults.instance import Instance
from tests.faults.lines import Lines
from tests.faults.provider import FIRST_KEY, OTHER_KEYS, Obliging
from tests.faults.site import ACCOUNT, CALM, CREDIT, DAILY, FRUGAL, ROUGH, ZONE, Site
from tests.support import disks, mariadb, proxies, redis_server, storage
from tests.support.mariadb import MariaDB
from tests.support.proxies import Proxy
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD, Visitor

PRICED_FROM = "2026-01-01T00:00:00Z"  # also for a clock that is set back
DISK = "1g"  # of the database, where one can be mounted
SETTINGS = {
    "SITE_TIMEZONE": ZONE.key,
    "SECRET_KEY": "the key that only these two instances know",
    "ENCRYPTION_KEY": "another key that only these instances know",
    "ALLOW_INSECURE_UPSTREAMS": "1",
    "TRUSTED_PROXIES": "1",
    "CHAT_RATE_LIMIT": "100000 per minute",
    "MAX_RUNS_PER_USER": "300",
    "UPSTREAM_CONNECT_SECONDS": "1",
    "UPSTREAM_FIRST_TOKEN_SECONDS": "3",
    "UPSTREAM_IDLE_SECONDS": "3",
    "UPSTREAM_TOTAL_SECONDS": "15",
}

# Which worker began each run: those of programs go when they end.
_WORKERS = (
    "CREATE TABLE run_workers AS SELECT id AS run_id, worker FROM runs LIMIT 0",
    "ALTER TABLE run_workers ADD PRIMARY KEY (run_id)",
    "CREATE TRIGGER run_workers AFTER INSERT ON runs FOR EACH ROW INSERT INTO run_workers VALUES (NEW.id, NEW.worker)",
)


@contextmanager
def running(folder: Path) -> Iterator[Site]:
    """The whole site, while the block runs."""
    with ExitStack() as stack:
        place = stack.enter_context(mariadb.short_folder())
        disk = stack.enter_context(disks.mounted(Path(place), DISK)) if disks.CAN_MOUNT else None
        database = stack.enter_context(mariadb.running(folder=place))
        stack.enter_context(database.supervised())
        storage.migrate(database.url)
        connect(database.url)  # for what `flask usage verify` does
        stack.callback(disconnect)
        engine = create_engine(database.url, pool_pre_ping=True)
        stack.callback(engine.dispose)
        redis = stack.enter_context(redis_server.server())
        calm, rough = (stack.enter_context(ScriptedUpstream()) for _ in range(2))
        ports = (redis.port, rough.port, database.port, database.port)
        redis_line, rough_line, *lines = (stack.enter_context(proxies.before(port)) for port in ports)
        settings = SETTINGS | {"REDIS_URL": f"redis://127.0.0.1:{redis_line.port}/0"}
        _make_account(engine)
        _keep_workers(engine)
        instances: list[Instance] = []
        for name, workers, line in zip(("first", "second"), ("1", "2"), lines, strict=True):
            own = {"WEB_CONCURRENCY": workers, "DATABASE_URL": _url(database, line)}
            own |= {} if instances else {"DEEPSEEK_BASE_URL": calm.base_url}  # there answers are completed as prefixes
            instance = Instance(folder / name, settings | own)
            stack.callback(instance.stop)
            instances.append(instance)
        for instance in instances:
            instance.wait_until_ready()
        front = stack.enter_context(nginx.before(folder, *(instance.port for instance in instances)))
        both = Lines(*lines)
        site = Site(folder, database, both, redis, redis_line, calm, rough, rough_line, instances, front, engine, disk)
        _furnish(site)
        yield site


def _make_account(engine: Engine) -> None:
    """The application's own account: a read-only server holds nobody else to it."""
    with engine.begin() as connection:
        connection.execute(text(f"CREATE USER {ACCOUNT}@'%' IDENTIFIED BY '{ACCOUNT}'"))
        connection.execute(text(f"GRANT ALL ON {mariadb.DATABASE}.* TO {ACCOUNT}@'%'"))


def _keep_workers(engine: Engine) -> None:
    with engine.begin() as connection:
        for statement in _WORKERS:
            connection.execute(text(statement))


def _url(database: MariaDB, line: Proxy) -> str:
    """Of that account, by the proxy of one instance."""
    url = make_url(database.url).set(port=line.port, username=ACCOUNT, password=ACCOUNT)
    return url.render_as_string(hide_password=False)


def _furnish(site: Site) -> None:
    """An administrator, people, and two providers, the second with four keys."""
    first = site.instances[0].server
    first.set_up()
    site.people = [Visitor(site.nginx.base_url, first.headers)]
    often = {"requests": {"amount": None, "seconds": 60}}  # four people read as many as hundreds do
    assert site.admin.ask("PUT", "/api/admin/rates/site", often).status == 200
    for upstream, name in ((site.calm, CALM), (site.rough, ROUGH)):
        upstream.models, upstream.default = [name], Obliging()
    _add_key(site, "calm", site.calm.port, FIRST_KEY)
    _add_key(site, "rough", site.rough_line.port, FIRST_KEY)
    for number, secret in enumerate(OTHER_KEYS, start=1):  # more than may be tried
        key = _add_key(site, f"rough, {number}", site.rough_line.port, secret)
        assert site.admin.ask("PATCH", f"/api/admin/keys/{key}", {"priority": number}).status == 200
    for number in range(1, FRUGAL + 1):
        account = {"username": f"person{number}", "password": PASSWORD}
        group = {"group_id": _frugal_group(site)} if number == FRUGAL else {}
        assert site.admin.post("/api/admin/users", account | group).status == 201
        person = Visitor(site.nginx.base_url)
        person.sign_in(person.post("/api/login", account))
        site.people.append(person)
    ids = site.rows("SELECT id, username FROM users ORDER BY username = 'founder' DESC, username")
    site.ids = [row.id for row in ids]
    _bring_money(site)
    site.wait_until_whole()


def _frugal_group(site: Site) -> str:
    """Whose people may send as many messages as anybody may where nobody has set a limit."""
    group: str = site.admin.post("/api/admin/groups", {"name": "frugal"}).json()["id"]
    often = Rate.parse(Config.chat_rate_limit)
    rates = {"messages": {"amount": often.amount, "seconds": often.seconds}}
    assert site.admin.ask("PUT", f"/api/admin/rates/groups/{group}", rates).status == 200
    return group


def _bring_money(site: Site) -> None:
    """Both models have a price, and everybody pays from a balance, within a limit for the day."""
    for model in (CALM, ROUGH):
        prices = {"input_hit": "0.3", "input_miss": "1.7", "output": "4.1"}
        tariff = {"model": model, "currency": "CNY", "prices": prices, "starts_at": PRICED_FROM}
        assert site.admin.post("/api/admin/tariffs", tariff).status == 201
    for person in site.ids[1:]:
        own = {"scope": "user", "scope_id": person}
        balance = {"unit": "CNY", "period": "prepaid", "limit": CREDIT, "reason": "paid before the faults"}
        for budget in (balance, {"period": "day", "limit": DAILY}):
            assert site.admin.post("/api/admin/budgets", own | budget).status == 201


def _add_key(site: Site, label: str, port: int, secret: str) -> str:
    provider = {"base_url": f"http://127.0.0.1:{port}", "provider_name": label.split(",", maxsplit=1)[0]}
    body = {"label": label, "secret": secret} | provider
    reply = site.admin.post("/api/admin/keys", body)
    assert reply.status == 201, reply.data
    key_id: str = reply.json()["id"]
    return key_id
