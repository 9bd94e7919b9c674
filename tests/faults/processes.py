"""What happens to the servers' own processes, and to nginx."""

import time
from random import Random

from tests.faults.fault import fault
from tests.faults.site import Site
from tests.support.served import Visitor

WORKER = "worker SIGKILL in mid-answer"
TERM = "SIGTERM, rolling restart under load"
RELOAD = "nginx reload"
LOST = "instance lost"
READABLE_WITHIN = 3.0


@fault(WORKER, kills=True)
def worker_killed(site: Site, random: Random) -> None:
    number = random.randrange(2)
    answer = site.ask(random.randint(1, 4), words=60, via=[site.addresses[number], site.addresses[1 - number]])
    answer.wait_for_text()
    time.sleep(random.uniform(0, 0.5))
    instance = site.instances[number]
    instance.kill_worker(random.randrange(number + 1))
    _is_readable_elsewhere(site, answer.user, answer.ids["conversation_id"], site.addresses[1 - number])


@fault(LOST, weight=2, kills=True)
def instance_killed(site: Site, random: Random) -> None:
    number = random.randrange(2)
    answer = site.ask(random.randint(1, 4), words=60, via=[site.addresses[number], site.addresses[1 - number]])
    answer.wait_for_text()
    site.instances[number].kill()
    _is_readable_elsewhere(site, answer.user, answer.ids["conversation_id"], site.addresses[1 - number])
    other = site.ask(answer.user)
    assert other.wait() == "complete", (other.status, other.refusals)
    site.instances[number].start_again()


def _is_readable_elsewhere(site: Site, user: int, conversation_id: str, address: str) -> None:
    began = time.monotonic()
    reader = Visitor(address, site.people[user].headers)
    reply = reader.get(f"/api/conversations/{conversation_id}")
    assert reply.status == 200, reply.data
    assert len(reply.json()["messages"]) == 2
    assert time.monotonic() - began < READABLE_WITHIN


@fault(TERM, weight=2)
def instance_ended(site: Site, random: Random) -> None:
    number = random.randrange(2)
    answer = site.ask(random.randint(1, 4), words=60, via=[site.addresses[number], site.addresses[1 - number]])
    answer.wait_for_text()
    site.instances[number].end()
    assert answer.wait() == "complete", (answer.status, answer.codes)
    site.instances[number].start_again()


@fault(TERM, weight=1)
def rolling_restart(site: Site, random: Random) -> None:
    restart_all(site, 20)


@fault(TERM, weight=1)
def rolling_restart_under_200_streams(site: Site, random: Random) -> None:
    restart_all(site, 200)


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
