"""What happens to the servers' own processes, and to nginx."""

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from tests.faults.exchange import Exchange
from tests.faults.fault import fault
from tests.faults.instance import Instance
from tests.faults.programs import RESTARTING, Program
from tests.faults.site import FRUGAL, PEOPLE, Site
from tests.faults.stopwatch import Stopwatch
from tests.support.brokers import wait_until
from tests.support.served import Visitor

WORKER = "worker SIGKILL in mid-answer"
TERM = "SIGTERM, rolling restart under load"
RELOAD = "nginx reload"
LOST = "instance lost"
READABLE_WITHIN = 3.0
KEPT_WITHIN = 2.0 + 0.5  # promised, and what writing takes
COMES_BACK_SECONDS = 3
# Of the 200 streams these take longer than an instance that is ended waits for them, and no longer than one may take.
LONG_STREAMS = 40
PATIENT = {"ANSWERS_MAY_FINISH_SECONDS": "10", "UPSTREAM_TOTAL_SECONDS": "60"}
MESSAGES = 5  # that a person may send in a minute
_BOOKED = "SELECT source FROM token_usage WHERE message_id = :message ORDER BY id"


@fault(WORKER, kills=True)
def worker_killed(site: Site, random: Random) -> None:
    number = random.randrange(2)
    _dies_in_mid_answer(site, random, number, lambda: site.instances[number].kill_worker(random.randrange(number + 1)))


@fault(LOST, weight=2, kills=True)
def instance_killed(site: Site, random: Random) -> None:
    number = random.randrange(2)
    _dies_in_mid_answer(site, random, number, site.instances[number].kill)
    _others_serve(site, random, number)
    site.instances[number].start_again()


@fault(LOST, weight=1, kills=True)
def instance_hangs(site: Site, random: Random) -> None:
    """For longer than its leases: its answers are ended elsewhere, and gone on with there while it comes back."""
    number = random.randrange(2)
    instance = site.instances[number]
    try:
        answer = _dies_in_mid_answer(site, random, number, instance.halt, leaves=(40,))
        _others_serve(site, random, number)
        assert answer.wait() == "interrupted", answer.status
        with ThreadPoolExecutor(1) as page:
            rest = page.submit(answer.go_on, site.addresses[1 - number])
            time.sleep(random.uniform(0, 1))
            instance.resume()
            rest.result()
    finally:
        instance.resume()
    time.sleep(COMES_BACK_SECONDS)


def _dies_in_mid_answer(
    site: Site, random: Random, number: int, die: Callable[[], None], leaves: Sequence[int] = ()
) -> Exchange:
    """What was said two seconds before can be read on the other instance, at once."""
    via = [site.addresses[number], site.addresses[1 - number]]
    workers = site.instances[number].server.workers()
    machine = Stopwatch(workers, [site.database.pid])
    answer = site.ask(random.randint(1, 4), words=200, rate=40, via=via, leaves=leaves)
    answer.wait_for_text()
    time.sleep(random.uniform(2, 4.5))
    died, late = time.monotonic(), machine.waited
    die()
    said = answer.text_at(died - KEPT_WITHIN - late)
    watch = Stopwatch(site.instances[1 - number].server.workers(), [site.database.pid])
    reply = Visitor(via[1], site.people[answer.user].headers).get(f"/api/conversations/{answer.ids['conversation_id']}")
    assert watch.seconds < READABLE_WITHIN, (watch.seconds, watch.waited)
    assert reply.status == 200, reply.data
    _, told = reply.json()["messages"]
    assert told["text"].startswith(said), f"said {said[-40:]!r}, readable {told['text'][-40:]!r}"
    return answer


def _others_serve(site: Site, random: Random, number: int) -> None:
    other = site.ask(random.randint(1, 4), via=[site.addresses[1 - number]])
    assert other.wait() == "complete", (other.status, other.refusals)


@fault(TERM, weight=2)
def instance_ended(site: Site, random: Random) -> None:
    number = random.randrange(2)
    answer = site.ask(random.randint(1, 4), words=60, via=[site.addresses[number], site.addresses[1 - number]])
    answer.wait_for_text()
    site.instances[number].end()
    assert answer.wait() == "complete", (answer.status, answer.codes)
    site.instances[number].start_again()


@fault(TERM, weight=1)
def instance_ended_before_its_answer(site: Site, random: Random) -> None:
    """Answers take longer than an instance waits for them: another goes on with those of people; programs are told.

    A person sends as many messages as one may in a minute: to go on with what a restart broke off is none.
    """
    number = random.randrange(2)
    ended, other = site.instances[number], site.instances[1 - number]
    ended.end()
    ended.start_again(ANSWERS_MAY_FINISH_SECONDS="3")
    _wait_for_a_fresh_minute(site)
    program = Program.of(site, random.randint(1, PEOPLE), ended.base_url)
    calls = [program.begin(words=100, rate=10, is_stream=is_stream) for is_stream in (True, False)]
    with ThreadPoolExecutor(len(calls)) as both:
        both.map(program.ask, calls)
        answers = [site.ask(FRUGAL, words=100, rate=10, via=[ended.base_url, other.base_url]) for _ in range(MESSAGES)]
        for answer in answers:
            answer.wait_for_text()
        wait_until(lambda: all(site.requests(call) for call in calls))
        ended.end()
    assert [answer.wait() for answer in answers] == ["interrupted"] * MESSAGES, [answer.status for answer in answers]
    assert [(call.told, call.failure) for call in calls] == [(None, RESTARTING)] * 2, calls
    _is_at_the_limit(site, other)
    for answer in answers:
        answer.go_on(other.base_url)
        sources = [entry.source for entry in site.rows(_BOOKED, message=answer.ids["message_id"])]
        assert sources == ["estimated", "reported"], sources


def _wait_for_a_fresh_minute(site: Site) -> None:
    asked = [exchange.began_at for exchange in site.exchanges if exchange.user == FRUGAL]
    if asked:
        time.sleep(max(0, asked[-1] + 61 - time.monotonic()))


def _is_at_the_limit(site: Site, instance: Instance) -> None:
    further = site.ask(FRUGAL, via=[instance.base_url], insists=False)
    assert further.wait() == "refused", further.status
    assert further.refusals == [(429, "chat_rate_limited")], further.refusals


@fault(TERM, weight=1)
def rolling_restart(site: Site, random: Random) -> None:
    restart_all(site, 20)


@fault(TERM, weight=1)
def rolling_restart_under_200_streams(site: Site, random: Random) -> None:
    """Some of them take longer than an instance waits: they end with what there is, and are gone on with elsewhere."""
    for instance in site.instances:
        instance.end()
        instance.start_again(**PATIENT)
    site.wait_until_whole()
    long = [site.ask(1 + number % 4, words=200, rate=10) for number in range(LONG_STREAMS)]
    restart_all(site, 200 - LONG_STREAMS)
    ends = [answer.wait() for answer in long]
    assert set(ends) <= {"complete", "interrupted"}, {end: ends.count(end) for end in ends}
    broken = [answer for answer in long if answer.status == "interrupted"]
    assert broken, "every answer was over in time"
    # In turn: the provider completes the answers of one instance as prefixes, the other's it is asked for in words.
    with ThreadPoolExecutor(len(broken)) as pages:
        list(pages.map(Exchange.go_on, broken, itertools.cycle(site.addresses)))


def restart_all(site: Site, streams: int, words: int = 60) -> None:
    """Both instances, one after the other, while so many answers are being made: each must end whole."""
    answers = [site.ask(1 + number % 4, words=words, rate=10) for number in range(streams)]
    for answer in answers:
        answer.wait_for_text()
    for instance in site.instances:
        instance.end()
        instance.start_again()
    ends = [answer.wait() for answer in answers]
    assert ends == ["complete"] * streams, {end: ends.count(end) for end in ends}


@fault(RELOAD)
def nginx_reloaded(site: Site, random: Random) -> None:
    answers = [site.ask(user, words=40, rate=60) for user in (1, 2)]
    for answer in answers:
        answer.wait_for_text()
    site.nginx.reload()
    assert [answer.wait() for answer in answers] == ["complete"] * 2
    assert [answer.readings for answer in answers] == [1, 1], "a stream was broken"
