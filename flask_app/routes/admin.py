"""The administrators' pages. Each starts with what its API would answer first."""

from flask import Blueprint, render_template

from flask_app import config, timezones
from flask_app.database import utc_now
from flask_app.services.assistants import assistant_terms, shared_assistants
from flask_app.services.audit import audit_search, audit_service
from flask_app.services.budgets import budget_admin_service, code_admin_service
from flask_app.services.gateway import request_retention, request_search
from flask_app.services.people import (
    group_models,
    group_service,
    invitation_admin_service,
    invitation_letters,
    people_search,
    registration_settings,
    user_admin_service,
)
from flask_app.services.prompts import prompt_terms, shared_prompts
from flask_app.services.providers import key_admin_service, model_admin_service, model_service
from flask_app.services.queries import paging
from flask_app.services.reconciliation import reconciliation_admin_service
from flask_app.services.runs import departure
from flask_app.services.site import overview_service, rate_admin_service, retention_settings
from flask_app.services.tariffs import currencies, tariff_list_service
from flask_app.services.tokens import token_admin_service
from flask_app.services.usage import record_counts, records_service, report_service
from flask_app.services.usage.stats_service import zone_of
from flask_app.utils import get_current_user, require_permission
from flask_app.web import arguments, own_address, pages
from flask_app.web.assistants import SharedAssistantsState, knowledge_state, shared_assistants_reply
from flask_app.web.audit import audit_reply
from flask_app.web.budgets import budgets_state
from flask_app.web.codes import batches_reply
from flask_app.web.groups import group_names, groups_reply
from flask_app.web.invitations import invitations_reply
from flask_app.web.keys import keys_reply
from flask_app.web.models import admin_models_reply, models_reply
from flask_app.web.people import users_reply
from flask_app.web.prompts import SharedPromptsState, asked, shared_prompts_reply
from flask_app.web.rates import all_rates
from flask_app.web.reconciliations import days_reply
from flask_app.web.records import all_records_reply
from flask_app.web.registrations import PeopleState, registrations_reply, settings_state
from flask_app.web.requests import RequestsState, all_requests_reply
from flask_app.web.shares import anybodys_shares_reply
from flask_app.web.system import system_reply
from flask_app.web.tariffs import prices_state
from flask_app.web.tokens import anybodys_tokens_reply
from flask_app.web.tools import tools_state
from flask_app.web.usage import Choice, RecordsState, overview_state
from flask_app.web.warnings import warnings_state

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("")
@require_permission("usage")
def overview() -> str:
    reader, now = get_current_user(), utc_now()
    report = report_service.site(reader, arguments.dates(), now)
    state = overview_state(overview_service.overview(reader, now), report)
    timezone = config.current().site_timezone
    return render_template("admin/overview.html", admin_state=pages.state(state), site_timezone=timezone)


@blueprint.get("/users")
@require_permission("people.see")
def users() -> str:
    page = user_admin_service.listed(**arguments.people_filter())
    first = users_reply(page)
    invited = invitations_reply(invitation_admin_service.listed())
    hindrance = invitation_letters.hindrance(own_address.for_letters())
    state = PeopleState(
        users=first.users,
        next=first.next,
        groups=group_names(),
        invited=invited,
        waiting=registrations_reply(),
        newcomers=registration_settings.terms().group_id,
    )
    return render_template("admin/users.html", admin_state=pages.state(state), no_letters=hindrance)


@blueprint.get("/groups")
@require_permission("groups")
def groups() -> str:
    listed = group_service.listed()
    return render_template(
        "admin/groups.html",
        admin_state=pages.state(groups_reply(listed)),
        grace_seconds=departure.GRACE_SECONDS,
        site_timezone=config.current().site_timezone,
        models=group_models.choices(counted.group for counted in listed),
        offered_currencies=currencies.offered(),
    )


@blueprint.get("/settings")
@require_permission("settings")
def settings() -> str:
    timezone = config.current().site_timezone
    return render_template(
        "admin/settings.html",
        admin_state=pages.state(settings_state()),
        site_timezone=timezone,
        audit_least=retention_settings.AUDIT_LEAST,
        allows_plain=config.current().allow_insecure_upstreams,
    )


@blueprint.get("/system")
@require_permission("system")
def system() -> str:
    return render_template("admin/system.html", admin_state=pages.state(system_reply()))


@blueprint.get("/limits")
@require_permission("limits")
def limits() -> str:
    state = pages.state(all_rates(rate_admin_service.listed()))
    return render_template("admin/limits.html", admin_state=state)


@blueprint.get("/prompts")
@require_permission("prompts")
def prompts() -> str:
    first = shared_prompts_reply(shared_prompts.listed(asked()))
    state = SharedPromptsState(prompts=first.prompts, next=first.next, groups=group_names())
    return render_template("admin/prompts.html", admin_state=pages.state(state), most_text=prompt_terms.MAX_TEXT)


@blueprint.get("/assistants")
@require_permission("assistants")
def assistants() -> str:
    page = shared_assistants_reply(shared_assistants.listed())
    state = SharedAssistantsState(
        assistants=page.assistants,
        next=page.next,
        knowledge=knowledge_state(),
        models=models_reply().models,
        groups=group_names(),
    )
    return render_template("admin/assistants.html", admin_state=pages.state(state), terms=assistant_terms)


@blueprint.get("/tools")
@require_permission("tools")
def tools() -> str:
    return render_template("admin/tools.html", admin_state=pages.state(tools_state()))


@blueprint.get("/budgets")
@require_permission("budgets")
def budgets() -> str:
    asked = arguments.word("person")
    person = people_search.one(asked) if asked else None
    state = pages.state(budgets_state(budget_admin_service.listed(utc_now(), person=asked), person))
    return render_template(
        "admin/budgets.html",
        admin_state=state,
        site_timezone=config.current().site_timezone,
        person=person,
        offered_currencies=currencies.offered(),
    )


@blueprint.get("/codes")
@require_permission("codes")
def codes() -> str:
    state = pages.state(batches_reply(code_admin_service.listed()))
    return render_template(
        "admin/codes.html",
        admin_state=state,
        site_timezone=config.current().site_timezone,
        offered_currencies=currencies.offered(),
    )


@blueprint.get("/tokens")
@require_permission("tokens")
def tokens() -> str:
    state = pages.state(anybodys_tokens_reply(token_admin_service.listed()))
    return render_template("admin/tokens.html", admin_state=state)


@blueprint.get("/shares")
@require_permission("shares")
def shares() -> str:
    return render_template("admin/shares.html", admin_state=pages.state(anybodys_shares_reply()))


@blueprint.get("/keys")
@require_permission("keys")
def keys() -> str:
    return render_template("admin/keys.html", admin_state=pages.state(keys_reply(key_admin_service.listed())))


@blueprint.get("/models")
@require_permission("models")
def models() -> str:
    reply = admin_models_reply(model_admin_service.listed())
    return render_template("admin/models.html", admin_state=pages.state(reply), has_key=model_service.has_key())


@blueprint.get("/prices")
@require_permission("prices")
def prices() -> str:
    state = pages.state(prices_state(tariff_list_service.listed(utc_now())))
    has_key = model_service.has_key()
    return render_template("admin/prices.html", admin_state=state, timezones=timezones.offered(), has_key=has_key)


@blueprint.get("/warnings")
@require_permission("warnings")
def warnings() -> str:
    address = get_current_user().email or ""
    return render_template("admin/warnings.html", admin_state=pages.state(warnings_state()), address=address)


@blueprint.get("/records")
@require_permission("records")
def records() -> str:
    reader, wanted = get_current_user(), arguments.record_filter()
    page = records_service.search(reader, wanted)
    first = all_records_reply(page)
    state = RecordsState(
        records=first.records,
        next=first.next,
        expected=record_counts.expected(reader, wanted),
        groups=group_names(),
        models=records_service.known_models(),
        keys=[Choice(id=key.id, label=key.label) for key in records_service.known_keys()],
        tokens=_tokens(),
    )
    return render_template("admin/records.html", admin_state=pages.state(state))


@blueprint.get("/requests")
@require_permission("requests")
def requests() -> str:
    first = all_requests_reply(request_search.search(get_current_user(), arguments.request_filter()))
    kept = request_retention.kept()
    state = RequestsState(
        requests=first.requests,
        next=first.next,
        models=records_service.known_models(),
        tokens=_tokens(),
        days=kept.days,
        groups=group_names(),
        group_days=dict(kept.groups),
    )
    return render_template("admin/requests.html", admin_state=pages.state(state), days=state.days)


@blueprint.get("/reconciliation")
@require_permission("reconciliation")
def reconciliation() -> str:
    page = reconciliation_admin_service.listed(arguments.dates(), utc_now())
    return render_template("admin/reconciliation.html", admin_state=pages.state(days_reply(page)))


@blueprint.get("/audit")
@require_permission("audit")
def audit() -> str:
    first = audit_reply(audit_search.search(zone_of(get_current_user()), arguments.audit_filter()))
    return render_template("admin/audit.html", admin_state=pages.state(first), actions=audit_service.ACTIONS)


def _tokens() -> list[Choice]:
    """The newest of everybody's."""
    listed = token_admin_service.listed(limit=paging.MAX_PAGE).tokens
    return [Choice(id=each.token.id, label=f"{each.token.name} · {each.username}") for each in listed]
