"""Conversations as they are read outside of the site: a Markdown text, or an HTML page that holds all it needs.

Both show the branch that was written in last; a file of our own (JSON) has the others too.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app, g
from jinja2 import Environment

from flask_app import config, i18n
from flask_app.domain import tree
from flask_app.models import User
from flask_app.services.portability.conversation_format import Named, Said, Talk
from flask_app.web import shown_calls, shown_sources
from flask_app.web.site import brand


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a file is made: pieces of it are written when the request's own context has gone."""

    locale: str
    zone: ZoneInfo
    site: str
    templates: Environment

    @classmethod
    def of(cls, user: User) -> "Reader":
        zone = ZoneInfo(user.timezone or config.current().site_timezone)
        return cls(g.locale, zone, brand(), current_app.jinja_env)

    def t(self, key: str, **params: object) -> str:
        return i18n.translate(self.locale, key, **params)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def said_at(self, moment: datetime) -> str:
        return f"{self.local(moment):%Y-%m-%d %H:%M %:z}"  # the file is read elsewhere, and later

    def who(self, said: Said) -> str:
        if said.role == "user":
            return self.t("chat.you")
        return said.model or self.t("portability.answer")


def shown(talk: Talk) -> list[Said]:
    """The branch of the newest message, from its beginning."""
    return tree.path_to(talk.messages[-1].id, talk.messages) if talk.messages else []


def markdown(reader: Reader, talk: Talk) -> str:
    """The words as they were written: they are Markdown."""
    path = shown(talk)
    blocks = [f"# {' '.join(talk.title.split())}", _about(reader, talk, path)]
    for said in path:
        blocks.append(f"## {reader.who(said)} · {reader.said_at(said.created_at)}")
        if said.reasoning.strip():
            blocks.append(_quoted(f"**{reader.t('portability.thinking')}**\n\n{said.reasoning.strip()}"))
        if made := shown_calls.markdown(reader.t, said.calls):
            blocks.append(made)
        if named := attached(reader, said):
            blocks.append(named)
        if said.text.strip():
            blocks.append(said.text.strip("\n"))
        if found := shown_sources.markdown(reader.t, said.search):
            blocks.append(found)
        if note := unfinished(reader, said):
            blocks.append(f"*{note}*")
    return "\n\n".join(blocks) + "\n"


def html(reader: Reader, talk: Talk) -> str:
    """One page without a script, and without anything that is fetched from elsewhere."""
    from flask_app.web import markdown_html

    path = shown(talk)
    template = reader.templates.get_template("conversation_file.html")
    return template.render(
        reader=reader,
        language=i18n.tag(reader.locale),
        talk=talk,
        about=_about(reader, talk, path),
        path=path,
        drawn=markdown_html.drawn,
        unfinished=unfinished,
        attached=attached,
        sources=shown_sources,
        calls=shown_calls,
    )


def unfinished(reader: Reader, said: Said) -> str | None:
    """What became of an answer that did not come to its end."""
    return None if said.status == "complete" else reader.t(f"portability.{said.status}")


def attached(reader: Reader, said: Said) -> str:
    """The names of the files that go with it, and which are not there; empty without any."""
    return " ".join(f"📎 {each.name}{_absence(reader, each)}" for each in said.files)


def _absence(reader: Reader, named: Named) -> str:
    return f" ({reader.t(f'js.files.{named.absent}')})" if named.absent else ""


def _about(reader: Reader, talk: Talk, path: list[Said]) -> str:
    told = reader.t(
        "portability.about",
        site=reader.site,
        since=reader.said_at(talk.created_at),
        until=reader.said_at(talk.updated_at),
    )
    others = len(talk.messages) - len(path)
    return f"{told} {reader.t('portability.other_branches', count=others)}" if others else told


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
