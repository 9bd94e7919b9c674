"""What a document says beside its plain words: formulas, the numbers of its lists, its notes, and what is left out."""

import pytest

from flask_app.domain import files as bounds
from tests.support import files
from tests.support.file_reading import read, refused, text_of
from tests.support.office_files import (
    OLD_FORMULA,
    PICTURE,
    formula,
    level,
    of,
    paragraph,
    raised,
    sheet,
    slide_with,
    term,
)

pytestmark = pytest.mark.usefixtures("in_an_instance")
X, X2 = term("x"), of("sSup", e=term("x"), sup=term("2"))
ROOT_OF_SEVERAL = of("rad", deg="", e=of("sSup", e=term("b"), sup=term("2")) + term("-4ac"))
NUMBERS = level(0, "chineseCountingThousand", "%1、") + level(1, "decimal", "%2.") + level(2, "decimal", "（%2-%3）")


def test_an_exercise_sheet_is_read_as_it_is_seen() -> None:
    note = '<w:footnote w:id="2"><w:p><w:r><w:t>取正根</w:t></w:r></w:p></w:footnote>'
    body = (
        paragraph("解方程", depth=0)
        + paragraph(formula(X2 + term("+2x-3=0")), depth=1)
        + paragraph("x", raised("2"), "+y", raised("1", "subscript"), raised("0", "subscript"), "=0", depth=1)
        + paragraph("求", formula(of("f", num=term("1"), den=term("x+1"))), "的值", depth=2)
        + paragraph("如图", PICTURE, depth=0)
        + paragraph("化简", OLD_FORMULA, '<w:r><w:footnoteReference w:id="2"/></w:r>', depth=1)
    )
    header = "<w:p><w:r><w:t>九年级</w:t></w:r></w:p>"
    assert text_of(sheet(body, NUMBERS, notes=note, header=header)).splitlines() == [
        "[header] 九年级",
        "一、 解方程",
        "1. x^2+2x-3=0",
        "2. x^2+y_10=0",
        "（2-1） 求1/(x+1)的值",
        "二、 如图[picture]",
        "1. 化简[formula] [note: 取正根]",
    ]


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        (term("x=") + of("f", num=term("-b±") + ROOT_OF_SEVERAL, den=term("2a")), "x=(-b±√(b^2-4ac))/(2a)"),
        (of("f", num=term("路程"), den=term("时间")), "路程/时间"),
        (of("sSup", e=of("d", e=term("x+1")), sup=term("n-1")), "(x+1)^(n-1)"),
        (of("sSubSup", e=term("a"), sub=term("n"), sup=term("2")), "a_n^2"),
        (of("sPre", sub=term("n"), sup=term("k"), e=term("C")), "_n^kC"),
        (of("rad", deg=term("3"), e=X), "∛x"),
        (of("rad", deg=term("n"), e=term("x+1")), "(x+1)^(1/n)"),
        (of("nary", naryPr='<m:chr m:val="∑"/>', sub=term("i=1"), sup=term("n"), e=term("i")), "∑_(i=1)^n i"),
        (of("nary", sub="", sup="", e=term("f(x)dx")), "∫ f(x)dx"),
        (of("func", fName=term("sin"), e=term("α")), "sin α"),
        (of("func", fName=of("limLow", e=term("lim"), lim=term("x→0")), e=of("d", e=X)), "lim_(x→0)(x)"),
        (of("d", dPr='<m:begChr m:val="{"/><m:endChr m:val=""/>', e=of("eqArr", e=X) + term(",1")), "{x,1"),
        (of("m", mr=of("e", r="") + "<m:e>" + X + "</m:e>"), ", x"),
        (of("acc", accPr='<m:chr m:val="⃗"/>', e=term("AB")), "(AB)⃗"),
        (of("bar", e=X), "x̅"),
        (of("f", fPr='<m:type m:val="noBar"/>', num=term("n"), den=term("k")), "n; k"),
        (of("limUpp", e=term("="), lim=term("def")), "=^(def)"),
    ],
    ids=lambda value: value if not value.startswith("<") else "",
)
def test_a_formula_is_a_line(markup: str, said: str) -> None:
    assert text_of(sheet(paragraph("：", formula(markup)))) == f"：{said}"


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("decimal", "1 2 3"),
        ("upperLetter", "A B C"),
        ("lowerRoman", "i ii iii"),
        ("decimalEnclosedCircleChinese", "① ② ③"),
        ("ideographTraditional", "甲 乙 丙"),
        ("decimalZero", "01 02 03"),
        ("bullet", "• • •"),
    ],
)
def test_a_list_is_numbered_as_it_is_drawn(form: str, numbers: str) -> None:
    body = "".join(paragraph("题", depth=0) for _ in range(3))
    found = text_of(sheet(body, level(0, form, "%1")))
    assert [line.removesuffix(" 题") for line in found.splitlines()] == numbers.split()


def test_lists_go_on_or_begin_anew_as_they_are_set() -> None:
    again = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>'
    lists = (
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="0"/></w:num>'
        f'<w:num w:numId="3"><w:abstractNumId w:val="0"/>{again}</w:num>'
    )
    numbered = [(1, 0), (2, 0), (1, 1), (3, 0), (3, 0), (1, 1), (9, 0), (0, 0)]
    body = "".join(paragraph("题", depth=depth, numbering=numbering) for numbering, depth in numbered)
    levels = level(0, "decimal", "%1.") + level(1, "lowerLetter", "%1.%2)", start=2)
    found = text_of(sheet(body, levels, lists=lists))
    assert found.splitlines() == ["1. 题", "2. 题", "2.b) 题", "5. 题", "6. 题", "6.b) 题", "题", "题"]


def test_each_list_has_its_own_signs_or_those_that_it_is_linked_to() -> None:
    bullets = f'</w:abstractNum><w:abstractNum w:abstractNumId="1">{level(0, "bullet", "-")}</w:abstractNum>'
    own = (
        f'<w:abstractNum w:abstractNumId="2"><w:styleLink w:val="Own"/>{level(0, "upperRoman", "%1.")}</w:abstractNum>'
    )
    linked = '<w:abstractNum w:abstractNumId="3"><w:numStyleLink w:val="Own"/>'
    lists = "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n - 1}"/></w:num>' for n in range(1, 5))
    levels = level(0, "decimal", "%1.") + bullets + own + linked
    body = "".join(paragraph("题", depth=0, numbering=number) for number in (1, 2, 3, 4, 1))
    assert text_of(sheet(body, levels, lists=lists)).splitlines() == ["1. 题", "• 题", "I. 题", "II. 题", "2. 题"]


def test_what_is_no_number_is_as_if_it_were_not_there() -> None:
    broken = level(0, "decimal", "%1.").replace('w:start w:val="1"', 'w:start w:val="one"')
    assert text_of(sheet(paragraph("题", depth=0), broken)) == "1. 题"


def test_a_list_has_the_nine_levels_of_word() -> None:
    """Of a file that names a hundred thousand, counting took minutes."""
    levels = level(8, "decimal", "%9.") + level(9, "decimal", "%10.")
    body = "".join(paragraph("题", depth=depth) for depth in (8, 9))
    assert text_of(sheet(body, levels)).splitlines() == ["1. 题", "题"]


def test_a_style_numbers_its_paragraphs() -> None:
    numbered = '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
    styles = (
        f'<w:style w:type="paragraph" w:styleId="First">{numbered}</w:style>'
        f'<w:style w:type="paragraph" w:styleId="Second">{numbered}</w:style>'
        '<w:style w:type="paragraph" w:styleId="Likewise"><w:basedOn w:val="Second"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="Round"><w:basedOn w:val="Round"/></w:style>'
    )
    levels = level(0, "decimal", "第%1章", style="First") + level(1, "decimal", "%1.%2", style="Second")
    body = "".join(paragraph("题", style=style) for style in ("First", "Second", "Likewise", "Round", "Nowhere"))
    assert text_of(sheet(body, levels, styles=styles)).splitlines() == ["第1章 题", "1.1 题", "1.2 题", "题", "题"]


def test_formulas_and_pictures_of_slides_are_there() -> None:
    body = "<p:txBody><a:bodyPr/><a:p>{}</a:p></p:txBody>"
    shape = f"<p:sp><p:nvSpPr/><p:spPr/>{body}</p:sp>"
    maths = shape.format(f"<a14:m>{formula(X2)}</a14:m><a:r><a:rPr baseline='30000'/><a:t>2</a:t></a:r>")
    several = (
        f"<mc:AlternateContent><mc:Choice>{maths}</mc:Choice><mc:Fallback>{maths}</mc:Fallback></mc:AlternateContent>"
    )
    group = f"<p:grpSp>{shape.format('<a:r><a:t>组</a:t></a:r>')}<p:pic/></p:grpSp><p:graphicFrame/>"
    found = text_of(slide_with(several + group))
    assert found.splitlines() == ["[slide 1]", "题目", "x^2^2", "组", "[picture]", "[picture]"]


def test_pictures_of_a_pdf_are_named_and_pages_without_words_are_told_of() -> None:
    found = read(files.pdf("Hello", "", picture=(40, 40)))
    assert found.text == "[page 1]\nHello\n[picture]\n[page 2: no words]"
    assert bounds.omits(found.kind, found.text)


@pytest.mark.parametrize("size", [(5, 5), (300, 200)], ids=["an ornament", "a scan below its words"])
def test_what_is_no_picture_beside_the_words_is_not_told_of(size: tuple[int, int]) -> None:
    assert text_of(files.pdf("Hello", picture=size)) == "[page 1]\nHello"


def test_what_says_nothing_has_no_words_though_it_has_pictures() -> None:
    assert refused(sheet(paragraph(PICTURE))) == "file_without_words"


def test_only_what_is_left_out_of_a_document_counts() -> None:
    assert not bounds.omits(bounds.TEXT, "[picture]")
    assert not bounds.omits(bounds.DOCUMENT, "[page 1]\nwords")
    assert bounds.omits(bounds.DOCUMENT, "[page 12: no words]")
