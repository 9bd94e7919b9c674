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
    "X-Robots-Tag": "noindex, nofollow",
}
_STRICT_TRANSPORT = "max-age=31536000"
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-src 'self'; object-src 'none'; frame-ancestors 'none'; manifest-src 'self'; worker-src 'self'"
)
# What is not a page runs nothing, wherever it is shown.
_CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"
_FILES_POLICY = f"sandbox; {_CLOSED_POLICY}"  # somebody's own, whatever is in it
_SCRIPTS_POLICY = f"{_CLOSED_POLICY}; script-src 'self'"  # a worker is under the policy of its own script
_INSTALLED_POLICY = f"{_CLOSED_POLICY}; connect-src 'self'"  # the service worker's, which asks for pages itself

# A frame of ours runs its own scripts, without an origin, and reaches nothing but what is named here (decision 55).
_FRAME_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src {styles}; img-src {images}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)
_FRAMES = {
    "frames.picture": {"images": "https:", "styles": "'nonce-{nonce}'"},
    "frames.diagram": {"images": "'none'", "styles": "'unsafe-inline'"},  # drawings carry their own styles
}
_UNTOLD = {*_FRAMES, "shared.page"}  # pages whose address is nobody's business elsewhere
_OF_FRAMES = ("frames/", "vendor/mermaid/")  # static files that a page without an origin may load


def init_app(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.after_request(protect)


def protect(response: Response) -> Response:
    headers = response.headers
    endpoint = request.endpoint or ""
    for name, value in _FIXED.items():
        headers[name] = value
    _open_to_frames(response, endpoint)
    if response.status_code == HTTPStatus.NO_CONTENT:
        headers.pop("Content-Type", None)
    headers["Content-Security-Policy"] = _policy(response, endpoint)
    headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        headers["Strict-Transport-Security"] = _STRICT_TRANSPORT
    return response


def _open_to_frames(response: Response, endpoint: str) -> None:
    """Our own pages may hold our frames, and these may load their own scripts."""
    if endpoint in _FRAMES:
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
    if endpoint in _UNTOLD:
        response.headers["Referrer-Policy"] = "no-referrer"
    name = (request.view_args or {}).get("name", "") if endpoint == "assets.static_file" else ""
    if name.startswith(_OF_FRAMES):
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def _policy(response: Response, endpoint: str) -> str:
    if frame := _FRAMES.get(endpoint):
        nonce = _nonce()
        return _FRAME_POLICY.format(images=frame["images"], styles=frame["styles"].format(nonce=nonce), nonce=nonce)
    if endpoint == "installed.worker":
        return _INSTALLED_POLICY
    if endpoint == "files.content":
        return _FILES_POLICY
    if response.mimetype == "text/javascript":
        return _SCRIPTS_POLICY
    if response.mimetype != "text/html":
        return _CLOSED_POLICY
    return _POLICY.format(nonce=_nonce())


def _nonce() -> str:
    """Of what was refused before it began there is none."""
    return csp_nonce() if "request_id" in g else ""
