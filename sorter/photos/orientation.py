"""EXIF orientation: read it, and turn a picture upright. Source: CIPA DC-008 (Exif 2.32), 4.6.5."""

from __future__ import annotations

from PIL import Image

EXIF_ORIENTATION = 0x0112
EXIF_PART = 0x8769
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_orientation(image: Image.Image) -> int:
    """EXIF orientation of an opened picture, 1 to 8. 1 where there is none or it cannot be read.

    Orientations in XMP are ignored, as viewers do. Pillow would use them.
    """
    try:
        if image.format == "PNG":
            image.load()  # its EXIF may come behind its pixels
        return orientation_of(image.info.get("exif") or _raw_profile(image))
    except Exception:  # damaged: the picture stays as it is stored
        return 1


def orientation_of(exif: bytes) -> int:
    """EXIF orientation, 1 to 8, of what a camera wrote. 1 where there is none or it cannot be read."""
    return orientation_written(exif) or 1


def orientation_written(exif: bytes) -> int:
    """As `orientation_of`, but 0 where there is none."""
    try:
        tags = Image.Exif()
        tags.load(exif)
        value = tags.get(EXIF_ORIENTATION, 0)
    except Exception:  # damaged EXIF: the picture stays as it is stored
        return 0
    return value if isinstance(value, int) and 1 <= value <= 8 else 0


def read_exif(exif: bytes) -> dict[int, object]:
    """What a camera wrote, by tag: of the primary picture and of its Exif part. Empty where it is damaged."""
    try:
        tags = Image.Exif()
        tags.load(exif)
        return dict(tags) | dict(tags.get_ifd(EXIF_PART))
    except Exception:
        return {}


def _raw_profile(image: Image.Image) -> bytes:
    """EXIF as ImageMagick wrote it into a PNG before there was a chunk for it: hexadecimal, after three lines."""
    text = image.info.get("Raw profile type exif", "")
    return bytes.fromhex("".join(text.split("\n")[3:]))


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height of a picture once it is turned by its EXIF orientation, 1 to 8."""
    return (height, width) if orientation >= 5 else (width, height)


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Rotate and flip a picture by its EXIF orientation, 1 to 8."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
