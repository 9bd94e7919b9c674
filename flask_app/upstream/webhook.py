"""Handing a few bytes to an address that an administrator gave: one POST, guarded as requests to providers are."""

from collections.abc import Mapping

from flask_app.upstream import exchange

WHOLE_SECONDS = 30  # from the connection to the status


def post(url: str, headers: Mapping[str, str], body: bytes, *, allow_insecure: bool) -> int:
    """The status of the reply, of which nothing else is read; redirects are not followed. Raises UpstreamError.

    `allow_insecure`: the host may be one of this machine or network.
    """
    told = exchange.ask("POST", url, headers, body, allow_insecure=allow_insecure, seconds=WHOLE_SECONDS, is_read=False)
    return told.status
