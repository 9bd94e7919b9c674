"""Serve where gunicorn does not run: waitress, a thread for each open answer."""

import waitress

from flask_app import config, database
from flask_app.services.operations import upkeep_service
from flask_app.services.people import account_service
from flask_app.services.runs import lease_service, shutdown
from scripts.settings import address, reach
from wsgi import app

THREADS = 64


def main() -> None:
    settings = config.current()
    lease_service.watch()
    upkeep_service.watch()
    print(f"MingChat is ready: {address()}", flush=True)
    if hint := reach():
        print(hint, flush=True)
    account_service.announce()
    try:
        # send_bytes=1: pass every token on at once instead of collecting 18,000 bytes
        waitress.serve(app, host=settings.host, port=settings.port, threads=THREADS, send_bytes=1, ident="MingChat")
    finally:
        shutdown.finish()
        upkeep_service.end()
        database.disconnect()


if __name__ == "__main__":
    main()
