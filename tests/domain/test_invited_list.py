"""A list of people is read as spreadsheets save it and as people paste it."""

import pytest

from flask_app.domain.invited_list import Unreadable, read


def told(text: str) -> list[tuple[int, str, str, str]]:
    return [(each.line, each.name, each.email, each.group) for each in read(text)]


TWO = [("Li Lei", "li@example.org", "3b"), ("韩梅梅", "han@example.org", "")]


@pytest.mark.parametrize("head", ["", "name,email,group\n", "姓名,邮箱,用户组\n", "Name,E-Mail,Gruppe\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("by", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_it_is_read_whatever_parts_its_cells_and_lines(head: str, mark: str, by: str, end: str) -> None:
    text = f"{head}Li Lei, li@example.org ,3b\n\n韩梅梅,han@example.org,\n"
    found = told(mark + text.replace(",", by).replace("\n", end))
    first = 2 if head else 1
    assert found == [(first, *TWO[0]), (first + 2, *TWO[1])]


def test_heads_say_what_the_columns_are() -> None:
    assert told("group;name\n3b;Li Lei") == [(2, "Li Lei", "", "3b")]
    assert told("email\nli@example.org") == [(2, "", "li@example.org", "")]
    assert told("name,name\nx") == [(1, "name", "name", ""), (2, "x", "", "")], "that is no line of heads"


def test_fewer_cells_are_enough() -> None:
    assert told("Li Lei\nhan@example.org\n,li@example.org\nLi Lei,") == [
        (1, "Li Lei", "", ""),
        (2, "", "han@example.org", ""),
        (3, "", "li@example.org", ""),
        (4, "Li Lei", "", ""),
    ]


def test_quoted_cells_hold_what_parts_others() -> None:
    assert told('"Lei, Li",li@example.org,"3 ""b"""\nnext') == [
        (1, "Lei, Li", "li@example.org", '3 "b"'),
        (2, "next", "", ""),
    ]
    (two_lines, after) = told('"Li\nLei",li@example.org\nnext')
    assert (two_lines[1], after[0]) == ("Li\nLei", 3)


def test_cells_too_many_are_noted_where_they_hold_something() -> None:
    assert [each.surplus for each in read("a,b@c.de,3b,x\na,b@c.de,3b,,")] == [True, False]


@pytest.mark.parametrize(("text", "line"), [('a\n"b\nc', 2), ('a\n\n"b"c,d', 3)])
def test_a_quotation_mark_without_another_says_where(text: str, line: int) -> None:
    with pytest.raises(Unreadable) as refused:
        read(text)
    assert refused.value.line == line


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff", ",,\n,", "name,email,group\n", "\t"])
def test_nobody_is_on_an_empty_list(text: str) -> None:
    assert told(text) == []
