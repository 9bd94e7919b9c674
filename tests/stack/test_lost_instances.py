"""What nginx makes of instances that are lost: the other one serves, and without any a page says so."""

from tests.stack.site import Stack
from tests.support.brokers import wait_until


def test_the_other_instance_serves_when_one_is_lost(stack: Stack) -> None:
    stack.instances[0].kill()
    try:
        assert [stack.admin.get("/api/conversations").status for _ in range(6)] == [200] * 6
    finally:
        stack.instances[0].start_again()


def test_a_page_says_so_while_there_is_no_instance(stack: Stack) -> None:
    for instance in stack.instances:
        instance.kill()
    try:
        told = stack.visitor().get("/login")
        assert (told.status, told.headers["Retry-After"], told.headers["Cache-Control"]) == (502, "5", "no-store")
        assert told.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "MingChat" in told.data.decode()
    finally:
        for instance in stack.instances:
            instance.start_again()
    wait_until(lambda: {stack.visitor().get("/readyz").status for _ in range(6)} == {200})  # each of nginx's workers
