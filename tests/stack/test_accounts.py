"""What the two accounts of the database may do; all tests of the stack run by them."""

import pymysql  # type: ignore[import-untyped]
import pytest

from tests.stack import accounts
from tests.stack.accounts import MIGRATING, SERVING
from tests.stack.site import Stack
from tests.support.mariadb import DATABASE

DENIED = {1044, 1142, 1227}  # to this database, to this command of this table, without a right over the server


def ask(stack: Stack, account: str, statement: str) -> list[tuple[object, ...]]:
    port = stack.database.port
    with pymysql.connect(
        host="127.0.0.1", port=port, user=account, password=accounts.PASSWORD, database=DATABASE
    ) as line:
        cursor = line.cursor()
        cursor.execute(statement)
        return list(cursor.fetchall())


def is_denied(stack: Stack, account: str, statement: str) -> bool:
    try:
        ask(stack, account, statement)
    except pymysql.err.MySQLError as error:
        return error.args[0] in DENIED
    return False


@pytest.mark.security("least-privilege")
@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (a INT)", "ALTER TABLE users ADD mine INT", "DROP TABLE users", "TRUNCATE TABLE token_usage"],
)
def test_the_one_that_serves_may_change_rows_and_no_tables(stack: Stack, statement: str) -> None:
    assert ask(stack, SERVING, "SELECT username FROM users"), "rows it may read"
    assert is_denied(stack, SERVING, statement)


@pytest.mark.security("least-privilege")
@pytest.mark.parametrize("account", [SERVING, MIGRATING])
@pytest.mark.parametrize(
    "statement", ["CREATE DATABASE another", "SELECT * FROM mysql.global_priv", "SET GLOBAL max_connections = 1"]
)
def test_neither_reaches_beyond_its_database(stack: Stack, account: str, statement: str) -> None:
    assert is_denied(stack, account, statement)


def test_every_table_takes_every_character(stack: Stack) -> None:
    (default,) = ask(stack, SERVING, "SELECT @@character_set_database")
    assert default == ("utf8mb4",)
    others = f"""SELECT table_name FROM information_schema.tables
        WHERE table_schema = '{DATABASE}' AND table_collation NOT LIKE 'utf8mb4%'"""
    assert ask(stack, SERVING, "SHOW TABLES")
    assert ask(stack, SERVING, others) == []
