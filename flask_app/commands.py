"""The door to the command line. What lies behind it is loaded once somebody asks for a command: a server does not."""

from functools import cached_property

import click
from flask import Flask
from flask.cli import AppGroup


class Commands(AppGroup):
    """All commands of `flask`, by name."""

    @cached_property
    def _known(self) -> dict[str, click.Command]:
        from flask_app.cli import COMMANDS  # and with it what only commands need

        return {command.name or "": command for command in COMMANDS}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it over
        return sorted(self._known)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        return self._known.get(cmd_name)


def init_app(app: Flask) -> None:
    app.cli = Commands(name=app.name)
