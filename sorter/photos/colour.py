"""Colours to sRGB by ICC profile, as a colour-managed viewer shows them."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

SAME = 2  # grey levels: profiles of sRGB by different makers differ by so much
STEPS = 9  # of each channel, for comparing colours before and after


def is_srgb(image: Image.Image) -> bool:
    """Has it no colour profile, or one that changes nothing?"""
    profile = image.info.get("icc_profile")
    try:
        return not profile or _srgb_transform(profile, image.mode) is None
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert by ICC profile; a profile that is damaged or does not fit the mode is left out."""
    if image.mode not in ("RGB", "L", "CMYK", "LAB"):
        image = image.convert("RGB")
    try:
        transform = _srgb_transform(profile, image.mode)
        return image if transform is None else ImageCms.applyTransform(image, transform)  # type: ignore[return-value]
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


@lru_cache(maxsize=16)
def _srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform, or None where it changes no colour: a profile's name says nothing of its curves.

    Building a transform costs more than applying it, and a library has few cameras.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    levels = np.linspace(0, 255, STEPS).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(STEPS, -1, 3)
    shown = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform))
    return int(np.abs(shown.astype(int) - colours).max()) <= SAME
