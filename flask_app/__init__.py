"""MingChat: a self-hosted AI chat in which every token is accounted for."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from flask_app import commands, database, error_reports, logs, streams, tracing
from flask_app import config as settings
from flask_app.config import Config
from flask_app.routes import (
    account,
    admin,
    admin_assistants,
    admin_audit,
    admin_budgets,
    admin_codes,
    admin_directories,
    admin_groups,
    admin_identities,
    admin_invitations,
    admin_keys,
    admin_models,
    admin_prompts,
    admin_providers,
    admin_rates,
    admin_reconciliations,
    admin_registrations,
    admin_requests,
    admin_settings,
    admin_shares,
    admin_system,
    admin_tariffs,
    admin_tokens,
    admin_tools,
    admin_usage,
    admin_users,
    admin_warnings,
    admin_web_search,
    api,
    assistants,
    auth,
    budgets,
    chat,
    conversations,
    dashboard,
    drafts,
    exports,
    files,
    folders,
    frames,
    gateway,
    health,
    identities,
    imports,
    installed,
    managed,
    messages,
    monitoring,
    own_data,
    passkeys,
    prompts,
    registration,
    requests,
    search,
    second_step,
    shared,
    shares,
    supervision,
    temporary,
    tokens,
    tool_calls,
    usage,
)
from flask_app.services.providers import environment_key
from flask_app.services.runs import run_service
from flask_app.services.site import windows
from flask_app.web import (
    assets,
    client,
    compression,
    context,
    cross_origin,
    csrf,
    failures,
    garbage,
    headers,
    limits,
    long_bodies,
    measures,
    program_limits,
    programs,
    sessions,
    unknown_hosts,
)


class _Site(Flask):
    """Has no view of asyncio: none need be looked at for being one, a dozen functions a request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(config: Config | None = None) -> Flask:
    """The application, wired; it opens no connection and migrates nothing."""
    config = config or Config.from_environment()
    environment_key.check(config)
    settings.install(config)
    logs.set_up(config)
    tracing.set_up(config)
    error_reports.set_up(config)
    database.connect(config.database_url)
    streams.connect(config.redis_url, run_service.WORKER)
    windows.connect(config.redis_url)

    app = _Site(__name__, static_folder=None)
    app.config["TRUSTED_HOSTS"] = list(config.allowed_hosts)
    rooms = (
        measures,
        client,
        compression,
        headers,
        context,
        sessions,
        limits,
        long_bodies,
        programs,
        program_limits,
        cross_origin,
        csrf,
        failures,
        unknown_hosts,
        assets,
        garbage,
        commands,
    )
    for room in rooms:
        room.init_app(app)
    entrance = (auth, identities, registration, supervision)
    own = (account, tokens, prompts, assistants, requests)
    pages = (*entrance, *own, chat, shared, dashboard, admin, managed, installed, frames)
    talk = (api, temporary, conversations, shares, exports, imports, drafts, folders, search, gateway, messages, files)
    apis = (*talk, tool_calls, usage, budgets, own_data, second_step, passkeys, health, monitoring)
    people = (admin_users, admin_invitations, admin_registrations, admin_groups, admin_rates)
    kept = (admin_prompts, admin_assistants)
    elsewhere = (admin_identities, admin_directories, admin_web_search, admin_tools)
    money = (admin_budgets, admin_codes, admin_warnings, admin_settings, admin_tokens, admin_shares)
    upstream = (admin_keys, admin_models, admin_tariffs, admin_providers, admin_reconciliations)
    watched = (admin_usage, admin_requests, admin_audit, admin_system)
    for routes in (*pages, *apis, *people, *kept, *elsewhere, *money, *upstream, *watched):
        app.register_blueprint(routes.blueprint)
    return app
