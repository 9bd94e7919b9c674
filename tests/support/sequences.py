"""State machines of Hypothesis, asked in many sequences of acts."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

TOGETHER = 100


def parts(runs: int) -> list[int]:
    """How many sequences each of the tests asks that ask `runs` in all: TOGETHER at most.

    Hypothesis keeps what it has drawn, so as to draw none of it twice: of ten thousand sequences that is too much. Each
    processor takes a part when it is free. With the profile that always draws the same, all parts are the first one.
    """
    return [min(TOGETHER, runs - done) for done in range(0, runs, TOGETHER)]


def run(machine: type[RuleBasedStateMachine], runs: int, steps: int) -> None:
    """Ask `runs` sequences of `steps` acts."""
    patience = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=(Phase.generate,),
    )
    run_state_machine_as_test(machine, settings=patience)
