"""What readers are told of how an answer ended."""

import pytest

from flask_app.i18n import LOCALES, translate
from flask_app.services.runs import run_events

# What stands in the way of another round: nobody can say there which budget it was, or how long to wait.
MIDWAY = (
    *("budget_exhausted", "budget_held", "balance_exhausted", "balance_held"),
    *("no_model", "upstream_full", "upstream_resting", "upstream_no_balance", "upstream_key_refused"),
    *("conversation_too_long", "database_unavailable", "interrupted", "internal"),
)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("code", MIDWAY)
def test_the_words_of_an_end_midway_want_nothing_filled_in(code: str, locale: str) -> None:
    words = translate(locale, run_events.words_of(code))
    assert words
    assert "{" not in words
