"""The headers that every reply carries: what a page may load, who may frame it, what may be kept."""

from http import HTTPStatus

from flask import Flask, Response, g, request

from flask_app.web.bodies import MAX_BODY_BYTES
from flask_app.web.context import csp_nonce

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
}
_STRICT_TRANSPORT = "max-age=31536000"
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'; manifest-src 'self'; worker-src 'self'"
)
# What is not a page runs nothing, wherever it is shown.
_CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"
_SCRIPTS_POLICY = f"{_CLOSED_POLICY}; script-src 'self'"  # a worker is under the policy of its own script

_INSTALLED_POLICY = f"{_CLOSED_POLICY}; connect-src 'self'"  # the service worker's, which asks for pages itself


def init_app(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.after_request(protect)


def protect(response: Response) -> Response:
    headers = response.headers
    for name, value in _FIXED.items():
        headers[name] = value
    if response.status_code == HTTPStatus.NO_CONTENT:
        headers.pop("Content-Type", None)
    headers["Content-Security-Policy"] = _policy(response)
    headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        headers["Strict-Transport-Security"] = _STRICT_TRANSPORT
    return response


def _policy(response: Response) -> str:
    if request.endpoint == "installed.worker":
        return _INSTALLED_POLICY
    if response.mimetype == "text/javascript":
        return _SCRIPTS_POLICY
    if response.mimetype != "text/html":
        return _CLOSED_POLICY
    return _POLICY.format(nonce=csp_nonce() if "request_id" in g else "")
