"""`flask models`: the models that the providers list, from a terminal."""

import click

from flask_app.cli_group import Group, show
from flask_app.database import new_id
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import title_setting
from flask_app.services.embedding import choosing, embedding_setting
from flask_app.services.people import user_admin_service
from flask_app.services.providers import model_admin_service
from flask_app.services.providers.model_admin_service import ModelStatus, Settings

COMMAND_LINE = Actor(user=None)
OFF = {"off", "none"}

models = Group("models", help="The models that the providers list.")


@models.command("list")
def list_models() -> None:
    """Every model, those that are offered first."""
    found = model_admin_service.listed()
    names = {each.model.id: each.model.name for each in found}
    show(("MODEL", "PROVIDER", "STATE", "ALIASES", "SUCCESSOR"), [_row(each, names) for each in found])


@models.command("change")
@click.argument("model")
@click.option("--provider", help="Of which provider, where several list it.")
@click.option("--alias", "aliases", multiple=True, help="Another name of it; all that it has, one option each.")
@click.option("--no-aliases", is_flag=True, help="It has no other name any more.")
@click.option("--successor", help="Who follows once it is gone; an empty one: nobody.")
@click.option("--sees/--sees-not", "sees", default=None, help="May pictures be sent to it?")
@click.option("--context-tokens", type=int, help="The size of its context window; 0: not known.")
def change(model: str, provider: str | None, aliases: tuple[str, ...], *, no_aliases: bool, **others: object) -> None:
    """Give a model other names or a successor, say how much it takes or whether it sees; what is not named stays."""
    found = _named(model, provider)
    successor, size = others["successor"], others["context_tokens"]
    wanted = Settings(
        successor_id=found.model.successor_id if successor is None else _id_of(str(successor), provider),
        aliases=aliases or ([] if no_aliases else found.aliases),
        context_tokens=found.model.context_tokens if size is None else int(str(size)) or None,
        sees=None if others["sees"] is None else bool(others["sees"]),
    )
    model_admin_service.change(COMMAND_LINE, found.model.id, wanted)
    click.echo(found.model.name)


@models.command("titles")
@click.argument("model", required=False)
@click.option("--provider", help="Of which provider, where several list it.")
@click.option("--default", is_flag=True, help="The model that new chats begin with.")
def titles(model: str | None, provider: str | None, *, default: bool) -> None:
    """Have MODEL write the titles of conversations; without one their first words are."""
    if default and model:
        raise click.UsageError("Either MODEL or --default.")
    title_setting.choose(COMMAND_LINE, title_setting.DEFAULT if default else _id_of(model, provider))
    click.echo("the model that new chats begin with" if default else model or "first words")


@models.command("embeddings")
@click.argument("model", required=False)
@click.option("--provider", help="Of which provider, where several list it.")
@click.option("--user", help="The person whom the vector is booked to that MODEL is asked for first, by their name.")
def embeddings(model: str | None, provider: str | None, user: str | None) -> None:
    """Have MODEL make the vectors that documents are searched with, or off: by words alone. Without it, say who does.

    MODEL is asked for one vector first, and is not chosen where none comes.
    """
    if model in OFF:
        embedding_setting.choose(COMMAND_LINE, None)
    elif model is not None:
        if user is None:
            raise click.UsageError("Whom is the vector booked to that MODEL is asked for first? Give --user NAME.")
        person = user_admin_service.by_name(user)
        choosing.choose(COMMAND_LINE, person, _named(model, provider).model.id, request_id=new_id())
    chosen = embedding_setting.chosen()
    click.echo(embedding_setting.name_of(chosen) if chosen else "words alone")


def _id_of(model: str | None, provider: str | None) -> str | None:
    return _named(model, provider).model.id if model else None


def _named(model: str, provider: str | None) -> ModelStatus:
    listed = model_admin_service.listed()
    found = [each for each in listed if each.model.name == model and provider in {None, each.provider}]
    if len(found) != 1:
        raise click.ClickException(f"There {'are several models' if found else 'is no model'} {model}.")
    return found[0]


def _row(status: ModelStatus, names: dict[str, str]) -> tuple[str, ...]:
    state = "offered" if status.offered else "listed" if status.model.listed else "gone"
    successor = names.get(status.model.successor_id or "", "-")
    return (status.model.name, status.provider, state, ", ".join(status.aliases) or "-", successor)
