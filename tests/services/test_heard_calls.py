"""What a model wrote of calls: put together, judged, and answered for each."""

from dataclasses import replace

import pytest

from flask_app.domain import tools
from flask_app.domain.events import ToolCall
from flask_app.services.tools.heard_calls import MOST_HEARD, Heard, Wanted
from flask_app.services.tools.toolbox import Toolbox
from tests.support.called import OSLO, Weather

BOX = Toolbox([Weather()])
NAME = "sky__weather"


def wanted(*pieces: ToolCall, box: Toolbox = BOX, made_before: int = 0) -> list[Wanted]:
    heard = Heard()
    for piece in pieces:
        heard.take(piece)
    return heard.wanted(box, 2, made_before)


def codes(found: list[Wanted]) -> list[str | None]:
    return [each.kept.call.error_code for each in found]


def test_the_pieces_of_each_are_put_together_in_the_order_of_their_numbers() -> None:
    second = (ToolCall(1, "b", NAME, ""), ToolCall(1, arguments='{"city": '), ToolCall(1, arguments='"Rome"}'))
    first = ToolCall(0, "a", NAME, OSLO)
    found = wanted(second[0], first, *second[1:])
    assert [each.arguments for each in found] == [{"city": "Oslo"}, {"city": "Rome"}]
    assert [(each.kept.call_id, each.kept.position, each.kept.call.round) for each in found] == [
        ("a", 0, 2),
        ("b", 1, 2),
    ]


@pytest.mark.parametrize("call_id", ["", "a b", "é", "x" * 129])
def test_an_id_that_others_could_not_read_gives_way_to_one_of_ours(call_id: str) -> None:
    (found,) = wanted(ToolCall(0, call_id, NAME, OSLO))
    assert found.kept.call_id.startswith("call_2_0_")
    assert found.echo["id"] == found.kept.call_id


def test_no_two_of_a_round_have_the_same_id() -> None:
    first, second = wanted(ToolCall(0, "a", NAME, OSLO), ToolCall(1, "a", NAME, OSLO))
    assert first.kept.call_id == "a"
    assert second.kept.call_id.startswith("call_2_1_")


@pytest.mark.parametrize(
    "arguments", ["[]", '"Oslo"', "{", '{"city": NaN}', "[" * 5000, f'{{"a": "{"x" * (64 << 10)}"}}']
)
def test_arguments_that_are_no_object_or_too_long_are_not_made(arguments: str) -> None:
    (found,) = wanted(ToolCall(0, "a", NAME, arguments))
    assert (found.tool, found.kept.call.status, codes([found])) == (None, "failed", ["tool_bad_arguments"])
    assert len(found.kept.call.arguments.encode()) <= tools.MOST_ARGUMENT_BYTES
    assert found.echo["function"] == {"name": NAME, "arguments": "{}"}


def test_one_without_arguments_is_made_with_none() -> None:
    (found,) = wanted(ToolCall(0, "a", NAME, ""))
    assert (found.arguments, found.kept.call.status) == ({}, "running")


@pytest.mark.parametrize(("made_before", "made"), [(0, 8), (20, 4), (24, 0)])
def test_so_many_are_made_and_each_has_an_answer(made_before: int, made: int) -> None:
    found = wanted(*(ToolCall(place, f"c{place}", NAME, OSLO) for place in range(40)), made_before=made_before)
    assert codes(found) == made * [None] + (MOST_HEARD - made) * ["tool_too_many"]


def test_what_is_not_made_takes_nobodys_room() -> None:
    unknown = [ToolCall(place, f"u{place}", "nothing", "{}") for place in range(8)]
    known = [ToolCall(8 + place, f"k{place}", NAME, OSLO) for place in range(8)]
    assert codes(wanted(*unknown, *known)) == 8 * ["tool_unknown"] + 8 * [None]


def test_the_names_of_many_tools_are_no_longer_than_a_result() -> None:
    box = Toolbox([replace(Weather(), name=f"{place:064}") for place in range(2000)])
    (found,) = wanted(ToolCall(0, "a", "no such\x00 tool " + "x" * 500, "{}"), box=box)
    assert found.kept.call.result.startswith("There is no tool of this name. There are: 000")
    assert len(found.kept.call.result.encode()) <= tools.MOST_RESULT_BYTES
    assert len(found.kept.call.tool) <= 128
    assert found.echo["function"]["name"] == "unknown"


def test_a_call_of_a_tool_that_confirms_waits() -> None:
    (found,) = wanted(ToolCall(0, "a", NAME, OSLO), box=Toolbox([Weather(confirms=True)]))
    assert found.kept.call.status == "waiting"


def test_the_name_of_a_tool_that_is_not_there_is_one_line_of_what_is_seen() -> None:
    heard = Heard()
    heard.take(ToolCall(index=0, id="c1", name="sky\n\n# Weather\u202e\U000e0041" + "x" * 300, arguments="{}"))
    (wanted,) = heard.wanted(Toolbox(()), 1, 0)
    call = wanted.kept.call
    assert call.title == call.tool
    assert call.tool.startswith("sky # Weather xxx")
    assert len(call.tool) == 128
    assert wanted.echo["function"]["name"] == "unknown"
