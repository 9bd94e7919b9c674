"""A person with a keyboard and no pointer."""

from playwright.sync_api import Locator, Page

FARTHEST = 1000  # presses of Tab: the conversations of a whole run have two stops each, and farther nobody would go
HAS_FOCUS = "element => element === document.activeElement"
# The outline is the element's own, or that of the box that it fills.
SHOWS_FOCUS = """
() => {
  const focused = document.activeElement
  if (!focused || focused === document.body) return true  // the browser's own bar, on the way round
  const places = [focused, focused.parentElement, focused.parentElement.parentElement].filter(place => place)
  return places.some(place => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(place)
    return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none"
  })
}
"""


class Keyboard:
    """Walks by Tab; each stop on the way must show where the focus is."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.keyboard.press(key)

    def type(self, text: str) -> None:
        self._page.keyboard.type(text)

    def go_to(self, wanted: Locator, *, backwards: bool = False) -> None:
        """Press Tab until `wanted` has the focus; raises AssertionError when it is not to be reached."""
        passed = []
        for _ in range(FARTHEST):
            if wanted.evaluate(HAS_FOCUS):
                return
            self.press("Shift+Tab" if backwards else "Tab")
            self._expect_seen()
            passed.append(self.where())
        raise AssertionError(f"{wanted} was not reached by Tab; passed {passed}")

    def use(self, wanted: Locator, key: str = "Enter", *, backwards: bool = False) -> None:
        """Go to a control and press it."""
        self.go_to(wanted, backwards=backwards)
        self.press(key)

    def where(self) -> str:
        """What has the focus now."""
        said: str = self._page.evaluate(
            "(e => `${e.localName} ${e.ariaLabel ?? e.textContent.trim().slice(0, 30)}`)(document.activeElement)"
        )
        return said

    def _expect_seen(self) -> None:
        assert self._page.evaluate(SHOWS_FOCUS), f"the focus cannot be seen on {self.where()}"
