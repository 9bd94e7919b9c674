"""What OpenAI's own API wants otherwise than those that are compatible with it."""

from urllib.parse import urlsplit

# Hosts, and the ends of hosts. Their reasoning models refuse `max_tokens`, which others know alone.
HOSTS = ("api.openai.com", ".openai.azure.com")


def worded(body: dict[str, object], base_url: str) -> dict[str, object]:
    """The body of a chat as `base_url` wants it: OpenAI's own limit of an answer is `max_completion_tokens`."""
    host = urlsplit(base_url).hostname or ""
    if "messages" not in body or "max_tokens" not in body or not host.endswith(HOSTS):
        return body
    return {"max_completion_tokens" if name == "max_tokens" else name: value for name, value in body.items()}
