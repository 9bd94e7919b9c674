"""How a webhook's request is signed: Standard Webhooks (standardwebhooks.com), version 1."""

import base64
import hmac

SECRET_BYTES = 32
PREFIX = "whsec_"


def secret_of(key: bytes) -> str:
    """The key as it is shown and typed in elsewhere."""
    return PREFIX + base64.b64encode(key).decode()


def headers(secret: str, message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """What proves that `body` was sent under this id at that moment (seconds since 1970) by who knows the secret."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, f"{message_id}.{seconds}.".encode() + body, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
