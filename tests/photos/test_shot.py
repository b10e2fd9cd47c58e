"""When a photo was taken and by which camera, of photos that the tests write."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image
from support.photos import make_photo

from sorter.photos.shot import Shot, read_shot
from sorter.types import Photo

ORIGINAL, DIGITIZED, CHANGED = 0x9003, 0x9004, 0x0132
OF_FILE = datetime(2020, 1, 2, 3, 4, 5)


def shot_of(path: Path) -> Shot:
    os.utime(path, (OF_FILE.timestamp(), OF_FILE.timestamp()))
    status = path.stat()
    return read_shot(Photo(path, Path(path.name), status.st_size, status.st_mtime_ns))


def exif(camera: str = "", **times: str) -> Image.Exif:
    tags = Image.Exif()
    if camera:
        tags[0x0110] = camera
    if "changed" in times:
        tags[CHANGED] = times["changed"]
    part = tags.get_ifd(0x8769)
    for tag, name in ((ORIGINAL, "original"), (DIGITIZED, "digitized")):
        if name in times:
            part[tag] = times[name]
    return tags


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "jxl", "avif"])
def test_the_camera_wrote_it(tmp_path: Path, suffix: str) -> None:
    import pillow_jxl  # noqa: F401 - tells Pillow of JPEG XL

    tags = exif("Canon EOS R5\0\0", original="2019:06:07 08:09:10", changed="2021:01:01 00:00:00")
    shot = shot_of(make_photo(tmp_path / f"a.{suffix}", exif=tags.tobytes()))
    assert shot == Shot(datetime(2019, 6, 7, 8, 9, 10), "exif", "Canon EOS R5")


def test_a_raw_says_it_as_a_tiff_does(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.tif", exif=exif("NIKON D850", original="2019:06:07 08:09:10").tobytes())
    assert shot_of(path.rename(tmp_path / "a.nef")).camera == "NIKON D850"


@pytest.mark.parametrize(
    "written",
    ["0000:00:00 00:00:00", "2019:13:40 00:00:00", "    :  :     :  :  ", "soon", "0001:01:01 00:00:00", ""],
)
def test_a_clock_that_was_never_set_leaves_the_time_to_the_file(tmp_path: Path, written: str) -> None:
    path = make_photo(tmp_path / "a.jpg", exif=exif(original=written).tobytes())
    assert shot_of(path) == Shot(OF_FILE, "file")


def test_the_time_of_digitizing_stands_in_and_that_of_an_edit_does_not(tmp_path: Path) -> None:
    tags = exif(digitized="2018:01:02 03:04:05", changed="2021:01:01 00:00:00")
    assert shot_of(make_photo(tmp_path / "a.jpg", exif=tags.tobytes())).taken == datetime(2018, 1, 2, 3, 4, 5)
    tags = exif(changed="2021:01:01 00:00:00")
    assert shot_of(make_photo(tmp_path / "b.jpg", exif=tags.tobytes())).clock == "file"


def test_damaged_exif_and_times_beyond_the_calendar_are_no_failures(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert shot_of(path) == Shot(OF_FILE, "file")
    for mtime_ns in (-(10**30), 10**30):
        assert read_shot(Photo(path, Path("a.jpg"), 1, mtime_ns)).taken == datetime(1970, 1, 1)


def test_a_shot_is_kept_as_text() -> None:
    shot = Shot(datetime(2019, 6, 7, 8, 9, 10), "exif", 'a "camera"\ud800')
    assert Shot.from_json(shot.to_json()) == shot
