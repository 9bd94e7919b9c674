"""Files are read in a process of their own: what they say, and what becomes of those that mean harm."""

import io
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from flask_app import config
from flask_app.errors import Invalid, Unavailable
from flask_app.services.files import places, reader
from tests.support import files

ROOT = Path(__file__).parents[2]
HEAVY = ("PIL", "pypdfium2", "docx", "pptx", "python_calamine", "lxml", "charset_normalizer")


def read(content: bytes) -> reader.Read:
    with reader.spool() as sent:
        sent.write(content)
        sent.flush()
        with reader.read(sent, "somebody") as found:
            return found


def refused(content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        read(content)
    return caught.value.code


@pytest.fixture(autouse=True)
def _in_an_instance(session_app: Flask) -> None:
    assert config.current().instance_dir.is_dir()


def text_of(content: bytes) -> str:
    return read(content).text


def test_a_pdf_is_its_words_by_pages() -> None:
    assert text_of(files.pdf("Hello there", "", "Again")) == "[page 1]\nHello there\n[page 2]\n\n[page 3]\nAgain"


def test_a_document_is_its_paragraphs_and_tables() -> None:
    assert text_of(files.document("Hello", "", "你好\tthere")) == "Hello\n\n你好\tthere"


def test_slides_are_counted() -> None:
    assert text_of(files.slides("First", "Second")) == "[slide 1]\nFirst\n[slide 2]\nSecond"


def test_a_spreadsheet_is_its_rows() -> None:
    assert text_of(files.sheets([["Ann", "1"], ["Bob", "2"]])) == "[sheet Marks]\nAnn\t1\nBob\t2"


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("Grüße, 你好\r\n", "utf-8"),
        ("with its mark", "utf-8-sig"),
        ("with its mark 你好", "utf-16"),
        ("with its mark 你好", "utf-32"),
        ("你好，世界。今天天气很好，我们一起去公园散步吧。", "gb18030"),
        ("今天天氣很好，我們一起去公園散步吧，好不好？", "big5"),
        ("これは日本語のテキストです。今日は天気がいいですね。", "cp932"),
    ],
)
def test_a_text_is_read_in_its_encoding(words: str, encoding: str) -> None:
    assert text_of(words.encode(encoding)) == words.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (files.picture("PNG", (3000, 1000)), (2048, 683)),
        (files.picture("JPEG", (10, 10)), (10, 10)),
        (files.flat("JPEG", (12_000, 9_000)), (2048, 1536)),
        (files.picture("WEBP", (2100, 2100)), (2048, 2048)),
        (files.moving(), (30, 20)),
        (files.picture("PNG", (2500, 20), mode="1"), (2048, 16)),
        (files.picture("TIFF", (20, 20), mode="L"), None),
    ],
)
def test_a_picture_is_made_small(content: bytes, size: tuple[int, int] | None) -> None:
    if size is None:
        assert refused(content) == "file_kind_unknown"
        return
    with reader.spool() as sent:
        sent.write(content)
        sent.flush()
        with reader.read(sent, "somebody") as found:
            made = found.content.read(found.bytes)
    assert (found.width, found.height) == size
    with Image.open(io.BytesIO(made)) as shown:
        assert shown.size == size
        assert shown.get_format_mimetype() == found.content_type
        assert getattr(shown, "n_frames", 1) == 1


@pytest.mark.security("files-bounded")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b" \n\t\r\n", "file_without_words"),
        (bytes(range(256)) * 40, "file_kind_unknown"),
        (os.urandom(5000), "file_kind_unknown"),
        (b"\x7fELF" + b"\1" * 500, "file_kind_unknown"),
        (b"a word\n" * 320_000, "file_too_long"),
        (files.picture("JPEG")[:900], "file_unreadable"),
        (files.picture("PNG")[:900], "file_unreadable"),
        (b"GIF89a" + b"\0" * 20, "file_unreadable"),
        (b"RIFF\x10\0\0\0WEBPVP8 junk", "file_unreadable"),
        (files.flat("PNG", (30_000, 30_000), "1"), "file_unreadable"),
        (files.flat("GIF", (20_000, 20_000), "L"), "file_unreadable"),
        (files.pdf("secret", password="x"), "file_protected"),
        (files.pdf("words")[:200], "file_unreadable"),
        (files.blank_pdf(3), "file_without_words"),
        (files.blank_pdf(2001), "file_too_long"),
        (b"%PDF-1.7\n" + files.picture("JPEG"), "file_unreadable"),
        (files.document("words")[:3000], "file_unreadable"),
        (files.zipped({"a.txt": "words"}), "file_kind_unknown"),
        (files.with_macros(), "file_kind_unknown"),
        (files.many_files(), "file_unreadable"),
        (files.bomb(), "file_unreadable"),
        (files.altered(files.document("words"), {files.WORD: b"<w:document"}), "file_unreadable"),
        (files.document(), "file_without_words"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"), "file_protected"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"WordDocument" * 20 + b"\0", "file_kind_unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_cannot_be_read_says_why(content: bytes, code: str) -> None:
    assert refused(content) == code


@pytest.mark.security("files-bounded")
def test_no_entity_is_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of this machine")
    try:
        text = text_of(files.with_entities(str(secret)))
    except Invalid as error:
        assert error.code == "file_unreadable"  # noqa: PT017 - either will do
        return
    assert "secret of" not in text
    assert "lollol" not in text


@pytest.mark.security("files-bounded")
def test_what_is_two_things_is_the_first() -> None:
    """A picture with a page behind it is made anew: nothing of the page is kept."""
    page = b"<script>alert(1)</script>"
    with reader.spool() as sent:
        sent.write(files.picture("JPEG") + page + files.pdf("words"))
        sent.flush()
        with reader.read(sent, "somebody") as found:
            assert found.kind == "picture"
            assert page not in found.content.read(found.bytes)


@pytest.mark.security("files-bounded")
def test_the_child_has_little_memory_and_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is asked of itself: another child in its place tells what it finds."""
    told = tmp_path / "child.py"
    told.write_text(
        "import json, os, resource, sys\n"
        f"sys.path.insert(0, {str(reader.CHILD.parent)!r})\n"
        "import child\nchild._limit()\n"
        "limits = {name: resource.getrlimit(getattr(resource, name)) for name in ('RLIMIT_AS', 'RLIMIT_CPU')}\n"
        "words = json.dumps([sorted(os.environ), limits, open('/proc/self/oom_score_adj').read()]).encode()\n"
        "head = dict(kind='text', content_type='text/plain', width=None, height=None, pages=None)\n"
        "sys.stdout.buffer.write(json.dumps(head | {'text': len(words), 'content': None}).encode() + b'\\n' + words)\n"
    )
    monkeypatch.setenv("SECRET_KEY", "of the application")
    monkeypatch.setattr(reader, "CHILD", told)
    found = read(b"words").text
    assert "SECRET_KEY" not in found
    assert f'"RLIMIT_AS": [{768 << 20}, {768 << 20}]' in found
    assert '"RLIMIT_CPU": [20, 20]' in found
    assert '"1000' in found


@pytest.mark.security("files-bounded")
@pytest.mark.parametrize("does", ["import time; time.sleep(60)", "import os; os.abort()", "print('{}')", "1 / 0"])
def test_a_child_that_fails_is_a_file_that_cannot_be_read(
    does: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failing = tmp_path / "child.py"
    failing.write_text(does)
    monkeypatch.setattr(reader, "CHILD", failing)
    monkeypatch.setattr(reader, "CHILD_SECONDS", 1)
    assert refused(b"words") == "file_unreadable"


@pytest.mark.security("files-bounded")
@pytest.mark.parametrize("who", [["somebody"], ["one", "another"]])
def test_too_many_at_once_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch, who: list[str]) -> None:
    """One of a person is read at a time, and two in all."""
    monkeypatch.setattr(places, "WAIT_SECONDS", 0.05)
    with ExitStack() as being_read:
        for user_id in who:
            being_read.enter_context(reader.children.one_of(user_id))
        with pytest.raises(Unavailable) as caught:
            read(b"words")
    assert (caught.value.code, caught.value.retry_after) == ("files_busy", places.RETRY_SECONDS)
    assert read(b"words").text == "words"


def test_while_ones_own_is_read_so_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with reader.children.one_of("another"):
        assert read(b"words").text == "words"


def test_a_server_loads_none_of_the_libraries() -> None:
    """Each would weigh some megabytes, and is native code that strangers' files are read by."""
    asked = f"import sys, wsgi; print([name for name in sys.modules if name.split('.')[0] in {HEAVY}])"
    folder = config.current().instance_dir
    environment = {**os.environ, "INSTANCE_DIR": str(folder / "another"), "MINGCHAT_SKIP_ENV": "1"}
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr
