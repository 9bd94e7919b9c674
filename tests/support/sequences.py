"""State machines of Hypothesis, asked in many sequences of acts."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

TOGETHER = 100


def run(machine: type[RuleBasedStateMachine], runs: int, steps: int) -> None:
    """Ask `runs` sequences of `steps` acts, TOGETHER at a time.

    Hypothesis keeps what it has drawn, so as to draw none of it twice: of ten thousand sequences that is too much.
    With the profile that always draws the same, each further part would be the first one again.
    """
    for done in range(0, runs, TOGETHER):
        patience = settings(
            max_examples=min(TOGETHER, runs - done),
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=(Phase.generate,),
        )
        run_state_machine_as_test(machine, settings=patience)
