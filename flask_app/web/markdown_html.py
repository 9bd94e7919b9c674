"""Markdown as HTML for a page that stands alone. No tag is taken from the words, and nothing is fetched.

As in the browser (`js/markdown.js`) HTML is text, and a link leads to http, https or mail alone. A picture is a link
to it: it would tell its host who opened the file. Formulas stand there as they were written: nothing here draws them.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from flask_app import offload
from flask_app.web.markdown_formulas import formulas

LONGEST = 200_000  # characters that are parsed; what is longer stands there as it was written
_SCHEMES = frozenset({"http", "https", "mailto"})


def drawn(text: str) -> Markup:
    """The words as elements of a page."""
    if len(text) > LONGEST:
        return Markup('<pre class="plain">{}</pre>').format(text)
    return Markup(offload.run_for_file(_parser.render, text))  # noqa: S704 - all that it lets through is escaped


def _is_harmless(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False


class _Renderer(RendererHTML):
    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        token = tokens[idx]
        source = str(token.attrs.get("src", ""))
        words = self.renderInlineAsText(token.children, options, env) or source
        if not _is_harmless(source):
            return str(escape(words))
        return f'<a href="{escape(source)}" rel="noopener noreferrer nofollow">{escape(words)}</a>'

    def formula(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:  # noqa: ARG002
        return f'<code class="math">{escape(tokens[idx].content)}</code>'

    def formula_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        return f"<p>{self.formula(tokens, idx, options, env)}</p>\n"

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        tokens[idx].attrSet("rel", "noopener noreferrer nofollow")
        return self.renderToken(tokens, idx, options, env)


def _made() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"])
    parser.use(formulas)
    parser.validateLink = _is_harmless  # type: ignore[method-assign]
    return parser


_parser = _made()
