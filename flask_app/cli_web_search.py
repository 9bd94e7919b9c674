"""`flask site search`: who searches the web, from a terminal."""

import click

from flask_app.cli_budgets import COMMAND_LINE, shown_amount
from flask_app.database import new_id
from flask_app.domain.serving import SEARXNG
from flask_app.errors import AppError
from flask_app.services.people import user_admin_service
from flask_app.services.web_search import search_admin_service, trial
from flask_app.services.web_search.search_admin_service import Standing
from flask_app.services.web_search.search_settings import DEEPSEEK, KINDS, OFF


@click.command("search")
@click.argument("engine", required=False, type=click.Choice(KINDS))
@click.argument("whose", metavar="[PROVIDER|URL]", required=False)
def search(engine: str | None, whose: str | None) -> None:
    """Say who looks questions up on the web: deepseek PROVIDER, searxng URL, or off. Without them, who does.

    PROVIDER is one of those that have an API key, by its name: its account is billed for each search.
    """
    if engine is not None:
        if (engine == OFF) == bool(whose):
            raise click.UsageError("give deepseek PROVIDER, searxng URL, or off alone")
        _choose(engine, whose or "")
    _show(search_admin_service.standing())


@click.command("try-search")
@click.argument("words", nargs=-1, required=True)
@click.option("--user", required=True, help="The person whom it is booked to, by their name.")
def try_search(words: tuple[str, ...], user: str) -> None:
    """Make one real search for WORDS by whoever was chosen, and say what was found; status 1 where it fails."""
    person = user_admin_service.by_name(user)
    made = trial.make(COMMAND_LINE, person, " ".join(words), request_id=new_id())
    if made.search.error_code:
        raise AppError(made.search.error_code)
    for source in made.search.sources:
        click.echo(f"[{source.number}] {source.title}\n    {source.url}")
    click.echo(f"Found {len(made.search.sources)} pages in {made.latency_ms / 1000:.1f} seconds.")


def _choose(engine: str, whose: str) -> None:
    if engine == OFF:
        search_admin_service.switch_off(COMMAND_LINE)
    elif engine == DEEPSEEK:
        search_admin_service.use_deepseek(COMMAND_LINE, _named(whose))
    else:
        search_admin_service.use_searxng(COMMAND_LINE, whose)


def _named(name: str) -> str:
    """The id of the only provider that is called so."""
    found = [each.id for each in search_admin_service.standing().offered if each.name == name]
    if len(found) != 1:
        raise click.ClickException(f"There {'are several providers' if found else 'is no provider'} {name} with a key.")
    return found[0]


def _show(found: Standing) -> None:
    chosen = found.chosen
    if chosen is None:
        click.echo("Nobody searches the web.")
        return
    if chosen.kind == SEARXNG:
        click.echo(f"SearXNG: {chosen.base_url}\na search costs: nothing")
        return
    cost = "(no price)" if found.price is None else shown_amount(found.price, chosen.currency)
    click.echo(f"DeepSeek: {chosen.provider}\na search costs: {cost}")
    if not chosen.usable:
        click.echo("It has no key that can be asked: nobody can search.")
