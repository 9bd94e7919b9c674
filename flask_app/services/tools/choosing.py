"""What people choose tools by, and where those come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask_app.models import User
from flask_app.services.tools.toolbox import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something to choose: the web (`domain.tools.WEB`) or a server, with the names of its tools."""

    id: str
    name: str
    description: str = ""
    tools: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where tools come from: what of it is `granted` to a person, and the tools `of` what they chose of that.

    Neither is called inside a transaction.
    """

    granted: Callable[[User], Sequence[Choice]]
    of: Callable[[User, Sequence[str]], Sequence[Tool]]
