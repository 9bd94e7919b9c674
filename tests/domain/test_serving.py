"""How a model thinks where somebody wants it to."""

import pytest

from flask_app.domain.serving import EFFORTS, Effort, ServedModel, Thinking


def model(*, thinking: bool, efforts: tuple[Effort, ...] = ()) -> ServedModel:
    return ServedModel(
        id="m",
        name="m",
        label="m",
        thinking=thinking,
        efforts=efforts,
        provider_id="p",
        provider="",
        kind="openai",
        currency="CNY",
    )


@pytest.mark.parametrize(
    ("wanted", "by_efforts", "as_it_likes"),
    [(False, False, False), (True, True, True), ("low", "low", True), ("high", "high", True), ("max", "max", True)],
)
def test_with_the_effort_that_is_wanted_or_as_it_likes(
    wanted: Thinking, by_efforts: Thinking, *, as_it_likes: bool
) -> None:
    assert model(thinking=True, efforts=EFFORTS).thinks(wanted) == by_efforts
    assert model(thinking=True).thinks(wanted) is as_it_likes
    assert model(thinking=False).thinks(wanted) is False
