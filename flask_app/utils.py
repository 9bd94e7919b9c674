"""What every route needs: who is asking, and the rule that says who may."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request

from flask_app.domain import policy
from flask_app.errors import Forbidden, SignInRequired, TokenRequired
from flask_app.models import User
from flask_app.services.people import managing_service, standing
from flask_app.services.sign_in import proof_service

View = TypeVar("View", bound=Callable[..., Any])


def get_current_user() -> User:
    """The signed-in person; raises SignInRequired when there is none."""
    user: User | None = g.get("user")
    if user is None:
        raise SignInRequired
    return user


def public(view: View) -> View:
    """Mark a view that anybody may call."""
    return _declare(view, "public")


def require_login(view: View) -> View:
    """Only signed-in people."""
    return _declare(view, "login", get_current_user)


def require_permission(permission: str) -> Callable[[View], View]:
    """Only signed-in people whose role has this permission in the table of `domain/policy.py`."""

    def check() -> None:
        if not policy.may(standing.role_of(get_current_user()), permission):
            raise Forbidden

    return lambda view: _declare(view, policy.least(permission), check)


def require_manager(permission: str) -> Callable[[View], View]:
    """Only who manages the group `managed_id` of the route: to everybody else there is no such group.

    The table of `domain/policy.py` gives managers this permission.
    """
    if not policy.may("manager", permission):
        raise ValueError(f"Managers have no permission {permission}")

    def check() -> None:
        g.managed = managing_service.group(get_current_user(), str((request.view_args or {})["managed_id"]))

    return lambda view: _declare(view, "manager", check)


def require_proof(view: View) -> View:
    """Only in a session that began lately: others are asked for the password again."""

    @wraps(view)
    def proved(*args: Any, **kwargs: Any) -> Any:
        proof_service.require(g.session_began_at)
        return view(*args, **kwargs)

    proved.asks_proof = True  # type: ignore[attr-defined]
    return proved  # type: ignore[return-value]


def require_token(view: View) -> View:
    """Only programs, with a personal access token."""

    def check() -> None:
        if "access" not in g:
            raise TokenRequired

    return _declare(view, "token", check)


def _declare(view: View, rule: str, check: Callable[[], object] | None = None) -> View:
    @wraps(view)
    def ruled(*args: Any, **kwargs: Any) -> Any:
        if check:
            check()
        return view(*args, **kwargs)

    ruled.access_rule = rule  # type: ignore[attr-defined]
    return ruled  # type: ignore[return-value]
