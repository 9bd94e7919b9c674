"""Names of files made of people's words."""

import pytest

from flask_app.domain import file_names


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("关于唐诗的一段谈话", "关于唐诗的一段谈话"),
        ("Ada 👩\u200d💻 明 é", "Ada 👩\u200d💻 明 é"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a<b>c:d"e/f\\g|h?i*j', "a_b_c_d_e_f_g_h_i_j"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("\u202eexe.txt\ufeff", "exe.txt"),
        ("=1+1", "1+1"),
        ("-- @sum", "sum"),
        ("＝HYPERLINK()", "HYPERLINK()"),
        ("...", ""),
        ("ends. ", "ends"),
        ("e\u0301", "é"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("Com1 .a", "_Com1 .a"),
        ("LPT²", "_LPT²"),
        ("Console", "Console"),
    ],
)
def test_a_name_is_harmless_and_still_says_what_it_was(words: str, name: str) -> None:
    assert file_names.safe(words) == name


def test_a_long_name_is_cut_off_and_ends_with_no_blank() -> None:
    assert file_names.safe("字" * 500) == "字" * file_names.LENGTH
    assert file_names.safe(f"{'a' * (file_names.LENGTH - 1)} b") == "a" * (file_names.LENGTH - 1)


def test_a_name_of_long_characters_fits_in_what_file_systems_take() -> None:
    name = file_names.safe("😀" * 100)
    assert name == "😀" * (file_names.MOST_BYTES // 4)
    assert len(file_names.safe("a" + "😀" * 100).encode()) <= file_names.MOST_BYTES
