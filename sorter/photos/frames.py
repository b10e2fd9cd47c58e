"""The frames or pages of a file, and whether two files hold the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image

MAX_FRAMES, MAX_FRAME_PIXELS = 256, 500_000_000  # of one file, that are decoded to compare them


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames or pages of a file.

    Attributes:
        count: their number. Previews within a multi-picture JPEG are not counted.
        sha256: of the modes, sizes and pixels of all frames, in hex. Empty for one frame, and above `MAX_FRAMES` or
            `MAX_FRAME_PIXELS`.
    """

    count: int
    sha256: str = ""


def hash_frames(count: int, frames: Iterable[Image.Image]) -> Frames:
    """Hash frames as they come, up to the bounds. They may be fewer than `count` where the bounds come first."""
    if count < 2:
        return Frames(1)
    digest, pixels = hashlib.sha256(), 0
    for done, image in enumerate(frames):
        pixels += image.width * image.height
        if done >= MAX_FRAMES or pixels > MAX_FRAME_PIXELS:
            return Frames(count)
        # A palette counts with its pixels. Other modes are hashed as they are, as not every mode converts.
        frame = image.convert("RGBA") if image.mode in ("P", "PA") else image
        digest.update(f"{frame.mode} {frame.width} {frame.height} ".encode())
        digest.update(frame.tobytes())
    return Frames(count, digest.hexdigest())
