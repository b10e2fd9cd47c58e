"""The list of duplicates and broken files, with how many of each entry's files are to be removed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from sorter.clean.records import Checked, Kind

from ..tasks import CleanFindings, DuplicateGroup
from .words import fault_text

NAMED = 10  # paths in a tool tip


def members(entry: DuplicateGroup | Checked) -> tuple[Checked, ...]:
    """The files of an entry: a group of duplicates, or one broken file."""
    return (entry,) if isinstance(entry, Checked) else entry.members


def removable(file: Checked) -> bool:
    """Is another copy kept in its place, or is it broken?"""
    return file.duplicate_of is not None or file.verdict is Kind.BROKEN


def proposed(findings: CleanFindings) -> set[Path]:
    """The files that are safe to remove: broken ones, and exact copies but one. Similar ones a person chooses."""
    exact = (each for group in findings.groups if group.exact for each in group.members)
    return {each.path for each in exact if removable(each)} | {each.path for each in findings.broken}


class FaultList(QListWidget):
    """A line for each group of duplicates and each broken file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Groups of duplicates and broken files"))
        self.setUniformItemSizes(True)
        self.setMinimumWidth(220)
        self.setSpacing(2)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_findings(self, findings: CleanFindings | None, removed: set[Path]) -> None:
        """List these. `removed` are the files to be removed."""
        self.clear()
        for entry in () if findings is None else (*findings.groups, *findings.broken):
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, entry)
            self._write(item, removed)
            self.addItem(item)
        self.setCurrentRow(0)

    def update_current(self, removed: set[Path]) -> None:
        """Write the current line anew."""
        item = self.currentItem()
        if item is not None:
            self._write(item, removed)

    def current_files(self) -> tuple[Checked, ...]:
        item = self.currentItem()
        return () if item is None else members(item.data(Qt.ItemDataRole.UserRole))

    def _write(self, item: QListWidgetItem, removed: set[Path]) -> None:
        entry = item.data(Qt.ItemDataRole.UserRole)
        files = members(entry)
        count = sum(each.path in removed for each in files)
        if isinstance(entry, Checked):
            reason = entry.findings[0].reason if entry.findings else entry.verdict.value
            text = self.tr("{name}: {reason}").format(reason=fault_text(reason), name=entry.path.name)
            action = self.tr("remove") if count else self.tr("keep")
        else:
            kind = self.tr("{n} identical: {name}") if entry.exact else self.tr("{n} similar: {name}")
            text = kind.format(n=len(files), name=files[0].path.name)
            both = self.tr("keep both") if len(files) == 2 else self.tr("keep all")
            action = self.tr("remove {n}").format(n=count) if count else both
        item.setText(f"{text} · {action}")
        item.setToolTip("\n".join(str(each.path) for each in files[:NAMED]))
