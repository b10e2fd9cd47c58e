"""Classes that a person adds, renames, merges or removes in the sidebar. Each is a step that undo undoes."""

from __future__ import annotations

from PySide6.QtCore import QObject

from .corrections import Corrections
from .sidebar import Sidebar


class ClassChanges(QObject):
    """Carries them out."""

    def __init__(self, sidebar: Sidebar, corrections: Corrections, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._change = corrections.change_classes
        sidebar.class_added.connect(self.add)
        sidebar.class_renamed.connect(self.rename)
        sidebar.class_merged.connect(self.merge)
        sidebar.class_removed.connect(self.remove)

    def add(self, name: str) -> None:
        text = self.tr("New class {name}. Mark photos as it, then improve the model.")
        self._change(lambda review: review.add_class(name), text.replace("{name}", name))

    def rename(self, old: str, new: str) -> None:
        text = self.tr("{old} is called {new} now.").replace("{old}", old).replace("{new}", new)
        self._change(lambda review: review.rename_class(old, new), text)

    def merge(self, old: str, into: str) -> None:
        text = self.tr("{old} is a part of {new} now.").replace("{old}", old).replace("{new}", into)
        self._change(lambda review: review.merge_class(old, into), text)

    def remove(self, name: str) -> None:
        text = self.tr("{name} is removed. Its photos are unsure.").replace("{name}", name)
        self._change(lambda review: review.remove_class(name), text)
