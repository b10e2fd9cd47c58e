"""The benchmark of photos that hold a smaller picture, on photos that are drawn here."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from benchmarks import embedded
from benchmarks.embedded import Decoding, Figures, Sorting, compare_labels, decode, markdown, sort
from benchmarks.figures import Spread
from damage import picture
from previews import with_preview
from support.embedded import scene

from sorter.model.folder import Embedded


def test_labels_are_compared_on_photos_of_ones_own(tmp_path: Path) -> None:
    for seed in range(3):
        picture(seed, 640, 480).save(tmp_path / f"{seed}.jpg")
    found = compare_labels(tmp_path, 2, tmp_path / "work")
    assert found.photos == 2 and 0 <= found.decoded_again <= 1
    assert len(list((tmp_path / "work" / "labels").glob("*.heic"))) == 2


@pytest.mark.slow
def test_decoding_and_sorting_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "0.jpg").write_bytes(with_preview(scene(), scene().resize((400, 300))))
    found = decode("JPEG", folder, 2)
    assert len(found.full.values) == len(found.embedded.values) == 2
    runs = sort("JPEG", folder, tmp_path, argparse.Namespace(photos=2, rounds=1))
    assert [each.decode for each in runs] == ["full", "preview", "auto"]
    assert all(each.rate.median > 0 for each in runs)


def test_the_tables() -> None:
    full, small = Spread((40.0, 44.0)), Spread((4.0, 4.0))
    figures = Figures(
        {},
        [Decoding("HEIC", 2000, full, small)],
        [Sorting("HEIC", "auto", 60, small, full)],
        [Embedded(500, 0.996, 0.05)],
    )
    text = markdown(figures)
    assert "| HEIC | 2,000 kB | 42.0 ms (40.0–44.0) | 4.00 ms (4.00–4.00) | 10.5 | 2 |" in text
    assert "| HEIC, thumb 240 high | 500 | 99.6% | 5.0% |" in text
    assert embedded.BENCHMARK.name == "embedded"
