"""A backup in an empty stack with the same keys and with others, and a key that seals in the place of another."""

import secrets

from tests.compose.conftest import Stack
from tests.compose.talk import whole
from tests.support.served import ROOT

BACK_UP = "docker compose exec -T flask-app flask backup - > mingchat.tar.gz"
RESTORE = (
    "docker compose run --rm -T migrate flask restore - < mingchat.tar.gz",
    "docker compose up -d",
)
ROTATE = "docker compose exec flask-app flask secrets rotate"


def read(*names: str) -> list[str]:
    return [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in names]


def test_a_backup_is_restored_into_an_empty_stack_as_the_guides_say(stack: Stack) -> None:
    guides = read("deployment.md", "部署指南.md")
    assert all(command in guide for guide in guides for command in (BACK_UP, *RESTORE))
    back_up_and_restore(stack)


def test_a_backup_is_restored_where_the_keys_are_others(stack: Stack) -> None:
    """What the old key had sealed is sealed with the new one: the provider is asked with its own key as before."""
    before = stack.site.settings
    back_up_and_restore(stack, SECRET_KEY=secrets.token_hex(32), ENCRYPTION_KEY=secrets.token_hex(32))
    assert stack.site.settings["ENCRYPTION_KEY"] != before["ENCRYPTION_KEY"]


def back_up_and_restore(stack: Stack, **settings: str) -> None:
    """`settings` are what the new server's .env has instead of the old one's."""
    assert whole(stack.admin)[0] == "done"
    conversations = stack.admin.get("/api/conversations").json()
    stack.site.shell(BACK_UP)
    stack.site.remove()  # with its volumes; what .env says stays
    stack.site.change(**settings)
    for command in RESTORE:
        stack.site.shell(command)
    stack.wait_until_ready()
    assert stack.admin.get("/api/conversations").status == 401, "everybody signs in again"
    stack.sign_in()
    assert stack.admin.get("/api/conversations").json() == conversations
    assert stack.admin.get("/api/admin/keys").status == 200
    assert_the_key_is_read(stack)


def assert_the_key_is_read(stack: Stack) -> None:
    """The provider's."""
    asked = len(stack.upstream.journal.chats)
    assert whole(stack.admin)[0] == "done"
    assert stack.upstream.journal.chats[asked].key == "sk-scripted-key"
    stack.assert_sound_ledger()


def test_another_key_seals_what_the_one_before_had_sealed_as_the_guides_say(stack: Stack) -> None:
    for guide in read("operations.md", "运维指南.md"):
        assert f"scripts/rolling-restart.sh\n{ROTATE}\n" in guide
    before = stack.site.settings["ENCRYPTION_KEY"]
    stack.site.change(ENCRYPTION_KEY=secrets.token_hex(32), OLD_ENCRYPTION_KEY=before)
    list(stack.site.restart())
    assert_the_key_is_read(stack)
    said = stack.site.shell(ROTATE.replace("exec", "exec -T"))
    assert "sealed with the new ENCRYPTION_KEY" in said
    assert not said.startswith("0 ")
    assert "could not be opened" not in said
    stack.site.forget("OLD_ENCRYPTION_KEY")
    list(stack.site.restart())
    assert stack.site.inside("flask-app", "sh", "-c", "echo $ENCRYPTION_KEY$OLD_ENCRYPTION_KEY") != before
    assert_the_key_is_read(stack)
