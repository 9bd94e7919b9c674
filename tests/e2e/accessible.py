"""What axe may not find in any page, and an answer with all that one can hold."""

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, NARROWEST, OTHER_LOOKS, WIDE, Scheme
from tests.support.scripted_upstream import Answer, ErrorEvent

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": {"assets": ["media"]},  # style sheets are asked for by rules alone that are no part of these
}
RUN = "options => axe.run([...document.querySelectorAll('dialog:modal')].at(-1) ?? document, options)"

LONG_ANSWER = """\
# A heading

Some text with `code`, **weight** and [a link](https://example.com), and $e^{i\\pi} = -1$.

```python
def greet(name: str) -> str:  # a comment
    return f"Hello, {name}"
```

| Column | Number |
|---|---:|
| A cell with some words in it | 12345 |

![A picture elsewhere](https://example.com/picture.png)

> A quotation

- one
- two
"""


def talk(site: Site) -> str:
    """The address of a conversation with all that an answer can hold."""
    site.provider.script(Answer(text=LONG_ANSWER, thinking="Let me think."), ErrorEvent(after="It broke"))
    started = list(site.server.chat("What can an answer hold?"))
    list(site.server.chat("And when it breaks?"))
    return f"/c/{started[0][1]['conversation_id']}"


def scan(page: Page) -> AxeResults:
    """What axe finds in the page as it is: in a modal dialog alone where one is open, for nothing else can be reached.

    What lies under its edge axe takes for a target that is too small.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return AxeResults(page.evaluate(RUN, OPTIONS))


def expect_no_violation(page: Page, where: str = "") -> None:
    found = scan(page)
    assert not found.response["violations"], f"{where}\n{found.generate_report()}"


def expect_no_fault(page: Page, locale: str = "en") -> None:
    """Look at the page wide and narrow, light and dark: each pair in one of the two languages."""
    schemes: tuple[Scheme, Scheme] = ("light", "dark") if (locale == "zh") != OTHER_LOOKS else ("dark", "light")
    for viewport, scheme in zip((WIDE, NARROWEST), schemes, strict=True):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme)
        page.evaluate(AT_REST)
        page.evaluate("scrollTo(0, 0)")  # what the window's edge cuts axe takes for a target that is too small
        expect_no_violation(page, f"{viewport['width']} px, {scheme}:")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"the page is {width} px wide"
