"""Office files with what stands in none of their words: formulas, the numbers of lists, notes, pictures."""

import io
import zipfile

from tests.support import files

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_TYPES, _RELATIONS, _NUMBERING = "[Content_Types].xml", "word/_rels/document.xml.rels", "word/numbering.xml"
_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
SPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    f'xmlns:m="{_OFFICE}/math" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
)
PICTURE = "<w:r><w:drawing><pic:pic/></w:drawing></w:r>"
OLD_FORMULA = '<w:r><w:object><v:shape><v:imagedata/></v:shape><o:OLEObject ProgID="Equation.DSMT4"/></w:object></w:r>'


def sheet(
    body: str,
    levels: str = "",
    *,
    lists: str = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>',
    notes: str = "",
    header: str = "",
    styles: str = "",
) -> bytes:
    """A Word document with that markup in its body, and that beside it."""
    numbering = f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>{lists}'
    changes = {files.WORD: _part("document", f"<w:body>{body}</w:body>"), _NUMBERING: _part("numbering", numbering)}
    if styles:
        changes["word/styles.xml"] = _part("styles", styles)
    beside = [("footnotes", "footnotes", notes), ("header1", "header", header)]
    for name, kind, markup in beside:
        if markup:
            changes[f"word/{name}.xml"] = _part({"header": "hdr"}.get(kind, kind), markup)
    made = files.altered(files.document("words"), changes)
    named = [(name, kind) for name, kind, markup in beside if markup]
    return files.altered(made, _named(made, named))


def level(depth: int, form: str, words: str, start: int = 1, style: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return (
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/>{named}'
        f'<w:lvlText w:val="{words}"/></w:lvl>'
    )


def paragraph(*runs: str, depth: int | None = None, numbering: int = 1, style: str = "") -> str:
    """Of words, and of markup, which begins with a tag."""
    numbered = (
        f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{numbering}"/></w:numPr>' if depth is not None else ""
    )
    styled = f'<w:pStyle w:val="{style}"/>' if style else ""
    inside = "".join(run if run.startswith("<") else f"<w:r><w:t>{run}</w:t></w:r>" for run in runs)
    return f"<w:p><w:pPr>{styled}{numbered}</w:pPr>{inside}</w:p>"


def formula(markup: str) -> str:
    return f"<m:oMath>{markup}</m:oMath>"


def term(text: str) -> str:
    return f"<m:r><m:rPr/><m:t>{text}</m:t></m:r>"


def of(name: str, **parts: str) -> str:
    """A form of formulas with its parts, by their names."""
    return f"<m:{name}>{''.join(f'<m:{part}>{markup}</m:{part}>' for part, markup in parts.items())}</m:{name}>"


def raised(text: str, where: str = "superscript") -> str:
    return f'<w:r><w:rPr><w:vertAlign w:val="{where}"/></w:rPr><w:t>{text}</w:t></w:r>'


def slide_with(markup: str) -> bytes:
    """Slides of which the only one has that beside its title."""
    made, place = files.slides("题目"), "ppt/slides/slide1.xml"
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        slide = archive.read(place).decode()
    spaces = f'xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main" xmlns:m="{_OFFICE}/math" '
    spaces += 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    slide = slide.replace("<p:sld ", f"<p:sld {spaces} ", 1).replace("</p:spTree>", f"{markup}</p:spTree>")
    return files.altered(made, {place: slide.encode()})


def _part(name: str, markup: str) -> bytes:
    return f"<w:{name} {SPACES}>{markup}</w:{name}>".encode()


def _named(made: bytes, parts: list[tuple[str, str]]) -> dict[str, bytes]:
    """What tells of further parts, by their names and kinds."""
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        types, relations = archive.read(_TYPES).decode(), archive.read(_RELATIONS).decode()
    for name, kind in parts:
        override = f'<Override PartName="/word/{name}.xml" ContentType="{_WORD_TYPE}.{kind}+xml"/>'
        relation = f'<Relationship Id="r{name}" Type="{_OFFICE}/relationships/{kind}" Target="{name}.xml"/>'
        types = types.replace("</Types>", f"{override}</Types>")
        relations = relations.replace("</Relationships>", f"{relation}</Relationships>")
    return {_TYPES: types.encode(), _RELATIONS: relations.encode()}
