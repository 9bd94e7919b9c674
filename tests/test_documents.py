"""What the documents say is what the code does, as far as a test can tell."""

import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import dotenv
import pytest
from flask import Flask

from flask_app.config import Config
from flask_app.web import openapi

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = (ROOT / ".env.example").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
TWINS = [
    READMES,
    *(
        [ROOT / "docs" / name for name in names]
        for names in (
            ("certificates.md", "SSL证书使用指南.md"),
            ("compared.md", "功能对比.md"),
            ("configuration.md", "配置参考.md"),
            ("deployment.md", "部署指南.md"),
            ("features.md", "功能说明.md"),
            ("observability.md", "监控指南.md"),
            ("operations.md", "运维指南.md"),
            ("scaling.md", "扩展指南.md"),
        )
    ),
]  # in English and in Chinese
TWIN = pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins[0].stem)
DOCUMENTS = [*READMES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md"), *DECISIONS]
OF_MAKE = {
    "CASES",
    "RUNS",
    "STEPS",
    "CHILDREN",
    "DATABASE",
    "LOOKS",
    "MODULES",
    "FAULTS",
    "SEED",
    "ONLY",
    "REPORT",
    "MESSAGE",
    "ROWS",
    "ROUNDS",
    "FOLDER",
}  # what single commands of make take

PLACEHOLDER = r"<[^>]*>"  # for what its reader puts there

OF_CLIENTS = re.compile("ANTHROPIC_|OPENAI_API_|MINGCHAT_TOKEN$")  # which programs that ask the gateway read
OF_LIBRARIES = {"OTEL_EXPORTER_OTLP_HEADERS"}  # which read them themselves

PACKAGE = ROOT / "flask_app"
PLACES = [ROOT, ROOT / "docs", PACKAGE, PACKAGE / "static", PACKAGE / "templates", PACKAGE / "services"]
MADE = {
    ".venv/bytecode",
    "instance/",
    "instance/journal/",
    "app/instance/",
    "journal/aside/",
    "nginx/local/",
    "secrets.json",
    ".venv/",
    "ssl/fullchain.pem",
    "ssl/privkey.pem",
}


def named(pattern: str) -> Iterator[tuple[str, str]]:
    """What the documents name by the pattern's first group, and where."""
    for document in DOCUMENTS:
        for found in re.finditer(pattern, document.read_text(encoding="utf-8"), re.MULTILINE):
            yield found[1], document.name


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
    assert read_settings()
    assert read_settings() == explained_settings()


def read_settings() -> set[str]:
    sources = [(ROOT / "flask_app" / name).read_text(encoding="utf-8") for name in ("config.py", "files_setting.py")]
    found = set(re.findall(r'read\.\w+\(\s*"([A-Z_]+)"', "".join(sources)))
    for source in [ROOT / "gunicorn.conf.py", *(ROOT / "scripts").glob("*.py")]:
        text = source.read_text(encoding="utf-8")
        found |= set(re.findall(r'(?:environ(?:\.get\(|\[)|_whole_number\(|_text\()"([A-Z_]+)"', text))
    found |= OF_LIBRARIES
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    found |= set(re.findall(r"\$\{([A-Z_]+)", compose)) | {"COMPOSE_PROFILES"}  # the latter is Compose's own
    return {name.removesuffix("_FILE") for name in found}


def explained_settings() -> set[str]:
    return set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", SETTINGS, re.M))


def test_what_is_shown_of_a_setting_is_what_it_is_without_being_set(tmp_path: Path) -> None:
    file = dotenv.dotenv_values(stream=io.StringIO(SETTINGS))
    shown = {name: value for name, value in file.items() if value is not None} | {"INSTANCE_DIR": str(tmp_path)}
    assert shown["CHAT_RATE_LIMIT"] == Config.chat_rate_limit
    assert Config.from_environment(shown) == Config.from_environment({"INSTANCE_DIR": str(tmp_path)})


def test_every_setting_that_a_document_sets_exists() -> None:
    setting = r"(?:^|[\s`(])((?:[A-Z]+_)*[A-Z]{2,})=[^=]"
    used = {(name, where) for name, where in named(setting) if name not in OF_MAKE and not OF_CLIENTS.match(name)}
    assert used
    assert {(name, where) for name, where in used if name not in explained_settings()} == set()


def test_every_decision_has_a_number_of_its_own() -> None:
    assert DECISIONS
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))
    for number, path in zip(numbers, DECISIONS, strict=True):
        assert path.read_text(encoding="utf-8").startswith(f"# {number}. "), path.name


def test_a_decision_refers_to_decisions_that_exist() -> None:
    for number, where in named(r"\(see (\d+)\)"):
        assert int(number) <= len(DECISIONS), where


def test_every_command_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    used = {(name, where) for name, where in named(r"(?:`|^|[A-Z]+=\S+ )make ([a-z][a-z0-9-]*)")}
    assert used
    assert {(name, where) for name, where in used if name not in targets} == set()


def test_the_tests_that_coverage_runs_exist() -> None:
    told = subprocess.run(["make", "-n", "coverage"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = re.findall(r"tests/\S+", told)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_command_of_flask_exists(app: Flask) -> None:
    used = list(named(r"(?:`|bin/)flask (?:--app wsgi )?([a-z]+(?: [a-z-]+)?)"))
    assert used
    for words, where in used:
        command: click.Command | None = app.cli
        for word in words.split():
            if isinstance(command, click.Group):  # what follows another one is what it works on
                command = command.get_command(click.Context(command), word)
        assert command is not None, f"{where}: flask {words}"


def test_every_file_that_is_named_exists() -> None:
    linked = set(named(r"\]\((?!https?:)([^)#]+)\)"))
    folders = set(named(r"`((?:[\w.-]+/)+[\w.-]*)`"))
    files = set(named(r"`([\w-]+\.(?:py|md|js|ini|toml|json))`"))
    assert linked
    assert folders
    assert files
    assert {(path, where) for path, where in linked | folders | files if not _exists(path)} == set()


def _exists(path: str) -> bool:
    if path.startswith("app/"):  # a module, by its name in the import map
        module = PACKAGE / "static" / "js" / path.removeprefix("app/").removesuffix(".js")
        return module.with_suffix(".js").exists() or module.is_dir()
    return path in MADE or any((place / path).exists() for place in PLACES)


@TWIN
@pytest.mark.parametrize("pattern", [r"^#+ ", r"^- \*\*", r"^\|", r"\]\(", r"^!\["], ids=repr)
def test_a_document_has_the_same_parts_in_both_languages(twins: list[Path], pattern: str) -> None:
    english, chinese = (len(re.findall(pattern, twin.read_text(encoding="utf-8"), re.M)) for twin in twins)
    assert english == chinese
    assert english or twins != READMES, "a README has some of each"


@TWIN
def test_a_document_names_the_same_commands_and_settings_in_both_languages(twins: list[Path]) -> None:
    exact = [Counter(_exact_words(twin.read_text(encoding="utf-8"))) for twin in twins]
    assert exact[0]
    assert exact[0] == exact[1]


def _exact_words(document: str) -> Iterator[str]:
    """What must be typed exactly: blocks without their comments, and what is set as code in a sentence."""
    fenced = re.compile(r"^```\w*\n(.*?)^```", re.M | re.S)
    for line in "\n".join(fenced.findall(document)).splitlines():
        yield re.sub(rf"{PLACEHOLDER}|\s+#.*", "", line).strip()
    words = re.findall(r"`([^`\n]+)`", fenced.sub("", document))
    yield from (re.sub(PLACEHOLDER, "", word) for word in words if re.search(r"[/_.= ]", word))


def test_every_reference_of_the_api_document_leads_to_a_schema(app: Flask) -> None:
    document = openapi.describe(app)
    led_to = set(re.findall(r"#/components/schemas/([\w.]+)", json.dumps(document)))
    assert "GroupName" in led_to
    assert led_to <= document["components"]["schemas"].keys()
