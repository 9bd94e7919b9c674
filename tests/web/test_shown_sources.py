"""What a search of the web has found, as Markdown."""

from flask_app.domain.web_sources import Search, Source
from flask_app.web import shown_sources


def test_what_markdown_would_read_as_another_sign_stays_what_it_is() -> None:
    page = Source(
        number=1,
        title="A &lt; [b]",
        url="https://a.example/?b=1&c=2&copy;=(3)",
        site="a.example",
        published="",
        text="",
    )
    search = Search(status="found", query="high?", engine="deepseek", sources=[page])
    told = shown_sources.markdown(lambda key, **_: key, search)
    assert told.splitlines()[-1] == r"1. [A \&lt; \[b\]](https://a.example/?b=1&c=2&amp;copy;=%283%29) · a.example"
