"""How the events of an attempt are heard and told, as they come: for nearly all of them this is the whole way."""

from collections.abc import Callable

from flask_app.domain.events import Event, Thought, Token
from flask_app.services.completion.attempts import Outcome

Tell = Callable[[list[Event]], None]


def hearing(outcome: Outcome, hear: Callable[[Event], Thought | None], tell: Tell) -> Tell:
    """Takes events that came together: each goes into the outcome, and all of them are told.

    `hear` takes what is not one more word; it may know that the model has thought enough, which is told before, and it
    raises where the provider says that it failed: what came before that is told all the same.
    """
    said = outcome.text_parts

    def take(events: list[Event]) -> None:
        if len(events) == 1 and said and type(events[0]) is Token:  # nearly all are, and end nothing
            said.append(events[0].text)
            outcome.usage = None  # as `Outcome.hear` does
            tell(events)
            return
        told: list[Event] = []
        try:
            for event in events:
                if thought := hear(event):
                    told.append(thought)
                told.append(event)
        finally:
            if told:
                tell(told)

    return take
