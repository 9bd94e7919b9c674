"""Several instances of the application: they are one site, and one after the other is replaced by a new one."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from tests.compose.books import booked_once
from tests.compose.conftest import Stack
from tests.compose.measured import BYTES
from tests.compose.site import METRICS_TOKEN, PATIENTLY, SERVICES
from tests.compose.talk import ANSWER, LONG, WORDS, assert_whole, streaming
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate, pieces
from tests.support.served import PASSWORD, Stream, Visitor

STREAMS = 100
SOME = 20  # words
REQUESTS = 20
NEWCOMER, ALLOWED, BUDGET = "newcomer", 4, 5000


def test_two_instances_serve_one_site(stack: Stack) -> None:
    with instances(stack, 2):
        assert [stack.admin.get("/api/conversations").status for _ in range(REQUESTS)] == [200] * REQUESTS


def test_three_instances_share_a_session_a_limit_and_a_budget(stack: Stack) -> None:
    member = newcomer(stack)
    with instances(stack, 3), answering(stack, ANSWER):
        assert [member.get("/api/conversations").status for _ in range(REQUESTS)] == [200] * REQUESTS
        stack.site.inside("flask-app", "flask", "rates", "set", "messages", f"{ALLOWED} per hour")
        assert sorted(statuses(member, 3 * ALLOWED)) == [200] * ALLOWED + [429] * 2 * ALLOWED
        stack.site.inside("flask-app", "flask", "rates", "set", "messages", "inherited")
        stack.site.inside("flask-app", "flask", "budgets", "set", "day", "--user", NEWCOMER, str(BUDGET))
        assert 429 in statuses(member, 3 * ALLOWED), "the first one reserves all of it while it streams"
        (budget,) = stack.admin.get("/api/admin/budgets").json()["budgets"]
        assert 0 < budget["used"] <= BUDGET
    stack.assert_sound_ledger()


@contextmanager
def answering(stack: Stack, answer: Answer) -> Iterator[None]:
    """Whoever asks the provider meanwhile gets this."""
    before, stack.upstream.default = stack.upstream.default, answer
    yield
    stack.upstream.default = before


def newcomer(stack: Stack) -> Visitor:
    account = {"username": NEWCOMER, "password": PASSWORD}
    assert stack.admin.post("/api/admin/users", account).status == 201
    member = stack.visitor()
    member.sign_in(member.post("/api/login", account))
    return member


def statuses(visitor: Visitor, count: int) -> list[int]:
    """What is replied to so many messages at once, each answer read to its end."""
    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(visitor.post, "/api/chat", {"message": "hello"}) for _ in range(count)]
        return [each.result().status for each in asked]


def test_a_stream_is_followed_from_instances_that_do_not_make_it(stack: Stack) -> None:
    """As by a page that is loaded anew in the middle of an answer: any of them may be asked."""
    half = Gate(SOME)
    stack.upstream.script(replace(ANSWER, gate=half))
    with instances(stack, 3) as three, booked_once(stack, ANSWER.text, 1):
        conversation, last_id, text = half_an_answer(stack.admin)
        assert sorted(being_made(stack, each) for each in three) == [0, 0, 1]
        runs = {each: running_in(stack.at(each), conversation) for each in three}
        anew = {each: stack.at(each).follow(run) for each, run in runs.items()}
        further = {each: stack.at(each).follow(run, last_id) for each, run in runs.items()}
        half.let_go()
        assert {each: words(stream) for each, stream in anew.items()} == dict.fromkeys(three, ANSWER.text)
        rest = ANSWER.text.removeprefix(text)
        assert {each: words(stream) for each, stream in further.items()} == dict.fromkeys(three, rest)


def half_an_answer(visitor: Visitor) -> tuple[str, int, str]:
    """The conversation, the number of the last event and the words that somebody has who goes then."""
    stream, conversation, text = visitor.chat("hello"), "", ""
    for name, data in stream:
        if name == "start":
            conversation = data["conversation_id"]
        elif name == "token":
            text += data["text"]
            if len(pieces(text)) == SOME:
                break
    stream.close()
    return conversation, stream.last_id, text


def running_in(visitor: Visitor, conversation: str) -> str:
    """The run that a page finds there."""
    last = visitor.get(f"/api/conversations/{conversation}").json()["messages"][-1]
    assert last["status"] == "running"
    return str(last["run_id"])


def words(stream: Stream) -> str:
    """Of an answer that is done at its end."""
    name, text = "", ""
    for name, data in stream:
        text += data["text"] if name == "token" else ""
    assert name == "done"
    return text


def being_made(stack: Stack, instance: str) -> int:
    """Answers, by what the instance says of itself."""
    visitor = stack.at(instance)
    visitor.headers["Authorization"] = f"Bearer {METRICS_TOKEN}"
    shown = visitor.get("/metrics").data.decode()
    return int(float(re.findall(r"^mingchat_answers_running (\S+)$", shown, re.M)[0]))


def test_a_rolling_restart_breaks_no_stream(stack: Stack) -> None:
    began = time.time()
    half = Gate(WORDS // 2, WORDS + 1)  # there they wait until an instance is to end, and go on at the same pace
    with (
        instances(stack, 2),
        booked_once(stack, LONG.text, STREAMS),
        streaming(stack, STREAMS, replace(LONG, gate=half)) as answers,
    ):
        before = stack.site.containers("flask-app")
        note_what_they_took(stack)
        said = stack.site.restart()
        assert "may finish its answers" in next(said)
        half.let_go()
        assert not any(answer.done() for answer in answers), "all of them go on while the first instance is to end"
        assert list(said)
        after = stack.site.containers("flask-app")
        assert len(set(after) - set(before)) == 2
        scale(stack, 2)
        assert set(stack.site.containers("flask-app")) == set(after), "they are as if Compose had made them so"
        assert_whole(answers, LONG.text)
    assert short_of_memory(stack, began) == ""


def note_what_they_took(stack: Stack) -> None:
    """Each container at most, while the instances carry the hundred streams and half of the words are out."""
    sent = LONG.text.split()[: WORDS // 2]
    wait_until(lambda: all(each.text_sent.split() == sent for each in stack.upstream.journal.chats[-STREAMS:]), 120)
    carried = [being_made(stack, each) for each in addresses(stack)]
    assert min(carried) > 0
    assert sum(carried) == STREAMS
    for service in SERVICES:
        BYTES[f"{service} at most"] = max(stack.site.peaks(service))


def test_a_changed_setting_of_nginx_comes_with_a_rolling_restart(stack: Stack) -> None:
    file = stack.site.folder / "nginx/nginx.conf"
    before = file.read_text()
    file.write_text(before.replace("max-age=31536000", "max-age=31536001"))
    file.chmod(0o600)
    try:
        assert list(stack.site.restart())
        wait_until(lambda: "31536001" in stack.visitor().get("/login").headers["Strict-Transport-Security"], 60)
    finally:
        file.write_text(before)
        stack.site.inside("nginx", "nginx", "-s", "reload")


def short_of_memory(stack: Stack, since: float) -> str:
    """What the engine tells of containers that met their limit from then on, those that are gone too."""
    told = ("--since", f"{since:.0f}", "--until", f"{time.time():.0f}")
    return stack.site.engine.docker("events", *told, "--filter", "event=oom")


@contextmanager
def instances(stack: Stack, count: int) -> Iterator[set[str]]:
    """Their addresses, once nginx asks all of them; only one is left after the block, and nginx knows."""
    before = stack.site.containers("flask-app")
    scale(stack, count)
    assert set(before) < set(stack.site.containers("flask-app")), "the one that served goes on"
    several = addresses(stack)
    try:
        wait_until(lambda: served(stack) == several, 60)
        yield several
    finally:
        scale(stack, 1)
    wait_until(lambda: served(stack) == addresses(stack), 60)


def scale(stack: Stack, count: int) -> None:
    stack.site.compose("up", "-d", *PATIENTLY, "--scale", f"flask-app={count}")
    assert len(stack.site.containers("flask-app")) == count


def addresses(stack: Stack) -> set[str]:
    instances = stack.site.inspect("flask-app")
    return {instance["NetworkSettings"]["Networks"]["mingchat_front"]["IPAddress"] for instance in instances}


def served(stack: Stack) -> set[str]:
    """The addresses of the instances that nginx asks now, those in vain too."""
    for _ in range(REQUESTS):
        stack.visitor().get("/healthz")
    log = stack.site.compose("logs", "--no-log-prefix", "--tail", str(REQUESTS), "nginx")
    asked = re.findall(r'"instance":"([^"]*)"', log)
    return {address.removesuffix(":5000") for each in asked for address in each.split(", ")}
