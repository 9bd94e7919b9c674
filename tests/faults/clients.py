"""What people and their browsers do."""

from random import Random

from tests.faults.fault import fault
from tests.faults.site import Site
from tests.faults.stopwatch import Stopwatch
from tests.support.brokers import wait_until

GONE = "browser gone, reload, three reconnects"
TWICE = "duplicate submit"
CLOSED_WITHIN = 1.0 + 1.0  # promised, and what a busy machine may take on top


@fault(GONE)
def browser_gone_for_a_while(site: Site, random: Random) -> None:
    answer = site.ask(random.randint(1, 4), words=60, leaves=(random.randint(1, 20),), away=random.uniform(0.2, 1.5))
    assert answer.wait() == "complete", (answer.status, answer.codes)


@fault(GONE)
def three_reconnects_across_instances(site: Site, random: Random) -> None:
    leaves = [random.randint(1, 15) for _ in range(3)]
    answer = site.ask(random.randint(1, 4), words=80, via=random.sample(site.addresses, 2), leaves=leaves)
    assert answer.wait() == "complete", (answer.status, answer.codes)
    assert answer.readings == 4


@fault(GONE)
def stopped_from_the_other_instance(site: Site, random: Random) -> None:
    answer = site.ask(random.randint(1, 4), words=400, via=site.addresses[:1])
    answer.wait_for_text()
    (request,) = site.requests(answer)
    watch = Stopwatch(*(instance.server.workers() for instance in site.instances))
    answer.stop(site.addresses[1])
    wait_until(lambda: request.outcome != "running")
    assert watch.seconds < CLOSED_WITHIN, (watch.seconds, watch.waited)
    assert request.closed_early
    assert answer.wait() == "stopped"


@fault(GONE)
def gone_on_with_after_a_stop(site: Site, random: Random) -> None:
    answer = site.ask(random.randint(1, 4), words=60)
    answer.wait_for_text()
    answer.stop(random.choice(site.addresses))
    assert answer.wait() == "stopped", (answer.status, answer.codes)
    answer.go_on(random.choice(site.addresses))


@fault(TWICE)
def sent_twice_at_once(site: Site, random: Random) -> None:
    user = random.randint(1, 4)
    first = site.ask(user, words=20, via=site.addresses[:1])
    second = site.begin(user, first.wish, via=site.addresses[1:])
    assert [first.wait(), second.wait()] == ["complete"] * 2
    assert first.ids["run_id"] == second.ids["run_id"]
    assert len(site.requests(first)) == 1
