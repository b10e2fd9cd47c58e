"""JPEG XL, JPEG 2000 and PNM beyond what the suite of formats draws: damage, bounds, kinds that are not read, EXIF."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pillow_jxl  # noqa: F401 - tells Pillow of JPEG XL
import pytest
from format_suite.newer import box, jp2, named
from PIL import Image

from sorter.photos.decode import Decoder
from sorter.types import Decoded, Failure, Limits, Reason

WIDTH, HEIGHT = 80, 48


def scene(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray[Any, np.dtype[np.uint8]]:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([60 + 120 * x / width, 30 + 200 * y / height, 200 - 100 * x / width], -1).astype(np.uint8)


def saved(format: str, image: Any = None, **save: Any) -> bytes:
    held = io.BytesIO()
    Image.fromarray(scene() if image is None else image).save(held, format, **save)
    return held.getvalue()


def stream(pixels: np.ndarray[Any, Any]) -> bytes:
    how = {"codecformat": "j2k", "reversible": True, "mct": False}
    return bytes(imagecodecs.jpeg2k_encode(np.ascontiguousarray(pixels), level=0, **how))


def outcome(folder: Path, data: bytes, limits: Limits | None = None) -> Decoded | Failure:
    path = folder / "photo"
    path.write_bytes(data)
    return Decoder(None, limits)(path)


def reason(folder: Path, data: bytes, limits: Limits | None = None) -> Reason:
    found = outcome(folder, data, limits)
    assert isinstance(found, Failure), found
    return found.reason


WHOLE = {
    "jxl": saved("JXL", lossless=True),
    "jxl in boxes": saved("JXL", lossless=True, use_container=True),
    "jp2": saved("JPEG2000"),
    "j2k": saved("JPEG2000", no_jp2=True),
    "tiles": saved("JPEG2000", no_jp2=True, tile_size=(32, 32)),
    "ppm": saved("PPM"),
    "pgm in text": b"P2\n2 2\n255\n10 20 30 40\n",
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_ends_early_is_truncated_wherever_it_ends(tmp_path: Path, name: str) -> None:
    data = WHOLE[name]
    assert isinstance(outcome(tmp_path, data), Decoded)
    end = len(data.rstrip()) - (2 if name.endswith("text") else 1)
    for length in {end, *(len(data) * part // 8 for part in range(3, 8))}:
        assert reason(tmp_path, data[:length]) is Reason.TRUNCATED, length


@pytest.mark.parametrize("name", ["jxl", "jxl in boxes", "jp2", "j2k", "ppm"])
def test_too_large_a_photo_is_refused_by_its_header(tmp_path: Path, name: str) -> None:
    assert reason(tmp_path, WHOLE[name], Limits(megapixels=0.003)) is Reason.TOO_LARGE
    path = tmp_path / "photo"
    header = Decoder(None).header(path)
    assert isinstance(header, Decoded) and (header.width, header.height) == (WIDTH, HEIGHT)


def test_a_size_in_a_header_is_not_believed_before_the_bytes_are_there(tmp_path: Path) -> None:
    assert reason(tmp_path, b"P6\n15000 15000\n255\n" + bytes(100)) is Reason.TRUNCATED
    assert reason(tmp_path, b"P3\n15000 15000\n255\n1 2 3\n") is Reason.TRUNCATED
    assert reason(tmp_path, b"P1\n15000 15000\n1 0 1\n") is Reason.TRUNCATED


def test_a_text_that_begins_as_a_pnm_does_is_another_file(tmp_path: Path) -> None:
    for text in (b"P1 is our first place\n", b"P6 and P7\n", b"P7\nis a heading\n"):
        assert reason(tmp_path, text) is Reason.OTHER_FILE


@pytest.mark.parametrize(
    "data",
    [
        jp2(stream(np.dstack([scene(), scene()[..., :2]])), np.zeros((HEIGHT, WIDTH, 5)), named(16)),
        jp2(stream(scene()), scene(), named(14)),
        box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"mjp2\0\0\0\0mjp2") + box(b"moov", b""),
        b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\n12345",
    ],
    ids=["five components", "CIELab", "a film", "five channels"],
)
def test_what_cannot_be_shown_rightly_is_unsupported(tmp_path: Path, data: bytes) -> None:
    assert reason(tmp_path, data) is Reason.UNSUPPORTED


def test_a_channel_that_is_no_transparency_is_left_out(tmp_path: Path) -> None:
    stored = np.dstack([scene(), np.full((HEIGHT, WIDTH), 7, np.uint8)])
    unspecified = struct.pack(">H12H", 4, 0, 0, 1, 1, 0, 2, 2, 0, 3, 3, 0xFFFF, 0)
    found = outcome(tmp_path, jp2(stream(stored), stored, named(16) + box(b"cdef", unspecified)))
    assert isinstance(found, Decoded) and (found.pixels == scene()).all()


def test_less_than_all_pixels_of_a_jpeg_2000_are_decoded_where_that_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "a.jp2"
    path.write_bytes(saved("JPEG2000", scene(800, 600)))
    for least, size in ((None, (600, 800)), (300, (300, 400)), (299, (300, 400)), (100, (150, 200))):
        found = Decoder(least)(path)
        assert isinstance(found, Decoded) and found.pixels.shape[:2] == size
        assert (found.width, found.height) == (800, 600)
        assert abs(float(found.pixels.mean()) - scene(800, 600).mean()) < 1.5


@pytest.mark.parametrize("name", ["jxl", "jp2"])
def test_what_the_camera_wrote_is_read(tmp_path: Path, name: str) -> None:
    tags = Image.Exif()
    tags[0x0110] = "Camera 7"
    raw = tags.tobytes().removeprefix(b"Exif\0\0")
    data = saved("JXL", use_container=True, exif=raw)
    if name == "jp2":
        data = jp2(stream(scene()), scene(), named(16)) + box(b"uuid", b"JpgTiffExif->JP2" + raw)
    path = tmp_path / "photo"
    path.write_bytes(data)
    assert Decoder(None).exif(path) == {0x0110: "Camera 7"}
    path.write_bytes(WHOLE["ppm"])
    assert Decoder(None).exif(path) == {}


def test_without_its_plugin_a_jpeg_xl_is_unsupported_and_says_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    found = outcome(tmp_path, WHOLE["jxl"])
    assert isinstance(found, Failure) and found.reason is Reason.UNSUPPORTED
    assert 'pip install "pillow-jxl-plugin"' in found.message


def test_damage_is_a_failure_and_never_an_exception(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for data in WHOLE.values():
        for _ in range(40):
            damaged = bytearray(data)
            for at in rng.integers(8, len(data), 3):
                damaged[at] = rng.integers(256)
            assert isinstance(outcome(tmp_path, bytes(damaged), Limits(megapixels=20)), (Decoded, Failure))
