"""What a file is, by how it begins; no library is loaded for that."""

import codecs
import re

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_BEFORE_PDF = b"\xef\xbb\xbf \t\r\n"
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")  # of office files from before 2007, and of those with a password
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_OLD_OFFICE = tuple(
    f"{name}\0".encode("utf-16-le") for name in ("WordDocument", "Workbook", "Book", "PowerPoint Document")
)
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BEFORE_HTML = rb"\A(?:\s|<!--.*?-->|<\?xml\b[^>]*>)*+"
_HTML = re.compile(_BEFORE_HTML + rb"<(?:!doctype\s+html|(?:html|head|body))(?=[\s>/])", re.IGNORECASE | re.DOTALL)
_PART = re.compile(_BEFORE_HTML + rb"<(?:meta|table)(?=[\s>/])", re.IGNORECASE | re.DOTALL)
_LOOKED_AT = 1 << 14  # bytes, for where HTML begins
_AROUND = b" \t\r\n\0"
_WIDE = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def is_picture(content: bytes) -> bool:
    return content.startswith(_PICTURES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def is_heic(content: bytes) -> bool:
    """As telephones take pictures."""
    return content[4:8] == b"ftyp" and content[8:12] in _HEIC


def is_pdf(content: bytes) -> bool:
    return content[:1024].lstrip(_BEFORE_PDF).startswith(b"%PDF-")


def is_zip(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def is_html(content: bytes) -> bool:
    """A page, or a table that a program exports as one, whatever it is called."""
    some = content[:_LOOKED_AT].removeprefix(codecs.BOM_UTF8)
    for mark, encoding in _WIDE:
        if some.startswith(mark):
            some = some[2:].decode(encoding, "ignore").encode("utf-8", "ignore")
    # Markdown may begin with a table, but does not end with a tag.
    is_closed = content[-_LOOKED_AT:].rstrip(_AROUND).endswith(b">")
    return _HTML.match(some) is not None or (is_closed and _PART.match(some) is not None)


def is_rich_text(content: bytes) -> bool:
    return content.lstrip(_BEFORE_PDF).startswith(b"{\\rtf")


def is_protected(content: bytes) -> bool:
    """An office file with a password is another kind of container."""
    return content.startswith(_COMPOUND) and _ENCRYPTED_PACKAGE in content


def is_old_office(content: bytes) -> bool:
    """.doc, .xls, .ppt, and what WPS calls .wps, .et, .dps."""
    return content.startswith(_COMPOUND) and any(name in content for name in _OLD_OFFICE)
