"""What the screenshots are made of: the same photos every time, and faults that sorter finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from screenshots import IMAGES, SCENES, draw, make_faults, make_photos

from sorter.clean.options import CleanOptions
from sorter.clean.run import clean


def test_scenes_are_drawn_from_their_number() -> None:
    one, again, other = draw("sea", 1), draw("sea", 1), draw("sea", 2)
    assert one.tobytes() == again.tobytes() != other.tobytes()
    assert np.asarray(draw("sea", 3, 0.85)).mean() < np.asarray(draw("sea", 3)).mean()


def test_an_evening_is_a_sunset_and_faults_are_found(tmp_path: Path) -> None:
    shows = make_photos(tmp_path / "photos", 5)
    assert sorted(shows) == sorted(path.name for path in (tmp_path / "photos").iterdir())
    assert {scene: list(shows.values()).count(scene) for scene in SCENES} == {
        "forest": 3,
        "sea": 3,
        "sunset": 5 + 4,
    }
    make_faults(tmp_path / "photos")
    with Image.open(next((tmp_path / "photos").glob("*-small.jpg"))) as small:
        assert small.size == (320, 240)
    summary = clean(CleanOptions((tmp_path / "photos",), dry_run=True, workers=1, cache=False))
    assert summary.counts["duplicate"] == 4
    assert summary.counts["near-duplicate"] >= 3
    assert summary.counts["broken"] + summary.counts.get("damaged", 0) == 2


def test_pictures_go_where_the_documents_show_them() -> None:
    root = Path(__file__).parents[2]
    documents = (root / "README.md").read_text() + (root / "docs" / "window.md").read_text()
    names = {path.name for path in IMAGES.glob("*.png")}
    assert names == {"clean.png", "retrain.png", "review-dark.png", "review.png", "single.png", "start.png"}
    assert all(f"images/{name}" in documents for name in names)
