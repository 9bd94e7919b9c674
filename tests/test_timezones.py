"""Which time zones are accepted, and which are offered."""

from zoneinfo import ZoneInfo

import pytest

from flask_app import timezones


@pytest.mark.parametrize("name", ["Asia/Shanghai", "America/Argentina/Ushuaia", "UTC", "Asia/Calcutta", "Etc/GMT+8"])
def test_what_browsers_call_their_zone_is_known(name: str) -> None:
    assert timezones.is_known(name)


@pytest.mark.parametrize(
    "name", ["", "localtime", "Factory", "posixrules", "posix/UTC", "right/UTC", "../x", "asia/shanghai", "zone.tab"]
)
def test_what_is_no_zone_of_a_browser_is_not(name: str) -> None:
    assert not timezones.is_known(name)


def test_each_place_is_offered_once_by_its_present_name() -> None:
    offered = timezones.offered()
    assert len(offered) == len(set(offered)) > 400
    assert list(offered[:-1]) == sorted(offered[:-1])
    assert {"Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata", "UTC"} <= set(offered)
    assert not {"Asia/Calcutta", "PRC", "US/Pacific", "Etc/GMT+8", "localtime"} & set(offered)
    for name in offered:
        assert timezones.is_known(name)
        assert ZoneInfo(name).key == name
