"""What the documents say is what the code does."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_generated_references_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.generate_docs", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_setting_is_explained_and_no_other() -> None:
    source = (ROOT / "flask_app" / "config.py").read_text(encoding="utf-8")
    read = set(re.findall(r'read\.\w+\(\s*"([A-Z_]+)"', source))
    explained = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M))
    assert read
    assert read == explained
