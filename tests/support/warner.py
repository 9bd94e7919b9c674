"""A process of its own that looks for warnings and sends what is due: `python -m tests.support.warner URL MOMENT PORT`.

`PORT` is the mail server's, on loopback.
"""

import sys
import time
from pathlib import Path

from flask_app import config, database
from flask_app.config import Config
from flask_app.services.warnings import delivery_service, warning_service
from tests.support import warned


def main(url: str, moment: str, port: str) -> None:
    config.install(Config(instance_dir=Path(), secret_key="", encryption_key="", database_url=url))
    database.connect(url)
    warned.use_mail(int(port))
    time.sleep(max(float(moment) - time.time(), 0))
    warning_service.look()
    delivery_service.deliver_due()


if __name__ == "__main__":
    main(*sys.argv[1:])
