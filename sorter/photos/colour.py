"""Colours to sRGB by ICC profile, as a colour-managed viewer shows them."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME = 2  # grey levels: profiles of sRGB by different makers differ by so much
DARK, LIGHT = 26, 60  # of 255: linear values show as 91, those of every usual curve below 40
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


def space_of(profile: bytes) -> str:
    """The colour space of a profile, such as `RGB`, `GRAY` or `CMYK`; empty without one. Source: ICC.1, 7.2."""
    return profile[16:20].decode("latin-1").strip()


@lru_cache(maxsize=16)
def is_linear(profile: bytes) -> bool:
    """Whether values with this profile are light, which 8 bits are too few for."""
    mode = {"RGB": "RGB", "GRAY": "L"}.get(space_of(profile))
    try:
        transform = _srgb_transform(profile, mode) if mode else None
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False
    if transform is None or mode is None:
        return False
    dark = Image.new(mode, (1, 1), DARK if mode == "L" else (DARK,) * 3)
    return int(np.asarray(ImageCms.applyTransform(dark, transform)).max()) > LIGHT


def to_srgb_from_deep(values: NDArray[Any], profile: bytes) -> Image.Image:
    """Convert values of 16 bits, or floats from 0 to 1, by ICC profile: shape (height, width, 1 or 3), mode RGB."""
    import imagecodecs

    if values.dtype.kind == "f":
        values = (np.nan_to_num(values).clip(0, 1) * 0xFFFF).round().astype(np.uint16)
    grey = values.shape[-1] == 1
    shown = imagecodecs.cms_transform(
        np.ascontiguousarray(values[..., 0] if grey else values),
        profile,
        imagecodecs.cms_profile("srgb"),
        colorspace="gray" if grey else "rgb",
        outcolorspace="rgb",
        outdtype=np.uint8,
    )
    return Image.fromarray(shown)
