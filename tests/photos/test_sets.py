"""What a scan makes of the files of a folder: photos with their companions, each file once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.library import film, heic, photo, raw

from sorter.photos.capture import Capture, capture_of, of_one_moment
from sorter.photos.scan import Scan
from sorter.photos.sets import joined
from sorter.types import Failure, Photo, Result

DAY = 86_400


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode())


def sets(*roots: Path, **options: object) -> list[tuple[str, ...]]:
    """The names of each item, the photo first; a passed-over file with its reason."""
    found = []
    for item in Scan(tuple(roots), companions=True, **options):  # type: ignore[arg-type]
        if isinstance(item, Photo):
            found.append((item.path.name, *(each.name for each in item.companions)))
        else:
            assert isinstance(item.outcome, Failure)
            found.append((item.photo.path.name, item.outcome.reason.value))
    return found


def test_a_photo_holds_its_companions_in_place_of_rows_of_theirs(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a.CR3", "a.jpg", "a.jpg.xmp", "a.xmp", "b.png", "c.txt")))
    assert sets(tmp_path) == [("a.jpg", "a.CR3", "a.jpg.xmp", "a.xmp"), ("b.png",), ("c.txt",)]
    (first, *_) = Scan((tmp_path,), companions=True)
    assert isinstance(first, Photo)
    status = (tmp_path / "a.CR3").stat()
    assert (first.companions[0].size, first.companions[0].mtime_ns) == (5, status.st_mtime_ns)
    assert len(list(Scan((tmp_path,)))) == 6


def test_what_is_left_out_is_no_companion(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a.jpg", "a.nef", "a.xmp", "b.jpg", "b.dng", "b.xmp")))
    assert sets(tmp_path, exclude=("*.xmp", "b.jpg")) == [
        ("a.jpg", "a.nef"),
        ("a.xmp", "excluded"),
        ("b.dng",),
        ("b.jpg", "excluded"),
        ("b.xmp", "excluded"),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_links_and_folders_are_by_themselves(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "b.xmp" / "c.txt", tmp_path / "far" / "a.nef")
    (tmp_path / "a.nef").symlink_to(tmp_path / "far" / "a.nef")
    assert sets(tmp_path) == [("a.jpg",), ("a.nef",), ("b.jpg",), ("c.txt",), ("a.nef",)]


def test_a_sidecar_of_two_photos_says_so(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a.jpg", "a.png", "a.xmp")))
    (row,) = (item for item in Scan((tmp_path,), companions=True) if isinstance(item, Result))
    assert row.photo.path.name == "a.xmp"
    assert isinstance(row.outcome, Failure)
    assert "it could belong to a.jpg or to a.png" in row.outcome.message


def test_a_named_photo_comes_with_its_companions_once(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a.jpg", "a.nef", "a.xmp", "b.jpg", "c.jpg", "c.xmp")))
    assert sets(tmp_path / "a.jpg") == [("a.jpg", "a.nef", "a.xmp")]
    assert sets(tmp_path / "a.nef", tmp_path / "b.jpg", tmp_path / "a.jpg") == [
        ("a.jpg", "a.nef", "a.xmp"),
        ("b.jpg",),
    ]
    # Below a folder that is a root, too, a photo that is named comes in its own turn, with all that is its own.
    assert sets(tmp_path, tmp_path / "a.nef") == [("b.jpg",), ("c.jpg", "c.xmp"), ("a.jpg", "a.nef", "a.xmp")]


@pytest.mark.parametrize("make", [photo, heic, raw])
def test_when_a_file_was_taken(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "a", taken="2021:05:04 03:02:01", identifier="AB-CD")  # type: ignore[operator]
    assert capture_of(path) == Capture(1_620_097_321, "AB-CD")
    assert capture_of(film(tmp_path / "a.mov", 1_620_097_321, "AB-CD")) == Capture(1_620_097_321, "AB-CD")
    for cut in range(0, path.stat().st_size, 7):
        (tmp_path / "cut").write_bytes(path.read_bytes()[:cut])
        capture_of(tmp_path / "cut")


def test_files_are_of_one_moment_by_identifier_and_else_by_time() -> None:
    assert of_one_moment(Capture(0, "a"), Capture(9 * DAY, "a")) is True
    assert of_one_moment(Capture(0, "a"), Capture(0, "b")) is False
    assert of_one_moment(Capture(0, "a"), Capture(DAY)) is True
    assert of_one_moment(Capture(0), Capture(DAY + 1)) is False
    assert of_one_moment(Capture(0), Capture()) is None


def test_a_film_of_another_year_is_by_itself_and_says_so(tmp_path: Path) -> None:
    photo(tmp_path / "IMG_1.JPG", taken="2021:05:04 03:02:01")
    film(tmp_path / "IMG_1.MOV", 1_500_000_000)
    photo(tmp_path / "IMG_2.JPG", taken="2021:05:04 03:02:01")
    film(tmp_path / "IMG_2.MOV", 1_620_097_323)
    touch(tmp_path / "IMG_3.JPG", tmp_path / "IMG_3.MOV", tmp_path / "IMG_4.JPG", tmp_path / "IMG_4.MOV")
    os.utime(tmp_path / "IMG_4.MOV", (1_500_000_000, 1_500_000_000))
    assert sets(tmp_path) == [
        ("IMG_1.MOV", "other-file"),
        ("IMG_1.JPG",),
        ("IMG_2.JPG", "IMG_2.MOV"),
        ("IMG_3.JPG", "IMG_3.MOV"),
        ("IMG_4.MOV", "other-file"),
        ("IMG_4.JPG",),
    ]


def test_a_raw_of_another_year_is_a_photo_with_sidecars_of_its_own(tmp_path: Path) -> None:
    photo(tmp_path / "IMG_1.JPG", taken="2021:05:04 03:02:01")
    raw(tmp_path / "IMG_1.CR2", taken="2014:05:04 03:02:01")
    touch(*(tmp_path / name for name in ("IMG_1.CR2.pp3", "IMG_1.JPG.xmp", "IMG_1.txt", "IMG_1.xmp")))
    assert sets(tmp_path) == [
        ("IMG_1.CR2", "IMG_1.CR2.pp3", "IMG_1.xmp"),
        ("IMG_1.JPG", "IMG_1.JPG.xmp", "IMG_1.txt"),
    ]


NAMES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["IMG_1", "IMG_E1", "a", "a(1)", "a-edited"]),
        st.sampled_from(["", " (2)", "_HEVC", ".jpg"]),
        st.sampled_from([".jpg", ".CR3", ".xmp", ".MOV", ".json", ".png", ""]),
    ),
)


@settings(deadline=None)
@given(st.lists(NAMES, unique=True, max_size=16), st.randoms())
def test_each_file_is_in_one_item_whatever_the_order(names: list[str], dice: object) -> None:
    def found(order: list[str]) -> set[tuple[str, ...]]:
        items = joined(order, lambda name: Photo(Path("/in", name), Path(name), 1, 1), opens=False)
        rows = []
        for item in items:
            one = item if isinstance(item, Photo) else item.photo
            rows.append((one.path.name, *sorted(each.name for each in one.companions)))
        assert sorted(name for row in rows for name in row) == sorted(names)
        return set(rows)

    shuffled = list(names)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert found(shuffled) == found(names)
