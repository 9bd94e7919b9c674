"""The policy: which failure benches whom for how long, and in which order keys are asked."""

import pytest

from flask_app.domain import cooldown
from flask_app.domain.cooldown import RULES, Rank


def seconds(code: str, strikes: int = 1, retry_after: int | None = None, chance: float = 0.0) -> float:
    rule = RULES[code]
    return cooldown.bench(rule, strikes=strikes, retry_after=retry_after, draw=lambda: chance).seconds


@pytest.mark.parametrize("code", RULES)
def test_each_failure_in_a_row_doubles_the_bench_up_to_a_limit(code: str) -> None:
    benches = [seconds(code, strikes) for strikes in (1, 2, 3)]
    assert benches == [RULES[code].first * factor for factor in (1, 2, 4)]
    assert seconds(code, 10_000, chance=0.99) == RULES[code].longest


@pytest.mark.parametrize("code", RULES)
def test_chance_spreads_the_benches_but_never_shortens_them(code: str) -> None:
    first = RULES[code].first
    assert first < seconds(code, chance=0.5) < seconds(code, chance=0.99) <= first * 1.25


@pytest.mark.parametrize("code", ["upstream_busy", "upstream_overloaded", "upstream_failed"])
def test_what_the_provider_says_holds_up_to_an_hour(code: str) -> None:
    assert seconds(code, 7, 90, 0.9) == 90
    assert seconds(code, 1, 10**12) == 3600
    assert cooldown.bench(RULES[code], strikes=1, retry_after=90, draw=lambda: 0.0).firm


@pytest.mark.parametrize("code", ["upstream_key_refused", "upstream_no_balance"])
def test_a_key_that_somebody_has_to_mend_does_not_wait_for_a_clock(code: str) -> None:
    bench = cooldown.bench(RULES[code], strikes=1, retry_after=90, draw=lambda: 0.0)
    assert (bench.seconds, bench.firm, RULES[code].pause) == (300, False, 10)


def test_only_a_busy_account_is_left_alone_without_being_told_how_long() -> None:
    firm = {
        code for code, rule in RULES.items() if cooldown.bench(rule, strikes=1, retry_after=None, draw=lambda: 0.0).firm
    }
    assert firm == {"upstream_busy"}
    assert set(cooldown.ACCOUNT_CODES) == {"upstream_busy", "upstream_no_balance"}


def test_a_request_that_was_wrong_has_no_rule() -> None:
    assert "upstream_rejected" not in RULES


def test_a_bench_that_another_version_noted_is_taken_for_a_fault() -> None:
    assert cooldown.rule_of("upstream_from_tomorrow") == cooldown.rule_of(None) == RULES["upstream_timeout"]
    assert cooldown.rule_of("upstream_busy") == RULES["upstream_busy"]


def test_pauses_between_attempts_grow_and_are_bounded() -> None:
    assert cooldown.pause_before(2, lambda: 0.0) == 0.25
    assert cooldown.pause_before(2, lambda: 0.5) == 0.375
    assert cooldown.pause_before(3, lambda: 0.0) == 0.5
    assert cooldown.pause_before(9, lambda: 0.99) == 1.0


def test_ranks_go_by_provider_then_choice_then_key_then_chance() -> None:
    def drawn(
        provider: int, chosen: int, key: int, chance: float = 0.5, weight: int = 1
    ) -> tuple[int, bool, int, float]:
        rank = Rank(provider_priority=provider, chosen=bool(chosen), priority=key, weight=weight)
        return rank.drawn(lambda: chance)

    assert drawn(0, 0, 9) < drawn(1, 1, 0)
    assert drawn(1, 1, 9) < drawn(1, 0, 0)
    assert drawn(1, 1, 0, 0.999999) < drawn(1, 1, 1, 0.0)
    assert drawn(1, 1, 1, 0.1) < drawn(1, 1, 1, 0.2)
    assert drawn(1, 1, 1, 0.2, weight=3) < drawn(1, 1, 1, 0.1)
