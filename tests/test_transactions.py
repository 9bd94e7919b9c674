"""Transactions that the server breaks off are tried again, all of them, at most three times."""

from collections.abc import Callable

import pymysql  # type: ignore[import-untyped]
import pytest
from flask import Flask
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from flask_app.database import in_writing


def broken_off(number: int, times: int) -> Callable[[Connection], str]:
    left = [number] * times

    def work(connection: Connection) -> str:
        if left:
            raise OperationalError("UPDATE", {}, pymysql.err.OperationalError(left.pop(), "broken off"))
        return "done"

    return work


@pytest.mark.parametrize("number", [1205, 1213, 1020], ids=["lock time-out", "deadlock", "record changed"])
def test_a_transaction_that_was_broken_off_is_tried_again(app: Flask, number: int) -> None:
    assert in_writing(broken_off(number, 2)) == "done"
    with pytest.raises(OperationalError):
        in_writing(broken_off(number, 3))


def test_other_failures_are_told_at_once(app: Flask) -> None:
    with pytest.raises(OperationalError):
        in_writing(broken_off(1146, 1))
