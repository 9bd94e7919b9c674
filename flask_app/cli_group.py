"""Commands whose failures are a sentence and an exit code, as they are elsewhere in the application."""

from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from flask_app.errors import AppError
from flask_app.i18n import translate


class Group(AppGroup):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AppError as error:
            raise click.ClickException(translate("en", f"error.{error.code}", **error.params)) from error
        except DBAPIError as error:
            raise click.ClickException(f"The database does not answer: {error.orig}") from error
