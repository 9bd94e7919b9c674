"""Calls of functions in a stream: told apart however a provider numbers them, none lost."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain.events import OfChoice, Token, ToolCall
from flask_app.services.gateway.completion_objects import calls_of
from flask_app.upstream.chunks import ChunkReader
from flask_app.upstream.readers import ChoicesReader
from flask_app.upstream.tool_calls import MAX_INDEX, Calls, UnreadableCalls

ABSENT: Any = object()


def piece(name: str | None = None, arguments: Any = ABSENT, **fields: Any) -> dict[str, Any]:
    function = ({"name": name} if name else {}) | ({} if arguments is ABSENT else {"arguments": arguments})
    return fields | {"function": function}


def read(*lists: list[Any]) -> list[ToolCall]:
    calls = Calls()
    return [call for each in lists for call in calls.read(json.dumps(each).encode())]


def said(**delta: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode()


def put_together(*lists: list[Any]) -> list[tuple[str, str, str]]:
    """Id, name and arguments of each."""
    told = calls_of(read(*lists))
    return [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in told]


@pytest.mark.parametrize("numbers", [({}, {}), ({"index": 0}, {"index": 0}), ({"index": None}, {"index": None})])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_new_id_is_another_call_whatever_its_number(numbers: tuple[Any, Any], at_once: bool) -> None:
    first, second = numbers
    calls = [piece("look", "{}", id="a", **first), piece("look", '{"x":1}', id="b", **second)]
    lists = [calls] if at_once else [[call] for call in calls]
    assert put_together(*lists) == [("a", "look", "{}"), ("b", "look", '{"x":1}')]


@pytest.mark.parametrize("number", [{}, {"index": 0}, {"index": None}, {"index": "0"}, {"index": -1}])
def test_pieces_go_on_with_the_call_before_them(number: dict[str, Any]) -> None:
    lists = [[piece("look", '{"x":', id="a", **number)], [piece(None, "1", **number)], [piece(None, "}", **number)]]
    assert put_together(*lists) == [("a", "look", '{"x":1}')]


def test_a_piece_goes_on_with_the_call_of_its_id() -> None:
    begun = [piece("look", "", id="a", index=0), piece("find", "", id="b", index=0)]
    more = [piece(None, "{}", id="a", index=0), piece(None, "[]", id="b", index=0)]
    assert put_together(begun, more) == [("a", "look", "{}"), ("b", "find", "[]")]


@pytest.mark.parametrize("name", ["look", "find"])
def test_calls_that_share_an_id_are_told_apart_by_their_numbers(name: str) -> None:
    begun = [piece("look", "{}", index=0, id="x"), piece(name, "{", index=1, id="x")]
    told = read(begun, [piece(None, "1", index=1)], [piece(None, "}", index=1, id="x")], [piece(None, "2", index=0)])
    assert [(call.index, call.name, call.arguments) for call in told] == [
        *((0, "look", "{}"), (1, name, "{")),
        *((1, None, "1"), (1, None, "}"), (0, None, "2")),
    ]
    assert told[0].id == "x"
    assert (told[1].id or "").startswith("call_"), "a program answers each by its id"


def test_a_call_that_names_itself_with_each_piece_is_known_by_its_id_and_number() -> None:
    lists = [[piece("look", part, index=number, id="x")] for part, number in (("{", 0), ("[]", 0), ("}", None))]
    assert put_together(*lists) == [("x", "look", "{[]}")]


def test_a_new_id_without_a_name_is_the_same_call() -> None:
    """Some make one up for each piece."""
    assert put_together([piece("look", "{", id="a", index=0)], [piece(None, "}", id="b", index=0)]) == [
        ("a", "look", "{}")
    ]


def test_ids_and_names_are_told_once() -> None:
    first, second = read([piece("look", "{", id="a", index=0)], [piece("look", "}", id="a", index=0)])
    assert (first, second) == (ToolCall(0, "a", "look", "{"), ToolCall(0, None, None, "}"))
    first, second = read([piece(index=0, id="a")], [piece("look", "{}", index=0)])
    assert (first.name, second) == (None, ToolCall(0, None, "look", "{}"))


@pytest.mark.parametrize("number", [{}, {"index": 0}])
@pytest.mark.parametrize("name", ["look", "find"])
@pytest.mark.parametrize("none", [{}, {"id": ""}, {"id": None}])
def test_whole_calls_without_an_id_are_told_apart_and_get_one(number: Any, name: str, none: Any) -> None:
    told = put_together([piece("look", "{}", **number, **none)], [piece(name, '{"x":1}', **number, **none)])
    assert [each[1:] for each in told] == [("look", "{}"), (name, '{"x":1}')]
    ids = [each[0] for each in told]
    assert all(each.startswith("call_") and len(each) == 29 for each in ids)
    assert len(set(ids)) == 2


def test_one_that_tells_its_name_with_each_piece_is_one_call() -> None:
    lists = [[piece("look", part, index=0)] for part in ('{"x":', "{}", "}")]
    assert [each[1:] for each in put_together(*lists)] == [("look", '{"x":{}}')]


def test_a_number_that_is_free_is_kept_and_none_is_taken_twice() -> None:
    begun = [piece("a", index=1, id="a"), piece("b", index=1, id="b"), piece("c", index=2, id="c")]
    assert [call.index for call in read(begun, [piece("d", index=0, id="d")])] == [1, 2, 3, 0]
    assert [call.index for call in read([piece("a", index=index) for index in (MAX_INDEX, -1, 1.5)])] == [0, 1, 2]


def test_arguments_may_be_an_object() -> None:
    assert [each[2] for each in put_together([piece("look", {"x": "é"}), piece("look", None), piece("look")])] == [
        '{"x": "\\u00e9"}',
        "",
        "",
    ]


@pytest.mark.parametrize("calls", [[1], [{"function": "f"}], [piece("look", id=1)], [piece("look"), None]])
def test_a_list_that_cannot_be_read_is_a_fault(calls: list[Any]) -> None:
    with pytest.raises(UnreadableCalls):
        read(calls)
    reader = ChunkReader()
    chunk = said(content="x", tool_calls=calls)
    assert len(reader.read([chunk, chunk])) == 1, "the words before it are told, and nothing after it"
    assert isinstance(reader.fault, UnreadableCalls)


def test_calls_of_functions_come_in_pieces() -> None:
    first = {"index": 1, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    more = {"index": 1, "function": {"arguments": "{}"}}
    reader = ChunkReader()
    assert reader.read([said(content="I look.", tool_calls=[first])]) == [Token("I look."), ToolCall(1, "c", "f", "")]
    assert reader.read([said(tool_calls=[more])]) == [ToolCall(1, None, None, "{}")]


@pytest.mark.parametrize("calls", [None, [], {}, "x"])
def test_what_is_no_list_of_calls_is_left_out(calls: object) -> None:
    reader = ChunkReader()
    assert reader.read([said(content="x", tool_calls=calls)]) == [Token("x")]
    assert reader.fault is None


def test_a_number_without_bounds_is_none() -> None:
    (call,) = Calls().read(b'[{"index":1e999,"id":"c","function":{"name":"f"}}]')
    assert call == ToolCall(0, "c", "f")


def test_no_long_number_is_kept() -> None:
    calls = Calls()
    for number in range(100):
        calls.read(json.dumps([piece("f", "{}", index="i" * 1000 + str(number), id=f"c{number}")]).encode())
    assert not calls._by_index
    assert put_together([piece("f", "{", index="i" * 32)], [piece("g", "{}")], [piece(None, "}", index="i" * 32)])[0][
        1:
    ] == ("f", "{}")


def test_letters_that_are_none_are_a_fault() -> None:
    with pytest.raises(UnreadableCalls):
        Calls().read(b'[{"function":{"name":"f","arguments":{"x":"\xff"}}}]')


def test_calls_of_several_answers_are_their_own() -> None:
    choices = [{"index": n, "delta": {"tool_calls": [piece("look", "{}", index=0, id=f"c{n}")]}} for n in range(2)]
    told = ChoicesReader().read([json.dumps({"choices": choices}).encode()])
    assert told == [OfChoice(n, ToolCall(0, f"c{n}", "look", "{}")) for n in range(2)]


def test_of_choices_that_nobody_asked_for_no_calls_are_remembered() -> None:
    reader, called = ChoicesReader(), {"tool_calls": [piece("look", "{}", index=0, id="c")]}
    for n in range(0, 10_000, 10):
        reader.read([json.dumps({"choices": [{"index": n, "delta": called}]}).encode()])
    assert len(reader._calls) < 10


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, 0, 1, 7, "0", -1]),
            st.sampled_from([None, "", "a", "b", "c"]),
            st.sampled_from([None, "", "look", "find"]),
            st.sampled_from(["", "{", "}", "{}", '{"x":1}']),
        ),
        max_size=12,
    )
)
def test_nothing_that_is_written_is_lost(pieces: list[tuple[Any, Any, Any, str]]) -> None:
    told = read([piece(name, text, index=index, id=call_id) for index, call_id, name, text in pieces])
    assert "".join(call.arguments for call in told) == "".join(each[3] for each in pieces)
    begun = [call for call in told if call.id]
    assert len({call.id for call in begun}) == len({call.index for call in told}) == len(begun)
