"""What tests begin with: one application on a migrated database, emptied after each test; people and clients."""

import dataclasses
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import hypothesis
import pytest
from flask import Flask

from flask_app import config as settings
from flask_app import create_app, database
from flask_app.config import Config
from flask_app.database import transaction
from flask_app.models import User
from flask_app.services.gateway import request_log
from flask_app.services.ledger import journal
from flask_app.services.people import names, passwords
from flask_app.services.runs import run_service
from flask_app.services.sign_in import login_limits
from flask_app.upstream import client as upstream_client
from scripts import settings_file
from tests.support import chosen, clients, clocks, ledger, mariadb, mysql_server, object_server, redis_server, storage
from tests.support.clients import PageClient
from tests.support.object_server import ObjectServer
from tests.support.redis_server import RedisServer
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.spread import slow_first
from tests.support.upstream_answers import Answer
from tests.support.upstream_fetches import Opened
from tests.support.upstream_searches import PAGES, Pages

if TYPE_CHECKING:
    from tests.support.mcp_server import McpServer

_UNTIMED = hypothesis.settings(deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.register_profile("same", _UNTIMED, derandomize=True)  # what a commit is asked is asked again
hypothesis.settings.register_profile("anew", _UNTIMED)
hypothesis.settings.load_profile("same")
os.environ[settings_file.SKIP] = "1"  # for every process that a test starts

PASSWORD = "violet harbour lantern"
SERVERS = {"mariadb": mariadb.server, "mysql": mysql_server.server}

MakeUser = Callable[..., User]
SignIn = Callable[[User], PageClient]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", *SERVERS], default="sqlite", help="where the tests keep rows")
    few = "of a server three of a test's cases, where it has many; in the browser every second of a test's looks"
    parser.addoption("--few-cases", action="store_true", help=few)


def pytest_unconfigure() -> None:
    """No connection to a scripted provider is left for the interpreter to warn of."""
    upstream_client._idle.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Half a character in a captured log cannot be sent from one process of tests to another."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    few = config.getoption("--few-cases")
    if config.getoption("--database") == "sqlite":
        left_out = chosen.other_looks(items) if few else set()
    else:
        left_out = chosen.needless(items)
        left_out |= chosen.more_cases(item for item in items if item not in left_out) if few else set()
    asked = [item for item in items if item not in left_out]
    processes = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = slow_first(asked, processes) if processes > 1 else asked
    config.hook.pytest_deselected(items=list(left_out))


@pytest.fixture(scope="session")
def chosen_database(request: pytest.FixtureRequest) -> str:
    """What `--database` says: what depends on it asks for it, directly or not."""
    return str(request.config.getoption("--database"))


@pytest.fixture(scope="session")
def database_url(chosen_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database."""
    if chosen_database in SERVERS:
        with SERVERS[chosen_database]() as url:
            storage.migrate(url)
            yield url
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'mingchat.db'}"
        storage.migrate(url)
        yield url


@pytest.fixture(scope="session")
def seeds(database_url: str) -> storage.Seeds:
    return storage.Seeds(database_url)


@pytest.fixture(scope="session")
def running_redis() -> Iterator[RedisServer]:
    with redis_server.server() as running:
        yield running


@pytest.fixture
def redis(running_redis: RedisServer) -> RedisServer:
    """A Redis server with nothing in it."""
    running_redis.empty()
    return running_redis


@pytest.fixture(scope="session")
def running_objects() -> Iterator[ObjectServer]:
    with object_server.server() as running:
        yield running


@pytest.fixture
def objects(running_objects: ObjectServer) -> Iterator[ObjectServer]:
    """An object store with nothing in it."""
    running_objects.empty()
    yield running_objects
    running_objects.resume()
    running_objects.start_again()


@pytest.fixture(scope="session")
def provider() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


@pytest.fixture(scope="session")
def running_workshop() -> Iterator["McpServer"]:
    from tests.support.mcp_server import McpServer  # it loads what few tests need

    with McpServer() as running:
        yield running


@pytest.fixture
def workshop(running_workshop: "McpServer") -> "McpServer":
    """A real server of tools."""
    running_workshop.forget()
    return running_workshop


@pytest.fixture(scope="session")
def base_config(database_url: str, provider: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Config:
    return Config(
        instance_dir=tmp_path_factory.mktemp("instance"),
        secret_key="the key that only these tests know, long enough",
        encryption_key="another key that only these tests know, as long",
        database_url=database_url,
        deepseek_api_key="test-key",
        deepseek_base_url=provider.base_url,
        allow_insecure_upstreams=True,
        chat_rate_limit="10000 per minute",
    )


@pytest.fixture(scope="session")
def session_app(base_config: Config) -> Iterator[Flask]:
    app = create_app(base_config)
    app.testing = False  # failures become replies, as people get them
    storage.let_only_read(database.engine())
    yield app
    database.disconnect()


@pytest.fixture(scope="session")
def usual_connections(session_app: Flask) -> storage.Connections:
    """Of one test after the other: what they have compiled, no other needs to."""
    return storage.Connections()


@pytest.fixture
def app(
    session_app: Flask,
    usual_connections: storage.Connections,
    base_config: Config,
    seeds: storage.Seeds,
    provider: ScriptedUpstream,
    request: pytest.FixtureRequest,
) -> Iterator[Flask]:
    """The application on a database that holds only what the migrations write. Afterwards the ledger must be sound."""
    provider.forget_scripts()
    provider.journal.clear()
    provider.keys, provider.default, provider.balance, provider.account = None, Answer(), "110.00", None
    provider.pages = Pages(PAGES)
    provider.opened = Opened()
    usual_connections.use()  # a test may have made an application of its own
    clocks.look_anew()
    settings.install(dataclasses.replace(base_config))  # a new object: what was prepared for the old one is not
    yield session_app
    run_service.shutdown()
    login_limits.forget()
    request_log.forget()
    for windows in session_app.extensions["rate_windows"].values():
        windows.clear()
    shutil.rmtree(base_config.instance_dir / journal.FOLDER, ignore_errors=True)
    usual_connections.use()
    spoilt = request.node.get_closest_marker("unsound_ledger")
    unsound = [] if ledger.is_untouched() or (spoilt and spoilt.args) else ledger.unsound()
    seeds.restore()
    assert unsound == []


@pytest.fixture
def upstream(app: Flask, provider: ScriptedUpstream) -> ScriptedUpstream:
    """The provider that the application asks with DEEPSEEK_API_KEY, fresh: no script, an empty journal."""
    return provider


@pytest.fixture
def client(app: Flask) -> PageClient:
    """A browser on https in which nobody has signed in."""
    return clients.new_client(app)


@pytest.fixture
def plain_client(app: Flask) -> PageClient:
    """The same on http, as on the machine itself."""
    return clients.new_client(app, clients.HTTP)


@pytest.fixture(scope="session")
def password_hash() -> str:
    return passwords.make_hash(PASSWORD)


@pytest.fixture
def make_user(app: Flask, password_hash: str) -> MakeUser:
    """`make_user(name, role="member")`: a person whose password is PASSWORD; "owner" is a role here as well."""

    def make(name: str, role: str = "member", **fields: object) -> User:
        what = {"role": "admin", "is_owner": True} if role == "owner" else {"role": role}
        user = User(username=name, username_key=names.key(name), password_hash=password_hash, **what, **fields)
        with transaction() as session:
            session.add(user)
        return user

    return make


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """`sign_in(user)`: a browser of theirs, which sends the CSRF token by itself."""
    return lambda user: clients.signed_in(app, user)


@pytest.fixture
def owner(make_user: MakeUser) -> User:
    return make_user("owner", "owner")


@pytest.fixture
def owner_client(owner: User, sign_in: SignIn) -> PageClient:
    return sign_in(owner)


@pytest.fixture
def admin(make_user: MakeUser) -> User:
    return make_user("admin", "admin")


@pytest.fixture
def member(make_user: MakeUser) -> User:
    return make_user("member")


@pytest.fixture
def admin_client(admin: User, sign_in: SignIn) -> PageClient:
    return sign_in(admin)


@pytest.fixture
def member_client(member: User, sign_in: SignIn) -> PageClient:
    return sign_in(member)


@pytest.fixture
def query_count(app: Flask) -> Callable[[], AbstractContextManager[list[str]]]:
    """`with query_count() as statements`: the SQL statements run in the block."""
    return storage.counted_statements
