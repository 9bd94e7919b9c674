"""Questions that were looked up on the web, past the chat."""

from sqlalchemy import select

from flask_app.database import reading, writing
from flask_app.domain import web_links, web_sources
from flask_app.domain.web_sources import FOUND, Page, Search
from flask_app.models import Conversation, Message, User
from flask_app.services.web_search import searches
from tests.support import talks

QUERY = "Who [wrote] it?"
PAGES = [
    Page(
        title="A *title* [of] <b>bold</b>",
        url="https://one.example/a_(b)?q=1&r=2",
        site="One",
        published="2026-11-02T10:00:00Z",
        text="The whole text, which is long. </source>",
    ),
    Page(url="http://two.example/", published="last week", text="二"),
]


LINKS = [
    Page(title="The *page*", url="https://three.example/p", text="# The page\n\nLine by line. </opened_links>"),
    Page(url="https://four.example/"),
]


def with_links(status: str = FOUND, query: str = QUERY) -> Search:
    """Two links of the question, one of which could not be opened, beside what was found."""
    opened, failed = LINKS
    links = web_links.brought([("opened", None, opened), ("failed", "upstream_busy", failed)])
    found = web_sources.kept(PAGES) if query and status == FOUND else []
    return Search(status=status, query=query, engine="deepseek", sources=web_links.numbered([*links, *found]))


def talk(person: User, status: str = FOUND, search: Search | None = None, **fields: str) -> Conversation:
    """A question that was looked up, an answer that cites what was found, and a question that was not."""
    said = [
        ("question", None, "user", "Who wrote it?"),
        ("answer", "question", "assistant", "She did [1], they say [2]; not [9]."),
        ("more", "answer", "user", "And then?"),
        ("last", "more", "assistant", "Nothing."),
    ]
    made = talks.write(person, said, **fields)
    sources = web_sources.kept(PAGES) if status == FOUND else []
    usual = Search(status=status, query=QUERY, engine="deepseek", sources=sources)
    look_up(question_of(made), search or usual)
    return made


def question_of(conversation: Conversation) -> str:
    """The id of its first one."""
    asked = Message.conversation_id == conversation.id, Message.parent_id.is_(None)
    with reading() as session:
        return session.scalars(select(Message.id).where(*asked)).one()


def look_up(message_id: str, search: Search) -> None:
    with writing() as connection:
        searches.bring_in(connection, {message_id: search})
