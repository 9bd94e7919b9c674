import math

from bench.plan import Report
from bench.report import Burst, Ledger, Results, Steady, figures, markdown, p95, summary
from bench.run import _options, status

SENT = {"requests": 7, "prompt_tokens": 70, "completion_tokens": 700}


def results(*, ours: float = 80.0, program: float = 60.0, lost: int = 0, booked: int = 700) -> Results:
    """Three rounds in which the bare relay costs 50 µs a token, and one of them twice that for both."""
    made = Results(streams=200, rate=20, disk=0.5)
    for slow in (1, 2, 1):
        for tokens in (100, 400):
            made.add("direct", steady(tokens, 20.0 * slow))
            made.add("relay", steady(tokens, 50.0 * slow))
            made.add("mingchat", steady(tokens, ours * slow))
            made.add("gateway", steady(tokens, program * slow))
        faults = {"connection lost": lost} if lost else {}
        made.bursts.append(Burst(load=Report(answers=200 - lost, faults=faults, first_token=[9.0] * 9), pss=120.0))
        made.ledgers.append(Ledger(booked=SENT | {"completion_tokens": booked}, sent=SENT))
    return made


def steady(tokens: int, microseconds: float, others: float = 0.02) -> Steady:
    load = Report(answers=200, first_token=[1.0] * 9 + [microseconds / 10], first_hop=[1.0] * 9)
    cpu = microseconds * 80_000 / 1e6
    return Steady(
        tokens_per_answer=tokens, seconds=20, cpu_seconds=cpu, tokens=80_000, pss=100.0, others=others, load=load
    )


def missed(made: Results) -> set[str]:
    return {figure.name for figure in figures(made) if figure.is_missed}


def test_ratios_are_taken_round_by_round() -> None:
    assert results().ratio(100) == 1.6


def test_a_ratio_over_its_target_is_missed() -> None:
    assert missed(results(ours=70.0)) == set()
    assert missed(results(ours=90.0)) == {"ratio, answers of 400"}
    assert missed(results(ours=110.0)) == {"ratio, answers of 100", "ratio, answers of 400"}


def test_a_program_has_targets_of_its_own() -> None:
    assert missed(results(ours=70.0, program=64.0)) == set()
    assert missed(results(ours=70.0, program=66.0)) == {"a program's CPU a token, answers of 400: ratio"}


def test_a_lost_answer_or_token_is_missed_and_told() -> None:
    assert missed(results(ours=70, lost=1)) == {"answers lost of 200 begun at once, all rounds"}
    assert missed(results(ours=70, booked=699)) == {"ledger apart from the provider's own count"}
    assert "- mingchat, burst: 1 × connection lost" in markdown(results(lost=1))


def test_nothing_arriving_is_no_good_result() -> None:
    assert p95([]) == math.inf


def test_a_busy_machine_is_told() -> None:
    made = results()
    assert "busy" not in markdown(made)
    made.add("direct", steady(100, 20.0, others=0.4))
    assert "others used 40% of a processor" in markdown(made)


def test_the_summary_holds_every_round() -> None:
    rounds = summary(results())["rounds"]

    assert isinstance(rounds, dict)
    assert len(rounds["mingchat, answers of 100"]) == 3


def test_what_redis_costs_is_held_against_the_same_rounds_without() -> None:
    made = results(ours=70)
    for slow in (1, 2, 1):
        made.add("shared", steady(400, 100.0 * slow))
    assert missed(made) == {"with Redis to without, answers of 400"}


def test_a_missed_target_is_a_failure_of_the_command() -> None:
    assert status(results(ours=70.0), checks=True) == 0
    assert status(results(ours=90.0), checks=True) == 1
    assert status(results(ours=90.0), checks=False) == 0
    assert _options([]).check
