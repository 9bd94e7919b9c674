"""Install, migrate and serve MingChat: ``python scripts/start.py``, the same on every system.

HOST (127.0.0.1) and PORT (5000) say where. Nothing is downloaded or migrated the second time.
"""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - old Python
sys.path.insert(0, ROOT)


def main() -> None:
    if sys.version_info < (3, 11):
        from scripts import interpreter

        sys.exit(subprocess.call([interpreter.newest(), __file__]))

    from scripts import environment, settings

    os.chdir(ROOT)
    settings.check()  # before minutes are spent on installing; scripts/launch.py reads .env besides
    environment.ensure("run")
    environment.become("-m", "scripts.launch")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
