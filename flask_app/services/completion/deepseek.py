"""What DeepSeek's own API takes beside OpenAI's; of others that serve its models it is not known."""

from urllib.parse import urlsplit

from flask_app import config
from flask_app.config import Config
from flask_app.domain.serving import EFFORTS, Effort

SEARCH = "deepseek-search"  # the model that a web search there is booked as
FETCH = "deepseek-fetch"  # the same of a link that is opened there


def serves(base_url: str) -> bool:
    """Is it DeepSeek's own API?"""
    own = {urlsplit(url).netloc for url in (Config.deepseek_base_url, config.current().deepseek_base_url)}
    return urlsplit(base_url).netloc in own


def efforts(base_url: str, *, thinking: bool) -> tuple[Effort, ...]:
    """Of a model there that can think."""
    return EFFORTS if thinking and serves(base_url) else ()
