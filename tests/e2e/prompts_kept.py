"""Two prompts of the one who looks, and one for everybody."""

from collections.abc import Iterator

from tests.e2e.site import Site

OWN, SHARED, OFFERED = "/api/prompts", "/api/admin/prompts", "/api/offered-prompts"
SUM = {"command": "sum", "title": "Sum it up", "text": "Sum this up\nin {{words: 50}} words: {{text}}"}
SHORT = {"command": "shorter", "title": "Make it shorter", "text": "/Shorter, please."}
CLASS = {"command": "class", "title": "For a class", "text": "Tell a class about {{topic}}."}


def kept(site: Site) -> Iterator[None]:
    """There while a test runs."""
    made = [f"{OWN}/{site.ask('POST', OWN, each)['id']}" for each in (SUM, SHORT)]
    made.append(f"{SHARED}/{site.ask('POST', SHARED, CLASS)['id']}")
    yield
    for path in made:
        site.ask("DELETE", path)
