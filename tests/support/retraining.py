"""A sorted folder with purple photos that a person corrected."""

from __future__ import annotations

from pathlib import Path

from sorter.engines.choice import EngineOptions
from sorter.sort.options import SortOptions
from sorter.sort.review import Review
from sorter.sort.run import sort_folder
from support.photos import BLUE, RED, make_photo

PURPLE = (150, 30, 120)  # red by the model, blue by the person


def sort_purple(folder: Path, model: Path) -> Path:
    """Red, blue and purple photos, sorted by the model of red and blue. Returns the output folder."""
    for number in range(16):
        make_photo(folder / "in" / f"red{number}.jpg", RED, seed=number)
        make_photo(folder / "in" / f"blue{number}.jpg", BLUE, seed=100 + number)
    for number in range(12):
        make_photo(folder / "in" / f"purple{number}.jpg", PURPLE, seed=200 + number)
    run = SortOptions(
        (folder / "in",), folder / "out", model, engine=EngineOptions("onnx", "fp32"), workers=1
    )
    assert sort_folder(run).counts == {"red": 28, "blue": 16}
    return folder / "out"


def correct(out: Path, confirmed: int = 4) -> None:
    """Say that purple is blue, and of some blue photos that they are."""
    review = Review.open(out)
    photos = list(review.photos())
    assert review.assign([each.id for each in photos if "purple" in each.path.name], "blue") == 12
    blue = [each.id for each in photos if each.path.name.startswith("blue")]
    assert review.confirm(blue[:confirmed]) == confirmed
    review.close()
