"""The models that the window offers: the one that ships, those made here, and others that were used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from sorter.files import atomic_write
from sorter.model.folder import Model, read_model, shipped_model
from sorter.output.disk import free_name
from sorter.train.teach import TaughtClass
from sorter.types import SorterError

from ..settings import Settings

FORBIDDEN = '/\\:*?"<>|'  # in names of folders, on some system


class ModelShelf:
    """Models by name. Those made here lie in the app's own folder, not beside the photos."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def folder(self) -> Path:
        """Where models made here lie."""
        return self._settings.home / "models"

    def models(self) -> list[Model]:
        """The shipped one, then those made here, the latest first, then others. Those that are gone are left out."""
        made = sorted(self.folder.glob("*/model.json"), key=lambda path: -path.stat().st_mtime_ns)
        folders = (shipped_model(), *(each.parent for each in made), *self._settings.models)
        found = []
        for folder in dict.fromkeys(folders):
            try:
                found.append(read_model(folder))
            except SorterError:
                continue
        return found

    def new_folder(self, name: str) -> Path:
        """A free folder for a model of this name."""
        plain = "".join("-" if mark in FORBIDDEN or ord(mark) < 32 else mark for mark in name).strip(". ")
        return free_name(self.folder / (plain or "model"), lambda path: path.exists() or path.is_symlink())

    def is_own(self, model: Path) -> bool:
        """Was it made here, so that it may be thrown away here?"""
        return model.parent == self.folder

    def remove(self, model: Path) -> None:
        """Throw a model away that was made here. Of any other only forget where it is."""
        self._settings.forget_model(model)
        if self.is_own(model):
            shutil.rmtree(model, ignore_errors=True)
            self._examples_file(model).unlink(missing_ok=True)

    # -- what a model was taught with, so that more can be added -------------------------------------------------

    def keep_examples(self, model: Path, classes: tuple[TaughtClass, ...]) -> None:
        """Remember where the examples are."""
        listed = {each.name: [str(path) for path in each.photos] for each in classes}
        file = self._examples_file(model)
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as part:
            part.write_text(json.dumps(listed), "utf-8")

    def examples(self, model: Path) -> tuple[TaughtClass, ...]:
        """The classes and their examples that are still there. Empty for a model that was not taught here."""
        try:
            listed = json.loads(self._examples_file(model).read_text("utf-8"))
            return tuple(
                TaughtClass(name, tuple(path for path in map(Path, paths) if path.exists()))
                for name, paths in listed.items()
            )
        except (OSError, ValueError, AttributeError, TypeError):
            return ()

    def _examples_file(self, model: Path) -> Path:
        return self._settings.home / "examples" / f"{model.name}.json"
