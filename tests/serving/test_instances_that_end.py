"""Of two instances that share a MariaDB and a Redis one ends, is killed, or comes back: the other tells its readers."""

import hashlib
import signal
import time
from functools import partial

from tests.support.brokers import wait_until
from tests.support.instances import ENDLESS, FINISH_SECONDS, REAPED_SECONDS, WORDS, Site, begin, digest, some
from tests.support.upstream_answers import Answer


def _is_dead(site: Site) -> bool:
    """The first instance stands still, and holds no lock of the database that others would wait for."""
    site.first.signal(signal.SIGSTOP)
    time.sleep(0.2)  # what InnoDB tells of transactions may be a tenth of a second old
    if site.row("SELECT COUNT(*) AS n FROM information_schema.innodb_trx").n == 0:
        return True
    site.first.signal(signal.SIGCONT)
    return False


def test_an_instance_that_ends_tells_the_readers_of_the_other(site: Site) -> None:
    _, run_id = begin(site, ENDLESS)
    follower = site.second.follow(run_id)
    site.first.process.send_signal(signal.SIGINT)
    ended = time.monotonic()
    last = some(follower, 10_000)[-1]
    assert time.monotonic() - ended < 15, "long before its lease runs out"
    assert last[2]["status"] == "interrupted"


def test_what_an_instance_that_is_killed_had_kept_is_told_everywhere_and_counted_once(site: Site) -> None:
    _, run_id = begin(site, ENDLESS)
    follower = site.second.follow(run_id)
    message = "SELECT m.text, m.status FROM messages m JOIN runs r ON r.message_id = m.id WHERE r.id = :run"
    # Long enough that Redis, a tenth of a second behind, has some of it too.
    wait_until(lambda: len(site.row(message, run=run_id).text) > 100)
    site.first.signal(signal.SIGKILL)
    site.lease_runs_out()
    seen = some(follower, 10_000)
    assert seen[-1][1:] == ("error", seen[-1][2] | {"code": "interrupted"})
    kept = site.row(message, run=run_id)
    assert kept.status == "interrupted"
    assert digest(seen) != hashlib.sha256(b"").hexdigest(), "what had come was shown"
    again = some(site.second.follow(run_id, after=10**8), 100)
    assert "".join(event["text"] for _, name, event in again if name == "token") == kept.text
    entry = site.row("SELECT count(*) AS entries, min(outcome) AS outcome FROM token_usage")
    assert (entry.entries, entry.outcome) == (1, "interrupted")


def test_an_instance_that_comes_back_from_the_dead_changes_nothing(site: Site) -> None:
    stream, run_id = begin(site, Answer(text=WORDS, tokens_per_second=20))
    wait_until(partial(_is_dead, site))
    site.lease_runs_out()
    everything = (
        "SELECT r.status, m.status AS told, m.text,"
        " count(t.id) AS entries, min(t.id) AS entry, min(t.outcome) AS outcome"
        " FROM runs r JOIN messages m ON m.id = r.message_id LEFT JOIN token_usage t ON t.message_id = m.id"
        " WHERE r.id = :run GROUP BY r.id, m.id"
    )
    wait_until(lambda: site.row(everything, run=run_id).status == "interrupted", REAPED_SECONDS)
    left = site.row(everything, run=run_id)
    assert (left.told, left.entries, left.outcome) == ("interrupted", 1, "interrupted")
    site.first.signal(signal.SIGCONT)
    site.upstream.journal.wait_until_idle()
    rest = some(stream, 10_000)
    assert rest[-1][1] in {"done", "error"}
    assert site.row(everything, run=run_id) == left


def test_an_instance_that_ends_waits_for_no_answer_of_others(site: Site) -> None:
    """Its readers are let go at once, and find the answer where it is made."""
    _, run_id = begin(site, ENDLESS)
    follower = site.second.follow(run_id)
    events = iter(follower)
    while next(events)[0] != "token":
        pass
    site.second.process.send_signal(signal.SIGTERM)
    ended = time.monotonic()
    assert {name for name, _ in events} <= {"token"}
    site.second.process.wait(60)
    assert time.monotonic() - ended < FINISH_SECONDS - 5, "kept until its patience ends"
    ((number, _, _),) = some(site.first.follow(run_id, after=follower.last_id), 1)
    assert number == follower.last_id + 1


def test_an_instance_that_ends_does_not_wait_for_a_dead_one(site: Site) -> None:
    """Whose answer's end is known once its lease has run out, and not before."""
    site.upstream.script(ENDLESS)
    run_id = next(iter(site.second.chat("Go.")))[1]["run_id"]
    site.second.signal(signal.SIGKILL)
    follower = iter(site.first.follow(run_id))
    site.first.process.send_signal(signal.SIGTERM)
    site.first.process.wait(FINISH_SECONDS - 5)
    assert site.row("SELECT status FROM runs WHERE id = :run", run=run_id).status == "running"
    assert {name for name, _ in follower} <= {"start", "token"}
