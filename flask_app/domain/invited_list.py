"""A list of people to be invited, as a spreadsheet saves it or somebody pastes it: name, address and group of each.

Cells are parted by commas, semicolons (as spreadsheets do in half of Europe) or tabs (as they copy). A first line of
nothing but heads says what the columns are.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

COLUMNS = ("name", "email", "group")
_HEADS = {
    "name": {"name", "姓名", "名字", "名称", "名稱", "名前", "氏名"},
    "email": {"email", "e-mail", "mail", "邮箱", "电子邮件", "郵箱", "電子郵件", "電郵", "メール", "メールアドレス"},
    "group": {"group", "gruppe", "用户组", "群組", "グループ", "班级", "班級", "クラス"},
}
_PARTED_BY = (",", ";", "\t")


class Unreadable(ValueError):
    """A quotation mark that has no other; `line` is where its row begins."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Invited:
    """A row's cells without the blanks around them; what is not there is empty.

    `line` is where it begins, from 1. `surplus`: there are more cells than columns.
    """

    line: int
    name: str
    email: str
    group: str
    surplus: bool


def read(text: str) -> list[Invited]:
    """Everybody who is on the list, in its order; raises Unreadable."""
    rows = list(_rows(text.removeprefix("\ufeff")))
    columns = _heads(rows[0][1]) if rows else None
    return [_invited(line, cells, columns or COLUMNS) for line, cells in (rows[1:] if columns else rows)]


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that holds something, and the line where it begins."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=_delimiter(lines), strict=True)
    begins = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(begins) from error


def _delimiter(lines: list[str]) -> str:
    """The sign that is most often in the first line that holds something."""
    first = next((line for line in lines if line.strip()), "")
    return max(_PARTED_BY, key=first.count)


def _heads(cells: list[str]) -> tuple[str, ...] | None:
    """What the columns are; None where the line is a person's."""
    filled = cells[: max(place for place, cell in enumerate(cells, 1) if cell)]
    known = [next((name for name, words in _HEADS.items() if cell.casefold() in words), "") for cell in filled]
    return tuple(known) if all(known) and len(set(known)) == len(known) else None


def _invited(line: int, cells: list[str], columns: tuple[str, ...]) -> Invited:
    told = dict.fromkeys(COLUMNS, "") | dict(zip(columns, cells, strict=False))
    if not told["email"] and "@" in told["name"]:  # a list of addresses alone
        told |= {"name": "", "email": told["name"]}
    return Invited(line, told["name"], told["email"], told["group"], surplus=any(cells[len(columns) :]))
