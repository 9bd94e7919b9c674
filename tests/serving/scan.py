"""An outside scanner, wapiti, over a site that is set up: ``python -m tests.serving.scan PROGRAM [SECONDS]``.

Once as a stranger and once as the owner, with every address that can be read and each of its parameters, so many
seconds (120) for each kind of attack. Status 1 where it finds anything but what is told in KNOWN, or where the site
answers with a fault of its own.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.support.fuzzed_api import document
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, served

MODULES = (
    *("cookieflags", "csp", "crlf", "csrf", "exec", "file", "htaccess", "http_headers", "ldap", "log4shell", "methods"),
    *("permanentxss", "redirect", "shellshock", "spring4shell", "sql", "timesql", "upload", "xss", "xxe", "backup"),
)
PAGES = ("/", "/login", "/register", "/setup", "/dashboard", "/account", "/tokens", "/admin", "/frames/picture")
SECONDS_OF_A_MODULE = 120
# What it finds that is as it should be, and why.
KNOWN = {
    "Secure Flag cookie": "over plain http, as on the machine itself; over https the cookie has it, and a __Host- name",
    "HTTP Strict Transport Security (HSTS)": "over plain http, where browsers ignore it",
}


def main() -> None:
    program, *seconds = sys.argv[1:]
    usual = ["--max-attack-time", *(seconds or [str(SECONDS_OF_A_MODULE)])]
    with ScriptedUpstream() as provider, tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("w+") as log:
        settings = {"DEEPSEEK_API_KEY": "sk-scanned", "DEEPSEEK_BASE_URL": provider.base_url}
        with served(Path(folder), log, ALLOW_INSECURE_UPSTREAMS="1", **settings) as site:
            site.set_up()
            limits = {kind: {"amount": None} for kind in ("messages", "requests", "visits", "downloads")}
            assert site.ask("PUT", "/api/admin/rates/site", limits).status == 200
            list(site.chat("hello"))
            cookie = site.headers["Cookie"]
            scans = {"a stranger": usual, "the owner": [*usual, "-C", cookie]}
            reached = {who: _report(program, site, Path(folder), options) for who, options in scans.items()}
            found = [each for who, told in reached.items() for each in _found(site, who, told)]
            numbers = [told["infos"]["crawled_pages_nbr"] for told in reached.values()]
            assert numbers[0] < numbers[1], "the owner was not signed in"
            assert site.ask("GET", "/api/me", None).status == 200, "nor until the end"
            site.assert_sound_ledger()
        log.seek(0)
        faults = [line for line in log if "unexpected_failure" in line or "Traceback" in line]
    for each in [*found, *faults]:
        print(each)
    sys.exit(bool(found or faults))


def _report(program: str, site: Served, folder: Path, options: list[str]) -> dict[str, Any]:
    """What it reached and found."""
    report = folder / "report.json"
    starts = [part for address in _addresses() for part in ("-s", site.base_url + address)]
    command = [program, "-u", f"{site.base_url}/", *starts, "-m", ",".join(MODULES), "-f", "json", "-o", str(report)]
    command += ["--flush-session", "--no-bugreport", "-x", f"{site.base_url}/logout", "-v", "1", "-S", "normal"]
    command += ["--store-session", str(folder / "sessions"), "--store-config", str(folder / "config")]
    command += options
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"HOME": str(folder), "PATH": "/bin"}
    )
    assert report.exists(), done.stdout + done.stderr
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    report.unlink()
    return told


def _found(site: Served, who: str, told: dict[str, Any]) -> Iterator[str]:
    """What is not known, a line each. Forms are sent by scripts, as JSON: nothing is behind a POST to a page."""
    print(f"as {who}: {told['infos']['crawled_pages_nbr']} addresses", flush=True)
    for kind in ("vulnerabilities", "anomalies"):
        for name, findings in told[kind].items():
            for each in findings:
                is_page = (
                    each["method"] == "POST" and site.post(each["path"], {}).status == HTTPStatus.METHOD_NOT_ALLOWED
                )
                if name not in KNOWN and not is_page:
                    yield f"as {who}: {name}: {each['method']} {each['path']}: {each['info']}"


def _addresses() -> Iterator[str]:
    """The pages, and what the API gives to read, with a word for each parameter."""
    yield from PAGES
    for path, methods in document()["paths"].items():
        if "get" in methods and "{" not in path:
            named = [each["name"] for each in methods["get"].get("parameters", []) if each["in"] == "query"]
            yield path + ("?" + urlencode(dict.fromkeys(named, "1")) if named else "")


if __name__ == "__main__":
    main()
