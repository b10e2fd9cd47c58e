"""What the app remembers from one start to the next: a thin, typed wrapper of QSettings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

from sorter.types import ActionKind

RECENT = 12  # folders, and models
THUMBNAIL_SIZE = 160  # pixels


class Settings:
    """Typed values. A damaged value, or one of another version, reads as the default.

    Args:
        path: an .ini file, in a folder that is then the app's own; None for the places that the system has for both.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            self._kept = QSettings("sorter", "sorter")
        else:
            self._kept = QSettings(str(path), QSettings.Format.IniFormat)
        self._path = path

    @property
    def home(self) -> Path:
        """The app's own folder, for models and samples. It may not be there yet."""
        if self._path is not None:
            return self._path.parent / "app"
        return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation))

    @property
    def file(self) -> str:
        """Where they are kept."""
        return self._kept.fileName()

    @property
    def session(self) -> str:
        """Where a person was when the window closed, as JSON. Empty at first."""
        return self._text("session", "")

    @session.setter
    def session(self, session: str) -> None:
        self._kept.setValue("session", session)

    @property
    def recent(self) -> list[Path]:
        """Output folders, the latest first."""
        return self._paths("recent")

    def remember(self, out: Path) -> None:
        self._keep_first("recent", out)

    def forget(self, out: Path) -> None:
        self._kept.setValue("recent", [str(each) for each in self.recent if each != out])

    @property
    def models(self) -> list[Path]:
        """Model folders that were used, the latest first. The one that ships is not among them."""
        return self._paths("models")

    def remember_model(self, model: Path) -> None:
        self._keep_first("models", model)

    def forget_model(self, model: Path) -> None:
        self._kept.setValue("models", [str(each) for each in self.models if each != model])

    @property
    def language(self) -> str:
        """Code of the window's language. Empty for the system's."""
        return self._text("language", "")

    @language.setter
    def language(self, code: str) -> None:
        self._kept.setValue("language", code)

    @property
    def model(self) -> Path | None:
        """The model that was used last. None for the shipped one."""
        text = self._text("model", "")
        return Path(text) if text else None

    @model.setter
    def model(self, model: Path | None) -> None:
        self._kept.setValue("model", "" if model is None else str(model))

    @property
    def action(self) -> ActionKind:
        try:
            return ActionKind(self._text("action", ActionKind.COPY.value))
        except ValueError:
            return ActionKind.COPY

    @action.setter
    def action(self, action: ActionKind) -> None:
        self._kept.setValue("action", action.value)

    @property
    def geometry(self) -> QByteArray:
        """Of the window, as `saveGeometry` gave it. Empty at first."""
        kept: Any = self._kept.value("geometry")
        return kept if isinstance(kept, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._kept.setValue("geometry", geometry)

    @property
    def theme(self) -> str:
        """`light`, `dark`, or `system`: as the desktop has it."""
        return self._text("theme", "system")

    @theme.setter
    def theme(self, theme: str) -> None:
        self._kept.setValue("theme", theme)

    @property
    def letter_keys(self) -> bool:
        """Letters mark photos, too, not only digits."""
        return self._text("letter_keys", "false") == "true"

    @letter_keys.setter
    def letter_keys(self, on: bool) -> None:
        self._kept.setValue("letter_keys", "true" if on else "false")

    @property
    def inspector(self) -> bool:
        """The facts about a photo are shown beside it."""
        return self._text("inspector", "true") == "true"

    @inspector.setter
    def inspector(self, shown: bool) -> None:
        self._kept.setValue("inspector", "true" if shown else "false")

    @property
    def thumbnail_size(self) -> int:
        """Pixels."""
        text = self._text("thumbnail_size", "")
        return max(48, min(512, int(text))) if text.isdigit() else THUMBNAIL_SIZE

    @thumbnail_size.setter
    def thumbnail_size(self, pixels: int) -> None:
        self._kept.setValue("thumbnail_size", pixels)

    def sync(self) -> None:
        """Write it to the disk now."""
        self._kept.sync()

    def _text(self, key: str, default: str) -> str:
        return str(self._kept.value(key, default))

    def _paths(self, key: str) -> list[Path]:
        kept: Any = self._kept.value(key)
        if isinstance(kept, str):  # a list of one comes back as a string from a file
            kept = [kept]
        return [Path(str(each)) for each in kept or [] if each]

    def _keep_first(self, key: str, path: Path) -> None:
        rest = [each for each in self._paths(key) if each != path]
        self._kept.setValue(key, [str(each) for each in (path, *rest)][:RECENT])
