"""Names of class folders and of pictures, safe on every filesystem."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from sorter.types import UsageError

EXTENSIONS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "TIFF": ".tif",
    "BMP": ".bmp",
    "AVIF": ".avif",
    "HEIF": ".heic",
}
PARTS = frozenset(
    {"train", "val", "valid", "validation", "test"}
)  # what `sorter train` reads as the parts of a dataset
# Source: Microsoft, Naming Files, Paths, and Namespaces.
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
MAX_SLUG = 40


def check_classes(names: Sequence[str]) -> None:
    """Check the class names. Raises UsageError for a name unsafe on some filesystem, or given twice."""
    seen: dict[str, str] = {}
    for name in names:
        unsafe = any(each in '<>:"/\\|?*' or not each.isprintable() for each in name)
        if not name or unsafe or name[0] == "." or name[-1] in ". " or name != name.strip():
            raise UsageError(f"--class {name!r}: cannot be a folder's name; use letters, digits and hyphens")
        if DEVICES.fullmatch(name) or len(name.encode()) > 200:
            raise UsageError(f"--class {name!r}: cannot be a folder's name on every system; choose another")
        if name.lower() in PARTS:
            raise UsageError(f"--class {name!r}: is the name of a part of a dataset; choose another")
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            raise UsageError(f"--class {name!r}: was given before; put all its queries after one --class")
        seen[key] = name


def picture_name(query: str, sha256: str, kind: str) -> str:
    """A picture's file name: the query, the first 16 digits of its hash, and the extension of its format.

    Args:
        query: in any script.
        sha256: in hex.
        kind: the format, as Pillow names it.
    """
    ascii_only = unicodedata.normalize("NFKD", query).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only)[-MAX_SLUG:].strip("-")
    return "-".join(filter(None, (slug or "picture", sha256[:16]))) + EXTENSIONS[kind]
