"""What goes wrong with the database."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from random import Random
from typing import Any

import pymysql  # type: ignore[import-untyped]

from flask_app.engines import ROW_LOCK_SECONDS
from tests.faults.exchange import Exchange
from tests.faults.fault import fault
from tests.faults.site import ACCOUNT, Site
from tests.faults.stopwatch import Stopwatch
from tests.support.brokers import wait_until
from tests.support.served import Visitor

BEFORE = "database down before dispatch"
DURING = "database down during a stream"
LOST = "lost acknowledgement at COMMIT"
BROKEN_OFF = "deadlock, lock time-out"
REFUSING = "read-only, max_connections"
POOL = "more streams than pool connections"
FULL = "disk full"
ENDED_WITHIN, BACK_WITHIN = 60.0, 20.0
LOST_WITHIN, TAKEN_WITHIN = 5.0, 20.0
AWAY_SECONDS = 10.5
ANSWERED_WITHIN = 2.0
SILENCE_SECONDS = 2.0  # between two words that come four times a second
_BOOKED = "SELECT t.source FROM proxy_logs a JOIN token_usage t ON t.attempt_id = a.id WHERE a.run_id = :run"
FEW_CONNECTIONS, MANY_CONNECTIONS = 10, 151  # few are soon taken


def _is_refused_and_recovers(site: Site, random: Random, mend: Callable[[], None]) -> None:
    """Whoever asks now is told so, the provider is not asked; once it is mended, all goes on by itself."""
    refused = site.ask(random.randint(1, 4), insists=False)
    assert refused.wait() == "refused", refused.status
    assert refused.refusals[0][0] == 503, refused.refusals
    assert not site.requests(refused)
    mend()
    after = site.ask(random.randint(1, 4))
    assert after.wait() == "complete", (after.status, after.refusals)


@fault(BEFORE)
def database_out_of_reach(site: Site, random: Random) -> None:
    site.database_line.refuse()
    _is_refused_and_recovers(site, random, site.database_line.mend)


@fault(BEFORE, weight=2)
def database_dead(site: Site, random: Random) -> None:
    site.database.kill()
    _is_refused_and_recovers(site, random, site.database.start)


def _ends_without_it(site: Site, random: Random, happen: Callable[[], None], mend: Callable[[], None]) -> None:
    """It happens in mid-answer: the text comes to its end, and is saved and booked later."""
    answers = [site.ask(user, words=40, rate=80) for user in random.sample(range(1, 5), 2)]
    for answer in answers:
        answer.wait_for_text()
    happen()
    time.sleep(random.uniform(0.3, 1.0))
    mend()
    for answer in answers:
        assert answer.wait() == "complete", (answer.status, answer.codes)


@fault(DURING, weight=2)
def database_dies_in_mid_answer(site: Site, random: Random) -> None:
    _ends_without_it(site, random, site.database.kill, site.database.start)


@fault(DURING)
def database_line_breaks_in_mid_answer(site: Site, random: Random) -> None:
    _ends_without_it(site, random, site.database_line.refuse, site.database_line.mend)


@fault(DURING)
def database_line_hangs_in_mid_answer(site: Site, random: Random) -> None:
    _ends_without_it(site, random, site.database_line.hang, site.database_line.mend)


@fault(DURING)
def database_hangs_in_mid_answer(site: Site, random: Random) -> None:
    _ends_without_it(site, random, site.database.halt, site.database.resume)


@fault(DURING, weight=1)
def database_away_for_long_in_mid_answer(site: Site, random: Random) -> None:
    """For longer than a stream goes on without asking it anything: no stream breaks, here or on the other instance."""
    here, there = random.sample(range(1, 5), 2)
    watch = Stopwatch(*(instance.server.workers() for instance in site.instances))
    near = site.ask(here, words=54, rate=4, via=site.addresses[:1])
    far = site.ask(there, words=54, rate=4, via=site.addresses, leaves=(3,))
    wait_until(lambda: far.readings == 1 and near.text)
    heard = len(far.text)
    wait_until(lambda: len(far.text) > heard)
    site.database_line.refuse()
    time.sleep(AWAY_SECONDS)
    site.database_line.mend()
    for answer in (near, far):
        assert answer.wait() == "complete", (answer.status, answer.codes)
        assert answer.longest_silence - watch.waited < SILENCE_SECONDS, (answer.longest_silence, watch.waited)
    assert (near.readings, far.readings) == (1, 2), "a stream broke"


@fault(DURING, weight=1)
def one_instance_cut_off_from_the_database(site: Site, random: Random) -> None:
    """For longer than a lease: the other ends its answer with what was kept, and the words come back with it."""
    number = random.randrange(2)
    answer = site.ask(random.randint(1, 4), words=40, rate=4, via=[site.addresses[number]])
    answer.wait_for_text()
    time.sleep(random.uniform(2, 5))
    site.cut_off(number)
    try:
        other = site.ask(random.randint(1, 4), via=[site.addresses[1 - number]])
        assert other.wait() == "complete", (other.status, other.refusals)
        wait_until(lambda: _stored(site, answer).status == "interrupted", ENDED_WITHIN)
    finally:
        site.database_line[number].mend()
    assert answer.wait() == "interrupted", (answer.status, answer.codes)
    assert answer.text == answer.wish.answer, "its provider had not been cut off"
    wait_until(lambda: _stored(site, answer).text == answer.text, BACK_WITHIN)
    assert [entry.source for entry in site.rows(_BOOKED, run=answer.ids["run_id"])] == ["estimated"]


def _stored(site: Site, answer: Exchange) -> Any:
    (row,) = site.rows("SELECT status, text FROM messages WHERE id = :id", id=answer.ids["message_id"])
    return row


@fault(DURING, weight=2, kills=True)
def database_away_and_the_instance_killed(site: Site, random: Random) -> None:
    """What the journal holds is booked by whoever starts there next, as the provider counted it."""
    instance = random.choice(site.instances)
    answer = site.ask(random.randint(1, 4), words=40, via=[instance.base_url])
    answer.wait_for_text()
    site.database_line.refuse()
    wait_until(lambda: "not_saved_yet" in answer.codes)
    instance.kill()
    site.database_line.mend()
    instance.start_again()
    assert answer.wait() == "complete", (answer.status, answer.codes)
    (entry,) = site.rows(_BOOKED, run=answer.ids["run_id"])
    assert entry.source == "reported"


@fault(LOST, weight=8)
def reply_to_a_commit_lost(site: Site, random: Random) -> None:
    """Whichever commit comes next: of a message, of a settlement, of a lease."""
    answers = [site.ask(user, words=random.randint(1, 20)) for user in (1, 2)]
    time.sleep(random.uniform(0, 0.5))
    site.database_line.lose_the_next_commit()
    assert site.database_line.lost.wait(LOST_WITHIN), "nothing was committed"
    for answer in answers:
        answer.wait()


@fault(LOST)
def reply_to_the_commit_of_a_message_lost(site: Site, random: Random) -> None:
    site.database_line.lose_the_next_commit()
    answer = site.ask(random.randint(1, 4))
    assert site.database_line.lost.wait(LOST_WITHIN), "nothing was committed"
    answer.wait()


@fault(BROKEN_OFF)
def lock_time_out(site: Site, random: Random) -> None:
    """The person's row is locked for longer than a transaction waits for it."""
    user = random.randint(1, 4)
    with _session(site) as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT id FROM users WHERE id = %s FOR UPDATE", (site.ids[user],))
        answer = site.ask(user)
        time.sleep(ROW_LOCK_SECONDS + 0.5)
        cursor.execute("ROLLBACK")
    assert answer.wait() == "complete", (answer.status, answer.refusals)


@fault(BROKEN_OFF)
def deadlock(site: Site, random: Random) -> None:
    """A settlement waits for the attempt's row, whose holder then wants the run's: one of the two must give way."""
    answer = site.ask(random.randint(1, 4), words=30, rate=20)  # time enough to lock its run before its end
    answer.wait_for_text()
    before = _deadlocks(site)
    with _session(site) as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS weight (number INT)")
        cursor.execute("BEGIN")
        # The one that has changed less is broken off: that shall be the settlement.
        cursor.execute("INSERT INTO weight SELECT seq FROM seq_1_to_1000")
        cursor.execute("SELECT id FROM proxy_logs WHERE run_id = %s FOR UPDATE", (answer.ids["run_id"],))
        _wait_until_settling(site, answer, cursor.connection.thread_id())
        with suppress(pymysql.err.OperationalError):  # it was this one all the same
            cursor.execute("SELECT id FROM runs WHERE id = %s FOR UPDATE", (answer.ids["run_id"],))
        cursor.execute("ROLLBACK")
    assert answer.wait() == "complete", (answer.status, answer.codes)
    assert _deadlocks(site) > before, "nobody had to give way"


def _deadlocks(site: Site) -> int:
    (row,) = site.rows("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    return int(row.Value)


def _wait_until_settling(site: Site, answer: Exchange, connection: int) -> None:
    """Until the provider has told all, and somebody waits for what this connection has locked."""
    holders = "JOIN information_schema.innodb_trx t ON t.trx_id = w.blocking_trx_id"
    waits = f"SELECT 1 FROM information_schema.innodb_lock_waits w {holders} WHERE t.trx_mysql_thread_id = :connection"
    wait_until(lambda: any(request.usage_sent for request in site.requests(answer)))
    time.sleep(0.2)
    wait_until(lambda: site.rows(waits, connection=connection))


@fault(REFUSING)
def database_read_only(site: Site, random: Random) -> None:
    site.execute("SET GLOBAL read_only = 1")
    try:
        _is_refused_and_recovers(site, random, lambda: site.execute("SET GLOBAL read_only = 0"))
    finally:
        site.execute("SET GLOBAL read_only = 0")


@fault(REFUSING)
def no_connection_left(site: Site, random: Random) -> None:
    with ExitStack() as taken:
        taken.callback(site.execute, f"SET GLOBAL max_connections = {MANY_CONNECTIONS}")
        site.execute(f"SET GLOBAL max_connections = {FEW_CONNECTIONS}")
        _end_connections(site)
        _take_connections(site, taken)
        _is_refused_and_recovers(site, random, taken.close)


def _end_connections(site: Site) -> None:
    """End those of the application."""
    for row in site.rows("SELECT id FROM information_schema.processlist WHERE user = :user", user=ACCOUNT):
        with suppress(Exception):  # it ended by itself
            site.execute(f"KILL {row.id}")


def _take_connections(site: Site, taken: ExitStack) -> None:
    """All that are left for an ordinary account, and those that the application opens meanwhile."""
    deadline = time.monotonic() + TAKEN_WITHIN
    while time.monotonic() < deadline:
        try:
            connection = pymysql.connect(host="127.0.0.1", port=site.database.port, user=ACCOUNT, password=ACCOUNT)
        except pymysql.err.OperationalError:
            if not site.rows(
                "SELECT 1 FROM information_schema.processlist WHERE db = 'mingchat' AND user = :user", user=ACCOUNT
            ):
                return
            _end_connections(site)
        else:
            taken.callback(connection.close)
    raise TimeoutError("the application always had a connection")


@fault(POOL, weight=2)
def more_streams_than_connections(site: Site, random: Random) -> None:
    """One worker has at most twenty connections."""
    via = site.addresses[:1]
    answers = [site.ask(1 + number % 4, words=40, rate=20, via=via) for number in range(30)]
    for answer in answers:
        answer.wait_for_text()
    watch = Stopwatch(site.instances[0].server.workers(), [site.database.pid])
    assert Visitor(via[0], site.people[1].headers).get("/api/conversations").status == 200
    assert watch.seconds < ANSWERED_WITHIN, (watch.seconds, watch.waited)
    assert [answer.wait() for answer in answers] == ["complete"] * len(answers)


@contextmanager
def _session(site: Site) -> Iterator[pymysql.cursors.Cursor]:
    connection = pymysql.connect(host="127.0.0.1", port=site.database.port, user="root", database="mingchat")
    try:
        yield connection.cursor()
    finally:
        connection.close()
