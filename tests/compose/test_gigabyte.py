"""All of it within one gigabyte: the engine too, from the installation to answers."""

from tests.compose.conftest import Stack, set_up
from tests.compose.measured import BYTES
from tests.compose.site import SERVICES
from tests.compose.talk import ANSWER, assert_whole, streaming

GIGABYTE = 1 << 30
STREAMS = 20


def test_a_site_is_installed_set_up_and_answers_within_a_gigabyte(stack: Stack) -> None:
    """Its image is there already. What the kernel and the rest of a server take comes beside."""
    group = stack.site.engine.group
    stack.site.remove()  # with its volumes
    group.limit(GIGABYTE)
    try:
        stack.site.said = stack.site.install()
        stack.admin = set_up(stack.site, stack.upstream)
        BYTES["installed within 1 GB, Docker too"] = group.used()
        with streaming(stack, STREAMS, ANSWER) as answers:
            BYTES[f"within 1 GB, {STREAMS} streams, Docker too"] = group.used()
        assert_whole(answers, ANSWER.text)
        stack.assert_sound_ledger()
        assert group.killed() == 0
        assert [stack.site.inspect(service)[0]["RestartCount"] for service in SERVICES] == [0] * len(SERVICES)
    finally:
        group.limit(None)
