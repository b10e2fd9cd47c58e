"""The same scene is not the same picture; and folders whose copies stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from damage import encode, picture
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps
from support.cleaning import jpeg, look, put
from support.commands import Sorter, hashes

from sorter.clean.signature import read_signature
from sorter.types import UsageError


def scene(seed: int = 0) -> Image.Image:
    return picture(seed, 640, 480)


def with_object(image: Image.Image, share: float, at: tuple[float, float] = (0.3, 0.4)) -> Image.Image:
    """A person as a fixed camera sees one: this share of the picture is something else."""
    width, height = image.size
    side = (share * width * height) ** 0.5
    left, top = at[0] * width, at[1] * height
    changed = image.copy()
    ImageDraw.Draw(changed).rectangle((left, top, left + side / 1.5, top + side * 1.5), fill=(20, 200, 60))
    return changed


def shot(image: Image.Image, quality: int = 90) -> bytes:
    return encode(image, "JPEG", quality=quality)


@pytest.mark.parametrize("share", [0.01, 0.02, 0.03])
def test_a_person_in_one_place_makes_another_picture(share: float, tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "empty.jpg", shot(scene()))
    put(root / "person.jpg", shot(with_object(scene(), share)))
    put(root / "small.jpg", shot(scene().resize((400, 300)), 70))
    put(root / "person small.jpg", shot(with_object(scene(), share).resize((400, 300)), 70))
    summary, rows = look(root, remove=("near-duplicates",))
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "empty.jpg": "ok",
        "person.jpg": "similar",
        "small.jpg": "near-duplicate",
        "person small.jpg": "near-duplicate",
    }
    assert rows["person.jpg"]["duplicate_of"] == str(root / "empty.jpg")
    assert rows["person small.jpg"]["duplicate_of"] == str(root / "person.jpg")
    assert {row["group"] for row in rows.values()} == {"1"}
    assert (summary.groups, summary.similar_groups) == (1, 1)
    assert sorted(hashes(root)) == ["empty.jpg", "person.jpg"]
    assert "Similar <small>" in (tmp_path / "clean.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "edit",
    [
        lambda image: ImageEnhance.Brightness(image).enhance(0.85),
        lambda image: ImageEnhance.Contrast(image).enhance(1.15),
        lambda image: image.filter(ImageFilter.UnsharpMask(2, 60, 3)),
        lambda image: image.filter(ImageFilter.GaussianBlur(1)),
        lambda image: image.crop((0, 0, image.width * 97 // 100, image.height * 98 // 100)),
        ImageOps.mirror,
        ImageOps.flip,
        lambda image: ImageOps.mirror(image).transpose(Image.Transpose.ROTATE_90),
    ],
    ids=[
        "darker",
        "contrast",
        "sharpened",
        "blurred",
        "cropped",
        "mirrored",
        "flipped",
        "mirrored-and-turned",
    ],
)
def test_an_edited_copy_is_the_same_picture(edit: object, tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "original.jpg", shot(scene(), 95))
    put(root / "copy.jpg", shot(edit(scene()), 80))  # type: ignore[operator]
    _, rows = look(root, remove=(), similarity=12)
    assert sorted(row["verdict"] for row in rows.values()) == ["near-duplicate", "ok"]


def test_frames_of_a_fixed_camera_are_removed_only_by_their_own_name(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "in"
    for number in range(6):
        put(root / f"{number}.jpg", shot(with_object(scene(), 0.02, (0.12 * number, 0.3))))
    put(root / "copy of 3.jpg", shot(with_object(scene(), 0.02, (0.36, 0.3)), 60))
    put(root / "other.jpg", jpeg(5))
    common = ("--no-cache", "-j", 1, "--json", "--quiet")
    checked = sorter("clean", root, "--remove", "none", "--check", *common)
    assert checked.returncode == 3
    counts = json.loads(checked.stdout)["counts"]
    assert counts == {"ok": 2, "similar": 5, "near-duplicate": 1}
    done = sorter("clean", root, "--remove", "duplicates,near-duplicates,poor", *common)
    assert json.loads(done.stdout)["actions"] == {"quarantined": 1}
    done = sorter("clean", root, "--remove", "similar", *common)
    assert json.loads(done.stdout)["actions"]["quarantined"] == 6
    assert len(hashes(root)) == 2
    assert sorter("undo", tmp_path / "in-quarantine").returncode == 0
    assert len(hashes(root)) == 8
    done = sorter("clean", root, "--remove", "near-duplicates,similar", *common)
    assert json.loads(done.stdout)["actions"] == {"quarantined": 6}
    assert len(hashes(root)) == 2


def test_a_scene_in_two_classes_is_no_conflict(tmp_path: Path) -> None:
    root = tmp_path / "data"
    put(root / "train" / "empty" / "a.jpg", shot(scene()))
    put(root / "train" / "person" / "a.jpg", shot(with_object(scene(), 0.01)))
    put(root / "test" / "person" / "b.jpg", shot(with_object(scene(), 0.01, (0.6, 0.2))))
    summary, rows = look(root, remove=("similar",), similarity=12)
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "train/empty/a.jpg": "ok",
        "train/person/a.jpg": "similar",
        "test/person/b.jpg": "ok",
    }
    assert (summary.across_classes, summary.across_splits) == (0, 1)


def test_a_signature_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a signature has 4800 bytes, not 192"):
        read_signature(bytes(192))


# -- --keep ----------------------------------------------------------------------------------------------------------


def test_copies_in_a_kept_folder_stay_whatever_else_says(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "in"
    image = scene()
    put(root / "best.png", encode(image, "PNG"))
    put(root / "album" / "small.png", shot(image.resize((320, 240)), 50))  # misnamed, and the worse copy
    put(root / "album" / "again.jpg", shot(image.resize((320, 240)), 60))
    put(root / "phone" / "same.jpg", shot(scene(1)))
    put(root / "album" / "same.jpg", shot(scene(1)))
    put(root / "backup" / "same.jpg", shot(scene(1)))
    put(root / "album" / "broken.jpg", b"\xff\xd8\xff and no more")
    kinds = "broken,misnamed,duplicates,near-duplicates,similar"
    flags = ("--keep", root / "album", "--keep", root / "backup", "--no-cache", "-j", 1, "--json", "--quiet")
    done = sorter("clean", root, "--remove", kinds, *flags)
    assert json.loads(done.stdout)["actions"] == {"quarantined": 3}
    assert sorted(hashes(root)) == ["album/again.jpg", "album/same.jpg", "album/small.png", "backup/same.jpg"]
    assert sorter("undo", tmp_path / "in-quarantine").returncode == 0
    assert len(hashes(root)) == 7


def test_a_kept_folder_behind_a_link_is_kept(tmp_path: Path) -> None:
    root, albums = tmp_path / "in", tmp_path / "albums"
    put(root / "a.jpg", shot(scene()))
    put(albums / "b.jpg", shot(scene()))
    (root / "link").symlink_to(albums)
    _, rows = look(root, remove=("duplicates",), follow_symlinks=True, keep=(root / "link",))
    assert rows["a.jpg"]["action"] == "quarantined"
    assert rows["link/b.jpg"]["verdict"] == "ok" and (albums / "b.jpg").exists()


def test_a_folder_that_would_keep_nothing_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", jpeg(0))
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(UsageError, match="is no folder; name a folder that exists"):
        look(tmp_path / "in", keep=(tmp_path / "in" / "albums",))
    with pytest.raises(UsageError, match="lies outside the folders to clean; name it as a PATH, too"):
        look(tmp_path / "in", keep=(tmp_path / "elsewhere",))
