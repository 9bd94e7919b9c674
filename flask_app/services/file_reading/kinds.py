"""What a file is, by how it begins; no library is loaded for that."""

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_BEFORE_PDF = b"\xef\xbb\xbf \t\r\n"
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")  # of office files from before 2007, and of those with a password
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def is_picture(content: bytes) -> bool:
    return content.startswith(_PICTURES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def is_pdf(content: bytes) -> bool:
    return content[:1024].lstrip(_BEFORE_PDF).startswith(b"%PDF-")


def is_zip(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def is_protected(content: bytes) -> bool:
    """An office file with a password is another kind of container."""
    return content.startswith(_COMPOUND) and _ENCRYPTED_PACKAGE in content
