"""Links of pages as they come, before any script has run."""

from html.parser import HTMLParser

import pytest

from tests.support.clients import PageClient


class Links(HTMLParser):
    """What a page shows; what stands in a template is none of it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self._templates = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._templates += tag == "template"
        if tag == "a" and not self._templates:
            self.found.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template"


@pytest.mark.parametrize("path", ["/", "/admin/records", "/tokens"])
def test_every_link_leads_somewhere(admin_client: PageClient, path: str) -> None:
    links = Links()
    links.feed(admin_client.get(path).get_data(as_text=True))
    assert links.found
    assert [link for link in links.found if not link.get("href")] == []


def test_what_the_dashboard_offers_as_a_file_is_one_without_a_script_too(member_client: PageClient) -> None:
    links = Links()
    links.feed(member_client.get("/dashboard").get_data(as_text=True))
    files = [str(link["href"]) for link in links.found if "download" in link]
    assert len(files) > 1
    for each in files:
        assert "attachment" in member_client.get(each).headers["Content-Disposition"]
