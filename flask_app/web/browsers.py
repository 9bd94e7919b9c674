"""The browsers a person is signed in with, as the API and the pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import g

from flask_app.domain import user_agent
from flask_app.models import KnownDevice, LoginSession
from flask_app.services.sign_in import known_devices
from flask_app.services.sign_in.known_devices import Told
from flask_app.services.warnings import wording
from flask_app.web.bodies import Reply


class SessionReply(Reply):
    """`browser` and `system` are read from the user agent, null where it names none we know.

    `current`: the one that asked. `new_device_id`: of a browser that was new, until one says that it was oneself.
    """

    id: str
    browser: str | None
    system: str | None
    address: str
    created_at: datetime
    last_seen_at: datetime
    current: bool
    new_device_id: str | None


class DeviceReply(Reply):
    """A browser that one has signed in from, as it was the first time."""

    id: str
    browser: str | None
    system: str | None
    address: str
    signed_in_at: datetime


class SessionsReply(Reply):
    """`gone`: new ones that are signed out since. A browser that is new itself is not told of older ones.

    `may_confirm`: from here one may say that it was oneself. A browser that is new itself may not.
    """

    sessions: list[SessionReply]
    gone: list[DeviceReply]
    may_confirm: bool


@dataclass(frozen=True, slots=True)
class Newcomer:
    """The newest of the new browsers, in words: who is there, since when, and how many more there are.

    `may_confirm`: the browser that is told of it may say that it was them.
    """

    id: str
    name: str | None
    address: str
    when: str
    more: int
    may_confirm: bool


def sessions_reply(sessions: Sequence[LoginSession], told: Told, *, here: str) -> SessionsReply:
    new_ids, there = {device.id for device in told.devices}, {session.device_id for session in sessions}
    return SessionsReply(
        sessions=[
            SessionReply(
                id=session.id,
                browser=user_agent.browser(session.user_agent),
                system=user_agent.system(session.user_agent),
                address=session.address,
                created_at=session.created_at,
                last_seen_at=session.last_seen_at,
                current=session.id == here,
                new_device_id=session.device_id if session.device_id in new_ids else None,
            )
            for session in sessions
        ],
        gone=[device_reply(device) for device in told.devices if device.id not in there],
        may_confirm=told.may_confirm,
    )


def device_reply(device: KnownDevice) -> DeviceReply:
    return DeviceReply(
        id=device.id,
        browser=user_agent.browser(device.user_agent),
        system=user_agent.system(device.user_agent),
        address=device.address,
        signed_in_at=device.created_at,
    )


def newcomer() -> Newcomer | None:
    """What a page says of a sign-in from a new browser; None where there is nothing to say."""
    if "newcomer" not in g:
        new = known_devices.new_to(g.user, g.session_id) if "session_id" in g else None
        g.newcomer = _newcomer(new) if new and new.devices else None
    told: Newcomer | None = g.newcomer
    return told


def _newcomer(told: Told) -> Newcomer:
    newest = told.devices[0]
    return Newcomer(
        id=newest.id,
        name=user_agent.shown(newest.user_agent),
        address=newest.address,
        when=wording.moment(newest.created_at, g.user.timezone, g.locale),
        more=len(told.devices) - 1,
        may_confirm=told.may_confirm,
    )
