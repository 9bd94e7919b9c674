"""Development server: reloads on change. Never for production (see wsgi.py)."""

import logging

import structlog
from werkzeug.serving import WSGIRequestHandler, is_running_from_reloader, run_simple

from flask_app import config, create_app, database
from scripts import instance_lock, schema, settings, settings_file

log = structlog.get_logger()


class Requests(WSGIRequestHandler):
    """Logs each request as everything else is logged."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        log.info("request", asked=self.requestline, status=int(code), bytes=size)


def main() -> None:
    settings_file.load()
    schema.check()
    app = create_app()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it colours what it says of itself
    host, port = config.current().host, config.current().port
    if is_running_from_reloader():
        _begin()
    else:
        settings_file.warn()
    try:
        # Without its debugger, which would let anyone who reaches the port run Python.
        run_simple(host, port, app, use_reloader=True, threaded=True, request_handler=Requests)
    finally:
        if is_running_from_reloader():
            _end()


def _begin() -> None:
    from flask_app.services.operations import upkeep_service
    from flask_app.services.people import account_service
    from flask_app.services.runs import lease_service

    instance_lock.serve()
    lease_service.watch()
    upkeep_service.watch()
    print(f"MingChat is ready: {settings.address()}", flush=True)
    account_service.announce()


def _end() -> None:
    from flask_app.services.operations import upkeep_service

    upkeep_service.end()
    database.disconnect()


if __name__ == "__main__":
    main()
