"""What columns hold: moments, ids, names, and the database's own clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, LargeBinary, String, Text, TypeDecorator
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_ASCII = mysql.VARCHAR(64, charset="ascii", collation="ascii_bin")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime with microseconds, kept as a naive one."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(mysql.DATETIME(fsp=6) if dialect.name in {"mysql", "mariadb"} else DateTime())

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class AsciiText(TypeDecorator[str]):
    """Ids and digests, compared byte by byte.

    MariaDB refuses to compare such a column with other letters at all. They are escaped on the way in: no id looks
    like that, so an address that somebody made up is simply not found.
    """

    impl = String(64)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(_ASCII if dialect.name in {"mysql", "mariadb"} else String(64))

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None] | None:
        return _escaped if dialect.name in {"mysql", "mariadb"} else None


def _escaped(value: str | None) -> str | None:
    return value if value is None or value.isascii() else value.encode("ascii", "backslashreplace").decode()


Ascii = AsciiText()
# Text that is folded already: the server's own idea of equal letters ("é" and "e") stays out of it.
Folded = String(190).with_variant(mysql.VARCHAR(190, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
# A mail address that is folded already.
Address = String(254).with_variant(mysql.VARCHAR(254, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
# Names that stand for themselves: "GPT" and "gpt" are two.
Exact = String(128).with_variant(mysql.VARCHAR(128, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
# Of a website, as browsers send it.
Origin = String(300).with_variant(mysql.VARCHAR(300, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
Sealed = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
# Of a file: `domain/files.py` says how long it is at most.
Piece = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
LongText = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


class ByServer(FunctionElement[datetime]):
    """The moment so many seconds from now by the database's clock, the one that all instances share.

    No instance believes its own: it may be an hour off, and another's answers would look dead to it.
    """

    inherit_cache = True
    type = UtcDateTime()


@compiles(ByServer)
def _by_server(element: ByServer, compiler: SQLCompiler, **options: Any) -> str:
    return f"TIMESTAMPADD(SECOND, {compiler.process(element.clauses, **options)}, UTC_TIMESTAMP(6))"


@compiles(ByServer, "sqlite")
def _by_machine(element: ByServer, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"


class Later(FunctionElement[datetime]):
    """A moment, and so many milliseconds after it. SQLite counts in milliseconds."""

    inherit_cache = True
    type = UtcDateTime()


@compiles(Later)
def _later(element: Later, compiler: SQLCompiler, **options: Any) -> str:
    moment, milliseconds = (compiler.process(each, **options) for each in element.clauses)
    return f"TIMESTAMPADD(MICROSECOND, {milliseconds} * 1000, {moment})"


@compiles(Later, "sqlite")
def _later_in_text(element: Later, compiler: SQLCompiler, **options: Any) -> str:
    moment, milliseconds = (compiler.process(each, **options) for each in element.clauses)
    return f"(strftime('%Y-%m-%d %H:%M:%f', {moment}, ({milliseconds} / 1000.0) || ' seconds') || '000')"
