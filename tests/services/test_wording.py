"""Moments as sentences say them: as browsers write them in each language."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from flask_app.services.warnings import wording

MORNING = datetime(2026, 11, 5, 7, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("zh", "2026年11月5日 07:05"),
        ("zh-Hant", "2026年11月5日 清晨7:05"),
        ("en", "Nov 5, 2026, 7:05 AM"),
        ("ja", "2026/11/05 7:05"),
    ],
)
def test_a_moment_is_said_as_the_pages_write_it(app: Flask, locale: str, words: str) -> None:
    assert wording.moment(MORNING, "UTC", locale) == words
    zone = " (Asia/Shanghai)" if locale == "en" else "（Asia/Shanghai）"
    assert wording.moment(MORNING, None, locale).endswith(zone), "whose zone is not the reader's own choice"


@pytest.mark.parametrize(
    ("hour", "words"),
    [
        (0, "凌晨12:05"),
        (4, "凌晨4:05"),
        (5, "清晨5:05"),
        (8, "上午8:05"),
        (12, "中午12:05"),
        (13, "下午1:05"),
        (18, "下午6:05"),
        (19, "晚上7:05"),
        (23, "晚上11:05"),
    ],
)
def test_traditional_chinese_names_the_part_of_the_day(app: Flask, hour: int, words: str) -> None:
    midnight = MORNING - timedelta(hours=MORNING.hour)
    assert wording.moment(midnight + timedelta(hours=hour), "UTC", "zh-Hant") == f"2026年11月5日 {words}"


@pytest.mark.parametrize(
    ("locale", "clock", "whole"),
    [
        ("zh", "07:05", "2026年11月5日 07:05"),
        ("zh-Hant", "清晨7:05", "2026年11月5日 清晨7:05"),
        ("en", "7:05 AM", "Nov 5, 2026, 7:05 AM"),
        ("ja", "7:05", "2026/11/05 7:05"),
    ],
)
def test_a_moment_within_a_day_is_its_hour_and_minute(app: Flask, locale: str, clock: str, whole: str) -> None:
    day = timedelta(days=1)
    for now in (MORNING - day + timedelta(seconds=1), MORNING, MORNING + day - timedelta(seconds=1)):
        assert wording.clock(MORNING, "UTC", locale, now) == clock
    for now in (MORNING - day, MORNING + day):
        assert wording.clock(MORNING, "UTC", locale, now) == whole


def test_a_clock_is_the_sites_where_its_reader_chose_none(app: Flask) -> None:
    assert wording.clock(MORNING, None, "zh", MORNING) == "15:05", "Asia/Shanghai is eight hours ahead"
