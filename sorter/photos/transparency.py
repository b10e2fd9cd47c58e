"""Transparency shown on white, as on a white page."""

from __future__ import annotations

from PIL import Image

TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")


def flattened(image: Image.Image) -> Image.Image:
    """A picture on white, if parts of it are transparent. Grey stays grey, for its own kind of profile."""
    if "transparency" not in image.info and image.mode not in TRANSPARENT:
        return image
    mode = "LA" if image.mode in ("LA", "La") else "RGBA"
    layer = image.convert(mode)
    page = Image.new(mode[:-1], layer.size, "white")
    page.paste(layer.convert(mode[:-1]), mask=layer.getchannel("A"))
    return page


def on_white_canvas(image: Image.Image, covered: tuple[int, int, int, int]) -> Image.Image:
    """A GIF's frame where it covers its canvas, and white around: nothing was drawn there."""
    frame = image.crop(covered)
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(frame.convert("RGB"), covered[:2], frame.getchannel("A"))
    return canvas
