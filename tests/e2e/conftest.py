"""What browser tests begin with: Chromium, a real server, and pages that are watched."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect
from sqlalchemy import create_engine, delete, insert, update
from sqlalchemy.pool import NullPool

from flask_app.database import utc_now
from flask_app.models import ApiKey, Reconciliation, Setting
from tests.e2e import accessible, entrance
from tests.e2e.budgets import BUDGETS, ComeIn, Limit
from tests.e2e.looks import CHINESE, ENGLISH, Look
from tests.e2e.site import Site, opened
from tests.e2e.visits import Visits
from tests.support import drifts
from tests.support.mail_server import MailServer
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import PASSWORD

CHROMIUM = "/usr/bin/chromium"
SHELL = "/usr/bin/chromium-headless-shell"  # the same engine without a desktop's services, which cost much
FLAGS = [
    "--no-sandbox",  # continuous integration runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",  # the shell would round the width of each letter
]
ENVIRONMENT = "environment"  # the key of DEEPSEEK_API_KEY
PLACES = {"test_journey.py": 0, "test_ranges.py": 1, "test_weight.py": 3}

expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The journey comes first, then what needs a site of today; what those of a process have cost is weighed last."""
    items.sort(key=lambda item: PLACES.get(item.path.name, 2))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests have measured, in whichever process they ran."""
    for report in (each for reports in terminalreporter.stats.values() for each in reports):
        for what, figure in getattr(report, "user_properties", []):
            if report.when == "call":
                terminalreporter.write_line(f"{what}: {figure}")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {"executable_path": SHELL, "args": FLAGS}


@pytest.fixture(scope="session")
def desktop(browser_type: BrowserType) -> Iterator[Browser]:
    """What people have: with scrollbars that take room, and with all that a browser can do beside drawing pages."""
    browser = browser_type.launch(executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--hide-scrollbars"])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that has been set up, with a key for a scripted provider."""
    with ScriptedUpstream() as provider:
        settings = {"DEEPSEEK_API_KEY": "sk-scripted-0000", "DEEPSEEK_BASE_URL": provider.base_url}
        with opened(tmp_path_factory.mktemp("site"), provider, **settings) as running:
            running.set_up()
            yield running
            running.server.assert_sound_ledger()


@pytest.fixture
def script(site: Site) -> Iterator[ScriptedUpstream]:
    """The site's provider, fresh: other tests ask it too, without a look at what it was asked."""
    site.rest()
    site.provider.journal.clear()
    yield site.provider
    site.provider.forget_scripts()
    site.provider.journal.clear()
    site.provider.default = Answer()


NEW_BROWSERS = "SELECT d.id FROM known_devices d JOIN users u ON u.id = d.user_id WHERE d.is_new AND u.is_owner"


@pytest.fixture
def visits(browser: Browser, site: Site) -> Iterator[Visits]:
    for draft in site.rows("SELECT message_key FROM drafts WHERE conversation_id IS NULL"):  # another test's new chat
        site.ask("PUT", "/api/draft", {"text": "", "key": draft["message_key"]})
    for device in site.rows(NEW_BROWSERS):  # in which another test has signed in: each page would tell of them
        site.ask("POST", f"/api/me/devices/{device['id']}/confirm")
    made = Visits(browser, site)
    yield made
    assert made.close() == []


@pytest.fixture(params=[ENGLISH, CHINESE], ids=["wide", "phone"])
def look(request: pytest.FixtureRequest) -> Look:
    """A journey that asks for it is made twice."""
    found: Look = request.param
    return found


@pytest.fixture
def alarm(site: Site, script: ScriptedUpstream) -> Iterator[str]:
    """A drift of now, and an estimate that could explain it; gives the alarm's id."""
    script.script(Answer("nobody counts this", tells_usage=False))
    list(site.server.chat("hello"))
    now = utc_now()
    usual = {"known_drift": None, "known_at": None, "known_by": None, "note": None}
    drifted = drifts.values(ENVIRONMENT, now, since=now - timedelta(minutes=20), slack=40_000)
    yesterday = {"drift": 0, "stands": False, "aside": '{"credited": -50000000}', "end_total": 59_000_000}
    days = [drifted | usual, drifts.values(ENVIRONMENT, now - timedelta(days=1), **yesterday) | usual]
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(update(ApiKey).values(balance_due_at=now + timedelta(hours=1)))  # none is read meanwhile
        connection.execute(delete(Reconciliation))  # what came of balances that other tests had read
        connection.execute(insert(Reconciliation), days)
    yield str(drifted["id"])
    with engine.begin() as connection:
        connection.execute(delete(Reconciliation))
        connection.execute(delete(Setting).where(Setting.name == "reconciliation"))
    engine.dispose()


@pytest.fixture(scope="session")
def talks(site: Site) -> list[str]:
    """Where such a conversation is, the newest last. Beside it there is one person more."""
    site.ask("POST", "/api/admin/users", {"username": "Visitor", "role": "member"})
    return []


@pytest.fixture
def conversation(site: Site, talks: list[str]) -> str:
    """The address of a conversation with all that an answer can hold, made anew where another test has deleted it."""
    known = [f"/c/{row['id']}" for row in site.rows("SELECT id FROM conversations")]
    if not talks or talks[-1] not in known:
        talks.append(accessible.talk(site))
    return talks[-1]


@pytest.fixture(scope="module")
def announcement(site: Site) -> Iterator[str]:
    """Something that all pages announce."""
    text = "The server is restarted on Sunday."
    made = site.ask("POST", "/api/admin/announcements", {"text": text})
    yield text
    site.ask("DELETE", f"/api/admin/announcements/{made['id']}")


@pytest.fixture
def person(site: Site, request: pytest.FixtureRequest) -> Any:
    """Somebody who has used nothing yet."""
    name = f"saver {request.node.name[-32:].strip('_')}".replace("_", " ")  # its end tells the looks of a test apart
    body = {"username": name, "role": "member", "password": PASSWORD}
    return site.ask("POST", "/api/admin/users", body)["user"]


@pytest.fixture
def limit(site: Site, person: Any) -> Iterator[Limit]:
    """Limits what the person may use."""
    made = []

    def add(amount: int, **fields: Any) -> None:
        body = {"scope": "user", "scope_id": person["id"], "period": "day", "limit": amount} | fields
        made.append(site.ask("POST", BUDGETS, body)["id"])

    yield add
    for budget_id in made:
        site.ask("DELETE", f"{BUDGETS}/{budget_id}")


@pytest.fixture
def come_in(visits: Visits, site: Site, person: Any) -> ComeIn:
    def open_as_person(path: str, look: Look = ENGLISH) -> Page:
        page = look.open(visits, f"/login?next={path}", signed_in=False)
        entrance.sign_in(page, look.say, username=person["username"], password=PASSWORD)
        page.wait_for_url(site.url + path)
        return page

    return open_as_person


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory, mails: MailServer) -> Iterator[Site]:
    """Another site, which sends mail."""
    settings = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mails.port), "SMTP_SECURITY": "none", "SMTP_FROM": "a@b.org"}
    with ScriptedUpstream() as provider, opened(tmp_path_factory.mktemp("mailing"), provider, **settings) as running:
        running.set_up()
        yield running


@pytest.fixture
def seen(browser: Browser, mailing: Site) -> Iterator[Visits]:
    made = Visits(browser, mailing)
    yield made
    assert made.close() == []
