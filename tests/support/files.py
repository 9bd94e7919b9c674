"""Files as people attach them, and hostile ones, made as they are needed."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import docx
import pptx
import pypdfium2
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import FilePiece, KeptFile, Message, MessageFile, User
from tests.support.clients import PageClient

GPS, ORIENTATION, MAKE = 0x8825, 0x0112, 0x010F
WORD = "word/document.xml"
UNPACKED = 64 << 20
Content = bytes | Callable[[], bytes]


def sent(client: PageClient, content: bytes, name: str = "file.txt", **more: Any) -> Any:
    """The reply to a file that is brought in."""
    more.setdefault("content_type", "application/octet-stream")
    return client.post("/api/files", query_string={"name": name}, data=content, **more)


def kept(client: PageClient, content: bytes, name: str = "file.txt") -> dict[str, Any]:
    """What is told of a file that was taken."""
    response = sent(client, content, name)
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.get_json()
    return told


def stored(model: Any = KeptFile) -> int:
    """How many rows of it there are."""
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def made(content: Content) -> bytes:
    """What takes long to make is made where it is asked for: each process of tests reads the modules of all of them."""
    return content if isinstance(content, bytes) else content()


def picture(form: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: Any) -> bytes:
    written = io.BytesIO()
    Image.effect_noise(size, 80).convert(mode).save(written, form, **options)
    return written.getvalue()


def flat(form: str, size: tuple[int, int], mode: str = "RGB") -> bytes:
    """One of one colour: a few bytes, however large."""
    written = io.BytesIO()
    Image.new(mode, size).save(written, form)
    return written.getvalue()


def photograph(size: tuple[int, int] = (4000, 3000)) -> bytes:
    """Taken with the camera held upright, and noting where."""
    noted = Image.Exif()
    noted[ORIENTATION], noted[MAKE] = 6, "Camera of somebody"
    noted.get_ifd(GPS).update({1: "N", 2: (48.0, 8.0, 0.0)})
    return picture("JPEG", size, exif=noted, comment=b"my own words", icc_profile=b"p" * 200)


def moving() -> bytes:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    return written.getvalue()


def document(*paragraphs: str) -> bytes:
    made = docx.Document()
    for paragraph in paragraphs:
        made.add_paragraph(paragraph)
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def word(body: str) -> bytes:
    """One with that markup within its body."""
    spaces = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    )
    markup = f"<w:document {spaces}><w:body>{body}</w:body></w:document>"
    return altered(document("words"), {WORD: markup.encode()})


def slides(*titles: str) -> bytes:
    made = pptx.Presentation()
    for title in titles:
        shape = made.slides.add_slide(made.slide_layouts[5]).shapes.title
        assert shape is not None
        shape.text = title
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def sheets(rows: list[list[str]]) -> bytes:
    """A workbook with one sheet, as small as one can be."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    begin, end = '<c t="inlineStr"><is><t>', "</t></is></c>"
    cells = "".join(f"<row>{''.join(begin + cell + end for cell in row)}</row>" for row in rows)
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="rId1" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="Marks" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="rId1" '
            f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
        }
    )


def zipped(parts: dict[str, str | bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue()


def altered(content: bytes, changes: dict[str, bytes]) -> bytes:
    """An office file with other parts in the place of some, or beside them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**parts, **changes})


def old_office(stream: str) -> bytes:
    """A compound file with a stream of that name, as far as anybody looks."""
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + stream.encode("utf-16-le") + bytes(64)


def bomb() -> bytes:
    """A document whose words are a thousand times its length."""
    return altered(document("small"), {"word/media/image1.xml": b"a" * UNPACKED})


def many_files() -> bytes:
    return altered(document("small"), {f"word/{number}.txt": b"" for number in range(10_001)})


def with_macros() -> bytes:
    with zipfile.ZipFile(io.BytesIO(document("words"))) as archive:
        types = archive.read("[Content_Types].xml")
    macros = types.replace(
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        b"application/vnd.ms-word.document.macroEnabled.main+xml",
    )
    return altered(document("words"), {"[Content_Types].xml": macros, "word/vbaProject.bin": b"\xd0\xcf\x11\xe0"})


def with_entities(path: str) -> bytes:
    """A document that asks for a file of the machine, and for a word that grows."""
    said = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    grown = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    words = (
        f'<!DOCTYPE d [<!ENTITY file SYSTEM "file://{path}"><!ENTITY e0 "lol">{grown}]><w:document xmlns:w="{said}">'
        "<w:body><w:p><w:r><w:t>before &file;&e8; after</w:t></w:r></w:p></w:body></w:document>"
    )
    return altered(document("words"), {WORD: words.encode()})


def pdf(*pages: str, password: str | None = None, picture: tuple[int, int] | None = None) -> bytes:
    """With words in Helvetica, which every reader has; a blank page for an empty text. Beside words a grey picture."""
    drawn = f"q {picture[0]} 0 0 {picture[1]} 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID z EI Q" if picture else ""
    streams = [f"BT /F1 12 Tf 40 100 Td ({page}) Tj ET {drawn}".encode() if page else b"" for page in pages]
    count = len(pages)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode()]
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for number, stream in enumerate(streams):
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents {5 + 2 * number} 0 R {fonts} >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    extra = b""
    if password is not None:  # any owner and user entries that the empty password does not match
        objects.append(b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"11" * 32, b"22" * 32))
        extra = b" /Encrypt %d 0 R /ID [<00> <00>]" % len(objects)
    return _assembled(objects, extra)


def form(words: str) -> bytes:
    """A PDF with a field that somebody has filled in, and no picture of what it says."""
    stream = b"BT /F1 12 Tf 40 170 Td (Name:) Tj ET"
    fonts, drawn = b"<< /Font << /F1 3 0 R >> >>", b"/DA (/F1 12 Tf 0 g)"
    value = b"<FEFF%s>" % words.encode("utf-16-be").hex().encode()
    fields = b"<< /Fields [6 0 R] /NeedAppearances true %s /DR %s >>" % (drawn, fonts)
    return _assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R /AcroForm %s >>" % fields,
            b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 5 0 R /Annots [6 0 R] /Resources %s >>"
            % fonts,
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
            b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V %s /Rect [90 100 290 125] /F 4 /P 4 0 R %s >>"
            % (value, drawn),
        ],
        b"",
    )


def _assembled(objects: list[bytes], extra: bytes) -> bytes:
    written, places = bytearray(b"%PDF-1.4\n"), []
    for number, made in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, made)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    written += b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, extra, start)
    return bytes(written)


def blank_pdf(pages: int) -> bytes:
    made = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        made.new_page(100, 100)
    written = io.BytesIO()
    made.save(written)
    made.close()
    return written.getvalue()


def file_of(user: User, *, ago: timedelta = timedelta(), sent: bool = False) -> str:
    """A text of one letter that somebody has brought in a while ago; gives its id."""
    now, file_id = utc_now(), new_id()
    about = {"kind": "text", "content_type": "text/plain", "name": "a.txt", "bytes": 1, "stored_bytes": 2, "tokens": 1}
    times = {"created_at": now - ago, "sent_at": now - ago if sent else None}
    with transaction() as session:
        session.add(KeptFile(id=file_id, user_id=user.id, digest=new_id(), text="a", **about, **times))
        session.flush()
        session.add(FilePiece(file_id=file_id, number=0, content=b"a"))
    return file_id


def attach(file_id: str, conversation_id: str) -> None:
    """To the conversation's first question."""
    with transaction() as session:
        attach_in(session, file_id, conversation_id)


def attach_in(session: Session, file_id: str, conversation_id: str) -> None:
    """The same, in that transaction."""
    first = select(Message.id).where(Message.conversation_id == conversation_id, Message.parent_id.is_(None))
    session.add(MessageFile(message_id=session.scalars(first).one(), file_id=file_id, position=0, name="a.txt"))
