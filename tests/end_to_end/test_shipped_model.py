"""What the shipped model is trained on: scenes made of photos, and none of them where one of its photos is held out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.photos import BLUE, RED, make_photo
from train_car import learn, scenes
from train_car.export import choose_threshold
from train_car.scenes import Made, Photo, make_scenes
from train_car.study import CAR, FOLDS, NOT_CAR, PHOTO, Study

SIZE = (96, 72)
Photos = tuple[Photo, ...]


@pytest.fixture
def photos(tmp_path: Path) -> Photos:
    """Close-ups of each source (red cars, blue others), scenes, and frames with no, few and many cars."""
    found = []
    for source in scenes.SOURCES:
        for car, colour in ((True, RED), (False, BLUE)):
            found += [
                Photo(make_photo(tmp_path / source / f"{car}{n}.png", colour, SIZE, n), source, car, np.nan)
                for n in range(3)
            ]
    for area, car in ((0.0, False), (0.004, None), (0.2, True)):
        path = make_photo(tmp_path / "camvid" / f"drive_{area}.png", (90, 90, 90), SIZE, int(1000 * area))
        found.append(Photo(path, "camvid", car, area))
    return tuple(found)


def study(photos: Photos, made: Sequence[Made]) -> Study:
    n = len(photos) + len(made)
    pixels, features = np.zeros((n, 8, 8, 3), np.uint8), np.zeros((n, 4), np.float32)
    return Study(photos, tuple(made), pixels, features, np.arange(len(photos)) % FOLDS)


def test_crops_follow_what_is_known_of_a_frame(photos: Photos, tmp_path: Path) -> None:
    made = make_scenes(photos, tmp_path / "made", 0, seed=0)
    empty, few, many = range(len(photos) - 3, len(photos))
    kinds = {row: sorted(m.kind for m in made if m.parts == (row,)) for row in (empty, few, many)}
    assert kinds == {
        empty: ["third", "third", "upper"],
        few: ["third", "third", "upper"],
        many: ["band", "upper"],
    }
    assert {m.kind for m in made if m.car} == {"band"}
    sizes: dict[str, tuple[int, int]] = {}
    for scene in made:
        with Image.open(scene.path) as picture:
            sizes[scene.kind] = picture.size
    assert sizes["upper"] == (96, 28), "four tenths of the height"
    assert sizes["band"] == (96, 43)


def test_as_many_cars_as_other_things_are_pasted_and_each_shows_its_close_up(
    photos: Photos, tmp_path: Path
) -> None:
    made = [m for m in make_scenes(photos, tmp_path / "made", 12, seed=0) if m.kind == "pasted"]
    assert [m.car for m in made] == [True] * 12 + [False] * 12
    for scene in made:
        close_up, behind = (photos[row] for row in scene.parts)
        assert close_up.car is scene.car
        assert behind.car is not True
        with Image.open(scene.path) as picture:
            red, _, blue = np.asarray(picture).reshape(-1, 3).astype(int).T
        share = np.mean(red - blue > 100) if scene.car else np.mean(blue - red > 100)
        assert share > 0.02, "at least half of the smallest area is left by the blurred edge"


def test_the_same_photos_make_the_same_scenes(photos: Photos, tmp_path: Path) -> None:
    first, second = (make_scenes(photos, tmp_path / name, 5, seed=3) for name in ("a", "b"))
    assert [m.parts for m in first] == [m.parts for m in second]
    assert all(a.path.read_bytes() == b.path.read_bytes() for a, b in zip(first, second, strict=True))


def test_a_scene_is_learned_from_only_with_all_its_photos(photos: Photos, tmp_path: Path) -> None:
    made = make_scenes(photos, tmp_path / "made", 12, seed=0)
    those = study(photos, made)
    for group in np.unique(those.groups):
        usable = those.whole(those.groups != group)
        assert not usable[: len(photos)][those.groups == group].any()
        for scene, used in zip(made, usable[len(photos) :], strict=True):
            assert used == all(those.groups[row] != group for row in scene.parts)
    assert not those.whole(np.ones(len(photos), bool))[: len(photos)][~those.trainable].any(), "small cars"


def test_classes_and_groups_weigh_the_same_and_scenes_their_share(photos: Photos, tmp_path: Path) -> None:
    made = make_scenes(photos, tmp_path / "made", 12, seed=0)
    those = study(photos, made)
    rows = np.flatnonzero(those.whole(np.ones(len(photos), bool)))
    weights = learn.weights(those, rows)
    assert weights.mean() == pytest.approx(1)
    labels, kinds, groups = those.labels[rows], those.kinds[rows], those.of_photo(those.groups)[rows]
    assert weights[labels == CAR].sum() == pytest.approx(len(rows) / 2)
    others = labels == NOT_CAR
    cells = [weights[others & (kinds == PHOTO) & (groups == group)].sum() for group in np.unique(groups)]
    assert cells == pytest.approx([cells[0]] * len(cells))
    pasted = weights[others & (kinds == "pasted")].sum()
    assert pasted == pytest.approx(learn.SHARES["pasted"] * sum(cells))


def test_small_cells_are_repeated_and_nothing_is_lost(photos: Photos) -> None:
    those = study(photos, ())
    rows = np.flatnonzero(those.trainable)
    counts = np.bincount(learn.repeated(those, rows), minlength=len(photos))
    assert counts[len(photos) - 3] == 3, "one empty street counts as much as three close-ups"
    assert set(counts[rows[:-2]]) == {1}


def test_the_threshold_is_the_lowest_that_calls_few_others_cars(photos: Photos) -> None:
    many = tuple(photo for photo in photos for _ in range(10))
    those = study(many, ())
    said = np.where(those.labels == CAR, 0.9, 0.2)
    assert choose_threshold(those, said) == pytest.approx(0.205)
    with pytest.raises(SystemExit):
        choose_threshold(those, np.ones(len(many)))
