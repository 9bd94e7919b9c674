"""Install, migrate and serve MingChat: ``python scripts/start.py``, the same on every system.

HOST (127.0.0.1) and PORT (5000) say where. Nothing is downloaded or migrated the second time.
"""

import os
import socket
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - old Python
sys.path.insert(0, ROOT)


def main() -> None:
    if sys.version_info < (3, 11):
        from scripts import interpreter

        sys.exit(subprocess.call([interpreter.newest(), __file__]))

    from scripts import environment, schema, settings

    os.chdir(ROOT)
    # gunicorn reads it before our own file does, and cannot read what is empty.
    os.environ["WEB_CONCURRENCY"] = str(settings.workers())
    _refuse_taken_port(os.environ.get("HOST") or "127.0.0.1", settings.port())
    environment.ensure("run")
    environment.ensure_demo()
    if not schema.is_current() and subprocess.call([environment.PYTHON, "-m", "scripts.migrate"]) != 0:
        raise SystemExit("MingChat was not started; the reason is above.")
    _serve(str(environment.PYTHON))


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


def _serve(python: str) -> None:
    if os.name == "posix":
        # Take this process's place: signals then reach gunicorn itself.
        os.execv(python, [python, "-m", "gunicorn", "--config", "gunicorn.conf.py"])  # noqa: S606
    sys.exit(subprocess.call([python, "-m", "scripts.serve_windows"]))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
