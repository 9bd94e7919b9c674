"""Invitations as tests make and use them."""

from typing import Any

from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import invitation_admin_service, invitation_service
from flask_app.services.people.invitation_admin_service import Listed, Made, Terms
from flask_app.services.sign_in.auth_service import Browser, SignedIn
from tests.support.entrance import STRONG

HOUSE = Actor(None)


def made(name: str = "Class 3b", **terms: Any) -> Made:
    return invitation_admin_service.make(HOUSE, Terms(name=name, **terms))


def join(token: str, username: str, password: str = STRONG, address: str = "192.0.2.1") -> SignedIn:
    return invitation_service.join(token, username, password, Browser(address))


def listed(invitation_id: str) -> Listed:
    """As it stands now."""
    return next(each for each in invitation_admin_service.listed().invitations if each.invitation.id == invitation_id)
