"""What is seen of an element, where nothing can be asked of it: frames that run no scripts."""

import io

from PIL import Image
from playwright.sync_api import Locator

Colour = tuple[int, int, int]
NEAR = 40  # of 255, over all three


def share_of(element: Locator, colour: Colour) -> float:
    """How much of the element has about this colour, from 0 to 1."""
    picture = Image.open(io.BytesIO(element.screenshot())).convert("RGB")
    colours = picture.tobytes()
    points = list(zip(colours[::3], colours[1::3], colours[2::3], strict=True))
    near = [point for point in points if sum(abs(a - b) for a, b in zip(colour, point, strict=True)) < NEAR]
    return len(near) / len(points)
