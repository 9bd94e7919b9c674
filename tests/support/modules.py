"""The application's modules, by their dotted names."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "flask_app"


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}
