"""The second half of a start, inside the virtual environment: read `.env`, check, migrate, serve."""

import os
import socket
import subprocess
import sys

from scripts import bytecode, environment, schema, settings, settings_file


def main() -> None:
    settings_file.load()
    settings_file.warn()
    # gunicorn reads it before our own file does, and cannot read what is empty.
    os.environ["WEB_CONCURRENCY"] = str(settings.workers())
    _refuse_taken_port(os.environ.get("HOST") or "127.0.0.1", settings.port())
    if settings.observes():
        environment.ensure("observe")
    if settings.stores_in_buckets():
        environment.ensure("s3")
    environment.ensure_demo()
    if not schema.is_current() and subprocess.call([environment.PYTHON, "-m", "scripts.migrate"]) != 0:
        raise SystemExit(settings.NOT_STARTED)
    bytecode.prepare()
    environment.become(bytecode.LEVEL, "-m", *_server())


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror as error:
            hint = "HOST is an address of this machine: 127.0.0.1 for itself alone, 0.0.0.0 for others too."
            raise SystemExit(f"Cannot listen on {host}:{port}: {error.strerror}. {hint}") from error
        except OSError as error:
            hint = "Choose another port with the environment variable PORT, as in PORT=5001."
            raise SystemExit(f"Cannot listen on {host}:{port}: {error.strerror}. {hint}") from error


def _server() -> tuple[str, ...]:
    if os.name == "posix":
        return "gunicorn", "--config", "gunicorn.conf.py"
    return ("scripts.serve_windows",)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
