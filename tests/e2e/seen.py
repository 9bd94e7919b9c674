"""What is seen of an element, where nothing can be asked of it: frames that run no scripts."""

import io

from PIL import Image
from playwright.sync_api import Locator

Colour = tuple[int, int, int]
NEAR = 40  # of 255, over all three


def share_of(element: Locator, colour: Colour) -> float:
    """How much of the element has about this colour, from 0 to 1."""
    picture = Image.open(io.BytesIO(element.screenshot())).convert("RGB")
    points = [tuple(picture.getpixel((x, y)) or ()) for x in range(picture.width) for y in range(picture.height)]  # type: ignore[arg-type]
    near = [point for point in points if sum(abs(a - b) for a, b in zip(colour, point, strict=True)) < NEAR]
    return len(near) / len(points)
