"""Which sidecar a photo's keywords belong into."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path

from sorter.photos.formats import IMAGE_SUFFIXES, RAW_SUFFIXES

SUFFIX = ".xmp"


def sidecar_of(photo: Path) -> Path:
    """The sidecar that a photo has, or the name for a new one.

    `a.jpg.xmp` belongs to `a.jpg` alone, as darktable and digiKam write it. `a.xmp` belongs to the raw of that name, by
    Adobe's rule, and to another photo only where it is there already and no other photo could own it.
    """
    own = photo.with_name(photo.name + SUFFIX)
    short = photo.with_suffix(SUFFIX)
    if _is_there(own):
        return own
    if photo.suffix.lower() in RAW_SUFFIXES:
        return own if _has_sibling(photo, RAW_SUFFIXES) else short
    return short if _is_there(short) and not _has_sibling(photo, RAW_SUFFIXES | IMAGE_SUFFIXES) else own


def _has_sibling(photo: Path, suffixes: frozenset[str]) -> bool:
    """Whether another photo has the same name but for its suffix."""
    for suffix in chain.from_iterable((each, each.upper()) for each in suffixes):
        other = photo.with_suffix(suffix)
        if other.name.lower() != photo.name.lower() and _is_there(other):
            return True
    return False


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)
