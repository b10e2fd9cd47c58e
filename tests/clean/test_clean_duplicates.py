"""Copies of a picture are found however they were saved and turned, and the best one stays."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from damage import encode, picture
from PIL import Image
from support.cleaning import jpeg, look, put, rows_of
from support.commands import hashes

from sorter.clean.duplicates import look_the_same
from sorter.clean.ledger import CleanLedger
from sorter.clean.options import CleanOptions
from sorter.clean.quality import measure
from sorter.clean.records import Examined, Placement, from_text, to_text
from sorter.clean.run import clean
from sorter.clean.signature import signature_bytes
from sorter.photos.fingerprint import oriented_hashes
from sorter.types import Photo


def examined(image: Image.Image) -> Examined:
    grey = image.convert("L")
    return Examined(
        "PNG",
        image.width,
        image.height,
        "",
        oriented_hashes(grey),
        signature_bytes(image, grey),
        measure(grey),
        (),
    )


def test_copies_recompressed_resized_and_turned(tmp_path: Path) -> None:
    root = tmp_path / "in"
    image = picture(0, 640, 480)
    put(root / "best.png", encode(image, "PNG"))
    put(root / "copy.png", encode(image, "PNG"))
    put(root / "small.jpg", encode(image.resize((320, 240)), "JPEG", quality=60))
    put(root / "turned.webp", encode(image.transpose(Image.Transpose.ROTATE_90), "WEBP", quality=70))
    put(root / "upside-down.jpg", encode(image.transpose(Image.Transpose.ROTATE_180), "JPEG"))
    for seed in range(1, 9):
        put(root / f"other{seed}.jpg", jpeg(seed))
    summary, rows = look(root, remove=("duplicates", "near-duplicates"))
    assert {name: row["verdict"] for name, row in rows.items() if "other" not in name} == {
        "best.png": "ok",
        "copy.png": "duplicate",
        "small.jpg": "near-duplicate",
        "turned.webp": "near-duplicate",
        "upside-down.jpg": "near-duplicate",
    }
    assert {row["verdict"] for name, row in rows.items() if "other" in name} == {"ok"}
    kept = str(root / "best.png")
    assert {row["duplicate_of"] for row in rows.values()} == {"", kept}
    assert len({row["group"] for row in rows.values() if row["group"]}) == 1
    assert summary.groups == 1
    assert sorted(hashes(root)) == ["best.png", *(f"other{seed}.jpg" for seed in range(1, 9))]
    page = (tmp_path / "clean.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 5 and "Looks the same" in page


def test_blank_pictures_and_series_of_one_shape_are_no_duplicates(tmp_path: Path) -> None:
    root = tmp_path / "in"
    for number in range(5):
        put(root / f"blank{number}.png", encode(Image.new("RGB", (100, 100), (number * 50,) * 3), "PNG"))
    image = np.asarray(picture(0))
    put(root / "red.png", encode(Image.fromarray(image), "PNG"))
    put(root / "blue.png", encode(Image.fromarray(image[..., ::-1].copy()), "PNG"))
    summary, _ = look(root, similarity=16, remove=())
    assert summary.groups == 0


def test_the_copy_without_faults_stays(tmp_path: Path) -> None:
    root = tmp_path / "in"
    image = picture(0, 640, 480)
    put(root / "damaged.png", encode(image, "PNG") + b"stray bytes" * 100)
    put(root / "whole.jpg", encode(image.resize((480, 360)), "JPEG", quality=90))
    put(root / "misnamed.jpg", encode(image, "PNG"))
    _, rows = look(root, remove=("near-duplicates",))
    assert rows["whole.jpg"]["verdict"] == "ok"
    assert sorted(hashes(root)) == ["whole.jpg"]


def test_one_copy_stays_though_others_are_removed_for_their_own_faults(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "a.png", jpeg(0))  # misnamed, found first
    put(root / "b.jpg", jpeg(0))
    put(root / "c.jpg", jpeg(0))
    look(root, remove=("duplicates", "misnamed"))
    assert sorted(hashes(root)) == ["b.jpg"]


def test_across_splits_and_classes(tmp_path: Path) -> None:
    root = tmp_path / "data"
    put(root / "train" / "car" / "leak.jpg", jpeg(0))
    put(root / "test" / "car" / "leak.jpg", jpeg(0, quality=70))
    put(root / "train" / "car" / "both.jpg", jpeg(1))
    put(root / "train" / "car" / "both again.jpg", jpeg(1))
    put(root / "train" / "other" / "both.jpg", jpeg(1))
    put(root / "train" / "other" / "plain.jpg", jpeg(2))
    put(root / "val" / "car" / "plain.jpg", jpeg(3))
    summary, rows = look(root, remove=("duplicates", "near-duplicates"))
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "train/car/leak.jpg": "near-duplicate",
        "test/car/leak.jpg": "ok",  # the better copy, but the test part stays as it is
        "train/car/both.jpg": "duplicate",
        "train/car/both again.jpg": "conflict",
        "train/other/both.jpg": "conflict",
        "train/other/plain.jpg": "ok",
        "val/car/plain.jpg": "ok",
    }
    assert (summary.groups, summary.across_splits, summary.across_classes) == (2, 1, 1)
    assert list(rows)[:3] == ["train/car/both again.jpg", "train/car/both.jpg", "train/other/both.jpg"]
    assert set(list(rows)[3:5]) == {"test/car/leak.jpg", "train/car/leak.jpg"}
    assert (rows["val/car/plain.jpg"]["split"], rows["val/car/plain.jpg"]["class"]) == ("val", "car")


def test_folders_are_classes_only_when_told(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "2019" / "a.jpg", jpeg(0))
    put(root / "2020" / "a.jpg", jpeg(0))
    assert look(root, remove=())[0].across_classes == 0
    assert look(root, remove=(), classes=True)[0].across_classes == 1


def test_look_alike_in_every_turn_and_not_otherwise() -> None:
    image = picture(0)
    one = examined(image)
    for turn in (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270):
        assert look_the_same(one, examined(image.transpose(turn)))
    assert not look_the_same(one, examined(picture(1)))
    assert not look_the_same(one, examined(image.resize((640, 240))))
    assert not look_the_same(one, examined(image.point(lambda value: 255 - value)))


def test_a_record_survives_the_database() -> None:
    one = examined(picture(0))
    assert from_text(to_text(one)) == one


def test_copies_are_looked_up_not_searched_for() -> None:
    def steps(rows: int) -> int:
        with closing(CleanLedger()) as ledger:
            one = examined(picture(0))
            for number in range(rows):
                photo = Photo(Path(f"/{number}.png"), Path(f"{number}.png"), 1, 1)
                ledger.add(photo, replace(one, sha256=f"{number % (rows // 2):064x}"), (), Placement())
            counted = []
            ledger._db.set_progress_handler(lambda: counted.append(1), 10)
            assert [file.id for file in ledger.copies(3)] == [3, 3 + rows // 2]
            assert ledger.kept_copy(3) is None
            return len(counted)

    assert steps(2000) <= steps(20) + 5  # of ten instructions of SQLite's machine


def test_a_person_says_which_copy_stays_and_which_go(tmp_path: Path) -> None:
    """Of four copies the larger would stay; a person wants another, and one of the rest gone."""
    image = picture(0, 640, 480)
    put(tmp_path / "photos" / "large.png", encode(image, "PNG"))
    for width, name in ((312, "a"), (320, "b"), (328, "c")):
        put(tmp_path / "photos" / f"{name}.png", encode(image.resize((width, width * 3 // 4)), "PNG"))
    names = {name: tmp_path / "photos" / f"{name}.png" for name in ("large", "a", "b", "c")}
    seen: list[set[Path]] = []

    def show(ledger: CleanLedger) -> None:
        seen.extend(
            {each.path for each in group.members if each.duplicate_of is None} for group in ledger.groups(9)
        )

    options = CleanOptions(
        (tmp_path / "photos",), remove=("broken", "duplicates", "near-duplicates"), workers=1, cache=False
    )
    summary = clean(replace(options, dry_run=True), show=show)
    assert summary.would_remove == 3
    assert seen == [{names["large"]}]

    wanted = replace(options, only=frozenset({names["large"]}), prefer=frozenset({names["b"]}))
    summary = clean(wanted, show=show)
    assert seen[1] == {names["b"]}
    assert summary.actions == {"quarantined": 1}
    assert {name for name, path in names.items() if path.exists()} == {"a", "b", "c"}
    assert (tmp_path / "photos-quarantine" / "large.png").exists()


# -- several frames and pages ----------------------------------------------------------------------------------------


def pages(format: str, seeds: tuple[int, ...], **save: object) -> bytes:
    first, *rest = (picture(seed) for seed in seeds)
    return encode(first, format, save_all=True, append_images=rest, **save)


@pytest.mark.parametrize("format", ["TIFF", "GIF", "PNG", "WEBP", "AVIF", "MPO"])
def test_files_that_differ_in_a_later_frame_are_no_duplicates(format: str, tmp_path: Path) -> None:
    root = tmp_path / "in"
    save = {"lossless": True} if format == "WEBP" else {}
    suffix = {"TIFF": "tif", "PNG": "png", "MPO": "mpo"}.get(format, format.lower())
    for name, seeds in (("one", (0, 1, 2)), ("other", (0, 1, 3)), ("longer", (0, 1, 2, 4)), ("single", (0,))):
        data = pages(format, seeds, **save) if len(seeds) > 1 else encode(picture(0), "JPEG", quality=95)
        put(root / (f"{name}.{suffix}" if len(seeds) > 1 else "single.jpg"), data)
    before = hashes(root)
    summary, rows = look(root, similarity=16, remove=("duplicates", "near-duplicates"))
    assert {name: row["verdict"] for name, row in rows.items()} == dict.fromkeys(rows, "ok")
    assert summary.groups == 0 and hashes(root) == before


def test_the_same_pages_throughout_are_near_duplicates(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "plain.tif", pages("TIFF", (0, 1)))
    put(root / "packed.tif", pages("TIFF", (0, 1), compression="tiff_lzw"))
    put(root / "copy.tif", pages("TIFF", (0, 1)))
    _, rows = look(root, remove=("duplicates", "near-duplicates"))
    assert sorted(row["verdict"] for row in rows.values()) == ["duplicate", "near-duplicate", "ok"]
    assert len(hashes(root)) == 1


def test_beyond_the_bound_only_the_same_bytes_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sorter.photos import decode

    one, other = tmp_path / "one.tif", tmp_path / "other.tif"
    one.write_bytes(pages("TIFF", (0, 1, 2)))
    other.write_bytes(pages("TIFF", (0, 1, 2), compression="tiff_lzw"))
    frames = decode.Decoder(None).frames(one)
    assert frames == decode.Decoder(None).frames(other) and isinstance(frames, decode.Frames)
    assert frames.count == 3 and frames.sha256
    for bound, value in (("MAX_FRAMES", 2), ("MAX_FRAME_PIXELS", 320 * 240 * 2)):
        with monkeypatch.context() as patch:
            patch.setattr(f"sorter.photos.frames.{bound}", value)
            assert decode.Decoder(None).frames(one) == decode.Frames(3, "")
    picture_of_one = examined(picture(0))
    unknown = replace(picture_of_one, frames=3)
    assert not look_the_same(unknown, unknown)
    assert not look_the_same(picture_of_one, unknown)


def test_records_of_files_with_several_frames_survive_the_database() -> None:
    one = replace(examined(picture(0)), frames=7, frames_sha256="ab" * 32)
    assert from_text(to_text(one)) == one


# -- hard links ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["quarantine", "delete"])
def test_hard_links_are_one_file_and_stay(action: str, tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    (root / "b.jpg").hardlink_to(root / "a.jpg")
    put(root / "c.jpg", jpeg(0))
    (root / "sorted").mkdir()
    (root / "sorted" / "a.jpg").hardlink_to(root / "a.jpg")
    put(root / "near.jpg", jpeg(0, quality=60))
    given = CleanOptions(
        (root,), remove=("duplicates", "near-duplicates"), action=action, workers=1, cache=False
    )
    summary = clean(given, confirm=lambda count: True)
    rows = rows_of(summary, root)
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "a.jpg": "ok",
        "b.jpg": "hard-link",
        "c.jpg": "duplicate",
        "sorted/a.jpg": "hard-link",
        "near.jpg": "near-duplicate",
    }
    assert rows["b.jpg"]["reasons"] == f"hard-link (the same file as {root / 'a.jpg'})"
    assert sorted(hashes(root)) == ["a.jpg", "b.jpg", "sorted/a.jpg"]
    assert (root / "a.jpg").stat().st_nlink == 3


def test_hard_links_alone_are_no_fault(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    (root / "b.jpg").hardlink_to(root / "a.jpg")
    summary, _ = look(root, remove=("duplicates", "near-duplicates"))
    assert (summary.faults, summary.would_remove, summary.actions) == (0, 0, {})


def test_a_copy_that_became_a_hard_link_meanwhile_stays(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    put(root / "b.jpg", jpeg(0))

    def meanwhile(_: int) -> bool:
        mtime = (root / "b.jpg").stat().st_mtime_ns
        (root / "b.jpg").unlink()
        (root / "b.jpg").hardlink_to(root / "a.jpg")
        os.utime(root / "b.jpg", ns=(mtime, mtime))
        return True

    given = CleanOptions((root,), remove=("duplicates",), action="delete", cache=False, workers=1)
    clean(given, confirm=meanwhile)
    assert (root / "b.jpg").exists() and (root / "a.jpg").exists()


def test_a_hard_link_in_two_classes_is_a_conflict(tmp_path: Path) -> None:
    root = tmp_path / "data"
    put(root / "train" / "car" / "a.jpg", jpeg(0))
    (root / "train" / "other").mkdir()
    (root / "train" / "other" / "a.jpg").hardlink_to(root / "train" / "car" / "a.jpg")
    summary, rows = look(root, remove=("duplicates",))
    assert {row["verdict"] for row in rows.values()} == {"conflict"}
    assert summary.across_classes == 1 and not summary.actions
