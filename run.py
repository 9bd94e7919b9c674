"""Development server: reloads on change. Never for production (see wsgi.py)."""

from werkzeug.serving import is_running_from_reloader

from flask_app import config, create_app
from scripts import instance_lock, schema, settings_file


def main() -> None:
    settings_file.load()
    schema.check()
    app = create_app()
    if is_running_from_reloader():
        from flask_app.services.operations import upkeep_service
        from flask_app.services.people import account_service
        from flask_app.services.runs import lease_service

        instance_lock.serve()
        account_service.announce()
        lease_service.watch()
        upkeep_service.watch()
    app.run(
        host=config.current().host,
        port=config.current().port,
        debug=False,  # the debugger would let anyone who reaches the port run Python
        use_reloader=True,
        threaded=True,
    )


if __name__ == "__main__":
    main()
