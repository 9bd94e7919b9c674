"""`flask models …`: names, successors and who writes titles, from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import title_setting
from flask_app.services.providers import environment_key, key_admin_service, model_admin_service
from tests.support.scripted_upstream import ScriptedUpstream

HOUSE = Actor(user=None)
FLASH, PRO = "deepseek-flash", "deepseek-v4-pro"


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["models", *arguments])


def aliases() -> list[str]:
    return next(each.aliases for each in model_admin_service.listed() if each.model.name == FLASH)


def test_models_are_listed_and_named(app: Flask, upstream: ScriptedUpstream) -> None:
    key_admin_service.listed()  # the environment's key is stored at first use
    key_admin_service.test(HOUSE, environment_key.ID)
    head, *lines = run(app, "list").output.splitlines()
    assert head.split() == ["MODEL", "PROVIDER", "STATE", "ALIASES", "SUCCESSOR"]
    assert {FLASH, PRO} <= {line.split()[0] for line in lines}
    changed = run(app, "change", FLASH, "--alias", "fast", "--alias", "quick", "--successor", PRO)
    assert changed.output == f"{FLASH}\n", changed.output
    assert aliases() == ["fast", "quick"]
    assert run(app, "change", FLASH, "--context-tokens", "1000").exit_code == 0
    assert aliases() == ["fast", "quick"], "what is not named stays"
    (line,) = [each for each in run(app, "list").output.splitlines() if each.startswith(f"{FLASH} ")]
    assert line.endswith(PRO)
    assert run(app, "change", FLASH, "--sees-not").exit_code == 0
    assert run(app, "change", FLASH, "--context-tokens", "2000").exit_code == 0
    assert [each.model.sees for each in model_admin_service.listed() if each.model.name == FLASH] == [False]
    assert run(app, "change", FLASH, "--sees").exit_code == 0
    assert [each.model.sees for each in model_admin_service.listed() if each.model.name == FLASH] == [True]
    assert run(app, "change", FLASH, "--no-aliases", "--successor", "").exit_code == 0
    assert aliases() == []
    assert run(app, "change", "nobody").output == "Error: There is no model nobody.\n"


def test_titles_are_written_by_a_model_or_by_none(app: Flask, upstream: ScriptedUpstream) -> None:
    key_admin_service.listed()
    key_admin_service.test(HOUSE, environment_key.ID)
    assert run(app, "titles", FLASH).output == f"{FLASH}\n"
    assert title_setting.chosen()
    assert run(app, "titles").output == "first words\n"
    assert title_setting.chosen() is None
    assert run(app, "titles", "nobody").exit_code == 1
    assert run(app, "titles", "--default").output == "the model that new chats begin with\n"
    assert title_setting.chosen() == title_setting.DEFAULT
    assert run(app, "titles", FLASH, "--default").exit_code == 2
