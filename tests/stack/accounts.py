"""The two accounts of the database that Docker Compose has, made of mysql/init.sql."""

from pathlib import Path

import pymysql  # type: ignore[import-untyped]
from pymysql.constants import CLIENT  # type: ignore[import-untyped]

from tests.support.mariadb import DATABASE, MariaDB

INIT = Path(__file__).resolve().parents[2] / "mysql/init.sql"
MIGRATING, SERVING = "mingchat_migration", "mingchat"
PASSWORD = "of-both-accounts"

# As MySQL's image makes the database and MYSQL_USER; a server's own character set may be another.
_OF_THE_IMAGE = f"""
ALTER DATABASE {DATABASE} CHARACTER SET latin1;
CREATE USER '{MIGRATING}'@'%' IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON {DATABASE}.* TO '{MIGRATING}'@'%';
"""


def make(database: MariaDB) -> None:
    """As the image does while its volume is empty."""
    script = f"{_OF_THE_IMAGE}SET @serving_password = '{PASSWORD}';\n{INIT.read_text(encoding='utf-8')}"
    several = {"client_flag": CLIENT.MULTI_STATEMENTS}
    with pymysql.connect(host="127.0.0.1", port=database.port, user="root", database=DATABASE, **several) as line:
        cursor = line.cursor()
        cursor.execute(script)
        while cursor.nextset():
            pass


def url(database: MariaDB, account: str) -> str:
    return f"mysql+pymysql://{account}:{PASSWORD}@127.0.0.1:{database.port}/{DATABASE}"
