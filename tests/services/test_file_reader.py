"""Files are read in a process of their own: what they say, and what becomes of those that mean harm."""

import json
import os
import random
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from flask_app import config
from flask_app.errors import Invalid, Unavailable
from flask_app.services.files import places, reader
from tests.support import files
from tests.support.file_reading import read, refused, text_of

pytestmark = pytest.mark.usefixtures("in_an_instance")
ROOT = Path(__file__).parents[2]
HEAVY = ("PIL", "pypdfium2", "docx", "pptx", "python_calamine", "lxml", "striprtf", "charset_normalizer")


def test_a_pdf_is_its_words_by_pages() -> None:
    assert (
        text_of(files.pdf("Hello there", "", "Again")) == "[page 1]\nHello there\n[page 2: no words]\n[page 3]\nAgain"
    )


@pytest.mark.parametrize("words", ["Zoe", "张三"])
def test_what_was_filled_in_is_read_with_the_form(words: str) -> None:
    found = text_of(files.form(words))
    assert found.splitlines()[:2] == ["[page 1]", "Name:"]
    assert words in found


def test_a_document_is_its_paragraphs_and_tables() -> None:
    assert text_of(files.document("Hello", "", "你好\tthere")) == "Hello\n\n你好\tthere"


def test_what_stands_in_controls_and_text_boxes_is_read_once() -> None:
    """And what was moved, or deleted, only where it stands now."""
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    row = "<w:tr>" + cell.format("Ann") + "<w:sdt><w:sdtContent>" + cell.format("1") + "</w:sdtContent></w:sdt></w:tr>"
    rows = f"<w:sdt><w:sdtPr/><w:sdtContent>{row}</w:sdtContent></w:sdt><w:customXml>{row}</w:customXml>"
    box = "<w:txbxContent><w:p><w:r><w:t>in a box</w:t></w:r></w:p></w:txbxContent>"
    boxes = (
        f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback>"
        "</mc:AlternateContent>"
    )
    moved = "<w:moveFrom><w:r><w:t>before</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>moved</w:t></w:r></w:moveTo>"
    tabs = '<w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr>'
    body = f"<w:customXml><w:p>{tabs}<w:r><w:t>first</w:t>{boxes}</w:r></w:p></w:customXml><w:tbl>{rows}</w:tbl>"
    content = files.word(f"{body}<w:p>{moved}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>")
    assert text_of(content) == "first\nin a box\nAnn | 1\nAnn | 1\nmoved"


def test_slides_are_counted() -> None:
    assert text_of(files.slides("First", "Second")) == "[slide 1]\nFirst\n[slide 2]\nSecond"


def test_a_spreadsheet_is_its_rows() -> None:
    assert text_of(files.sheets([["Ann", "1"], ["Bob", "2"]])) == "[sheet Marks]\nAnn\t1\nBob\t2"


@pytest.mark.security("files-bounded")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b" \n\t\r\n", "file_without_words"),
        (bytes(range(256)) * 40, "file_kind_unknown"),
        (random.Random(1).randbytes(5000), "file_kind_unknown"),
        (b"\x7fELF" + b"\1" * 500, "file_kind_unknown"),
        (b"a word\n" * 320_000, "file_too_long"),
        (files.picture("JPEG")[:900], "file_unreadable"),
        (files.picture("PNG")[:900], "file_unreadable"),
        (b"GIF89a" + b"\0" * 20, "file_unreadable"),
        (b"RIFF\x10\0\0\0WEBPVP8 junk", "file_unreadable"),
        (partial(files.flat, "PNG", (30_000, 30_000), "1"), "file_unreadable"),
        (partial(files.flat, "GIF", (20_000, 20_000), "L"), "file_unreadable"),
        (partial(files.flat, "PNG", (1000, 30_000)), "picture_too_long"),
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
        *(
            (files.old_office(stream), "file_old_office")
            for stream in ("WordDocument", "Workbook", "PowerPoint Document")
        ),
        (files.old_office("__properties_version1.0"), "file_kind_unknown"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "picture_heic"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(200), "file_kind_unknown"),
        (b"{\\rtf1\\ansi {\\*\\generator none;}}", "file_without_words"),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else None,
)
def test_what_cannot_be_read_says_why(content: files.Content, code: str) -> None:
    assert refused(files.made(content)) == code


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


TELLS = """
import ctypes, json, os, resource, socket, sys
sys.path.insert(0, {folder!r})
import child
child._limit()
found = {{"environment": sorted(os.environ), "nice": os.nice(0), "oom": open("/proc/self/oom_score_adj").read()}}
open(__file__ + ".kept", "w").write("kept")
found |= {{name: resource.getrlimit(getattr(resource, name)) for name in ("RLIMIT_AS", "RLIMIT_CPU")}}
kept = __file__ + ".kept"
locked = ctypes.CDLL(None).syscall(444, None, 0, 1)
child._shut()
attempts = {{
    "delete": lambda: os.unlink(kept),
    "shorten": lambda: locked < 3 or os.truncate(kept, 0),
    "run": lambda: os.execv("/bin/true", ["true"]),
    "look into another": lambda: ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0),
    "signal": lambda: locked < 6 or os.kill(os.getppid(), 0),
    "open": lambda: open("/proc/%d/environ" % os.getppid()),
    "open in the place of what is closed": lambda: (os.close(0), open("/dev/null")),
    "socket": lambda: socket.socket(),
    "pipe": lambda: os.pipe(),
    "process": lambda: os.getuid() and (os.fork() or os._exit(0)),
}}
for name, attempt in attempts.items():
    try:
        found[name] = repr(attempt())
    except OSError as error:
        found[name] = error.strerror
words = json.dumps(found | {{"locked": locked}}).encode()
head = dict(kind="text", content_type="text/plain", width=None, height=None, pages=None)
sys.stdout.buffer.write(json.dumps(head | {{"text": len(words), "content": None}}).encode() + b"\\n" + words)
"""


@pytest.mark.security("files-bounded")
def test_the_child_has_little_memory_and_can_open_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is asked of itself: another child in its place tells what it finds."""
    told = tmp_path / "child.py"
    told.write_text(TELLS.format(folder=str(reader.CHILD.parent)))
    monkeypatch.setenv("SECRET_KEY", "of the application")
    monkeypatch.setattr(reader, "CHILD", told)
    found = json.loads(read(b"words").text)
    assert "SECRET_KEY" not in found["environment"]
    assert (found["RLIMIT_AS"], found["RLIMIT_CPU"]) == ([768 << 20, 768 << 20], [20, 20])
    assert (found["nice"], found["oom"].strip()) == (os.nice(0) + 5, "1000")
    for attempt in ("open", "open in the place of what is closed", "socket", "pipe"):
        assert found[attempt] == "Too many open files"
    if found["locked"] > 0:
        assert (found["delete"], found["run"], found["look into another"]) == (*["Permission denied"] * 2, "-1")
        assert found["shorten"] in {"Permission denied", "True"}
        assert found["signal"] in {"Operation not permitted", "True"}
    assert found["process"] == ("Resource temporarily unavailable" if os.getuid() else "0")


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
