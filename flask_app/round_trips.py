"""Several statements in one round trip: a server gets them together, and answers one after the other.

The only file that knows PyMySQL from inside, which sends a statement only once the last has its reply. The protocol
itself has each command answered in turn, whenever the next one comes.
"""

import struct
from collections.abc import Sequence
from typing import Any

from pymysql.constants.COMMAND import COM_QUERY  # type: ignore[import-untyped]
from pymysql.err import InterfaceError, MySQLError  # type: ignore[import-untyped]


def make(driver: Any, statements: Sequence[bytes]) -> list[int]:
    """Have them executed in their order; gives how many rows each has changed. Rows that are found are not kept.

    Raises what the first that failed has met. The server executes those behind it all the same: the transaction is to
    be rolled back then.
    """
    if not driver.open:
        raise InterfaceError(0, "")
    driver._result = None  # noqa: SLF001
    driver._write_bytes(b"".join([_packet(each) for each in statements]))  # noqa: SLF001
    changed: list[int] = []
    failure: MySQLError | None = None
    for _ in statements:
        driver._next_seq_id = 1  # noqa: SLF001
        try:
            changed.append(driver._read_query_result())  # noqa: SLF001
        except MySQLError as error:
            if not driver.open:
                raise
            failure = failure or error
    if failure:
        raise failure
    return changed


def _packet(statement: bytes) -> bytes:
    """Of less than 16 MB, as the protocol has them in one piece."""
    return struct.pack("<iB", len(statement) + 1, COM_QUERY) + statement
