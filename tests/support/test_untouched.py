"""The shortcut after each test: an untouched ledger is asked nothing."""

import re

from flask import Flask

from flask_app.database import Base, utc_now
from flask_app.models import User
from tests.support import ledger
from tests.support.storage import counted_statements


def test_all_that_is_verified_is_looked_at_first(app: Flask, member: User) -> None:
    assert ledger.is_untouched()
    ledger.write([ledger.entry(member.id, utc_now())])
    assert not ledger.is_untouched()
    with counted_statements() as statements:
        assert ledger.unsound() == []
    read = set(re.findall(r"(?:FROM|JOIN|,) [`\"]?(\w+)", " ".join(" ".join(statements).split())))
    assert read & Base.metadata.tables.keys() == ledger.VERIFIED
