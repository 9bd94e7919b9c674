"""The mark beside *People*: how many wait to be let in."""

from flask import g

from flask_app.domain import policy
from flask_app.services.people import registration_admin_service, standing


def people() -> int:
    """For the pages of whoever may let them in; none for everybody else. Asked once a request."""
    if "people_waiting" not in g:
        may = "user" in g and policy.may(standing.role_of(g.user), "people.add")
        g.people_waiting = registration_admin_service.count_waiting() if may else 0
    count: int = g.people_waiting
    return count
