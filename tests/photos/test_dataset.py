"""Folders become examples; parts are stratified, seeded, and share no picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.photos.dataset import Dataset, Example, folds, group_alike, read_folders, split
from sorter.photos.fingerprint import Fingerprint
from sorter.types import Photo, UsageError


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def fill(folder: Path, count: int = 4) -> None:
    touch(folder, *(f"{number}.jpg" for number in range(count)))


def test_class_folders_in_natural_order(tmp_path: Path) -> None:
    for name in ("class10", "class9", ".hidden"):
        fill(tmp_path / name, 11)
    touch(tmp_path, "class9/deeper/99.png", "notes.txt")
    classes, parts = read_folders(tmp_path)
    assert classes == ("class9", "class10")
    assert list(parts) == [None]
    names = [example.photo.relative.as_posix() for example in parts[None] if example.label == 0]
    assert names[1:3] == ["class9/1.jpg", "class9/2.jpg"]
    assert names[-2:] == ["class9/10.jpg", "class9/deeper/99.png"]


@pytest.mark.parametrize("val", ["val", "valid", "Validation"])
def test_parts_that_folders_name(tmp_path: Path, val: str) -> None:
    for part in ("train", val, "test"):
        for name in ("a", "b"):
            fill(tmp_path / part / name)
    classes, parts = read_folders(tmp_path)
    assert classes == ("a", "b")
    assert {part: len(examples) for part, examples in parts.items()} == {"train": 8, "val": 8, "test": 8}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "there is no folder"),
        (["a/1.jpg"], "there is only a"),
        ([f"a/{n}.jpg" for n in range(4)] + ["b/1.jpg"], "holds only 1 usable photo, a class"),
        ([f"a/{n}.jpg" for n in range(4)] + ["b/.keep"], "b: is empty"),
        (["train/a/1.jpg", "extra/b/1.jpg"], "extra: stands beside train"),
        (["val/a/1.jpg", "valid/a/1.jpg", "train/a/1.jpg"], "is no part of its own"),
    ],
)
def test_folders_nobody_can_learn_from(tmp_path: Path, files: list[str], message: str) -> None:
    touch(tmp_path, *files)
    with pytest.raises(UsageError, match=message):
        read_folders(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read_folders(tmp_path / "absent")


def dataset(
    labels: list[int], hashes: list[int], seed: int = 0, part: str | None = None
) -> tuple[Dataset, dict[Path, int]]:
    paths = [Path(f"/data/{at}.jpg") for at in range(len(labels))]
    examples = [Example(Photo(path, path, 0, 0), label) for path, label in zip(paths, labels, strict=True)]
    prints = {
        path: Fingerprint(f"{path if value % 2 else value}", value, 9, 9, "JPEG")
        for path, value in zip(paths, hashes, strict=True)
    }
    classes = tuple(f"class{label}" for label in range(max(labels) + 1))
    return split(Path("/data"), classes, {part: examples}, prints, seed), dict(
        zip(paths, hashes, strict=True)
    )


def distinct(count: int, seed: int = 0) -> list[int]:
    return [int(each) for each in np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 4), st.integers(8, 40), st.integers(0, 5), st.data())
def test_parts_share_no_picture_and_hold_every_class(
    classes: int, each: int, seed: int, data: st.DataObject
) -> None:
    labels = [label for label in range(classes) for _ in range(each)]
    hashes = distinct(len(labels))
    for _ in range(each // 4):
        source, copy = (data.draw(st.integers(0, len(labels) - 1)) for _ in range(2))
        hashes[copy] = hashes[source]
    try:
        made, hash_of = dataset(labels, hashes, seed)
    except UsageError:
        return
    parts = [made.train, made.val, made.test]
    assert sum(map(len, parts)) == len(labels)
    seen = [{hash_of[example.photo.path] for example in part} for part in parts]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    for part in parts[:2]:
        assert {example.label for example in part} == set(range(classes))
    assert made.leaks == 0


def test_shares_are_those_asked_for_and_the_seed_decides() -> None:
    labels = [0] * 200 + [1] * 100
    made, _ = dataset(labels, distinct(300))
    count = lambda part: [sum(each.label == label for each in part) for label in (0, 1)]  # noqa: E731
    assert [count(part) for part in (made.train, made.val, made.test)] == [[140, 70], [30, 15], [30, 15]]
    assert dataset(labels, distinct(300))[0] == made
    assert dataset(labels, distinct(300), seed=1)[0].test != made.test
    assert (made.exact_duplicates, made.near_duplicates, made.conflicts) == (0, 0, 0)


def test_duplicates_are_counted_by_kind() -> None:
    hashes = [each & ~1 for each in distinct(40)]  # even: equal hashes are equal bytes here
    hashes[1] = hashes[0]
    hashes[21] = hashes[20] ^ 0b110
    hashes[39] = hashes[2] ^ 0b100  # of another class
    made, _ = dataset([0] * 20 + [1] * 20, hashes)
    assert (made.exact_duplicates, made.near_duplicates, made.conflicts) == (1, 2, 2)
    assert made.to_json()["near_duplicates"] == 2


def test_a_train_folder_alone_gives_up_a_part_to_choose_by() -> None:
    made, _ = dataset([0, 1] * 20, distinct(40), part="train")
    assert (len(made.train), len(made.val), len(made.test)) == (34, 6, 0)


def test_given_parts_are_kept_and_what_leaks_is_counted() -> None:
    hashes = distinct(16)
    hashes[8] = hashes[0]
    paths = [Path(f"/{at}.jpg") for at in range(16)]
    examples = [Example(Photo(path, path, 0, 0), at % 2) for at, path in enumerate(paths)]
    prints = {
        path: Fingerprint(path.name, value, 9, 9, "PNG") for path, value in zip(paths, hashes, strict=True)
    }
    parts: dict[str | None, list[Example]] = {"train": examples[:8], "val": examples[8:]}
    made = split(Path("/"), ("a", "b"), parts, prints)
    assert (list(made.train), list(made.val), made.leaks) == (examples[:8], examples[8:], 1)


def test_a_class_of_one_picture_over_and_over_cannot_be_parted() -> None:
    with pytest.raises(UsageError, match="look too much alike"):
        dataset([0] * 10 + [1] * 10, [7] * 10 + distinct(10))


def test_photos_that_do_not_decode_do_not_count() -> None:
    examples = [Example(Photo(Path(f"/{at}"), Path(), 0, 0), at % 2) for at in range(8)]
    prints = {each.photo.path: Fingerprint("", at, 9, 9, "PNG") for at, each in enumerate(examples[:7])}
    with pytest.raises(UsageError, match="b: holds only 3 usable photos"):
        split(Path("/"), ("a", "b"), {None: examples}, prints)


def test_folds_are_stratified_and_keep_what_is_alike_together() -> None:
    hashes = distinct(60)
    hashes[30:40] = hashes[:10]
    labels = np.array([0, 1, 2] * 20)
    groups = group_alike([Fingerprint("", value, 1, 1, "PNG") for value in hashes])
    fold = folds(groups, labels, 5, seed=3)
    assert (fold[30:40] == fold[:10]).all()
    assert set(fold.tolist()) == set(range(5))
    for each in range(5):
        assert np.bincount(labels[fold == each], minlength=3).min() >= 3
