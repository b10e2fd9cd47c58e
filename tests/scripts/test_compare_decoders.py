"""The comparison of decoders: its verdicts and tables, and real decoders on files that are made here."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import compare_decoders
import numpy as np
import pytest
from compare_decoders import Compare, Comparison, Difference, compare_folder, markdown, write_csv
from damage import encode, picture
from other_decoders import Pixels, on_white, readers
from PIL import Image

from sorter.types import Failure, Photo

STAGE = Compare(mean=3, largest=96)


def photo_of(path: Path) -> Photo:
    return Photo(path, Path(path.name), path.stat().st_size, 0)


def compared(path: Path, monkeypatch: pytest.MonkeyPatch, *others: Callable[[Path], Pixels]) -> Comparison:
    named = {f"other{number}": read for number, read in enumerate(others)}
    monkeypatch.setattr(compare_decoders, "readers", lambda: named)
    found = STAGE.start()(photo_of(path))
    assert isinstance(found, Comparison)
    return found


def right(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def negative(path: Path) -> Pixels:
    return 255 - right(path)


def refuses(path: Path) -> Pixels:
    raise RuntimeError("first line\ncannot read it")


@pytest.mark.parametrize(
    ("others", "verdict"),
    [
        ((right, right), "same"),
        ((right, refuses), "same"),
        ((right, negative), "same as one, not as the other"),
        ((negative, negative), "differs"),
        ((negative, refuses), "differs"),
        ((refuses, refuses), "only sorter reads it"),
    ],
)
def test_verdicts_on_a_photo_that_we_read(
    others: tuple[Callable[[Path], Pixels], ...],
    verdict: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "a.png").write_bytes(encode(picture(), "PNG"))
    found = compared(tmp_path / "a.png", monkeypatch, *others)
    assert (found.verdict, found.ours) == (verdict, "320 x 240")
    for each, read in zip(found.differences, others, strict=True):
        if read is right:
            assert (each.mean, each.largest, each.outcome) == (0, 0, "320 x 240")
        elif read is refuses:
            assert (each.mean, str(each)) == (None, "no: cannot read it")


def test_verdicts_on_a_file_that_we_do_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    monkeypatch.setattr(compare_decoders, "size_text", lambda _: "4 x 3")
    found = compared(tmp_path / "a.jpg", monkeypatch, lambda _: np.zeros((3, 4, 3), np.uint8), refuses)
    assert found.verdict == "only others read it"
    assert str(found.differences[0]) == "4 x 3"
    assert compared(tmp_path / "a.jpg", monkeypatch, refuses, refuses).verdict == "none reads it"


def test_sizes_that_differ_are_compared_at_a_common_one() -> None:
    large = np.full((600, 400, 3), 100, np.uint8)
    small = np.full((30, 20, 3), 110, np.uint8)
    found = compare_decoders.grey_levels(large, small)
    assert found.shape == (30, 20, 3) and found.max() == found.min() == 10
    assert compare_decoders.grey_levels(large, large).shape == (256, 256, 3)


@pytest.mark.parametrize(
    ("array", "bits", "expected"),
    [
        (np.full((2, 3), 128, np.uint8), None, 128),
        (np.full((2, 3), 65535, np.uint16), None, 255),
        (np.full((2, 3), 4095, np.uint16), 12, 255),
        (np.full((2, 3, 3), 0.5, np.float32), None, 128),
        (np.zeros((2, 3, 4), np.uint8), None, 255),
        (np.zeros((7, 2, 3, 3), np.uint8), None, 0),
    ],
)
def test_arrays_of_any_kind_become_pixels(array: np.ndarray, bits: int | None, expected: int) -> None:
    pixels = on_white(array, bits)
    assert (pixels.shape, pixels.dtype) == ((2, 3, 3), np.uint8)
    assert set(pixels.ravel().tolist()) == {expected}


def test_arrays_that_are_no_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no picture: an array of shape \(2, 3, 5\)"):
        on_white(np.zeros((2, 3, 5), np.uint8))


def test_tables_count_suffixes_and_name_what_is_not_the_same(tmp_path: Path) -> None:
    found = [
        Comparison("a.jpg", "4 x 3", (Difference("libvips", "4 x 3", 0.1, 2.0),), "same"),
        Comparison("b.JPG", "4 x 3", (Difference("libvips", "4 x 3", 9.04, 80.0),), "differs"),
        Comparison("c", "corrupt: cut", (Difference("libvips", "4 x 3"),), "only others read it"),
    ]
    lines = markdown(found, ["libvips"], STAGE).splitlines()
    assert "| .jpg | 2 | 1 | 0 | 1 | 0 | 0 | 0 | 0 |" in lines
    assert "| (none) | 1 | 0 | 0 | 0 | 0 | 1 | 0 | 0 |" in lines
    assert "| b.JPG | differs | 4 x 3 | 9.0 / 80 |" in lines
    assert "| c | only others read it | corrupt: cut | 4 x 3 |" in lines
    assert not any(line.startswith("| a.jpg") for line in lines)
    write_csv(tmp_path / "found.csv", found, ["libvips"])
    with (tmp_path / "found.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["libvips_mean"] for row in rows] == ["0.10", "9.04", ""]


def test_without_another_decoder_or_a_folder_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compare_decoders, "readers", dict)
    assert compare_decoders.main([str(tmp_path)]) == 2
    assert "pip install pyvips pyvips-binary imagecodecs tifffile" in capsys.readouterr().err
    assert compare_decoders.main([str(tmp_path / "none")]) == 2
    assert "name a folder of photos" in capsys.readouterr().err


class Crashing(Compare):
    """Ends its process at one of the files."""

    def start(self) -> Callable[[Photo], Comparison | Failure]:
        def compare(photo: Photo) -> Comparison | Failure:
            if photo.path.name == "b.jpg":
                os._exit(9)
            return Comparison(photo.path.name, "4 x 3", (), "same")

        return compare


def test_a_crash_costs_one_row(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).touch()
    found = compare_folder(tmp_path, Crashing(3, 96), 1)
    assert [each.verdict for each in found] == ["same", "a decoder crashed or hung", "same"]


@pytest.mark.parametrize("decoder", ["libvips", "imagecodecs"])
def test_real_decoders_show_what_a_viewer_shows(
    decoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyvips" if decoder == "libvips" else "imagecodecs")
    image, exif = picture(), Image.Exif()
    exif[0x0112] = 6
    deep = np.asarray(image.convert("L")).astype(np.uint16) * 257
    files = {
        "plain.jpg": encode(image, "JPEG"),
        "turned.jpg": encode(image, "JPEG", exif=exif),
        "alpha.png": encode(Image.merge("RGBA", (*image.split(), image.split()[0])), "PNG"),
        "deep.png": encode(Image.fromarray(deep), "PNG"),
        "deep.tif": encode(Image.fromarray(deep), "TIFF"),
        "pages.tif": encode(image, "TIFF", save_all=True, append_images=[picture(2)]),
        "some.webp": encode(image, "WEBP", quality=80),
    }
    read = readers()[decoder]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        found = compared(tmp_path / name, monkeypatch, read)
        assert found.verdict == "same", found
    (tmp_path / "numbers.csv").write_text("1,2\n3,4\n")
    assert compared(tmp_path / "numbers.csv", monkeypatch, read).verdict == "none reads it"
