"""Lighthouse over a site that looks lived in: ``python -m tests.e2e.lighthouse``."""

import subprocess
import tempfile
from pathlib import Path

from tests.e2e import showcase
from tests.e2e.site import opened
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import ROOT

PAGES = ("!/login", "/", "/dashboard", "/admin")
CONVERSATION = 90  # Markdown, formulas and colours are a phone's work


def main() -> None:
    with ScriptedUpstream() as provider, tempfile.TemporaryDirectory() as folder:
        settings = {"DEEPSEEK_API_KEY": "sk-scripted-0000", "DEEPSEEK_BASE_URL": provider.base_url}
        with opened(Path(folder), provider, **settings) as site:
            site.set_up()
            person = showcase.people(site)[showcase.ADMINISTRATORS[1]]
            showcase.remember(site)
            conversation = showcase.converse(person, showcase.ENGLISH)
            pages = (*PAGES, f"{conversation}@{CONVERSATION}")
            command = ["node", "scripts/lighthouse.mjs", site.url, "=".join(person.session), *pages]
            raise SystemExit(subprocess.call(command, cwd=ROOT))


if __name__ == "__main__":
    main()
