"""`flask system`: how the site stands, as *Admin → System* shows it, from a terminal."""

import click

from flask_app import config
from flask_app.cli_group import Command, moment, show
from flask_app.services.operations import disk, system_service
from flask_app.services.operations.process_service import Seen
from flask_app.services.operations.system_service import Check


@click.command("system", cls=Command)
def system() -> None:
    """What all instances say of themselves: checks, processes that serve, what is done on schedule, keys in trouble.

    Nothing is asked of providers or mail servers: `flask doctor` does that.
    """
    found = system_service.looked()
    click.echo(f"MingChat {config.VERSION}, {config.current().instance_dir}\n")
    show(("STATE", "CHECK", "FACTS"), [_check(each) for each in found.checks])
    click.echo()
    heads = ("HOST", "PROCESS", "VERSION", "STATE", "STARTED", "SEEN", "FREE MB", "WAITING")
    show(heads, [_process(each) for each in found.processes])
    click.echo()
    jobs = sorted(found.jobs.items())
    show(("JOB", "ENDED", "WENT"), [(name, moment(ran.at), "badly" if ran.failed else "well") for name, ran in jobs])
    if found.troubled:
        click.echo()
        keys = [(each.key.label, each.state, each.key.bench_code or "-") for each in found.troubled]
        show(("KEY", "STATE", "WHY"), keys)


def _check(check: Check) -> tuple[str, ...]:
    return check.state, check.code, ", ".join(f"{name} {value}" for name, value in check.facts.items()) or "-"


def _process(seen: Seen) -> tuple[str, ...]:
    """`WAITING`: entries of its host's journal that are yet to be booked."""
    row = seen.row
    state = "silent" if seen.is_silent else "serves"
    when = (moment(row.started_at), moment(row.seen_at))
    return (
        row.host,
        str(row.process),
        row.version,
        state,
        *when,
        f"{row.free_bytes // disk.MEGABYTE:,}",
        f"{row.waiting:,}",
    )
