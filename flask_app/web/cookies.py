"""Our cookies: `__Host-` names and Secure over https, plain names over http on the own machine."""

from flask import Response, request

CHOICE_MAX_AGE = 365 * 86400
_NAME = "mingchat"


def read(kind: str = "") -> str | None:
    """The value of a cookie; over https only the `__Host-` one counts, which nobody else can have set."""
    return request.cookies.get(name(kind))


def write(response: Response, value: str, *, kind: str = "", max_age: int) -> None:
    response.set_cookie(
        name(kind), value, max_age=max_age, path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )


def keep_choice(response: Response, choice: str, value: str) -> None:
    """Keep the language (`lang`) or the `theme` where the page's own script writes it too."""
    response.set_cookie(choice, value, max_age=CHOICE_MAX_AGE, path="/", secure=request.is_secure, samesite="Lax")


def remove(response: Response, kind: str = "") -> None:
    response.delete_cookie(name(kind), path="/", secure=request.is_secure, httponly=True, samesite="Lax")


def name(kind: str = "") -> str:
    plain = f"{_NAME}-{kind}" if kind else _NAME
    return f"__Host-{plain}" if request.is_secure else plain
