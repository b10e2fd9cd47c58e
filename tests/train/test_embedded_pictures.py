"""A training notes whether smaller pictures in the files stand for the photos."""

from __future__ import annotations

from pathlib import Path

import pytest
from previews import with_preview
from support.embedded import two_halves
from support.models import make_model
from support.photos import BLUE, RED

from sorter.model.folder import Embedded, read_model
from sorter.photos.dataset import Example
from sorter.train.embedded import add_embedded
from sorter.types import Limits, Photo


def test_the_model_folder_remembers_how_smaller_pictures_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Embedded, "ENOUGH", 4)
    model = make_model(tmp_path / "model")
    photos = []
    for number in range(4):
        path = tmp_path / f"{number}.jpg"
        below = BLUE if number == 3 else RED  # of the preview: one of four shows something else
        path.write_bytes(with_preview(two_halves(RED, RED), two_halves(RED, below).resize((400, 300))))
        photos.append(Example(Photo(path, Path(path.name), path.stat().st_size, 0), 0))
    assert add_embedded(model, photos[:3], Limits()).embedded is None, "too few"
    found = add_embedded(model, photos, Limits()).embedded
    assert found is not None and (found.photos, found.agreement) == (4, 0.75)
    assert read_model(tmp_path / "model").embedded == found
    assert not found.passed
