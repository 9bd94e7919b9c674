"""What every reply says about itself."""

import dataclasses
import re
from typing import Any

import pytest
from flask import Flask

from flask_app import config
from flask_app.web.assets import asset_url
from tests.support.clients import HTTP, PageClient, new_client

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}
PATHS = ["/", "/login", "/setup", "/reset", "/forgot", "/join", "/api/me", "/healthz", "/nothing/here", "/api/nothing"]


def policy_of(response: Any) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))


@pytest.mark.security("headers", "nothing-is-kept")
@pytest.mark.parametrize("path", PATHS)
def test_every_reply_is_protected(client: PageClient, member_client: PageClient, path: str) -> None:
    for response in (client.get(path), member_client.get(path)):
        assert {name: response.headers.get(name) for name in ALWAYS} == ALWAYS
        assert response.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.security("content-policy")
def test_a_page_runs_only_what_carries_its_nonce(client: PageClient, admin: Any) -> None:
    response = client.get("/login")
    policy = policy_of(response)
    (nonce,) = re.findall(r"'nonce-([^']+)'", policy["script-src"])
    assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == policy["form-action"] == policy["worker-src"] == "'self'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    page = response.get_data(as_text=True)
    for tag in re.findall(r"<(?:script|style)\b[^>]*>", page):
        assert 'type="application/json"' in tag or f'nonce="{nonce}"' in tag, tag
    assert f"nonce-{nonce}" not in client.get("/login").headers["Content-Security-Policy"], "a nonce is used once"


@pytest.mark.security("content-policy")
def test_what_is_not_a_page_runs_nothing(member_client: PageClient) -> None:
    assert policy_of(member_client.get("/api/me")) == {"default-src": "'none'", "frame-ancestors": "'none'"}


def test_a_script_loads_scripts_of_ours_alone_where_it_runs_as_a_worker(client: PageClient) -> None:
    worker = client.get(asset_url("js/markdown/colour-worker.js"))
    assert policy_of(worker) == {"default-src": "'none'", "frame-ancestors": "'none'", "script-src": "'self'"}


@pytest.mark.parametrize(("path", "images"), [("/frames/picture", "https:"), ("/frames/diagram", "'none'")])
def test_a_frame_is_held_by_our_pages_alone_and_reaches_nothing_else(
    client: PageClient, member_client: PageClient, path: str, images: str
) -> None:
    response = client.get(path)
    policy = policy_of(response)
    assert {name: policy[name] for name in ("default-src", "base-uri", "form-action")} == dict.fromkeys(
        ("default-src", "base-uri", "form-action"), "'none'"
    )
    assert (policy["frame-ancestors"], policy["sandbox"], policy["img-src"]) == ("'self'", "allow-scripts", images)
    assert not policy.keys() & {"connect-src", "font-src", "frame-src", "worker-src", "media-src", "object-src"}
    assert (response.headers["X-Frame-Options"], response.headers["Referrer-Policy"]) == ("SAMEORIGIN", "no-referrer")
    page = response.get_data(as_text=True)
    (nonce,) = re.findall(r"'nonce-([^']+)'", policy["script-src"])
    scripts = re.findall(r'<script src="([^"]+)" nonce="([^"]+)">', page)
    assert scripts
    for address, its_nonce in scripts:
        assert its_nonce == nonce
        assert client.get(address).headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    told = member_client.get(path).get_data(as_text=True)
    assert re.sub(r'nonce="[^"]+"', "", told) == re.sub(r'nonce="[^"]+"', "", page), "it knows nobody"


def test_a_script_of_pages_is_for_pages_alone(client: PageClient) -> None:
    script = client.get(asset_url("js/markdown.js"))
    assert script.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.security("headers")
def test_strict_transport_is_asked_for_over_https_only(client: PageClient, plain_client: PageClient) -> None:
    assert client.get("/healthz").headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in plain_client.get("/healthz").headers


@pytest.mark.security("no-debugger")
def test_no_version_is_told(client: PageClient) -> None:
    response = client.get("/nothing")
    everything = f"{response.headers}{response.get_data(as_text=True)}".lower()
    assert not re.search(r"werkzeug|flask|python|gunicorn|gevent", everything)


@pytest.mark.security("hosts-named")
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost@evil.example", ""])
def test_an_unknown_host_is_refused(app: Flask, host: str) -> None:
    response = new_client(app, HTTP).get("/login", headers={"Host": host})
    assert response.status_code == 400
    said = response.get_data(as_text=True).replace(f"<pre>ALLOWED_HOSTS={host}</pre>", "")
    assert "evil" not in said, "a foreign name stands where it is shown as what could be set, and nowhere else"


def test_only_a_proxy_names_a_request_and_only_in_plain_letters(client: PageClient) -> None:
    before = config.current()
    plain, odd = "0123456789abcdef0123456789abcdef", 'x"} {"level": "critical'

    def answered(given: str, proxies: int) -> str:
        config.install(dataclasses.replace(before, trusted_proxies=proxies))
        return client.get("/login", headers={"X-Request-ID": given}).headers["X-Request-ID"]

    try:
        answers = [answered(given, proxies) for proxies in (0, 1) for given in (plain, odd)]
    finally:
        config.install(before)
    assert [answer == plain for answer in answers] == [False, False, True, False]
    assert odd not in answers


@pytest.mark.security("failures-by-number")
def test_a_failure_has_a_request_id_and_no_details(client: PageClient) -> None:
    response = client.get("/api/nothing")
    assert response.json is not None
    assert response.json["error"]["request_id"] == response.headers["X-Request-ID"]
    assert len(response.headers["X-Request-ID"]) == 26


def test_static_files_may_be_kept_for_ever(client: PageClient, admin: Any) -> None:
    address = re.findall(r'href="(/static/[^"]+\.css)"', client.get("/login").get_data(as_text=True))[0]
    response = client.get(address, headers={"Accept-Encoding": "br"})
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Encoding"] == "br"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get(address, headers={"Accept-Encoding": "br"}).data == response.data


def test_a_bodiless_reply_has_no_type(member_client: PageClient) -> None:
    assert "Content-Type" not in member_client.post("/logout").headers
