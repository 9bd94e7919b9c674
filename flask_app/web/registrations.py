"""Registrations as JSON, and who may make one."""

from datetime import datetime
from typing import Annotated

import msgspec

from flask_app.models import DEFAULT_GROUP_ID, Registration
from flask_app.services.people import registration_admin_service, registration_service, registration_settings
from flask_app.services.people.registration_admin_service import Page
from flask_app.services.people.registration_settings import Terms
from flask_app.services.warnings import mail_service
from flask_app.web.arrivals import Arrival
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.directories import DirectoryReply, directories_reply
from flask_app.web.groups import GroupName, group_names
from flask_app.web.identities import IdentityProvidersReply, providers_reply
from flask_app.web.invitations import InvitationsReply
from flask_app.web.people import Session, UsersReply
from flask_app.web.site import SettingsReply, settings_reply


class Registering(Arrival, kw_only=True):
    """What one wants to be called. `email` is needed where mail is set up (a link comes there), else refused."""

    username: Words
    password: Words
    email: Words | None = None


class Registered(Reply):
    """`state` is confirm (the link in the mail is waited for), approval (an administrator is) or in.

    `session` is there for whoever has come in at once.
    """

    state: str
    username: str
    session: Session | None = None


class TermsBody(Body, kw_only=True):
    """`mode` is closed, approval or open. `domains` are those of the only mail addresses; none: every one."""

    mode: Annotated[str, msgspec.Meta(max_length=16)]
    group_id: Annotated[str, msgspec.Meta(max_length=64)] = DEFAULT_GROUP_ID
    domains: tuple[Annotated[str, msgspec.Meta(max_length=254)], ...] = ()

    def wanted(self) -> Terms:
        return Terms(mode=self.mode, group_id=self.group_id, domains=self.domains)


class TermsReply(Reply):
    """`confirms`: mail is set up, so that every address is confirmed."""

    mode: str
    group_id: str
    domains: list[str]
    confirms: bool


class Accepting(Body, kw_only=True):
    """Without a group it is that of the settings."""

    group_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class RegistrationReply(Reply):
    """`email` was confirmed; null where mail is not set up."""

    id: str
    username: str
    email: str | None
    address: str
    created_at: datetime


class RegistrationsReply(Reply):
    """Who came first first; `next` goes into `after` for the page after."""

    registrations: list[RegistrationReply]
    next: str | None


def registered(registration: Registration) -> Registered:
    return Registered(state=registration_service.state_of(registration), username=registration.username)


def terms_reply(terms: Terms | None = None) -> TermsReply:
    shown = terms or registration_settings.terms()
    confirms = mail_service.is_set_up()
    return TermsReply(mode=shown.mode, group_id=shown.group_id, domains=list(shown.domains), confirms=confirms)


def registrations_reply(page: Page | None = None) -> RegistrationsReply:
    shown = page or registration_admin_service.waiting()
    return RegistrationsReply(registrations=[_one(each) for each in shown.registrations], next=shown.next)


def _one(registration: Registration) -> RegistrationReply:
    return RegistrationReply(
        id=registration.id,
        username=registration.username,
        email=registration.email,
        address=registration.address,
        created_at=registration.created_at,
    )


class PeopleState(UsersReply):
    """What the page of people starts with: `groups` are those that they can be in, `newcomers` whoever is let in."""

    newcomers: str
    groups: list[GroupName]
    invited: InvitationsReply
    waiting: RegistrationsReply


class SettingsState(SettingsReply):
    """What the page of settings starts with: `groups` are those that newcomers can come into."""

    registration: TermsReply
    groups: list[GroupName]
    identity: IdentityProvidersReply
    directories: list[DirectoryReply]


def settings_state() -> SettingsState:
    shown = settings_reply()
    return SettingsState(
        site=shown.site,
        retention=shown.retention,
        sharing=shown.sharing,
        web_search=shown.web_search,
        announcements=shown.announcements,
        registration=terms_reply(),
        groups=group_names(),
        identity=providers_reply(),
        directories=directories_reply().directories,
    )
