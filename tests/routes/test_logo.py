"""A site's own logo: checked by its bytes, shown on every page, and served as nothing but a picture."""

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import AuditEntry, Setting
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.logos import chunk, png, webp

LOGO, SITE, ALL = "/api/admin/settings/logo", "/api/admin/settings/site", "/api/admin/settings"


def choose(client: PageClient, content: bytes) -> Any:
    return client.put(LOGO, json={"content": base64.b64encode(content).decode()})


@pytest.mark.security("logo-is-a-picture")
def test_it_is_shown_on_every_page_and_served_as_a_picture(
    admin_client: PageClient, client: PageClient, query_count: Callable[[], Any]
) -> None:
    with query_count() as before:
        assert "/logo/" not in client.get("/login").text
    response = choose(admin_client, png(extra=chunk(b"tEXt", b"Author\0me"), after=b"<script>"))
    assert response.status_code == 200, response.text
    address = response.get_json()["logo"]
    with query_count() as after:
        page = client.get("/login").text
    assert len(after) == len(before), "it comes with the name"
    for text in (page, admin_client.get("/").text, admin_client.get("/dashboard").text):
        assert re.search(rf'<img class="brand__mark[^>]*src="{address}"', text)
        assert f'<link rel="icon" type="image/png" href="{address}">' in text
    picture = client.get(address)
    assert (picture.status_code, picture.content_type, picture.data) == (200, "image/png", png())
    assert picture.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in picture.headers["Content-Security-Policy"]
    assert admin_client.get(ALL).get_json()["site"]["logo"] == address
    assert "/logo/" not in client.get("/offline").text, "which is the same for everybody, and kept"


def test_a_large_square_is_the_icon_of_the_application(admin_client: PageClient, client: PageClient) -> None:
    usual = client.get("/manifest.webmanifest").get_json(force=True)["icons"]
    choose(admin_client, png(64, 64))
    assert client.get("/manifest.webmanifest").get_json(force=True)["icons"] == usual
    choose(admin_client, png(512, 256))
    assert client.get("/manifest.webmanifest").get_json(force=True)["icons"] == usual
    address = choose(admin_client, png(512, 512)).get_json()["logo"]
    (icon,) = client.get("/manifest.webmanifest").get_json(force=True)["icons"]
    assert icon == {"src": address, "sizes": "512x512", "type": "image/png", "purpose": "any"}


def test_another_takes_its_place_and_it_is_taken_away(admin_client: PageClient, client: PageClient) -> None:
    first, second = (choose(admin_client, made).get_json()["logo"] for made in (png(), webp()))
    assert client.get(first).status_code == 404
    assert client.get(second).content_type == "image/webp"
    assert admin_client.put(SITE, json={"name": "x", "locale": None}).get_json()["logo"] == second, "it stays"
    assert admin_client.delete(LOGO).get_json()["logo"] is None
    assert client.get(second).status_code == 404
    assert "/logo/" not in client.get("/login").text
    with reading() as session:
        assert session.get(Setting, "logo") is None
        acts = session.scalars(select(AuditEntry.details).where(AuditEntry.target == "logo")).all()
    assert len(acts) == 3


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "bad_logo"),
        (b"GIF89a" + bytes(100), "bad_logo"),
        (png(31, 64), "bad_logo"),
        (png()[:-5], "bad_logo"),
        (b"", "bad_logo"),
        (png(after=bytes(1 << 18)), "logo_too_large"),
    ],
)
def test_what_is_no_picture_is_refused(admin_client: PageClient, content: bytes, code: str) -> None:
    response = choose(admin_client, content)
    assert (response.status_code, error_code(response)) == (422, code)
    assert admin_client.get(ALL).get_json()["site"]["logo"] is None


@pytest.mark.parametrize("body", [{}, {"content": 5}, {"content": "no base64!"}, {"content": "A" * 600_000}])
def test_what_is_no_body_is_refused(admin_client: PageClient, body: dict[str, Any]) -> None:
    assert admin_client.put(LOGO, json=body).status_code == 422


def test_only_administrators_choose(client: PageClient, member_client: PageClient) -> None:
    for method in ("PUT", "DELETE"):
        assert client.open(LOGO, method=method, json={"content": ""}).status_code == 401
        assert member_client.open(LOGO, method=method, json={"content": ""}).status_code == 403
