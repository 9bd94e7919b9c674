"""A process of its own that sends the letters that are due: `python -m tests.support.letter_sender URL MOMENT PORT`.

`PORT` is the mail server's, on loopback; ENCRYPTION_KEY the key that their codes are sealed with.
"""

import os
import sys
import time
from pathlib import Path

from flask_app import config, database
from flask_app.config import Config
from flask_app.services.people import invitation_letters
from tests.support import warned


def main(url: str, moment: str, port: str) -> None:
    config.install(
        Config(instance_dir=Path(), secret_key="", encryption_key=os.environ["ENCRYPTION_KEY"], database_url=url)
    )
    database.connect(url)
    warned.use_mail(int(port))
    time.sleep(max(float(moment) - time.time(), 0))
    invitation_letters.send_due()


if __name__ == "__main__":
    main(*sys.argv[1:])
