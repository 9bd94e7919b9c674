"""`flask mail`: does mail arrive?"""

import click

from flask_app.cli_group import Group
from flask_app.errors import DeliveryError
from flask_app.i18n import translate
from flask_app.services.audit.audit_service import Actor
from flask_app.services.warnings import warning_admin_service

mail = Group("mail", help="Mail by the server that the SMTP_… settings name.")


@mail.command("test")
@click.argument("address")
def test(address: str) -> None:
    """Send a mail to ADDRESS that says nothing but that it arrived."""
    try:
        warning_admin_service.test_mail(Actor(user=None), address, "en")
    except DeliveryError as error:
        words = translate("en", f"error.{error.code}")
        raise click.ClickException(f"{words} ({error.detail})" if error.detail else words) from error
    click.echo(f"The mail server has taken it. Look into the inbox of {address}.")
