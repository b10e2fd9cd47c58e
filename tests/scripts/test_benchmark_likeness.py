"""The benchmark of near duplicates, on photos that are drawn here."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from benchmarks.likeness import Figures, Found, choose, compare, markdown, paste_from, resized
from benchmarks.process import BenchmarkError
from damage import picture


def test_copies_are_found_and_objects_are_not_copies(tmp_path: Path) -> None:
    photos = [picture(seed, 640, 480) for seed in range(2)]
    found = compare("resized", resized, photos, tmp_path, random.Random(0))
    assert found == Found("resized", 2, 2, 0)
    assert compare("piece", paste_from(photos, 0.02), photos, tmp_path, random.Random(0)).near == 0
    text = markdown(Figures([found, found], [], []))
    assert "| resized | 2 | 2 | 0 |" in text and "| **all** | 4 | 4 | 0 |" in text


def test_too_few_photos_are_refused(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "a.jpg")
    with pytest.raises(BenchmarkError, match="has 1 photos of 160 pixels, 3 are needed"):
        choose(tmp_path, 3, random.Random(0))
