"""Serve where gunicorn does not run: waitress, a thread for each open answer."""

from typing import Any

from flask_app import config, database
from flask_app.config import Config
from flask_app.domain import files
from flask_app.services.operations import upkeep_service
from flask_app.services.people import account_service
from flask_app.services.runs import lease_service, shutdown
from scripts.settings import address, reach

THREADS = 64
LONGEST_BODY = files.MOST_BYTES + (1 << 20)  # what is only a little too long is refused in the reader's language


def terms(settings: Config) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "threads": THREADS,
        "send_bytes": 1,  # pass every token on at once instead of collecting 18,000 bytes
        "max_request_body_size": LONGEST_BODY,
        "clear_untrusted_proxy_headers": False,  # the application reads them, behind TRUSTED_PROXIES
        "ident": "MingChat",
    }


def main() -> None:
    import waitress

    from wsgi import app

    settings = config.current()
    lease_service.watch()
    upkeep_service.watch()
    print(f"MingChat is ready: {address()}", flush=True)
    if hint := reach():
        print(hint, flush=True)
    account_service.announce()
    try:
        waitress.serve(app, **terms(settings))
    finally:
        shutdown.finish()
        upkeep_service.end()
        database.end_writing()
        database.disconnect()


if __name__ == "__main__":
    main()
