"""What waitress is told, which is installed on Windows alone."""

from pathlib import Path

from flask_app.config import Config
from flask_app.domain import files
from flask_app.web import long_bodies
from scripts import serve_windows

MEGABYTE = 1 << 20


def test_it_listens_where_the_settings_say(tmp_path: Path) -> None:
    settings = Config.from_environment({"INSTANCE_DIR": str(tmp_path), "HOST": "0.0.0.0", "PORT": "8080"})
    terms = serve_windows.terms(settings)
    assert (terms["host"], terms["port"]) == ("0.0.0.0", 8080)


def test_what_a_proxy_says_reaches_the_application(tmp_path: Path) -> None:
    """By itself waitress takes it away, and TRUSTED_PROXIES would find nothing."""
    settings = Config.from_environment({"INSTANCE_DIR": str(tmp_path), "TRUSTED_PROXIES": "1"})
    assert serve_windows.terms(settings)["clear_untrusted_proxy_headers"] is False


def test_a_body_is_no_longer_than_the_application_takes_and_a_little_more(tmp_path: Path) -> None:
    most = serve_windows.terms(Config.from_environment({"INSTANCE_DIR": str(tmp_path)}))["max_request_body_size"]
    longest = max(files.MOST_BYTES, long_bodies.WITH_IMAGES, long_bodies.WITH_TEXT)
    assert longest < most <= longest + MEGABYTE
